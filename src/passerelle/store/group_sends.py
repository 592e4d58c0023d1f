"""Submissions to groups: what was sent to whom, and how far a submission is. All counts are of one look each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from .database import Database, queries

SQL = queries("group_sends")

NEWEST = (1 << 63) - 1


class GroupSend(msgspec.Struct, frozen=True):
    """A submission to a group of so many contacts. `dropped`: reason -> contacts left out; `cost`: micro-euros."""

    submission_id: int
    group_id: int
    text: str
    contacts: int
    dropped: dict[str, int]
    number: int
    messages: int
    cost: int
    accepted_at: datetime
    due_at: datetime
    cancelled_at: datetime | None


async def add(
    connection: Any,
    account_id: int,
    submission_id: int,
    group_id: int,
    text: str,
    contacts: int,
    dropped: Mapping[str, int],
) -> None:
    """Note a submission to a group, in the transaction that stores it."""
    await connection.execute(SQL.add, account_id, submission_id, group_id, text, contacts, dict(dropped))


async def listing(db: Database, account_id: int, before: int = NEWEST, limit: int = 100) -> list[GroupSend]:
    """What was sent to groups before submission `before`, the newest first."""
    return [GroupSend(*row) for row in await db.fetch(SQL.listing, account_id, before, limit)]


async def submission(db: Database, account_id: int, submission_id: int) -> Any:
    """A submission, with what is known of its group; None: there is none."""
    return await db.fetchrow(SQL.submission, account_id, submission_id)


async def states(db: Database, account_id: int, first: int, count: int, since: datetime) -> list[Any]:
    """Rows of state, messages, first_sent, last_sent, parts_sent, parts_lately (since `since`)."""
    return await db.fetch(SQL.states, account_id, first, first + count, since)


async def waiting(db: Database, account_id: int, first: int, count: int) -> list[Any]:
    """Rows of carrier_id, lane, parts, due_at: what of it is still queued."""
    return await db.fetch(SQL.waiting, account_id, first, first + count)


async def before(db: Database, carrier_id: int, lane: int, due_at: datetime, now: datetime) -> int:
    """Parts that this carrier takes sooner than what is due at `due_at`."""
    until = max(due_at, now)
    found: int = await db.fetchval(SQL.before, carrier_id, list(range(lane)), until, lane, due_at)
    return found
