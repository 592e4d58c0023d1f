"""How calls on campaigns are read, and how campaigns and their figures are shaped (contract, chapter 9).

Pure. One rule: the answer to a creation, and `sendList`, depend on who asks: clients of different ages read different
members, and the strictest refuses what it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from ...domain.campaigns import LARGEST_PAGE, LONGEST_KIND, LONGEST_NAME, LONGEST_TITLE, Page, Phase
from ...domain.message import TrafficClass
from ...domain.reasons import Finding, Reason
from ...domain.tokens import hex24
from ...domain.tracking import as_asked
from ...domain.urls import is_http
from ...pipeline.campaigns import Seen
from ...store.campaigns import Draft
from ...store.statistics import Counters
from .. import values
from . import wire

encode = msgspec.json.encode

STATES = {
    Phase.DRAFT: "DRAFT",
    Phase.SCHEDULED: "PROGRAMMED",
    Phase.SENDING: "SENDING",
    Phase.PAUSED: "SENDING",
    Phase.SENT: "SENT",
    Phase.STOPPED: "SENT",  # nothing more leaves
    Phase.CANCELLED: "CANCELLED",
}

# --- who asks ------------------------------------------------------------------------------------------------------

SDK = b"x-sarbacane-sdk"
_STRICT = "sarbacane-sdk-java"
_SINCE = (1, 0, 7)
_VERSION = re.compile(r"([0-9]+)\.([0-9]+)(?:\.([0-9]+))?")


def is_strict(header: str) -> bool:
    """Whether the client refuses members that it does not know, and reads a list as its bare id (9.1)."""
    if _STRICT not in header.lower():
        return False
    version = _VERSION.search(header)
    return version is None or tuple(int(piece or 0) for piece in version.groups()) >= _SINCE


# --- reading -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Written:
    """A campaign as posted. `list_token`: of the list, None where it names none; `faults`: of its members."""

    draft: Draft
    list_token: bytes | None
    faults: list[Finding] = field(default_factory=list)


def parse(body: Any, traffic: TrafficClass, now: datetime) -> Written:
    """The body of a creation (9.1). Raises values.Malformed (73)."""
    if not isinstance(body, dict):
        raise values.Malformed
    faults: list[Finding] = []
    name, message = _optional(body, "name"), body.get("message")
    if not isinstance(name, str) or len(name) > LONGEST_NAME or name.isspace():
        faults.append(Finding(Reason.CAMPAIGN_NAME_INVALID, "name"))
        name = ""
    draft = Draft(
        name=name,
        traffic=traffic,
        text=message if isinstance(message, str) else "",
        sender=_sender(body, faults),
        due_at=_due(body.get("date"), now, faults),
        flash=_boolean(body, "flash", False),
        test_phone=wire.number_of(body.get("testIdentifier")).strip(),
        clean_bounces=_boolean(body, "cleanBounces", True),
        clean_stops=_boolean(body, "cleanUnsubscribers", True) or traffic is TrafficClass.MARKETING,
        keep_list=_boolean(body, "keepList", True),
        kind=_text(body, "type", LONGEST_KIND) or "STANDARD",
    )
    return Written(_with_page(draft, body), _list_of(body.get("sendList")), faults)


def parse_test(body: bytes) -> str:
    """The number of a test (9.2); '' where none is named. Raises values.Malformed."""
    return wire.posted_identifier(values.json(body)) if body.strip() else ""


def _sender(body: Mapping[str, Any], faults: list[Finding]) -> str:
    value = _optional(body, "sourceAddress")
    value = _optional(body, "sender") if value is None else value
    text = values.text(value)
    if value is not None and not text:
        faults.append(Finding(Reason.SENDER_CHARACTERS, "sourceAddress"))
    return text


def _due(value: Any, now: datetime, faults: list[Finding]) -> datetime | None:
    """The time asked for, as it was given (2.5)."""
    if value is None or value == "":
        return None
    at, current = values.integer(value), wire.milliseconds(now)
    if at is None or at < current - wire.PAST or at > current + wire.AHEAD:
        faults.append(Finding(Reason.DATE_INVALID, "date"))
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at)


def _with_page(draft: Draft, body: Mapping[str, Any]) -> Draft:
    """Raises values.Malformed."""
    kind, url = _optional(body, "landingPageType"), _optional(body, "externalUrl")
    if kind not in (None, "EXTERNAL", "HOSTED") or (url is not None and not _is_reachable(url)):
        raise values.Malformed
    html, title = _text(body, "landingPage", LARGEST_PAGE), _text(body, "landingPageTitle", LONGEST_TITLE)
    if len(html.encode()) > LARGEST_PAGE:
        raise values.Malformed
    page = Page[kind] if kind else Page.EXTERNAL if url else Page.HOSTED if html or title else Page.NONE
    if (page is Page.EXTERNAL and not url) or (page is Page.HOSTED and not (html or title)):
        raise values.Malformed
    return replace(draft, page=page, url=url or "", page_html=html, page_title=title)


def _is_reachable(url: Any) -> bool:
    return is_http(url) and as_asked(url) is not None


def _list_of(value: Any) -> bytes | None:
    """An object with an `id`, or the bare id (2.2, 12)."""
    given = value.get("id") if isinstance(value, dict) else value
    return wire.token(given) if isinstance(given, str) else None


def _optional(body: Mapping[str, Any], name: str) -> Any:
    value = body.get(name)
    return None if value == "" else value


def _text(body: Mapping[str, Any], name: str, longest: int) -> str:
    """Raises values.Malformed."""
    value = _optional(body, name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise values.Malformed
    return value


def _boolean(body: Mapping[str, Any], name: str, otherwise: bool) -> bool:
    """Raises values.Malformed."""
    value = _optional(body, name)
    if value is None:
        return otherwise
    if not isinstance(value, bool):
        raise values.Malformed
    return value


# --- writing -------------------------------------------------------------------------------------------------------


def made(token: bytes, strict: bool) -> bytes:
    """The answer to a creation."""
    own = {"id": hex24(token)}
    return encode(own if strict else own | {"campaignId": hex24(token)})


def used(cost: int, unit: int) -> bytes:
    """The answer to a test or a launch."""
    return encode({"creditsUsed": wire.credits_used(cost, unit)})


def cancelled(token: bytes, cost: int, unit: int) -> bytes:
    """The answer to a cancellation."""
    returned = wire.credits_used(cost, unit)
    return encode({"id": hex24(token), "state": "CANCELLED", "creditsRefunded": returned})


def campaign(seen: Seen, unit: int, strict: bool) -> dict[str, Any]:
    """A campaign (9.5), members in the order of the contract; those without a value are left out."""
    one = seen.campaign
    list_id = "" if one.list_token is None else hex24(one.list_token)
    at = _programmed(seen)
    members: dict[str, Any] = {
        "id": hex24(one.token),
        "campaignId": hex24(one.token),
        "message": one.text,
        "sendList": list_id if strict else {"id": list_id},
        "state": STATES[seen.phase],
        "name": one.name,
        "type": one.kind,
        "sourceAddress": one.sender or None,
        "date": None if at is None else wire.milliseconds(at),
        "flash": one.flash,
        "cleanBounces": one.clean_bounces,
        "cleanUnsubscribers": one.clean_stops,
        "keepList": one.keep_list,
        "totalCredits": _total(seen, unit),
        "externalUrl": one.url or None,
        "landingPageType": Page(one.page).name if one.page else None,
        "landingPage": one.page_html or None,
        "landingPageTitle": one.page_title or None,
        "testIdentifier": one.test_phone or None,
    }
    return {name: value for name, value in members.items() if value is not None}


def campaigns(found: list[Seen], unit: int, strict: bool) -> bytes:
    """All campaigns."""
    return encode([campaign(one, unit, strict) for one in found])


def _programmed(seen: Seen) -> datetime | None:
    """The time it was programmed for, moved to the next allowed minute once it is launched."""
    one = seen.campaign
    if one.due_at is None or one.launched_at is None:
        return one.asked_at
    return one.due_at if one.asked_at is not None or one.due_at > one.launched_at else None


def _total(seen: Seen, unit: int) -> float | None:
    if seen.phase is Phase.DRAFT:
        return None
    return 0.0 if seen.phase is Phase.CANCELLED else wire.credits_used(seen.campaign.cost, unit)


def figures(seen: Seen, counted: Counters, unit: int, *, linked: bool) -> bytes:
    """Its statistics (9.6), members in alphabetical order; `linked`: whether anything can be followed."""
    one = seen.campaign
    kept = 0 if seen.phase is Phase.CANCELLED else one.cost - counted.refunded
    members: dict[str, Any] = {
        "bounces": counted.bounced,
        "creditsUsed": -(-kept // unit) if unit else 0,
        "delivered": counted.delivered,
        "errors": counted.errors,
        "id": hex24(one.token),
        "name": one.name,
        "replies": counted.replies,
        "sent": counted.sent,
        "state": STATES[seen.phase],
        "submitted": counted.submitted,
        "undelivered": counted.sent - counted.delivered,
    }
    seldom = {"complaint": counted.complaints, "unsubscribers": counted.unsubscribers}
    members |= {name: count for name, count in seldom.items() if count}
    if linked:
        members |= {
            "clickers": counted.clickers,
            "clicks": counted.clicks,
            "openers": counted.openers,
            "opens": counted.opens,
            "timespent": wire.seconds_each(counted),
        }
    return encode(dict(sorted(members.items())))
