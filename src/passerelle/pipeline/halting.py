"""Pause, resume and stop what was accepted: campaigns, sends to groups, any submission.

The one rule: the row of the submission says at once what holds for all of it, and nothing is handed over that was
leased later; its queue rows follow in slices, by whoever is there, and the note that they have to (`halt`) stays until
they have.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from .. import telemetry
from ..clock import Clock
from ..domain.campaigns import PAUSE_DAYS, Fault, Stage
from ..domain.routing import lane_for
from ..store import campaigns, queue, submissions
from ..store.campaigns import Halting
from ..store.database import Database, is_transient
from ..store.lists import delete as delete_list
from .cancel import take_back

SLICE = 2_000  # messages or rows in one transaction
FEW = 5  # slices that the caller does himself
FIRST = (-1, -1)


async def pause(db: Database, account_id: int, submission_id: int, now: datetime) -> Fault | None:
    """Hand nothing of a submission over any more, until it is resumed. What is with an operator stays there."""
    async with db.transaction() as connection:
        found = await campaigns.lock_submission(connection, account_id, submission_id)
        if found is None or not await queue.any_left(connection, account_id, found.id, found.end):
            return Fault.NOT_RUNNING
        if not await campaigns.pause(connection, account_id, submission_id, now):
            return Fault.NOT_RUNNING
        await campaigns.halt(connection, account_id, submission_id)
    return None


async def resume(db: Database, account_id: int, submission_id: int, now: datetime, validity: timedelta) -> Fault | None:
    """Let it go on. What should have left meanwhile is due now, and valid for as long as if it were new; its hours are
    looked at again when it leaves."""
    async with db.transaction() as connection:
        if not await campaigns.resume(connection, account_id, submission_id):
            return Fault.NOT_PAUSED
        await campaigns.halt(connection, account_id, submission_id)
    await _a_few(db, account_id, submission_id, now, validity)
    return None


async def stop(db: Database, account_id: int, submission_id: int, now: datetime, validity: timedelta) -> Fault | None:
    """End it: what has not left never will, and its price goes back."""
    async with db.transaction() as connection:
        found = await campaigns.lock_submission(connection, account_id, submission_id)
        if found is None or found.cancelled_at is not None:
            return Fault.NOT_RUNNING
        if not await queue.any_left(connection, account_id, found.id, found.end):
            return Fault.NOT_RUNNING
        whole = await submissions.still_queued(connection, account_id, found.id, found.end)
        await submissions.mark_cancelled(connection, account_id, submission_id, now)
        # What is neither paused nor yet to come may be leased at this very moment.
        is_still = found.paused_at is not None or found.due_at > now
        stage = Stage.CANCELLED if is_still and whole["queued"] == whole["parts"] else Stage.STOPPED
        await campaigns.set_stage(connection, account_id, submission_id, stage, now)
        await campaigns.halt(connection, account_id, submission_id)
    await _a_few(db, account_id, submission_id, now, validity)
    return None


async def _a_few(db: Database, account_id: int, submission_id: int, now: datetime, validity: timedelta) -> None:
    """The first slices at once: of a small submission that is all, and its owner sees it."""
    for _ in range(FEW):
        if await carry_out(db, account_id, submission_id, now, validity):
            return


async def carry_out(db: Database, account_id: int, submission_id: int, now: datetime, validity: timedelta) -> bool:
    """Bring a slice of its queue rows where they belong; whether all are. One at a time: of two who meet at a slice the
    other moves nothing, and nothing moved means that all is done."""
    async with db.transaction() as connection:
        if not await campaigns.lock_halt(connection, account_id, submission_id):
            return True
        return await _carry_out(connection, account_id, submission_id, now, validity)


async def _carry_out(connection: Any, account_id: int, submission_id: int, now: datetime, validity: timedelta) -> bool:
    found = await campaigns.share_submission(connection, account_id, submission_id)
    if found is not None and await _move_some(connection, account_id, found, now, validity):
        return False
    await campaigns.unhalt(connection, account_id, submission_id)
    return True


async def _move_some(connection: Any, account_id: int, found: Halting, now: datetime, validity: timedelta) -> int:
    span = (account_id, found.id, found.end)
    if found.cancelled_at is not None:
        waiting = await queue.waiting_messages(connection, *span, SLICE)
        settlement, _ = await take_back(connection, [(account_id, message) for message in waiting], now)
        await settlement.save()
        return len(waiting)  # some may have been leased meanwhile, the others are behind them
    if found.paused_at is not None:
        return await queue.park_some(connection, *span, SLICE)
    lane = lane_for(found.traffic, found.messages, found.campaign_id is not None)
    return await queue.unpark_some(connection, *span, SLICE, lane, now, validity)


# --- what workers do -------------------------------------------------------------------------------------------------


async def carry_on(db: Database, clock: Clock, validity: timedelta) -> None:
    """Carry on what was begun: pauses, resumptions and stops of large submissions, and of callers that died."""
    more = True
    while more:  # a slice of each in turn
        more, after = False, FIRST
        while (found := await _next(db, after, clock.now(), validity)) is not None:
            after, done = found
            more = more or not done


async def _next(
    db: Database, after: tuple[int, int], now: datetime, validity: timedelta
) -> tuple[tuple[int, int], bool] | None:
    """A slice of the next one, and whether that was all; one that fails does not keep the others."""
    key = after
    try:
        async with db.transaction() as connection:
            found = await campaigns.halted(connection, after)
            if found is None:
                return None
            key = found
            return key, await _carry_out(connection, *key, now, validity)
    except Exception as error:
        if is_transient(error) or key == after:
            raise
        telemetry.log(telemetry.Event.WORKER_FAILED, room="halt", error=repr(error)[:200])
        return key, True


async def end(db: Database, clock: Clock, validity: timedelta) -> None:
    """End campaigns of which everything has left; stop what is paused for longer than anybody may."""
    now = clock.now()
    for one in await campaigns.over(db):
        if not one.keep_list and one.list_token is not None:
            await delete_list(db, one.account_id, one.list_token)
        await campaigns.end(db, one.account_id, one.id, now)
    for account_id, submission_id in await campaigns.paused_before(db, now - timedelta(days=PAUSE_DAYS), SLICE):
        await stop(db, account_id, submission_id, now, validity)
