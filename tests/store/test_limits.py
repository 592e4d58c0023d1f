"""Rate limits: never one more than allowed, and refused calls cost nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from passerelle.store import limits

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


async def test_a_sliding_minute(db):
    tallies = [await limits.count(db, 1, "call", 2, after(seconds)) for seconds in (0, 30, 40, 60, 61)]
    assert [tally.allowed for tally in tallies] == [True, True, False, True, False]
    assert [tally.remaining for tally in tallies] == [1, 0, 0, 0, 0]
    assert [tally.reset for tally in tallies] == [after(60), after(60), after(60), after(90), after(90)]


async def test_accounts_and_calls_are_counted_apart(db):
    assert (await limits.count(db, 1, "call", 1, NOW)).allowed
    assert (await limits.count(db, 2, "call", 1, NOW)).allowed
    assert (await limits.count(db, 1, "other", 1, NOW)).allowed


async def test_calls_at_the_same_moment_never_pass_together(db):
    tallies = await asyncio.gather(*(limits.count(db, 1, "call", 5, NOW) for _ in range(20)))
    assert sum(tally.allowed for tally in tallies) == 5


async def test_what_is_forgotten_is_deleted(db):
    for minute in range(5):
        await limits.count(db, 1, "call", 5, after(61 * minute))
    assert await db.fetchval("select count(*) from rate_call") == 1
