"""Messages and their parts, locked, changed by the rules, and saved: the one way in which a state moves.

Rows are locked in the order of their ids; a batch touches a message once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from .database import columns, queries
from .statistics import Delta

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
    opened_at: datetime | None
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


class Awaited(NamedTuple):
    """A part whose receipt may have come: the message, locked, and what it is awaited by."""

    message: MessageRow
    operator_id: str
    part: int
    at: datetime


async def lock_awaited(connection: Any, carrier_id: int, operator_ids: Sequence[str]) -> list[Awaited]:
    """Lock the messages of the parts that await one of these ids."""
    if not operator_ids:
        return []
    rows = await connection.fetch(SQL.lock_awaited, carrier_id, list(operator_ids))
    return [Awaited(MessageRow(*row[:-3]), *row[-3:]) for row in rows]


class Settled(NamedTuple):
    """What need not be awaited any more."""

    operator_id: str
    account_id: int
    message_id: int
    part: int


async def save(
    connection: Any, rows: Iterable[MessageRow], deltas: Iterable[Delta], carrier_id: int, settled: Sequence[Settled]
) -> None:
    """Write the changing columns back, with the statistics of the change; `settled` are awaited no more."""
    written = [_changing(row) for row in rows]
    counted = [_counted(delta) for delta in deltas]
    if written or counted or settled:
        await connection.execute(
            SQL.save,
            *(columns(written) or [[]] * 16),
            *(columns(counted) or [[]] * 20),
            carrier_id,
            *(columns(settled) or [[]] * 4),
        )


_changing = attrgetter(
    "account_id", "id", "state", "state_at", "sent_at", "submitted_at", "delivered_at", "failed_at", "bounced_at",
    "opened_at", "stopped_at", "uncertain", "carrier_id", "error", "refunded", "refunded_parts",
)  # fmt: skip
_counted = attrgetter(*Delta.__struct_fields__)


async def save_parts(connection: Any, rows: Sequence[PartRow]) -> None:
    """Write the changing columns of parts back."""
    if rows:
        written = [(r.account_id, r.message_id, r.part, r.state, r.state_at, r.begun, r.uncertain) for r in rows]
        await connection.execute(SQL.save_parts, *columns(written))
