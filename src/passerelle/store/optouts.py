"""The lists of numbers that are not written to: the stop list and the dead numbers of each account.

The one rule: an entry is marked as removed, never deleted; adding the number again revives it with its ids and its
history. Account 0 holds the lists of the platform.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from .database import Database, queries
from .tokens import new_token as new_token
from .tokens import new_tokens

_SQL = queries("optouts")

PLATFORM = 0
"""The account whose dead numbers block everybody."""


class List(enum.IntEnum):
    """Which list; the numbers are stored."""

    STOP = 1
    BOUNCE = 2


class Blocked(msgspec.Struct, frozen=True):
    """An entry. `number`: SMS Partner's id; `token`: Primotexto's, 12 bytes; `phone`: E.164 without +."""

    number: int
    token: bytes
    phone: int
    created_at: datetime
    history: list[dict[str, Any]]  # [{"date": milliseconds, "campaignId": 24 hex digits, if any}]


async def listing(db: Database, account_id: int, list_: List) -> list[Blocked]:
    """Every entry, the oldest first."""
    return [Blocked(*row) for row in await db.fetch_long(_SQL.listing, account_id, list_)]


async def find(db: Database, account_id: int, list_: List, phone: int) -> Blocked | None:
    """The entry of a number, if it is listed."""
    return _entry(await db.fetchrow(_SQL.find, account_id, list_, phone))


async def add(
    db: Database, account_id: int, list_: List, phone: int, now: datetime, campaign: bytes | None = None
) -> Blocked | None:
    """List a number by hand, or through `campaign` (12 bytes), which its history then tells; None: already listed."""
    history = [] if campaign is None else [_entered(now, campaign)]
    return _entry(await db.fetchrow(_SQL.add, account_id, list_, phone, new_token(now), now, history))


async def remove_by_number(db: Database, account_id: int, list_: List, number: int) -> bool:
    """Whether there was an entry with this `number`; it is gone now."""
    return await _remove(db, _SQL.remove_by_number, account_id, list_, number)


async def remove_by_phone(db: Database, account_id: int, list_: List, phone: int) -> bool:
    """Whether this number was listed; it is gone now."""
    return await _remove(db, _SQL.remove_by_phone, account_id, list_, phone)


async def remove_by_token(db: Database, account_id: int, list_: List, token: bytes) -> bool:
    """Whether there was an entry with this `token`; it is gone now."""
    return await _remove(db, _SQL.remove_by_token, account_id, list_, token)


async def add_many(
    conn: Any,
    rows: Iterable[tuple[int, int, int]],
    now: datetime,
    campaigns: Mapping[tuple[int, int, int], bytes | None] | None = None,
) -> set[tuple[int, int, int]]:
    """List what STOP replies and receipts say, as (account, list, phone); returns those that were not listed yet.

    `campaigns`: through which campaign (12 bytes) a row came in.
    """
    wanted = sorted(set(rows))
    if not wanted:
        return set()
    accounts, lists, phones = zip(*wanted, strict=True)
    tokens = new_tokens(now, len(wanted))
    entered = [_entered(now, (campaigns or {}).get(row)) for row in wanted]
    return {tuple(row) for row in await conn.fetch(_SQL.add_many, accounts, lists, phones, tokens, now, entered)}


def _entered(now: datetime, campaign: bytes | None) -> dict[str, Any]:
    return {"date": _milliseconds(now)} | ({} if campaign is None else {"campaignId": campaign.hex()})


async def blocked_pairs(conn: Any, account_ids: Sequence[int], phones: Sequence[int]) -> set[tuple[int, int, int]]:
    """Which of the pairs (account, phone), given as two arrays, are listed: (account, list, phone).

    A dead number of the platform is told as (0, BOUNCE, phone), whatever the account.
    """
    return {tuple(row) for row in await conn.fetch(_SQL.blocked_pairs, account_ids, phones)}


async def blocked_of(conn: Any, account_id: int, phones: Sequence[int]) -> set[tuple[int, int, int]]:
    """The same for one account and many numbers."""
    return {tuple(row) for row in await conn.fetch(_SQL.blocked_of, account_id, phones)}


async def _remove(db: Database, query: str, *arguments: Any) -> bool:
    return await db.fetchval(query, *arguments) is not None


def _entry(row: Any) -> Blocked | None:
    return None if row is None else Blocked(*row)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
