"""Receipts on their way: parts that await one, and receipts that nothing awaits yet.

A receipt and the answer that names its message may be committed by two hosts that do not see each other, so it is
looked for from both sides and once more by a sweep.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ..domain.message import Receipt, State
from .database import Database, columns, queries

SQL = queries("receipts")
SEPARATOR = "\x01"


class Awaiting(NamedTuple):
    """A part with an operator. `operator_id` is the canonical spelling; '' when the answer was lost."""

    operator_id: str
    account_id: int
    message_id: int
    part: int
    submission_id: int
    phone: int
    at: datetime


async def await_receipts(connection: Any, carrier_id: int, rows: Sequence[Awaiting]) -> None:
    """Remember which part an operator's id stands for."""
    if rows:
        await connection.execute(SQL.await_receipts, carrier_id, *columns(rows))


async def awaited_by_phone(connection: Any, carrier_id: int, phones: Sequence[int]) -> list[Any]:
    """Rows whose answer was lost, by number."""
    return list(await connection.fetch(SQL.awaited_by_phone, carrier_id, list(phones))) if phones else []


async def park(connection: Any, carrier_id: int, receipts: Sequence[Receipt], now: datetime) -> None:
    """Keep receipts that nothing awaits."""
    if receipts:
        rows = [(r.operator_ids[0], SEPARATOR.join(r.operator_ids), r.phone, r.state, r.error, r.at) for r in receipts]
        await connection.execute(SQL.park, carrier_id, now, *columns(rows))


async def parked_for(connection: Any, carrier_id: int, operator_ids: Sequence[str]) -> list[Receipt]:
    """Take the receipts that came before these ids were known."""
    rows = await connection.fetch(SQL.parked_for, carrier_id, list(operator_ids)) if operator_ids else []
    return [_receipt(row) for row in rows]


async def parked_matches(db: Database, since: datetime, limit: int = 500) -> list[tuple[int, int]]:
    """(id, carrier) of parked receipts that something awaits by now."""
    return [(row["id"], row["carrier_id"]) for row in await db.fetch(SQL.parked_matches, since, limit)]


async def parked_by_phone(db: Database, since: datetime, before: datetime, limit: int = 500) -> list[tuple[int, int]]:
    """(id, carrier) of parked receipts that must be of a part whose answer was lost."""
    return [(row["id"], row["carrier_id"]) for row in await db.fetch(SQL.parked_by_phone, since, before, limit)]


async def unpark(connection: Any, ids: Sequence[int]) -> list[Receipt]:
    """Take parked receipts; whoever deletes the row has it."""
    return [_receipt(row) for row in await connection.fetch(SQL.unpark, list(ids))]


async def forget_parked(db: Database, before: datetime) -> None:
    """Drop receipts that nothing ever awaited."""
    await db.execute(SQL.forget_parked, before)


async def waited_long(connection: Any, before: datetime, limit: int = 500) -> list[Any]:
    """Parts whose receipt is overdue."""
    return list(await connection.fetch(SQL.waited_long, before, limit))


async def wait_longer(connection: Any, rows: Sequence[tuple[int, str, int, int, int]], more: timedelta) -> None:
    """Keep (carrier, operator id, account, message, part) for so much longer."""
    if rows:
        await connection.execute(SQL.wait_longer, *columns(rows), more)


async def stop_waiting(connection: Any, rows: Sequence[tuple[int, str, int, int, int]]) -> None:
    """Forget (carrier, operator id, account, message, part)."""
    if rows:
        await connection.execute(SQL.stop_waiting, *columns(rows))


def _receipt(row: Any) -> Receipt:
    return Receipt(tuple(row["forms"]), row["phone"], State(row["state"]), row["error"], row["at"])
