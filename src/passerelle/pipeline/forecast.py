"""What a launch would do, said before it: how many get it, who does not and why, what it costs, when it ends.

The one rule: it is made by the very functions that launch, so it cannot say anything else than the launch would.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from ..domain import campaigns
from ..domain.account import Account
from ..domain.admission import Judged, paris_hours
from ..domain.forecast import expected_end
from ..domain.hours import opening
from ..domain.message import Recipient, Submission, TrafficClass
from ..domain.profile import Profile
from ..domain.reasons import Finding
from ..domain.routing import Route, lane_of
from ..store import group_sends, optouts
from ..store.database import Database
from .batch import ENDLESS, Accepted, Blocked, Item, Refused, Verdicts, decide, pairs
from .campaigns import Campaigns, Plan
from .large import gathered
from .submit import Submitter

LOOKED_AT = 5_000  # numbers whose lists are read at once


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
    submitter: Submitter,
    account: Account,
    campaign: Any,
    profile: Profile,
    routes: Sequence[Route],
    rates: Mapping[int, int],
) -> Forecast | campaigns.Fault:
    """What a launch of this draft would do. `rates`: carrier -> parts a second that were agreed."""
    plan = await of.plan(account, campaign, profile)
    if isinstance(plan, campaigns.Fault):
        return plan
    now = of.clock.now()
    wanted = await gathered(plan.wanted, plan.pages)
    judged = await submitter.judge(wanted, account, profile)
    if judged.submission is None:
        return _refused(account, plan, judged)
    submission = judged.submission
    item = Item(account, wanted, profile, None, cast(Any, None), submission, judged.dropped)
    blocked = await _blocked(of.db, item)
    made = await asyncio.to_thread(_counted, item, blocked, routes, now)
    return Forecast(
        contacts=plan.contacts,
        recipients=made.recipients,
        left_out=made.left_out,
        findings=(),
        parts=made.carriers.total(),
        by_parts=made.by_parts,
        cost=made.cost,
        balance=account.balance,
        due_at=submission.due_at,
        held=made.held,
        expected_end=await _end(of.db, account, submission, made.carriers, rates, now),
        unknown_fields=campaigns.unknown_fields(plan.ready, plan.audience.names),
        example=made.example,
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    """Everybody, counted. `carriers`: parts that each takes."""

    recipients: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    by_parts: Mapping[int, int] = field(default_factory=dict)
    cost: int = 0
    held: int = 0
    carriers: Counter[int] = field(default_factory=Counter)
    example: str = ""


def _refused(account: Account, plan: Plan, judged: Judged) -> Forecast:
    return Forecast(
        contacts=plan.contacts,
        recipients=0,
        left_out=Counter(one.reason.value for one in judged.dropped),
        findings=judged.findings,
        parts=0,
        by_parts={},
        cost=0,
        balance=account.balance,
        due_at=None,
        held=0,
        expected_end=None,
        unknown_fields=campaigns.unknown_fields(plan.ready, plan.audience.names),
        example="",
    )


async def _blocked(db: Database, item: Item) -> Blocked:
    """What the lists have of them."""
    _, phones = pairs([item])
    found: Blocked = set()
    for start in range(0, len(phones), LOOKED_AT):
        found |= await optouts.blocked_of(db, item.account.id, phones[start : start + LOOKED_AT])
    return found


def _counted(item: Item, blocked: Blocked, routes: Sequence[Route], now: datetime) -> _Counted:
    """Slow of many: for a thread. Whatever the balance."""
    account, submission = item.account, item.submission
    verdicts = Verdicts({account.id: ENDLESS})
    result = decide(item, account.version, blocked, verdicts, routes, now)
    if not isinstance(result, Accepted):
        assert isinstance(result, Refused)
        return _Counted(left_out=Counter(one.reason.value for one in result.dropped))
    carriers: Counter[int] = Counter()
    for carrier, to in zip(verdicts.stored[0].carrier_ids, result.kept, strict=True):
        carriers[carrier] += to.parts
    return _Counted(
        recipients=len(result.kept),
        left_out=Counter(one.reason.value for one in result.dropped),
        by_parts=Counter(to.parts for to in result.kept),
        cost=result.cost,
        held=sum(_is_held(account, submission, to) for to in result.kept),
        carriers=carriers,
        example=result.kept[0].text or submission.text,
    )


def _is_held(account: Account, submission: Submission, to: Recipient) -> bool:
    """Whether its own hours are closed when the first may leave."""
    if submission.traffic is not TrafficClass.MARKETING:
        return False
    return opening(account.rules, to.phone, submission.due_at, to.region) > submission.due_at


async def _end(
    db: Database,
    account: Account,
    s: Submission,
    carriers: Mapping[int, int],
    rates: Mapping[int, int],
    now: datetime,
) -> datetime | None:
    """When the last leaves, if all carriers keep what was agreed; None: one of them has agreed to nothing."""
    ends = []
    is_held = s.traffic is TrafficClass.MARKETING and not account.rules.quiet_exempt
    hours = paris_hours(account) if is_held else None
    for carrier, own in carriers.items():
        sooner = await group_sends.before(db, carrier, lane_of(s), s.due_at, now)
        ends.append(expected_end(now, s.due_at, sooner + own, float(rates.get(carrier, 0)), hours))
    return max((end for end in ends if end), default=None) if all(ends) else None
