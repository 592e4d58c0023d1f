"""What a launch would do, said before it: how many get it, who does not and why, what it costs, when it ends.

The one rule: it is made by the very functions that launch, so it cannot say anything else than the launch would.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from ..domain import campaigns
from ..domain.account import Account
from ..domain.admission import Judged, Wanted, paris_hours
from ..domain.forecast import expected_end
from ..domain.hours import opening
from ..domain.message import Recipient, TrafficClass
from ..domain.profile import Profile
from ..domain.reasons import Finding
from ..domain.routing import Route, lane_of
from ..store import group_sends, optouts
from ..store.database import Database
from .batch import Accepted, Item, Verdicts, decide, pairs
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
    accepted, dropped, carriers = await _decided(of.db, account, wanted, profile, judged, routes, now)
    kept, due_at = accepted, judged.submission.due_at
    parts = sum(to.parts for to in kept)
    closed = [to for to in kept if _is_held(account, plan, to, due_at)]
    return Forecast(
        contacts=plan.contacts,
        recipients=len(kept),
        left_out=Counter(one.reason.value for one in dropped),
        findings=(),
        parts=parts,
        by_parts=Counter(to.parts for to in kept),
        cost=sum(to.price for to in kept),
        balance=account.balance,
        due_at=due_at,
        held=len(closed),
        expected_end=await _end(of.db, account, judged, carriers, parts, rates, now),
        unknown_fields=campaigns.unknown_fields(plan.ready, plan.audience.names),
        example=(kept[0].text or judged.submission.text) if kept else "",
    )


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


async def _decided(
    db: Database,
    account: Account,
    wanted: Wanted,
    profile: Profile,
    judged: Judged,
    routes: Sequence[Route],
    now: datetime,
) -> tuple[list[Recipient], Sequence[Finding], Counter[int]]:
    """Who is kept, who is left out, and how many parts each carrier takes; whatever the balance."""
    assert judged.submission is not None
    item = Item(account, wanted, profile, None, cast(Any, None), judged.submission, judged.dropped)
    _, phones = pairs([item])
    blocked: set[tuple[int, int, int]] = set()
    for start in range(0, len(phones), LOOKED_AT):
        blocked |= await optouts.blocked_of(db, account.id, phones[start : start + LOOKED_AT])
    verdicts = Verdicts({account.id: 1 << 62})
    result = decide(item, account.version, blocked, verdicts, routes, now)
    if not isinstance(result, Accepted):
        assert result is not None
        return [], getattr(result, "dropped", []), Counter()
    (one,) = verdicts.stored
    carriers: Counter[int] = Counter()
    for carrier, to in zip(one.carrier_ids, result.kept, strict=True):
        carriers[carrier] += to.parts
    return result.kept, result.dropped, carriers


def _is_held(account: Account, plan: Plan, to: Recipient, due_at: datetime) -> bool:
    is_marketing = plan.wanted.traffic is TrafficClass.MARKETING
    return is_marketing and opening(account.rules, to.phone, due_at, to.region) > due_at


async def _end(
    db: Database,
    account: Account,
    judged: Judged,
    carriers: Mapping[int, int],
    parts: int,
    rates: Mapping[int, int],
    now: datetime,
) -> datetime | None:
    """When the last leaves, if all carriers keep what was agreed; None: one of them has agreed to nothing."""
    assert judged.submission is not None
    s, ends = judged.submission, []
    is_held = s.traffic is TrafficClass.MARKETING and not account.rules.quiet_exempt
    hours = paris_hours(account) if is_held else None
    for carrier, own in carriers.items():
        sooner = await group_sends.before(db, carrier, lane_of(s), s.due_at, now)
        ends.append(expected_end(now, s.due_at, sooner + own, float(rates.get(carrier, 0)), hours))
    return max((end for end in ends if end), default=None) if all(ends) else None
