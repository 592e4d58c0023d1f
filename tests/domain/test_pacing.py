"""The rate of an operator is never exceeded, and a throttled carrier stands still."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.domain.pacing import BURST, FIRST_PAUSE, LONGEST_PAUSE, Pacer

rates = st.floats(0.1, 2_000)
steps = st.lists(st.tuples(st.floats(0, 3), st.integers(0, 500)), min_size=1, max_size=60)


@given(rates, st.floats(0, 1e6), steps)
def test_no_interval_holds_more_than_the_rate_and_one_burst(
    rate: float, start: float, steps: list[tuple[float, int]]
) -> None:
    pacer, now, sent = Pacer(rate), start, []
    for pause, wish in steps:
        now += pause
        parts = min(wish, pacer.allowance(now))
        pacer.spend(parts)
        sent.append((now, parts))
    most = max(1.0, rate * BURST)
    for first in range(len(sent)):
        total = 0
        for at, parts in sent[first:]:
            total += parts
            assert total <= (at - sent[first][0]) * rate + most + 1e-3


@given(st.floats(1, 500), st.floats(0, 1e6))
def test_whoever_takes_all_it_may_gets_nearly_the_whole_rate(rate: float, start: float) -> None:
    pacer, sent = Pacer(rate), 0
    for tick in range(1_000):  # ten seconds
        parts = pacer.allowance(start + tick / 100)
        pacer.spend(parts)
        sent += parts
    assert sent >= 10 * rate * 0.9 - 1


def test_a_long_silence_saves_up_no_more_than_one_burst() -> None:
    pacer = Pacer(rate=100)
    assert pacer.allowance(1_000_000.0) == 10


def test_without_a_rate_only_the_window_counts() -> None:
    pacer = Pacer()
    pacer.spend(10**6)
    assert pacer.allowance(0.0) > 10**6


def test_a_slow_rate_still_lets_one_go() -> None:
    pacer = Pacer(rate=0.5)
    assert pacer.allowance(0.0) == 1
    pacer.spend(1)
    assert pacer.allowance(1.9) == 0
    assert pacer.allowance(2.1) == 1


def test_a_throttled_carrier_pauses_once_for_all_that_is_in_flight_and_longer_each_time() -> None:
    pacer, now, pauses = Pacer(rate=100), 0.0, []
    for _ in range(8):
        pacer.throttled(now)
        pacer.throttled(now)  # the same moment: many answers of one window
        assert pacer.allowance(now) == 0
        pauses.append(pacer.paused_until - now)
        now = pacer.paused_until
        assert pacer.allowance(now) > 0
    assert pauses == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_the_brake_holds_without_a_rate_too() -> None:
    pacer = Pacer()
    pacer.throttled(5.0)
    assert pacer.allowance(5.0 + FIRST_PAUSE / 2) == 0
    assert pacer.allowance(5.0 + FIRST_PAUSE) > 0


@given(st.lists(st.booleans(), max_size=60))
def test_the_pause_stays_in_its_bounds_and_success_ends_it(throttled: list[bool]) -> None:
    pacer, now = Pacer(), 0.0
    for asked_for_less in throttled:
        if asked_for_less:
            pacer.throttled(now)
            assert FIRST_PAUSE <= pacer.pause <= LONGEST_PAUSE
            now = pacer.paused_until
        else:
            before = pacer.pause
            pacer.accepted()
            assert pacer.pause < before or before == 0
    for _ in range(8):
        pacer.accepted()
    assert pacer.pause == pytest.approx(0)
