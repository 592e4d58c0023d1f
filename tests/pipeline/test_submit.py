"""What a success answer promises: message, debit, queue row and answer are stored together, or nothing is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from passerelle.app import WORDINGS
from passerelle.clock import ManualClock
from passerelle.domain.account import AccountState
from passerelle.domain.admission import Wanted
from passerelle.domain.message import Dialect, TrafficClass
from passerelle.domain.profile import PRIMOTEXTO, SMSPARTNER
from passerelle.domain.reasons import Reason
from passerelle.domain.routing import Route
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.submit import Accepted, Denied, Idempotency, KeyReused, Refused, Replayed, Submitter
from passerelle.settings import Settings
from passerelle.store import ledger, optouts, statistics
from passerelle.store.database import Database

TUESDAY = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


@dataclass
class House:
    db: Database
    accounts: Accounts
    submitter: Submitter
    clock: ManualClock

    async def account(self, email="bakery@example.org", euros=10.0, **rules):
        account, _ = await self.accounts.create(email, now=self.clock.now(), rules=rules)
        if euros:
            await self.accounts.credit(account.id, round(euros * 1_000_000), self.clock.now())
        return await self.accounts.by_id(account.id)

    async def rows(self, table):
        return await self.db.fetch(f"select * from {table} order by 2")


@pytest.fixture
async def house(db: Database) -> AsyncIterator[House]:
    clock = ManualClock(TUESDAY)
    accounts = Accounts(db, Keyring("test"), Settings())
    submitter = Submitter(db, accounts, [Route(1, frozenset({1, 2}))], clock, wordings=WORDINGS)
    running = asyncio.create_task(submitter.run())
    yield House(db, accounts, submitter, clock)
    running.cancel()


def wanted(*numbers, text="Bonjour", **more):
    return Wanted(items=[(number, None) for number in numbers or ["0639980001"]], text=text, **more)


async def test_a_message_its_debit_and_its_queue_row_are_stored_together(house):
    account = await house.account()
    result = await house.submitter.accept(account, wanted("0639980001", "+33639980002"), SMSPARTNER)
    assert isinstance(result, Accepted) and (result.cost, len(result.kept)) == (76_000, 2)
    assert await ledger.balance(house.db, account.id) == 10_000_000 - 76_000
    messages = await house.rows("message")
    assert [m["phone"] for m in messages] == [33639980001, 33639980002]
    assert messages[1]["id"] == messages[0]["id"] + 1
    submission = (await house.rows("submission"))[0]
    assert submission["id"] == messages[0]["id"] and submission["number"] == result.number
    assert len(await house.rows("queue")) == 2
    assert not await ledger.wrong_wallets(house.db)


async def test_parts_of_a_long_text_are_rows_and_queue_rows(house):
    account = await house.account()
    result = await house.submitter.accept(account, wanted(text="x" * 400), SMSPARTNER)
    assert isinstance(result, Accepted) and result.kept[0].parts == 3
    assert [r["part"] for r in await house.db.fetch("select part from part order by part")] == [1, 2, 3]
    assert [r["part"] for r in await house.db.fetch("select part from queue order by part")] == [1, 2, 3]


async def test_the_last_euro_is_spent_once_whatever_arrives_together(house):
    account = await house.account(euros=0.1)
    results = await asyncio.gather(
        *(house.submitter.accept(account, wanted(f"06399800{n:02}"), SMSPARTNER) for n in range(20))
    )
    accepted = [r for r in results if isinstance(r, Accepted)]
    assert len(accepted) == 2
    assert all(isinstance(r, Refused) and r.findings[0].reason is Reason.CREDIT for r in results if r not in accepted)
    assert await ledger.balance(house.db, account.id) == 100_000 - 76_000


async def test_a_number_on_the_stop_list_is_left_out_and_not_paid_for(house):
    account = await house.account()
    await optouts.add(house.db, account.id, optouts.List.STOP, 33639980001, house.clock.now())
    some = await house.submitter.accept(account, wanted("0639980001", "0639980002"), SMSPARTNER)
    assert isinstance(some, Accepted) and some.cost == 38_000
    assert [(f.reason, f.subject) for f in some.dropped] == [(Reason.OPTED_OUT, "+33639980001")]
    none = await house.submitter.accept(account, wanted("0639980001"), SMSPARTNER)
    assert isinstance(none, Refused) and not none.findings and none.dropped[0].reason is Reason.OPTED_OUT


async def test_dead_numbers_refuse_only_where_the_dialect_says_so(house):
    account = await house.account()
    await optouts.add(house.db, account.id, optouts.List.BOUNCE, 33639980001, house.clock.now())
    assert isinstance(await house.submitter.accept(account, wanted(), SMSPARTNER), Accepted)
    refused = await house.submitter.accept(account, wanted(), PRIMOTEXTO)
    assert isinstance(refused, Refused) and refused.dropped[0].reason is Reason.BOUNCED


async def test_what_was_judged_on_a_stale_copy_is_judged_again(house):
    stale = await house.account()
    await house.accounts.update_rules(stale.id, eco=False)
    from passerelle.domain.pricing import Service

    refused = await house.submitter.accept(stale, wanted(service=Service.ECO), SMSPARTNER)
    assert isinstance(refused, Refused) and refused.findings[0].reason is Reason.ECO_FORBIDDEN
    await house.accounts.set_state(stale.id, AccountState.BLOCKED)
    denied = await house.submitter.accept(stale, wanted(), SMSPARTNER)
    assert denied == Denied(AccountState.BLOCKED)


async def test_a_replaced_key_is_refused_at_once(house):
    account = await house.account()
    await house.accounts.new_key(account.id)
    assert await house.submitter.accept(account, wanted(), SMSPARTNER) == Denied(None)


async def test_the_same_idempotency_key_answers_the_same_bytes_once(house):
    account = await house.account()

    def key(body=b"hash"):
        return Idempotency("/send", "k1", body, lambda accepted: (200, b"answer %d" % accepted.number))

    first, twin = await asyncio.gather(
        house.submitter.accept(account, wanted(), SMSPARTNER, key()),
        house.submitter.accept(account, wanted(), SMSPARTNER, key()),
    )
    assert isinstance(first, Accepted)
    assert twin == Replayed(200, b"answer %d" % first.number)
    assert isinstance(await house.submitter.accept(account, wanted(), SMSPARTNER, key(b"other")), KeyReused)
    assert len(await house.rows("message")) == 1
    house.clock.move(25 * 3600)
    assert isinstance(await house.submitter.accept(account, wanted(), SMSPARTNER, key()), Accepted)


async def test_marketing_in_a_closed_hour_is_held_or_refused_as_the_dialect_says(house):
    account = await house.account()
    house.clock.move(9.5 * 3600)  # Tuesday 20:30 in Paris, the eve of a public holiday
    held = await house.submitter.accept(account, wanted(traffic=TrafficClass.MARKETING), SMSPARTNER)
    assert isinstance(held, Accepted)
    assert held.submission.due_at == datetime(2026, 11, 12, 7, 0, tzinfo=UTC)
    asked = house.clock.now() + timedelta(hours=1)
    refused = await house.submitter.accept(account, wanted(traffic=TrafficClass.MARKETING, due_at=asked), SMSPARTNER)
    assert isinstance(refused, Refused) and refused.findings[0].reason is Reason.CLOSED_HOUR


async def test_the_sandbox_costs_nothing_and_counts_nowhere(house):
    account = await house.account(euros=0)
    result = await house.submitter.accept(account, wanted(sandbox=True), SMSPARTNER)
    assert isinstance(result, Accepted) and result.cost == 38_000
    assert not await house.rows("queue") and not await house.rows("message")
    assert len(await house.rows("sandbox")) == 1


async def test_statistics_know_what_was_accepted_and_what_is_to_come(house):
    account = await house.account()
    await house.submitter.accept(account, wanted(tag="a", tag_key="a"), SMSPARTNER)
    due = house.clock.now() + timedelta(hours=3)
    await house.submitter.accept(account, wanted(tag="a", tag_key="a", due_at=due), SMSPARTNER)
    for later in (0, 4 * 3600):
        house.clock.move(later)
        now = house.clock.now()
        counted = await statistics.recount(house.db, account.id, Dialect.SMSPARTNER, "a", now)
        assert await statistics.counters(house.db, account.id, Dialect.SMSPARTNER, "a") == counted.counters
        day = datetime(2026, 11, 9, 23, tzinfo=UTC)
        rows = await statistics.cost_rows(house.db, account.id, Dialect.SMSPARTNER, [day, day + timedelta(days=1)], now)
        assert rows == [(counted.parts, counted.cost)] == [(2, 76_000) if later else (1, 38_000)]
        await statistics.fold(house.db, now)


async def test_a_quota_counts_the_messages_of_a_day_of_paris(house):
    account = await house.account(daily_quota=3)
    first = await house.submitter.accept(account, wanted("0639980001", "0639980002"), SMSPARTNER)
    assert isinstance(first, Accepted)
    refused = await house.submitter.accept(account, wanted("0639980001", "0639980002"), SMSPARTNER)
    assert isinstance(refused, Refused) and refused.findings[0].reason is Reason.QUOTA
    assert isinstance(await house.submitter.accept(account, wanted(), PRIMOTEXTO), Accepted)
    house.clock.move(14 * 3600)  # after midnight in Paris
    assert isinstance(await house.submitter.accept(account, wanted(), SMSPARTNER), Accepted)


async def test_a_sandbox_send_is_told_only_where_the_account_wants_that(house):
    for email, asked in (("a@example.org", False), ("b@example.org", True)):
        account = await house.account(email, euros=0, sandbox_callbacks=asked)
        wish = wanted(sandbox=True, dlr_url="http://customer.example/dlr")
        assert isinstance(await house.submitter.accept(account, wish, SMSPARTNER), Accepted)
    rows = await house.db.fetch("select account_id, url, lease_until <= clock_timestamp() as due from event")
    assert [(row["account_id"], row["due"]) for row in rows] == [(account.id, True)]


async def test_rows_beside_a_submission_are_of_its_transaction(house):
    account = await house.account()
    seen = []

    async def write(connection, one):
        seen.append(
            (one.id, await connection.fetchval("select count(*) from message where submission_id = $1", one.id))
        )

    assert isinstance(await house.submitter.accept(account, wanted(), SMSPARTNER, beside=write), Accepted)
    assert [count for _, count in seen] == [1]

    async def fail(connection, one):
        raise ValueError("this row cannot be written")

    with pytest.raises(ValueError, match="cannot be written"):
        await house.submitter.accept(account, wanted(), SMSPARTNER, beside=fail)
    assert len(await house.rows("submission")) == 1
    assert await ledger.balance(house.db, account.id) == 10_000_000 - 38_000
