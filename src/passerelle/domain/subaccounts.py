"""Sub-accounts: how a wish for one is put, why it is refused, and what a new one takes over from its main account.

One rule: a sub-account may do nothing that its main account may not; what is about places (addresses of programs and
of callbacks) is its own.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .pricing import MICRO, rounded

LONGEST_NAME = 255
LONGEST_EMAIL = 254
HUGE = 10**18
"""Micro-euros that nobody has: what a larger amount is read as."""

_OWN = frozenset({"allowed_addresses", "reply_url", "dlr_url", "webhook_url", "webhook_reply_url"})
_AMOUNT = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(
    rf"[a-z0-9!#$%&'*+/=?^_`{{|}}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{{|}}~-]+)*@{_LABEL}(?:\.{_LABEL})+", re.IGNORECASE
)


class Type(enum.IntEnum):
    """What a sub-account is; it never changes. The numbers are stored."""

    SIMPLE = 1  # receives nothing, buys nothing
    ADVANCED = 2  # somebody signs up for it by e-mail


class Fault(enum.Enum):
    """Why a wish is refused."""

    EMAIL_TAKEN = "email_taken"
    UNKNOWN = "unknown"  # no such sub-account, or no more
    AMOUNT = "amount"  # not above zero, or no amount at all
    EMPTY = "empty"  # the giver has nothing
    SHORT = "short"  # the giver has less than asked


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sub-account to be. `email` '': one is made up; `credit` in micro-euros, None: nothing to begin with."""

    type: Type
    email: str = ""
    is_buyer: bool = False
    credit: int | None = None
    title: str = ""
    firstname: str = ""
    lastname: str = ""


def amount(text: str) -> int:
    """Micro-euros of a decimal text, exact, rounded half up to a thousandth; 0 for what is no amount above zero."""
    read = _AMOUNT.fullmatch(text.strip())
    if read is None or read[1] == "-":
        return 0
    whole, fraction = read[2].lstrip("0"), read[3] or ""
    if len(whole) > 12:
        return HUGE
    return rounded(int(whole or "0") * MICRO + int(fraction[:6].ljust(6, "0")))


def is_email(text: str) -> bool:
    """Whether a mail server could take it: the ordinary form of RFC 5321, in ASCII."""
    return len(text) <= LONGEST_EMAIL and text.find("@") <= 64 and _EMAIL.fullmatch(text) is not None


def inherited(settings: Mapping[str, object]) -> dict[str, object]:
    """The stored settings of a new sub-account, from those of its main account; never the right to make some."""
    return {name: value for name, value in settings.items() if name not in _OWN} | {"subaccounts": False}
