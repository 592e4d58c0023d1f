"""One text to everybody in a group, as one submission; and how far it is.

The one rule: whatever the size of the group, it is accepted as a whole or not at all, and who is left out says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ..domain import campaigns
from ..domain.account import Account
from ..domain.admission import LONGEST_TEXT, Wanted, paris_hours
from ..domain.forecast import expected_end
from ..domain.message import State, TrafficClass
from ..domain.profile import Profile
from ..domain.reasons import Finding, Reason
from ..store import group_sends as store
from ..store.contacts import Group
from ..store.database import Database
from ..store.submissions import Numbered
from .audience import Writer, of_group
from .batch import Beside, Idempotency, Refused, Result
from .large import Order
from .submit import Submitter

LATELY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class UnknownFields:
    """The text names what no contact has, as `{{fristname}}`: nothing was sent."""

    names: list[str]


async def send(
    db: Database,
    submitter: Submitter,
    account: Account,
    group: Group,
    like: Wanted,
    profile: Profile,
    idempotency: Idempotency | None = None,
) -> Result | UnknownFields:
    """Send `like.text`, its merge fields filled in, to all contacts of a group; `like` has no items."""
    if len(like.text) > LONGEST_TEXT:  # before it is written out for each contact
        return Refused([Finding(Reason.TEXT_LONG)], [])
    ready, audience = campaigns.plain_copy(like.text), of_group(account.id, group.id)
    unknown = campaigns.unknown_fields(ready, audience.names)
    if unknown:
        return UnknownFields(unknown)
    most, until = await audience.extent(db)
    if not most:
        return Refused([Finding(Reason.NO_RECIPIENT)], [])
    writer = Writer(ready, audience.key, profile.policy(account.rules.characters), str)
    wanted = replace(like, items=[], text=like.text if ready.is_shared else "", faults=list(like.faults))
    pages, beside = writer.pages(db, audience, until), _noted(group, like.text, most)
    return await submitter.accept_pages(Order(account, wanted, profile, pages, most, idempotency, beside))


def _noted(group: Group, text: str, contacts: int) -> Beside:
    async def note(connection: Any, one: Numbered) -> None:
        if one.last and not one.submission.sandbox:
            dropped = Counter(finding.reason.value for finding in one.dropped)
            await store.add(connection, one.submission.account_id, one.id, group.id, text, contacts, dropped)

    return note


# --- how far ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a submission is. `states`: messages by state; parts: SMS; `pace`: parts a second, 0 while unknown."""

    submission_id: int
    number: int
    messages: int
    cost: int  # micro-euros
    accepted_at: datetime
    due_at: datetime
    cancelled_at: datetime | None
    states: dict[State, int]
    parts_sent: int
    parts_waiting: int
    parts_before: int  # of others, that leave sooner
    pace: float
    expected_end: datetime | None  # None: nothing waits, it is paused, or nobody knows
    paused_at: datetime | None = None
    group_id: int | None = None
    contacts: int = 0
    dropped: Mapping[str, int] | None = None


async def progress(
    db: Database, account: Account, submission_id: int, now: datetime, rates: Mapping[int, int] | None = None
) -> Progress | None:
    """How far a submission is, to a group or not; None: this account has none of this id.

    `rates`: carrier -> parts a second it was agreed to take, for the time until a pace is seen.
    """
    row = await store.submission(db, account.id, submission_id)
    if row is None:
        return None
    states = await store.states(db, account.id, row["id"], row["messages"], now - LATELY)
    queued = await store.waiting(db, account.id, row["id"], row["messages"])
    is_held = row["class"] == TrafficClass.MARKETING and not account.rules.quiet_exempt
    hours = paris_hours(account) if is_held else None
    seen = _pace(states, now)
    ends, before = [], 0
    for one in queued if row["paused_at"] is None else ():  # a carrier and a lane each; mostly there is one
        sooner = await store.before(db, one["carrier_id"], one["lane"], one["due_at"], now)
        pace = seen or float((rates or {}).get(one["carrier_id"], 0))
        ends.append(expected_end(now, one["due_at"], sooner + one["parts"], pace, hours))
        before = max(before, sooner)
    return Progress(
        submission_id=row["id"],
        number=row["number"],
        messages=row["messages"],
        cost=row["cost"],
        accepted_at=row["accepted_at"],
        due_at=row["due_at"],
        cancelled_at=row["cancelled_at"],
        states={State(one["state"]): one["messages"] for one in states},
        parts_sent=sum(one["parts_sent"] for one in states),
        parts_waiting=sum(one["parts"] for one in queued),
        parts_before=before,
        pace=seen,
        expected_end=max((end for end in ends if end), default=None) if all(ends) else None,
        paused_at=row["paused_at"],
        group_id=row["group_id"],
        contacts=row["contacts"] or row["messages"],
        dropped=row["dropped"] or {},
    )


def _pace(states: list[Any], now: datetime) -> float:
    """Parts a second: of the last minute, else of the whole time in which any left; 0 before."""
    begun = [one["first_sent"] for one in states if one["first_sent"] is not None]
    if not begun:
        return 0.0
    lately = sum(one["parts_lately"] for one in states)
    if lately:
        return float(lately / max(1.0, min(LATELY, now - min(begun)).total_seconds()))
    last = max(one["last_sent"] for one in states if one["last_sent"] is not None)
    sent = sum(one["parts_sent"] for one in states)
    return float(sent / max(1.0, (last - min(begun)).total_seconds()))
