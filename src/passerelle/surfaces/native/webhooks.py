"""Webhooks: endpoints that hear what happens in every dialect of the account, and what was delivered to them.

One rule: an event keeps its `webhook-id` however often it is posted; each endpoint signs with a secret of its own
(Standard Webhooks), and after a rotation the old one signs beside it for a day.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from ...domain.event_types import ENDS, TYPES, is_filter, type_of
from ...domain.urls import LONGEST, is_http
from ...pipeline.webhooks import BOTH_VALID, MOST
from ...store import webhooks as store
from ...store.webhooks import Delivery as Kept
from ...store.webhooks import DeliveryState
from ...store.webhooks import Endpoint as Known
from . import shapes
from .calls import Caller, Services, endpoint
from .problems import Problem, invalid, missing

Url = Annotated[str, Meta(max_length=LONGEST, description="http or https.", examples=["https://shop.example/hook"])]
Filters = Annotated[
    list[Annotated[str, Meta(max_length=40)]],
    Meta(min_length=1, max_length=40, description=f"Types, `message.*`, or `*`. Types: {', '.join(TYPES.values())}."),
]
Description = Annotated[str, Meta(max_length=200, description="For people.")]


class WebhookEndpoint(msgspec.Struct, kw_only=True):
    """Where events go."""

    id: shapes.Id
    url: str
    description: str
    events: list[str]
    enabled: bool
    disabled_at: datetime | None
    disabled_why: str
    created_at: datetime
    old_secret_until: Annotated[datetime | None, Meta(description="Until then the secret before signs too.")]


class NewEndpoint(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An endpoint to be made."""

    url: Url
    events: Filters = msgspec.field(default_factory=lambda: list(ENDS))
    description: Description = ""


class EndpointChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to be otherwise; what is left out stays."""

    url: Url | None = None
    events: Filters | None = None
    description: Description | None = None
    enabled: Annotated[bool | None, Meta(description="False: post nothing more; true: begin again.")] = None


class Secret(msgspec.Struct, kw_only=True):
    """What signs; it is shown this once."""

    secret: Annotated[str, Meta(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])]
    old_secret_until: datetime


class MadeEndpoint(WebhookEndpoint, kw_only=True):
    """A new endpoint, with its secret."""

    secret: Annotated[str, Meta(description="Signs what goes there (Standard Webhooks): it is shown this once.")]


class Outcome(StrEnum):
    """What came of a delivery."""

    WAITING = "waiting"
    GIVEN_UP = "given_up"
    DELIVERED = "delivered"


class Delivery(msgspec.Struct, kw_only=True):
    """An event as it was posted."""

    id: shapes.Id
    webhook_id: Annotated[str, Meta(description="The header `webhook-id`.")]
    type: str
    message: shapes.Id | None
    at: Annotated[datetime, Meta(description="Of the event.")]
    state: Outcome
    attempts: int
    status: Annotated[int | None, Meta(description="The HTTP status of the last answer; null: none came.")]
    error: str
    tried_at: datetime
    next_at: datetime | None
    body: str


class Deliveries(shapes.Paging, kw_only=True, forbid_unknown_fields=True):
    """Which deliveries."""

    state: Annotated[list[Outcome], Meta(description="Only these.")] = msgspec.field(default_factory=list)


class DeliverAgain(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which deliveries are to be posted again: some, or all since a time."""

    ids: Annotated[list[Annotated[str, Meta(max_length=20)]], Meta(max_length=500)] | None = None
    since: Annotated[shapes.When | None, Meta(description="All since then, in one of the states.")] = None
    state: Annotated[list[Outcome], Meta(min_length=1)] = msgspec.field(
        default_factory=lambda: [Outcome.WAITING, Outcome.GIVEN_UP]
    )


class DeliveredAgain(msgspec.Struct, kw_only=True):
    """What was done."""

    deliveries: Annotated[int, Meta(description="How many are on their way again.")]


@endpoint("GET", "/webhooks", "webhooks:read")
async def listing(services: Services, caller: Caller, query: shapes.Paging) -> shapes.Page[WebhookEndpoint]:
    """List the endpoints, the newest first."""
    rows = await store.listing(services.db, caller.id, shapes.before(query), query.limit + 1)
    return shapes.page(caller, query, rows, _worded, lambda row: row.id)


@endpoint("POST", "/webhooks", "webhooks:write", status=201, problems=("conflict",))
async def make(services: Services, caller: Caller, body: NewEndpoint) -> MadeEndpoint:
    """Make an endpoint. Without `events` it hears of everything but the steps before the end of a message."""
    _check(body.url, body.events)
    if await store.count(services.db, caller.id) >= MOST:
        raise Problem("conflict", f"An account has at most {MOST} endpoints: remove one first.")
    made, secret = await services.webhooks.create(
        caller.id, body.url, body.events, services.clock.now(), body.description
    )  # fmt: skip
    return MadeEndpoint(**msgspec.structs.asdict(_worded(made)), secret=secret)


