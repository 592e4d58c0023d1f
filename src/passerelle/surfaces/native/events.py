"""Events that could not be delivered: given up after two days of attempts, and kept to be posted again.

One rule: what is posted again keeps its id and its words, so that a receiver sees that it is the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from ...domain.event_types import type_of
from ...store import events as store
from ...store.events import GivenUp
from . import shapes
from .calls import Caller, Services, endpoint

MOST = 10_000  # events that one call posts again


class Event(msgspec.Struct, kw_only=True):
    """A notification that was given up."""

    id: shapes.Id
    webhook_id: Annotated[str, Meta(description="The header `webhook-id`, the same at every attempt.")]
    type: Annotated[str, Meta(examples=["message.delivered"])]
    message: shapes.Id | None
    at: datetime
    url: str
    body: Annotated[str, Meta(description="As it is posted.")]
    attempts: int
    error: Annotated[str, Meta(description="Of the last attempt.")]


class Replay(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which events."""

    ids: Annotated[
        list[Annotated[str, Meta(max_length=20)]] | None,
        Meta(description="These; null: all that were given up, up to 10,000."),
    ] = None


class Replayed(msgspec.Struct, kw_only=True):
    """What was done."""

    events: Annotated[int, Meta(description="How many are on their way again.")]


@endpoint("GET", "/events", "webhooks:read")
async def listing(services: Services, caller: Caller, query: shapes.Paging) -> shapes.Page[Event]:
    """List the events that were given up, the newest first. Of every dialect, and of the endpoints."""
    rows = await store.given_up(services.db, caller.id, shapes.before(query), query.limit + 1)
    return shapes.page(caller, query, rows, _worded, lambda row: row.id)


@endpoint("POST", "/events/replay", "webhooks:write")
async def replay(services: Services, caller: Caller, body: Replay) -> Replayed:
    """Post events again, with all their attempts."""
    if body.ids is None:
        ids = [row.id for row in await store.given_up(services.db, caller.id, limit=MOST)]
    else:
        ids = sorted({shapes.number(one) for one in body.ids})
    return Replayed(events=await store.replay(services.db, caller.id, ids, services.clock.now()))


def _worded(row: GivenUp) -> Event:
    return Event(
        id=str(row.id),
        webhook_id=row.uuid,
        type=type_of(row.kind),
        message=str(row.message_id) if row.message_id else None,
        at=row.at,
        url=row.url,
        body=row.body,
        attempts=row.attempts,
        error=row.error,
    )


HANDLERS = [listing, replay]
