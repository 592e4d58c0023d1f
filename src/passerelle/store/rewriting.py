"""What is written anew while a campaign is paused: messages that have not left, with their parts and queue rows.

The one rule: only what nobody holds and what was never begun is written anew, under the locks that this room takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ..domain.message import Lane
from . import submissions
from .campaigns import Halting
from .copying import Columns, copy
from .database import columns, queries

SQL = queries("rewriting")


class Waiting(NamedTuple):
    """A part of which no submit was begun, locked."""

    message_id: int
    part: int
    carrier_id: int
    region: str
    due_at: datetime
    valid_until: datetime


class Unsent(NamedTuple):
    """A message that has not left, locked; `price` in micro-euros."""

    id: int
    phone: int
    parts: int
    price: int


class Rewritten(NamedTuple):
    """What a message becomes."""

    id: int
    text: str
    encoding: int
    parts: int
    price: int


async def lock_waiting(connection: Any, account_id: int, messages: Sequence[int]) -> list[Waiting]:
    """Lock the parts of these messages that nobody holds and that were never begun."""
    return [Waiting(*row) for row in await connection.fetch(SQL.lock_waiting, account_id, messages)]


async def unsent(connection: Any, account_id: int, messages: Sequence[int]) -> list[Unsent]:
    """Lock those of these messages that have not left."""
    return [Unsent(*row) for row in await connection.fetch(SQL.unsent, account_id, messages)]


async def rewrite(
    connection: Any,
    account_id: int,
    submission: Halting,
    some: Sequence[Rewritten],
    queued: Mapping[int, Waiting],
    stop_applies: bool,
    now: datetime,
) -> None:
    """Write messages anew, with their parts and queue rows, which stay parked. `queued`: one part of each before."""
    ids = [one.id for one in some]
    await connection.execute(SQL.unqueue, account_id, ids)
    await connection.execute(SQL.rewrite, account_id, *columns(some))
    parts = [(one.id, n) for one in some if one.parts > 1 for n in range(1, one.parts + 1)]
    await submissions.copy_parts(connection, account_id, parts, now)
    await copy(connection, "queue", _parked(account_id, submission, some, queued, stop_applies))


def _parked(
    account_id: int,
    submission: Halting,
    some: Sequence[Rewritten],
    queued: Mapping[int, Waiting],
    stop_applies: bool,
) -> Columns:
    rows = [(queued[one.id], n) for one in some for n in range(1, one.parts + 1)]
    return Columns(
        shared=submissions.queue_shared(account_id, submission.id, Lane.PAUSED, submission.traffic, stop_applies),
        bigints={"message_id": [was.message_id for was, _ in rows]},
        timestamptzs={
            "due_at": [was.due_at for was, _ in rows],
            "valid_until": [was.valid_until for was, _ in rows],
        },
        smallints={"part": [n for _, n in rows], "carrier_id": [was.carrier_id for was, _ in rows]},
        texts={"region": [was.region for was, _ in rows]},
    )


async def rewritten(connection: Any, account_id: int, campaign_id: int, name: str, text: str, settled: int) -> None:
    """What the campaign says from now on, and what that has cost; below zero: given back."""
    await connection.execute(SQL.rewritten, account_id, campaign_id, name, text, settled)
