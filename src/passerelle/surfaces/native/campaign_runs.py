"""Campaigns on their way: forecast, tried, launched, followed, paused, resumed, cancelled.

One rule: what would be sent is said by the functions that send; what was sent is told by its rows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from ...domain.campaigns import Fault, Phase
from ...pipeline.forecast import Forecast as Foreseen
from ...pipeline.forecast import forecast as foresee
from ...pipeline.submit import Accepted, Refused, Result
from . import reasons, shapes
from .calls import Caller, Raw, Services, endpoint
from .campaign_drafts import PROFILES, CampaignId
from .campaigns import Campaign, again, found
from .group_sends import Dropped, GroupSent, group_sent, left_out, refused
from .messages import SendAnswer, accepted
from .problems import Problem, invalid
from .sending import agreed_rates, idempotency, told
from .submissions import Progress, pause_of, progress_of, resume_of, stop_of


class Obstacle(msgspec.Struct, kw_only=True):
    """Why it cannot be launched now."""

    reason: Annotated[str, Meta(examples=["credit"])]
    detail: str


class OfParts(msgspec.Struct, kw_only=True):
    """How many messages have so many parts."""

    parts: int
    messages: int


class Forecast(msgspec.Struct, kw_only=True):
    """What a launch would do now."""

    contacts: Annotated[int, Meta(description="Of the list or group.")]
    recipients: Annotated[int, Meta(description="Who would get it.")]
    left_out: Annotated[list[Dropped], Meta(description="The others: duplicates, the stop list, wrong numbers.")]
    obstacles: Annotated[list[Obstacle], Meta(description="Why it cannot be launched; empty where it can.")]
    parts: int
    by_parts: list[OfParts]
    price: shapes.Money
    balance: shapes.Money
    leaves_at: Annotated[datetime | None, Meta(description="When the first may leave.")]
    held: Annotated[int, Meta(description="Recipients whose own hours are closed then: they get it at their opening.")]
    expected_end: Annotated[datetime | None, Meta(description="When the last has left; null: nobody knows.")]
    unknown_fields: Annotated[list[str], Meta(description="Fields of the text that no contact has.")]
    example: Annotated[str, Meta(description="The text of the first recipient; its links do not work.")]


class Test(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Where a test goes."""

    phone: Annotated[
        str, Meta(max_length=40, description="A mobile number; empty: `test_phone`.", examples=["+33639980001"])
    ] = ""


# --- before it is launched -------------------------------------------------------------------------------------------


@endpoint("GET", "/campaigns/{id}/forecast", "campaigns:read", problems=("conflict",))
async def forecast(services: Services, caller: Caller, id: CampaignId) -> Forecast:
    """Say what a launch would do now. Who would get it, who not and why, parts, price, and the expected end, by the
    very functions that launch."""
    one = (await found(services, caller, id)).campaign
    if one.submission_id is not None:
        raise Problem("conflict", "It is launched: see its progress.")
    profile, rates = PROFILES[one.dialect], agreed_rates(services)
    seen = await foresee(services.campaigns, caller.account, one, profile, services.routes, rates)
    if isinstance(seen, Fault):
        raise Problem("conflict", FAULTS[seen])
    return _foreseen(seen)


def _foreseen(seen: Foreseen) -> Forecast:
    return Forecast(
        contacts=seen.contacts,
        recipients=seen.recipients,
        left_out=left_out(seen.left_out),
        obstacles=_obstacles(seen),
        parts=seen.parts,
        by_parts=[OfParts(parts=parts, messages=count) for parts, count in sorted(seen.by_parts.items())],
        price=shapes.money(seen.cost),
        balance=shapes.money(seen.balance),
        leaves_at=seen.due_at,
        held=seen.held,
        expected_end=seen.expected_end,
        unknown_fields=list(seen.unknown_fields),
        example=seen.example,
    )


def _obstacles(seen: Foreseen) -> list[Obstacle]:
    made = [Obstacle(reason=one.reason.value, detail=reasons.TABLE[one.reason][1]) for one in seen.findings]
    if not made and not seen.recipients:
        made.append(Obstacle(reason="no_recipient", detail="Everybody would be left out."))
    if seen.cost > seen.balance:
        made.append(Obstacle(reason="credit", detail=reasons.TABLE[reasons.R.CREDIT][1]))
    return made


