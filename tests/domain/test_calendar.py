from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from passerelle.domain import calendar
from passerelle.domain.calendar import PARIS, Closed, Hours, closed_reason, french_holidays, next_open, next_open_for

HOURS = Hours()
ZONES = (
    "Europe/Paris",
    "America/Guadeloupe",
    "Indian/Reunion",
    "America/Miquelon",
    "Pacific/Noumea",
    "Pacific/Tahiti",
)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))
hours = st.builds(
    Hours,
    st.sampled_from([time(8), time(9, 30)]),
    st.sampled_from([time(18), time(20), time(22)]),
    st.sampled_from(ZONES).map(ZoneInfo),
    st.sampled_from(["", "57", "GP", "RE"]),
)


def paris(*when: int) -> datetime:
    return datetime(*when, tzinfo=PARIS).astimezone(UTC)


# --- holidays ---


@pytest.mark.parametrize("year", range(2020, 2036))
@pytest.mark.parametrize(("region", "theirs"), [("", None), ("57", "57"), ("GF", "973"), ("RE", "974"), ("YT", "976")])
def test_holidays_agree_with_another_calendar(year, region, theirs):
    assert french_holidays(year, region) == set(holidays.France(years=year, subdiv=theirs))


@pytest.mark.parametrize("year", range(2020, 2036))
@pytest.mark.parametrize(("region", "theirs", "abolition"), [("GP", "971", (5, 27)), ("MQ", "972", (5, 22))])
def test_antilles_keep_the_legal_days_but_not_the_local_customs(year, region, theirs, abolition):
    assert french_holidays(year, region) == french_holidays(year) | {date(year, *abolition)}
    assert french_holidays(year, region) < set(holidays.France(years=year, subdiv=theirs))


@given(st.integers(1600, 4000))
def test_easter_monday_is_a_monday_of_spring(year):
    moving = sorted(french_holidays(year, "57"))
    monday = next(day for day in moving if day.weekday() == 0 and date(year, 3, 23) <= day <= date(year, 4, 26))
    assert {monday - timedelta(days=3), monday + timedelta(days=38), monday + timedelta(days=49)} <= set(moving)


def test_unknown_regions_are_refused():
    with pytest.raises(ValueError):
        Hours(region="XX")
    with pytest.raises(ValueError):
        Hours(time(20), time(8))


@pytest.mark.parametrize(
    ("postcode", "region"),
    [("67000", "57"), ("57100", "57"), ("68100", "57"), ("97110", "GP"), ("97410", "RE"), ("75001", ""), ("", "")],
)
def test_region_of_a_postcode(postcode, region):
    assert calendar.region_of(postcode) == region


# --- quiet hours ---


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (paris(2026, 11, 10, 8), None),
        (paris(2026, 11, 10, 7, 59, 59, 999999), Closed.HOUR),
        (paris(2026, 11, 10, 19, 59, 59, 999999), None),
        (paris(2026, 11, 10, 20), Closed.HOUR),
        (paris(2026, 11, 11, 12), Closed.SUNDAY_OR_HOLIDAY),
        (paris(2026, 11, 11, 23), Closed.SUNDAY_OR_HOLIDAY),  # the day is judged first
        (paris(2026, 11, 14, 12), None),  # Saturday
        (paris(2026, 11, 15, 12), Closed.SUNDAY_OR_HOLIDAY),
        (paris(2026, 3, 27, 8), None),
        (paris(2026, 3, 30, 8), None),  # summer time since yesterday
        (paris(2026, 3, 30, 7, 59), Closed.HOUR),
    ],
)
def test_why_marketing_may_not_leave(at, reason):
    assert closed_reason(at, HOURS) is reason


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        (paris(2026, 11, 10, 20, 30), paris(2026, 11, 12, 8)),  # the example of the contract
        (paris(2026, 11, 10, 12), paris(2026, 11, 10, 12)),
        (paris(2026, 11, 10, 3), paris(2026, 11, 10, 8)),
        (paris(2026, 11, 14, 20), paris(2026, 11, 16, 8)),
        (paris(2026, 3, 28, 21), datetime(2026, 3, 30, 6, tzinfo=UTC)),  # spring: 08:00 is 06:00 UTC
        (paris(2026, 10, 24, 21), datetime(2026, 10, 26, 7, tzinfo=UTC)),  # autumn: 07:00 UTC
        (paris(2026, 12, 24, 20), paris(2026, 12, 26, 8)),
        (paris(2026, 12, 31, 23, 59), paris(2027, 1, 2, 8)),
    ],
)
def test_next_opening(at, opening):
    assert next_open(at, HOURS) == opening


def test_alsace_keeps_its_days():
    assert next_open(paris(2026, 12, 26, 9), Hours(region="57")) == paris(2026, 12, 28, 8)


