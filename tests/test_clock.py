"""The clock that is moved by hand, and the offset of the real one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from passerelle.clock import Clock, ManualClock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_an_offset_moves_the_time_of_day() -> None:
    clock = Clock()
    before = clock.now()
    clock.offset = 3600
    assert timedelta(seconds=3600) <= clock.now() - before < timedelta(seconds=3660)
    assert clock.now().tzinfo is UTC


async def test_a_sleep_ends_when_the_clock_was_moved_far_enough() -> None:
    clock, woken = ManualClock(NOON), []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.create_task(sleep(seconds)) for seconds in (10, 5, 0)]
    await tasks[2]
    assert woken == [0]
    clock.move(5)
    await tasks[1]
    assert woken == [0, 5]
    clock.move(4.9)
    assert not tasks[0].done()
    clock.move(0.2)
    await tasks[0]
    assert clock.now() == NOON + timedelta(seconds=10.1)


async def test_a_cancelled_sleep_is_forgotten() -> None:
    clock = ManualClock(NOON)
    task = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    clock.move(10)
    assert clock.now() == NOON + timedelta(seconds=10)
