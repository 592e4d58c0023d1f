"""Zones, public holidays, quiet hours and scheduled times.

One rule: an instant is an aware UTC datetime; only a question about people's clocks turns it into local time.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")

# Code du travail, article L3133-1: the dates that do not move.
_FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
# Easter Monday, Ascension, Whit Monday: days after Easter.
_MOVING = (1, 39, 50)
# Article L3422-2: the abolition of slavery in each department. Alsace-Moselle is L3134-13.
_REGIONAL: dict[str, tuple[tuple[int, int], ...]] = {
    "": (),
    "57": ((12, 26),),
    "GP": ((5, 27),),
    "MQ": ((5, 22),),
    "GF": ((6, 10),),
    "RE": ((12, 20),),
    "YT": ((4, 27),),
}
REGIONS = tuple(_REGIONAL)
_POSTCODES = {
    "57": "57",
    "67": "57",
    "68": "57",
    "971": "GP",
    "972": "MQ",
    "973": "GF",
    "974": "RE",
    "976": "YT",
}
_DAY = timedelta(days=1)
_FIRST, _LAST = date(1, 1, 3), date(9998, 12, 1)
# Beyond a year two sets of hours that share no minute are taken never to meet.
_HORIZON = timedelta(days=366)


class Closed(enum.Enum):
    """Why marketing may not leave now; the day is judged before the hour."""

    SUNDAY_OR_HOLIDAY = "sunday_or_holiday"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Hours:
    """When marketing may leave: `start` <= local time < `end`, Monday to Saturday, not on a holiday of `region`.

    Raises ValueError unless start < end and the region is known.
    """

    start: time = time(8)
    end: time = time(20)
    zone: ZoneInfo = PARIS
    region: str = ""

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError("opening hours must start before they end")
        if self.region not in _REGIONAL:
            raise ValueError(f"no public holidays known for region {self.region!r}")


@lru_cache(maxsize=1024)
def french_holidays(year: int, region: str = "") -> frozenset[date]:
    """Public holidays of a year: 11 in mainland France, and those of a region.

    `region`: "" mainland, "57" Alsace-Moselle (adds Good Friday and 26 December), "GP", "MQ", "GF", "RE", "YT"
    (each adds its abolition day). Raises KeyError for another.
    """
    easter = _easter(year)
    days = {date(year, month, day) for month, day in _FIXED + _REGIONAL[region]}
    days.update(easter + timedelta(days=after) for after in _MOVING)
    if region == "57":
        days.add(easter - timedelta(days=2))
    return frozenset(days)


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar, by the arithmetic of the epact (Meeus, chapter 8)."""
    century, in_century = divmod(year, 100)
    moon_drift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * (year % 19) + century - century // 4 - moon_drift + 15) % 30
    to_sunday = (32 + 2 * (century % 4) + 2 * (in_century // 4) - epact - in_century % 4) % 7
    correction = (year % 19 + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


def region_of(postcode: str) -> str:
    """The holiday region of a French postcode; "" for the mainland and for anything unknown."""
    return _POSTCODES.get(postcode[:3]) or _POSTCODES.get(postcode[:2], "")


def to_utc(day: date, hour: int, minute: int = 0, zone: ZoneInfo = PARIS) -> datetime:
    """The instant of a local time; hour 24 is the midnight that ends the day.

    A time that the spring gap skips moves one hour on; one that autumn repeats is the first. A day that no zone could
    count from (first days of year 1, beyond year 9998) becomes the nearest that can. Raises ValueError for an hour or
    minute that does not exist.
    """
    clock = time(0 if hour == 24 else hour, minute)
    day = min(max(day, _FIRST), _LAST)
    return datetime.combine(day + _DAY if hour == 24 else day, clock, zone).astimezone(UTC)


def closed_reason(at: datetime, hours: Hours) -> Closed | None:
    """Why marketing may not leave at this instant; None when it may."""
    local = at.astimezone(hours.zone)
    if not _open_day(local.date(), hours):
        return Closed.SUNDAY_OR_HOLIDAY
    return None if hours.start <= local.time() < hours.end else Closed.HOUR


def _open_day(day: date, hours: Hours) -> bool:
    return day.weekday() != 6 and day not in french_holidays(day.year, hours.region)


def next_open(at: datetime, hours: Hours) -> datetime:
    """The first instant from `at` on when marketing may leave: `at` itself, or the next opening, in UTC."""
    if closed_reason(at, hours) is None:
        return at
    local = at.astimezone(hours.zone)
    day = local.date() if local.time() < hours.start else local.date() + _DAY
    while not _open_day(day, hours):
        day += _DAY
    return datetime.combine(day, hours.start, hours.zone).astimezone(UTC)


def next_open_for(at: datetime, hours: Sequence[Hours]) -> datetime | None:
    """The first instant from `at` on that is open in all of `hours`; None if there is none within a year."""
    moment = at
    while moment - at <= _HORIZON:
        later = max((next_open(moment, each) for each in hours), default=moment)
        if later == moment:
            return moment
        moment = later
    return None


def paris_midnight(day: date) -> int:
    """Epoch seconds of the midnight that begins a day in Paris."""
    return int(to_utc(day, 0).timestamp())


def paris_day(at: datetime) -> date:
    """The day it is in Paris."""
    return at.astimezone(PARIS).date()


def last_twelve_months(now: datetime) -> list[tuple[int, int]]:
    """(year, month) of the twelve months of Paris that end with the current one, oldest first."""
    today = paris_day(now)
    current = today.year * 12 + today.month - 1
    return [(month // 12, month % 12 + 1) for month in range(current - 11, current + 1)]


def previous_month(now: datetime) -> list[date]:
    """Every day of the calendar month before the current one of Paris, in order."""
    end = paris_day(now).replace(day=1)
    first = (end - _DAY).replace(day=1)
    return [first + timedelta(days=after) for after in range((end - first).days)]
