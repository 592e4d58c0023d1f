"""What happens, as the native API and its webhooks call it: `message.delivered`. And which of it an endpoint wants.

One rule: a type, once told to somebody, is never renamed.
"""

from __future__ import annotations

from collections.abc import Iterable

from .message import EventKind

TYPES: dict[int, str] = {
    EventKind.SENT: "message.sent",
    EventKind.SUBMITTED: "message.submitted",
    EventKind.DELIVERED: "message.delivered",
    EventKind.FAILED: "message.failed",
    EventKind.BOUNCED: "message.bounced",
    EventKind.UNSUBSCRIBED: "recipient.unsubscribed",
    EventKind.REPLY: "reply.received",
    EventKind.OPENED: "link.opened",
    EventKind.HLR: "check.completed",
    EventKind.RENTAL: "rental.changed",
    EventKind.READ: "message.read",
    EventKind.SURVEY: "survey.answered",
}
PING = "ping"
PROGRESS = frozenset({"message.sent", "message.submitted"})
ENDS = tuple(name for name in TYPES.values() if name not in PROGRESS)
"""What an endpoint hears of that asks for nothing else: all but the steps before the end."""


def type_of(kind: int) -> str:
    """The type of a kind; 0 is a ping."""
    return TYPES.get(kind, PING)


def is_filter(text: str) -> bool:
    """Whether an endpoint may ask for it: a type, `message.*`, or `*`."""
    return text == "*" or text in TYPES.values() or text in {f"{name.partition('.')[0]}.*" for name in TYPES.values()}


def wants(filters: Iterable[str], name: str) -> bool:
    """Whether one of the filters lets a type through; a ping always comes."""
    family = f"{name.partition('.')[0]}.*"
    return name == PING or any(one in ("*", name, family) for one in filters)
