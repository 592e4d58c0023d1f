"""Campaigns afterwards: their figures, who was left out, who answered.

One rule: every figure is that of the rows at this moment, tests of a campaign excepted.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ...domain.message import campaign_key
from ...store import campaigns as store
from ...store import listings, statistics
from . import shapes
from .calls import Caller, Services, endpoint
from .campaign_drafts import CampaignId
from .campaigns import found
from .replies import Reply, worded


class Figures(msgspec.Struct, kw_only=True):
    """What became of a campaign."""

    messages: int
    waiting: Annotated[int, Meta(description="Parts not handed over yet.")]
    sent: int
    submitted: int
    delivered: int
    errors: int
    bounced: int
    replies: Annotated[int, Meta(description="Answers that are no opt-out.")]
    complaints: Annotated[int, Meta(description="Reports of unwanted messages.")]
    unsubscribers: Annotated[int, Meta(description="Numbers that answered STOP.")]
    opens: Annotated[int, Meta(description="Visits by people of its links.")]
    openers: Annotated[int, Meta(description="Numbers whose links were visited.")]
    clicks: Annotated[int, Meta(description="Arrivals by people at an address, at once or from its page.")]
    clickers: int
    visits: Annotated[int, Meta(description="Of its page.")]
    seconds_per_visit: Annotated[float | None, Meta(description="Spent on its page; null without a visit.")]
    price: Annotated[shapes.Money, Meta(description="What was taken for it.")]
    refunded: Annotated[shapes.Money, Meta(description="What went back of it.")]


class Skipped(msgspec.Struct, kw_only=True):
    """A contact to whom nothing was sent."""

    phone: Annotated[str, Meta(description="As it was known.", examples=["+33639980001"])]
    reason: Annotated[str, Meta(examples=["opted_out"])]


_COUNTED = (
    "messages", "waiting", "sent", "submitted", "delivered", "errors", "bounced", "replies", "complaints",
    "unsubscribers", "opens", "openers", "clicks", "clickers", "visits",
)  # fmt: skip


@endpoint("GET", "/campaigns/{id}/statistics", "campaigns:read")
async def figures(services: Services, caller: Caller, id: CampaignId) -> Figures:
    """See the figures of a campaign. Of all that was launched; tests are not counted."""
    one = (await found(services, caller, id)).campaign
    counted = await statistics.counters(services.db, caller.id, one.dialect, campaign_key(one.token))
    return Figures(
        **{name: getattr(counted, name) for name in _COUNTED},
        seconds_per_visit=round(counted.seconds / counted.visits, 1) if counted.visits else None,
        price=shapes.money(one.cost),
        refunded=shapes.money(counted.refunded),
    )


@endpoint("GET", "/campaigns/{id}/skipped", "campaigns:read")
async def skipped(services: Services, caller: Caller, id: CampaignId, query: shapes.Paging) -> shapes.Page[Skipped]:
    """List who was left out when a campaign was launched, and why. In the order of the contacts."""
    one = (await found(services, caller, id)).campaign
    cursor = shapes.decode_cursor(query.cursor, int)
    after = -1 if cursor is None else min(int(cursor[0]), 2**31 - 1)
    rows = []
    if one.submission_id is not None:
        rows = await store.skipped(services.db, caller.id, one.submission_id, after, query.limit + 1)
    return shapes.page(
        caller, query, rows, lambda row: Skipped(phone=row.phone, reason=row.reason), lambda row: row.position
    )


@endpoint("GET", "/campaigns/{id}/replies", "campaigns:read")
async def replies(services: Services, caller: Caller, id: CampaignId, query: shapes.Paging) -> shapes.Page[Reply]:
    """List what was answered to a campaign, the newest first, opt-outs included."""
    one = (await found(services, caller, id)).campaign
    key = campaign_key(one.token)
    rows = await listings.replies_tagged(
        services.db, caller.id, one.dialect, key, shapes.before(query), query.limit + 1
    )
    return shapes.page(caller, query, rows, worded, lambda row: row["id"])


HANDLERS = [figures, skipped, replies]
