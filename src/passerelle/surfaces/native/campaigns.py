"""Campaigns: a text to a list or a group, written first, launched later. Those of Primotexto are seen here too.

One rule: a draft may change in everything, a paused campaign in its name and text, any other in nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...domain.campaigns import Fault, Page, Phase
from ...domain.message import Dialect
from ...domain.profile import NATIVE
from ...domain.tokens import hex24, read_hex24, text20
from ...pipeline.campaigns import Seen
from ...pipeline.editing import Editor
from ...store import campaigns as store
from ...store import contacts
from . import shapes
from .calls import Caller, Services, endpoint
from .campaign_drafts import (
    PROFILES,
    Audience,
    CampaignId,
    Changes,
    NewCampaign,
    check_fields,
    drafted,
    given,
    not_kept,
)
from .group_sends import Dropped, left_out
from .problems import Problem, invalid, missing
from .words import ClassWord, DialectWord, dialect, traffic


class PhaseWord(StrEnum):
    """Where a campaign is: not launched; launched and nothing has left; under way; halted; all has left; ended before
    its end; taken back before anything left."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


class ShownPage(msgspec.Struct, kw_only=True):
    """What stands behind `{{link}}`: an address, or a page."""

    url: str | None
    title: str
    html: Annotated[str | None, Meta(description="Null in a list beyond 4 MB of them, from the newest on.")]


class Campaign(msgspec.Struct, kw_only=True):
    """A campaign. What was launched is the submission of it."""

    id: CampaignId
    dialect: DialectWord
    phase: PhaseWord
    name: str
    text: Annotated[str, Meta(description="As it was written, its fields not filled in.")]
    to: Annotated[Audience, Meta(description="Both null: the group was deleted.")]
    traffic: ClassWord = msgspec.field(name="class")
    sender: str
    send_at: Annotated[datetime | None, Meta(description="As asked for.")]
    flash: bool
    page: ShownPage | None
    clean_bounces: bool
    clean_stops: bool
    keep_list: bool
    test_phone: str
    created_at: datetime
    launched_at: datetime | None
    submission: shapes.Id | None
    leaves_at: Annotated[datetime | None, Meta(description="When the first may leave, hours considered.")]
    paused_at: datetime | None
    ended_at: Annotated[datetime | None, Meta(description="When all had left, or it was ended.")]
    contacts: Annotated[int | None, Meta(description="Of the list or group when it was launched.")]
    messages: int | None
    left_out: list[Dropped]
    price: Annotated[shapes.Money | None, Meta(description="What was taken for it; `statistics` tells what went back.")]


# --- calls -----------------------------------------------------------------------------------------------------------


@endpoint("POST", "/campaigns", "campaigns:write", status=201, problems=("refused",))
async def make(services: Services, caller: Caller, body: NewCampaign) -> Campaign:
    """Write a campaign. It is a draft: nothing is sent or charged before it is launched."""
    draft = await drafted(services, caller, given(body), NATIVE)
    try:
        token = await store.insert(services.db, caller.id, Dialect.NATIVE, draft, services.clock.now())
    except store.DraftsFullError:
        full = f"The account has {store.MOST_DRAFTS} drafts and cancelled campaigns, and may have no more: delete some."
        raise Problem("refused", full) from None
    return await _worded(services, caller, await found(services, caller, hex24(token)))


@endpoint("GET", "/campaigns", "campaigns:read")
async def listing(services: Services, caller: Caller, query: shapes.Paging) -> shapes.Page[Campaign]:
    """List campaigns, the newest first."""
    rows = await store.newest(services.db, caller.id, shapes.before(query), query.limit + 1)
    seen = await services.campaigns.seen(rows) if rows else []
    groups = await _groups(services, caller, seen)
    return shapes.page(caller, query, seen, lambda one: campaign(one, groups), lambda one: one.campaign.id)


@endpoint("GET", "/campaigns/{id}", "campaigns:read")
async def one(services: Services, caller: Caller, id: CampaignId) -> Campaign:
    """See a campaign, and where it is."""
    return await _worded(services, caller, await found(services, caller, id))


@endpoint("PATCH", "/campaigns/{id}", "campaigns:write", problems=("refused", "credit", "conflict"))
async def change(services: Services, caller: Caller, id: CampaignId, body: Changes) -> Campaign:
    """Change a campaign. A draft in everything; a paused one in its name and text: whoever was not written to yet gets
    the new text, and the difference in price is settled. Where it may not be for one of them, or the credit is too low,
    nothing changes."""
    seen = await found(services, caller, id)
    if seen.phase is Phase.PAUSED:
        await _edit(services, caller, seen.campaign, given(body))
        return await again(services, caller, id)
    if seen.phase is not Phase.DRAFT:
        raise Problem("conflict", NOT_CHANGED[seen.phase])
    one = seen.campaign
    draft = await drafted(services, caller, given(body), PROFILES[one.dialect], one.draft)
    async with services.db.transaction() as connection:
        changed = await store.change(connection, caller.id, one.id, draft)
    if not changed:
        raise Problem("conflict", "It is being launched.")
    return await _worded(services, caller, await found(services, caller, id))


