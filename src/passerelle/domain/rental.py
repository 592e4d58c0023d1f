"""Renting contacts: whom a renter looks for, how many are wanted of each place, what it costs. Pure.

One rule: a place is a range of postcodes, so that a postcode, a department and the whole country are counted alike.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from . import pricing

YOUNGEST, OLDEST = 18, 98
AGAIN = timedelta(days=90)
"""For how long a person is not rented to the same account again."""

FRANCE = "France"
_AFTER_DIGITS = ":"  # the character behind 9: ends a range of postcodes with the same beginning
_DIGITS = re.compile(r"[0-9]{1,15}")
_ZIPCODE = re.compile(r"[0-9]{5}")
_DEPARTMENT = re.compile(r"(?!9[78])[0-9]{2}|9[78][0-9]")


class State(enum.IntEnum):
    """Of a rental; the numbers are stored, and those of SMS Partner (12.2)."""

    REQUESTED = 0
    GENERATING = 1
    READY = 2
    FAILED = 3
    DOWNLOADED = 5


class Sex(enum.IntEnum):
    """Of a person; the numbers are stored."""

    MAN = 1
    WOMAN = 2


class PlaceType(enum.StrEnum):
    """How a place is named: by postcode, by department, or not at all."""

    ZIPCODE = "CP"
    DEPARTMENT = "DEP"
    COUNTRY = "FR"


class Fault(enum.Enum):
    """Why nothing is rented."""

    NOBODY = enum.auto()  # nobody matches, or the criteria contradict themselves
    TYPE_MISSING = enum.auto()
    PLACE_MISSING = enum.auto()
    VOLUME_MISSING = enum.auto()
    MORE_THAN_THERE = enum.auto()  # or of a place that was not asked for
    MORE_THAN_ALL = enum.auto()
    CREDIT = enum.auto()


@dataclass(frozen=True, slots=True)
class Place:
    """Where people live: postcodes from `low` on, below `high`."""

    type: PlaceType
    name: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Criteria:
    """Whom a renter looks for. `sexes`: none means any; 0 or '' is a criterion that is not used."""

    min_age: int
    max_age: int
    sexes: tuple[Sex, ...] = tuple(Sex)
    interest: int = 0
    sub_interest: int = 0
    category: int = 0
    departments: tuple[str, ...] = ()
    zipcodes: tuple[str, ...] = ()

    @property
    def is_possible(self) -> bool:
        """Whether anybody can match: ages in order, places that can be."""
        named = all(map(_ZIPCODE.fullmatch, self.zipcodes)) and all(map(_DEPARTMENT.fullmatch, self.departments))
        return self.min_age <= self.max_age and named

    @property
    def places(self) -> tuple[Place, ...]:
        """The most exact places that were asked for, in that order; a postcode outside the departments has nobody."""
        if self.zipcodes:
            return tuple(_zipcode(name, self.departments) for name in self.zipcodes)
        if self.departments:
            return tuple(Place(PlaceType.DEPARTMENT, name, name, name + _AFTER_DIGITS) for name in self.departments)
        return (Place(PlaceType.COUNTRY, FRANCE, "", _AFTER_DIGITS),)

    def birth_years(self, year: int) -> tuple[int, int]:
        """The first and the last year of birth of those who have these ages in `year`."""
        return year - self.max_age, year - self.min_age

    def stored(self) -> dict[str, Any]:
        """As JSON members."""
        return {
            "min_age": self.min_age,
            "max_age": self.max_age,
            "sexes": [int(sex) for sex in self.sexes],
            "interest": self.interest,
            "sub_interest": self.sub_interest,
            "category": self.category,
            "departments": list(self.departments),
            "zipcodes": list(self.zipcodes),
        }


def criteria_of(stored: Mapping[str, Any]) -> Criteria:
    """The reverse of `Criteria.stored`."""
    return Criteria(
        stored["min_age"],
        stored["max_age"],
        tuple(map(Sex, stored["sexes"])),
        stored["interest"],
        stored["sub_interest"],
        stored["category"],
        tuple(stored["departments"]),
        tuple(stored["zipcodes"]),
    )


def names(written: str) -> tuple[str, ...]:
    """`"02, 60,60"` as ("02", "60")."""
    return tuple(dict.fromkeys(piece.strip() for piece in written.split(",") if piece.strip()))


def department(zipcode: str) -> str:
    """The first two characters of a postcode, overseas three."""
    return zipcode[:3] if zipcode.startswith(("97", "98")) else zipcode[:2]


def _zipcode(name: str, departments: Sequence[str]) -> Place:
    inside = not departments or department(name) in departments
    return Place(PlaceType.ZIPCODE, name, name, name + _AFTER_DIGITS if inside else name)


# --- volumes -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Volume:
    """How many are wanted of a place. `type` '': its name says enough."""

    type: str
    name: str
    wanted: int


def volumes_of(given: Any) -> list[Volume] | Fault:
    """`{"60200": 20}`, or rows of `Type`, `Localite`, `Volume`, `DesiredVolume`; the row of the total is left out."""
    if isinstance(given, Mapping):
        return _without_total([_named(str(name), value) for name, value in given.items()])
    if isinstance(given, list | tuple):
        return _without_total([_volume(row) for row in given])
    return Fault.VOLUME_MISSING


def _without_total(rows: Sequence[Volume | Fault]) -> list[Volume] | Fault:
    volumes: list[Volume] = []
    for row in rows:
        if isinstance(row, Fault):
            return row
        if row.name.lower() != "total":
            volumes.append(row)
    return volumes if sum(row.wanted for row in volumes) else Fault.VOLUME_MISSING


def _named(name: str, value: Any) -> Volume | Fault:
    count = _count(value)
    return Fault.VOLUME_MISSING if count is None else Volume("", name.strip(), count)


def _volume(row: Any) -> Volume | Fault:
    members = {str(name).lower(): value for name, value in row.items()} if isinstance(row, Mapping) else {}
    type_, name = (_text(members.get(member)) for member in ("type", "localite"))
    if not type_:
        return Fault.TYPE_MISSING
    if not name:
        return Fault.PLACE_MISSING
    there, wanted = _count(members.get("volume")), members.get("desiredvolume")
    if there is None:
        return Fault.VOLUME_MISSING
    count = there if wanted is None or wanted == "" else _count(wanted)
    return Fault.VOLUME_MISSING if count is None else Volume(type_, name, count)


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _count(value: Any) -> int | None:
    """A whole number from 0 on, or its digits."""
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < 2**53 and value == int(value) else None


@dataclass(frozen=True, slots=True)
class Share:
    """Of one place: how many are wanted of how many."""

    place: Place
    wanted: int
    available: int


def shares(places: Sequence[Place], available: Sequence[int], volumes: Sequence[Volume] | None) -> list[Share] | Fault:
    """How many of each place; without `volumes` all that there are. Those wanted come in the order of `volumes`."""
    if volumes is None:
        return [Share(place, count, count) for place, count in zip(places, available, strict=True)]
    there = {place.name.lower(): (place, count) for place, count in zip(places, available, strict=True)}
    wanted: dict[str, int] = {}
    for row in volumes:
        name = row.name.lower()
        place, count = there.get(name, (None, 0))
        if place is None or (row.type and row.type.upper() != place.type) or row.wanted > count:
            return Fault.MORE_THAN_THERE
        wanted[name] = wanted.get(name, 0) + row.wanted
    if sum(wanted.values()) > sum(available):
        return Fault.MORE_THAN_ALL
    if any(count > there[name][1] for name, count in wanted.items()):
        return Fault.MORE_THAN_THERE
    return [Share(there[name][0], count, there[name][1]) for name, count in wanted.items()]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of `quantity` people at `unit` micro-euros each."""

    quantity: int
    unit: int

    @property
    def total(self) -> int:
        """Micro-euros, rounded as every debit is."""
        return pricing.quote(self.unit, self.quantity)
