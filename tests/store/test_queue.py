"""The queue: who may lease what, how long it is theirs, and that nobody else's rows are touched."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from passerelle.store import queue
from passerelle.store.database import Database
from passerelle.store.numbering import MONTH_SHIFT, month_of
from passerelle.store.queue import Held, Part, Requeued, Taken

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=15)
MINE, THEIRS = UUID(int=1), UUID(int=2)
FIRST = month_of(NOW) << MONTH_SHIFT
CODES, TRANSACTIONAL, BULK = 0, 1, 2


@dataclass
class Line:
    db: Database
    rows: int = 0

    async def add(
        self, lane: int = CODES, due: datetime = NOW, *, parts: int = 1, carrier: int = 1, **more: Any
    ) -> int:
        """A message with its parts queued; its number."""
        self.rows += 1
        id_ = FIRST + self.rows
        message = {"account_id": 7, "id": id_, "submission_id": id_, "dialect": 1, "phone": 33639980000 + self.rows}
        await self.insert("message", **message, country="FR", encoding=0, parts=parts, price=1, state_at=NOW)
        await self.insert(
            "submission", account_id=7, id=id_, dialect=1, accepted_at=NOW, due_at=due, messages=1, cost=1,
            text="Bonjour", sender="BAKERY", tag_key="a", service=1, **{"class": 0, "test": more.pop("test", False)},
        )  # fmt: skip
        for part in range(1, parts + 1):
            row = {"account_id": 7, "message_id": id_, "part": part, "submission_id": id_, "carrier_id": carrier}
            row |= {"lane": lane, "class": 0, "due_at": due, "valid_until": due + 48 * HOUR, "stop_applies": True}
            await self.insert("queue", **row | more)
        return id_

    async def insert(self, table: str, **row: Any) -> None:
        places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        await self.db.execute(f"insert into {table} ({', '.join(row)}) values ({places})", *row.values())

    async def lease(self, slots: int = 100, others: int = 100, now: datetime = NOW, owner: UUID = MINE) -> list[Any]:
        return await queue.lease(self.db, 1, slots, others, now, LEASE, owner)

    async def row(self, id_: int, part: int = 1) -> Any:
        return await self.db.fetchrow("select * from queue where message_id = $1 and part = $2", id_, part)

    async def over(self, seconds: float = 5) -> None:
        """The leases have run out so long ago."""
        await self.db.execute(
            "update queue set lease_until = clock_timestamp() - $1::interval where lease_until is not null",
            timedelta(seconds=seconds),
        )


@pytest.fixture
async def line(shared: Database) -> Line:
    await shared.execute(
        "delete from queue; delete from message; delete from submission; delete from awaiting; delete from blocked;"
        "delete from parked_receipt; delete from statistic_delta"
    )
    return Line(shared)


def held(row: Any) -> Held:
    return Held(row["account_id"], row["message_id"], row["part"], row["lease_until"])


def part(row: Any) -> Part:
    return Part(row["account_id"], row["message_id"], row["part"])


# --- leasing -------------------------------------------------------------------------------------------------------


async def test_a_lease_tells_all_that_submitting_takes(line: Line) -> None:
    id_ = await line.add()
    (row,) = await line.lease()
    assert (row["account_id"], row["message_id"], row["part"], row["phone"]) == (7, id_, 1, 33639980001)
    assert (row["text"], row["shared_text"], row["sender"], row["tag_key"], row["state"]) == (
        None,
        "Bonjour",
        "BAKERY",
        "a",
        0,
    )
    stored = await line.row(id_)
    assert (stored["lease_owner"], stored["lease_until"]) == (MINE, row["lease_until"])
    left = stored["lease_until"] - await line.db.fetchval("select clock_timestamp()")
    assert timedelta(seconds=13) < left <= LEASE


async def test_a_lease_tells_what_holds_for_its_submission(line: Line) -> None:
    await line.add()
    await line.add()
    await line.db.execute(
        "update submission set paused_at = now(), flash = true where id = (select min(id) from submission)"
    )
    rows = sorted(await line.lease(), key=lambda row: row["message_id"])
    assert [(row["paused"], row["cancelled"], row["flash"]) for row in rows] == [
        (True, False, True),
        (False, False, False),
    ]


@pytest.mark.parametrize(
    ("slots", "others", "leased"),
    [
        (0, 0, []), (1, 1, [CODES]), (3, 3, [CODES] * 3), (4, 4, [CODES] * 3 + [TRANSACTIONAL]),
        (100, 100, [CODES] * 3 + [TRANSACTIONAL] * 3 + [BULK] * 3), (100, 4, [CODES] * 3 + [TRANSACTIONAL] * 3 + [BULK]),
        (100, 0, [CODES] * 3), (5, 1, [CODES] * 3 + [TRANSACTIONAL]),
    ],
)  # fmt: skip
async def test_lanes_go_one_after_the_other_as_far_as_there_is_room(line: Line, slots, others, leased) -> None:
    for lane in (BULK, TRANSACTIONAL, CODES) * 3:
        await line.add(lane)
    assert sorted(row["lane"] for row in await line.lease(slots, others)) == leased


async def test_of_each_lane_the_oldest_first(line: Line) -> None:
    ids = [await line.add(due=NOW - n * HOUR) for n in range(4)]
    for id_ in reversed(ids):
        assert [row["message_id"] for row in await line.lease(1)] == [id_]


async def test_what_is_not_due_leased_or_of_another_carrier_stays(line: Line) -> None:
    await line.add(due=NOW + timedelta(seconds=1))
    await line.add(carrier=2)
    assert not await line.lease()
    await line.add()
    assert len(await line.lease()) == 1 and not await line.lease(owner=THEIRS)
    assert len(await line.lease(now=NOW + HOUR)) == 1


@pytest.mark.parametrize(
    ("account", "list_", "deleted", "applies", "stopped"),
    [(7, 1, False, True, True), (8, 1, False, True, False), (7, 2, False, True, False), (7, 1, True, True, False),
     (7, 1, False, False, False)],
)  # fmt: skip
async def test_the_stop_list_is_looked_at_in_the_lease(line: Line, account, list_, deleted, applies, stopped) -> None:
    await line.add(stop_applies=applies)
    await line.insert(
        "blocked", account_id=account, list=list_, phone=33639980001, token=b"t", created_at=NOW, deleted=deleted
    )
    assert [row["stopped"] for row in await line.lease()] == [stopped]


async def test_two_that_lease_at_once_share(line: Line) -> None:
    for _ in range(40):
        await line.add()
    batches = await asyncio.gather(*(line.lease(10, owner=UUID(int=n)) for n in range(1, 5)))
    keys = [row["message_id"] for batch in batches for row in batch]
    assert len(set(keys)) == len(keys) and all(len(batch) <= 10 for batch in batches)
    rest = [row["message_id"] for _ in range(4) for row in await line.lease(10)]
    assert len({*keys, *rest}) == 40


# --- whose they are ------------------------------------------------------------------------------------------------


async def test_only_the_lease_itself_holds(line: Line) -> None:
    id_ = await line.add()
    (row,) = await line.lease()
    async with line.db.transaction() as connection:
        assert await queue.held(connection, [held(row)], MINE) == {part(row)}
        assert await queue.held(connection, [held(row)], THEIRS) == set()
        assert await queue.held(connection, [held(row)._replace(lease_until=NOW)], MINE) == set()
        assert await queue.held(connection, [], MINE) == set()
        await queue.release(connection, [part(row)])
    assert (await line.row(id_))["lease_until"] is None
    (again,) = await line.lease()
    async with line.db.transaction() as connection:
        assert await queue.held(connection, [held(row), held(again)], MINE) == {part(again)}
        assert len(await queue.held(connection, [held(row)], MINE)) == 0


async def test_putting_off(line: Line) -> None:
    id_ = await line.add()
    (row,) = await line.lease()
    await queue.requeue(line.db, [Requeued(*part(row), NOW + HOUR, 3, True)])
    stored = await line.row(id_)
    assert (stored["due_at"], stored["attempts"], stored["uncertain"]) == (NOW + HOUR, 3, True)
    assert (stored["lease_until"], stored["lease_owner"], stored["valid_until"]) == (None, None, NOW + 48 * HOUR)
    await queue.requeue(
        line.db, [Requeued(*part(row), NOW, 3, True, NOW + 99 * HOUR), Requeued(1, 2, 3, NOW, 0, False)]
    )
    assert (await line.row(id_))["valid_until"] == NOW + 99 * HOUR


async def test_removing_what_nobody_holds(line: Line) -> None:
    leased, waiting = await line.add(), await line.add(parts=3, attempts=2)
    await line.lease(1)
    removed = await queue.remove_unleased(line.db, [(7, leased), (7, waiting), (8, waiting)])
    assert sorted(tuple(row) for row in removed) == [(7, waiting, n, 2) for n in (1, 2, 3)]
    assert await line.row(leased) is not None
    await queue.remove(line.db, [Part(7, leased, 1), Part(7, waiting, 1)])
    assert await line.row(leased) is None


async def test_removing_what_is_known_after_all(line: Line) -> None:
    """Only what was to be submitted once more, and only while nobody has it."""
    plain, again, leased = await line.add(), await line.add(uncertain=True), await line.add(uncertain=True)
    await line.db.execute("update queue set lease_until = clock_timestamp() where message_id = $1", leased)
    await queue.remove_uncertain(line.db, [Part(7, id_, 1) for id_ in (plain, again, leased)])
    assert [row["message_id"] for row in await line.db.fetch("select * from queue order by message_id")] == [
        plain,
        leased,
    ]


# --- the common outcome --------------------------------------------------------------------------------------------


def taken(row: Any, operator_id: str = "a1") -> Taken:
    return Taken(
        7, row["message_id"], NOW, NOW + timedelta(seconds=1), 1, "a", operator_id, row["submission_id"], row["phone"]
    )


async def test_taken_is_written_down_whole(line: Line) -> None:
    id_ = await line.add()
    (row,) = await line.lease()
    assert await queue.record_taken(line.db, 1, MINE, [taken(row)], NOW) is False
    assert await line.row(id_) is None
    message = await line.db.fetchrow("select * from message where id = $1", id_)
    assert (message["state"], message["sent_at"], message["carrier_id"]) == (1, NOW, 1)
    assert message["submitted_at"] == message["state_at"] == NOW + timedelta(seconds=1)
    (delta,) = await line.db.fetch("select * from statistic_delta")
    assert (delta["tag_key"], delta["waiting"], delta["sent"], delta["submitted"], delta["at"]) == ("a", -1, 1, 1, NOW)
    (waiting,) = await line.db.fetch("select * from awaiting")
    assert (waiting["operator_id"], waiting["message_id"], waiting["part"], waiting["at"]) == ("a1", id_, 1, NOW)


@pytest.mark.parametrize("owner", [MINE, THEIRS])
async def test_what_is_not_ours_any_more_only_awaits_its_receipt(line: Line, owner) -> None:
    id_ = await line.add()
    (row,) = await line.lease()
    if owner is MINE:
        await queue.record_taken(line.db, 1, MINE, [taken(row)], NOW)
    assert await queue.record_taken(line.db, 1, owner, [taken(row)], NOW) is True, "there is more to it"
    assert await line.db.fetchval("select coalesce(sum(sent), 0) from statistic_delta") == (1 if owner is MINE else 0)
    assert (await line.row(id_) is None) is (owner is MINE)
    assert await line.db.fetchval("select count(*) from awaiting where operator_id = 'a1'") >= 1


async def test_a_receipt_that_was_here_before_is_told(line: Line) -> None:
    await line.add()
    (row,) = await line.lease()
    receipt = {"carrier_id": 1, "operator_id": "a1", "forms": ["a1"], "phone": 1, "state": 10, "error": ""}
    await line.insert("parked_receipt", **receipt, at=NOW, parked_at=NOW)
    assert await queue.record_taken(line.db, 1, MINE, [taken(row)], NOW) is True


# --- what nobody comes for -----------------------------------------------------------------------------------------


async def test_rescue_finds_leases_that_are_over(line: Line) -> None:
    id_ = await line.add(BULK, parts=2)
    await line.add()  # not leased
    await line.add(carrier=2)
    await line.db.execute(
        "update queue set lease_until = clock_timestamp() + interval '9 seconds', lease_owner = $1 where message_id = $2",
        MINE,
        id_,
    )
    async with line.db.transaction() as connection:
        assert not await queue.rescue(connection, [1, 2], NOW)
    await line.over()
    async with line.db.transaction() as connection:
        found = await queue.rescue(connection, [1], NOW)
        assert {(row["message_id"], row["part"]) for row in found} == {(id_, 1), (id_, 2)}
        assert timedelta(seconds=5) <= found[0]["over"] < timedelta(seconds=9)
        async with line.db.transaction() as other:
            assert not await queue.rescue(other, [1], NOW), "somebody is at it"


async def test_overdue_is_what_is_valid_no_longer_and_nobody_holds(line: Line) -> None:
    id_, leased = await line.add(), await line.add(TRANSACTIONAL)
    await line.db.execute("update queue set lease_until = clock_timestamp() where message_id = $1", leased)
    at = NOW + 48 * HOUR
    assert not await queue.overdue(line.db, [1], at - timedelta(seconds=1))
    assert [row["message_id"] for row in await queue.overdue(line.db, [1], at)] == [id_]
    assert not await queue.overdue(line.db, [2], at)


async def test_carriers_in_use_and_the_depth_of_their_queues(line: Line) -> None:
    assert await queue.carriers_in_use(line.db) == []
    for carrier in (5, 2, 5, 9):
        await line.add(carrier=carrier)
    await line.add(BULK, due=NOW + HOUR, carrier=2)
    assert await queue.carriers_in_use(line.db) == [2, 5, 9]
    depth = {(row["carrier_id"], row["lane"]): (row["parts"], row["oldest"]) for row in await queue.depth(line.db, NOW)}
    assert depth == {(2, 0): (1, NOW), (5, 0): (2, NOW), (9, 0): (1, NOW)}