@given(instants, hours)
@example(datetime(2026, 3, 29, 0, 59, 59, 999999, tzinfo=UTC), HOURS)
@example(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), HOURS)
def test_the_next_opening_is_open_not_before_and_stable(at, when):
    opening = next_open(at, when)
    assert opening >= at and opening.utcoffset() == timedelta(0)
    assert closed_reason(opening, when) is None
    assert next_open(opening, when) == opening
    if opening > at:
        assert closed_reason(opening - timedelta(microseconds=1), when) is not None


@given(instants, hours)
def test_nothing_open_is_skipped(at, when):
    opening = next_open(at, when)
    probe = at
    while probe < opening:
        assert closed_reason(probe, when) is not None
        probe += timedelta(hours=1)


def test_paris_and_the_recipient_must_both_be_open():
    guadeloupe = Hours(zone=ZoneInfo("America/Guadeloupe"))
    assert next_open_for(paris(2026, 11, 10, 9), [HOURS, guadeloupe]) == paris(2026, 11, 10, 13)
    noumea = Hours(zone=ZoneInfo("Pacific/Noumea"))
    assert next_open_for(paris(2026, 11, 10, 12), [HOURS, noumea]) == paris(2026, 11, 12, 8)
    assert next_open_for(paris(2026, 11, 10, 12), []) == paris(2026, 11, 10, 12)


def test_hours_that_never_meet_are_told():
    tahiti = Hours(time(9), time(18), ZoneInfo("Pacific/Tahiti"))
    assert next_open_for(paris(2026, 11, 10, 12), [Hours(time(9), time(18)), tahiti]) is None


@given(instants, hours, hours)
def test_the_common_opening_is_open_in_all(at, one, other):
    opening = next_open_for(at, [one, other])
    if opening is not None:
        assert opening >= at
        assert closed_reason(opening, one) is None and closed_reason(opening, other) is None
        assert next_open_for(opening, [other, one]) == opening


# --- scheduled times, days and months ---


@pytest.mark.parametrize(
    ("day", "hour", "minute", "expected"),
    [
        (date(2026, 11, 16), 8, 5, datetime(2026, 11, 16, 7, 5, tzinfo=UTC)),
        (date(2026, 7, 1), 8, 0, datetime(2026, 7, 1, 6, tzinfo=UTC)),
        (date(2026, 12, 31), 24, 0, datetime(2026, 12, 31, 23, tzinfo=UTC)),
        (date(2026, 12, 31), 0, 0, datetime(2026, 12, 30, 23, tzinfo=UTC)),
        (date(2026, 3, 29), 2, 30, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # 03:30, the gap moves on
        (date(2026, 10, 25), 2, 30, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # the first 02:30
    ],
)
def test_scheduled_times(day, hour, minute, expected):
    assert calendar.to_utc(day, hour, minute) == expected


def test_the_gap_shows_one_hour_later():
    assert calendar.to_utc(date(2026, 3, 29), 2, 30).astimezone(PARIS).time() == time(3, 30)


@pytest.mark.parametrize(("hour", "minute"), [(25, 0), (-1, 0), (12, 60)])
def test_times_that_do_not_exist(hour, minute):
    with pytest.raises(ValueError):
        calendar.to_utc(date(2026, 1, 1), hour, minute)


@pytest.mark.parametrize("when", [(date.min, 0), (date.max, 24)])
def test_the_ends_of_the_calendar_are_no_crash(when):
    never = [Hours(time(8), time(9)), Hours(time(8), time(9), ZoneInfo("Pacific/Tahiti"))]
    at = calendar.to_utc(*when)
    assert next_open(at, HOURS) >= at
    assert next_open_for(at, never) is None


def test_midnights_are_those_of_the_statistics_sample():
    assert calendar.paris_midnight(date(2026, 10, 1)) == 1790805600
    assert calendar.paris_midnight(date(2026, 11, 1)) == 1793487600


@given(instants)
def test_an_instant_lies_in_its_day(at):
    day = calendar.paris_day(at)
    assert calendar.paris_midnight(day) <= at.timestamp() < calendar.paris_midnight(day + timedelta(days=1))


def test_twelve_months_end_with_the_current_one_of_paris():
    months = calendar.last_twelve_months(datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    assert months == [(2026, month) for month in range(2, 13)] + [(2027, 1)]


def test_previous_month_is_whole():
    days = calendar.previous_month(paris(2028, 3, 31, 12))
    assert days == [date(2028, 2, day) for day in range(1, 30)]
    assert calendar.previous_month(datetime(2026, 12, 31, 23, 30, tzinfo=UTC))[0] == date(2026, 12, 1)
