"""Figures of messages: what each batch adds, how it is folded, what is read.

The one rule: every figure read equals a recount of the rows at that moment. The pipeline writes deltas by these
definitions, in the transaction that changes the rows:

messages    message rows stored
waiting     rows of the queue with no attempt yet: +parts when accepted; -1 when the first submit of a part was begun,
            or when the part becomes final before
sent        messages with `sent_at`;  submitted: with `submitted_at`;  delivered: with `delivered_at`
bounced     messages with `sent_at` and `bounced_at`, without `delivered_at`
errors      messages with `sent_at` and `failed_at`, without `bounced_at` and `delivered_at`; so a message that is
            delivered after all leaves errors or bounced by a delta of -1
replies     reply rows that are no STOP and answer a message of the dialect
complaints  messages with `spam`
parts, cost of messages whose sending time (`submission.due_at`) is past: parts - refunded_parts, price - refunded.
            A delta carries the sending time as `at` with +parts at acceptance and -parts at a refund; other figures
            count whatever their `at`
opens       visits by people of a short link;  clicks: their arrivals at an address, at once or from a page of ours
visits      opens of pages of ours, on which `seconds` were spent
refunded    micro-euros that went back
unsubscribers, openers, clickers    distinct numbers (figures of `add_distinct`)

The tag '' stands for all of the dialect but tests. Tests of campaigns have the tag `TESTS`, messages of a campaign that
of `campaign_key`: tags that nobody can give. Parts and cost by hour are of tests too: they are paid for. Sandbox sends
are in no figure.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec

from .database import Database, queries

_SQL = queries("statistics")


class Figure(enum.IntEnum):
    """What counts each number once; the numbers are stored."""

    UNSUBSCRIBERS = 1
    OPENERS = 2
    CLICKERS = 3


class Delta(msgspec.Struct, frozen=True):
    """What a batch changes for one account, dialect, tag and sending time. Cost in micro-euros."""

    account_id: int
    dialect: int
    tag_key: str
    at: datetime
    messages: int = 0
    waiting: int = 0
    parts: int = 0
    cost: int = 0
    sent: int = 0
    submitted: int = 0
    delivered: int = 0
    errors: int = 0
    bounced: int = 0
    replies: int = 0
    complaints: int = 0
    opens: int = 0
    clicks: int = 0
    visits: int = 0
    seconds: int = 0
    refunded: int = 0


class Counters(msgspec.Struct, frozen=True):
    """The figures of a dialect or of one tag."""

    messages: int = 0
    waiting: int = 0
    sent: int = 0
    submitted: int = 0
    delivered: int = 0
    errors: int = 0
    bounced: int = 0
    replies: int = 0
    complaints: int = 0
    opens: int = 0
    clicks: int = 0
    visits: int = 0
    seconds: int = 0
    refunded: int = 0
    unsubscribers: int = 0
    openers: int = 0
    clickers: int = 0


class Recount(msgspec.Struct, frozen=True):
    """The same figures counted again from the rows."""

    counters: Counters
    parts: int
    cost: int


_columns = attrgetter(*Delta.__struct_fields__)


async def insert(conn: Any, deltas: Iterable[Delta]) -> None:
    """Write the deltas of a batch, in its transaction."""
    rows = [_columns(delta) for delta in deltas]
    if rows:
        await conn.execute(_SQL.insert, *zip(*rows, strict=True))


async def fold(db: Database, now: datetime, limit: int = 5000) -> int:
    """Add up to `limit` deltas of the past to the totals, and so many of what is to come, whose parts and cost wait for
    their time; returns how many in all. Any number of folders may run at once."""
    folded: int = await db.fetchval(_SQL.fold, now, limit)
    return folded


async def counters(db: Database, account_id: int, dialect: int, tag_key: str = "") -> Counters:
    """The figures of a tag; '' = all of the dialect."""
    return Counters(*await db.fetchrow(_SQL.counters, account_id, dialect, tag_key))


async def unsubscribers_of_all(db: Database, account_id: int, dialect: int) -> int:
    """Distinct numbers of which a STOP came, in answer to tests too."""
    return int(await db.fetchval(_SQL.unsubscribers_of_all, account_id, dialect))


async def cost_rows(
    db: Database, account_id: int, dialect: int, boundaries: Sequence[datetime], now: datetime
) -> list[tuple[int, int]]:
    """(parts, cost in micro-euros) of what left in [boundary, next boundary), for each pair. Boundaries: full hours."""
    rows = await db.fetch(_SQL.cost_rows, account_id, dialect, boundaries, now)
    return [(parts, cost) for parts, cost in rows]


async def waiting_parts(db: Database, account_id: int, dialect: int) -> int:
    """Parts accepted and not yet handed over."""
    return int(await db.fetchval(_SQL.waiting_parts, account_id, dialect))


async def tag_messages(db: Database, account_id: int, dialect: int, tag_key: str) -> int:
    """Messages stored under a tag."""
    return int(await db.fetchval(_SQL.tag_messages, account_id, dialect, tag_key))


async def add_distinct(conn: Any, rows: Iterable[tuple[int, int, int, str, int]]) -> None:
    """Count numbers once: (account, dialect, figure, tag_key, phone), for the tag and for all of the dialect."""
    wanted = list(rows)
    if wanted:
        await conn.execute(_SQL.add_distinct, *zip(*wanted, strict=True))


async def distinct(db: Database, account_id: int, dialect: int, figure: Figure, tag_key: str = "") -> int:
    """How many numbers a distinct figure has."""
    counted: int = await db.fetchval(_SQL.distinct, account_id, dialect, figure, tag_key)
    return counted


async def recount(db: Database, account_id: int, dialect: int, tag_key: str, now: datetime) -> Recount:
    """Every figure from the rows themselves, for tests and for `doctor`."""
    *figures, parts, cost = await db.fetchrow(_SQL.recount, account_id, dialect, tag_key, now)
    return Recount(Counters(*figures), parts, cost)
