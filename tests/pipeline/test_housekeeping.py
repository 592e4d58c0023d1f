"""What the clock does: nights, retention, the end of a month; money and unsettled messages outlive all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from passerelle import telemetry
from passerelle.clock import ManualClock
from passerelle.domain.account import Account
from passerelle.domain.admission import Wanted
from passerelle.domain.message import Dialect, State
from passerelle.domain.profile import SMSPARTNER
from passerelle.domain.routing import Route
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.batch import Accepted, Idempotency
from passerelle.pipeline.housekeeping import Housekeeping, last_night
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.submit import Submitter
from passerelle.settings import Settings
from passerelle.store import carriers, ledger, limits, retention, statistics
from passerelle.store.database import Database
from passerelle.store.numbering import month_of

TUESDAY = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
LATER = datetime(2028, 1, 5, 10, 0, tzinfo=UTC)  # 14 months after: the month of acceptance goes
DAY = 86_400


@dataclass
class House:
    db: Database
    accounts: Accounts
    submitter: Submitter
    clock: ManualClock
    keeping: Housekeeping

    async def account(self, email: str = "bakery@example.org") -> Account:
        account, _ = await self.accounts.create(email, now=self.clock.now())
        await self.accounts.credit(account.id, 10_000_000, self.clock.now())
        found = await self.accounts.by_id(account.id)
        assert found is not None
        return found

    async def send(self, account: Account, *texts: str, key: str = "", **more) -> Accepted:
        """One request, one message a text; the same text for all where there is one."""
        items = [(f"+3363998{n:04}", text if len(texts) > 1 else None) for n, text in enumerate(texts, 1)]
        once = Idempotency("/send", key, b"hash", lambda _: (200, b"yes")) if key else None
        waiting = asyncio.create_task(
            self.submitter.accept(
                account, Wanted(items=items, text="" if len(texts) > 1 else texts[0], **more), SMSPARTNER, once
            )
        )
        await asyncio.sleep(0)
        await self.submitter.flush()
        result = await waiting
        assert isinstance(result, Accepted)
        return result

    async def settle(self, account: Account, state: State = State.DELIVERED) -> None:
        """Whatever is queued for an account has had its end."""
        await self.db.execute("delete from queue where account_id = $1", account.id)
        await self.db.execute("update message set state = $2 where account_id = $1", account.id, state)
        await self.db.execute("update part set state = $2 where account_id = $1", account.id, state)

    async def count(self, table: str) -> int:
        return await self.db.fetchval(f"select count(*) from {table}")

    async def figures(self, account: Account, tag: str = "") -> statistics.Counters:
        return await statistics.counters(self.db, account.id, Dialect.SMSPARTNER, tag)


@pytest.fixture
async def house(db: Database) -> AsyncIterator[House]:
    clock = ManualClock(TUESDAY)
    accounts = Accounts(db, Keyring("test"), Settings())
    submitter = Submitter(db, accounts, [Route(1, frozenset({1, 2}))], clock)
    yield House(db, accounts, submitter, clock, Housekeeping(db, Settings(), clock))


def paris(*at: int) -> datetime:
    return datetime(*at, tzinfo=last_night(TUESDAY).tzinfo)


@pytest.mark.parametrize(
    ("now", "night"),
    [
        (datetime(2026, 11, 10, 1, 59, 59, tzinfo=UTC), paris(2026, 11, 9, 3)),
        (datetime(2026, 11, 10, 2, 0, tzinfo=UTC), paris(2026, 11, 10, 3)),
        (datetime(2026, 7, 10, 0, 59, tzinfo=UTC), paris(2026, 7, 9, 3)),  # summer: 03:00 is 01:00 UTC
        (datetime(2026, 7, 10, 1, 0, tzinfo=UTC), paris(2026, 7, 10, 3)),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), paris(2026, 3, 29, 3)),  # two o'clock is three o'clock
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), paris(2026, 10, 24, 3)),  # the second half past two
        (datetime(2026, 10, 25, 2, 0, tzinfo=UTC), paris(2026, 10, 25, 3)),
    ],
)
def test_the_latest_night(now: datetime, night: datetime) -> None:
    assert last_night(now) == night


async def test_this_month_and_the_next_are_there_before_they_are_needed(house: House) -> None:
    now = datetime(2027, 12, 31, 23, 59, tzinfo=UTC)
    others = [Housekeeping(house.db, Settings(), house.clock) for _ in range(3)]
    await asyncio.gather(*(one.make_months(now) for one in [house.keeping, *others]))
    made = await retention.months(house.db)
    assert {month_of(now), month_of(now) + 1} <= set(made)
    assert [retention.label(month) for month in made[-2:]] == ["202712", "202801"]


async def test_the_sandbox_is_emptied_once_a_night_of_what_it_held_then(house: House) -> None:
    account = await house.account()
    await house.send(account, "Bonjour", sandbox=True)
    house.clock.move(16 * 3600 - 1)  # 02:59:59 in Paris
    assert await house.keeping.empty_sandbox(house.clock.now()) == 0
    await house.send(account, "Bonsoir", sandbox=True)
    house.clock.move(3600)
    await house.send(account, "Bonjour", sandbox=True)
    assert sum(await asyncio.gather(*(house.keeping.empty_sandbox(house.clock.now()) for _ in range(4)))) == 2
    assert await house.count("sandbox") == 1
    again = Housekeeping(house.db, Settings(), house.clock)
    assert await again.empty_sandbox(house.clock.now()) == 0, "done already this night, by another process"


async def test_answers_are_kept_for_a_day(house: House) -> None:
    account = await house.account()
    await house.send(account, "Bonjour", key="first")
    house.clock.move(DAY - 60)
    await house.send(account, "Bonjour", key="second")
    assert await house.keeping.forget_answers(house.clock.now()) == 0
    house.clock.move(60)
    assert await house.keeping.forget_answers(house.clock.now()) == 1
    assert await house.db.fetchval("select key from idempotency") == "second"


async def test_counted_calls_are_forgotten_after_their_minute(house: House) -> None:
    for second in (0, 30, 61):
        await limits.count(house.db, 1000 + second, "me", 5, TUESDAY + timedelta(seconds=second))
    assert await house.keeping.forget_rate_calls(TUESDAY + timedelta(seconds=61)) == 1
    assert await house.count("rate_call") == 2


# --- texts ---------------------------------------------------------------------------------------------------------


async def test_texts_go_ninety_days_after_their_sending_time(house: House) -> None:
    account = await house.account()
    await house.send(account, "Bonjour")
    await house.send(account, "Un", "Deux")
    await house.send(account, "Plus tard", due_at=TUESDAY + timedelta(days=5))
    await house.settle(account)
    await house.db.execute(
        "insert into reply (account_id, token, phone, recipient, text, at, stop)"
        " select 1000, ''::bytea, 33639980001, '36000', 'Oui', at, false from unnest($1::timestamptz[]) at",
        [TUESDAY, TUESDAY + timedelta(days=5)],
    )
    house.clock.move(90 * DAY - 60)
    assert await house.keeping.prune_texts(house.clock.now()) == 0
    house.clock.move(120)
    assert await house.keeping.prune_texts(house.clock.now()) == 4
    rows = await house.db.fetch("select text from submission order by id")
    assert [row["text"] for row in rows] == ["", "", "Plus tard"]
    rows = await house.db.fetch("select text from message order by id")
    assert [row["text"] for row in rows] == [None, "", "", None]
    assert [row["text"] for row in await house.db.fetch("select text from reply order by id")] == ["", "Oui"]
    house.clock.move(5 * DAY)
    assert await house.keeping.prune_texts(house.clock.now()) == 2


async def test_a_text_that_is_still_to_leave_is_kept(house: House) -> None:
    account = await house.account()
    await house.send(account, "Bonjour")
    keeping = Housekeeping(house.db, Settings(text_days=1), house.clock)
    house.clock.move(40 * 3600)  # the operator was away; it is valid for 48 hours
    assert await keeping.prune_texts(house.clock.now()) == 0
    await house.settle(account)
    assert await keeping.prune_texts(house.clock.now()) == 1


async def test_a_month_without_texts_is_not_walked_again(house: House) -> None:
    account = await house.account()
    await house.send(account, "Bonjour")
    await house.settle(account)
    await house.keeping.make_months(LATER)
    await house.keeping.prune_texts(LATER)
    assert month_of(TUESDAY) in await retention.blanked_months(house.db)
    assert month_of(LATER) not in await retention.blanked_months(house.db)
    await house.keeping.drop_months(LATER)
    await house.keeping.prune_texts(LATER)
    assert month_of(TUESDAY) not in await retention.blanked_months(house.db)


async def test_many_texts_are_blanked_page_by_page(house: House) -> None:
    account = await house.account()
    first = (await house.send(account, "Bonjour")).submission
    await house.settle(account)
    await house.db.execute(
        "insert into submission select account_id, id + n, dialect, 0, accepted_at, due_at, 1, 0, 'Bonsoir', sender, tag,"
        " tag_key, campaign_name, campaign_id, class, service from submission, generate_series(1, 2500) n"
    )
    walkers = [house.keeping, Housekeeping(house.db, Settings(), house.clock)]
    now = first.due_at + timedelta(days=91)
    assert sum(await asyncio.gather(*(one.prune_texts(now) for one in walkers))) == 2501
    assert await house.db.fetchval("select count(*) from submission where text <> ''") == 0


# --- the end of a month --------------------------------------------------------------------------------------------


async def test_a_dropped_month_leaves_one_posting_an_account_and_the_same_balances(house: House) -> None:
    bakery, clinic = await house.account(), await house.account("clinic@example.org")
    for account, times in ((bakery, 3), (clinic, 1)):
        for _ in range(times):
            await house.send(account, "x" * 300, tag="colis", tag_key="colis")
        await house.settle(account)
    async with house.db.transaction() as connection:
        first = await connection.fetchval("select min(id) from submission")
        await ledger.refund(connection, [ledger.Refund(bakery.id, 38_000, first, first)], TUESDAY)
    balances = {one.id: await ledger.balance(house.db, one.id) for one in (bakery, clinic)}
    figures = await house.figures(bakery)

    assert await house.keeping.drop_months(datetime(2027, 11, 30, tzinfo=UTC)) == 0
    assert await house.keeping.drop_months(LATER) == 1

    assert not await ledger.wrong_wallets(house.db)
    assert {one.id: await ledger.balance(house.db, one.id) for one in (bakery, clinic)} == balances
    closed = await house.db.fetch("select * from posting where kind = $1 order by from_account", ledger.Kind.CLOSING)
    assert [(row["from_account"], row["to_account"], row["amount"], row["note"]) for row in closed] == [
        (bakery.id, ledger.SALES, 3 * 76_000, "charges of 2026-11"),
        (clinic.id, ledger.SALES, 76_000, "charges of 2026-11"),
    ]
    assert [await house.count(table) for table in ("submission", "message", "part")] == [0, 0, 0]
    assert month_of(TUESDAY) not in await retention.months(house.db)
    assert figures.messages == 3 and (await house.figures(bakery)).messages == 0, "rows stored are counted"
    assert (await house.figures(bakery)).waiting == figures.waiting, "what became of them is not touched"
    assert await statistics.tag_messages(house.db, bakery.id, Dialect.SMSPARTNER, "colis") == 0
    assert await house.keeping.drop_months(LATER) == 0


async def test_a_send_for_far_ahead_moves_to_the_present_month(house: House) -> None:
    account = await house.account()
    await house.send(account, "Bonjour")
    await house.settle(account)
    due = LATER + timedelta(days=3)
    kept = await house.send(account, "x" * 300, "Bonne année", due_at=due, tag="voeux", tag_key="voeux")
    await house.db.execute(
        "insert into link_target (account_id, submission_id, dialect, tag_key, url, created_at)"
        " select account_id, id, 1, 'voeux', 'https://a.example/', accepted_at from submission where tag = 'voeux'"
    )
    figures = await house.figures(account, "voeux")
    balance = await ledger.balance(house.db, account.id)

    assert await house.keeping.drop_months(LATER) == 1

    submission = await house.db.fetchrow("select * from submission")
    first = submission["id"]
    assert first >> 40 == month_of(LATER)
    assert (submission["number"], submission["due_at"], submission["messages"]) == (kept.number, due, 2)
    assert await house.db.fetchval("select submission_id from link_target") == first
    messages = await house.db.fetch("select * from message order by id")
    assert [(m["id"], m["submission_id"]) for m in messages] == [(first, first), (first + 1, first)]
    parts = await house.db.fetch("select message_id, part from part order by 1, 2")
    assert [tuple(row) for row in parts] == [(first, 1), (first, 2)]
    queued = await house.db.fetch("select message_id, part, submission_id, due_at from queue order by 1, 2")
    assert [tuple(row) for row in queued] == [
        (first, 1, first, due), (first, 2, first, due), (first + 1, 1, first, due),
    ]  # fmt: skip
    assert not await ledger.wrong_wallets(house.db)
    assert await ledger.balance(house.db, account.id) == balance
    assert await house.figures(account, "voeux") == figures
    recounted = await statistics.recount(house.db, account.id, Dialect.SMSPARTNER, "voeux", LATER)
    assert recounted.counters == figures


@pytest.mark.parametrize(
    "begun",
    [
        "update queue set lease_until = clock_timestamp() + interval '1 minute'",
        "update queue set attempts = 1",
        "delete from queue where part = 1",
    ],
)
async def test_what_was_begun_is_not_moved_and_its_month_waits(house: House, begun: str) -> None:
    account = await house.account()
    await house.send(account, "x" * 300, due_at=LATER)
    await house.db.execute(begun)
    assert await house.keeping.drop_months(LATER) == 0
    assert await house.db.fetchval("select id >> 40 from message") == month_of(TUESDAY)
    await house.settle(account)
    await house.db.execute(
        "insert into awaiting select 1, 'id', account_id, id, 1, submission_id, phone, $1 from message", LATER
    )
    assert await house.keeping.drop_months(LATER) == 0, "a receipt may still come"
    await house.db.execute("delete from awaiting")
    assert await house.keeping.drop_months(LATER) == 1


async def test_a_lease_and_a_move_never_both_have_a_message(house: House) -> None:
    """Whoever locks the queue row first has it: a message that is being submitted keeps its id."""
    account = await house.account()
    await house.send(account, "Bonjour", due_at=LATER)
    async with house.db.transaction() as leasing:
        await leasing.execute("update queue set lease_until = clock_timestamp() + interval '1 minute'")
        moving = asyncio.create_task(house.keeping.drop_months(LATER))
        while not await house.db.fetchval("select count(*) from pg_locks where not granted"):
            await asyncio.sleep(0)
    assert await moving == 0
    assert await house.db.fetchval("select message_id >> 40 from queue") == month_of(TUESDAY)


async def test_a_message_without_an_end_gets_one_before_it_goes(house: House) -> None:
    account = await house.account()
    await house.send(account, "x" * 300)
    await house.db.execute("delete from queue")
    assert await house.keeping.drop_months(LATER) == 1
    assert await ledger.balance(house.db, account.id) == 10_000_000 - 76_000
    assert not await ledger.wrong_wallets(house.db)


async def test_a_month_in_use_is_left_for_another_night(house: House) -> None:
    account = await house.account()
    await house.send(account, "Bonjour")
    await house.settle(account)
    async with house.db.transaction() as reading:
        await reading.fetch("select * from message")
        assert await house.keeping.drop_months(LATER) == 0
    assert not await house.db.fetch("select from posting where kind = $1", ledger.Kind.CLOSING)
    assert await house.keeping.drop_months(LATER) == 1


async def test_two_processes_close_a_month_once(house: House) -> None:
    account = await house.account()
    await house.send(account, "Bonjour")
    await house.settle(account)
    several = [house.keeping, *(Housekeeping(house.db, Settings(), house.clock) for _ in range(2))]
    assert sum(await asyncio.gather(*(one.drop_months(LATER) for one in several))) == 1
    assert await house.count("posting where kind = 5") == 1


# --- the tick ------------------------------------------------------------------------------------------------------


def gauge(name: str, **labels: str) -> float | None:
    return telemetry.REGISTRY.get_sample_value(f"passerelle_{name}", labels)


async def test_gauges_show_the_queue_and_the_binds_as_they_are(house: House) -> None:
    account = await house.account()
    number = (await carriers.ids(house.db, ["main"]))["main"]
    await house.send(account, "x" * 300)
    await house.send(account, "Bonjour", due_at=TUESDAY + timedelta(hours=1))
    await house.db.execute(
        "insert into bind (carrier_id, number, bound, lease_until)"
        " values ($1, 0, true, clock_timestamp() + interval '1 minute'), ($1, 1, true, clock_timestamp() - interval '1 s')",
        number,
    )
    house.clock.move(90)
    await house.keeping.measure(house.clock.now())
    assert gauge("queue_depth", carrier="1", lane="codes") == 2
    assert gauge("queue_age_seconds", carrier="1") == 90
    assert gauge("binds_up", carrier=str(number)) == 1, "a lease that is over is no bind"
    await house.settle(account)
    await house.keeping.measure(house.clock.now())
    assert gauge("queue_depth", carrier="1", lane="codes") is None


async def test_a_tick_does_what_is_due_and_nothing_else(house: House) -> None:
    account = await house.account()
    await house.send(account, "Bonjour", key="k")
    await house.send(account, "Bonjour", sandbox=True)
    await house.settle(account)
    await house.keeping.tick(house.clock.now())
    assert await house.count("sandbox") == 1 and await house.count("idempotency") == 1
    assert month_of(TUESDAY) + 1 in await retention.months(house.db)

    await house.send(account, "Bonjour")
    house.clock.move(4)
    await house.keeping.tick()
    assert gauge("queue_depth", carrier="1", lane="codes") is None, "looked at every five seconds"
    house.clock.move(1)
    await house.keeping.tick()
    assert gauge("queue_depth", carrier="1", lane="codes") == 1
    await house.settle(account)

    house.clock.move(DAY)
    await house.keeping.tick()
    assert await house.count("sandbox") == 0 and await house.count("idempotency") == 0
    house.clock.move((LATER - house.clock.now()).total_seconds())
    await house.keeping.tick()
    assert await house.count("submission") == 0
    assert month_of(LATER) + 1 in await retention.months(house.db)


async def test_nightly_work_is_done_by_one_process_a_night(house: House) -> None:
    account = await house.account()
    await house.send(account, "Bonjour")
    await house.settle(account)
    others = [Housekeeping(house.db, Settings(), house.clock) for _ in range(3)]
    await asyncio.gather(*(one.tick(LATER) for one in [house.keeping, *others]))
    assert await house.count("posting where kind = 5") == 1
    assert {row["name"] for row in await house.db.fetch("select name from installation")} >= {
        "empty_sandbox", "prune_texts", "drop_months",
    }  # fmt: skip


# --- what has an age -----------------------------------------------------------------------------------------------

KEPT = {  # what is kept how long, in days, and a row of it from the time $1
    "checks": (90, "insert into verification (account_id, at, numbers, cost) values (1000, $1, 1, 0)"),
    "mails_written": (1, "insert into mail_written values (1000, 'a@example.org', $1)"),
    "mails": (
        30,
        "insert into mail (account_id, recipient, subject, text_sealed, created_at, valid_until, next_at, state)"
        " values (1000, 'a@example.org', '', '', $1, $1, $1, 1)",
    ),
    "signups": (30, "insert into signup values (uuid_send(gen_random_uuid()), 1000, $1)"),
    "invitations": (
        403,
        "insert into invitation (account_id, message_id, survey_id, phone, test, at)"
        " select 1000, coalesce((select max(message_id) + 1 from invitation), 1), 1, 33639980001, false, $1",
    ),
    "survey_answers": (
        403,
        "insert into answer select 1000, 1, false, count(*), 1, '{}', '', 1, $1::timestamptz from answer",
    ),
    "free_answers": (
        403,
        "insert into free_answer (account_id, survey_id, test, phone, text, message_id, at)"
        " values (1000, 1, false, 33639980001, 'Oui', 1, $1)",
    ),
    "links": (
        403,
        "insert into link (code, account_id, url, created_at)"
        " values (gen_random_uuid()::text, 1000, 'https://a.example/', $1)",
    ),
    "tracked_links": (
        403,
        "insert into link_target (account_id, submission_id, dialect, tag_key, url, created_at)"
        " values (1000, 1, 2, '', 'https://a.example/', $1)",
    ),
    "rented_numbers": (
        120,
        "insert into rental_number select 1000, 33600000000 + count(*), 1, $1::timestamptz from rental_number",
    ),
    "imports": (
        90,
        "with made as (insert into contact_import (account_id, token, group_id, name, digest, total, created_at, ended_at)"
        " values (1000, uuid_send(gen_random_uuid()), 1, 'a.csv', '', 1, $1, $1) returning id)"
        " insert into contact_refusal select 1000, id, 2, '145', 1 from made",
    ),
    "forwarding": (
        403,
        "insert into forwarding_change (account_id, phone, at, forwarding, forward_to) values (1000, 336, $1, 0, '')",
    ),
    "keys": (
        90,
        "insert into native_key (account_id, name, prefix, key_hash, scopes, created_at, revoked_at)"
        " values (1000, '', '', uuid_send(gen_random_uuid()), '{}', $1, $1)",
    ),
    "endpoints": (
        90,
        "insert into webhook_endpoint (account_id, url, events, secret_sealed, created_at, removed_at)"
        " values (1000, '', '{}', '', $1, $1)",
    ),
}
SURVEY = (
    "insert into survey (account_id, token, title, introduction, mode, marketing, created_at)"
    " values (1000, 'token', '', '', 1, false, $1)"
)


async def test_what_is_older_than_it_is_kept_goes(house: House) -> None:
    await house.account()
    await house.db.execute(SURVEY, TUESDAY)
    for days, insert in KEPT.values():
        for over in (timedelta(hours=1), timedelta(hours=-1)):
            await house.db.execute(insert, TUESDAY - timedelta(days=days) - over)
    for day in (TUESDAY - timedelta(days=404), TUESDAY - timedelta(days=402)):
        await house.db.execute("insert into quota_day values (1000, $1, 5)", day.date())
    assert set(retention.OLD) | {"links", "tracked_links"} == KEPT.keys() | {"quota_days"}
    assert await house.keeping.forget_old(TUESDAY) == dict.fromkeys([*KEPT, "quota_days"], 1)
    for table in ("verification", "signup", "link", "contact_import", "contact_refusal", "native_key", "answer"):
        assert await house.count(table) == 1, table
    assert await house.keeping.forget_old(TUESDAY) == {}


async def test_what_may_still_be_needed_stays(house: House) -> None:
    account = await house.account()
    old = TUESDAY - timedelta(days=1000)
    await house.db.execute(SURVEY, old)
    for what in ("checks", "mails", "links", "rented_numbers", "imports", "keys", "endpoints"):
        await house.db.execute(KEPT[what][1], old)
    sent = await house.send(account, "Bonjour", due_at=TUESDAY + timedelta(days=5))
    invited = (
        "insert into invitation (account_id, message_id, survey_id, phone, test, at) values (1000, $1, 1, 1, false, $2)"
    )
    await house.db.execute(invited, sent.id, old)
    for needed in (
        "insert into verified_number (account_id, number, position, reference, phone, country, price, due_at)"
        " select 1000, number, 1, gen_random_uuid(), 33639980001, 'FR', 0, now() from verification",
        "update mail set state = 0",
        "insert into rental (account_id, token, requested_at, criteria, places, quantity, unit_price, total, state)"
        " values (1000, '', now(), '{}', '[]', 1, 0, 0, 2)",
        "update contact_import set ended_at = null",
        "update native_key set revoked_at = null",
        "update webhook_endpoint set removed_at = null",
        "insert into contact (account_id, group_id, token, phone, created_at, link)"
        " select 1000, 1, 'token', 1, now(), 'https://s.example/' || code from link",
        "insert into link select 'clicked', 1000, '', created_at, null, 1, now(), now() from link",
        "insert into dead_subscriber values (1000, 33639980001)",
    ):
        await house.db.execute(needed)
    await house.db.execute("update link set last_at = $1 where code = 'clicked'", TUESDAY - timedelta(days=5))
    assert await house.keeping.forget_old(TUESDAY) == {}
    await house.db.execute("update verified_number set error = 0")
    await house.db.execute("update rental set state = 5")
    await house.db.execute("delete from contact")
    gone = {"checks": 1, "rented_numbers": 1, "links": 1}
    assert await house.keeping.forget_old(TUESDAY) == gone
    assert await house.count("verified_number") == 0 and await house.count("dead_subscriber") == 1