@endpoint("GET", "/webhooks/{id}", "webhooks:read")
async def one(services: Services, caller: Caller, id: str) -> WebhookEndpoint:
    """See an endpoint."""
    return _worded(await _found(services, caller, id))


@endpoint("PATCH", "/webhooks/{id}", "webhooks:write")
async def change(services: Services, caller: Caller, id: str, body: EndpointChange) -> WebhookEndpoint:
    """Change an endpoint, or switch it off and on. One that answered 410 was switched off by itself."""
    known = await _found(services, caller, id)
    url = known.url if body.url is None else body.url
    events = known.events if body.events is None else sorted(set(body.events))
    _check(url, events)
    description = known.description if body.description is None else body.description
    enabled = known.disabled_at is None if body.enabled is None else body.enabled
    now = services.clock.now()
    changed = await store.update(services.db, caller.id, known.id, url, description, events, enabled, now)
    if changed is None:
        raise missing("endpoint")
    return _worded(changed)


@endpoint("DELETE", "/webhooks/{id}", "webhooks:write")
async def remove(services: Services, caller: Caller, id: str) -> None:
    """Remove an endpoint. What waits for it is forgotten."""
    if not await store.remove(services.db, caller.id, shapes.number(id), services.clock.now()):
        raise missing("endpoint")


@endpoint("POST", "/webhooks/{id}/secret", "webhooks:write")
async def rotate(services: Services, caller: Caller, id: str) -> Secret:
    """Make a new secret for an endpoint. For a day both sign, so that the receiver can change over."""
    now = services.clock.now()
    secret = await services.webhooks.rotate(caller.id, shapes.number(id), now)
    if secret is None:
        raise missing("endpoint")
    return Secret(secret=secret, old_secret_until=now + BOTH_VALID)


@endpoint("POST", "/webhooks/{id}/ping", "webhooks:write", problems=("conflict",))
async def ping(services: Services, caller: Caller, id: str) -> None:
    """Post a test event to an endpoint. It has the type `ping`; its delivery is listed within seconds."""
    known = await _found(services, caller, id)
    if known.disabled_at is not None:
        raise Problem("conflict", "The endpoint is switched off: switch it on first.")
    await services.webhooks.ping(known, services.clock.now())


@endpoint("GET", "/webhooks/{id}/deliveries", "webhooks:read")
async def deliveries(services: Services, caller: Caller, id: str, query: Deliveries) -> shapes.Page[Delivery]:
    """List what was posted to an endpoint, the newest first. It is kept for some days."""
    known = await _found(services, caller, id)
    states = [DeliveryState[one.name] for one in query.state or Outcome]
    rows = await store.deliveries(services.db, caller.id, known.id, states, shapes.before(query), query.limit + 1)
    return shapes.page(caller, query, rows, _delivery, lambda row: row.id)


@endpoint("POST", "/webhooks/{id}/replay", "webhooks:write")
async def replay(services: Services, caller: Caller, id: str, body: DeliverAgain) -> DeliveredAgain:
    """Post deliveries again. Those named, or all since a time that did not arrive, up to 10,000."""
    known = await _found(services, caller, id)
    if (body.ids is None) == (body.since is None):
        raise invalid("", "Give either `ids` or `since`.")
    ids = None if body.ids is None else sorted({shapes.number(one) for one in body.ids})
    states = [DeliveryState[one.name] for one in body.state]
    now = services.clock.now()
    return DeliveredAgain(
        deliveries=await store.replay(services.db, known, now, ids=ids, since=body.since, states=states)
    )


def _check(url: str, filters: list[str]) -> None:
    if not is_http(url):
        raise invalid("/url", f"Give an http:// or https:// URL of at most {LONGEST:,} characters.")
    for place, one in enumerate(filters):
        if not is_filter(one):
            raise invalid(f"/events/{place}", f"There is no such type; there are: {', '.join(TYPES.values())}.")


async def _found(services: Services, caller: Caller, id: str) -> Known:
    known = await store.find(services.db, caller.id, shapes.number(id))
    if known is None:
        raise missing("endpoint")
    return known


def _worded(known: Known) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=str(known.id),
        url=known.url,
        description=known.description,
        events=known.events,
        enabled=known.disabled_at is None,
        disabled_at=known.disabled_at,
        disabled_why=known.disabled_why,
        created_at=known.created_at,
        old_secret_until=known.previous_until,
    )


def _delivery(row: Kept) -> Delivery:
    return Delivery(
        id=str(row.id),
        webhook_id=row.uuid,
        type=type_of(row.kind),
        message=str(row.message_id) if row.message_id else None,
        at=row.at,
        state=Outcome[DeliveryState(row.state).name],
        attempts=row.attempts,
        status=row.status or None,
        error=row.error,
        tried_at=row.tried_at,
        next_at=row.next_at,
        body=row.body,
    )


HANDLERS = [listing, make, one, change, remove, rotate, ping, deliveries, replay]
