"""When marketing may leave: the hours of Paris, of the recipient, and of whose holidays count."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from passerelle.domain.account import Rules
from passerelle.domain.hours import leaving, opening

PHONE, REUNION, GUADELOUPE = 33639980001, 262692000001, 590690000001


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)


@pytest.mark.parametrize(
    ("phone", "now", "opens"),
    [
        (PHONE, at(2026, 11, 13, 7, 0), at(2026, 11, 13, 7, 0)),
        (PHONE, at(2026, 11, 13, 6, 59), at(2026, 11, 13, 7, 0)),
        (PHONE, at(2026, 11, 13, 18, 59), at(2026, 11, 13, 18, 59)),
        (PHONE, at(2026, 11, 13, 19, 0), at(2026, 11, 14, 7, 0)),
        # Saturday evening; on Sunday the clocks change: Monday 8:00 is an hour earlier, or later, in UTC
        (PHONE, at(2026, 3, 28, 19, 30), at(2026, 3, 30, 6, 0)),
        (PHONE, at(2026, 10, 24, 18, 30), at(2026, 10, 26, 7, 0)),
        # Réunion, UTC+4, always: closes at 16:00 UTC
        (REUNION, at(2026, 11, 13, 15, 59), at(2026, 11, 13, 15, 59)),
        (REUNION, at(2026, 11, 13, 16, 0), at(2026, 11, 14, 7, 0)),
        (REUNION, at(2026, 7, 10, 5, 30), at(2026, 7, 10, 6, 0)),  # 9:30 there, 7:30 in Paris
        # Guadeloupe, UTC-4: opens at 12:00 UTC
        (GUADELOUPE, at(2026, 11, 13, 9, 0), at(2026, 11, 13, 12, 0)),
        (GUADELOUPE, at(2026, 11, 13, 19, 30), at(2026, 11, 14, 12, 0)),
        (GUADELOUPE, at(2026, 11, 14, 19, 30), at(2026, 11, 16, 12, 0)),  # over Sunday
    ],
)
def test_when_marketing_opens(phone, now, opens):
    assert opening(Rules(), phone, now) == opens


@pytest.mark.parametrize(
    ("phone", "now", "opens"),
    [
        (PHONE, at(2026, 11, 13, 18, 59, 58), at(2026, 11, 13, 18, 59, 58)),
        (PHONE, at(2026, 11, 13, 18, 59, 59), at(2026, 11, 14, 7, 0)),
        (PHONE, at(2026, 11, 13, 6, 59, 59), at(2026, 11, 13, 7, 0)),
        (REUNION, at(2026, 11, 13, 15, 59, 59), at(2026, 11, 14, 7, 0)),
    ],
)
def test_nothing_is_handed_over_in_the_last_second(phone, now, opens):
    """An operator that gets it at 20:00:00.004 has got it in the night."""
    assert leaving(Rules(), phone, now) == opens


def test_where_two_zones_share_no_hour_paris_decides():
    narrow = Rules(quiet_end=time(9), quiet_start=time(10))
    now = at(2026, 11, 13, 8, 30)
    assert opening(narrow, GUADELOUPE, now) == now


@pytest.mark.parametrize(
    ("region", "now", "opens"),
    [
        ("57", at(2026, 12, 26, 10), at(2026, 12, 28, 7)),  # Saint Stephen's day, a Saturday
        ("", at(2026, 12, 26, 10), at(2026, 12, 26, 10)),
        ("57", at(2027, 3, 26, 10), at(2027, 3, 27, 7)),  # Good Friday
        ("RE", at(2027, 12, 20, 10), at(2027, 12, 21, 7)),
    ],
)
def test_whose_holidays_count(region, now, opens):
    assert opening(Rules(), PHONE, now, region) == opens


def test_an_account_that_is_exempt_is_always_open():
    assert leaving(Rules(quiet_exempt=True), PHONE, at(2026, 12, 25, 2)) == at(2026, 12, 25, 2)
