"""Campaigns as they are written: what goes in, and what is wrong with it. `campaigns.py` has the calls.

One rule: a draft that is kept can be launched, but for its time, the balance and who is left by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ...domain.campaigns import LARGEST_PAGE, LONGEST_NAME, LONGEST_TITLE, Page, unknown_fields
from ...domain.links import is_target
from ...domain.message import Dialect, TrafficClass
from ...domain.profile import NATIVE, PRIMOTEXTO, Profile
from ...domain.reasons import Finding, Reason
from ...domain.tokens import read_hex24
from ...pipeline.audience import of_group, of_list
from ...pipeline.campaigns import PAST
from ...store import lists
from ...store.campaigns import Draft
from . import reasons, shapes
from .calls import Caller, Services
from .contacts import Token, group_of
from .problems import Problem, invalid
from .sending import FARTHEST
from .words import ClassWord

CampaignId = Annotated[
    str,
    Meta(description="24 hexadecimal digits; also those of Primotexto.", examples=["56fa3cd56004e52d55333d87"]),
]
Url = Annotated[str, Meta(max_length=2_048, description="Begins with http:// or https://; ASCII.")]

PROFILES: dict[int, Profile] = {Dialect.NATIVE: NATIVE, Dialect.PRIMOTEXTO: PRIMOTEXTO}
"""By whose rules a campaign is judged: those of the dialect that it was written in."""


class Audience(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """To whom: all contacts of a list or of a group, one of them."""

    list: Annotated[
        str | None, Meta(description="Of Primotexto: 24 hexadecimal digits.", examples=["533e9f59e4b05d2efeb6f1b4"])
    ] = None
    group: Token | None = None


class Button(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A link that looks like a button."""

    label: Annotated[str, Meta(min_length=1, max_length=100)]
    url: Url


