"""Endpoints of webhooks and their deliveries as rows.

One rule: an endpoint that is removed or disabled gets nothing more; what was delivered is kept for some days, to be
looked at and posted again.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from .database import Database, columns, queries
from .events import endpoint_of

_SQL = queries("webhooks")

NEWEST = 2**63 - 1


class Endpoint(msgspec.Struct, frozen=True):
    """Where events of an account go. `previous_until`: until then the secret before signs too."""

    id: int
    account_id: int
    url: str
    description: str
    events: list[str]
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str
    previous_until: datetime | None


class DeliveryState(enum.IntEnum):
    """What came of an event for an endpoint; the numbers are stored."""

    WAITING = 0
    GIVEN_UP = 1
    DELIVERED = 2


class Tried(NamedTuple):
    """The last attempt of an event. `status` 0: no answer."""

    account_id: int
    endpoint_id: int
    uuid: str
    message_id: int
    kind: int
    at: datetime
    body: str
    attempts: int
    status: int
    error: str
    state: DeliveryState
    tried_at: datetime
    next_at: datetime | None


class Delivery(msgspec.Struct, frozen=True):
    """The same as kept."""

    id: int
    uuid: str
    message_id: int
    kind: int
    at: datetime
    body: str
    attempts: int
    status: int
    error: str
    state: int
    tried_at: datetime
    next_at: datetime | None


async def insert(
    db: Database,
    account_id: int,
    url: str,
    description: str,
    events: Sequence[str],
    secret_sealed: bytes,
    now: datetime,
) -> Endpoint:
    """A new endpoint."""
    return Endpoint(*await db.fetchrow(_SQL.insert, account_id, url, description, events, secret_sealed, now))


async def count(db: Database, account_id: int) -> int:
    """How many endpoints an account has."""
    found: int = await db.fetchval(_SQL.count, account_id)
    return found


async def listing(db: Database, account_id: int, before: int = NEWEST, limit: int = 500) -> list[Endpoint]:
    """Endpoints with an id below `before`, the newest first."""
    return [Endpoint(*row) for row in await db.fetch(_SQL.listing, account_id, before, limit)]


async def find(db: Database, account_id: int, endpoint_id: int) -> Endpoint | None:
    """An endpoint of an account."""
    return _endpoint(await db.fetchrow(_SQL.find, account_id, endpoint_id))


async def update(
    db: Database,
    account_id: int,
    endpoint_id: int,
    url: str,
    description: str,
    events: Sequence[str],
    enabled: bool,
    now: datetime,
) -> Endpoint | None:
    """Change an endpoint; as it is then."""
    row = await db.fetchrow(_SQL.update, account_id, endpoint_id, url, description, events, enabled, now)
    return _endpoint(row)


async def remove(db: Database, account_id: int, endpoint_id: int, now: datetime) -> bool:
    """Whether there was such an endpoint; what waited for it is forgotten."""
    return bool(await db.fetchval(_SQL.remove, account_id, endpoint_id, now))


async def disable(db: Database, endpoint_id: int, why: str, now: datetime) -> None:
    """Post nothing more there."""
    await db.execute(_SQL.disable, endpoint_id, now, why)


async def rotate(
    db: Database, account_id: int, endpoint_id: int, secret_sealed: bytes, previous_until: datetime
) -> bool:
    """A new secret; the one before stays valid beside it for a while. Whether there is such an endpoint."""
    done = await db.execute(_SQL.rotate, account_id, endpoint_id, secret_sealed, previous_until)
    return done == "UPDATE 1"


async def secrets(db: Database, endpoint_id: int, now: datetime) -> list[bytes]:
    """What signs at `now`, sealed, the newest first; nothing where there is no such endpoint."""
    row = await db.fetchrow(_SQL.secrets, endpoint_id, now)
    return [bytes(one) for one in row or () if one is not None]


async def of_accounts(db: Any, account_ids: Sequence[int]) -> list[Any]:
    """(account, endpoint, URL, event filters) of all endpoints that are to hear something."""
    return [tuple(row) for row in await db.fetch(_SQL.of_accounts, account_ids)]


async def log(db: Database, tried: Sequence[Tried]) -> None:
    """Note attempts."""
    last = {(one.account_id, one.endpoint_id, one.uuid): one for one in tried}
    if last:
        await db.execute(_SQL.log, *columns([last[key] for key in sorted(last)]))


async def deliveries(
    db: Database, account_id: int, endpoint_id: int, states: Sequence[int], before: int = NEWEST, limit: int = 100
) -> list[Delivery]:
    """What was tried, with an id below `before`, the newest first."""
    rows = await db.fetch(_SQL.deliveries, account_id, endpoint_id, before, states, limit)
    return [Delivery(*row) for row in rows]


async def replay(
    db: Database,
    endpoint: Endpoint,
    now: datetime,
    *,
    ids: Sequence[int] | None = None,
    since: datetime | None = None,
    states: Sequence[int] = (),
    limit: int = 10_000,
) -> int:
    """Post deliveries again: these, or those since a time in these states; how many are on their way."""
    place, key = endpoint_of(endpoint.url), (endpoint.account_id, endpoint.id)
    done: int = await db.fetchval(_SQL.replay, *key, now, ids, since, limit, place, states)
    return done


async def forget_deliveries(db: Database, before: datetime, limit: int = 2000) -> int:
    """Drop what was last tried before; how many."""
    return int((await db.execute(_SQL.forget_deliveries, before, limit)).split()[-1])


def _endpoint(row: Any) -> Endpoint | None:
    return None if row is None else Endpoint(*row)
