"""Notifications to customers as rows: written with what they tell of, leased to be posted, deleted once delivered.

The one rule: events of one message to one endpoint leave in the order of their ids, each only when the one before is
delivered or given up. Whoever inserts for a message holds the lock of its row, so that two transactions cannot miss
each other.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
import uuid_utils

from .database import Database, queries

_SQL = queries("events")

LEASE = 60.0
"""Seconds for which a leased event belongs to one process."""

NEWEST = 2**63 - 1


class NewEvent(msgspec.Struct, frozen=True):
    """What a customer is to be told. `message_id` 0: about no message. `body`: as it will be sent. `endpoint_id`: of a
    webhook; 0: the URL of a dialect. `kind`: an EventKind, or 0: a ping."""

    account_id: int
    message_id: int
    kind: int
    at: datetime
    url: str
    content_type: str
    body: str
    endpoint_id: int = 0


class Leased(msgspec.Struct, frozen=True):
    """An event to post. `attempts`: made before this one. `deadline`: monotonic seconds, then it is somebody else's."""

    id: int
    uuid: str
    account_id: int
    message_id: int
    kind: int
    at: datetime
    endpoint: str
    url: str
    content_type: str
    body: str
    attempts: int
    deadline: float
    endpoint_id: int = 0


class Failed(NamedTuple):
    """An attempt in vain. `attempts` includes it; no `next_at`: given up, kept for replay."""

    id: int
    attempts: int
    next_at: datetime | None
    error: str


class GivenUp(msgspec.Struct, frozen=True):
    """An event that was posted in vain for two days."""

    id: int
    uuid: str
    account_id: int
    message_id: int
    kind: int
    at: datetime
    url: str
    body: str
    attempts: int
    error: str


_ORIGIN = re.compile(r"[^/?#]*(?://)?[^/?#]*")
_PORTS = {"http": 80, "https": 443}


def endpoint_of(url: str) -> str:
    """`scheme://host:port` of a URL: what is slow or dead as a whole."""
    found = _ORIGIN.match(url)
    return _endpoint(found[0] if found else url)


@lru_cache(maxsize=10_000)
def _endpoint(origin: str) -> str:
    try:
        split = urlsplit(origin)
        port = split.port or _PORTS.get(split.scheme, 0)
    except ValueError:
        return origin
    return f"{split.scheme}://{split.hostname or ''}:{port}"


async def insert(conn: Any, events: Sequence[NewEvent], now: datetime, lease_seconds: float = LEASE) -> list[Leased]:
    """Write events in the caller's transaction; those to be posted at once, by this process, after its commit.

    An event behind another of its message is not among them: it is due when that one has ended.
    """
    if not events:
        return []
    deadline = time.monotonic() + lease_seconds
    known = {str(uuid_utils.uuid7()): event for event in events}
    rows = await conn.fetch(_SQL.insert, *_columns(known), now, timedelta(seconds=lease_seconds))
    return [_leased(id_, uuid, known[uuid], deadline) for id_, uuid, leased in rows if leased]


def _columns(known: dict[str, NewEvent]) -> Iterable[Sequence[Any]]:
    seen: set[tuple[int, int, int]] = set()
    rows = []
    for uuid, e in known.items():
        key = (e.account_id, e.message_id, e.endpoint_id)
        first = e.message_id == 0 or key not in seen
        seen.add(key)
        place = endpoint_of(e.url)
        rows.append(
            (uuid, e.account_id, e.message_id, e.kind, e.at, place, e.url, e.content_type, e.body, first, e.endpoint_id)
        )
    return zip(*rows, strict=True)


def _leased(id_: int, uuid: str, e: NewEvent, deadline: float) -> Leased:
    place = endpoint_of(e.url)
    return Leased(
        id_, uuid, e.account_id, e.message_id, e.kind, e.at, place, e.url, e.content_type, e.body, 0, deadline,
        e.endpoint_id,
    )  # fmt: skip


async def lease(
    db: Database, now: datetime, limit: int, busy_endpoints: Sequence[str] = (), lease_seconds: float = LEASE
) -> list[Leased]:
    """Up to `limit` events that are due, the oldest first, none of `busy_endpoints`."""
    deadline = time.monotonic() + lease_seconds
    rows = await db.fetch(_SQL.lease, now, limit, busy_endpoints, timedelta(seconds=lease_seconds))
    return sorted((Leased(*(*row[:-1], deadline, row[-1])) for row in rows), key=lambda event: event.id)


async def delivered(db: Database, ids: Sequence[int]) -> int:
    """Delete what was delivered; returns how many messages have another event to tell."""
    waiting: int = await db.fetchval(_SQL.delivered, ids)
    return waiting


async def failed(db: Database, rows: Sequence[Failed]) -> None:
    """Put off, or give up, what could not be delivered."""
    await db.execute(_SQL.failed, *zip(*rows, strict=True))


async def drop_progress(conn: Any, messages: Iterable[tuple[int, int]]) -> None:
    """Forget SENT and SUBMITTED of (account, message) not posted yet: their final state is recorded now.

    Call it before `insert` of the final event, in the transaction that holds the lock of the message.
    """
    keys = sorted(set(messages))
    if keys:
        await conn.execute(_SQL.drop_progress, *zip(*keys, strict=True))


async def replay(db: Database, account_id: int, ids: Sequence[int], now: datetime) -> int:
    """Post given-up events again, with all their attempts; how many there were."""
    done = await db.execute(_SQL.replay, account_id, ids, now)
    return int(done.split()[-1])


async def given_up(db: Database, account_id: int, before: int = NEWEST, limit: int = 100) -> list[GivenUp]:
    """The given-up events of an account with an id below `before`, the newest first."""
    return [GivenUp(*row) for row in await db.fetch(_SQL.given_up, account_id, before, limit)]
