"""The vocabulary of Primotexto v2: how a request is read, how every answer and notification is shaped.

Pure. Section numbers are those of the contract of this dialect. One rule: an answer holds no member that the contract
does not list, since a typed client refuses it; and no success has a member called `error`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from ...domain import lists, numbers, tokens
from ...domain.account import Rules
from ...domain.admission import Wanted
from ...domain.message import EventKind, TrafficClass
from ...domain.profile import PRIMOTEXTO
from ...domain.reasons import Finding, Reason
from ...pipeline.wording import Told, Worded, Wording
from ...store.optouts import Blocked
from ...store.snapshots import Reply, Snapshot
from ...store.statistics import Counters
from .. import values

encode = msgspec.json.encode

MEDIA = PRIMOTEXTO.media_type

# --- reading -------------------------------------------------------------------------------------------------------

_CATEGORY = re.compile(r"[\w. -]{1,50}")
LONGEST_NAME = 100
PAST = 5 * 60 * 1000
AHEAD = 365 * 24 * 3600 * 1000
_UNREADABLE = "?"


def parse_send(body: Any, traffic: TrafficClass, now: datetime) -> Wanted:
    """The body of a send (section 3) with what is wrong with its members. Raises values.Malformed for no object."""
    if not isinstance(body, dict):
        raise values.Malformed
    faults: list[Finding] = []
    number = number_of(body.get("number"))
    text = body.get("message")
    category = _member(body, "category", _is_category, Reason.TAG_INVALID, faults)
    return Wanted(
        items=[(number, None)],
        text=text if isinstance(text, str) else "",
        sender=_sender(body, faults),
        traffic=traffic,
        stop_mention=traffic is TrafficClass.MARKETING and _in_france(number),
        due_at=_due(body.get("date"), now, faults),
        tag=category,
        tag_key=category,
        campaign_name=_member(body, "campaignName", _is_name, Reason.CAMPAIGN_NAME_INVALID, faults),
        faults=faults,
    )


def identifier(query: Mapping[str, str]) -> str:
    """The number in a query; '' where there is none. A leading blank is a plus that was not encoded (2.2, 8)."""
    value = query.get("identifier", "")
    if value[:1] == " " and value.lstrip(" ")[:1].isdecimal() and value.lstrip(" ")[0] != "0":
        return "+" + value.lstrip(" ")
    return value if value.strip() else ""


def posted_identifier(body: Any) -> str:
    """The number in a body. Raises values.Malformed where the body is no object."""
    if not isinstance(body, dict):
        raise values.Malformed
    return number_of(body.get("identifier")).strip()


phone = lists.read_phone


def token(text: str) -> bytes | None:
    """The 12 bytes of an id of 24 hexadecimal characters; None for what is none."""
    return tokens.read_hex24(text) if text.islower() or text.isdigit() else None


def snapshot_number(text: str) -> int | None:
    """A snapshotId as sent; None for what cannot be one."""
    return int(text) if re.fullmatch("[0-9]{1,10}", text) and 0 < int(text) < 2**31 else None


def number_of(value: Any) -> str:
    """A number of a body as text: a string or an integer (2.2, 11); '' where absent, unreadable for all else."""
    if value is None:
        return ""
    return value if isinstance(value, str) else values.text(value) or _UNREADABLE


def _in_france(number: str) -> bool:
    found = numbers.normalise(number, bare_international=False)
    return found is None or numbers.is_domestic(found.country)


def _sender(body: Mapping[str, Any], faults: list[Finding]) -> str:
    """`sender`, or `from` where that is absent (2.2, 13)."""
    value = _optional(body, "sender")
    value = _optional(body, "from") if value is None else value
    if value is None or isinstance(value, str):
        return value or ""
    text = values.text(value)
    if not text:
        faults.append(Finding(Reason.SENDER_CHARACTERS, "sender"))
    return text


def _optional(body: Mapping[str, Any], name: str) -> Any:
    """An optional member; None where it is absent, null or an empty string (2.2, 5)."""
    value = body.get(name)
    return None if value == "" else value


def _member(body: Mapping[str, Any], name: str, allowed: Any, reason: Reason, faults: list[Finding]) -> str:
    value = _optional(body, name)
    if value is None:
        return ""
    if not isinstance(value, str) or not allowed(value):
        faults.append(Finding(reason, name))
        return ""
    return value


def _is_category(value: str) -> bool:
    return _CATEGORY.fullmatch(value) is not None


def _is_name(value: str) -> bool:
    return len(value) <= LONGEST_NAME and not value.isspace()


def _due(value: Any, now: datetime, faults: list[Finding]) -> datetime | None:
    """When a message is to leave (2.5); None = now."""
    if value is None or value == "":
        return None
    at = values.integer(value)
    current = milliseconds(now)
    if at is None or at < current - PAST or at > current + AHEAD:
        faults.append(Finding(Reason.DATE_INVALID, "date"))
        return None
    return None if at <= current else datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at)


# --- writing -------------------------------------------------------------------------------------------------------


def milliseconds(at: datetime) -> int:
    """Milliseconds since the epoch (2.5)."""
    return round(at.timestamp() * 1000)


def stray(status: int, path: str, now: datetime) -> bytes:
    """The body for an unknown route (404) and for a wrong method (405)."""
    words = ("Not Found", "no such resource") if status == 404 else ("Method Not Allowed", "method not allowed")
    return encode(
        {
            "timestamp": milliseconds(now),
            "status": status,
            "error": words[0],
            "message": words[1],
            "path": path,
            "code": 1000,
        }
    )


def credits_used(cost: int, unit: int) -> float:
    """What a message took, in credits of `unit` micro-euros each: half up to two decimals (2.4)."""
    return (200 * cost + unit) // (2 * unit) / 100 if unit else 0.0


def sent(cost: int, unit: int, number: int) -> bytes:
    """The answer to a send."""
    return encode({"creditsUsed": credits_used(cost, unit), "snapshotId": str(number)})


def status(message: Snapshot) -> bytes:
    """The state of one message (section 4), members in alphabetical order."""
    state, at = state_of(message)
    steps = {
        "bounced": message.bounced_at,
        "delivered": message.delivered_at,
        "opened": message.opened_at,
        "reply": message.reply_at,
        "sent": message.sent_at,
        "submitted": message.submitted_at,
        "unsubscribed": message.stopped_at,
    }
    members: dict[str, Any] = {name: milliseconds(time) for name, time in steps.items() if time is not None}
    members |= {"id": message.number, "state": state, "stateDate": milliseconds(at), "test": message.test}
    return encode(dict(sorted(members.items())))


def state_of(message: Snapshot) -> tuple[str, datetime]:
    """The state of the highest rank reached, of two of the same rank the later; and its time."""
    ranked = (
        (1, message.sent_at, 0, "sent"),
        (2, message.submitted_at, 0, "submitted"),
        (3, message.failed_at, 0, "error"),
        (3, message.bounced_at, 1, "bounced"),
        (4, message.delivered_at, 0, "delivered"),
        (5, message.opened_at, 0, "opened"),
        (6, message.reply_at, 0, "reply"),
        (7, message.stopped_at, 0, "unsubscribed"),
    )
    reached = [(rank, at, tie, word) for rank, at, tie, word in ranked if at is not None]
    if not reached:
        return "submitted", message.accepted_at  # accepted, not left yet
    _, at, _, word = max(reached)
    return word, at


def seconds_each(counted: Counters) -> int:
    """Time on a page of ours, a visit: whole seconds, 0 without a visit (section 5)."""
    return (2 * counted.seconds + counted.visits) // (2 * counted.visits) if counted.visits else 0


def statistics(counted: Counters) -> bytes:
    """The thirteen counters (section 5)."""
    return encode(
        {
            "sent": counted.sent,
            "submitted": counted.submitted,
            "delivered": counted.delivered,
            "openers": counted.openers,
            "clickers": counted.clickers,
            "clicks": counted.clicks,
            "opens": counted.opens,
            "replies": counted.replies,
            "unsubscribers": counted.unsubscribers,
            "errors": counted.errors,
            "bounced": counted.bounced,
            "complaint": counted.complaints,
            "timespent": timespent(counted),
        }
    )


def timespent(counted: Counters) -> int:
    """Whole seconds a visit of our pages, rounded half up; 0 without a visit."""
    return (2 * counted.seconds + counted.visits) // (2 * counted.visits) if counted.visits else 0


def account_statistics(counted: Iterable[Counters], unsubscribers: int, balance: int, unit: int) -> bytes:
    """Exactly seven integers (11.2), the sums of `counted`; credits are rounded down."""
    bounced, delivered, sent, submitted = (
        sum(column) for column in zip(*((c.bounced, c.delivered, c.sent, c.submitted) for c in counted), strict=True)
    )
    return encode(
        {
            "bounces": bounced,
            "credits": balance // unit if unit else 0,
            "delivered": delivered,
            "sent": sent,
            "submitted": submitted,
            "undelivered": sent - delivered,
            "unsubscribers": unsubscribers,
        }
    )


def replies(found: Iterable[Reply]) -> bytes:
    """Replies (section 6)."""
    return encode([{"id": one.token.hex(), "identifier": f"+{one.phone}", "message": one.text} for one in found])


def blacklists(bounces: list[int], unsubscribers: list[int], national: bool) -> bytes:
    """The numbers that a category has lost (7.1); French ones as they are dialled in France, if `national`."""

    def group(phones: list[int]) -> dict[str, Any]:
        spelled = [f"+{phone}" for phone in phones]
        return {"number": len(phones), "identifiers": list(map(numbers.national, spelled)) if national else spelled}

    return encode({"bounces": group(bounces), "unsubscribers": group(unsubscribers)})


def list_id(account_id: int, list_: int) -> str:
    """The `blacklistId` of a list of an account: 24 hexadecimal characters, always the same."""
    return hashlib.blake2b(f"{account_id}/{list_}".encode(), digest_size=12, person=b"blacklist").hexdigest()


def entries(found: Iterable[Blocked], blacklist_id: str) -> bytes:
    """The entries of a list (7.2)."""
    return encode(
        [
            {
                "id": one.token.hex(),
                "deleted": False,
                "identifier": f"+{one.phone}",
                "blacklistId": blacklist_id,
                "history": one.history,
            }
            for one in found
        ]
    )


def entry_id(entry: Blocked) -> bytes:
    """The answer to an addition."""
    return encode({"id": entry.token.hex()})


def check(raw: str, number: numbers.Number | None, is_bounce: bool, is_stopped: bool) -> bytes:
    """What is known of a number (11.1)."""
    if number is None or number.kind is numbers.Kind.OTHER:
        word, e164, abroad = "INVALID", None, False
    else:
        e164, abroad = number.e164, not numbers.is_domestic(number.country)
        word = "UNSUBSCRIBED" if is_stopped else "OK"
        word = "BOUNCED" if is_bounce else word
        word = "FIXED_LINE" if number.kind is numbers.Kind.FIXED else word
    return encode({"international": abroad, "rawIdentifier": raw, "formattedIdentifier": e164, "status": word})


# --- notifications (section 12) ------------------------------------------------------------------------------------

EVENTS = {
    EventKind.SENT: "sent",
    EventKind.SUBMITTED: "submitted",
    EventKind.DELIVERED: "delivered",
    EventKind.FAILED: "error",
    EventKind.BOUNCED: "bounced",
    EventKind.UNSUBSCRIBED: "unsubscribed",
    EventKind.REPLY: "reply",
    EventKind.OPENED: "opened",
}


def webhook(told: Told, _: Rules) -> Worded:
    """A notification: its media type and body. A reply that matches no message has no `snapshotId`."""
    members: dict[str, Any] = {"event": EVENTS[told.event]}
    if told.snapshot:
        members["snapshotId"] = str(told.snapshot)
    members["contact"] = {"identifier": f"+{told.phone}"}
    if told.event is EventKind.REPLY:
        members["replyMessage"] = told.text or " "  # never empty
    members["date"] = milliseconds(told.at)
    campaign_id = told.campaign_id.hex() if told.campaign_id else ""
    optional = {"category": told.tag, "campaignName": told.campaign_name, "campaignId": campaign_id}
    members |= {name: value for name, value in optional.items() if value}
    members["test"] = told.test
    return MEDIA, encode(members).decode()


WORDING = Wording(report=webhook, reply=webhook)
