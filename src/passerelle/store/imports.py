"""Files on their way into groups of contacts: how far they are, and the lines that were refused.

The one rule: `advance` is called in the transaction that adds the contacts of the lines it counts.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from .database import Database, columns, queries
from .tokens import new_token

SQL = queries("imports")


class State(enum.IntEnum):
    """Of an import; the numbers are stored."""

    OPEN = 0  # waiting, under way, or broken off
    DONE = 1
    FAILED = 2


class Import(msgspec.Struct, frozen=True):
    """An import. `total`, `done`, `added`, `refused`: lines; `token`: 12 bytes."""

    id: int
    account_id: int
    token: bytes
    group_id: int
    name: str
    state: int
    total: int
    done: int
    added: int
    refused: int
    error: str
    created_at: datetime
    ended_at: datetime | None


class Refusal(msgspec.Struct, frozen=True):
    """A line that was refused: its number in the file, the telephone number as written, a domain.contact.Fault."""

    line: int
    phone: str
    reason: int


async def add(
    db: Database,
    account_id: int,
    group_id: int,
    name: str,
    digest: bytes,
    total: int,
    now: datetime,
    content: bytes | None = None,
) -> Import:
    """Note an import; with `content` a worker takes it up."""
    row = await db.fetchrow(SQL.add, account_id, new_token(now), group_id, name, digest, content, total, now)
    return Import(*row)


async def broken_off(db: Database, account_id: int, group_id: int, digest: bytes) -> Import | None:
    """An import of the same file that never ended."""
    return _import(await db.fetchrow(SQL.broken_off, account_id, group_id, digest))


async def find(db: Database, account_id: int, token: bytes) -> Import | None:
    """An import."""
    return _import(await db.fetchrow(SQL.find, account_id, token))


async def lease(db: Database, length: timedelta) -> tuple[Import, bytes] | None:
    """An import that nobody works on, with its file."""
    row = await db.fetchrow(SQL.lease, length)
    return None if row is None else (Import(*row[:-1]), row["content"])


async def advance(
    connection: Any, one: Import, done: int, lines: int, added: int, refused: int, lease: timedelta
) -> bool:
    """Count `lines` more than `done`; False where somebody else has imported them meanwhile, or the import is over."""
    query = SQL.advance
    return await connection.fetchval(query, one.account_id, one.id, done, lines, added, refused, lease) is not None


async def finish(db: Database, one: Import, state: State, now: datetime, error: str = "") -> None:
    """It is over."""
    await db.execute(SQL.finish, one.account_id, one.id, state, error, now)


async def refuse(connection: Any, one: Import, refusals: Sequence[tuple[int, str, int]]) -> None:
    """Keep refused lines: (line, phone as written, reason)."""
    if refusals:
        await connection.execute(SQL.refuse, one.account_id, one.id, *columns(refusals))


async def refusals(db: Database, one: Import, after: int, limit: int) -> list[Refusal]:
    """Refused lines behind line `after`."""
    return [Refusal(*row) for row in await db.fetch(SQL.refusals, one.account_id, one.id, after, limit)]


def _import(row: Any) -> Import | None:
    return None if row is None else Import(*row)
