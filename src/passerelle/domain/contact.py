"""A contact as given by a person, a program or a line of a file -> its values, or what is wrong with them.

The one rule: what is kept was checked here, whichever door it came in by.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from . import numbers

LENGTHS = {
    "firstname": 32,
    "lastname": 32,
    "url": 255,
    "short_url": 255,
    "custom1": 255,
    "custom2": 255,
    "custom3": 255,
    "custom4": 255,
}
MEMBERS = ("phone", "firstname", "lastname", "date", *[name for name in LENGTHS if not name.endswith("name")])
"""What a contact has, in the order of its table (SMS Partner 7.4)."""
LONGEST_NAME = 255  # of a group


class Fault(enum.IntEnum):
    """Why a contact is not taken; the numbers are stored."""

    NO_NUMBER = 1
    NUMBER_INVALID = 2
    TWICE = 3  # in the same request or file
    PRESENT = 4  # in the group already
    OPTED_OUT = 5
    DEAD = 6  # its last HLR result: nobody has this number
    URL_INVALID = 7
    DATE_INVALID = 8
    TOO_LONG = 9


@dataclass(slots=True)
class Read:
    """The values of the members given, `phone` as an integer, `date` as a date or None; faults by member, in order."""

    values: dict[str, Any]
    faults: list[tuple[str, Fault]] = field(default_factory=list)


def read(given: Mapping[str, str], separators: str = "-") -> Read:
    """Check what is given; an empty text clears a member. `separators` of a date as people write it."""
    found = Read({})
    for member in MEMBERS:
        if member in given:
            text = given[member]
            fault = _take(found.values, member, text, separators)
            if fault is not None:
                found.faults.append((member, fault))
    return found


def _take(values: dict[str, Any], member: str, text: str, separators: str) -> Fault | None:
    if member == "phone":
        return _take_phone(values, text)
    if member == "date":
        values["date"] = read_date(text, separators)
        return Fault.DATE_INVALID if text.strip() and values["date"] is None else None
    values[member] = text
    if len(text) > LENGTHS[member]:
        return Fault.TOO_LONG
    return Fault.URL_INVALID if member == "url" and text and not _is_link(text) else None


def _take_phone(values: dict[str, Any], text: str) -> Fault | None:
    if not text.strip():
        return Fault.NO_NUMBER
    number = numbers.normalise(text)
    if number is None:
        return Fault.NUMBER_INVALID
    values["phone"] = int(number.e164[1:])
    return None


def _is_link(text: str) -> bool:
    """`http://` or `https://`, and something behind it that may stand in a text."""
    head, _, rest = text.partition("://")
    return head.lower() in ("http", "https") and rest[:1] not in ("", "/") and text.isprintable() and " " not in text


def read_date(text: str, separators: str = "-") -> date | None:
    """`YYYY-MM-DD`, or day first; None where it is neither, or not in the calendar."""
    text = text.strip()
    for separator in separators:
        pieces = text.split(separator)
        if len(pieces) == 3 and all(piece.isascii() and piece.isdigit() for piece in pieces):
            return _calendar_day(pieces)
    return None


def _calendar_day(pieces: list[str]) -> date | None:
    if len(pieces[0]) != 4:
        pieces = pieces[::-1]
    if [len(piece) for piece in pieces] != [4, 2, 2]:
        return None
    try:
        return date(*map(int, pieces))
    except ValueError:
        return None
