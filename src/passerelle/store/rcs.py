"""RCS messages as rows: the SMS that may follow them, and what their provider tells.

The one rule: an event is on disk before it is acknowledged, and counts once however often it comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ..domain.message import Failover
from .database import Database, columns, queries
from .replies import RECENT, Answered

SQL = queries("rcs")


class NewEvent(NamedTuple):
    """An event as it came; `key` says which, its twins have the same."""

    key: bytes
    body: str
    received_at: datetime


class Turned(NamedTuple):
    """A message that becomes an SMS."""

    account_id: int
    id: int
    submission_id: int
    text: str
    encoding: int
    parts: int
    price: int
    carrier_id: int
    lane: int
    traffic: int
    stop_applies: bool


async def insert_failover(
    connection: Any, account_id: int, submission_id: int, failover: Failover, keep_until: datetime
) -> None:
    """Keep the SMS that follows the messages of a submission."""
    f = failover
    await connection.execute(
        SQL.insert_failover, account_id, submission_id, f.text, int(f.encoding), f.parts, keep_until
    )


async def forget_failovers(db: Database, now: datetime, limit: int = 1000) -> int:
    """Drop those that nothing needs any more; how many."""
    return int((await db.execute(SQL.forget_failovers, now, limit)).split()[-1])


async def fallen(connection: Any, keys: Sequence[tuple[int, int]]) -> list[Any]:
    """Those of the (account, message), all locked, that are still RCS: rows of account_id, id, submission_id, phone;
    messages, class and content of the submission; text, encoding and parts of the SMS (null: none); `queued`."""
    return list(await connection.fetch(SQL.fallen, *columns(keys))) if keys else []


async def turn(connection: Any, rows: Sequence[Turned], now: datetime, validity: timedelta) -> None:
    """Make locked messages SMS that are due now."""
    if rows:
        await connection.execute(SQL.turn, *columns(rows), now, validity)


async def forget(connection: Any, names: Sequence[str]) -> None:
    """Await nothing more of these names."""
    if names:
        await connection.execute(SQL.forget, list(names))


async def overdue(db: Database, before: datetime, limit: int) -> list[Any]:
    """Parts with the provider since before: rows of operator_id, account_id, message_id, part, phone."""
    return await db.fetch(SQL.overdue, before, limit)


async def named(connection: Any, pairs: Sequence[tuple[int, int]]) -> list[Any]:
    """The messages of (phone, message id) that are RCS: rows of account_id, id, phone, delivered_at."""
    return list(await connection.fetch(SQL.named, *columns(pairs))) if pairs else []


async def opened(connection: Any, rows: Sequence[tuple[int, int, datetime]]) -> None:
    """Note when (account, message) was first read."""
    if rows:
        await connection.execute(SQL.opened, *columns(sorted(rows)))


async def answered(connection: Any, asked: Sequence[tuple[int, bool]], now: datetime) -> list[Answered]:
    """The message that each (phone, is it a STOP) answers, where there is one."""
    if not asked:
        return []
    return [Answered(*row) for row in await connection.fetch(SQL.answered, *columns(asked), now, now - RECENT)]


async def insert_events(db: Database, events: Sequence[NewEvent]) -> None:
    """Write events that came; those that came before are there already."""
    await db.execute(SQL.insert_events, *columns(events))


async def take_events(connection: Any, limit: int) -> list[str]:
    """Take events in the order in which they came; they count with the commit of the caller."""
    rows = await connection.fetch(SQL.take_events, limit)
    return [row["body"] for row in sorted(rows, key=lambda row: row["id"])]


async def forget_events(db: Database, before: datetime, limit: int = 1000) -> int:
    """Drop what was received before; how many."""
    return int((await db.execute(SQL.forget_events, before, limit)).split()[-1])
