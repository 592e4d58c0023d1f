"""Long numbers as rows: whose they are, where texts to them go, what is done with their callers.

The one rule: a number has one owner over the whole installation; whoever gains or loses one is read again, because the
senders of an account are part of what is cached of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from ..domain.forwarding import Forwarding, Owned, Rule
from .database import Database, queries

_SQL = queries("virtual_numbers")
_ACCOUNTS = queries("accounts")


class Listed(NamedTuple):
    """A number as its owner may read it."""

    number: Owned
    reply_url: str
    forwarding_at: datetime | None
    created_at: datetime


class Owner(NamedTuple):
    """Whose a number is, and its own URL for replies. `phone`: E.164 without +."""

    phone: int
    account_id: int
    reply_url: str


class Change(NamedTuple):
    """A rule for calls, and since when it held."""

    at: datetime
    rule: Rule


async def of_account(db: Database, account_id: int) -> list[Listed]:
    """The numbers of an account, in their order."""
    rows = await db.fetch(_SQL.of_account, account_id)
    return [Listed(_owned(row), row["reply_url"], row["forwarding_at"], row["created_at"]) for row in rows]


async def listing(db: Database) -> list[Any]:
    """All numbers with the e-mail address of their owner."""
    return await db.fetch(_SQL.listing)


async def owners(connection: Any, phones: Iterable[int]) -> dict[int, Owner]:
    """Those of the phones that are long numbers of somebody."""
    wanted = sorted(set(phones))
    rows = await connection.fetch(_SQL.owners, wanted) if wanted else ()
    return {row["phone"]: Owner(*row) for row in rows}


async def add(db: Database, phone: int, account_id: int, now: datetime, reply_url: str = "") -> bool:
    """Give an account a number; False where somebody has it."""
    async with db.transaction() as connection:
        done = await connection.execute(_SQL.insert, phone, account_id, reply_url, now)
        if done == "INSERT 0 1":
            await connection.execute(_ACCOUNTS.touch, account_id)
    return bool(done == "INSERT 0 1")


async def remove(db: Database, phone: int) -> bool:
    """Take a number away from whoever has it; False where nobody does."""
    return await _change(db, phone, _SQL.remove, phone)


async def assign(db: Database, phone: int, account_id: int) -> bool:
    """Give a number to another account; what was set for it is forgotten. False where nobody has it."""
    return await _change(db, phone, _SQL.assign, phone, account_id, also=account_id)


async def hand_over(connection: Any, account_id: int, to: int) -> bool:
    """Give all numbers of an account to another, what was set for them is forgotten; whether there were some.

    Before any wallet is locked, as whoever changes a number does; whoever calls touches both accounts.
    """
    return bool(await connection.fetch(_SQL.hand_over, account_id, to))


async def set_enabled(db: Database, phone: int, enabled: bool) -> bool:
    """Let a number send and be called, or not; texts to it are its owner's all the same."""
    return await _change(db, phone, _SQL.set_enabled, phone, enabled)


async def _change(db: Database, phone: int, statement: str, *arguments: Any, also: int = 0) -> bool:
    async with db.transaction() as connection:
        owner: int | None = await connection.fetchval(_SQL.lock_any, phone)
        if owner is None:
            return False
        await connection.execute(statement, *arguments)
        for account_id in sorted({owner, also or owner}):
            await connection.execute(_ACCOUNTS.touch, account_id)
    return True


async def set_reply_url(db: Database, account_id: int, phone: int, url: str) -> bool:
    """Where texts to this number go when no message says otherwise; False where it is not the account's."""
    return bool(await db.execute(_SQL.set_reply_url, account_id, phone, url) == "UPDATE 1")


async def lock(connection: Any, account_id: int, phone: int) -> Owned | None:
    """A number of the account, locked; None where it is not its."""
    row = await connection.fetchrow(_SQL.lock, account_id, phone)
    return None if row is None else _owned(row)


async def set_rule(connection: Any, account_id: int, phone: int, rule: Rule, now: datetime) -> None:
    """What is done with callers from now on; kept in the history too."""
    await connection.execute(_SQL.set_forwarding, account_id, phone, rule.forwarding, rule.target, now)
    await connection.execute(_SQL.insert_change, account_id, phone, rule.forwarding, rule.target, now)


async def changes(db: Database, account_id: int, phone: int, limit: int = 100) -> list[Change]:
    """What call forwarding of a number was set to, the newest first."""
    rows = await db.fetch(_SQL.changes, account_id, phone, limit)
    return [Change(row["at"], Rule(Forwarding(row["forwarding"]), row["forward_to"])) for row in rows]


def _owned(row: Any) -> Owned:
    return Owned(row["phone"], row["enabled"], Rule(Forwarding(row["forwarding"]), row["forward_to"]))
