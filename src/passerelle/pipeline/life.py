"""The life of one message in order of time, and why it is not over yet.

The one rule: only what the rows say; what has been tidied away (a notification that was delivered) is not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..domain import pricing
from ..domain.lifecycle import FINAL
from ..domain.message import Dialect, EventKind, State, TrafficClass
from ..store import inspection
from ..store.database import Database
from ..store.inspection import Traces

DIALECTS = {
    Dialect.SMSPARTNER: "SMS Partner",
    Dialect.PRIMOTEXTO: "Primotexto",
    Dialect.VOICEPARTNER: "Voice Partner",
    Dialect.MAILPARTNER: "Mail Partner",
    Dialect.NATIVE: "native",
}
ENDS = {
    State.UNDELIVERED: "not delivered",
    State.BOUNCED: "nobody has this number",
    State.REFUSED: "not taken by the operator",
    State.EXPIRED: "its validity ended before it could leave",
    State.CANCELLED: "cancelled by its owner",
    State.OPTED_OUT: "not sent: the number is on the stop list",
    State.UNCONFIRMED: "handed over, but no receipt came in time",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, or will."""

    at: datetime
    what: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Life:
    """One message. `waiting`: why it is not over, '' when it is."""

    account: str
    id: int
    number: int  # what its dialect calls it
    phone: int
    country: str
    sender: str
    text: str
    parts: int
    price: int
    refunded: int
    state: State
    moments: tuple[Moment, ...]
    waiting: str


async def of_message(db: Database, account_id: int, message_id: int, now: datetime) -> Life | None:
    """The life of a message; None: it is not there (any more)."""
    traces = await inspection.traces(db, account_id, message_id, now)
    return None if traces is None else tell(traces, now)


def tell(traces: Traces, now: datetime) -> Life:
    """From the rows."""
    row = traces.message
    moments = sorted(_moments(traces), key=lambda moment: moment.at)
    return Life(
        account=row["email"],
        id=row["id"],
        number=row["number"] or row["submission_number"],
        phone=row["phone"],
        country=row["country"],
        sender=row["sender"],
        text=row["text"],
        parts=row["parts"],
        price=row["price"],
        refunded=row["refunded"],
        state=State(row["state"]),
        moments=tuple(moments),
        waiting=why_waiting(traces, now),
    )


def _moments(traces: Traces) -> Iterator[Moment]:
    yield from _of_request(traces.message)
    yield from _of_sending(traces)
    yield from _of_end(traces.message)
    for row in traces.replies:
        yield Moment(row["at"], "answered STOP" if row["stop"] else "answered", row["text"])
    for row in traces.refunds:
        yield Moment(row["at"], "money given back", f"{pricing.text(row['amount'])} EUR")
    for row in traces.events:
        yield _of_event(row)


def _of_request(row: Any) -> Iterator[Moment]:
    dialect = DIALECTS[Dialect(row["dialect"])]
    many = f", one of {row['messages']}" if row["messages"] > 1 else ""
    yield Moment(row["accepted_at"], "accepted", f"through {dialect}{many}")
    parts = f"{row['parts']} part{'s' if row['parts'] > 1 else ''}"
    service = pricing.Service(row["service"]).name.lower()
    yield Moment(row["accepted_at"], "priced", f"{parts}, {service}: {pricing.text(row['price'])} EUR")
    if row["due_at"] > row["accepted_at"]:
        held = "scheduled, or held by the hours for marketing"
        yield Moment(row["due_at"], "to leave", held if row["class"] == TrafficClass.MARKETING else "scheduled")
    if row["cancelled_at"] is not None:
        yield Moment(row["cancelled_at"], "cancelled")


def _of_sending(traces: Traces) -> Iterator[Moment]:
    row = traces.message
    way = f"to {row['carrier']}" if row["carrier"] else ""
    if row["sent_at"] is not None:
        yield Moment(row["sent_at"], "first attempt", way)
    for waiting in traces.awaiting:
        said = f"operator id {waiting['operator_id']}" if waiting["operator_id"] else "the answer was lost"
        yield Moment(waiting["at"], f"part {waiting['part']} with {waiting['carrier']}", said)
    if row["submitted_at"] is not None:
        yield Moment(row["submitted_at"], "taken by the operator", way)
    if row["uncertain"]:
        yield Moment(row["sent_at"] or row["accepted_at"], "outcome unknown", "no answer came to an attempt")


def _of_end(row: Any) -> Iterator[Moment]:
    state = State(row["state"])
    for column, what in (("delivered_at", "delivered"), ("opened_at", "a link was opened")):
        if row[column] is not None:
            yield Moment(row[column], what)
    error = f"the operator says {row['error']}" if row["error"] else ""
    if state in ENDS:
        yield Moment(row["state_at"], ENDS[state], error)
    elif row["failed_at"] is not None:
        yield Moment(row["failed_at"], "reported as failed", error)


def _of_event(row: Any) -> Moment:
    name = EventKind(row["kind"]).name.lower()
    tried = f"{row['attempts']} attempt{'' if row['attempts'] == 1 else 's'}"
    error = f", last: {row['error']}" if row["error"] else ""
    if row["state"]:
        return Moment(row["at"], f"notification ({name}) given up", f"{row['url']} after {tried}{error}")
    return Moment(row["at"], f"notification ({name}) to be delivered", f"{row['url']}, {tried}{error}")


# --- why it is not over ----------------------------------------------------------------------------------------------


def why_waiting(traces: Traces, now: datetime) -> str:
    """One sentence; '' when the message is over."""
    if State(traces.message["state"]) in FINAL:
        return ""
    if traces.queue:
        return _why_queued(traces.queue[0], traces.message, now)
    if traces.awaiting:
        first = traces.awaiting[0]
        return f"{first['carrier']} has it since {_ago(now - first['at'])}: its receipt is yet to come"
    return "the operator has it: its receipt is yet to come"


def _why_queued(row: Any, message: Any, now: datetime) -> str:
    if row["leased"]:
        return f"it is being handed to {row['carrier']} right now"
    if row["due_at"] > now:
        return _why_later(row, message, now)
    if not row["binds"]:
        note = f" ({row['note']})" if row["note"] else ""
        return f"no bind to {row['carrier']} is up{note}: it leaves as soon as one is"
    if row["ahead"]:
        return f"{row['ahead']} parts go before it on {row['carrier']}"
    return f"it is next on {row['carrier']}"


def _why_later(row: Any, message: Any, now: datetime) -> str:
    left = _ago(row["due_at"] - now)
    if row["attempts"]:
        word = f" ({message['error']})" if message["error"] else ""
        unknown = " with an unknown outcome" if row["uncertain"] else ""
        return f"attempt {row['attempts']} failed for now{unknown}{word}: the next one is in {left}"
    if row["class"] == TrafficClass.MARKETING:
        return f"it may leave in {left}: scheduled, or held until marketing may go out"
    return f"it is scheduled: it leaves in {left}"


def _ago(length: timedelta) -> str:
    seconds = max(0, round(length.total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
