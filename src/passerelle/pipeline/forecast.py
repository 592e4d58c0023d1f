"""What a launch would do, said before it: how many get it, who does not and why, what it costs, when it ends.

The one rule: it is made by the very functions that launch, so it cannot say anything else than the launch would.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..domain import campaigns
from ..domain.account import Account
from ..domain.admission import Judged, paris_hours
from ..domain.forecast import expected_end
from ..domain.hours import opening
from ..domain.message import Recipient, Submission, TrafficClass
from ..domain.profile import Profile
from ..domain.reasons import Finding
from ..domain.routing import Route, lane_for
from ..store import group_sends
from ..store.campaigns import Campaign
from ..store.database import Database
from .campaigns import Campaigns, Plan
from .large import Order, judged_pages, sorted_out


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would happen now. Money in micro-euros; `left_out`: reason -> contacts."""

    contacts: int
    recipients: int
    left_out: Mapping[str, int]
    findings: Sequence[Finding]  # why it cannot be launched
    parts: int
    by_parts: Mapping[int, int]  # parts of a message -> messages
    cost: int
    balance: int
    due_at: datetime | None  # when the first may leave
    held: int  # recipients whose own hours are closed then
    expected_end: datetime | None
    unknown_fields: Sequence[str]
    example: str  # the text of the first recipient


async def forecast(
    of: Campaigns,
    account: Account,
    campaign: Campaign,
    profile: Profile,
    routes: Sequence[Route],
    rates: Mapping[int, int],
) -> Forecast | campaigns.Fault:
    """What a launch of this draft would do. `rates`: carrier -> parts a second that were agreed."""
    plan = await of.plan(account, campaign, profile)
    if isinstance(plan, campaigns.Fault):
        return plan
    async with of.few:
        made = await _counted(of, account, plan, profile, routes)
    return Forecast(
        contacts=plan.contacts,
        recipients=made.recipients,
        left_out=made.left_out,
        findings=made.findings,
        parts=made.carriers.total(),
        by_parts=made.by_parts,
        cost=made.cost,
        balance=account.balance,
        due_at=made.submission.due_at if made.submission else None,
        held=made.held,
        expected_end=await _end(of.db, account, made, rates, of.clock.now()),
        unknown_fields=campaigns.unknown_fields(plan.ready, plan.audience.names),
        example=made.example,
    )


@dataclass(slots=True)
class _Sum:
    """Everybody, counted page by page. `carriers`: parts that each takes."""

    findings: list[Finding] = field(default_factory=list)
    submission: Submission | None = None
    recipients: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    by_parts: Counter[int] = field(default_factory=Counter)
    cost: int = 0
    held: int = 0
    carriers: Counter[int] = field(default_factory=Counter)
    example: str = ""

    def add(self, account: Account, kept: Sequence[Recipient], carriers: Sequence[int], submission: Submission) -> None:
        """A page of those who get it."""
        if kept and not self.recipients:
            self.submission, self.example = submission, kept[0].text or submission.text
        self.recipients += len(kept)
        self.by_parts.update(to.parts for to in kept)
        self.cost += sum(to.price for to in kept)
        self.held += sum(_is_held(account, submission, to) for to in kept)
        for carrier, to in zip(carriers, kept, strict=True):
            self.carriers[carrier] += to.parts


async def _counted(of: Campaigns, account: Account, plan: Plan, profile: Profile, routes: Sequence[Route]) -> _Sum:
    """As a launch would go through them; whatever the balance. Where it cannot be launched nothing but the reasons."""
    order, made = Order(account, plan.wanted, profile, plan.pages, plan.contacts), _Sum()
    async with contextlib.aclosing(judged_pages(order, None, of.clock.now())) as pages:
        async for judged in pages:
            made.findings += judged.news(made.findings)
            await _add_page(of, account, judged, routes, made)
    if made.findings:
        return _Sum(findings=made.findings, left_out=made.left_out)
    return made


async def _add_page(of: Campaigns, account: Account, judged: Judged, routes: Sequence[Route], made: _Sum) -> None:
    submission = judged.submission
    if submission is None:
        made.left_out.update(one.reason.value for one in judged.dropped)
        return
    kept, carriers, dropped = await sorted_out(of.db, submission, judged.dropped, routes)
    made.left_out.update(one.reason.value for one in dropped)
    await asyncio.to_thread(made.add, account, kept, carriers, submission)


def _is_held(account: Account, submission: Submission, to: Recipient) -> bool:
    """Whether its own hours are closed when the first may leave."""
    if submission.traffic is not TrafficClass.MARKETING:
        return False
    return opening(account.rules, to.phone, submission.due_at, to.region) > submission.due_at


async def _end(db: Database, account: Account, made: _Sum, rates: Mapping[int, int], now: datetime) -> datetime | None:
    """When the last leaves, if all carriers keep what was agreed; None: one of them has agreed to nothing."""
    if made.submission is None:
        return None
    s, ends = made.submission, []
    is_held = s.traffic is TrafficClass.MARKETING and not account.rules.quiet_exempt
    hours = paris_hours(account) if is_held else None
    lane = lane_for(s.traffic, made.recipients, True)
    for carrier, own in made.carriers.items():
        sooner = await group_sends.before(db, carrier, lane, s.due_at, now)
        ends.append(expected_end(now, s.due_at, sooner + own, float(rates.get(carrier, 0)), hours))
    return max((end for end in ends if end), default=None) if all(ends) else None
