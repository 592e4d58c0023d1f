"""Carriers keep their numbers, and a bind has one owner at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

from passerelle.store import carriers
from passerelle.store.database import Database

MINE, THEIRS = UUID(int=1), UUID(int=2)
LEASE = timedelta(seconds=12)


async def hold(
    db: Database, owner: UUID, number: int = 0, carrier: int = 1, bound: bool = False, note: str = ""
) -> bool:
    return await carriers.hold_bind(db, carrier, number, owner, LEASE, bound, note)


async def over(db: Database) -> None:
    await db.execute("update bind set lease_until = clock_timestamp() - interval '1 second'")


async def test_a_name_has_one_number_for_ever(db: Database) -> None:
    first = await carriers.ids(db, ["orange", "sfr"])
    assert len(set(first.values())) == 2
    later = await carriers.ids(db, ["sfr", "free", "orange"])
    assert {name: later[name] for name in first} == first and await carriers.ids(db, []) == {}
    both = await asyncio.gather(*(carriers.ids(db, ["new"]) for _ in range(4)))
    assert len({found["new"] for found in both}) == 1


async def test_a_bind_is_held_kept_and_passed_on(db: Database) -> None:
    assert await hold(db, MINE) and await hold(db, MINE)
    assert not await hold(db, THEIRS)
    assert await hold(db, THEIRS, number=1) and await hold(db, THEIRS, carrier=2)
    await over(db)
    assert await hold(db, THEIRS)
    assert not await hold(db, MINE), "it was late"


async def test_of_many_that_want_a_bind_one_has_it(db: Database) -> None:
    for _ in range(2):
        took = await asyncio.gather(*(hold(db, UUID(int=n)) for n in range(1, 9)))
        assert took.count(True) == 1
        await over(db)


async def test_letting_go_gives_all_of_ones_own(db: Database) -> None:
    for number in range(2):
        await hold(db, MINE, number, bound=True)
    await hold(db, THEIRS, 2, bound=True)
    await carriers.let_go(db, MINE)
    rows = {row["number"]: (row["owner"], row["bound"]) for row in await db.fetch("select * from bind")}
    assert rows == {0: (None, False), 1: (None, False), 2: (THEIRS, True)}
    assert await hold(db, THEIRS)


async def test_people_see_how_binds_stand_and_since_when(db: Database) -> None:
    carrier = (await carriers.ids(db, ["orange"]))["orange"]
    await hold(db, MINE, carrier=carrier, note="refused: ESME_RINVPASWD")
    (first,) = await carriers.binds(db)
    assert (first["name"], first["number"], first["bound"], first["note"]) == (
        "orange",
        0,
        False,
        "refused: ESME_RINVPASWD",
    )
    await hold(db, MINE, carrier=carrier, note="still")
    assert (await carriers.binds(db))[0]["changed_at"] == first["changed_at"]
    await hold(db, MINE, carrier=carrier, bound=True)
    (up,) = await carriers.binds(db)
    assert up["bound"] and up["changed_at"] > first["changed_at"]
    await over(db)
    assert not (await carriers.binds(db))[0]["bound"], "nobody has renewed it"
