"""Campaigns: written, tried, forecast, launched.

The one rule: a launch is one submission, accepted as a whole or not at all; who gets what is fixed in its transaction,
each contact once, and everything after it is the work of the queue.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..clock import Clock
from ..domain import campaigns, links
from ..domain.account import Account
from ..domain.admission import LONGEST_TEXT, Belonging, Judged, Wanted, judge
from ..domain.campaigns import Copy, Fault, Page, Phase, Stage, Standing
from ..domain.message import TESTS, TrafficClass, campaign_key
from ..domain.profile import Profile
from ..domain.reasons import Finding, Reason
from ..domain.tracking import Target, as_asked
from ..store import campaigns as store
from ..store import ledger
from ..store import links as codes
from ..store.campaigns import Campaign, Draft, Skipped
from ..store.database import Database
from ..store.submissions import Numbered
from .audience import Audience, Writer, of_group, of_list
from .batch import Beside, Idempotency, Refused, Result
from .large import Order, Pages
from .linking import CodeTakenError, linked
from .submit import Submitter

FORECASTS = 2  # at once
CLAIM = timedelta(minutes=5)  # in which a launch is over, or its process dead
TWIN = 0.2  # seconds after which a twin looks again
PAST = timedelta(minutes=5)  # a time that is past by no more than that is now
STAND_IN = "+33639980000"  # a number for what can be told without one
NO_CODE = "-" * links.LENGTH
_WHOLE = frozenset({"TEXT", "SENDER", "STOP"})  # what a stand-in can be told


Address = Callable[[str, str], str]
"""The link of a code, on a host of its own or, '', on that of the platform."""


class LaunchedError(Exception):
    """Somebody else has launched it meanwhile."""


class LimitError(Exception):
    """Others of the account were launched meanwhile, and it is one too many."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A campaign and where it is."""

    campaign: Campaign
    phase: Phase


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a launch needs. `contacts`: of the list or group as it is now; `pages`: what each is to get."""

    ready: Copy
    audience: Audience
    writer: Writer
    contacts: int
    wanted: Wanted
    pages: Pages


class Campaigns:
    """The campaigns of this installation."""

    def __init__(self, db: Database, submitter: Submitter, address: Address, clock: Clock) -> None:
        self.db = db
        self.clock = clock
        self._submitter = submitter
        self._address = address
        self.few = asyncio.Semaphore(FORECASTS)

    # --- looked at -------------------------------------------------------------------------------------------------

    async def find(self, account_id: int, token: bytes | None) -> Seen | None:
        """A campaign of the account."""
        found = None if token is None else await store.find(self.db, account_id, token)
        return None if found is None else (await self.seen([found]))[0]

    async def seen(self, found: Sequence[Campaign]) -> list[Seen]:
        """Where campaigns of one account are."""
        now = self.clock.now()
        open_ones = {
            one.submission_id: one.messages or 0
            for one in found
            if one.stage == Stage.LAUNCHED and one.ended_at is None and one.submission_id is not None
            and one.due_at is not None and one.due_at <= now
        }  # fmt: skip
        moving = await store.moving(self.db, found[0].account_id, open_ones) if open_ones else store.Moving()
        return [Seen(one, campaigns.phase(_standing(one, moving, now))) for one in found]

    # --- written ---------------------------------------------------------------------------------------------------

    async def faults(self, account: Account, draft: Draft, profile: Profile) -> list[Finding]:
        """What is wrong with the text, the sender or the time of a draft, whoever gets it."""
        if not draft.text.strip():
            return [Finding(Reason.TEXT_MISSING), *self._judged(account, draft, profile, "x").findings]
        if len(draft.text) > LONGEST_TEXT:  # before anybody looks for its links and fields
            return [Finding(Reason.TEXT_LONG), *self._judged(account, draft, profile, "x").findings]
        ready = await self.ready(draft)
        text = ready.render({}, [self._link(account)(NO_CODE)] * len(ready.links))
        judged = self._judged(account, draft, profile, text or "x")
        of_text = [one for one in judged.dropped if one.reason.name.split("_")[0] in _WHOLE]
        told = {one.reason: one for one in (*of_text, *judged.findings) if one.reason is not Reason.TEXT_MISSING}
        return list(told.values())

    def _judged(self, account: Account, draft: Draft, profile: Profile, text: str) -> Judged:
        wanted = self.wanted(b"", draft, [(STAND_IN, text)])
        wanted.due_at = draft.due_at
        return judge(wanted, account, profile, self.clock.now())

    async def ready(self, draft: Draft) -> Copy:
        """The text of a draft with its links; a page is made safe in a thread."""
        return campaigns.copy(draft.text, await _page(draft))

    def wanted(
        self, campaign_id: bytes, draft: Draft, items: Sequence[tuple[str, str | None]], text: str = "", **more: Any
    ) -> Wanted:
        """The request that a campaign is."""
        belonging = Belonging(
            campaign_id, draft.flash, clean_stops=draft.clean_stops, clean_bounces=draft.clean_bounces
        )
        return Wanted(
            items=items,
            text=text,
            sender=draft.sender,
            traffic=TrafficClass(draft.traffic),
            stop_mention=draft.traffic == TrafficClass.MARKETING,
            tag_key=campaign_key(campaign_id),
            campaign_name=draft.name,
            campaign=belonging,
            **more,
        )

    def _link(self, account: Account) -> Callable[[str], str]:
        host = account.rules.short_link_host
        return lambda code: self._address(code, host)

    # --- tried -----------------------------------------------------------------------------------------------------

    async def test(
        self,
        account: Account,
        campaign: Campaign,
        number: str,
        profile: Profile,
        idempotency: Idempotency | None = None,
    ) -> Result:
        """Send it to one number, at once and at any hour, with the values of its first contact."""
        draft, audience = campaign.draft, await self.audience(campaign)
        ready = await self.ready(draft)
        values = await _first_values(self.db, audience) if audience is not None else {}
        writer = self.writer(account, ready, audience, profile)
        while True:
            own = codes.new_tracked_codes(len(ready.links))
            wanted = self._tried(account, campaign, (number, writer.write(values, own)), profile)
            beside = linked(ready.links, lambda _: [own])  # noqa: B023
            try:
                return await self._submitter.accept(account, wanted, profile, idempotency, beside)
            except CodeTakenError:
                continue

    def _tried(self, account: Account, campaign: Campaign, item: tuple[str, str | None], profile: Profile) -> Wanted:
        """At any hour, so it is no marketing for the queue; its mention and its stop list are those of the campaign."""
        is_marketing = campaign.traffic == TrafficClass.MARKETING
        rules = account.rules
        scope = rules.stop_scope_primotexto if profile.bounces_refuse else rules.stop_scope_smspartner
        wanted = self.wanted(campaign.token, campaign.draft, [item])
        wanted.traffic, wanted.tag_key = TrafficClass.TRANSACTIONAL, TESTS
        wanted.campaign = Belonging(
            campaign.token,
            campaign.flash,
            clean_stops=is_marketing or scope == "all",
            clean_bounces=profile.bounces_refuse,
            test=True,
        )
        return wanted

    # --- launched --------------------------------------------------------------------------------------------------

    async def audience(self, campaign: Campaign) -> Audience | None:
        """To whom it goes; None: the list is gone."""
        if campaign.group_id is not None:
            return of_group(campaign.account_id, campaign.group_id)
        return None if campaign.list_id is None else await of_list(self.db, campaign.account_id, campaign.list_id)

    async def plan(self, account: Account, campaign: Campaign, profile: Profile) -> Plan | Fault:
        """What a launch would submit now."""
        audience = await self.audience(campaign)
        if audience is None:
            return Fault.NO_AUDIENCE
        most, until = await audience.extent(self.db)
        if not most:
            return Fault.NO_AUDIENCE
        draft = campaign.draft
        ready = await self.ready(draft)
        writer = self.writer(account, ready, audience, profile)
        wanted = self.wanted(campaign.token, draft, [], draft.text if ready.is_shared else "")
        wanted.faults += await self._time_and_limit(account, campaign, wanted)
        return Plan(ready, audience, writer, most, wanted, writer.pages(self.db, audience, until))

    async def _time_and_limit(self, account: Account, campaign: Campaign, wanted: Wanted) -> list[Finding]:
        now, faults = self.clock.now(), []
        if campaign.asked_at is not None and campaign.asked_at > now:
            wanted.due_at = campaign.asked_at
        elif campaign.asked_at is not None and campaign.asked_at < now - PAST:
            faults.append(Finding(Reason.DATE_PAST))
        limit = account.rules.free_campaigns
        if limit:
            since = campaigns.month_began(now)
            if await store.launched_since(self.db, account.id, since, campaign.dialect) >= limit:
                faults.append(Finding(Reason.CAMPAIGN_LIMIT))
        return faults

    async def launch(
        self, account: Account, campaign: Campaign, profile: Profile, idempotency: Idempotency | None = None
    ) -> Result | Fault:
        """Submit it to everybody in its list, each once. Only Accepted has changed anything. Under a key, whoever comes
        while it is being launched waits for what is answered."""
        while not await store.claim(self.db, account.id, campaign.id, CLAIM):
            fresh = await store.find(self.db, account.id, campaign.token)  # with its answer, if it is launched
            known = None if idempotency is None else await self._submitter.answered(account.id, idempotency)
            if known is not None:
                return known
            if idempotency is None or fresh is None or fresh.stage != Stage.DRAFT:
                return Fault.NOT_DRAFT
            await asyncio.sleep(TWIN)
        try:
            claimed = await store.find(self.db, account.id, campaign.token)  # somebody may just have changed it
            while claimed is not None:
                try:
                    return await self._launch(account, claimed, profile, idempotency)
                except CodeTakenError:
                    continue
                except LaunchedError:
                    break
                except LimitError:
                    return Refused([Finding(Reason.CAMPAIGN_LIMIT)], [])
            return Fault.NOT_DRAFT
        finally:
            with contextlib.suppress(Exception):  # a claim ends by itself
                await store.unclaim(self.db, account.id, campaign.id)

    async def _launch(
        self, account: Account, campaign: Campaign, profile: Profile, idempotency: Idempotency | None
    ) -> Result | Fault:
        plan = await self.plan(account, campaign, profile)
        if isinstance(plan, Fault):
            return plan
        beside = _launched(campaign, plan, account.rules.free_campaigns)
        order = Order(account, plan.wanted, profile, plan.pages, plan.contacts, idempotency, beside)
        return await self._submitter.accept_pages(order)

    def writer(self, account: Account, ready: Copy, audience: Audience | None, profile: Profile) -> Writer:
        """Of the texts of all."""
        key = audience.key if audience is not None else str
        return Writer(ready, key, profile.policy(account.rules.characters), self._link(account))


def _launched(campaign: Campaign, plan: Plan, limit: int) -> Beside:
    """Writes, with the messages, their links, who is left out, and that it is launched. `limit`: of campaigns a month,
    looked at under the lock of the wallet: of those that come together one is the last."""
    links_of = linked(plan.ready.links, plan.writer.codes_of)

    async def write(connection: Any, one: Numbered) -> None:
        await links_of(connection, one)
        if not one.last:
            return
        account_id, now = one.submission.account_id, one.submission.accepted_at
        skipped = [Skipped(finding.position, finding.subject, finding.reason.value) for finding in one.dropped]
        await store.leave_out(connection, account_id, one.id, skipped)
        counts = Counter(finding.reason.value for finding in one.dropped)
        if limit:
            await ledger.lock_wallets(connection, [account_id])
            since = campaigns.month_began(now)
            if await store.launched_since(connection, account_id, since, campaign.dialect) >= limit:
                raise LimitError
        if not await store.launch(connection, account_id, campaign.id, one.id, plan.contacts, counts, now):
            raise LaunchedError

    return write


def _standing(one: Campaign, moving: store.Moving, now: datetime) -> Standing:
    launched_at, due_at, id_ = one.launched_at, one.due_at, one.submission_id
    is_due = launched_at is not None and due_at is not None and due_at <= now
    return Standing(
        stage=Stage(one.stage),
        paused=one.paused_at is not None,
        begun=is_due and (due_at <= launched_at or id_ in moving.begun),  # type: ignore[operator]
        ended=one.ended_at is not None or (is_due and id_ not in moving.left),
    )


async def _page(draft: Draft) -> Target | None:
    if draft.page == Page.EXTERNAL:
        return Target(as_asked(draft.url) or draft.url)
    if draft.page == Page.HOSTED:
        from ..domain.pages import page_target  # few campaigns have one, and it is long to load

        return await asyncio.to_thread(page_target, draft.page_title, draft.page_html)
    return None


async def _first_values(db: Database, audience: Audience) -> Mapping[str, str]:
    _, until = await audience.extent(db)
    async for rows in audience.pages(db, until):
        return audience.values(rows[0])
    return {}
