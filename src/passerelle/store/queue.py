"""The queue: one row a part, leased by a bind, deleted at the outcome.

A lease is committed before any byte leaves, so it is also the mark "about to be submitted": after a crash, what is
leased is exactly what may have left.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from ..domain.message import Lane
from .database import Database, columns, queries

SQL = queries("queue")


class Part(NamedTuple):
    """Names a part: account, message, number of the part from 1."""

    account_id: int
    message_id: int
    part: int


class Held(NamedTuple):
    """Names a part and the lease it was given out under."""

    account_id: int
    message_id: int
    part: int
    lease_until: datetime | None


class Requeued(NamedTuple):
    """A part that is submitted again at `due_at`; `valid_until` only where that changes too."""

    account_id: int
    message_id: int
    part: int
    due_at: datetime
    attempts: int
    uncertain: bool
    valid_until: datetime | None = None


async def lease(
    db: Database, carrier_id: int, slots: int, others: int, now: datetime, lease: timedelta, owner: UUID
) -> list[Any]:
    """Lease up to `slots` due parts, the first lanes first, of each the oldest; `others` at most that are no codes. A
    transaction of its own.

    Rows of the part, its text (`shared_text` where the message has none of its own), its recipient, the state of its
    message, and whether the recipient is on the stop list.
    """
    return await db.fetch(SQL.lease, carrier_id, slots, others, now, lease, owner)


async def remove(connection: Any, parts: Sequence[Part]) -> None:
    """Delete rows at their outcome."""
    if parts:
        await connection.execute(SQL.remove, *columns(parts))


class Taken(NamedTuple):
    """The only part of a message, taken at the first attempt. `operator_id` in its canonical spelling."""

    account_id: int
    message_id: int
    begun_at: datetime
    at: datetime
    dialect: int
    tag_key: str
    operator_id: str
    submission_id: int
    phone: int


async def record_taken(db: Database, carrier_id: int, owner: UUID, rows: Sequence[Taken], hour: datetime) -> bool:
    """Write down the common outcome, in a transaction of its own; whether there is more to it: a receipt was here
    before, or a part was not ours any more."""
    return bool(await db.fetchval(SQL.record_taken, carrier_id, owner, *columns(rows), hour))


async def held(connection: Any, parts: Sequence[Held], owner: UUID) -> set[Part]:
    """Lock rows that `owner` still holds, under the same leases."""
    return {Part(*row) for row in await connection.fetch(SQL.held, *columns(parts), owner)} if parts else set()


async def remove_unleased(connection: Any, keys: Sequence[tuple[int, int]]) -> list[Any]:
    """Delete what nobody holds of (account, message): rows of account_id, message_id, part, attempts."""
    return list(await connection.fetch(SQL.remove_unleased, *columns(keys))) if keys else []


async def remove_uncertain(connection: Any, parts: Sequence[Part]) -> None:
    """Delete rows of lost answers that were found again, unless they are on their way already."""
    if parts:
        await connection.execute(SQL.remove_uncertain, *columns(parts))


async def requeue(connection: Any, parts: Sequence[Requeued]) -> None:
    """Give parts back, to be submitted at another time."""
    if parts:
        await connection.execute(SQL.requeue, *columns(parts))


async def release(connection: Any, parts: Sequence[Part]) -> None:
    """Give parts that are `held` back as they were: nothing of them has left."""
    if parts:
        await connection.execute(SQL.release, *columns(parts))


async def park(connection: Any, parts: Sequence[Part]) -> None:
    """Put parts that are `held` where nobody leases them."""
    if parts:
        await connection.execute(SQL.park, *columns(parts))


async def park_some(connection: Any, account_id: int, first: int, end: int, limit: int) -> int:
    """The same with rows of the messages `first` to `end` that nobody holds; how many."""
    return _count(await connection.execute(SQL.park_some, account_id, first, end, limit))


async def unpark_some(
    connection: Any, account_id: int, first: int, end: int, limit: int, lane: int, due_at: datetime, validity: timedelta
) -> int:
    """Let parked rows of the messages `first` to `end` leave, from `due_at` on; how many."""
    return _count(await connection.execute(SQL.unpark_some, account_id, first, end, limit, lane, due_at, validity))


async def put_off(
    db: Database,
    account_id: int,
    submission_id: int,
    region: str,
    now: datetime,
    opens: datetime,
    validity: timedelta,
    limit: int,
) -> int:
    """Let mainland mobiles of a submission wait for the next opening, many at once; how many."""
    asked = (account_id, submission_id, region, now, opens, validity, Lane.BULK, limit)
    return _count(await db.execute(SQL.put_off, *asked))


async def waiting_messages(connection: Any, account_id: int, first: int, end: int, limit: int) -> list[int]:
    """Messages from `first` to `end` that have parts which nobody holds."""
    return [row[0] for row in await connection.fetch(SQL.waiting_messages, account_id, first, end, limit)]


async def any_leased(connection: Any, account_id: int, first: int, end: int) -> bool:
    """Whether parts of the messages `first` to `end` are being handed over."""
    return bool(await connection.fetchval(SQL.any_leased, account_id, first, end))


async def any_left(db: Any, account_id: int, first: int, end: int) -> bool:
    """Whether the messages `first` to `end` have parts in the queue."""
    return bool(await db.fetchval(SQL.any_left, account_id, first, end))


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])


async def rescue(connection: Any, carrier_ids: Sequence[int], now: datetime) -> list[Any]:
    """Lock the rows whose lease is over: whether they left is unknown."""
    return list(await connection.fetch(SQL.rescue, list(carrier_ids), now))


async def overdue(db: Database, carrier_ids: Sequence[int], now: datetime) -> list[Any]:
    """Parts whose validity is over and that nobody holds."""
    return await db.fetch(SQL.overdue, list(carrier_ids), now, now)


async def carriers_in_use(db: Database) -> list[int]:
    """Carriers that parts are queued for, configured or not."""
    return [row["carrier_id"] for row in await db.fetch(SQL.carriers_in_use)]


async def depth(db: Database, now: datetime) -> list[Any]:
    """What is due: rows of carrier_id, lane, parts, oldest."""
    return await db.fetch(SQL.depth, now)
