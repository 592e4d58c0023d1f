"""Money: the ledger equals the wallets after any history, whoever moves at once, and no balance goes below zero."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.store import ledger
from passerelle.store.database import Database
from passerelle.store.ledger import FUNDS, SALES, Kind, Refund
from passerelle.store.numbering import Numbering

T0 = datetime(2026, 11, 12, 8, 0, tzinfo=UTC)
_emails = iter(range(1_000_000))


async def account(db: Database, amount: int = 0) -> int:
    made: int = await db.fetchval(
        "insert into account (id, email, secret_sealed, created_at)"
        " values (nextval('account_number'), $1, '', $2) returning id",
        f"{next(_emails)}@example.org", T0,
    )  # fmt: skip
    await db.execute("insert into wallet (account_id) values ($1)", made)
    if amount:
        await ledger.top_up(db, made, amount, T0)
    return made


async def charge(db: Database, account_id: int, cost: int) -> int:
    """A submission of one message that costs so much."""
    first = await Numbering(db).messages(1, T0)
    async with db.transaction() as connection:
        await ledger.lock_wallets(connection, [account_id])
        await connection.execute(
            "insert into submission (account_id, id, dialect, accepted_at, due_at, messages, cost, class, service)"
            " values ($1, $2, 1, $3, $3, 1, $4, 0, 1)",
            account_id, first, T0, cost,
        )  # fmt: skip
        await ledger.add_to_wallets(connection, {account_id: -cost})
    return first


async def give_back(db: Database, *refunds: Refund) -> None:
    async with db.transaction() as connection:
        await ledger.refund(connection, refunds, T0)


async def test_credit_comes_from_funds_and_goes_back_there(db: Database) -> None:
    one = await account(db)
    assert await ledger.top_up(db, one, 5_000_000, T0, "transfer 12") == 5_000_000
    assert await ledger.top_up(db, one, -2_000_000, T0) == 3_000_000
    rows = await db.fetch("select from_account, to_account, amount, kind, note from ledger order by posting_id")
    assert [tuple(row) for row in rows] == [
        (FUNDS, one, 5_000_000, Kind.TOP_UP, "transfer 12"),
        (one, FUNDS, 2_000_000, Kind.TOP_UP, ""),
    ]
    assert await ledger.balance(db, one) == await ledger.account_sum(db, one) == 3_000_000


async def test_a_balance_never_goes_below_zero_and_nothing_is_posted(db: Database) -> None:
    one = await account(db, 100)
    with pytest.raises(asyncpg.CheckViolationError):
        await ledger.top_up(db, one, -101, T0)
    with pytest.raises(asyncpg.CheckViolationError):
        await charge(db, one, 101)
    assert await ledger.balance(db, one) == await ledger.account_sum(db, one) == 100


async def test_a_charge_is_the_submission_itself_and_a_refund_names_it(db: Database) -> None:
    one = await account(db, 1_000_000)
    first = await charge(db, one, 76_000)
    await give_back(db, Refund(one, 38_000, first, first), Refund(one, 0, first, first))
    rows = await db.fetch("select from_account, to_account, amount, kind, submission_id from ledger where kind <> 3")
    assert sorted(map(tuple, rows)) == sorted(
        [(one, SALES, 76_000, Kind.CHARGE, first), (SALES, one, 38_000, Kind.REFUND, first)]
    )
    assert await ledger.balance(db, one) == 1_000_000 - 38_000
    assert not await ledger.wrong_wallets(db)


async def test_a_wallet_that_lies_is_found(db: Database) -> None:
    one, two = await account(db, 100), await account(db, 100)
    await db.execute("update wallet set balance = 99 where account_id = $1", two)
    assert [tuple(row) for row in await ledger.wrong_wallets(db)] == [(two, 99, 100)]
    assert await ledger.balance(db, one) == 100


async def test_wallets_are_locked_in_the_order_of_their_ids(db: Database) -> None:
    """Two that lock the same wallets the other way round both come through."""
    accounts = [await account(db, 1_000) for _ in range(6)]

    async def shuffle(order: list[int]) -> None:
        for _ in range(10):
            async with db.transaction() as connection:
                locked = await ledger.lock_wallets(connection, order)
                assert list(locked) == sorted(set(order))
                await ledger.add_to_wallets(connection, dict.fromkeys(order, 1))

    await asyncio.gather(shuffle(accounts), shuffle(accounts[::-1]), shuffle(accounts[1:] + accounts[:1]))
    assert {await ledger.balance(db, one) for one in accounts} == {1_030}


async def test_refunds_of_one_batch_come_together(db: Database) -> None:
    one, two = await account(db, 100_000), await account(db, 100_000)
    charges = [(owner, await charge(db, owner, 30_000)) for owner in (one, two, one)]
    await give_back(db, *(Refund(owner, 10_000, id_, id_) for owner, id_ in charges))
    await give_back(db)
    assert (await ledger.balance(db, one), await ledger.balance(db, two)) == (60_000, 80_000)
    assert not await ledger.wrong_wallets(db)


steps = st.lists(
    st.tuples(st.sampled_from(["top_up", "charge", "refund"]), st.integers(0, 2), st.integers(1, 90_000)), max_size=15
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
async def test_whatever_happens_the_ledger_equals_the_wallets(db: Database, steps: list[tuple[str, int, int]]) -> None:
    accounts = [await account(db, 50_000) for _ in range(3)]
    charged: list[tuple[int, int, int]] = []
    for step, which, amount in steps:
        one = accounts[which]
        if step == "top_up":
            await ledger.top_up(db, one, amount, T0)
        elif step == "charge" and amount <= await ledger.balance(db, one):
            charged.append((one, await charge(db, one, amount), amount))
        elif step == "refund" and charged:
            owner, id_, cost = charged.pop()
            await give_back(db, Refund(owner, min(cost, amount), id_, id_))
    assert not await ledger.wrong_wallets(db)
    for one in accounts:
        assert await ledger.balance(db, one) == await ledger.account_sum(db, one) >= 0


async def test_a_move_changes_both_wallets_or_none(db: Database) -> None:
    giver, taker = await account(db, 3_000_000), await account(db)
    async with db.transaction() as connection:
        assert await ledger.move(connection, giver, taker, 2_000_000, Kind.TRANSFER, T0) == {
            giver: 1_000_000,
            taker: 2_000_000,
        }
        assert await ledger.move(connection, giver, taker, 1_000_001, Kind.TRANSFER, T0) is None
        assert await ledger.move(connection, giver, SALES, 1_000_000, Kind.CHECK, T0) == {giver: 0}
        assert await ledger.move(connection, SALES, giver, 500_000, Kind.REFUND, T0) == {giver: 500_000}
    assert await ledger.balance(db, taker) == 2_000_000
    assert await ledger.wrong_wallets(db) == []
