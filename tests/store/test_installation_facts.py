"""Facts that all processes share."""

from __future__ import annotations

import asyncio

from passerelle.store import installation_facts as facts
from passerelle.store.database import Database


async def test_a_fact_is_the_last_that_was_put(db: Database) -> None:
    assert await facts.get(db, "colour") is None
    await asyncio.gather(*(facts.put(db, "colour", str(n)) for n in range(5)))
    await facts.put(db, "colour", "")
    assert await facts.get(db, "colour") == "" and await facts.get(db, "Colour") is None


async def test_the_test_clock_stands_where_it_was_set(db: Database) -> None:
    assert await facts.clock_offset(db) == 0.0
    for seconds in (3600.5, 0.0, 172_800.0):
        await facts.set_clock_offset(db, seconds)
        assert await facts.clock_offset(db) == seconds
