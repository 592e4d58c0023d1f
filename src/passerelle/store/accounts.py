"""Accounts as rows: found, made and changed.

Every change that a cached account must see raises the version in its wallet.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg

from .database import Database, queries

SQL = queries("accounts")


class EmailTaken(Exception):
    """Another account has this e-mail address."""


async def by_key(db: Database, key_hash: bytes) -> Any:
    """The row of an account with its wallet, or None."""
    return await db.fetchrow(SQL.by_key, key_hash)


async def by_id(db: Database, account_id: int) -> Any:
    """The row of an account with its wallet, or None."""
    return await db.fetchrow(SQL.by_id, account_id)


async def id_of(db: Database, email: str) -> int | None:
    """The account of an e-mail address."""
    found: int | None = await db.fetchval(SQL.by_email, email)
    return found


async def listing(db: Database) -> list[Any]:
    """All accounts, the oldest first."""
    return await db.fetch(SQL.all_accounts)


async def prices(db: Database, account_id: int, parent_id: int | None = None) -> dict[tuple[int, str], int]:
    """(service, country or `*`) -> micro-euros a part: the account's own over those of its main account over those of
    the installation; each has a lower id than the next."""
    rows = await db.fetch(SQL.prices, [0, parent_id or 0, account_id])
    return {(row["service"], row["country"]): row["price"] for row in rows}


async def refused_senders(db: Database, account_id: int) -> frozenset[str]:
    """Protected names that are not granted to the account."""
    return frozenset(row["name"] for row in await db.fetch(SQL.refused_senders, account_id))


async def insert(
    connection: Any,
    *,
    parent_id: int | None,
    email: str,
    firstname: str,
    lastname: str,
    key_hash: bytes,
    key_sealed: bytes,
    secret_sealed: bytes,
    settings: dict[str, object],
    now: datetime,
) -> int:
    """Make an account with an empty wallet; its id. Raises EmailTaken, and then the transaction is lost."""
    try:
        account_id: int = await connection.fetchval(
            SQL.insert_account,
            parent_id,
            email,
            firstname,
            lastname,
            key_hash,
            key_sealed,
            secret_sealed,
            settings,
            now,
        )
    except asyncpg.UniqueViolationError as error:
        raise EmailTaken(email) from error
    await connection.execute(SQL.insert_wallet, account_id)
    return account_id


async def change_settings(db: Database, account_id: int, changes: dict[str, object]) -> None:
    """Merge `changes` into the settings of the account."""
    async with db.transaction() as connection:
        await connection.execute(SQL.change_settings, account_id, changes)
        await connection.execute(SQL.touch, account_id)


async def replace_key(db: Database, account_id: int, key_hash: bytes, key_sealed: bytes) -> None:
    """A new dialect key; the old one is refused from the commit on."""
    async with db.transaction() as connection:
        await connection.execute(SQL.replace_key, account_id, key_hash, key_sealed)
        await connection.execute(SQL.touch, account_id)


async def replace_secret(db: Database, account_id: int, secret_sealed: bytes) -> None:
    """A new secret of notifications; the old one stays valid beside it."""
    async with db.transaction() as connection:
        await connection.execute(SQL.replace_secret, account_id, secret_sealed)
        await connection.execute(SQL.touch, account_id)


async def sealed_key(db: Database, account_id: int) -> bytes | None:
    """The key as sealed, for the calls that show it again."""
    found: bytes | None = await db.fetchval(SQL.sealed_key, account_id)
    return found


async def set_state(db: Database, account_id: int, state: int) -> None:
    """Active, disabled, blocked or without the API (domain.account.AccountState)."""
    async with db.transaction() as connection:
        await connection.execute(SQL.set_state, account_id, state)
        await connection.execute(SQL.touch_children, account_id)


async def touch(connection: Any, account_id: int) -> None:
    """Whoever has a cached copy of the account reads it anew; its wallet is locked."""
    await connection.execute(SQL.touch, account_id)


async def set_price(db: Database, account_id: int, service: int, country: str, price: int) -> None:
    """A row of the tariff, in micro-euros a part; account 0 is the default of the installation."""
    async with db.transaction() as connection:
        await connection.execute(SQL.set_price, account_id, service, country, price)
        if account_id == 0:
            await connection.execute(SQL.touch_all)
        else:
            await connection.execute(SQL.touch, account_id)
            await connection.execute(SQL.touch_children, account_id)


async def protect_sender(db: Database, name: str) -> None:
    """Nobody may use this sender but who is granted it; upper case, no blanks."""
    async with db.transaction() as connection:
        if await connection.execute(SQL.protect_sender, name) == "INSERT 0 1":
            await connection.execute(SQL.touch_all)


async def grant_sender(db: Database, account_id: int, name: str) -> None:
    """Let an account use a protected sender."""
    async with db.transaction() as connection:
        await connection.execute(SQL.grant_sender, account_id, name)
        await connection.execute(SQL.touch, account_id)
