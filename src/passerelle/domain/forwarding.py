"""What becomes of calls to a long number: which rule it has, and whether another may take its place.

One rule: a call that changes nothing is refused, so that its caller learns how things stand (SMS Partner section 10).
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from . import numbers

LONGEST_ADDRESS = 254  # characters of an e-mail address (RFC 5321, 4.5.3.1.3)
_ADDRESS = re.compile(r"[^@\s\x00-\x20]+@[^@\s.\x00-\x20]+(\.[^@\s.\x00-\x20]+)+")


class Forwarding(enum.IntEnum):
    """What happens to a caller. Stored: never reuse a number."""

    OFF = 0  # rejected
    FORWARD = 1  # bridged to a number
    VOICEMAIL = 2  # recorded, and mailed


class Refusal(enum.Enum):
    """Why a rule stays as it is."""

    NOT_ALLOWED = "not_allowed"
    NUMBER_MISSING = "number_missing"
    NUMBER_UNKNOWN = "number_unknown"
    NUMBER_DISABLED = "number_disabled"
    KIND_MISSING = "kind_missing"
    KIND_INVALID = "kind_invalid"
    TARGET_MISSING = "target_missing"
    TARGET_INVALID = "target_invalid"
    ADDRESS_INVALID = "address_invalid"
    ALREADY_FORWARDED = "already_forwarded"
    ALREADY_VOICEMAIL = "already_voicemail"
    ALREADY_OFF = "already_off"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a number does with its callers. `target`: E.164 with +, or an e-mail address; '' when off."""

    forwarding: Forwarding = Forwarding.OFF
    target: str = ""


@dataclass(frozen=True, slots=True)
class Owned:
    """A long number as its owner sees it. `phone`: E.164 without +."""

    phone: int
    enabled: bool
    rule: Rule


_ALREADY = {
    Forwarding.OFF: Refusal.ALREADY_OFF,
    Forwarding.FORWARD: Refusal.ALREADY_FORWARDED,
    Forwarding.VOICEMAIL: Refusal.ALREADY_VOICEMAIL,
}


def decide(number: Owned | None, kind: int | None, target: str) -> Rule | Refusal:
    """The rule that is to hold from now on, or the first reason why not. `kind` None: not said."""
    if number is None:
        return Refusal.NUMBER_UNKNOWN
    if not number.enabled:
        return Refusal.NUMBER_DISABLED
    if kind is None:
        return Refusal.KIND_MISSING
    if kind not in set(Forwarding):
        return Refusal.KIND_INVALID
    rule = _rule(number.phone, Forwarding(kind), target.strip())
    return _ALREADY[number.rule.forwarding] if rule == number.rule else rule


def _rule(phone: int, kind: Forwarding, target: str) -> Rule | Refusal:
    if kind is Forwarding.OFF:
        return Rule()
    if not target:
        return Refusal.TARGET_MISSING
    if kind is Forwarding.VOICEMAIL:
        return Rule(kind, target) if is_address(target) else Refusal.ADDRESS_INVALID
    read = numbers.normalise(target)
    if read is None or read.e164 == f"+{phone}":  # to itself: for ever
        return Refusal.TARGET_INVALID
    return Rule(kind, read.e164)


def is_address(text: str) -> bool:
    """Whether this looks like an e-mail address."""
    return len(text) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None
