"""What people ask of the database: how things stand, the life of one message, whether everything is sound.

The one rule: nothing here is on the way of a message, and nothing here changes a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

import asyncpg

from . import statistics
from .database import Database, queries

SQL = queries("inspection")

NUMBERS_BELOW = 1 << 31  # what a dialect calls a message by
IDS_FROM = 1 << 40  # our own ids: the month is in the high bits
PATIENCE = 5.0  # seconds


class Unreachable(Exception):
    """The database does not answer: where, why, and what to do."""


async def reach(url: str) -> None:
    """See that the database answers. Raises Unreachable, without the password of the URL."""
    try:
        connection = await asyncpg.connect(url, timeout=PATIENCE)
        await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise Unreachable(
            f"the database at {place(url)} does not let us in ({str(error) or type(error).__name__}): is it started, "
            "and is PASSERELLE_DATABASE_URL right?"
        ) from None


def place(url: str) -> str:
    """Host and database of a URL, for people."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the given URL"
    name = parts.path.strip("/")
    return f"{parts.hostname or 'the local socket'}{port}{f', database {name}' if name else ''}"


def complaint(error: BaseException) -> str | None:
    """What a person can do about an error of the database; None: it is no such error."""
    if isinstance(error, Unreachable):
        return str(error)
    said = str(error).partition("\n")[0]
    if isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError | asyncpg.UndefinedFunctionError):
        return f"the database is not up to date ({said}): run `passerelle migrate`"
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return f"the user of the database may not do that ({said}): it has to own the tables"
    if isinstance(error, asyncpg.PostgresConnectionError | asyncpg.CannotConnectNowError | asyncpg.AdminShutdownError):
        return f"the database went away ({said}): try again"
    return None


# --- how things stand ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Overview:
    """Rows as the queries name them."""

    queued: list[Any]
    at_operators: list[Any]
    callbacks: list[Any]
    parts_today: int
    cost_today: int  # micro-euros
    parked: int


async def overview(db: Database, midnight: datetime, now: datetime) -> Overview:
    """What waits where, and what left since `midnight` (a full hour)."""
    today = await db.fetchrow(SQL.since, midnight, now)
    return Overview(
        queued=await db.fetch(SQL.queued, now),
        at_operators=await db.fetch(SQL.at_operators),
        callbacks=await db.fetch(SQL.callbacks),
        parts_today=today["parts"],
        cost_today=today["cost"],
        parked=await db.fetchval(SQL.parked),
    )


# --- one message -----------------------------------------------------------------------------------------------------


async def find(db: Database, number: int, limit: int) -> list[tuple[int, int]]:
    """(account, message) of what a dialect calls `number`, or of our own id."""
    if number >= IDS_FROM:
        return [tuple(row) for row in await db.fetch(SQL.by_id, number)]
    if number >= NUMBERS_BELOW:
        return []
    return [tuple(row) for row in await db.fetch(SQL.by_number, number, limit)]


async def states(db: Database, account_id: int, dialect: int, number: int, count: int) -> list[tuple[int, int]]:
    """(phone, state) of the submission that a dialect calls `number`, or of the `count` messages from there on."""
    return [tuple(row) for row in await db.fetch(SQL.states, account_id, dialect, number, count)]


async def find_phone(db: Database, phone: int, limit: int) -> list[tuple[int, int]]:
    """(account, message) to a number, the newest first."""
    return [tuple(row) for row in await db.fetch(SQL.by_phone, phone, limit)]


async def sandboxed(db: Database, number: int, phone: int, limit: int) -> list[Any]:
    """Sandbox sends by any of their names."""
    name = number if number < NUMBERS_BELOW else 0
    return await db.fetch(SQL.sandboxed, name, phone, number, limit)


@dataclass(frozen=True, slots=True)
class Traces:
    """All that the database knows of one message."""

    message: Any
    queue: list[Any]
    awaiting: list[Any]
    events: list[Any]
    replies: list[Any]
    refunds: list[Any]


async def traces(db: Database, account_id: int, message_id: int, now: datetime) -> Traces | None:
    """Everything of a message; None: there is no such row (any more)."""
    message = await db.fetchrow(SQL.message, account_id, message_id)
    if message is None:
        return None
    key = (account_id, message_id)
    return Traces(
        message=message,
        queue=await db.fetch(SQL.queue_of, *key, now),
        awaiting=await db.fetch(SQL.awaiting_of, *key, message["sent_at"] or message["accepted_at"]),
        events=await db.fetch(SQL.events_of, *key),
        replies=await db.fetch(SQL.replies_of, *key),
        refunds=await db.fetch(SQL.refunds_of, *key),
    )


# --- whether it is sound ---------------------------------------------------------------------------------------------


async def server(db: Database) -> Any:
    """Version, the settings that "on disk" hangs on, its clock, the size of the database in bytes."""
    return await db.fetchrow(SQL.server)


async def months(db: Database, wanted: Sequence[datetime]) -> set[str]:
    """Which of these months have partitions, as YYYYMM."""
    return {row[0] for row in await db.fetch(SQL.months, [f"{at:%Y%m}" for at in wanted])}


async def sealed(db: Database) -> tuple[str, bytes] | None:
    """An account and its sealed key, to try the master secret on."""
    row = await db.fetchrow(SQL.sealed)
    return None if row is None else (row["email"], bytes(row["key_sealed"]))


@dataclass(frozen=True, slots=True)
class Miscount:
    """A figure that differs from its recount."""

    account_id: int
    dialect: int
    figure: str
    counted: int
    recounted: int


RECOUNTED = ("messages", "waiting", "sent", "submitted", "delivered", "errors", "bounced", "replies", "complaints")


async def miscounts(db: Database, sample: int, now: datetime) -> tuple[int, list[Miscount]]:
    """How many figures of the `sample` busiest were counted again, and those that differ, all of one snapshot.

    Once a month was dropped, figures of what became of its messages stay: then only less than the recount is wrong.
    """
    wrong: list[Miscount] = []
    async with db.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        snapshot = cast(Database, connection)
        closed = await connection.fetchval(SQL.months_closed)
        busiest = await connection.fetch(SQL.busiest, sample)
        for account_id, dialect in busiest:
            counted = await statistics.counters(snapshot, account_id, dialect)
            again = (await statistics.recount(snapshot, account_id, dialect, "", now)).counters
            for figure in RECOUNTED:
                has, should = getattr(counted, figure), getattr(again, figure)
                if has < should or (has > should and not (closed and figure not in ("messages", "waiting"))):
                    wrong.append(Miscount(account_id, dialect, figure, has, should))
    return len(busiest) * len(RECOUNTED), wrong
