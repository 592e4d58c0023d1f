"""Statistics: what left on each day and what it cost, and what became of messages, by dialect and by tag.

One rule: every figure is that of the rows at this moment; days are those of Europe/Paris.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from ...domain.calendar import paris_day, to_utc
from ...domain.message import Dialect
from ...store import listings
from ...store import statistics as store
from . import shapes
from .calls import Caller, Services, endpoint
from .problems import Fault, Problem
from .words import DialectWord, dialect

LONGEST = timedelta(days=92)
WEEK = timedelta(days=6)  # and the last day itself
OLDEST, NEWEST = date(2000, 1, 1), date(2100, 1, 1)


class Day(msgspec.Struct, kw_only=True):
    """What left on a day through a dialect."""

    day: date
    dialect: DialectWord
    parts: int
    cost: shapes.Money


class Days(msgspec.Struct, kw_only=True):
    """Days on which something left."""

    items: list[Day]


class Span(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which days."""

    since: Annotated[date | None, Meta(description="The first day; a week ago without it.")] = msgspec.field(
        default=None, name="from"
    )
    until: Annotated[date | None, Meta(description="The last day; today without it.")] = msgspec.field(
        default=None, name="to"
    )
    dialect: Annotated[list[DialectWord], Meta(description="Only these.")] = msgspec.field(default_factory=list)


class Total(msgspec.Struct, kw_only=True):
    """What became of the messages of a dialect, or of one tag of it."""

    dialect: DialectWord
    tag: str
    messages: int
    waiting: Annotated[int, Meta(description="Parts not handed over yet.")]
    sent: int
    submitted: int
    delivered: int
    errors: int
    bounced: int
    replies: int
    unsubscribers: int


class Totals(msgspec.Struct, kw_only=True):
    """A total for each dialect."""

    items: list[Total]


class OfTag(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which totals."""

    dialect: Annotated[list[DialectWord], Meta(description="Only these.")] = msgspec.field(default_factory=list)
    tag: Annotated[str, Meta(max_length=100, description="Only under this tag.")] = ""


class Tag(msgspec.Struct, kw_only=True):
    """A tag that was used."""

    dialect: DialectWord
    tag: Annotated[str, Meta(description="As it is compared: those of SMS Partner in lower case.")]
    messages: int


@endpoint("GET", "/statistics/days", "account:read")
async def days(services: Services, caller: Caller, query: Span) -> Days:
    """See what left on each day, and its cost. At most 92 days at once."""
    now = services.clock.now()
    first, count = _span(query.since, query.until, paris_day(now))
    boundaries = [to_utc(first + timedelta(days=n), 0) for n in range(count + 1)]
    items = []
    for one in query.dialect or list(DialectWord):
        rows = await store.cost_rows(services.db, caller.id, Dialect[one.name], boundaries, now)
        items += [
            Day(day=first + timedelta(days=n), dialect=one, parts=parts, cost=shapes.money(cost))
            for n, (parts, cost) in enumerate(rows)
            if parts or cost
        ]
    return Days(items=sorted(items, key=lambda day: (day.day, day.dialect)))


def bounds(since: date | None, until: date | None, today: date) -> tuple[datetime, datetime]:
    """From the beginning of a first day to the end of a last. Raises Problem."""
    first, count = _span(since, until, today)
    return to_utc(first, 0), to_utc(first + timedelta(days=count), 0)


def _span(since: date | None, until: date | None, today: date) -> tuple[date, int]:
    """The first day and how many. Raises Problem."""
    last = until or today
    if OLDEST < last < NEWEST and OLDEST < (first := since or last - WEEK) <= last < first + LONGEST:
        return first, (last - first).days + 1
    told = f"`to` is not before `from`, and at most {LONGEST.days} days are told at once."
    raise Problem("invalid", told, [Fault(parameter="from", detail=told)])


@endpoint("GET", "/statistics/totals", "account:read")
async def totals(services: Services, caller: Caller, query: OfTag) -> Totals:
    """See what became of messages, of each dialect or of one tag."""
    items = []
    for one in query.dialect or list(DialectWord):
        key = query.tag.lower() if one is DialectWord.SMSPARTNER else query.tag
        counted = await store.counters(services.db, caller.id, Dialect[one.name], key)
        if counted.messages or query.dialect:
            figures = {name: getattr(counted, name) for name in Total.__struct_fields__[2:]}
            items.append(Total(dialect=one, tag=query.tag, **figures))
    return Totals(items=items)


@endpoint("GET", "/statistics/tags", "account:read")
async def tags(services: Services, caller: Caller, query: shapes.Paging) -> shapes.Page[Tag]:
    """List the tags that were used, by dialect and name. What was sent a second ago may not be counted yet."""
    found = shapes.decode_cursor(query.cursor, int, str) or (0, "")
    known = min(int(found[0]), max(Dialect))
    rows = await listings.tags(services.db, caller.id, known, found[1].replace("\0", ""), query.limit + 1)
    shown = rows[: query.limit]
    more = shapes.link(caller, shown[-1]["dialect"], shown[-1]["tag_key"]) if len(rows) > query.limit else None
    items = [Tag(dialect=dialect(row["dialect"]), tag=row["tag_key"], messages=row["messages"]) for row in shown]
    return shapes.Page(items=items, next=more)


HANDLERS = [days, totals, tags]
