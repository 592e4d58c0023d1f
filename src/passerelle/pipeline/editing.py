"""Edit a campaign while it is paused: another text for all whom nobody has begun to write to.

The one rule: everybody who waits gets the new text or, where it may not be, nobody does; the difference in price is
settled in the same transaction, with the wallet locked last.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from ..domain.account import Account
from ..domain.admission import Judged
from ..domain.campaigns import Copy, Fault, Stage
from ..domain.profile import Profile
from ..domain.reasons import Finding, Reason
from ..store import campaigns as store
from ..store import ledger, queue, rewriting, statistics, tracking
from ..store import links as codes
from ..store.campaigns import Campaign, Halting
from ..store.rewriting import Rewritten, Unsent, Waiting
from ..store.statistics import Delta
from .audience import Audience, Writer
from .campaigns import Campaigns
from .linking import CodeTakenError
from .submit import Submitter

SLICE = 1_000  # messages written anew at once


@dataclass(frozen=True, slots=True)
class Edited:
    """How many messages say something else now, and what that cost; below zero: given back. Micro-euros."""

    messages: int
    settled: int


class _RefusedError(Exception):
    """It may not be: why not."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = findings


@dataclass(slots=True)
class _Sum:
    messages: int = 0
    parts: int = 0
    cost: int = 0


class Editor:
    """Writes paused campaigns anew."""

    def __init__(self, campaigns: Campaigns, submitter: Submitter) -> None:
        self._campaigns = campaigns
        self._db = campaigns.db
        self._submitter = submitter

    async def edit(
        self, account: Account, campaign: Campaign, name: str, text: str, profile: Profile
    ) -> Edited | Fault | list[Finding]:
        """Give everybody who waits another text, with the values that the list has now; findings: why it may not be."""
        if campaign.stage != Stage.LAUNCHED or campaign.submission_id is None or campaign.paused_at is None:
            return Fault.NOT_PAUSED
        draft = replace(campaign.draft, name=name, text=text, due_at=None)
        findings = await self._campaigns.faults(account, draft, profile)
        if findings:
            return findings
        ready, audience = await self._campaigns.ready(draft), await self._campaigns.audience(campaign)
        while True:
            try:
                return await self._edit(
                    account, msgspec.structs.replace(campaign, name=name, text=text), ready, audience, profile
                )
            except CodeTakenError:
                continue
            except _RefusedError as refused:
                return list(refused.findings)

    async def _edit(
        self, account: Account, campaign: Campaign, ready: Copy, audience: Audience | None, profile: Profile
    ) -> Edited | Fault:
        assert campaign.submission_id is not None
        now, total = self._campaigns.clock.now(), _Sum()
        async with self._db.transaction() as connection:
            found = await store.lock_submission(connection, account.id, campaign.submission_id)
            if found is None or found.paused_at is None or found.cancelled_at is not None:
                return Fault.NOT_PAUSED
            if await queue.any_leased(connection, account.id, found.id, found.end):
                return Fault.BUSY  # what comes back unsent would keep the old text
            targets = await self._targets(connection, account.id, found, ready, now)
            work = _Work(account, campaign, ready, audience, profile, found, targets, now)
            async for some, queued in _slices(connection, account.id, found):
                await self._rewrite(connection, work, some, queued, total)
            await statistics.insert(connection, _deltas(account.id, found, total, now))
            await rewriting.rewritten(connection, account.id, campaign.id, campaign.name, campaign.text, total.cost)
            if not await ledger.difference(connection, account.id, total.cost, found.id, now):
                raise _RefusedError([Finding(Reason.CREDIT)])
        return Edited(total.messages, total.cost)

    async def _targets(self, connection: Any, account_id: int, found: Halting, ready: Copy, now: datetime) -> list[int]:
        if not ready.links:
            return []
        return await tracking.add_targets(
            connection, account_id, found.id, found.dialect, found.tag_key, ready.links, now
        )

    async def _rewrite(
        self, connection: Any, work: _Work, some: Sequence[Unsent], queued: Mapping[int, Waiting], total: _Sum
    ) -> None:
        values = await work.values(connection, [one.phone for one in some])
        own = [codes.new_tracked_codes(len(work.targets)) for _ in some]
        texts = [
            work.writer(self._campaigns).write(values.get(one.phone, {}), c) for one, c in zip(some, own, strict=True)
        ]
        judged = await self._judged(work, some, texts)
        assert judged.submission is not None
        made = [
            Rewritten(one.id, to.text or "", to.encoding, to.parts, to.price)
            for one, to in zip(some, judged.submission.recipients, strict=True)
        ]
        applies = judged.submission.stop_applies
        await rewriting.rewrite(connection, work.account.id, work.found, made, queued, applies, work.now)
        await self._link(connection, work, some, own)
        total.messages += len(made)
        total.parts += sum(to.parts for to in made) - sum(one.parts for one in some)
        total.cost += sum(to.price for to in made) - sum(one.price for one in some)

    async def _judged(self, work: _Work, some: Sequence[Unsent], texts: Sequence[str]) -> Judged:
        """By the rules of any campaign; whoever was accepted before is not left out now. Raises _RefusedError."""
        items = [(f"+{one.phone}", text) for one, text in zip(some, texts, strict=True)]
        wanted = self._campaigns.wanted(work.campaign.token, replace(work.campaign.draft, due_at=None), items)
        judged = await self._submitter.judge(wanted, work.account, work.profile)
        if judged.findings or judged.dropped:
            raise _RefusedError([*judged.findings, *judged.dropped])
        return judged

    async def _link(self, connection: Any, work: _Work, some: Sequence[Unsent], own: Sequence[Sequence[str]]) -> None:
        """Their new links; those of the text before were told to nobody."""
        places = [one.id - work.found.id for one in some]
        await tracking.drop_links(connection, work.account.id, work.found.id, work.targets, places)
        if not work.targets:
            return
        if not await tracking.add_links_at(connection, work.targets, own, places):
            raise CodeTakenError


