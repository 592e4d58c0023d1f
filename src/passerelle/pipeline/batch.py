"""What one commit is made of, and how each of its items is decided under the lock of its wallet. No input or output.

The one rule: nothing of an item counts, neither its debit nor its rows, before it is decided as a whole.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from .. import telemetry
from ..domain.account import Account, AccountState
from ..domain.admission import Wanted
from ..domain.message import Dialect, Recipient, Submission
from ..domain.profile import Profile
from ..domain.reasons import Finding, Reason
from ..domain.routing import Route, lane_of, rank
from ..store.optouts import List
from ..store.statistics import Delta
from ..store.submissions import Answer, Numbered


@dataclass(slots=True)
class Accepted:
    """Stored and debited. `dropped`: recipients left out. `number`: what the dialect calls the submission by; `id`: of
    the submission and of its first message, whose others are the ids from there on. `kept`: the recipients; of what was
    written page by page none is kept."""

    submission: Submission
    number: int
    kept: list[Recipient]
    dropped: list[Finding]
    cost: int  # micro-euros
    id: int = 0
    messages: int = 0
    parts: int = 0


@dataclass(slots=True)
class Refused:
    """Nothing was stored. No finding and nothing kept: no recipient was left."""

    findings: list[Finding]
    dropped: list[Finding]


@dataclass(slots=True)
class Denied:
    """The account may not send any more; None: its key is no longer valid."""

    state: AccountState | None


@dataclass(slots=True)
class Replayed:
    """The answer given before to the same request."""

    status: int
    answer: bytes


@dataclass(slots=True)
class KeyReused:
    """The Idempotency-Key was used with another body."""


Beside = Callable[[Any, Numbered], Awaitable[None]]
"""Writes rows that belong to a submission, in the transaction that stores it; sandbox sends included. Of a large one it
is called for each page, from `place` on, and once more at the end: the `last` call knows who was left out."""

Result = Accepted | Refused | Denied | Replayed | KeyReused


@dataclass(frozen=True, slots=True)
class Idempotency:
    """An Idempotency-Key with what it stands for; `render` words the answer to be kept: (status, body)."""

    path: str
    key: str
    body_hash: bytes
    render: Callable[[Accepted], tuple[int, bytes]]


@dataclass(slots=True)
class Item:
    """A request on its way into a commit. `id`, `number`, `snapshots`: taken once, for all tries."""

    account: Account
    wanted: Wanted
    profile: Profile
    idempotency: Idempotency | None
    future: asyncio.Future[Result]
    submission: Submission
    dropped: list[Finding]
    id: int = 0
    number: int = 0
    snapshots: list[int] = field(default_factory=list)
    answer_key: tuple[int, str, str] | None = None
    beside: Beside | None = None
    since: float = field(default_factory=time.monotonic)
    tried: Result | None = None  # what a commit of unknown outcome had decided


@dataclass(slots=True)
class Verdicts:
    """What a batch decides, told only after its commit."""

    balances: dict[int, int]
    results: list[tuple[Item, Result | None]] = field(default_factory=list)
    stored: list[Numbered] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    beside: list[tuple[Beside, Numbered]] = field(default_factory=list)
    debits: dict[int, int] = field(default_factory=dict)
    sent_today: dict[int, int] = field(default_factory=dict)  # of accounts with a quota

    def over_quota(self, account: Account, messages: int) -> bool:
        """Whether so many more are too many for the day; if not, they are counted."""
        if account.id not in self.sent_today:
            return False
        total = self.sent_today[account.id] + messages
        if total > account.rules.daily_quota:
            return True
        self.sent_today[account.id] = total
        return False

    def spend(self, account_id: int, cost: int) -> None:
        """Take from a balance under its lock."""
        if cost:
            self.balances[account_id] -= cost
            self.debits[account_id] = self.debits.get(account_id, 0) - cost


Results = list[tuple[Item, Result | None]]  # None: the account has changed, judge again
ENDLESS = 1 << 62  # a balance that is checked elsewhere
Blocked = set[tuple[int, int, int]]  # account, list, phone


def decide(
    item: Item, version: int | None, blocked: Blocked, verdicts: Verdicts, routes: Sequence[Route], now: datetime
) -> Result | None:
    """One item, where its wallet has `version`; None: the account has changed, judge again."""
    if version != item.account.version:
        return None
    kept, carriers, dropped = kept_of(item.submission, item.dropped, blocked, routes)
    if not kept:
        return Refused([], dropped)
    cost = 0 if item.submission.sandbox else sum(to.price for to in kept)
    if cost > verdicts.balances[item.account.id]:
        return Refused([Finding(Reason.CREDIT)], dropped)
    if not item.submission.sandbox and verdicts.over_quota(item.account, len(kept)):
        return Refused([Finding(Reason.QUOTA)], dropped)
    submission = item.submission
    if kept is not submission.recipients:
        submission = replace(submission, recipients=kept)  # the item stays whole: it may have to be decided again
    verdicts.spend(item.account.id, cost)
    verdicts.stored.append(numbered := _numbered(item, submission, carriers, cost, dropped))
    if item.beside is not None:
        verdicts.beside.append((item.beside, numbered))
    price, parts = sum(to.price for to in kept), sum(to.parts for to in kept)
    accepted = Accepted(submission, item.number, kept, dropped, price, item.id, len(kept), parts)
    if item.idempotency is not None and item.answer_key is not None:
        status, body = item.idempotency.render(accepted)
        verdicts.answers.append(Answer(*item.answer_key, item.idempotency.body_hash, status, body, item.id, now))
    return accepted


def kept_of(
    submission: Submission, left_out: Sequence[Finding], blocked: Blocked, routes: Sequence[Route]
) -> tuple[list[Recipient], list[int], list[Finding]]:
    """The recipients whom no list blocks and whom a carrier takes, that carrier for each, and all who are left out."""
    kept, dropped = _without_blocked(submission, left_out, blocked)
    return _routed(submission, kept, dropped, routes)


def _routed(
    submission: Submission, kept: list[Recipient], dropped: list[Finding], routes: Sequence[Route]
) -> tuple[list[Recipient], list[int], list[Finding]]:
    """The preferred carrier of each; a number that no carrier takes has no price either."""
    if submission.sandbox:
        return kept, [0] * len(kept), dropped
    countries = {to.country for to in kept}
    ranked = {country: rank(submission.service, country, routes) for country in countries}
    lost = [Finding(Reason.NO_PRICE, f"+{to.phone}", to.position) for to in kept if not ranked[to.country]]
    kept = [to for to in kept if ranked[to.country]] if lost else kept
    return kept, [ranked[to.country][0] for to in kept], dropped + lost


def _numbered(
    item: Item, submission: Submission, carriers: list[int], cost: int, dropped: Sequence[Finding]
) -> Numbered:
    return Numbered(
        submission=submission,
        id=item.id,
        number=0 if item.snapshots else item.number,
        snapshots=item.snapshots[: len(submission.recipients)],
        carrier_ids=carriers,
        lane=lane_of(submission),
        messages=len(submission.recipients),
        parts=sum(to.parts for to in submission.recipients),
        cost=cost,
        dropped=dropped,
    )


def replay(
    known: Mapping[tuple[int, str, str], Any], key: tuple[int, str, str] | None, idempotency: Idempotency | None
) -> Result | None:
    """What was answered before under the same key; None: nothing."""
    row = known.get(key) if key is not None else None
    if row is None or idempotency is None:
        return None
    same = bytes(row["body_hash"]) == idempotency.body_hash
    return Replayed(row["status"], bytes(row["answer"])) if same else KeyReused()


def pairs(batch: Iterable[Item]) -> tuple[list[int], list[int]]:
    """Account and phone of every recipient to whom a list may apply."""
    accounts: list[int] = []
    phones: list[int] = []
    for item in batch:
        submission = item.submission
        if submission.stop_applies or submission.bounce_applies:
            accounts += [submission.account_id] * len(submission.recipients)
            phones += [to.phone for to in submission.recipients]
    return accounts, phones


def _without_blocked(
    submission: Submission, left_out: Sequence[Finding], blocked: Blocked
) -> tuple[list[Recipient], list[Finding]]:
    if not blocked:
        return submission.recipients, list(left_out)
    kept, dropped = [], list(left_out)
    for to in submission.recipients:
        reason = _blocked_by(submission, to.phone, blocked)
        if reason is None:
            kept.append(to)
        else:
            dropped.append(Finding(reason, f"+{to.phone}", to.position))
    return kept, dropped


def _blocked_by(submission: Submission, phone: int, blocked: Blocked) -> Reason | None:
    account = submission.account_id
    if submission.stop_applies and (account, List.STOP, phone) in blocked:
        return Reason.OPTED_OUT
    if submission.bounce_applies and (account, List.BOUNCE, phone) in blocked:
        return Reason.BOUNCED
    if submission.bounce_applies and (0, List.BOUNCE, phone) in blocked:
        return Reason.BOUNCED_PLATFORM
    return None


def limited(batch: Iterable[Item]) -> list[int]:
    """Accounts that may send only so many messages a day."""
    return sorted({item.account.id for item in batch if item.account.rules.daily_quota})


def deltas(stored: Iterable[Numbered]) -> list[Delta]:
    """Counted at once; parts and cost at the sending time, which may be to come."""
    sums: dict[tuple[int, int, str, datetime], list[int]] = {}
    for one in stored:
        s = one.submission
        if s.sandbox:
            continue
        hour = s.accepted_at.replace(minute=0, second=0, microsecond=0)
        counted = sums.setdefault((s.account_id, s.dialect, s.tag_key, hour), [0, 0, 0, 0])
        counted[0] += one.messages
        counted[1] += one.parts
        spent = (
            sums.setdefault((s.account_id, s.dialect, s.tag_key, s.due_at), [0, 0, 0, 0]) if s.scheduled else counted
        )
        spent[2] += one.parts
        spent[3] += one.cost
    return [
        Delta(account_id=a, dialect=d, tag_key=tag, at=at, messages=c[0], waiting=c[1], parts=c[2], cost=c[3])
        for (a, d, tag, at), c in sums.items()
    ]


def count(item: Item, result: Result) -> None:
    """Into the metrics."""
    count_result(item.profile.dialect, result)


def count_result(dialect: Dialect, result: Result) -> None:
    """The same, of what was no item of a batch."""
    if isinstance(result, Accepted):
        _ACCEPTED[dialect].inc(result.messages)
    elif isinstance(result, Refused) and (told := result.findings or result.dropped):
        telemetry.REFUSED.labels(dialect.name.lower(), told[0].reason.value).inc()


_ACCEPTED = {dialect: telemetry.ACCEPTED.labels(dialect.name.lower()) for dialect in Dialect}
