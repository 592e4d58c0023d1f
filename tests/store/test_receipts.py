"""What awaits a receipt, and receipts that nothing awaits yet, from both sides."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from passerelle.domain.message import Receipt, State
from passerelle.store import receipts
from passerelle.store.database import Database
from passerelle.store.numbering import month_of
from passerelle.store.receipts import Awaiting

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PHONE = 33639980001


@pytest.fixture
async def store(shared: Database) -> Database:
    await shared.execute("delete from awaiting; delete from parked_receipt; delete from message; delete from part")
    return shared


def awaiting(
    operator_id: str = "a1", message: int = 1, part: int = 1, phone: int = PHONE, at: datetime = NOW
) -> Awaiting:
    return Awaiting(operator_id, 7, message, part, message, phone, at)


def receipt(*ids: str, phone: int = PHONE, state: State = State.DELIVERED) -> Receipt:
    return Receipt(ids, phone, state, "DELIVRD 000", NOW)


async def test_a_parked_receipt_comes_back_as_it_came(store: Database) -> None:
    odd = Receipt(("é,{}\\\"'", "", "x y"), 0, State.UNDELIVERED, "err,\n", NOW)
    await receipts.park(store, 1, [receipt("a1", "A1", "161"), odd], NOW)
    await receipts.park(store, 1, [], NOW)
    assert await receipts.parked_for(store, 2, ["a1"]) == [] and await receipts.parked_for(store, 1, []) == []
    assert await receipts.parked_for(store, 1, ["a1", odd.operator_ids[0]]) == [receipt("a1", "A1", "161"), odd]
    assert await receipts.parked_for(store, 1, ["a1"]) == [], "whoever takes it has it"


async def test_a_parked_receipt_is_matched_by_any_spelling_since_a_moment(store: Database) -> None:
    await receipts.park(store, 1, [receipt("161", "a1", "A1"), receipt("b")], NOW)
    await receipts.await_receipts(store, 1, [awaiting("a1")])
    await receipts.await_receipts(store, 2, [awaiting("b")])
    ((number, carrier),) = await receipts.parked_matches(store, NOW - MINUTE)
    assert carrier == 1
    assert await receipts.parked_matches(store, NOW) == []
    assert await receipts.unpark(store, [number, 99]) == [receipt("161", "a1", "A1")]
    assert await receipts.unpark(store, [number]) == []


async def test_only_one_of_those_that_unpark_at_once_has_it(store: Database) -> None:
    await receipts.park(store, 1, [receipt("a1")], NOW)
    await receipts.await_receipts(store, 1, [awaiting("a1")])
    found = [number for number, _ in await receipts.parked_matches(store, NOW - MINUTE)]
    taken = await asyncio.gather(*(receipts.unpark(store, found) for _ in range(4)))
    assert sum(map(len, taken)) == 1


async def test_lost_answers_are_known_by_number(store: Database) -> None:
    rows = [awaiting("", 1), awaiting("a1", 2), awaiting("", 3, phone=PHONE + 1)]
    await receipts.await_receipts(store, 1, rows)
    found = await receipts.awaited_by_phone(store, 1, [PHONE, PHONE + 2])
    assert [(row["message_id"], row["phone"]) for row in found] == [(1, PHONE)]
    assert await receipts.awaited_by_phone(store, 2, [PHONE]) == [] == await receipts.awaited_by_phone(store, 1, [])


async def ended(store: Database, after: timedelta, phone: int = PHONE) -> None:
    """A message to this phone that has come to its end."""
    await store.execute(
        "insert into message (account_id, id, submission_id, dialect, phone, country, encoding, parts, price, state, state_at)"
        " values (7, $1, 1, 1, $2, 'FR', 0, 1, 1, 10, $3)",
        (month_of(NOW) << 40) + 1, phone, NOW + after,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("begun", "other_end", "found"),
    [
        (timedelta(0), None, True),
        (timedelta(seconds=1), None, False),  # parked before the part was begun: of something else
        (timedelta(0), timedelta(minutes=-9), False),  # it may be that of the other one, sent again
        (timedelta(0), timedelta(minutes=-11), True),
    ],
)
async def test_a_receipt_of_a_lost_answer(store: Database, begun, other_end, found) -> None:
    await receipts.await_receipts(store, 1, [awaiting("", at=NOW + begun)])
    await receipts.park(store, 1, [receipt("x"), receipt("y", phone=PHONE + 1)], NOW)
    if other_end is not None:
        await ended(store, other_end)
    assert bool(await receipts.parked_by_phone(store, NOW - MINUTE, NOW + MINUTE)) is found
    assert not await receipts.parked_by_phone(store, NOW, NOW + MINUTE)
    assert not await receipts.parked_by_phone(store, NOW - MINUTE, NOW - MINUTE / 2), "its answer may be on its way"


async def test_what_nothing_ever_awaited_is_forgotten(store: Database) -> None:
    await receipts.park(store, 1, [receipt("old")], NOW - MINUTE)
    await receipts.park(store, 1, [receipt("new")], NOW)
    await receipts.forget_parked(store, NOW)
    assert [row["operator_id"] for row in await store.fetch("select * from parked_receipt")] == ["new"]


async def test_waiting_long_and_longer(store: Database) -> None:
    rows = [awaiting("a", 1, at=NOW - 3 * MINUTE), awaiting("b", 2, at=NOW - 2 * MINUTE), awaiting("c", 3)]
    await receipts.await_receipts(store, 1, rows)
    await receipts.await_receipts(store, 1, [])
    async with store.transaction() as connection:
        found = await receipts.waited_long(connection, NOW)
        assert [row["operator_id"] for row in found] == ["a", "b"]
        assert len(await receipts.waited_long(connection, NOW, 1)) == 1
        await receipts.wait_longer(connection, [tuple(found[0])], 5 * MINUTE)
        await receipts.stop_waiting(connection, [tuple(found[1])])
        await receipts.wait_longer(connection, [], MINUTE)
        await receipts.stop_waiting(connection, [])
    left = {row["operator_id"]: row["at"] for row in await store.fetch("select * from awaiting")}
    assert left == {"a": NOW + 2 * MINUTE, "c": NOW}
