"""Messages: send, find, follow. Those of every dialect of the account are seen here.

One rule: an id names a message of the account, or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...domain import numbers
from ...domain.message import Recipient, State, TrafficClass
from ...domain.reasons import Finding
from ...domain.text import Encoding
from ...pipeline import life as life_of
from ...pipeline.submit import Accepted
from ...store import listings
from . import reasons, shapes
from .calls import Caller, Raw, Services, endpoint
from .problems import Fault, Problem, missing
from .sending import Send, profile_of, submitted, wanted_of
from .words import ClassWord, DialectWord, StateWord, dialect, dialects, state, states, traffic

EVER = datetime(2000, 1, 1, tzinfo=UTC)
FAR = timedelta(days=400)


class Sent(msgspec.Struct, kw_only=True):
    """A message that was made."""

    id: shapes.Id
    to: shapes.Phone
    country: str
    parts: int
    encoding: Annotated[str, Meta(description="`gsm` (160 a part) or `ucs2` (70).", examples=["gsm"])]
    price: shapes.Money


class LeftOut(msgspec.Struct, kw_only=True):
    """A recipient to whom nothing is sent."""

    to: Annotated[str, Meta(description="As it was given.")]
    position: Annotated[int, Meta(description="Among the recipients of the request, from 0.")]
    reason: Annotated[str, Meta(examples=["opted_out"])]
    detail: str


class SendAnswer(msgspec.Struct, kw_only=True):
    """What was accepted; it is stored and paid for."""

    id: Annotated[shapes.Id, Meta(description="Of the submission.")]
    send_at: Annotated[datetime, Meta(description="When it may leave: at once, as asked, or held by the hours.")]
    scheduled: bool
    sandbox: bool
    parts: int
    price: shapes.Money
    messages: list[Sent]
    left_out: list[LeftOut]


class Message(msgspec.Struct, kw_only=True):
    """One message to one number."""

    id: shapes.Id
    submission: shapes.Id
    dialect: DialectWord
    number: Annotated[str | None, Meta(description="What its dialect calls it: message_id, snapshotId.")]
    to: shapes.Phone
    country: str
    sender: Annotated[str, Meta(description="Empty: the short code.")]
    text: Annotated[str, Meta(description="Empty once it was removed, after 90 days.")]
    encoding: str
    parts: int
    price: shapes.Money
    refunded: shapes.Money
    state: StateWord
    state_at: datetime
    error: Annotated[str, Meta(description="The word of the operator where it did not arrive.")]
    accepted_at: datetime
    send_at: datetime
    tag: str
    traffic: ClassWord = msgspec.field(name="class")
    sandbox: bool = False


class Moment(msgspec.Struct, kw_only=True):
    """Something that happened, or will."""

    at: datetime
    what: str
    detail: str


class Followed(Message, kw_only=True):
    """A message with its whole life."""

    life: list[Moment]
    waiting: Annotated[str, Meta(description="Why it is not over; empty when it is.")]


class Listing(shapes.Paging, kw_only=True, forbid_unknown_fields=True):
    """Which messages."""

    state: Annotated[list[StateWord], Meta(description="Only these states.")] = msgspec.field(default_factory=list)
    dialect: Annotated[list[DialectWord], Meta(description="Only these dialects.")] = msgspec.field(
        default_factory=list
    )
    phone: Annotated[str, Meta(max_length=40, description="Only to this number.")] = ""
    tag: Annotated[str, Meta(max_length=100, description="Only under this tag.")] = ""
    since: Annotated[shapes.When | None, Meta(description="Only what was accepted from then on.")] = msgspec.field(
        default=None, name="from"
    )
    until: Annotated[shapes.When | None, Meta(description="Only what was accepted before.")] = msgspec.field(
        default=None, name="to"
    )


# --- calls -----------------------------------------------------------------------------------------------------------


@endpoint("POST", "/messages", "messages:send", status=201, problems=("refused", "credit", "quota"), idempotent=True)
async def send(services: Services, caller: Caller, body: Send) -> SendAnswer | Raw:
    """Send a text to one or many. Up to 1,000 recipients share the text, or have one of their own. Recipients that
    the rules refuse are left out and told; where nobody is left, nothing is sent and the answer is a problem."""
    wanted = wanted_of(body, caller.account, services.clock.now())
    profile = profile_of(body, caller.account)
    return await submitted(services, caller, wanted, profile, accepted)  # type: ignore[no-any-return]


@endpoint("GET", "/messages", "messages:read")
async def listing(services: Services, caller: Caller, query: Listing) -> shapes.Page[Message]:
    """List messages, the newest first. A filter may answer with fewer than `limit` messages, or none, and still have a
    `next`: the page looked at as much as it may."""
    wanted = _filter(query, services.clock.now())
    found = await listings.messages(services.db, caller.id, wanted, shapes.before(query), query.limit)
    more = shapes.link(caller, found.more) if found.more else None
    return shapes.Page(items=[_message(row) for row in found.rows], next=more)


@endpoint("GET", "/messages/{id}", "messages:read")
async def one(services: Services, caller: Caller, id: str) -> Followed:
    """See one message with its whole life. What happened and when, what the operator said, what it cost, who was told,
    and, while it is not over, why it still waits."""
    number, now = shapes.number(id), services.clock.now()
    life = await life_of.of_message(services.db, caller.id, number, now)
    row = await listings.message(services.db, caller.id, number) if life is not None else None
    if life is None or row is None:
        return await _in_sandbox(services, caller, number)
    moments = [Moment(at=each.at, what=each.what, detail=each.detail) for each in life.moments]
    told = msgspec.structs.asdict(_message(row))
    return Followed(**told, life=moments, waiting=life.waiting)


# --- words -----------------------------------------------------------------------------------------------------------


def accepted(done: Accepted) -> SendAnswer:
    """What was accepted."""
    asked = done.submission
    return SendAnswer(
        id=str(done.id),
        send_at=asked.due_at,
        scheduled=asked.scheduled,
        sandbox=asked.sandbox,
        parts=done.parts,
        price=shapes.money(0 if asked.sandbox else done.cost),
        messages=[_sent(done.id + offset, to) for offset, to in enumerate(done.kept)],
        left_out=left_out(done.dropped),
    )


def _sent(number: int, to: Recipient) -> Sent:
    return Sent(
        id=str(number),
        to=shapes.phone(to.phone),
        country=to.country,
        parts=to.parts,
        encoding=to.encoding.name.lower(),
        price=shapes.money(to.price),
    )


def left_out(dropped: Sequence[Finding]) -> list[LeftOut]:
    """Recipients to whom nothing is sent."""
    return [
        LeftOut(
            to=one.subject, position=one.position, reason=one.reason.value, detail=reasons.TABLE[one.reason][1]
        )
        for one in dropped
    ]  # fmt: skip


def _filter(query: Listing, now: datetime) -> listings.Filter:
    phone = 0
    if query.phone:
        read = numbers.normalise(query.phone, True)
        if read is None:
            told = "This is no telephone number: write it like +33639980001."
            raise Problem("invalid", told, [Fault(parameter="phone", detail=told)])
        phone = int(read.e164[1:])
    return listings.Filter(
        states=states(query.state),
        dialects=dialects(query.dialect),
        since=max(EVER, query.since or EVER),
        until=min(now + FAR, query.until or now + FAR),
        phone=phone,
        tag_keys=sorted({query.tag, query.tag.lower()}) if query.tag else (),
    )


def _message(row: Any) -> Message:
    number = row["number"] or row["submission_number"]
    return Message(
        id=str(row["id"]),
        submission=str(row["submission_id"]),
        dialect=dialect(row["dialect"]),
        number=str(number) if number else None,
        to=shapes.phone(row["phone"]),
        country=row["country"],
        sender=row["sender"],
        text=row["text"] or "",
        encoding=Encoding(row["encoding"]).name.lower(),
        parts=row["parts"],
        price=shapes.money(row["price"]),
        refunded=shapes.money(row["refunded"]),
        state=state(row["state"]),
        state_at=row["state_at"],
        error="" if row["state"] == State.DELIVERED else row["error"],
        accepted_at=row["accepted_at"],
        send_at=row["due_at"],
        tag=row["tag"],
        traffic=traffic(row["class"]),
    )


async def _in_sandbox(services: Services, caller: Caller, number: int) -> Followed:
    row = await listings.sandboxed(services.db, caller.id, number)
    if row is None:
        raise missing("message")
    return Followed(
        id=str(number),
        submission=str(row["submission_id"]),
        dialect=dialect(row["dialect"]),
        number=str(row["number"]) if row["number"] else None,
        to=shapes.phone(row["phone"]),
        country=row["country"],
        sender="",
        text=row["text"],
        encoding="",
        parts=row["parts"],
        price=shapes.money(0),
        refunded=shapes.money(0),
        state=StateWord.DELIVERED,
        state_at=row["at"],
        error="",
        accepted_at=row["at"],
        send_at=row["at"],
        tag=row["tag"],
        traffic=traffic(TrafficClass.TRANSACTIONAL),
        sandbox=True,
        life=[Moment(at=row["at"], what="delivered", detail="in the sandbox: nothing left")],
        waiting="",
    )


HANDLERS = [send, listing, one]