@dataclass(frozen=True, slots=True)
class _Work:
    """What an edit works with."""

    account: Account
    campaign: Campaign
    ready: Copy
    audience: Audience | None
    profile: Profile
    found: Halting
    targets: Sequence[int]
    now: datetime

    def writer(self, campaigns: Campaigns) -> Writer:
        """Of the texts."""
        return campaigns.writer(self.account, self.ready, self.audience, self.profile)

    async def values(self, connection: Any, phones: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
        """What can be said of people, by phone; whoever has left the list is nobody we know."""
        return {} if self.audience is None else await self.audience.of_phones(connection, phones)


async def _slices(
    connection: Any, account_id: int, found: Halting
) -> AsyncIterator[tuple[list[Unsent], dict[int, Waiting]]]:
    """Messages of which no part was begun, locked, with a part of each."""
    after = found.id
    while some := await queue.waiting_messages(connection, account_id, after, found.end, SLICE):
        after = some[-1] + 1
        parts: dict[int, list[Waiting]] = {}
        for row in await rewriting.lock_waiting(connection, account_id, some):
            parts.setdefault(row.message_id, []).append(row)
        whole = [
            one
            for one in await rewriting.unsent(connection, account_id, some)
            if len(parts.get(one.id, ())) == one.parts
        ]
        if whole:
            yield whole, {one.id: parts[one.id][0] for one in whole}


def _deltas(account_id: int, found: Halting, total: _Sum, now: datetime) -> list[Delta]:
    """Parts wait now; they and their cost count at the sending time."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    due = found.due_at if found.due_at > now else found.due_at.replace(minute=0, second=0, microsecond=0)
    key = (account_id, found.dialect, found.tag_key)
    return [Delta(*key, hour, waiting=total.parts), Delta(*key, due, parts=total.parts, cost=total.cost)]
