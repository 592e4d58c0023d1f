"""Lists of all dialects of one account, the newest first, page by page: what the native API and the console show.

One rule: a page costs what it costs, however long the history: a filter that finds little answers with few rows, or
none, and says where to go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .database import Database, queries
from .numbering import month_of, span_of

_SQL = queries("listings")

NEWEST = 2**63 - 1
LOOKED_AT = 5_000
"""Rows that a page of a filtered list looks at."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages. `since` and `until`: of acceptance; `tag_keys`: the spellings of one tag; empty: any."""

    states: Sequence[int]
    dialects: Sequence[int]
    since: datetime
    until: datetime
    phone: int = 0
    tag_keys: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a list. `more`: the key below which it goes on; 0 at the end."""

    rows: list[Any]
    more: int


async def messages(db: Database, account_id: int, wanted: Filter, before: int, limit: int) -> Part:
    """Messages with an id below `before`, with what their submission says."""
    (low, _), (_, high) = span_of(month_of(wanted.since)), span_of(month_of(wanted.until))
    asked = (account_id, limit, low, min(before, high), LOOKED_AT, wanted.states, wanted.dialects, wanted.since)
    if wanted.phone:
        rows = await db.fetch(_SQL.messages_to, *asked, wanted.until, wanted.phone)
    elif wanted.tag_keys:
        rows = await db.fetch(_SQL.messages_tagged, *asked, wanted.until, wanted.tag_keys)
    else:
        rows = await db.fetch(_SQL.messages, *asked, wanted.until)
    return _part(rows, limit)


def _part(rows: Sequence[Any], limit: int) -> Part:
    found = [row for row in rows if row["id"] is not None]
    if len(found) == limit:
        return Part(found, found[-1]["id"])
    ends = not rows or rows[0]["looked"] < LOOKED_AT
    return Part(found, 0 if ends else rows[0]["reached"])


async def message(db: Database, account_id: int, message_id: int) -> Any:
    """One message, or None."""
    return await db.fetchrow(_SQL.message, account_id, message_id)


async def submission(db: Database, account_id: int, submission_id: int) -> Any:
    """A submission, or None."""
    return await db.fetchrow(_SQL.submission, account_id, submission_id)


async def submission_of(db: Database, account_id: int, message_id: int) -> int | None:
    """The submission of a message."""
    found: int | None = await db.fetchval(_SQL.submission_of, account_id, message_id)
    return found


async def progress(db: Database, account_id: int, submission_id: int, messages: int) -> list[Any]:
    """State -> messages, parts, what was given back, and the time of the last."""
    return await db.fetch(_SQL.progress, account_id, submission_id, submission_id + messages)


async def waiting(db: Database, account_id: int, submission_id: int, messages: int) -> Any:
    """Parts that are still to be submitted, with the first and the last time they are due."""
    return await db.fetchrow(_SQL.waiting, account_id, submission_id, submission_id + messages)


async def sandboxed(db: Database, account_id: int, message_id: int) -> Any:
    """A sandbox send, or None."""
    return await db.fetchrow(_SQL.sandboxed, account_id, message_id)


async def sandboxed_submission(db: Database, account_id: int, submission_id: int) -> list[Any]:
    """The first thousand sandbox sends of one request."""
    return await db.fetch(_SQL.sandboxed_submission, account_id, submission_id)


async def replies(
    db: Database,
    account_id: int,
    dialects: Sequence[int],
    stops: Sequence[bool],
    phones: Sequence[int] | None,
    before: int,
    limit: int,
) -> Part:
    """Replies with an id below `before`; `phones` None: from anybody."""
    rows = await db.fetch(_SQL.replies, account_id, limit, before, LOOKED_AT, dialects, stops, phones)
    return _part(rows, limit)


async def replies_tagged(
    db: Database, account_id: int, dialect: int, tag_key: str, before: int, limit: int
) -> list[Any]:
    """Replies to the messages of a tag of one dialect, with an id below `before`."""
    return await db.fetch(_SQL.replies_tagged, account_id, dialect, tag_key, before, limit)


async def postings(db: Database, account_id: int, before: int, limit: int) -> list[Any]:
    """Money moved to or from an account."""
    return await db.fetch(_SQL.postings, account_id, before, limit)


async def charges(db: Database, account_id: int, before: int, limit: int) -> list[Any]:
    """What submissions cost."""
    return await db.fetch(_SQL.charges, account_id, before, limit)


async def blocked(db: Database, account_id: int, list_: int, after: int, limit: int) -> list[Any]:
    """Entries of a list of blocked numbers with a number above `after`."""
    return await db.fetch(_SQL.blocked, account_id, list_, after, limit)


async def tags(db: Database, account_id: int, dialect: int, after: str, limit: int) -> list[Any]:
    """Tags with their figures as folded, behind (dialect, tag)."""
    return await db.fetch(_SQL.tags, account_id, dialect, after, limit)
