"""Complaints about messages: which message one is about, and that there was one.

The one rule: a message is complained about once, whoever repeats it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from .database import columns, queries

_SQL = queries("complaints")

RECENT = timedelta(days=30)
"""How old a message may be that somebody complains about."""


class Report(NamedTuple):
    """Somebody complained. `phone`: E.164 without +; `account_id`: whose message it was, 0 where nobody says so."""

    phone: int
    at: datetime
    account_id: int = 0


class About(NamedTuple):
    """The message that report `position` (from 1) is about."""

    position: int
    account_id: int
    message_id: int
    sent_at: datetime
    text: str
    sender: str
    reply_url: str
    email: str


async def about(conn: Any, reports: Sequence[Report]) -> list[About]:
    """Those of the reports that are about a message of ours."""
    return [About(*row) for row in await conn.fetch(_SQL.about, *columns(reports), RECENT)] if reports else []


async def mark(conn: Any, keys: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Mark messages (account, message) that are locked; those that were not marked before."""
    wanted = sorted(keys)
    return {tuple(row) for row in await conn.fetch(_SQL.mark, *columns(wanted))} if wanted else set()
