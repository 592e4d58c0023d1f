"""Rows on their way into lists of contacts: how far they are, and those that were refused.

The one rule: `advance` is called in the transaction that adds the contacts of the rows it counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from .database import Database, columns, queries
from .imports import Refusal, State
from .tokens import new_token

SQL = queries("operations")

ABANDONED = timedelta(days=1)  # without a sign of whoever has the rows
GIVEN_UP = "the import broke off and was not gone on with"


class Operation(msgspec.Struct, frozen=True):
    """An import. `token`: 12 bytes; `number_at`: which heading is that of the numbers; the counts are rows.

    `attempts`: how often a worker has begun since `done` moved.
    """

    id: int
    account_id: int
    token: bytes
    list_id: int
    headings: list[str]
    number_at: int
    state: int
    total: int
    done: int
    imported: int
    duplicates: int
    invalid: int
    reason: str
    attempts: int


async def add(
    connection: Any,
    account_id: int,
    list_id: int,
    headings: Sequence[str],
    number_at: int,
    total: int,
    now: datetime,
    lease: timedelta,
    *,
    digest: bytes | None = None,
    content: bytes | None = None,
) -> Operation:
    """Note an import: with `content` (packed rows) a worker takes it up, without it the caller has the rows.

    `lease`: how long it is the caller's.
    """
    row = await connection.fetchrow(
        SQL.add, account_id, new_token(now), list_id, headings, number_at, digest, content, total, now, lease
    )
    return Operation(*row)


async def broken_off(db: Database, account_id: int, list_id: int, digest: bytes) -> Operation | None:
    """An import of the same file that never ended."""
    return _operation(await db.fetchrow(SQL.broken_off, account_id, list_id, digest))


async def find(db: Database, account_id: int, token: bytes) -> Operation | None:
    """An import."""
    return _operation(await db.fetchrow(SQL.find, account_id, token))


async def lease(db: Database, length: timedelta) -> tuple[Operation, bytes] | None:
    """An import that nobody works on, with its rows."""
    row = await db.fetchrow(SQL.lease, length)
    return None if row is None else (Operation(*row[:-1]), row["content"])


async def advance(
    connection: Any, one: Operation, imported: int, duplicates: int, invalid: int, lease: timedelta
) -> Operation | None:
    """Count rows behind `one.done`; None where somebody else has imported them meanwhile, or the import is over."""
    counts = (one.done, imported, duplicates, invalid)
    return _operation(await connection.fetchrow(SQL.advance, one.account_id, one.id, *counts, lease))


async def finish(db: Database, one: Operation, state: State, now: datetime, reason: str = "") -> Operation | None:
    """It is over; None where it was before."""
    return _operation(await db.fetchrow(SQL.finish, one.account_id, one.id, state, reason, now))


async def refuse(connection: Any, one: Operation, refusals: Sequence[tuple[int, str, int]]) -> None:
    """Keep refused rows: (line, number as written, domain.lists.Fault)."""
    if refusals:
        await connection.execute(SQL.refuse, one.account_id, one.id, *columns(refusals))


async def refusals(db: Database, one: Operation, after: int, limit: int) -> list[Refusal]:
    """Refused rows behind line `after`."""
    return [Refusal(*row) for row in await db.fetch(SQL.refusals, one.account_id, one.id, after, limit)]


async def give_up(db: Database, now: datetime) -> None:
    """End imports whose rows nobody brings any more."""
    await db.execute(SQL.give_up, now - ABANDONED, GIVEN_UP, now)


async def forget(db: Database, before: datetime) -> bool:
    """Forget an import that ended before a time; whether there was one."""
    return await db.fetchval(SQL.forget, before) is not None


def _operation(row: Any) -> Operation | None:
    return None if row is None else Operation(*row)
