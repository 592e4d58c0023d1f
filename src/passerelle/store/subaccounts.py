"""Sub-accounts as rows: made, found by their main account, removed; who was invited to sign up, and who did.

The one rule: a removed sub-account keeps its rows, its messages and its place in the ledger; only its key, its address
and its money go.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from .database import Database, queries

SQL = queries("subaccounts")

CLOSING_DAYS = 30
"""Days after a removal in which refunds may still come: validity and receipt wait are over long before."""


class Figures(NamedTuple):
    """What an account has sent, in all, and what that cost in a span, in micro-euros."""

    account_id: int
    messages: int
    waiting: int  # parts that have not left
    delivered: int
    failed: int
    parts: int
    cost: int


async def email_is_used(connection: Any, email: str) -> bool:
    """Whether any account has this address, in any case of its letters."""
    return bool(await connection.fetchval(SQL.email_is_used, email))


async def insert(
    connection: Any,
    parent_id: int,
    account_id: int,
    token: bytes,
    type_: int,
    is_buyer: bool,
    title: str,
    now: datetime,
) -> None:
    """Make an account the sub-account of another."""
    await connection.execute(SQL.insert, parent_id, account_id, token, type_, is_buyer, title, now)


async def find(db: Any, parent_id: int, token: bytes) -> int | None:
    """The account behind a token of `parent_id`."""
    found: int | None = await db.fetchval(SQL.find, parent_id, token)
    return found


async def is_open(connection: Any, account_id: int) -> bool:
    """Whether it is not removed; ask under the lock of its wallet."""
    return bool(await connection.fetchval(SQL.is_open, account_id))


async def page(db: Database, parent_id: int, skip: int, limit: int, after: int = 0) -> list[Any]:
    """Rows of a main account, the oldest first: number, account_id, token, type, is_buyer, title, created_at,
    signed_up_at, email, firstname, lastname, key_sealed, balance, state."""
    return await db.fetch(SQL.page, parent_id, after, skip, limit)


async def one(db: Any, parent_id: int, token: bytes) -> Any:
    """The same row of one of them, or None."""
    return await db.fetchrow(SQL.one, parent_id, token)


async def total(db: Database, parent_id: int) -> int:
    """How many a main account has."""
    counted: int = await db.fetchval(SQL.total, parent_id)
    return counted


async def figures(
    db: Database, account_ids: Sequence[int], since: datetime, until: datetime, now: datetime
) -> dict[int, Figures]:
    """What each account did, by its id; the span in full hours."""
    rows = await db.fetch(SQL.figures, list(account_ids), since, until, now)
    return {row["account_id"]: Figures(*row) for row in rows}


async def every(db: Database, parent_id: int | None) -> list[Any]:
    """All of one main account, or of all (None): rows of parent_id, parent, account_id, email, type, token, balance,
    created_at, signed_up_at."""
    return await db.fetch(SQL.every, parent_id)


async def of_email(db: Database, email: str) -> Any:
    """The sub-account of an address: row of parent_id, account_id, token, type, signed_up_at; or None."""
    return await db.fetchrow(SQL.of_email, email)


# --- removal ---------------------------------------------------------------------------------------------------------


async def close(connection: Any, account_id: int, now: datetime) -> bool:
    """Take key, address and state of a sub-account; False where somebody else did. Its wallet is locked already."""
    await connection.execute(SQL.end_invitations, account_id, now)  # first, as whoever signs up begins with one
    if not await connection.fetchval(SQL.mark_removed, account_id, now):
        return False
    await connection.execute(SQL.close_account, account_id)
    await connection.execute(SQL.close_wallet, account_id)
    return True


async def waiting(connection: Any, account_id: int, now: datetime, limit: int) -> list[Any]:
    """Messages that are not due: rows of account_id, message_id, submission_id, of at most `limit` parts."""
    return list(await connection.fetch(SQL.waiting, account_id, now, limit))


async def mark_cancelled(connection: Any, account_id: int, submission_ids: Sequence[int], now: datetime) -> None:
    """Taken back, or what was left of them."""
    await connection.execute(SQL.mark_cancelled, account_id, sorted(set(submission_ids)), now)


async def unsettled(db: Database, since: datetime, now: datetime) -> list[tuple[int, int]]:
    """(parent, account) of those removed after `since` that still have something to give back."""
    return [(row["parent_id"], row["account_id"]) for row in await db.fetch(SQL.unsettled, since, now)]


# --- signing up ------------------------------------------------------------------------------------------------------


async def invite(connection: Any, account_id: int, token_hash: bytes, now: datetime, expires_at: datetime) -> None:
    """A new invitation; those before end."""
    await connection.execute(SQL.end_invitations, account_id, now)
    await connection.execute(SQL.insert_invitation, token_hash, account_id, expires_at)


async def invitation(db: Database, token_hash: bytes) -> Any:
    """Row of account_id, expires_at, used_at, the names and e-mails of the account and of its parent; or None."""
    return await db.fetchrow(SQL.invitation, token_hash)


async def sign_up(
    connection: Any, token_hash: bytes, mobile: int, firstname: str, lastname: str, password_hash: str, now: datetime
) -> bool:
    """Use an invitation; False where it was used or is over."""
    account_id = await connection.fetchval(SQL.use_invitation, token_hash, now)
    if account_id is None:
        return False
    await connection.execute(SQL.insert_login, account_id, mobile, password_hash, now)
    await connection.execute(SQL.name_account, account_id, firstname, lastname)
    await connection.execute(SQL.mark_signed_up, account_id, now)
    return True
