"""Links, followed by many at once: one batch while another is in its commit, and nothing answered that is not on disk."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from pipeline.world import TUESDAY

from passerelle.domain.links import Robot
from passerelle.domain.tracking import Target
from passerelle.pipeline import following as pipeline
from passerelle.pipeline.following import Away, Following, Gathering
from passerelle.store import tracking

PAGE = Target(None, "Soldes", "<p>-20%</p>")


class Gate:
    """Writes when it is told to, and remembers the batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()

    async def write(self, batch):
        self.batches.append(list(batch))
        await self.open.wait()
        if 13 in batch:
            raise ValueError("no")
        return [n * 10 for n in batch]


async def test_a_batch_gathers_while_another_is_written():
    gate = Gate()
    gathering = Gathering(gate.write)
    first = asyncio.create_task(gathering.ask(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert gate.batches == [[1]]  # who comes alone waits for nobody
    others = [asyncio.create_task(gathering.ask(n)) for n in (2, 3, 4)]
    await asyncio.sleep(0)
    assert gate.batches == [[1]]
    gate.open.set()
    assert await asyncio.gather(first, *others) == [10, 20, 30, 40]
    assert gate.batches == [[1], [2, 3, 4]]
    assert await gathering.ask(5) == 50


async def test_a_batch_has_a_size_and_what_fails_fails_alone(monkeypatch):
    monkeypatch.setattr(pipeline, "MOST", 2)
    gate = Gate()
    gate.open.set()
    gathering = Gathering(gate.write)
    got = await asyncio.gather(*(gathering.ask(n) for n in (12, 13, 14, 15, 16)), return_exceptions=True)
    assert gate.batches == [[12, 13], [14, 15], [16]]
    assert [one if isinstance(one, int) else str(one) for one in got] == ["no", "no", 140, 150, 160]


async def test_who_has_gone_keeps_nobody():
    gate = Gate()
    gathering = Gathering(gate.write)
    first, second = asyncio.create_task(gathering.ask(1)), asyncio.create_task(gathering.ask(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    gate.open.set()
    assert await second == 20


@pytest.fixture
async def code(world):
    account = await world.account()
    ids = await tracking.add_targets(world.db, account.id, 7, 2, "", [PAGE], TUESDAY)
    assert await world.link(ids, [["Paaaaaaa"]])
    return "Paaaaaaa"


async def test_a_hundred_at_once_are_all_written(world, code):
    following = Following(world.db, world.clock)
    led = await asyncio.gather(
        *(following.follow(code, robot=Robot.HEAD) for _ in range(100)), following.follow("nobody00")
    )
    assert led[-1] is None
    assert sorted(one.visit_id for one in led[:-1]) == [row["id"] for row in await world.rows("visit", "id")]
    assert await following.page(led[0].target_id) == PAGE and await following.page(0) is None


class Flaky:
    """A database whose connection is lost so many times."""

    def __init__(self, db, failures):
        self.db, self.failures, self.error = db, failures, asyncpg.ConnectionDoesNotExistError("away")

    def __getattr__(self, name):
        async def asked(*arguments):
            if self.failures:
                self.failures -= 1
                raise self.error
            return await getattr(self.db, name)(*arguments)

        return asked


async def test_a_lost_connection_is_tried_once_more(world, code):
    following = Following(Flaky(world.db, 1), world.clock)
    led = await following.follow(code, robot=Robot.HEAD)
    assert led is not None
    for calls in (following.follow(code), following.stay(code, led.visit_id, 3), following.page(led.target_id)):
        following._db.failures = 2
        with pytest.raises(Away):
            await calls
    following._db.failures = 0
    assert await world.db.fetchval("select count(*) from visit") == 1


async def test_nobody_waits_twice_for_a_database_that_is_away(world, code, monkeypatch):
    monkeypatch.setattr(pipeline, "SOON", -1.0)
    following = Following(Flaky(world.db, 1), world.clock)
    with pytest.raises(Away):
        await following.follow(code)
    following._db.failures, following._db.error = 1, ValueError("a bug")
    with pytest.raises(ValueError, match="a bug"):
        await following.follow(code)
    assert await world.rows("visit") == []
