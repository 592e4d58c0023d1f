"""When what waits will have left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.domain.calendar import Hours, closed_reason
from passerelle.domain.forecast import expected_end

TUESDAY = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)  # 11:00 in Paris, the eve of a public holiday
OPEN = Hours()


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("due_at", "parts", "pace", "hours", "end"),
    [
        (TUESDAY, 600, 10, None, at(10, 10, 1)),
        (TUESDAY - timedelta(days=1), 600, 10, None, at(10, 10, 1)),
        (at(10, 12), 600, 10, None, at(10, 12, 1)),
        (TUESDAY, 1, 0, None, None),
        (TUESDAY, 36_000, 1, None, at(10, 20)),
        (TUESDAY, 32_400, 1, OPEN, at(10, 19)),  # until 20:00 in Paris
        (TUESDAY, 36_000, 1, OPEN, at(12, 8)),  # Wednesday is a holiday
        (at(10, 20), 3_600, 1, OPEN, at(12, 8)),
        (TUESDAY, 100_000_000, 0.001, OPEN, None),
    ],
)
def test_examples(due_at, parts, pace, hours, end):
    assert expected_end(TUESDAY, due_at, parts, pace, hours) == end


@settings(max_examples=60)
@given(st.integers(1, 2_000_000), st.floats(0.5, 1_000), st.integers(0, 14 * 24))
def test_more_never_ends_sooner_and_nothing_ends_in_the_night(parts, pace, later):
    due_at = TUESDAY + timedelta(hours=later)
    end, later_end = (expected_end(TUESDAY, due_at, parts + more, pace, OPEN) for more in (0, 100))
    assert end is not None and later_end is not None and due_at <= end <= later_end
    assert closed_reason(end - timedelta(seconds=1), OPEN) is None or parts / pace < 1
    assert end >= expected_end(TUESDAY, due_at, parts, pace)
