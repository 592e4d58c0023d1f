"""Messages and their parts, locked, changed by the rules, and saved: the one way in which a state moves.

Rows are locked in the order of their ids; a batch touches a message once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from .database import columns, queries

SQL = queries("messages")


class MessageRow(msgspec.Struct, gc=False):
    """A message with what its submission says; the columns of the query `lock`, in its order."""

    account_id: int
    id: int
    submission_id: int
    dialect: int
    number: int
    phone: int
    country: str
    parts: int
    price: int
    refunded: int
    refunded_parts: int
    state: int
    state_at: datetime
    sent_at: datetime | None
    submitted_at: datetime | None
    delivered_at: datetime | None
    failed_at: datetime | None
    bounced_at: datetime | None
    stopped_at: datetime | None
    uncertain: bool
    carrier_id: int | None
    error: str
    submission_number: int
    tag: str
    tag_key: str
    campaign_name: str
    campaign_id: bytes | None
    dlr_url: str
    due_at: datetime
    test: bool


class PartRow(msgspec.Struct, gc=False):
    """One part of a long message."""

    account_id: int
    message_id: int
    part: int
    state: int
    state_at: datetime
    begun: bool
    uncertain: bool


async def lock(connection: Any, keys: Iterable[tuple[int, int]]) -> list[MessageRow]:
    """Lock (account, message) rows."""
    rows = await connection.fetch(SQL.lock, *columns(sorted(keys)))
    return [MessageRow(*row) for row in rows]


async def lock_parts(connection: Any, keys: Iterable[tuple[int, int]]) -> list[PartRow]:
    """Lock the parts of long messages."""
    wanted = sorted(keys)
    return [PartRow(*row) for row in await connection.fetch(SQL.lock_parts, *columns(wanted))] if wanted else []


async def save(connection: Any, rows: Sequence[MessageRow]) -> None:
    """Write the changing columns back."""
    if rows:
        written = [
            (
                r.account_id, r.id, r.state, r.state_at, r.sent_at, r.submitted_at, r.delivered_at, r.failed_at,
                r.bounced_at, r.stopped_at, r.uncertain, r.carrier_id, r.error, r.refunded, r.refunded_parts,
            )
            for r in rows
        ]  # fmt: skip
        await connection.execute(SQL.save, *columns(written))


async def save_parts(connection: Any, rows: Sequence[PartRow]) -> None:
    """Write the changing columns of parts back."""
    if rows:
        written = [(r.account_id, r.message_id, r.part, r.state, r.state_at, r.begun, r.uncertain) for r in rows]
        await connection.execute(SQL.save_parts, *columns(written))


async def submitted(connection: Any, rows: Sequence[tuple[int, int, datetime, datetime]], carrier_id: int) -> None:
    """Single parts taken at the first attempt: (account, message, begun, answered)."""
    if rows:
        await connection.execute(SQL.submitted, *columns(rows), carrier_id)
