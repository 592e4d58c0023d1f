"""Take back what has not left: all of a submission or nothing of it, and its price with it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ..domain.campaigns import Stage
from ..domain.message import Dialect, State
from ..store import campaigns, ledger, queue, subaccounts, submissions
from ..store.database import Database
from .settle import Key, Settlement

SLICE = 2_000  # messages at once
LATEST = timedelta(minutes=5)  # before the sending time (SMS Partner 5.5)


class CancelVerdict(enum.Enum):
    """What became of a wish to cancel."""

    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    ALREADY = "already"
    SENT = "sent"
    TOO_LATE = "too_late"


class _Left(Exception):
    """A part was leased between our look and our hand."""


async def cancel(db: Database, account_id: int, dialect: Dialect, number: int, now: datetime) -> CancelVerdict:
    """Cancel the submission that the dialect calls `number`; nobody is told of what its owner did."""
    try:
        async with db.transaction() as connection:
            return await _cancel(connection, account_id, dialect, number, now)
    except _Left:
        return CancelVerdict.SENT


async def cancel_submission(db: Database, account_id: int, submission_id: int, now: datetime) -> CancelVerdict:
    """Cancel a submission of any dialect as long as nothing of it has left."""
    try:
        async with db.transaction() as connection:
            found = await submissions.lock_by_id(connection, account_id, submission_id)
            if found is None:
                return CancelVerdict.UNKNOWN
            return await _end(connection, account_id, found, now, timedelta(0))
    except _Left:
        return CancelVerdict.SENT


async def _cancel(connection: Any, account_id: int, dialect: Dialect, number: int, now: datetime) -> CancelVerdict:
    found = await submissions.lock_by_number(connection, account_id, dialect, number)
    if found is None:
        return await _without_submission(connection, account_id, dialect, number)
    return await _end(connection, account_id, found, now, LATEST)


async def _end(connection: Any, account_id: int, found: Any, now: datetime, latest: timedelta) -> CancelVerdict:
    verdict = _judge(found, now, latest)
    if verdict is not CancelVerdict.CANCELLED:
        return verdict
    refunds: list[ledger.Refund] = []
    parts, end = 0, found["id"] + found["messages"]
    for first in range(found["id"], end, SLICE):  # others have their turn between; the wallet is locked at the end
        keys = [(account_id, key) for key in range(first, min(first + SLICE, end))]
        settlement, taken = await take_back(connection, keys, now)
        await settlement.save(refunds)
        parts += taken
    if parts < found["parts"]:
        raise _Left
    await submissions.mark_cancelled(connection, account_id, found["id"], now)
    await campaigns.set_stage(connection, account_id, found["id"], Stage.CANCELLED, now)
    await ledger.refund(connection, refunds, now)
    return CancelVerdict.CANCELLED


async def cancel_waiting(db: Database, account_id: int, now: datetime, limit: int = 500) -> int:
    """Cancel what an account has scheduled, or what is held, up to `limit` parts; how many messages there were.

    What is under way stays as it is.
    """
    async with db.transaction() as connection:
        rows = await subaccounts.waiting(connection, account_id, now, limit)
        if rows:  # the submissions first: whoever cancels one has locked it before its messages
            await subaccounts.mark_cancelled(connection, account_id, [row["submission_id"] for row in rows], now)
            settlement, _ = await take_back(connection, [(account_id, row["message_id"]) for row in rows], now)
            await settlement.save()
    return len(rows)


async def take_back(connection: Any, keys: Sequence[Key], now: datetime) -> tuple[Settlement, int]:
    """Take what nobody holds of these messages out of the queue; the changes to save, and how many parts."""
    settlement = Settlement(connection, now, None)
    await settlement.load(keys)
    removed = await queue.remove_unleased(connection, keys)
    for row in removed:
        key = (row["account_id"], row["message_id"])
        settlement.moved(key, row["part"], State.CANCELLED, now)
        settlement.unstarted(key, int(row["attempts"] == 0))
    return settlement, len(removed)


async def _without_submission(connection: Any, account_id: int, dialect: Dialect, number: int) -> CancelVerdict:
    """A sandbox send is delivered at once: there is nothing to take back."""
    there = await submissions.is_sandboxed(connection, account_id, dialect, number)
    return CancelVerdict.SENT if there else CancelVerdict.UNKNOWN


def _judge(found: Any, now: datetime, latest: timedelta) -> CancelVerdict:
    """In the order of the contract: already cancelled, already sent, too late (`latest` before the sending time)."""
    if found["cancelled_at"] is not None:
        return CancelVerdict.ALREADY
    if found["queued"] < found["parts"]:
        return CancelVerdict.SENT
    in_time = not latest or found["due_at"] - now >= latest
    return CancelVerdict.CANCELLED if in_time else CancelVerdict.TOO_LATE
