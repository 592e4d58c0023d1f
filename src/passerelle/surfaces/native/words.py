"""Words for numbers that are stored: states, dialects, classes; and how a client names them.

One rule: a word is the name of its enumeration in lower case, so that none can be forgotten.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TypeVar

from ...domain.message import Dialect, State, TrafficClass

E = TypeVar("E", bound=IntEnum)


def word(one: IntEnum) -> str:
    """Its name."""
    return one.name.lower()


class StateWord(StrEnum):
    """What became of a message; from `delivered` on it is final."""

    ACCEPTED = "accepted"
    SUBMITTED = "submitted"
    UNCERTAIN = "uncertain"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    BOUNCED = "bounced"
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    OPTED_OUT = "opted_out"
    UNCONFIRMED = "unconfirmed"


class DialectWord(StrEnum):
    """Through which API a message came."""

    SMSPARTNER = "smspartner"
    PRIMOTEXTO = "primotexto"
    VOICEPARTNER = "voicepartner"
    MAILPARTNER = "mailpartner"
    NATIVE = "native"


class ClassWord(StrEnum):
    """What the law looks at: marketing leaves at decent hours only, and says how to stop it."""

    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"


def states(words: list[StateWord]) -> list[int]:
    """The numbers of these states, of all where none is named."""
    return [int(State[one.name]) for one in words or StateWord]


def dialects(words: list[DialectWord]) -> list[int]:
    """The numbers of these dialects, of all where none is named."""
    return [int(Dialect[one.name]) for one in words or DialectWord]


def state(number: int) -> StateWord:
    """The word of a stored state."""
    return StateWord(word(State(number)))


def dialect(number: int) -> DialectWord:
    """The word of a stored dialect."""
    return DialectWord(word(Dialect(number)))


def traffic(number: int) -> ClassWord:
    """The word of a stored class."""
    return ClassWord(word(TrafficClass(number)))
