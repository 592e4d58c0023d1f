"""When a refused part is tried again: later each time, never much later, never not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.domain.message import OutcomeKind
from passerelle.domain.retry import AGAIN, next_at

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
THROTTLED, TEMPORARY = OutcomeKind.THROTTLED, OutcomeKind.TEMPORARY


@pytest.mark.parametrize(
    ("kind", "attempts", "seconds"),
    [
        (THROTTLED, 1, 1),
        (THROTTLED, 3, 5),
        (THROTTLED, 6, 30),
        (THROTTLED, 1_000, 30),
        (TEMPORARY, 1, 5),
        (TEMPORARY, 7, 900),
        (TEMPORARY, 30_000, 900),
    ],
)
def test_when_the_next_attempt_is(kind: OutcomeKind, attempts: int, seconds: int) -> None:
    assert next_at(kind, attempts, NOW) == NOW + timedelta(seconds=seconds)


@given(st.sampled_from(sorted(AGAIN)), st.integers(1, 32_767))
def test_each_wait_is_at_least_as_long_as_the_last_and_at_most_a_quarter_of_an_hour(
    kind: OutcomeKind, attempts: int
) -> None:
    """Store.queue looks for what is overdue among what is due, and so counts on the quarter of an hour."""
    waits = [next_at(kind, n, NOW) - NOW for n in (attempts, attempts + 1)]
    assert timedelta(0) < waits[0] <= waits[1] <= timedelta(minutes=15)


def test_only_what_was_refused_for_now_is_tried_again() -> None:
    assert set(AGAIN) == {THROTTLED, TEMPORARY}
