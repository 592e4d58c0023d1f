"""What a dialect may read of its messages: one by its number or phone, the replies, the numbers lost.

The one rule: a dialect sees what it accepted itself, of the account that asks.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from .database import Database, queries

_SQL = queries("snapshots")


class Snapshot(msgspec.Struct, frozen=True):
    """A message by its times; None where a step was not reached."""

    number: int
    accepted_at: datetime
    test: bool
    sent_at: datetime | None
    submitted_at: datetime | None
    delivered_at: datetime | None
    failed_at: datetime | None
    bounced_at: datetime | None
    opened_at: datetime | None
    reply_at: datetime | None
    stopped_at: datetime | None


class Reply(msgspec.Struct, frozen=True):
    """A text from a handset. `token`: its id, 12 bytes; `phone`: E.164 without +."""

    token: bytes
    phone: int
    text: str


async def by_number(db: Database, account_id: int, dialect: int, number: int) -> Snapshot | None:
    """The message with this number."""
    return _snapshot(await db.fetchrow(_SQL.by_number, account_id, dialect, number))


async def latest(db: Database, account_id: int, dialect: int, phone: int) -> Snapshot | None:
    """The message to this phone that was accepted last."""
    return _snapshot(await db.fetchrow(_SQL.latest, account_id, dialect, phone))


async def replies(db: Database, account_id: int, dialect: int, tag_key: str = "") -> list[Reply]:
    """Replies that are no STOP, the oldest first; '' = all of the account, those that answer no message too."""
    if tag_key:
        rows = await db.fetch_long(_SQL.replies_of_tag, account_id, dialect, tag_key)
    else:
        rows = await db.fetch_long(_SQL.replies, account_id, dialect)
    return [Reply(*row) for row in rows]


async def unsubscribers(db: Database, account_id: int, dialect: int, tag_key: str = "") -> list[int]:
    """Phones that answered STOP to a message, each once, the oldest first."""
    return [row[0] for row in await db.fetch_long(_SQL.unsubscribers, account_id, dialect, tag_key)]


async def bounces(db: Database, account_id: int, dialect: int, tag_key: str = "") -> list[int]:
    """Phones of which a message proved unattributed, each once, the oldest first."""
    return [row[0] for row in await db.fetch_long(_SQL.bounces, account_id, dialect, tag_key)]


def _snapshot(row: Any) -> Snapshot | None:
    return None if row is None else Snapshot(*row)