@endpoint(
    "POST",
    "/campaigns/{id}/test",
    "messages:send",
    status=201,
    problems=("refused", "credit", "quota"),
    idempotent=True,
)
async def test(services: Services, caller: Caller, id: CampaignId, body: Test) -> SendAnswer | Raw:
    """Send a campaign to one number, to try it. At once and at any hour, with the values of its first contact. It costs
    what a message costs, and is in none of its figures."""
    one = (await found(services, caller, id)).campaign
    phone = body.phone.strip() or one.test_phone
    if not phone:
        raise invalid("/phone", "Name a number: the campaign has no `test_phone`.")
    once = idempotency(caller, accepted)
    result = await services.campaigns.test(caller.account, one, phone, PROFILES[one.dialect], once)
    return _answer(result, accepted)  # type: ignore[return-value]


@endpoint(
    "POST",
    "/campaigns/{id}/launch",
    "messages:send",
    status=201,
    problems=("refused", "credit", "quota", "conflict"),
    idempotent=True,
)
async def launch(services: Services, caller: Caller, id: CampaignId) -> GroupSent | Raw:
    """Launch a campaign. It is accepted for everybody as one submission, or not at all."""
    one = (await found(services, caller, id)).campaign
    once = idempotency(caller, group_sent)
    result = await services.campaigns.launch(caller.account, one, PROFILES[one.dialect], once)
    if isinstance(result, Fault):
        raise Problem("conflict", FAULTS[result])
    return _answer(result, group_sent)  # type: ignore[return-value]


def _answer(result: Result, word: Callable[[Accepted], object]) -> object:
    """Raises Problem; none points into the body, which does not have what is wrong."""
    if not isinstance(result, Refused):
        return told(result, word)
    problem = refused(result, "Nobody is left to whom this can be sent.")
    problem.errors = [msgspec.structs.replace(one, pointer="") for one in problem.errors]
    raise problem


FAULTS = {
    Fault.NOT_DRAFT: "It was launched before.",
    Fault.NO_AUDIENCE: "Its list or group is gone, or has nobody.",
}


# --- under way -------------------------------------------------------------------------------------------------------


@endpoint("GET", "/campaigns/{id}/progress", "campaigns:read", problems=("conflict",))
async def progress(services: Services, caller: Caller, id: CampaignId) -> Progress:
    """See how far a campaign is. What has left, what waits, when its end is expected."""
    return await progress_of(services, caller, await _launched(services, caller, id))


@endpoint("POST", "/campaigns/{id}/pause", "messages:send", problems=("conflict",))
async def pause(services: Services, caller: Caller, id: CampaignId) -> Campaign:
    """Pause a campaign. Nothing of it is handed to an operator until it is resumed; what is there already stays there.
    After 90 days it is cancelled."""
    return await _halted(services, caller, id, pause_of, {**ENDED, Phase.PAUSED: "It is paused already."})


@endpoint("POST", "/campaigns/{id}/resume", "messages:send", problems=("conflict",))
async def resume(services: Services, caller: Caller, id: CampaignId) -> Campaign:
    """Let a paused campaign go on. What should have left meanwhile leaves now, marketing within its hours."""
    return await _halted(services, caller, id, resume_of, {**ENDED, **dict.fromkeys(RUNNING, "It is not paused.")})


@endpoint("POST", "/campaigns/{id}/cancel", "messages:send", problems=("conflict",))
async def cancel(services: Services, caller: Caller, id: CampaignId) -> Campaign:
    """Cancel a campaign. What has not left never will, and its price comes back."""
    return await _halted(services, caller, id, stop_of, ENDED)


RUNNING = (Phase.SCHEDULED, Phase.SENDING)
ENDED = {
    Phase.DRAFT: "It is a draft: nothing of it was launched.",
    Phase.SENT: "All of it has left.",
    Phase.STOPPED: "It was cancelled before.",
    Phase.CANCELLED: "It was cancelled before.",
}


async def _halted(
    services: Services,
    caller: Caller,
    id: str,
    halt: Callable[[Services, int, int], Awaitable[Fault | None]],
    conflicts: dict[Phase, str],
) -> Campaign:
    """Raises Problem."""
    seen = await found(services, caller, id)
    number = seen.campaign.submission_id
    if seen.phase in conflicts or number is None:
        raise Problem("conflict", conflicts.get(seen.phase, ENDED[Phase.DRAFT]))
    if await halt(services, caller.id, number) is not None:  # somebody was quicker, or the last has left meanwhile
        raise Problem("conflict", "It has just ended, or changed: see where it is.")
    return await again(services, caller, id)


async def _launched(services: Services, caller: Caller, id: str) -> int:
    """The submission of a campaign. Raises Problem."""
    number = (await found(services, caller, id)).campaign.submission_id
    if number is None:
        raise Problem("conflict", ENDED[Phase.DRAFT])
    return number


HANDLERS = [forecast, test, launch, progress, pause, resume, cancel]
