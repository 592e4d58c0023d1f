"""How far an import into a list is, kept with what it added."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from passerelle.store import operations
from passerelle.store.imports import State

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
MINE, LIST = 1000, 5
LEASE = timedelta(seconds=30)


async def note(db, *, lease=timedelta(0), **more):
    return await operations.add(db, MINE, LIST, ["tel", "nom"], 0, 10, NOW, lease, **more)


async def test_rows_are_counted_from_where_the_caller_believes_to_be(db):
    one = await note(db, content=b"x")
    assert (one.headings, one.number_at, one.state, one.total, one.done) == (["tel", "nom"], 0, State.OPEN, 10, 0)
    moved = await operations.advance(db, one, 3, 2, 1, LEASE)
    assert (moved.done, moved.imported, moved.duplicates, moved.invalid) == (6, 3, 2, 1)
    assert await operations.advance(db, one, 3, 2, 1, LEASE) is None
    assert await operations.find(db, MINE, one.token) == moved
    assert await operations.find(db, MINE + 1, one.token) is None
    ended = await operations.finish(db, moved, State.FAILED, NOW, "why")
    assert (ended.state, ended.reason) == (State.FAILED, "why")
    assert await operations.advance(db, moved, 1, 0, 0, LEASE) is None
    assert await operations.finish(db, moved, State.DONE, NOW) is None


async def test_what_broke_off_is_found_by_its_content(db):
    one, _ = await note(db, digest=b"d"), await note(db, digest=b"other")
    assert await operations.broken_off(db, MINE, LIST, b"d") == one
    assert await operations.broken_off(db, MINE, LIST + 1, b"d") is None
    assert await operations.broken_off(db, MINE + 1, LIST, b"d") is None
    await operations.finish(db, one, State.DONE, NOW)
    assert await operations.broken_off(db, MINE, LIST, b"d") is None


async def test_imports_are_leased_one_by_one_in_the_order_they_came(db):
    await note(db, digest=b"d")  # its rows are with somebody else
    first, second = await note(db, content=b"one"), await note(db, content=b"two")
    leased = [await operations.lease(db, LEASE) for _ in range(3)]
    assert [each and (each[0].id, each[0].attempts, each[1]) for each in leased] == [
        (first.id, 1, b"one"), (second.id, 1, b"two"), None,
    ]  # fmt: skip
    await operations.finish(db, first, State.DONE, NOW)
    await db.execute("update list_import set lease_until = clock_timestamp() - interval '1 second'")
    again, _ = await operations.lease(db, LEASE)
    assert (again.id, again.attempts) == (second.id, 2)
    assert (await operations.advance(db, again, 1, 0, 0, LEASE)).attempts == 0


async def test_refused_rows_come_in_pages(db):
    one, other = await note(db), await note(db)
    await operations.refuse(db, one, [(n, f"x{n}", 2) for n in range(2, 9)])
    await operations.refuse(db, other, [(3, "y", 3)])
    await operations.refuse(db, other, [])
    page = await operations.refusals(db, one, 0, 3)
    assert [(row.line, row.phone, row.reason) for row in page] == [(2, "x2", 2), (3, "x3", 2), (4, "x4", 2)]
    assert [row.line for row in await operations.refusals(db, one, 4, 100)] == [5, 6, 7, 8]


async def test_what_is_given_up_and_what_is_forgotten(db):
    waiting = await note(db, content=b"x")
    under_way, left = await note(db, lease=LEASE, digest=b"a"), await note(db, lease=-timedelta(days=2), digest=b"b")
    await operations.give_up(db, NOW)  # begun just now
    assert (await operations.find(db, MINE, left.token)).state == State.OPEN
    later = NOW + timedelta(days=2)
    await operations.give_up(db, later)
    states = [(await operations.find(db, MINE, one.token)).state for one in (waiting, under_way, left)]
    assert states == [State.OPEN, State.OPEN, State.FAILED]
    await operations.refuse(db, left, [(2, "x", 2)])
    await operations.refuse(db, waiting, [(2, "x", 2)])
    assert not await operations.forget(db, later)
    assert await operations.forget(db, later + timedelta(seconds=1))
    assert not await operations.forget(db, later + timedelta(seconds=1))
    assert await operations.find(db, MINE, left.token) is None
    assert [row["import_id"] for row in await db.fetch("select import_id from list_refusal")] == [waiting.id]
