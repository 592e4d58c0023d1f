"""What people ask of the database, against rows that the pipeline made."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from passerelle.clock import ManualClock
from passerelle.domain.admission import Wanted
from passerelle.domain.profile import PRIMOTEXTO, SMSPARTNER
from passerelle.domain.routing import Route
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.submit import Accepted, Submitter
from passerelle.settings import Settings
from passerelle.store import carriers, inspection, statistics
from passerelle.store.database import Database

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


async def send(db: Database, *requests, profile=SMSPARTNER) -> list[Accepted]:
    accounts = Accounts(db, Keyring("test"), Settings())
    made, _ = await accounts.create(f"{profile.dialect.name}@example.org", now=NOW)
    await accounts.credit(made.id, 10_000_000, NOW)
    ids = await carriers.ids(db, ["orange"])
    submitter = Submitter(db, accounts, [Route(ids["orange"], frozenset({1}))], ManualClock(NOW))
    running = asyncio.create_task(submitter.run())
    account = await accounts.by_id(made.id)
    done = [await submitter.accept(account, request, profile) for request in requests]
    running.cancel()
    return done


def wanted(*numbers, **more):
    return Wanted(items=[(number, None) for number in numbers], text="Bonjour", **more)


async def test_the_overview_counts_what_waits_and_what_left_today(db: Database) -> None:
    later = NOW + timedelta(hours=2)
    await send(db, wanted("0639980001"), wanted("0639980001", "0639980002"), wanted("0639980003", due_at=later))
    for folded in (False, True):
        if folded:
            await statistics.fold(db, NOW)
        found = await inspection.overview(db, NOW - timedelta(hours=10), NOW)
        assert [(r["carrier"], r["lane"], r["parts"], r["due"], r["oldest"]) for r in found.queued] == [
            ("orange", 0, 2, 1, NOW),
            ("orange", 1, 2, 2, NOW),
        ]
        assert (found.parts_today, found.cost_today, found.at_operators, found.parked) == (3, 114_000, [], 0)


async def test_a_message_is_found_by_all_its_names(db: Database) -> None:
    (one,) = await send(db, wanted("0639980001", "0639980002"))
    (two,) = await send(db, wanted("0639980001"), profile=PRIMOTEXTO)
    keys = await inspection.find(db, one.number, 9)
    assert len(keys) == 2 or one.number == two.number
    account, first = keys[0]
    assert await inspection.find(db, first, 9) == [(account, first)]
    assert len(await inspection.find(db, one.number, 1)) == 1
    newest = await inspection.find_phone(db, 33639980001, 9)
    assert [key[1] for key in newest] == sorted((key[1] for key in newest), reverse=True) and len(newest) == 2
    assert await inspection.find(db, 1 << 35, 9) == []
    assert await inspection.states(db, account, 1, one.number, 2) == [(33639980001, 0), (33639980002, 0)]
    snapshot = await inspection.states(db, two.submission.account_id, 2, two.number, 1)
    assert snapshot == [(33639980001, 0)]


async def test_sandbox_sends_are_found_too(db: Database) -> None:
    (one,) = await send(db, wanted("0639980001", sandbox=True))
    for number, phone in ((one.number, 0), (0, 33639980001)):
        (row,) = await inspection.sandboxed(db, number, phone, 9)
        assert (row["phone"], row["text"], row["email"]) == (33639980001, "Bonjour", "SMSPARTNER@example.org")


async def test_traces_hold_the_queue_with_what_goes_before(db: Database) -> None:
    await send(db, wanted("0639980001"), wanted("0639980002"))
    await db.execute("update queue set due_at = due_at + interval '1 second' where message_id % 2 = 0")
    ((account, message),) = await inspection.find_phone(db, 33639980002, 1)
    for phone, ahead in ((33639980001, None), (33639980002, None)):
        ((account, message),) = await inspection.find_phone(db, phone, 1)
        found = await inspection.traces(db, account, message, NOW + timedelta(minutes=1))
        (row,) = found.queue
        ahead = 1 if message % 2 == 0 else 0
        assert (row["carrier"], row["binds"], row["ahead"], row["leased"]) == ("orange", 0, ahead, False)
        assert (found.message["email"], found.message["text"]) == ("SMSPARTNER@example.org", "Bonjour")
    assert await inspection.traces(db, account, message + 99, NOW) is None


async def test_a_figure_may_exceed_the_rows_only_once_a_month_was_dropped(db: Database) -> None:
    await send(db, wanted("0639980001"))
    await statistics.fold(db, NOW)
    looked, wrong = await inspection.miscounts(db, 5, NOW)
    assert (looked, wrong) == (9, [])
    await db.execute("update statistic_total set delivered = 7")
    assert [(one.figure, one.counted, one.recounted) for one in (await inspection.miscounts(db, 5, NOW))[1]] == [
        ("delivered", 7, 0)
    ]
    await db.execute("insert into posting (at, from_account, to_account, amount, kind) values ($1, 1, 0, 1, 5)", NOW)
    assert (await inspection.miscounts(db, 5, NOW))[1] == []
    await db.execute("update statistic_total set messages = 7")
    assert [one.figure for one in (await inspection.miscounts(db, 5, NOW))[1]] == ["messages"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:hidden@127.0.0.1:1/shop", "127.0.0.1:1, database shop"),
        ("postgresql://u:hidden@/shop?host=/nowhere", "the local socket, database shop"),
        ("nonsense", "nonsense"),
        ("postgresql://u:hidden@127.0.0.1:port/shop", "the given URL"),
    ],
)
async def test_an_unreachable_database_is_told_without_its_password(url: str, words: str) -> None:
    with pytest.raises(inspection.Unreachable) as wrong:
        await inspection.reach(url)
    assert words in str(wrong.value) and "hidden" not in str(wrong.value)
    assert inspection.complaint(wrong.value) == str(wrong.value)


async def test_errors_of_the_database_say_what_to_do(db: Database) -> None:
    await inspection.reach(db.url)
    with pytest.raises(asyncpg.UndefinedTableError) as wrong:
        await db.execute("select * from no_such_table")
    assert "passerelle migrate" in (inspection.complaint(wrong.value) or "")
    assert inspection.complaint(ValueError("a bug")) is None
