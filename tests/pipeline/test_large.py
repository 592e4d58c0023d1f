"""A very large submission: whole or not at all, exact, and in nobody's way."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import asyncpg
import pytest
from pipeline.test_submit import House, house, wanted

from passerelle.domain.account import AccountState
from passerelle.domain.message import Dialect, Lane
from passerelle.domain.profile import PRIMOTEXTO, SMSPARTNER
from passerelle.domain.reasons import Reason
from passerelle.domain.routing import LARGE
from passerelle.pipeline.large import AHEAD, Order, Page, judged_pages
from passerelle.pipeline.submit import Accepted, Denied, Idempotency, KeyReused, Refused, Replayed, Unavailable
from passerelle.store import ledger, optouts, statistics

assert house  # a fixture
COUNT = LARGE + 500


def many(count=COUNT, text="Bonjour", **more):
    return wanted(*(f"+336{30_000_000 + n}" for n in range(count)), text=text, **more)


async def figures(house: House, account):
    counted = await statistics.recount(house.db, account.id, Dialect.SMSPARTNER, "", house.clock.now())
    assert await statistics.counters(house.db, account.id, Dialect.SMSPARTNER) == counted.counters
    assert not await ledger.wrong_wallets(house.db)
    return counted.counters


async def test_it_is_one_submission_with_all_its_rows(house):
    account = await house.account(euros=1000)
    first = many(text="x" * 200)
    await optouts.add(house.db, account.id, optouts.List.STOP, 33630000003, house.clock.now())
    result = await house.submitter.accept(account, first, SMSPARTNER)
    assert isinstance(result, Accepted) and result.messages == COUNT - 1
    assert [(f.reason, f.subject) for f in result.dropped] == [(Reason.OPTED_OUT, "+33630000003")]
    assert result.cost == 2 * 38_000 * (COUNT - 1)
    (submission,) = await house.rows("submission")
    assert (submission["messages"], submission["cost"], submission["number"]) == (COUNT - 1, result.cost, result.number)
    messages = await house.rows("message")
    assert [m["id"] for m in messages] == list(range(submission["id"], submission["id"] + COUNT - 1))
    assert [m["phone"] for m in messages] == [33630000000 + n for n in range(COUNT) if n != 3]
    assert {m["text"] for m in messages} == {None}
    assert len(await house.rows("part")) == len(await house.rows("queue")) == 2 * (COUNT - 1)
    queued = await house.db.fetch("select distinct lane, due_at, valid_until, part from queue order by part")
    due = house.clock.now()
    assert [tuple(row) for row in queued] == [(Lane.BULK, due, due + timedelta(hours=48), part) for part in (1, 2)]
    assert (await figures(house, account)).messages == COUNT - 1


async def test_texts_and_numbers_of_their_own(house):
    account = await house.account(euros=1000)
    wish = many(text="")
    wish.items = [(phone, f"Bonjour {n}") for n, (phone, _) in enumerate(wish.items)]
    assert isinstance(await house.submitter.accept(account, wish, PRIMOTEXTO), Accepted)
    rows = await house.rows("message")
    assert [row["text"] for row in rows] == [f"Bonjour {n}" for n in range(COUNT)]
    assert len({row["number"] for row in rows} - {0}) == COUNT


async def test_what_is_over_the_balance_or_the_quota_leaves_no_trace(house):
    poor = await house.account(euros=10)
    short = await house.submitter.accept(poor, many(), SMSPARTNER)
    assert isinstance(short, Refused) and short.findings[0].reason is Reason.CREDIT
    limited = await house.account("limited@example.org", euros=1000, daily_quota=COUNT)
    assert isinstance(await house.submitter.accept(limited, wanted(), SMSPARTNER), Accepted)
    over = await house.submitter.accept(limited, many(), SMSPARTNER)
    assert isinstance(over, Refused) and over.findings[0].reason is Reason.QUOTA
    assert isinstance(await house.submitter.accept(limited, many(COUNT - 1), SMSPARTNER), Accepted)
    assert len(await house.rows("submission")) == 2
    assert len(await house.rows("message")) == COUNT
    await figures(house, limited)


async def test_the_last_euro_is_spent_once_whoever_comes_together(house):
    """Large ones and small ones of one account; nobody is overdrawn, and all is as the ledger says."""
    account = await house.account(euros=COUNT * 0.038 + 0.1)
    large = [house.submitter.accept(account, many(), SMSPARTNER) for _ in range(2)]
    small = [house.submitter.accept(account, wanted(f"06399800{n:02}"), SMSPARTNER) for n in range(10)]
    results = await asyncio.gather(*large, *small)
    spent = sum(result.cost for result in results if isinstance(result, Accepted))
    assert all(isinstance(result, (Accepted, Refused)) for result in results)
    assert await ledger.balance(house.db, account.id) == round(COUNT * 0.038 * 1e6) + 100_000 - spent >= 0
    await figures(house, account)


async def test_nobody_waits_for_the_wallet_while_it_is_written(house):
    """Another send of the very account is accepted while all rows are written and none is committed."""
    account = await house.account(euros=1000)
    between = []

    async def meanwhile(connection, one):
        if not one.last:
            return
        written = await connection.fetchval("select count(*) from message")
        between.append((written, await asyncio.wait_for(house.submitter.accept(account, wanted(), SMSPARTNER), 5)))

    assert isinstance(await house.submitter.accept(account, many(), SMSPARTNER, beside=meanwhile), Accepted)
    ((written, result),) = between
    assert written == COUNT and isinstance(result, Accepted)
    await figures(house, account)


async def test_an_account_that_changed_is_judged_again(house):
    stale = await house.account(euros=1000)
    await house.accounts.update_rules(stale.id, stop_mention="\nSTOP 36111", traffic_class=1)
    result = await house.submitter.accept(stale, many(traffic=None), SMSPARTNER)
    assert isinstance(result, Accepted)
    assert {row["class"] for row in await house.rows("queue")} == {1}
    await house.accounts.set_state(stale.id, AccountState.BLOCKED)
    assert await house.submitter.accept(stale, many(), SMSPARTNER) == Denied(AccountState.BLOCKED)
    assert len(await house.rows("submission")) == 1


async def test_the_same_key_sends_once(house):
    account = await house.account(euros=1000)

    def key(body=b"hash"):
        return Idempotency("/send", "k1", body, lambda accepted: (200, b"%d" % accepted.number))

    first, twin = await asyncio.gather(*(house.submitter.accept(account, many(), SMSPARTNER, key()) for _ in range(2)))
    assert isinstance(first, Accepted) and twin == Replayed(200, b"%d" % first.number)
    assert isinstance(await house.submitter.accept(account, many(), SMSPARTNER, key(b"other")), KeyReused)
    assert len(await house.rows("submission")) == 1


async def test_rows_beside_are_of_its_transaction_and_know_who_was_left_out(house):
    account = await house.account(euros=1000)
    seen = []

    async def write(connection, one):
        if one.last:
            seen.append((one.id, [finding.reason for finding in one.dropped]))

    wish = many()
    wish.items = [*wish.items, ("145", None), wish.items[0]]
    assert isinstance(await house.submitter.accept(account, wish, SMSPARTNER, beside=write), Accepted)
    (submission,) = await house.rows("submission")
    assert seen == [(submission["id"], [Reason.NUMBER_INVALID, Reason.DUPLICATE])]

    async def fail(connection, one):
        raise ValueError("this row cannot be written")

    with pytest.raises(ValueError, match="cannot be written"):
        await house.submitter.accept(account, many(), SMSPARTNER, beside=fail)
    assert len(await house.rows("submission")) == 1
    await figures(house, account)


async def test_a_database_that_goes_away_in_the_middle(house):
    """Before its commit it is done again; a commit that took place is not."""
    account = await house.account(euros=1000)
    lost = iter([True, False])

    async def lose(connection, one):
        if one.last and next(lost):
            await house.db.execute("select pg_terminate_backend($1)", connection.get_server_pid())

    result = await house.submitter.accept(account, many(), SMSPARTNER, beside=lose)
    assert isinstance(result, Accepted)
    (submission,) = await house.rows("submission")
    assert submission["number"] == result.number
    assert len(await house.rows("message")) == COUNT
    await figures(house, account)


async def test_a_commit_of_unknown_outcome_is_looked_up(house, monkeypatch):
    account = await house.account(euros=1000)
    write, times = house.submitter._large._write, []

    async def committed_but_never_heard(item):
        times.append(await write(item))
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    monkeypatch.setattr(house.submitter._large, "_write", committed_but_never_heard)
    result = await house.submitter.accept(account, many(), SMSPARTNER)
    assert [result] == times
    assert len(await house.rows("submission")) == 1


async def test_a_database_that_stays_away_is_told(house, monkeypatch):
    account = await house.account(euros=1000)
    monkeypatch.setattr("passerelle.pipeline.large.PATIENCE", 0.0)

    async def away(item):
        raise ConnectionRefusedError

    monkeypatch.setattr(house.submitter._large, "_write", away)
    with pytest.raises(Unavailable):
        await house.submitter.accept(account, many(), SMSPARTNER)


async def test_it_can_be_taken_back(house):
    from passerelle.pipeline.cancel import CancelVerdict, cancel

    account = await house.account(euros=1000)
    due = house.clock.now() + timedelta(hours=3)
    result = await house.submitter.accept(account, many(due_at=due), SMSPARTNER)
    assert isinstance(result, Accepted)
    verdict = await cancel(house.db, account.id, Dialect.SMSPARTNER, result.number, house.clock.now())
    assert verdict is CancelVerdict.CANCELLED
    assert await ledger.balance(house.db, account.id) == 1_000_000_000
    await figures(house, account)


# --- pages made ahead ------------------------------------------------------------------------------------------------


def paged(account, count, end=None):
    """An order of `count` pages, a recipient each, after which `end` is raised."""

    async def pages():
        for n in range(count):
            yield lambda n=n: Page([(f"+336{30_000_000 + n}", None)])
        if end is not None:
            raise end

    return Order(account, wanted(text="Bonjour"), SMSPARTNER, pages, count)


async def phones(house, order, most=99):
    found = []
    async with contextlib.aclosing(judged_pages(order, None, house.clock.now())) as pages:
        async for judged in pages:
            found += [to.phone for to in judged.submission.recipients]
            if len(found) == most:
                break
    return found


@pytest.mark.parametrize("count", [0, 1, AHEAD, 3 * AHEAD])
async def test_every_page_comes_once_and_in_order(house, count):
    account = await house.account()
    assert await phones(house, paged(account, count)) == [33630000000 + n for n in range(count)]


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, SystemError])
@pytest.mark.parametrize("count", [0, 1, AHEAD, 3 * AHEAD])
async def test_whatever_ends_the_pages_ends_the_submission(house, count, error):
    account = await house.account()
    async with asyncio.timeout(10):
        with pytest.raises(error):
            await phones(house, paged(account, count, error()))


async def test_who_leaves_early_leaves_nothing_behind(house):
    account, before = await house.account(), asyncio.all_tasks()
    assert len(await phones(house, paged(account, 3 * AHEAD), most=2)) == 2
    assert asyncio.all_tasks() == before
