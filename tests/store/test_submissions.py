"""A batch of submissions is written whole, under the wallets it was decided on, or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pipeline.world import CREDIT, PHONE, PRICE, PRIMOTEXTO, TUESDAY, World

from passerelle.domain.message import Dialect, Recipient, Submission, TrafficClass
from passerelle.domain.text import Encoding
from passerelle.store import ledger, optouts, submissions
from passerelle.store.numbering import Numbering
from passerelle.store.statistics import Delta
from passerelle.store.submissions import Answer, AnswerTaken, Batch, Numbered

VALIDITY = timedelta(hours=48)


async def numbered(world: World, account_id: int, parts: int = 1, dialect=Dialect.SMSPARTNER, **more: Any) -> Numbered:
    to = Recipient(PHONE, "FR", None, Encoding.GSM, parts, parts * PRICE)
    known = {
        "dialect": dialect,
        "traffic": TrafficClass.TRANSACTIONAL,
        "service": 1,
        "sender": "BAKERY",
        "tag": "A",
        "tag_key": "a",
    }
    submission = Submission(
        account_id=account_id, account_version=1, recipients=[to, replace(to, phone=PHONE + 1, text="Salut")],
        text="Bonjour", accepted_at=TUESDAY, due_at=TUESDAY, **{**known, **more},
    )  # fmt: skip
    numbering = Numbering(world.db)
    snapshots = [await numbering.snapshot_number() for _ in range(2)] if dialect is Dialect.PRIMOTEXTO else []
    number = 0 if snapshots else await numbering.submission_number()
    return Numbered(
        submission, await numbering.messages(2, TUESDAY), number, snapshots, [1, 2], 1, 2, 2 * parts, 2 * parts * PRICE
    )


def batch(one: Numbered, version: int = 1, looked_at: Any = ((), ()), cost: int | None = None) -> Batch:
    s = one.submission
    parts = sum(to.parts for to in s.recipients)
    delta = Delta(s.account_id, s.dialect, s.tag_key, s.due_at, messages=2, waiting=parts, parts=parts, cost=one.cost)
    return Batch([one], {s.account_id: (version, one.cost if cost is None else cost)}, looked_at, [delta])


async def nothing(world: World) -> bool:
    tables = ("submission", "message", "part", "queue", "statistic_delta")
    counts = [await world.db.fetchval(f"select count(*) from {table}") for table in tables]
    return not any(counts) and await ledger.balance(world.db, world.opened[0]) == CREDIT


async def test_everything_of_a_submission_is_there(world: World) -> None:
    account = await world.account()
    one = await numbered(world, account.id, parts=3)
    assert await submissions.insert(world.db, batch(one, account.version), VALIDITY)
    (row,) = await world.rows("submission")
    assert (row["id"], row["number"], row["messages"], row["cost"], row["text"]) == (
        one.id,
        one.number,
        2,
        6 * PRICE,
        "Bonjour",
    )
    messages = await world.rows("message")
    assert [(m["id"], m["text"], m["number"]) for m in messages] == [(one.id, None, 0), (one.id + 1, "Salut", 0)]
    queued = await world.queued()
    assert [(q["message_id"] - one.id, q["part"], q["carrier_id"]) for q in queued] == [
        (0, 1, 1), (0, 2, 1), (0, 3, 1), (1, 1, 2), (1, 2, 2), (1, 3, 2),
    ]  # fmt: skip
    assert {(q["lane"], q["due_at"], q["valid_until"]) for q in queued} == {(1, TUESDAY, TUESDAY + VALIDITY)}
    assert len(await world.rows("part")) == 6 and await world.spent(account) == 6 * PRICE


async def test_a_single_part_has_no_row_of_its_own(world: World) -> None:
    account = await world.account()
    one = await numbered(world, account.id, dialect=Dialect.PRIMOTEXTO)
    assert await submissions.insert(world.db, batch(one, account.version), VALIDITY)
    assert not await world.rows("part")
    assert [m["number"] for m in await world.rows("message")] == list(one.snapshots)


async def test_nothing_is_written_where_the_wallet_is_another(world: World) -> None:
    account = await world.account()
    one = await numbered(world, account.id)
    assert not await submissions.insert(world.db, batch(one, account.version + 1), VALIDITY)
    assert not await submissions.insert(world.db, batch(one, account.version, cost=CREDIT + 1), VALIDITY)
    assert await nothing(world)


@pytest.mark.parametrize(("whose", "list_"), [("own", 1), ("own", 2), ("platform", 2)])
async def test_nothing_is_written_where_a_recipient_is_listed(world: World, whose, list_) -> None:
    account = await world.account()
    one = await numbered(world, account.id)
    entry = await optouts.add(world.db, account.id if whose == "own" else 0, list_, PHONE + 1, TUESDAY)
    looked_at = ([account.id] * 2, [PHONE, PHONE + 1])
    assert not await submissions.insert(world.db, batch(one, account.version, looked_at), VALIDITY)
    assert await nothing(world)
    assert entry is not None and await optouts.remove_by_number(
        world.db, account.id if whose == "own" else 0, list_, entry.number
    )
    assert await submissions.insert(world.db, batch(one, account.version, looked_at), VALIDITY)


@pytest.mark.parametrize(("whose", "list_"), [("other", 1), ("other", 2), ("platform", 1)])
async def test_lists_of_others_stop_nothing(world: World, whose, list_) -> None:
    account, other = await world.account(), await world.account("clinic@example.org")
    await optouts.add(world.db, other.id if whose == "other" else 0, list_, PHONE, TUESDAY)
    one = await numbered(world, account.id)
    assert await submissions.insert(world.db, batch(one, account.version, ([account.id], [PHONE])), VALIDITY)


async def test_batches_that_meet_on_a_wallet_never_spend_what_is_not_there(world: World) -> None:
    account = await world.account()
    await world.db.execute("update wallet set balance = $1", 5 * PRICE)
    await world.db.execute("update posting set amount = $1", 5 * PRICE)
    ones = [await numbered(world, account.id) for _ in range(5)]
    done = await asyncio.gather(*(submissions.insert(world.db, batch(one, account.version), VALIDITY) for one in ones))
    assert done.count(True) == 2
    assert await ledger.balance(world.db, account.id) == PRICE and len(await world.rows("submission")) == 2


async def test_what_a_commit_of_unknown_outcome_did_can_be_looked_up(world: World) -> None:
    account = await world.account()
    one = await numbered(world, account.id)
    await submissions.insert(world.db, batch(one, account.version), VALIDITY)
    box = await numbered(world, account.id, sandbox=True)
    await submissions.insert_sandbox(world.db, [box])
    keys = [(account.id, one.id), (account.id, box.id), (account.id, one.id + 1), (account.id + 1, one.id)]
    assert await submissions.present(world.db, keys) == {one.id, box.id}


async def test_a_sandbox_send_is_stored_apart(world: World) -> None:
    account = await world.account()
    for dialect in (Dialect.SMSPARTNER, Dialect.PRIMOTEXTO):
        one = await numbered(world, account.id, dialect=dialect, sandbox=True)
        await submissions.insert_sandbox(world.db, [one])
        rows = await world.db.fetch("select * from sandbox where submission_id = $1 order by id", one.id)
        assert [row["number"] for row in rows] == [*(one.snapshots or [one.number] * 2)]
        assert [row["text"] for row in rows] == ["Bonjour", "Salut"]
        for number in {row["number"] for row in rows}:
            assert await submissions.is_sandboxed(world.db, account.id, dialect, number)
            assert not await submissions.is_sandboxed(world.db, account.id + 1, dialect, number)
    assert not await world.rows("message") and await world.spent(account) == 0


# --- answers to idempotent requests --------------------------------------------------------------------------------


def answer(account_id: int = 7, key: str = "k", **more: Any) -> Answer:
    known = {"path": "/send", "body_hash": b"h", "status": 200, "body": b"{}", "submission_id": 1, "at": TUESDAY}
    return Answer(account_id=account_id, key=key, **known | more)


async def test_an_answer_is_known_for_a_day(world: World) -> None:
    await submissions.insert_answers(world.db, [answer(), answer(key="other", status=201)], TUESDAY)
    keys = [(7, "/send", "k"), (7, "/send", "other"), (8, "/send", "k"), (7, "/bulk", "k")]
    known = await submissions.known_answers(world.db, keys, TUESDAY + timedelta(hours=23))
    assert {key: (row["status"], row["answer"]) for key, row in known.items()} == {
        keys[0]: (200, b"{}"), keys[1]: (201, b"{}"),
    }  # fmt: skip
    assert not await submissions.known_answers(world.db, keys, TUESDAY + timedelta(hours=24))


async def test_the_first_answer_stays_until_it_is_old(world: World) -> None:
    await submissions.insert_answers(world.db, [answer()], TUESDAY)
    with pytest.raises(AnswerTaken):
        await submissions.insert_answers(world.db, [answer(body=b"twin")], TUESDAY + timedelta(hours=1))
    later = TUESDAY + timedelta(hours=25)
    await submissions.insert_answers(world.db, [answer(body=b"new", at=later)], later)
    known = await submissions.known_answers(world.db, [(7, "/send", "k")], later)
    assert known[7, "/send", "k"]["answer"] == b"new"


# --- cancelling ----------------------------------------------------------------------------------------------------


async def test_what_still_waits_of_a_submission(world: World) -> None:
    account = await world.account()
    accepted = await world.send(account, PHONE, PHONE + 1, text="x" * 400)
    await world.send(account, profile=PRIMOTEXTO)
    find = submissions.lock_by_number
    async with world.db.transaction() as connection:
        found = await find(connection, account.id, Dialect.SMSPARTNER, accepted.number)
        assert found is not None and (found["messages"], found["parts"], found["queued"]) == (2, 6, 6)
        for account_id, dialect, number in [
            (account.id + 1, Dialect.SMSPARTNER, accepted.number),
            (account.id, Dialect.PRIMOTEXTO, accepted.number),
            (account.id, Dialect.PRIMOTEXTO, 0),
            (account.id, Dialect.SMSPARTNER, accepted.number + 1),
        ]:
            assert await find(connection, account_id, dialect, number) is None
    await world.db.execute("update queue set lease_until = $1 where message_id = $2 and part = 1", TUESDAY, found["id"])
    await world.db.execute("update queue set attempts = 1 where message_id = $1 and part = 3", found["id"] + 1)
    async with world.db.transaction() as connection:
        found = await find(connection, account.id, Dialect.SMSPARTNER, accepted.number)
        assert found is not None and (found["parts"], found["queued"]) == (6, 4)
        await submissions.mark_cancelled(connection, account.id, found["id"], TUESDAY)
        again = await find(connection, account.id, Dialect.SMSPARTNER, accepted.number)
        assert again is not None and again["cancelled_at"] == TUESDAY
    world.opened.clear()  # a row was changed as no pipeline does
