"""How far an import is, kept with what it added."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from passerelle.store import imports
from passerelle.store.imports import State

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
MINE = 1000
LEASE = timedelta(seconds=30)


async def note(db, digest=b"d", content=None):
    return await imports.add(db, MINE, 5, "a.csv", digest, 10, NOW, content)


async def advance(db, one, done, lines=3):
    async with db.transaction() as connection:
        return await imports.advance(connection, one, done, lines, 2, 1, LEASE)


async def test_lines_are_counted_from_where_the_caller_believes_to_be(db):
    one = await note(db)
    assert await advance(db, one, 0) and not await advance(db, one, 0) and await advance(db, one, 3)
    found = await imports.find(db, MINE, one.token)
    assert (found.done, found.added, found.refused, found.state) == (6, 4, 2, State.OPEN)
    assert await imports.find(db, MINE + 1, one.token) is None
    await imports.finish(db, one, State.FAILED, NOW, "why")
    assert not await advance(db, one, 6)
    await imports.finish(db, one, State.DONE, NOW)
    found = await imports.find(db, MINE, one.token)
    assert (found.state, found.error, found.ended_at) == (State.FAILED, "why", NOW)


async def test_what_broke_off_is_found_by_its_content(db):
    one, _ = await note(db), await note(db, b"other")
    assert await imports.broken_off(db, MINE, 5, b"d") == one
    assert await imports.broken_off(db, MINE, 6, b"d") is None
    assert await imports.broken_off(db, MINE + 1, 5, b"d") is None
    await imports.finish(db, one, State.DONE, NOW)
    assert await imports.broken_off(db, MINE, 5, b"d") is None


async def test_files_are_leased_one_by_one_in_the_order_they_came(db):
    await note(db)  # its file is with somebody else
    first, second = await note(db, b"1", b"one"), await note(db, b"2", b"two")
    leased = [await imports.lease(db, LEASE) for _ in range(3)]
    assert leased == [(first, b"one"), (second, b"two"), None]
    await imports.finish(db, first, State.DONE, NOW)
    await db.execute("update contact_import set lease_until = clock_timestamp() - interval '1 second'")
    assert await imports.lease(db, LEASE) == (second, b"two")


async def test_refused_lines_come_in_pages(db):
    one, other = await note(db), await note(db)
    async with db.transaction() as connection:
        await imports.refuse(connection, one, [(n, f"x{n}", 2) for n in range(2, 9)])
        await imports.refuse(connection, other, [(3, "y", 3)])
        await imports.refuse(connection, other, [])
    page = await imports.refusals(db, one, 0, 3)
    assert [(row.line, row.phone, row.reason) for row in page] == [(2, "x2", 2), (3, "x3", 2), (4, "x4", 2)]
    assert [row.line for row in await imports.refusals(db, one, 4, 100)] == [5, 6, 7, 8]
