"""What became of messages: the reads of the status calls.

The one rule: one query a call, whatever it asks for, and every row of the account's own. Rows of the sandbox are
told as delivered.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from . import statistics
from .database import Database, queries

_SQL = queries("status")


class Status(msgspec.Struct, frozen=True):
    """One message. `number`: of its submission, 0 in lists by tag; `state`: domain.message.State; `price`: micro-euros.

    `stopped`: the person answered STOP to it.
    """

    number: int
    phone: int
    country: str
    state: int
    state_at: datetime
    price: int
    stopped: bool
    spam: bool


async def of_submission(db: Database, account_id: int, dialect: int, number: int) -> list[Status]:
    """Every message of a submission, in the order of the request; nothing where there is no such submission."""
    return _rows(await db.fetch(_SQL.of_number, account_id, dialect, number))


async def of_pairs(
    db: Database, account_id: int, dialect: int, pairs: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Status]:
    """The messages of (number of the submission, phone), those that exist."""
    if not pairs:
        return {}
    rows = await db.fetch(_SQL.of_pairs, account_id, dialect, *map(list, zip(*pairs, strict=True)))
    return {(row.number, row.phone): row for row in _rows(rows)}


async def of_tag(db: Database, account_id: int, dialect: int, tag_key: str, *, skip: int, limit: int) -> list[Status]:
    """A page of the messages of a tag, oldest first."""
    return _rows(await db.fetch(_SQL.of_tag, account_id, dialect, tag_key, skip, limit))


async def tag_messages(db: Database, account_id: int, dialect: int, tag_key: str) -> int:
    """How many messages a tag has, from its counter; the sandbox is counted: it is emptied every night."""
    stored = await statistics.tag_messages(db, account_id, dialect, tag_key)
    sandboxed: int = await db.fetchval(_SQL.sandbox_of_tag, account_id, dialect, tag_key)
    return stored + sandboxed


def _rows(rows: Sequence[Any]) -> list[Status]:
    return [Status(*row) for row in rows]
