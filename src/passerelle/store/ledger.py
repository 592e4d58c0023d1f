"""Money moved: postings from one account to another, and the wallets that cache their sums.

A posting has two sides and one amount, so the ledger sums to zero by construction; whoever writes one changes the
wallets in the same transaction, with their rows locked in the order of their ids.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from .database import Database, queries

SQL = queries("ledger")

SLICE = 5_000  # postings a statement

FUNDS = 0  # money that enters or leaves the platform
SALES = 1  # what customers spend


class Kind(enum.IntEnum):
    """What a posting is for."""

    CHARGE = 1  # kept in the submission itself
    REFUND = 2
    TOP_UP = 3
    TRANSFER = 4
    CLOSING = 5  # the charges of a month whose submissions were dropped
    CHECK = 6  # HLR requests
    RENTAL = 7  # of numbers
    FAILOVER = 8  # the SMS that follows an RCS message
    EDIT = 9  # of a paused campaign: the difference in price, either way


class Refund(NamedTuple):
    """What goes back for one message: micro-euros, and the charge it returns."""

    account_id: int
    amount: int
    submission_id: int
    message_id: int


async def top_up(db: Database, account_id: int, amount: int, now: datetime, note: str = "") -> int:
    """Put credit on an account (negative: take it off); the new balance. Raises on a balance below zero."""
    source, target = (FUNDS, account_id) if amount > 0 else (account_id, FUNDS)
    async with db.transaction() as connection:
        balance: int = await connection.fetchval(SQL.add_to_wallet, account_id, amount)
        await connection.execute(SQL.insert_posting, now, source, target, abs(amount), Kind.TOP_UP, None, None, note)
    return balance


async def move(
    connection: Any, source: int, target: int, amount: int, kind: Kind, now: datetime, note: str = ""
) -> dict[int, int] | None:
    """Post `amount` micro-euros (> 0) from one account to another; both balances after, None where `source` is short.

    FUNDS and SALES are accounts too, without a wallet. The wallets are locked here in the order of their ids.
    """
    wallets = await lock_wallets(connection, [one for one in (source, target) if one > SALES])
    balances = {account_id: row["balance"] for account_id, row in wallets.items()}
    if source > SALES and balances[source] < amount:
        return None
    changes = {one: sign * amount for one, sign in ((source, -1), (target, 1)) if one > SALES}
    await connection.execute(SQL.insert_posting, now, source, target, amount, kind, None, None, note)
    await add_to_wallets(connection, changes)
    return {account_id: balances[account_id] + change for account_id, change in changes.items()}


async def lock_wallets(connection: Any, account_ids: Sequence[int]) -> dict[int, Any]:
    """Lock the wallets in the order of their ids; account id -> row of version, state and balance."""
    rows = await connection.fetch(SQL.lock_wallets, sorted(set(account_ids)))
    return {row["account_id"]: row for row in rows}


async def add_to_wallets(connection: Any, changes: dict[int, int]) -> None:
    """Change wallets that are locked already; account id -> micro-euros."""
    if changes:
        await connection.execute(SQL.add_to_wallets, list(changes), list(changes.values()))


async def refund(connection: Any, refunds: Sequence[Refund], now: datetime) -> None:
    """Give back: a posting each, and then the wallets, locked here in the order of their ids."""
    if not refunds:
        return
    changes: dict[int, int] = {}
    for item in refunds:
        changes[item.account_id] = changes.get(item.account_id, 0) + item.amount
    for start in range(0, len(refunds), SLICE):
        some = refunds[start : start + SLICE]
        await connection.execute(SQL.insert_refunds, now, *map(list, zip(*some, strict=True)))
    await lock_wallets(connection, list(changes))
    await add_to_wallets(connection, changes)


async def follow(connection: Any, charges: Sequence[Refund], now: datetime) -> None:
    """Charge for the SMS that follow RCS messages; the wallets are locked, and hold enough."""
    if not charges:
        return
    changes: dict[int, int] = {}
    for item in charges:
        changes[item.account_id] = changes.get(item.account_id, 0) - item.amount
    await connection.execute(SQL.insert_failovers, now, *map(list, zip(*charges, strict=True)))
    await add_to_wallets(connection, changes)


async def difference(connection: Any, account_id: int, amount: int, submission_id: int, now: datetime) -> bool:
    """Charge the difference that an edit has made (below zero: give it back); False, and nothing, where it is too much.
    The wallet is locked here, to the end."""
    wallet = (await lock_wallets(connection, [account_id]))[account_id]
    if amount > wallet["balance"]:
        return False
    if amount:
        source, target = (account_id, SALES) if amount > 0 else (SALES, account_id)
        await connection.execute(
            SQL.insert_posting, now, source, target, abs(amount), Kind.EDIT, submission_id, None, "campaign edited"
        )
        await add_to_wallets(connection, {account_id: -amount})
    return True


async def balance(db: Database, account_id: int) -> int:
    """Micro-euros left."""
    found: int = await db.fetchval(SQL.balance, account_id)
    return found


async def account_sum(db: Database, account_id: int) -> int:
    """The balance as the ledger tells it."""
    found: int = await db.fetchval(SQL.account_sum, account_id)
    return found


async def wrong_wallets(db: Database) -> list[Any]:
    """Wallets that differ from their ledger: always none, or the platform is broken."""
    return await db.fetch(SQL.wrong_wallets)
