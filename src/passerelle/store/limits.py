"""Calls counted over a sliding minute, for the calls that have a limit.

One rule: calls at the same moment are counted one after the other, so that a limit of five never lets six pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .database import Database, queries

_sql = queries("limits")
WINDOW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Tally:
    """Whether a call is allowed (and so counted), how many more are, and when the oldest counted one is forgotten."""

    allowed: bool
    remaining: int
    reset: datetime


async def count(db: Database, account_id: int, call: str, limit: int, now: datetime) -> Tally:
    """Count a call if fewer than `limit` were counted in the minute before `now`; a refused one is not counted."""
    async with db.transaction() as connection:
        await connection.execute(_sql.alone, account_id, call)
        counted, oldest = await connection.fetchrow(_sql.counted, account_id, call, now - WINDOW)
        allowed = counted < limit
        if allowed:
            await connection.execute(_sql.insert, account_id, call, now, now - WINDOW)
    remaining = max(0, limit - counted - 1) if allowed else 0
    return Tally(allowed, remaining, (oldest or now) + WINDOW)