class NewPage(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What stands behind `{{link}}`: an address (`url`), a page as `html`, or one that is made of `text`, `button` and
    `picture`. Scripts and forms are taken out of a page."""

    url: Url | None = None
    title: Annotated[str, Meta(max_length=LONGEST_TITLE)] = ""
    html: Annotated[str, Meta(max_length=LARGEST_PAGE, description="At most 100 kB in UTF-8.")] | None = None
    text: Annotated[str, Meta(max_length=10_000, description="Blank lines part paragraphs.")] | None = None
    button: Button | None = None
    picture: Url | None = None


Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME, examples=["Soldes"])]
Text = Annotated[
    str,
    Meta(
        description="`{{prénom}}` stands for the value of that column for each contact (in a group: `firstname`, "
        "`lastname`, `phone`, `date`, `url`, `custom1` to `custom4`), `{{prénom|cher client}}` says what to write "
        "where there is none. Each address in it, and `{{link}}`, becomes a short link of its own for each contact.",
        examples=["Soldes, -20% {{link}}"],
    ),
]
Sender = Annotated[
    str, Meta(description="3 to 11 letters and digits, or a number of the account; empty: the short code.")
]
SendAt = Annotated[shapes.When | None, Meta(description="When to send, at most a year ahead; null: when launched.")]
Flash = Annotated[bool, Meta(description="Shown at once, and not kept by the phone.")]
CleanBounces = Annotated[bool, Meta(description="Leave dead numbers out.")]
CleanStops = Annotated[bool, Meta(description="Leave the stop list out; marketing always does.")]
KeepList = Annotated[bool, Meta(description="Keep the list when everything has left; false: delete it.")]
TestPhone = Annotated[str, Meta(max_length=40, description="Where tests go that name no number.")]


class NewCampaign(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A campaign to be written."""

    name: Name
    text: Text
    to: Audience
    traffic: ClassWord = msgspec.field(default=ClassWord.MARKETING, name="class")
    sender: Sender = ""
    send_at: SendAt = None
    flash: Flash = False
    page: NewPage | None = None
    clean_bounces: CleanBounces = True
    clean_stops: CleanStops = True
    keep_list: KeepList = True
    test_phone: TestPhone = ""


class Changes(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to change; what is left out stays."""

    name: Name | UnsetType = UNSET
    text: Text | UnsetType = UNSET
    to: Audience | UnsetType = UNSET
    traffic: ClassWord | UnsetType = msgspec.field(default=UNSET, name="class")
    sender: Sender | UnsetType = UNSET
    send_at: SendAt | UnsetType = UNSET
    flash: Flash | UnsetType = UNSET
    page: NewPage | UnsetType | None = UNSET
    clean_bounces: CleanBounces | UnsetType = UNSET
    clean_stops: CleanStops | UnsetType = UNSET
    keep_list: KeepList | UnsetType = UNSET
    test_phone: TestPhone | UnsetType = UNSET


def given(body: NewCampaign | Changes) -> dict[str, Any]:
    """The members that a body has."""
    return {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}


async def drafted(
    services: Services, caller: Caller, members: dict[str, Any], profile: Profile, before: Draft | None = None
) -> Draft:
    """A draft of these members, over those of another. Raises Problem."""
    draft = before or Draft(name="", traffic=TrafficClass.MARKETING, text="")
    plain = ("name", "text", "sender", "flash", "clean_bounces", "clean_stops", "keep_list", "test_phone")
    found = {name: members[name] for name in plain if name in members}
    if not found.get("name", "x").strip():
        raise invalid("/name", "A campaign has a name.")
    if "traffic" in members:
        found["traffic"] = int(TrafficClass[members["traffic"].name])
    if "send_at" in members:
        found["due_at"] = None if members["send_at"] is None else members["send_at"].astimezone(UTC)
    if "to" in members:
        found |= await _to(services, caller, members["to"])
    if "page" in members:
        found |= await _page(members["page"])
    draft = replace(draft, **found)
    if draft.traffic == TrafficClass.MARKETING:
        draft = replace(draft, clean_stops=True)
    await _check(services, caller, draft, profile, members)
    return draft


async def _to(services: Services, caller: Caller, to: Audience) -> dict[str, Any]:
    """Raises Problem."""
    if (to.list is None) == (to.group is None):
        raise invalid("/to", "Name a `list` or a `group`, one of them.")
    if to.group is not None:
        try:
            group = await group_of(services, caller, to.group)
        except Problem:
            raise invalid("/to/group", "This account has no such group: `GET /groups` lists them.") from None
        return {"list_id": None, "list_token": None, "group_id": group.id}
    token = read_hex24(to.list or "")
    found = None if token is None else await lists.find(services.db, caller.id, token)
    if found is None:
        raise invalid("/to/list", "This account has no such list.")
    return {"list_id": found.id, "list_token": found.token, "group_id": None}


# --- the page --------------------------------------------------------------------------------------------------------


async def _page(page: NewPage | None) -> dict[str, Any]:
    """Raises Problem."""
    none = {"page": Page.NONE, "url": "", "page_title": "", "page_html": ""}
    if page is None:
        return none
    made_of = page.text is not None or page.button is not None or page.picture is not None
    if (page.url is not None) + (page.html is not None) + made_of != 1:
        raise invalid("/page", "A page is an address (`url`), or `html`, or made of `text`, one of them.")
    if page.url is not None:
        if page.title:
            raise invalid("/page/title", "An address has no title: the page behind it has its own.")
        return none | {"page": Page.EXTERNAL, "url": _address("/page/url", page.url)}
    html = await _composed(page) if page.html is None else page.html
    if len(html.encode()) > LARGEST_PAGE:
        raise invalid("/page", f"A page has at most {LARGEST_PAGE // 1000} kB.")
    if not html.strip():
        raise invalid("/page", "There is nothing on this page.")
    return none | {"page": Page.HOSTED, "page_title": page.title, "page_html": html}


async def _composed(page: NewPage) -> str:
    """Raises Problem."""
    from ...domain.pages import compose  # few campaigns have a page, and it is long to load

    if not (page.text or "").strip():
        raise invalid("/page/text", "A page that is made has a text.")
    button = None
    if page.button is not None:
        button = (page.button.label, _address("/page/button/url", page.button.url))
    picture = "" if page.picture is None else _address("/page/picture", page.picture)
    if picture and not picture.lower().startswith("https://"):
        raise invalid("/page/picture", "A picture begins with https://: browsers show no other on our pages.")
    return await asyncio.to_thread(compose, page.title, page.text or "", button, picture)


def _address(pointer: str, url: str) -> str:
    """Raises Problem."""
    if not is_target(url):
        raise invalid(pointer, "Give an http:// or https:// address of ASCII characters.")
    return url


# --- what is wrong ---------------------------------------------------------------------------------------------------


async def _check(services: Services, caller: Caller, draft: Draft, profile: Profile, members: dict[str, Any]) -> None:
    """Raises Problem. The time is looked at where it is given: that of an old draft may be past."""
    now, account = services.clock.now(), caller.account
    faults = _time_faults(draft.due_at, now) if "send_at" in members else []
    faults += await services.campaigns.faults(account, draft, profile)
    if faults:
        raise not_kept(faults)
    if "text" in members or "to" in members:
        await check_fields(services, caller, draft)


UNWRITABLE = "These characters are not in GSM 03.38: replace them, or have the rule `characters` changed."


def not_kept(faults: Sequence[Finding]) -> Problem:
    """The problem of a campaign that the rules refuse, each reason once: its text is looked at as that of a number that
    stands in for all."""
    told = {one.reason: reasons.fault(Finding(one.reason)) for one in faults}
    if set(told) == {Reason.CREDIT}:
        return Problem("credit", told[Reason.CREDIT].detail)
    if Reason.TEXT_CHARACTERS in told:
        told[Reason.TEXT_CHARACTERS].detail = UNWRITABLE
    return Problem("refused", "Nothing was kept: see `errors`.", list(told.values()))


def _time_faults(due_at: datetime | None, now: datetime) -> list[Finding]:
    if due_at is not None and due_at < now - PAST:
        return [Finding(Reason.DATE_PAST)]
    return [Finding(Reason.DATE_INVALID)] if due_at is not None and due_at > now + FARTHEST else []


async def check_fields(services: Services, caller: Caller, draft: Draft) -> None:
    """A field that no contact has is a slip. Raises Problem."""
    if draft.group_id is not None:
        audience = of_group(caller.id, draft.group_id)
    elif draft.list_id is None or (found := await of_list(services.db, caller.id, draft.list_id)) is None:
        return
    else:
        audience = found
    unknown = unknown_fields(await services.campaigns.ready(draft), audience.names)
    if unknown == ["link"]:
        raise invalid("/text", "There is no page behind {{link}}: give the `page`, or write its address into the text.")
    if unknown:
        names = ", ".join(f"{{{{{name}}}}}" for name in unknown)
        raise invalid("/text", f"No contact has {names}; there are: {', '.join(audience.names) or 'none'}.")
