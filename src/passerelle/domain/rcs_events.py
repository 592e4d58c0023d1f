"""What a provider of RCS tells, in the shapes of Google's RBM: events of a message, and what a person wrote or tapped.

The one rule: whatever is given, a value or None comes back; what says nothing to us is None.
"""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

OLDEST = timedelta(days=3)  # that a time of an event is believed
LONGEST_TEXT = 3_072
LONGEST_POSTBACK = 2_048


class Kind(enum.Enum):
    """What happened."""

    DELIVERED = "DELIVERED"
    READ = "READ"
    EXPIRED = "TTL_EXPIRATION_REVOKED"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Happened:
    """One event. `name`: the messageId it is about, of an answer its own; `key`: the same for every copy of it.

    `phone`: E.164 without +; `postback`: of a suggestion that was tapped.
    """

    kind: Kind
    key: bytes
    phone: int
    name: str
    at: datetime
    text: str = ""
    postback: str | None = None


def parse(body: bytes | str, agent_id: str, now: datetime) -> Happened | None:
    """Read the JSON of an event; None for one that is unreadable, of another agent, or about nothing we know."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or _text(event, "agentId", agent_id) not in ("", agent_id):
        return None
    phone = _phone(event)
    return None if phone is None else _answer(event, phone, now) or _of_message(event, phone, now)


def _of_message(event: dict[str, Any], phone: int, now: datetime) -> Happened | None:
    word, name = _text(event, "eventType"), _text(event, "messageId")
    if not name or word not in (Kind.DELIVERED.value, Kind.READ.value, Kind.EXPIRED.value):
        return None
    return Happened(Kind(word), _key(word, phone, name), phone, name, _moment(event, now))


def _answer(event: dict[str, Any], phone: int, now: datetime) -> Happened | None:
    """`text`, or `suggestionResponse`: a label that was tapped, with the data behind it."""
    tapped = event.get("suggestionResponse")
    text = _text(tapped, "text") if isinstance(tapped, dict) else _text(event, "text")
    postback = _text(tapped, "postbackData")[:LONGEST_POSTBACK] if isinstance(tapped, dict) else None
    if not text and not postback:
        return None
    name = _text(event, "messageId") or sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()
    key = _key("answer", phone, name)
    return Happened(Kind.ANSWERED, key, phone, name, _moment(event, now), text[:LONGEST_TEXT], postback)


def _key(word: str, phone: int, name: str) -> bytes:
    return sha256(f"{word} {phone} {name}".encode()).digest()


def _text(shape: object, name: str, default: str = "") -> str:
    value = shape.get(name, default) if isinstance(shape, dict) else default
    return value.replace("\0", "").encode("utf-8", "ignore").decode() if isinstance(value, str) else ""


def _phone(event: dict[str, Any]) -> int | None:
    written = _text(event, "senderPhoneNumber") or _text(event, "phoneNumber")
    return int(written[1:]) if re.fullmatch(r"\+[1-9][0-9]{5,14}", written) else None


def _moment(event: dict[str, Any], now: datetime) -> datetime:
    """`sendTime` (RFC 3339) where it is to be believed, else the present."""
    try:
        moment = datetime.fromisoformat(_text(event, "sendTime"))
    except ValueError:
        return now
    if moment.tzinfo is None:
        return now
    moment = moment.astimezone(UTC)
    return moment if now - OLDEST <= moment <= now else now
