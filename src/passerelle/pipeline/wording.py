"""What customers are told: the facts of an event, who words them, and where they go.

The one rule: a surface knows the words, the pipeline the facts; `app` brings them together, one `Wording` a dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..domain.account import Rules
from ..domain.message import Dialect, EventKind, State
from ..store.events import NewEvent


@dataclass(frozen=True, slots=True)
class LongText:
    """One part of a text that came in on a long number. `recipient`: its digits; `whole`: the text of all parts."""

    recipient: str
    uuid: str
    whole: str
    reference: int = 0
    total: int = 1
    part: int = 1


@dataclass(frozen=True, slots=True)
class Told:
    """The facts of one event. `message_id`, `snapshot`: the public numbers, 0 for none; `cost` in micro-euros."""

    event: EventKind
    dialect: Dialect
    account_id: int
    row_id: int  # of the message; keeps the order of its events
    state: State
    message_id: int  # SMS Partner's, one a request
    snapshot: int  # Primotexto's, one a message
    phone: int  # E.164 without +
    at: datetime
    cost: int = 0
    tag: str = ""
    campaign_name: str = ""
    campaign_id: bytes | None = None
    text: str = ""  # of a reply or STOP
    test: bool = False
    long: LongText | None = None  # of a reply to a long number; `text` is that of the part
    postback: str | None = None  # of a suggestion that was tapped


Worded = tuple[str, str]
"""Content type and body."""

Words = Callable[[Told, Rules], Worded | None]
"""Words an event as the account wants it; None: this dialect says nothing of it."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one dialect: `report` for what became of a message, `reply` for what its receiver wrote."""

    report: Words
    reply: Words


Wordings = Mapping[Dialect, Wording]

ANSWERS = frozenset({EventKind.REPLY, EventKind.UNSUBSCRIBED})
_ENDS = {State.DELIVERED: EventKind.DELIVERED, State.BOUNCED: EventKind.BOUNCED}


def event_of(state: State, dialect: Dialect) -> EventKind:
    """Which event a final state is. Only Primotexto calls the end by an opt-out `unsubscribed`."""
    if state is State.OPTED_OUT and dialect is Dialect.PRIMOTEXTO:
        return EventKind.UNSUBSCRIBED
    return _ENDS.get(state, EventKind.FAILED)


def kind_of(told: Told) -> EventKind:
    """What happened, whatever the dialect calls it: SMS Partner knows but one kind of failure."""
    is_bounce = told.event is EventKind.FAILED and told.state is State.BOUNCED
    return EventKind.BOUNCED if is_bounce else told.event


def url_for(kind: EventKind, dialect: Dialect, dlr_url: str, reply_url: str, rules: Rules) -> str:
    """Where an event goes, '' for nowhere. `dlr_url`, `reply_url`: those of the submission.

    Primotexto has one URL an account, and perhaps a second for replies; the native API knows that of the request alone
    (endpoints hear of all: see `webhooks.py`); the others prefer that of the request.
    """
    if dialect is Dialect.NATIVE:
        return dlr_url or reply_url
    if dialect is Dialect.PRIMOTEXTO:
        return (kind is EventKind.REPLY and rules.webhook_reply_url) or rules.webhook_url
    return (reply_url or rules.reply_url) if kind in ANSWERS else (dlr_url or rules.dlr_url)


def notification(
    wordings: Wordings, told: Told, rules: Rules, dlr_url: str = "", reply_url: str = ""
) -> NewEvent | None:
    """The event to store, or None where nobody wants to hear of it. The URLs are those of the submission."""
    url = url_for(told.event, told.dialect, dlr_url, reply_url, rules)
    wording = wordings.get(told.dialect)
    if not url or wording is None:
        return None
    worded = (wording.reply if told.event in ANSWERS else wording.report)(told, rules)
    return None if worded is None else NewEvent(told.account_id, told.row_id, told.event, told.at, url, *worded)
