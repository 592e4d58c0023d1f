"""HLR requests as rows: accepted with their charge, leased number by number, answered once.

The one rule: whatever is recorded of a number is recorded once: of two workers that asked, the second changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import uuid_utils

from ..domain.hlr import Found
from .database import Database, columns, queries

_SQL = queries("verifications")

NEWEST = 2**63 - 1


class Wanted(NamedTuple):
    """A number to be asked about. `phone`: E.164 without +; `price` in micro-euros."""

    phone: int
    country: str
    price: int


class Question(NamedTuple):
    """A leased number of a request, and where its result is wanted ('' for nowhere)."""

    account_id: int
    number: int
    position: int
    reference: str
    phone: int
    country: str
    price: int
    notify_url: str


class Recorded(NamedTuple):
    """What is to be written of a question; `refunded`: nobody could be asked."""

    question: Question
    found: Found
    refunded: bool


class Verification(NamedTuple):
    """An accepted request; `cost` in micro-euros."""

    number: int
    at: datetime
    tag: str
    notify_url: str
    numbers: int
    cost: int


class Result(NamedTuple):
    """What is known of a number of a request; `error` None: not answered yet."""

    position: int
    reference: str
    phone: int
    price: int
    error: int | None
    mcc_mnc: str
    ported: bool
    refunded: bool
    answered_at: datetime | None


async def next_number(connection: Any) -> int:
    """The number of a new request, over all accounts."""
    found: int = await connection.fetchval(_SQL.next_number)
    return found


async def insert(connection: Any, account_id: int, request: Verification, wanted: Sequence[Wanted]) -> None:
    """Write a request with its numbers."""
    await connection.execute(_SQL.insert, account_id, *request)
    references = [str(uuid_utils.uuid4()) for _ in wanted]
    await connection.execute(_SQL.insert_numbers, account_id, request.number, request.at, references, *columns(wanted))


async def lease(db: Database, accepted_before: datetime, limit: int, lease_for: timedelta) -> list[Question]:
    """Up to `limit` numbers that nobody is asking about, the oldest first."""
    rows = await db.fetch(_SQL.lease, accepted_before, limit, lease_for)
    return [Question(*row) for row in rows]


async def record(connection: Any, answers: Sequence[Recorded], now: datetime) -> list[Recorded]:
    """Write answers; those that were not written before."""
    rows = [
        (*answer.question[:3], answer.found.error, answer.found.mcc_mnc, answer.found.ported, answer.refunded)
        for answer in sorted(answers, key=lambda answer: answer.question[:3])
    ]
    done = {tuple(row) for row in await connection.fetch(_SQL.record, *columns(rows), now)} if rows else set()
    return [answer for answer in answers if answer.question[:3] in done]


async def add_dead(connection: Any, pairs: Sequence[tuple[int, int]]) -> None:
    """Nobody has these phones; (account, phone) each, in one order everywhere."""
    if pairs:
        await connection.execute(_SQL.add_dead, *columns(pairs))


async def remove_dead(connection: Any, pairs: Sequence[tuple[int, int]]) -> None:
    """Somebody has these phones after all."""
    if pairs:
        await connection.execute(_SQL.remove_dead, *columns(pairs))


async def find(db: Database, account_id: int, number: int) -> Verification | None:
    """A request of an account."""
    row = await db.fetchrow(_SQL.find, account_id, number)
    return None if row is None else Verification(*row)


async def results(db: Database, account_id: int, number: int) -> list[Result]:
    """What is known of the numbers of a request, in its order."""
    return [Result(*row) for row in await db.fetch(_SQL.results, account_id, number)]


async def listing(db: Database, account_id: int, before: int = NEWEST, limit: int = 100) -> list[Verification]:
    """The requests of an account with a number below `before`, the newest first."""
    return [Verification(*row) for row in await db.fetch(_SQL.listing, account_id, before, limit)]
