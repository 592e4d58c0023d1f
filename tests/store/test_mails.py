"""The outbox: leased by one at a time, there until somebody took it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from passerelle.store import mails

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.fixture
async def account(db):
    return await db.fetchval(
        "insert into account (id, email, secret_sealed, created_at) values (7, 'a@b.c', '', $1) returning id", NOW
    )


async def put(db, account, *recipients):
    async with db.transaction() as connection:
        for recipient in recipients:
            await mails.insert(connection, account, recipient, "Bonjour", b"sealed", NOW, NOW + WEEK)


async def test_a_mail_is_leased_by_one(db, account):
    await put(db, account, *(f"{n}@b.c" for n in range(20)))
    batches = await asyncio.gather(*(mails.lease(db, NOW, 5) for _ in range(5)))
    assert sorted(due.recipient for batch in batches for due in batch) == sorted(f"{n}@b.c" for n in range(20))
    assert await mails.lease(db, NOW, 5) == []


async def test_a_lease_that_is_over_is_anybodys(db, account):
    await put(db, account, "a@b.c")
    [due] = await mails.lease(db, NOW, 5)
    assert (due.account_id, due.subject, due.text_sealed, due.created_at, due.attempts) == (
        7,
        "Bonjour",
        b"sealed",
        NOW,
        0,
    )
    await db.execute("update mail set lease_until = clock_timestamp() - interval '1 second'")
    assert await mails.lease(db, NOW, 5) == [due]


async def test_what_failed_waits_and_what_was_given_up_stays(db, account):
    await put(db, account, "a@b.c", "b@b.c", "c@b.c")
    one, two, three = await mails.lease(db, NOW, 5)
    await mails.sent(db, one.id)
    await mails.failed(db, two.id, 1, "450 later", NOW + timedelta(minutes=1))
    await mails.failed(db, three.id, 1, "550 no", None)
    assert await mails.lease(db, NOW, 5) == []
    [again] = await mails.lease(db, NOW + timedelta(minutes=1), 5)
    assert (again.id, again.attempts) == (two.id, 1)
    tally = await mails.tally(db)
    assert (tally.waiting, tally.oldest, tally.given_up) == (1, NOW, 1) and tally.error in ("450 later", "550 no")
    assert await mails.again(db, NOW + timedelta(minutes=1)) == 1
    async with db.transaction() as connection:
        await mails.drop_of_account(connection, account)
    assert await mails.listing(db) == []
    assert await mails.tally(db) == mails.Tally(0, None, 0, "")
