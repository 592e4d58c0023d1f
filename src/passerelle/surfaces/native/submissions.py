"""Submissions: what was accepted at once. Seen, paused, resumed, cancelled, whatever their dialect.

One rule: what is with an operator is not taken back; DELETE takes back all or nothing, `cancel` what has not left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...domain.campaigns import Fault
from ...domain.message import Dialect, State, TrafficClass
from ...pipeline import group_send, halting
from ...pipeline.cancel import CancelVerdict, cancel_submission
from ...store import listings
from . import shapes
from .calls import Caller, Services, endpoint
from .problems import Problem, missing
from .sending import agreed_rates, expected_end
from .words import ClassWord, DialectWord, StateWord, dialect, state, traffic


class InState(msgspec.Struct, kw_only=True):
    """Messages of a submission that are in a state."""

    state: StateWord
    messages: int
    parts: int
    refunded: shapes.Money
    last_at: datetime


class Submission(msgspec.Struct, kw_only=True):
    """One accepted request, with what became of its messages."""

    id: shapes.Id
    dialect: DialectWord
    number: Annotated[str | None, Meta(description="What its dialect calls it.")]
    accepted_at: datetime
    send_at: datetime
    cancelled_at: datetime | None
    paused_at: datetime | None = None
    sender: str
    text: Annotated[str, Meta(description="Empty where each message has its own.")]
    tag: str
    campaign: str
    traffic: ClassWord = msgspec.field(name="class")
    messages: int
    price: shapes.Money
    refunded: shapes.Money
    states: list[InState]
    over: Annotated[bool, Meta(description="Whether each message has come to its end.")]
    parts_waiting: Annotated[int, Meta(description="Parts that are still to be handed to an operator.")]
    expected_end: Annotated[
        datetime | None, Meta(description="When the last part leaves; null: all have left, or nobody knows.")
    ] = None
    sandbox: bool = False


class Count(msgspec.Struct, kw_only=True):
    """How many messages are in a state."""

    state: StateWord
    messages: int


class Progress(msgspec.Struct, kw_only=True):
    """How far a submission is."""

    id: shapes.Id
    messages: int
    states: list[Count]
    parts_sent: int
    parts_waiting: Annotated[int, Meta(description="That are still to be handed to an operator.")]
    parts_before: Annotated[int, Meta(description="Of others, that leave sooner.")]
    pace: Annotated[float, Meta(description="Parts a second; 0 while none has left.")]
    send_at: datetime
    paused_at: datetime | None
    cancelled_at: datetime | None
    expected_end: Annotated[
        datetime | None,
        Meta(description="When the last part leaves; null: all have left, it is paused, or nobody knows."),
    ]


# --- seen ------------------------------------------------------------------------------------------------------------


@endpoint("GET", "/submissions/{id}", "messages:read")
async def one(services: Services, caller: Caller, id: str) -> Submission:
    """See a submission with its progress. How many of its messages are in which state, and what is still to leave."""
    return await _submission(services, caller, shapes.number(id))


@endpoint("GET", "/submissions/{id}/progress", "messages:read")
async def progress(services: Services, caller: Caller, id: str) -> Progress:
    """See how far a submission is. What waits, what leaves before it, how fast it goes, when its end is expected."""
    return await progress_of(services, caller, shapes.number(id))


async def progress_of(services: Services, caller: Caller, number: int) -> Progress:
    """How far a submission is. Raises Problem."""
    now, rates = services.clock.now(), agreed_rates(services)
    found = await group_send.progress(services.db, caller.account, number, now, rates)
    if found is None:
        raise missing("submission")
    return Progress(
        id=str(found.submission_id),
        messages=found.messages,
        states=[Count(state=state(one), messages=count) for one, count in sorted(found.states.items())],
        parts_sent=found.parts_sent,
        parts_waiting=found.parts_waiting,
        parts_before=found.parts_before,
        pace=round(found.pace, 3),
        send_at=found.due_at,
        paused_at=found.paused_at,
        cancelled_at=found.cancelled_at,
        expected_end=found.expected_end,
    )


# --- halted ----------------------------------------------------------------------------------------------------------

_CONFLICTS = {
    CancelVerdict.ALREADY: "It was cancelled before.",
    CancelVerdict.SENT: "It has left, or a part of it: what is with an operator cannot be taken back.",
    CancelVerdict.TOO_LATE: "It is about to leave.",
}
_HALTED = {
    Fault.NOT_RUNNING: "All of it has left, or it was paused or cancelled before.",
    Fault.NOT_PAUSED: "It is not paused.",
}


@endpoint("DELETE", "/submissions/{id}", "messages:send", problems=("conflict",))
async def take_back(services: Services, caller: Caller, id: str) -> Submission:
    """Take a submission back. All of it, as long as nothing of it has left; its price comes back at once."""
    number = shapes.number(id)
    verdict = await cancel_submission(services.db, caller.id, number, services.clock.now())
    if verdict in _CONFLICTS:
        raise Problem("conflict", _CONFLICTS[verdict])
    if verdict is CancelVerdict.UNKNOWN and await listings.sandboxed_submission(services.db, caller.id, number):
        raise Problem("conflict", _CONFLICTS[CancelVerdict.SENT])
    return await _submission(services, caller, number)


@endpoint("POST", "/submissions/{id}/pause", "messages:send", problems=("conflict",))
async def pause(services: Services, caller: Caller, id: str) -> Submission:
    """Pause a submission. Nothing of it is handed to an operator until it is resumed; what is there stays there. After
    90 days it is cancelled."""
    return await _halted(services, caller, id, pause_of)


@endpoint("POST", "/submissions/{id}/resume", "messages:send", problems=("conflict",))
async def resume(services: Services, caller: Caller, id: str) -> Submission:
    """Let a paused submission go on. What should have left meanwhile leaves now, marketing within its hours."""
    return await _halted(services, caller, id, resume_of)


@endpoint("POST", "/submissions/{id}/cancel", "messages:send", problems=("conflict",))
async def cancel(services: Services, caller: Caller, id: str) -> Submission:
    """Cancel what has not left of a submission. Its price comes back; what is with an operator stays there."""
    return await _halted(services, caller, id, stop_of)


async def pause_of(services: Services, account_id: int, number: int) -> Fault | None:
    """Hand nothing over any more."""
    return await halting.pause(services.db, account_id, number, services.clock.now())


async def resume_of(services: Services, account_id: int, number: int) -> Fault | None:
    """Let it go on."""
    return await halting.resume(services.db, account_id, number, services.clock.now(), _validity(services))


async def stop_of(services: Services, account_id: int, number: int) -> Fault | None:
    """End it."""
    return await halting.stop(services.db, account_id, number, services.clock.now(), _validity(services))


def _validity(services: Services) -> timedelta:
    return timedelta(hours=services.settings.validity_hours)


async def _halted(
    services: Services, caller: Caller, id: str, halt: Callable[[Services, int, int], Awaitable[Fault | None]]
) -> Submission:
    """Raises Problem."""
    number = shapes.number(id)
    await _submission(services, caller, number)
    fault = await halt(services, caller.id, number)
    if fault is not None:
        raise Problem("conflict", _HALTED[fault])
    return await _submission(services, caller, number)


# --- words -----------------------------------------------------------------------------------------------------------


async def _submission(services: Services, caller: Caller, number: int) -> Submission:
    row = await listings.submission(services.db, caller.id, number)
    if row is None:
        return await _sandboxed(services, caller, number)
    progress = await listings.progress(services.db, caller.id, number, row["messages"])
    waiting = await listings.waiting(services.db, caller.id, number, row["messages"])
    return Submission(
        id=str(row["id"]),
        dialect=dialect(row["dialect"]),
        number=str(row["number"]) if row["number"] else None,
        accepted_at=row["accepted_at"],
        send_at=row["due_at"],
        cancelled_at=row["cancelled_at"],
        paused_at=row["paused_at"],
        sender=row["sender"],
        text=row["text"],
        tag=row["tag"],
        campaign=row["campaign_name"],
        traffic=traffic(row["class"]),
        messages=row["messages"],
        price=shapes.money(row["cost"]),
        refunded=shapes.money(sum(one["refunded"] for one in progress)),
        states=[_in_state(one) for one in progress],
        over=all(one["state"] >= State.DELIVERED for one in progress),
        parts_waiting=waiting["parts"],
        expected_end=await expected_end(services, caller, number) if waiting["parts"] else None,
    )


def _in_state(row: Any) -> InState:
    return InState(
        state=state(row["state"]),
        messages=row["messages"],
        parts=row["parts"],
        refunded=shapes.money(row["refunded"]),
        last_at=row["at"],
    )


async def _sandboxed(services: Services, caller: Caller, number: int) -> Submission:
    rows = await listings.sandboxed_submission(services.db, caller.id, number)
    if not rows:
        raise missing("submission")
    first, parts = rows[0], sum(row["parts"] for row in rows)
    done = InState(
        state=StateWord.DELIVERED, messages=len(rows), parts=parts, refunded=shapes.money(0), last_at=first["at"]
    )
    return Submission(
        id=str(number),
        dialect=dialect(first["dialect"]),
        number=str(first["number"]) if first["dialect"] != Dialect.PRIMOTEXTO else None,
        accepted_at=first["at"],
        send_at=first["at"],
        cancelled_at=None,
        sender="",
        text="",
        tag=first["tag"],
        campaign="",
        traffic=traffic(TrafficClass.TRANSACTIONAL),
        messages=len(rows),
        price=shapes.money(0),
        refunded=shapes.money(0),
        states=[done],
        over=True,
        parts_waiting=0,
        sandbox=True,
    )


HANDLERS = [one, progress, take_back, pause, resume, cancel]
