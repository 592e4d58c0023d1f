"""Short links as rows.

One rule: a code that was given out leads to the same address for ever, or to nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ..domain import links
from .database import Database, queries

_SQL = queries("links")


class Counted(NamedTuple):
    """All clicks of a link; no time where there is none."""

    code: str
    url: str
    clicks: int
    first_at: datetime | None
    last_at: datetime | None


def new_code() -> str:
    """A code that nobody guesses."""
    return links.spell(secrets.token_bytes(links.ENTROPY))


def new_tracked_codes(count: int) -> list[str]:
    """Codes for tracked links, that nobody guesses."""
    return links.spell_tracked(secrets.token_bytes(links.TRACKED_ENTROPY * count))


async def make(connection: Any, account_id: int, url: str, now: datetime, expires_at: datetime | None = None) -> str:
    """The code of a new link to `url`. Raises ValueError where none may lead (`domain.links.is_target`)."""
    (code,) = await make_many(connection, account_id, [url], now, expires_at)
    return code


async def make_many(
    connection: Any, account_id: int, urls: Sequence[str], now: datetime, expires_at: datetime | None = None
) -> list[str]:
    """The codes of new links, in the order of `urls`; equal addresses have links of their own. Raises ValueError."""
    wrong = next((url for url in urls if not links.is_target(url)), None)
    if wrong is not None:
        raise ValueError(f"no link may lead to {wrong!r}")
    made: list[str] = []
    while left := urls[len(made) :]:
        codes = [new_code() for _ in left]
        rows = await connection.fetch(_SQL.insert, account_id, codes, left, now, expires_at)
        stored = {row["code"] for row in rows}
        made += _until_missing(codes, stored)
    return made


def _until_missing(codes: Sequence[str], stored: set[str]) -> Iterable[str]:
    """The codes before the first that was taken by somebody; those behind it lead where nobody was told."""
    for code in codes:
        if code not in stored:
            return
        yield code


async def clicks(db: Database, account_id: int, codes: Sequence[str]) -> list[Counted]:
    """The clicks of those codes that are links of the account."""
    return [Counted(*row) for row in await db.fetch(_SQL.clicks, account_id, codes)]
