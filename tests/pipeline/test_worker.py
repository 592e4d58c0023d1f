"""The loops of a worker: a bind in one process only, nothing lost over a database that goes, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pipeline.world import MINE, PHONE, THEIRS, World

from passerelle.domain.message import DuePart, Inbound, Outcome, OutcomeKind, Receipt, State
from passerelle.outbound.carrier import Arrived
from passerelle.pipeline.dispatch import Dispatcher
from passerelle.pipeline.inbound import Inbound as Texts
from passerelle.pipeline.receipts import Receipts
from passerelle.pipeline.worker import Worker, chores
from passerelle.settings import Settings
from passerelle.store import carriers
from passerelle.store.database import Database

K = OutcomeKind
ids = itertools.count()


@dataclass
class Line:
    """A carrier that answers at once, and says what was done to its binds."""

    world: World
    id: int = 1
    name: str = "operator"
    binds: int = 2
    done: list[tuple[str, int]] = field(default_factory=list)
    up: set[int] = field(default_factory=set)
    written: list[DuePart] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    came: list[Arrived] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    reporting: bool = False
    worker: Worker | None = None

    def open(self, number: int) -> None:
        if number not in self.up:
            self.done.append(("open", number))
            self.up.add(number)

    async def finish(self) -> None:
        self.done += [("close", number) for number in range(self.binds)]
        self.up.clear()

    def drop(self, number: int) -> None:
        if number in self.up:
            self.done.append(("drop", number))
            self.up.discard(number)

    def state(self, number: int) -> tuple[bool, str]:
        return number in self.up, "" if number in self.up else "not yet"

    def free_slots(self) -> int:
        return 100 if self.up else 0

    def submit(self, parts) -> None:
        now = self.world.clock.now()
        if not self.up:
            self.outcomes += [Outcome(part, K.UNSENT) for part in parts]
        else:
            self.written += parts
            for part in parts:
                part.begun_at = now
                operator_id = f"id{next(ids)}"
                self.outcomes.append(Outcome(part, K.SENT, operator_id, at=now))
                if self.reporting:
                    self.arrive([Receipt((operator_id,), part.phone, State.DELIVERED, "", now)])
        self.worker.wake()

    def arrive(self, receipts: list[Receipt], texts: list[Inbound] | None = None) -> None:
        number = len(self.acknowledged) + len(self.came)
        self.came.append(Arrived(receipts, texts or [], lambda: self.acknowledged.append(number)))
        self.worker.wake()

    def take_outcomes(self) -> list[Outcome]:
        taken, self.outcomes = self.outcomes, []
        return taken

    def take_arrived(self) -> list[Arrived]:
        taken, self.came = self.came, []
        return taken


def worker_of(
    world: World, owner: UUID = MINE, duties: Any = (), db: Database | None = None, **more: Any
) -> tuple[Worker, Line]:
    db = db or world.db
    dispatcher = Dispatcher(db, world.clock, world.teller, owner)
    texts = Texts(db, world.teller, Settings(), world.clock)
    worker = Worker(db, owner, dispatcher, Receipts(db, world.clock, world.teller), texts, duties, **more)
    line = Line(world, worker=worker)
    worker.serve([line])
    return worker, line


@contextlib.asynccontextmanager
async def running(worker: Worker, stop: bool = True):
    task = asyncio.create_task(worker.run())
    try:
        yield task
        if stop:
            await worker.stop()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not (await found if asyncio.iscoroutine(found := holds()) else found):
            await asyncio.sleep(0.002)


async def count(world: World, what: str) -> int:
    return await world.db.fetchval(f"select count(*) from {what}")


# --- the flow ------------------------------------------------------------------------------------------------------


async def test_from_the_queue_to_the_receipt(world: World):
    await world.send(await world.account(), *range(PHONE, PHONE + 50))
    worker, line = worker_of(world)
    line.reporting = True
    duties = chores(world.db, worker._dispatcher, world.receipts, worker._inbound, world.clock.now)
    worker._chores = [(0.01, chore) for _, chore in duties]
    async with running(worker):
        await until(lambda: count(world, "message where state <> 10") if line.written else False)
        await until(lambda: is_none(world, "message where state <> 10"))
        await until(lambda: not line.came and line.acknowledged)
    assert len(line.written) == 50 and not await world.queued()


async def is_none(world: World, what: str) -> bool:
    return not await count(world, what)


async def test_what_came_in_is_acknowledged_when_it_is_on_disk(world: World):
    account = await world.account()
    (part,) = await world.submitted(account)
    await world.record(part, K.SENT, "a")
    worker, line = worker_of(world)
    async with world.db.transaction() as blocking:
        await blocking.execute("lock table reply in access exclusive mode")
        async with running(worker, stop=False):
            line.arrive([Receipt(("a",), PHONE, State.DELIVERED, "", world.clock.now())])
            line.arrive([], [Inbound(PHONE, "36000", "Oui", world.clock.now())])
            await until(lambda: blocked(world))
            assert line.acknowledged == []
            await blocking.execute("rollback; begin")
            await until(lambda: len(line.acknowledged) == 2)
    assert await world.states() == [State.DELIVERED] and await count(world, "reply") == 1


async def blocked(world: World) -> int:
    return await world.db.fetchval(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    )


async def test_one_outcome_that_cannot_be_written_down_does_not_keep_its_neighbours(world: World):
    await world.send(await world.account(), PHONE, PHONE + 1, PHONE + 2)
    parts = await world.pump()
    worker, line = worker_of(world)
    now = world.clock.now()
    line.outcomes = [Outcome(part, K.SENT, f"a\0{n}" if n == 1 else f"a{n}", at=now) for n, part in enumerate(parts)]
    async with running(worker):
        worker.wake()
        await until(lambda: is_none(world, "message where state = 0 and phone <> (select max(phone) - 1 from message)"))
    assert sorted(await world.states()) == [State.ACCEPTED, State.SUBMITTED, State.SUBMITTED]
    assert len(await world.queued()) == 1


async def test_one_receipt_that_cannot_be_settled_does_not_keep_its_neighbours(world: World):
    (part,) = await world.submitted(await world.account())
    await world.record(part, K.SENT, "a")
    worker, line = worker_of(world)
    now = world.clock.now()
    async with running(worker):
        line.arrive([Receipt(("x\0",), 1, State.DELIVERED, "\0", now)])
        line.arrive([Receipt(("a",), PHONE, State.DELIVERED, "", now)])
        await until(lambda: len(line.acknowledged) == 2)
    assert await world.states() == [State.DELIVERED]


async def test_a_chore_that_fails_comes_again_and_ends_no_other(world: World):
    done: Counter[str] = Counter()

    async def bad() -> None:
        done["bad"] += 1
        raise ValueError("a bug")

    async def good() -> None:
        done["good"] += 1

    worker, _ = worker_of(world, duties=[(0.0, bad), (0.0, good)])
    async with running(worker) as task:
        await until(lambda: done["bad"] >= 2 and done["good"] >= 5)
        assert not task.done()


# --- a database that goes ------------------------------------------------------------------------------------------


async def test_nothing_is_lost_or_sent_twice_over_lost_connections(world: World):
    account = await world.account()
    await world.send(account, *range(PHONE, PHONE + 40))
    theirs = await Database.open(world.db.url, size=6, settings={"application_name": "worker"})
    worker, line = worker_of(world, db=theirs)
    line.reporting = True
    async with running(worker):
        for round_ in range(8):
            await until(lambda: line.up)
            await world.send(account, *range(PHONE + 100 * round_ + 100, PHONE + 100 * round_ + 105))
            await world.db.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'worker'"
                " and datname = current_database()"
            )
        await until(lambda: is_none(world, "queue where lease_until is null"))
        await until(lambda: not line.outcomes and not line.came)
    await theirs.close()
    written = Counter(part.key.message_id for part in line.written)
    assert set(written.values()) == {1}
    never_told = {row["message_id"] for row in await world.queued()}  # leased by a commit of unknown outcome
    assert len(written) + len(never_told - written.keys()) == 80
    known = [State(row["state"]) for row in await world.rows("message") if row["id"] in written]
    assert known.count(State.ACCEPTED) <= len(never_told & written.keys())


# --- binds ---------------------------------------------------------------------------------------------------------


async def test_a_bind_lives_in_one_process(world: World):
    first, line = worker_of(world)
    second, other = worker_of(world, THEIRS)
    async with running(first, stop=False), running(second):
        await until(lambda: len(line.up | other.up) == 2)
        assert not line.up & other.up
        held = line if line.up else other
        rows = await world.rows("bind")
        assert {row["owner"] for row in rows} <= {MINE, THEIRS} and len(rows) == 2 and held.up
        await first.stop()
        second.bind_changed()
        await until(lambda: other.up == {0, 1})
        assert not line.up


async def test_a_bind_whose_lease_was_lost_is_dropped(world: World):
    worker, line = worker_of(world)
    async with running(worker):
        await until(lambda: line.up == {0, 1})
        await world.db.execute(
            "update bind set owner = $1, lease_until = clock_timestamp() + interval '1 minute' where number = 1", THEIRS
        )
        worker.bind_changed()
        await until(lambda: line.up == {0})
        assert line.done[-1] == ("drop", 1)


async def test_a_lease_that_cannot_be_renewed_ends_in_time(world: World):
    """The renewal itself hangs: after the lease another process may hold the bind."""
    worker, line = worker_of(world, bind_lease=timedelta(seconds=1.5))
    async with running(worker, stop=False):
        await until(lambda: line.up == {0, 1})
        async with world.db.transaction() as blocking:
            await blocking.execute("lock table bind in access exclusive mode")
            worker.bind_changed()
            await until(lambda: not line.up, 2.5)
        await until(lambda: line.up == {0, 1})
        # so short a lease ends again before its next renewal: only the first life counts
        assert [what for what, _ in line.done][:6] == ["open"] * 2 + ["drop"] * 2 + ["open"] * 2


async def test_people_see_what_a_bind_says(world: World):
    worker, line = worker_of(world)
    names = await carriers.ids(world.db, ["operator"])
    line.id = names["operator"]
    async with running(worker):
        await until(lambda: line.up)
        worker.bind_changed()
        await until(lambda: is_none(world, "bind where not bound"))
        found = await carriers.binds(world.db)
        assert {(row["name"], row["bound"], row["note"]) for row in found} == {("operator", True, "")}


# --- stopping ------------------------------------------------------------------------------------------------------


async def test_stopping_gives_everything_back(world: World):
    worker, line = worker_of(world)
    async with running(worker):
        await until(lambda: line.up == {0, 1})
    assert line.done[2:] == [("close", 0), ("close", 1)] and not line.up
    assert {row["owner"] for row in await world.rows("bind")} == {None}
    assert not any(row["bound"] for row in await world.rows("bind"))


@pytest.mark.parametrize("blocked_at", ["message", "awaiting"])
async def test_what_is_under_way_when_it_stops_is_written_down(world: World, blocked_at):
    """A lease, or a record, that has begun: what it leaves behind must not look as if the process had died."""
    worker, line = worker_of(world)
    async with running(worker, stop=False):
        await until(lambda: line.up)
        await world.send(await world.account(), PHONE)
        stopping = None
        async with world.db.transaction() as blocking:
            await blocking.execute(f"lock table {blocked_at} in access exclusive mode")
            await world.db.execute("update queue set due_at = $1", world.clock.now())
            await until(lambda: blocked(world))
            stopping = asyncio.create_task(worker.stop())
            for _ in range(20):
                await asyncio.sleep(0)
        await stopping
    assert not await count(world, "queue where lease_until is not null")
    assert await world.states() == [State.SUBMITTED] and len(line.written) == 1


async def test_nothing_is_leased_any_more_once_it_stops(world: World):
    worker, line = worker_of(world)
    async with running(worker, stop=False):
        await until(lambda: line.up)
        await worker.stop()
        line.up.add(0)
        await world.send(await world.account())
        looks = worker._pumping[1]
        for _ in range(3):
            async with looks:
                pass
            await asyncio.sleep(0.05)
        assert not line.written and len(await world.queued()) == 1


# --- chores --------------------------------------------------------------------------------------------------------


async def test_the_chores_end_what_nobody_ends(world: World):
    account = await world.account()
    await world.send(account, *range(PHONE, PHONE + 3))
    parts = await world.pump()
    await world.record(parts[0], K.SENT, "a")
    await world.dispatcher_dies()
    texts = Texts(world.db, world.teller, Settings(), world.clock)
    duties = chores(world.db, world.dispatcher, world.receipts, texts, world.clock.now)
    assert max(seconds for seconds, _ in duties) <= 30
    for hours in (0, 49, 49):
        world.clock.move(hours * 3600)
        for _, chore in duties:
            await chore()
    assert set(await world.states()) == {State.UNCONFIRMED, State.EXPIRED}
    assert not await world.queued() and not await count(world, "statistic_delta")


async def test_giving_up_does_not_lag_behind_an_operator_without_receipts(world: World):
    account = await world.account()
    await world.send(account, *range(PHONE, PHONE + 1001))
    while parts := await world.pump():
        await world.dispatcher.record(1, [world.outcome(part, K.SENT, f"n{part.phone}") for part in parts])
    world.clock.move(49 * 3600)
    texts = Texts(world.db, world.teller, Settings(), world.clock)
    for _, chore in chores(world.db, world.dispatcher, world.receipts, texts, world.clock.now):
        await chore()
    assert set(await world.states()) == {State.UNCONFIRMED}
