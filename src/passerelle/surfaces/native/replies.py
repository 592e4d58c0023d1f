"""Replies: what people wrote back, to messages of every dialect.

One rule: a reply is told as it came; whether it is an opt-out was decided when it came in.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...domain import numbers
from ...domain.message import Dialect
from ...store import listings
from . import shapes
from .calls import Caller, Services, endpoint
from .problems import Fault, Problem
from .words import DialectWord, dialect, dialects


class Reply(msgspec.Struct, kw_only=True):
    """A text from a telephone."""

    id: shapes.Id
    sender: Annotated[shapes.Phone, Meta(description="Who wrote it.")] = msgspec.field(name="from")
    recipient: Annotated[str, Meta(description="The short code or number it came in on.")] = msgspec.field(name="to")
    text: str
    at: datetime
    stop: Annotated[bool, Meta(description="Whether it is an opt-out: the number is on the stop list since.")]
    message: Annotated[shapes.Id | None, Meta(description="The message that it answers.")]
    dialect: Annotated[DialectWord | None, Meta(description="Of that message.")]
    tag: str


class Listing(shapes.Paging, kw_only=True, forbid_unknown_fields=True):
    """Which replies."""

    dialect: Annotated[list[DialectWord], Meta(description="Only to messages of these.")] = msgspec.field(
        default_factory=list
    )
    phone: Annotated[str, Meta(max_length=40, description="Only from this number.")] = ""
    stop: Annotated[bool | None, Meta(description="Only opt-outs, or only what is none.")] = None


@endpoint("GET", "/replies", "messages:read")
async def listing(services: Services, caller: Caller, query: Listing) -> shapes.Page[Reply]:
    """List replies, the newest first."""
    wanted = dialects(query.dialect) if query.dialect else [0, *dialects([])]
    stops = [False, True] if query.stop is None else [query.stop]
    phones = [phone_of(query.phone)] if query.phone else None
    found = await listings.replies(
        services.db, caller.id, wanted, stops, phones, shapes.before(query), query.limit
    )  # fmt: skip
    more = shapes.link(caller, found.more) if found.more else None
    return shapes.Page(items=[worded(row) for row in found.rows], next=more)


def phone_of(written: str, parameter: str = "phone") -> int:
    """The digits of a telephone number of the query or the path. Raises Problem."""
    read = numbers.normalise(written, True)
    if read is None:
        told = "This is no telephone number: write it like +33639980001."
        raise Problem("invalid", told, [Fault(parameter=parameter, detail=told)])
    return int(read.e164[1:])


def worded(row: Any) -> Reply:
    """A reply in words."""
    return Reply(
        id=str(row["id"]),
        sender=shapes.phone(row["phone"]),
        recipient=row["recipient"],
        text=row["text"],
        at=row["at"],
        stop=row["stop"],
        message=str(row["message_id"]) if row["message_id"] else None,
        dialect=dialect(row["dialect"]) if row["dialect"] in set(Dialect) else None,
        tag=row["tag"],
    )


HANDLERS = [listing]
