"""The outbox: mails of the platform itself, as rows until a mail server has taken them.

The one rule: a mail is written in the transaction of what it tells of, and deleted only when it was taken.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from .database import Database, queries

SQL = queries("mails")

LEASE = timedelta(minutes=2)
"""For how long a mail belongs to one worker: longer than any mail server is waited for."""


class Due(NamedTuple):
    """A leased mail; `attempts` before this one."""

    id: int
    account_id: int
    recipient: str
    subject: str
    text_sealed: bytes
    created_at: datetime
    valid_until: datetime
    attempts: int


class Tally(NamedTuple):
    """What is in the outbox; `error`: the last thing that a mail server said."""

    waiting: int
    oldest: datetime | None
    given_up: int
    error: str


async def insert(
    connection: Any,
    account_id: int,
    recipient: str,
    subject: str,
    text_sealed: bytes,
    now: datetime,
    valid_until: datetime,
) -> None:
    """Put a mail into the outbox; after `valid_until` nobody needs it any more."""
    await connection.execute(SQL.insert, account_id, recipient, subject, text_sealed, now, valid_until)


async def lease(db: Database, now: datetime, limit: int) -> list[Due]:
    """Up to `limit` mails that are due."""
    return [Due(*row) for row in await db.fetch(SQL.lease, now, limit, LEASE)]


async def sent(db: Database, mail_id: int) -> None:
    """A mail server has it."""
    await db.execute(SQL.sent, mail_id)


async def failed(db: Database, mail_id: int, attempts: int, error: str, next_at: datetime | None) -> None:
    """It was not taken; no next time: given up."""
    await db.execute(SQL.failed, mail_id, attempts, error, next_at)


async def drop_of_account(connection: Any, account_id: int) -> None:
    """Mails to an account that is gone."""
    await connection.execute(SQL.drop_of_account, account_id)


async def listing(db: Database, limit: int = 100) -> list[Any]:
    """The newest first: rows of id, account_id, recipient, subject, created_at, valid_until, attempts, next_at, state,
    error."""
    return await db.fetch(SQL.listing, limit)


async def again(db: Database, now: datetime) -> int:
    """Try all of them at once, those given up too; how many."""
    return int((await db.execute(SQL.again, now)).rpartition(" ")[2])


async def tally(db: Database) -> Tally:
    """What waits, and what was given up."""
    row = await db.fetchrow(SQL.tally)
    return Tally(row["waiting"], row["oldest"], row["given_up"], row["error"] or "")


async def note_written(
    connection: Any, account_id: int, recipient: str, now: datetime, since: datetime, limits: tuple[int, int]
) -> bool:
    """Note a mail that an account has written; False, and nothing is noted, where there were as many since `since` to
    this address or by this account. The wallet of the account is locked."""
    row = await connection.fetchrow(SQL.written_since, account_id, recipient, since, *limits)
    if row[0] >= limits[0] or row[1] >= limits[1]:
        return False
    await connection.execute(SQL.note_written, account_id, recipient, now)
    return True