NOT_EDITED = {
    Fault.NOT_PAUSED: "It is not paused any more: see where it is.",
    Fault.BUSY: "Parts of it are being handed over at this moment: repeat it in some seconds.",
}


async def _edit(services: Services, caller: Caller, one: store.Campaign, members: Mapping[str, Any]) -> None:
    """Write a paused campaign anew. Raises Problem."""
    for name in members.keys() - {"name", "text"}:
        member = "class" if name == "traffic" else name
        raise invalid(f"/{member}", "A paused campaign changes in its `name` and `text` only.")
    name, text = members.get("name", one.name), members.get("text", one.text)
    profile = PROFILES[one.dialect]
    if not name.strip():
        raise invalid("/name", "A campaign has a name.")
    if "text" not in members:  # a new name is no reason to look at the list again, nor to settle anything
        await store.rename(services.db, caller.id, one.id, name)
        return
    await check_fields(services, caller, replace(one.draft, text=text))
    done = await Editor(services.campaigns, services.submitter).edit(caller.account, one, name, text, profile)
    if isinstance(done, list):
        raise not_kept(done)
    if isinstance(done, Fault):
        raise Problem("conflict", NOT_EDITED[done])


@endpoint("DELETE", "/campaigns/{id}", "campaigns:write", problems=("conflict",))
async def delete(services: Services, caller: Caller, id: CampaignId) -> None:
    """Delete a campaign. A draft, or one that was cancelled before anything left."""
    seen = await found(services, caller, id)
    if not await store.delete(services.db, caller.id, seen.campaign.id):
        raise Problem("conflict", "It was launched: its messages and figures stay.")


NOT_CHANGED = {
    Phase.SCHEDULED: "It is launched: pause it, and change its name and text; or cancel it.",
    Phase.SENDING: "It is under way: pause it, and change its name and text.",
    Phase.SENT: "All of it has left.",
    Phase.STOPPED: "It was cancelled.",
    Phase.CANCELLED: "It was cancelled.",
}


# --- words -----------------------------------------------------------------------------------------------------------


async def found(services: Services, caller: Caller, id: str) -> Seen:
    """A campaign of the account. Raises Problem."""
    seen = await services.campaigns.find(caller.id, read_hex24(id))
    if seen is None:
        raise missing("campaign")
    return seen


async def again(services: Services, caller: Caller, id: str) -> Campaign:
    """A campaign as it is now. Raises Problem."""
    return await _worded(services, caller, await found(services, caller, id))


async def _worded(services: Services, caller: Caller, seen: Seen) -> Campaign:
    return campaign(seen, await _groups(services, caller, [seen]))


async def _groups(services: Services, caller: Caller, seen: Iterable[Seen]) -> dict[int, str]:
    """Group -> its token."""
    wanted = {one.campaign.group_id for one in seen if one.campaign.group_id is not None}
    rows = await contacts.groups_of(services.db, caller.id, sorted(wanted)) if wanted else []
    return {one.id: text20(one.token) for one in rows}


def campaign(seen: Seen, groups: Mapping[int, str]) -> Campaign:
    """A campaign in words."""
    one = seen.campaign
    is_launched = one.submission_id is not None
    return Campaign(
        id=hex24(one.token),
        dialect=dialect(one.dialect),
        phase=PhaseWord(seen.phase.value),
        name=one.name,
        text=one.text,
        to=Audience(
            list=None if one.list_token is None else hex24(one.list_token), group=groups.get(one.group_id or 0)
        ),
        traffic=traffic(one.traffic),
        sender=one.sender,
        send_at=one.asked_at,
        flash=one.flash,
        page=_page(one),
        clean_bounces=one.clean_bounces,
        clean_stops=one.clean_stops,
        keep_list=one.keep_list,
        test_phone=one.test_phone,
        created_at=one.created_at,
        launched_at=one.launched_at,
        submission=str(one.submission_id) if is_launched else None,
        leaves_at=one.due_at,
        paused_at=one.paused_at if seen.phase is Phase.PAUSED else None,
        ended_at=one.ended_at,
        contacts=one.contacts if is_launched else None,
        messages=one.messages,
        left_out=left_out(one.left_out),
        price=shapes.money(one.cost) if is_launched else None,
    )


def _page(one: store.Campaign) -> ShownPage | None:
    if one.page == Page.NONE:
        return None
    is_hosted = one.page == Page.HOSTED
    return ShownPage(url=one.url or None, title=one.page_title, html=one.page_html if is_hosted else None)


HANDLERS = [make, listing, one, change, delete]
