"""A very large submission: read, judged and written page by page, in one transaction of its own, so that neither its
memory nor anybody's waiting grows with it.

The one rule: the wallet is locked last, when nothing is left to do but to look at its version and to debit it; what
was decided before that stands only if it still holds, else everything is undone.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from .. import telemetry
from ..clock import Clock
from ..domain.account import Account, AccountState
from ..domain.admission import Judged, Wanted, judge
from ..domain.calendar import paris_day
from ..domain.message import Dialect, Recipient, Submission
from ..domain.profile import Profile
from ..domain.reasons import Finding, Reason
from ..domain.routing import LARGE, Route, lane_for
from ..store import ledger, optouts, statistics, submissions
from ..store.database import Database, is_transient
from ..store.numbering import Numbering
from ..store.submissions import Answer, AnswerTaken, Numbered
from .accounts import Accounts
from .batch import Accepted, Beside, Denied, Idempotency, Refused, Result, count_result, deltas, kept_of, replay

SLICE = 2_000  # messages a page: some ten milliseconds of ours, some fifty of the database's
AHEAD = 4  # pages that are ready while one is written
AT_ONCE = 2  # submissions
PATIENCE = 60.0  # seconds that a database which is away is waited for
PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the recipients: (number as sent, text or None for that of all), and whose holidays count for each."""

    items: Sequence[tuple[str, str | None]]
    regions: Sequence[str] = ()


Pages = Callable[[], AsyncIterator[Callable[[], Page]]]
"""Begins anew each time: pages, each made by a function that runs in a thread."""


@dataclass(slots=True)
class Order:
    """What is to be accepted: `wanted` without its items, which come page by page, at most `most` of them."""

    account: Account
    wanted: Wanted
    profile: Profile
    pages: Pages
    most: int
    idempotency: Idempotency | None = None
    beside: Beside | None = None
    id: int = 0
    number: int = 0
    tried: Result | None = None  # what a commit of unknown outcome had decided

    @property
    def answer_key(self) -> tuple[int, str, str] | None:
        """Where its answer is kept."""
        once = self.idempotency
        return None if once is None else (self.account.id, once.path, once.key)


@dataclass(slots=True)
class _Sum:
    """What was seen by now. `hopeless`: nothing of it is stored; the rest is judged only to say all that is wrong."""

    seen: set[int] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    dropped: list[Finding] = field(default_factory=list)
    submission: Submission | None = None
    items: int = 0
    messages: int = 0
    parts: int = 0
    cost: int = 0

    @property
    def hopeless(self) -> bool:
        return bool(self.findings)


class _Undone(Exception):
    """What was written may not stay: the result instead; None: the account has changed."""

    def __init__(self, result: Result | None) -> None:
        self.result = result


def of_items(wanted: Wanted) -> Pages:
    """The pages of a request that has its items."""

    async def pages() -> AsyncIterator[Callable[[], Page]]:
        for start in range(0, len(wanted.items), SLICE):
            some = wanted.items[start : start + SLICE]
            yield lambda some=some: Page(some)  # type: ignore[misc]

    return pages


async def gathered(wanted: Wanted, pages: Pages) -> Wanted:
    """The request with all the items of its pages."""
    items: list[tuple[str, str | None]] = []
    regions: list[str] = []
    async for make in pages():
        page = await asyncio.to_thread(make)
        regions += page.regions or [""] * len(page.items)
        items += page.items
    campaign = wanted.campaign
    if campaign is not None and any(regions):
        campaign = replace(campaign, regions=regions)
    return replace(wanted, items=items, campaign=campaign, faults=list(wanted.faults))


class Large:
    """Takes large submissions into the database, few at a time."""

    def __init__(
        self,
        db: Database,
        accounts: Accounts,
        routes: Sequence[Route],
        clock: Clock,
        validity: timedelta,
        aside: Executor,
        numbering: Numbering,
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._routes = routes
        self._clock = clock
        self._validity = validity
        self._aside = aside
        self._numbering = numbering
        self._few = asyncio.Semaphore(AT_ONCE)

    async def accept(self, order: Order) -> Result:
        """Store one; returns after the commit."""
        async with self._few:
            while True:
                result = await self._patiently(order) or await self._again(order)
                if result is not None:
                    count_result(order.profile.dialect, result)
                    return result

    async def _again(self, order: Order) -> Result | None:
        """With a fresh copy of an account that has changed; what it has become says why not."""
        account = await self._accounts.again(order.account)
        if account is None or account.state is not AccountState.ACTIVE:
            return Denied(None if account is None else account.state)
        order.account = account
        return None

    async def _patiently(self, order: Order) -> Result | None:
        """Once, whatever the database does meanwhile; None: the account has changed."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                # A commit of unknown outcome is looked up before it is done again.
                if order.tried is not None and await submissions.present(self._db, [(order.account.id, order.id)]):
                    return order.tried
                order.tried = None
                return await self._write(order)
            except _Undone as undone:
                return undone.result
            except AnswerTaken:
                continue
            except Exception as error:
                if not is_transient(error) or time.monotonic() > end:
                    raise
                telemetry.log(telemetry.Event.DATABASE_LOST, room="submit", error=type(error).__name__, waiting=1)
            await asyncio.sleep(PAUSE)

    async def _write(self, order: Order) -> Result:
        """Raises _Undone."""
        now = self._clock.now()
        await self._number(order, now)
        async with self._db.transaction() as connection:
            known = await self._known(connection, order, now)
            if known is not None:
                return known
            total = await self._all_pages(connection, order, now)
            if total.hopeless or total.submission is None or not total.messages:
                await self._as_it_is(connection, order)
                raise _Undone(Refused(total.findings, total.dropped))
            one = self._head(order, total.submission, total)
            await submissions.insert_head(connection, one)
            await statistics.insert(connection, deltas([one]))
            if order.beside is not None:
                await order.beside(connection, replace(one, place=total.messages, last=True))
            accepted = _accepted(order, one)
            await self._pay(connection, order, one, now)
            await self._keep_answer(connection, order, accepted, now)
            order.tried = accepted
        return accepted

    async def _number(self, order: Order, now: datetime) -> None:
        """Ids once for all tries, so that a commit of unknown outcome can be looked up."""
        if not order.id:
            order.id = await self._numbering.messages(order.most, now)
        if not order.number and order.profile.dialect is not Dialect.PRIMOTEXTO:
            order.number = await self._numbering.submission_number()

    async def _known(self, connection: Any, order: Order, now: datetime) -> Result | None:
        if order.answer_key is None:
            return None
        known = await submissions.known_answers(connection, [order.answer_key], now)
        return replay(known, order.answer_key, order.idempotency)

    # --- page by page ------------------------------------------------------------------------------------------------

    async def _all_pages(self, connection: Any, order: Order, now: datetime) -> _Sum:
        """While a page is written the next ones are judged, in a thread."""
        total = _Sum()
        credit = await ledger.balance(connection, order.account.id)
        async with contextlib.aclosing(judged_pages(order, self._aside, now)) as pages:
            async for judged in pages:
                await self._write_page(connection, order, judged, total)
                if total.cost > credit and not total.hopeless:
                    total.findings.append(Finding(Reason.CREDIT))
        return total

    async def _write_page(self, connection: Any, order: Order, judged: Judged, total: _Sum) -> None:
        submission = judged.submission
        total.findings += judged.news(total.findings)
        if submission is None:
            total.dropped += judged.dropped
            return
        kept, carriers, dropped = await sorted_out(connection, submission, judged.dropped, self._routes)
        total.dropped += dropped
        if total.hopeless or not kept:
            return
        if total.messages + len(kept) > order.most:  # contacts that were still being written when they were counted
            order.id, order.most = 0, 2 * (total.messages + len(kept))
            raise _Undone(None)
        submission.recipients = kept
        numbers = await self._numbers(order, len(kept))
        one = self._head(order, submission, total, carriers, numbers)
        await submissions.insert_slice(connection, one, self._validity)
        if order.beside is not None:
            await order.beside(connection, one)
        total.messages += len(kept)
        total.parts += sum(to.parts for to in kept)
        total.cost += sum(to.price for to in kept)
        total.submission = total.submission or replace(submission, recipients=[])

    async def _numbers(self, order: Order, count: int) -> list[int]:
        """What the dialect calls messages by, where it numbers them."""
        if order.profile.dialect is not Dialect.PRIMOTEXTO:
            return []
        numbers = await self._numbering.snapshot_numbers(count)
        order.number = order.number or numbers[0]
        return numbers

    def _head(
        self,
        order: Order,
        submission: Submission,
        total: _Sum,
        carriers: Sequence[int] = (),
        numbers: Sequence[int] = (),
    ) -> Numbered:
        """A page, or with the sums of all pages the whole."""
        is_campaign = submission.campaign_id is not None
        dialect = order.profile.dialect
        return Numbered(
            submission=submission,
            id=order.id,
            number=0 if dialect is Dialect.PRIMOTEXTO else order.number,
            snapshots=numbers,
            carrier_ids=carriers,
            lane=lane_for(submission.traffic, order.most, is_campaign),
            messages=total.messages,
            parts=total.parts,
            cost=total.cost,
            dropped=total.dropped,
            place=total.messages,
            last=False,
        )

    # --- the end -----------------------------------------------------------------------------------------------------

    async def _as_it_is(self, connection: Any, order: Order) -> Any:
        """The wallet, locked, where the account is still what it was judged as. Raises _Undone."""
        wallet = (await ledger.lock_wallets(connection, [order.account.id])).get(order.account.id)
        if wallet is None or wallet["version"] != order.account.version:
            raise _Undone(None)
        return wallet

    async def _pay(self, connection: Any, order: Order, one: Numbered, now: datetime) -> None:
        """Under the lock of the wallet, held from here to the commit. Raises _Undone."""
        account, refused = order.account, list(one.dropped)
        wallet = await self._as_it_is(connection, order)
        if one.cost > wallet["balance"]:
            raise _Undone(Refused([Finding(Reason.CREDIT)], refused))
        if account.rules.daily_quota:
            day = paris_day(now)
            sent = await submissions.accepted_on(connection, [account.id], day)
            if sent[account.id] + one.messages > account.rules.daily_quota:
                raise _Undone(Refused([Finding(Reason.QUOTA)], refused))
            await submissions.count_accepted(connection, {account.id: one.messages}, day)
        await ledger.add_to_wallets(connection, {account.id: -one.cost})

    async def _keep_answer(self, connection: Any, order: Order, accepted: Accepted, now: datetime) -> None:
        once, key = order.idempotency, order.answer_key
        if once is not None and key is not None:
            status, body = once.render(accepted)
            answer = Answer(*key, once.body_hash, status, body, order.id, now)
            await submissions.insert_answers(connection, [answer], now)


async def judged_pages(order: Order, aside: Executor | None, now: datetime) -> AsyncGenerator[Judged]:
    """What the rules say of each page. While the caller is at work with one, the next ones are judged in a thread."""
    loop, pages, seen = asyncio.get_running_loop(), order.pages(), set[int]()

    async def following(before: asyncio.Task[tuple[int, Judged] | None] | None) -> tuple[int, Judged] | None:
        """A page, and how many items there are up to its end."""
        base, _ = (await before if before is not None else None) or (0, None)
        if (make := await anext(pages, None)) is None:  # and so it stays, once they have ended
            return None
        count, judged = await loop.run_in_executor(aside, _judged, order, make, base, seen, now)
        return base + count, judged

    ahead = deque[asyncio.Task[tuple[int, Judged] | None]]()
    for _ in range(AHEAD):
        ahead.append(asyncio.create_task(following(ahead[-1] if ahead else None)))
    try:
        while (found := await ahead[0]) is not None:
            ahead.append(asyncio.create_task(following(ahead[-1])))
            ahead.popleft()
            yield found[1]
    finally:
        for one in ahead:
            one.cancel()
        await asyncio.gather(*ahead, return_exceptions=True)


async def sorted_out(
    connection: Any, submission: Submission, left_out: Sequence[Finding], routes: Sequence[Route]
) -> tuple[list[Recipient], list[int], list[Finding]]:
    """What `kept_of` says of a page, with what the lists have of it now."""
    phones = [to.phone for to in submission.recipients] if submission.stop_applies or submission.bounce_applies else []
    blocked = await optouts.blocked_of(connection, submission.account_id, phones) if phones else set()
    return kept_of(submission, left_out, blocked, routes)


def is_large(wanted: Wanted) -> bool:
    """Whether it is written apart from all others."""
    return len(wanted.items) > LARGE and not wanted.sandbox


def _judged(order: Order, make: Callable[[], Page], base: int, seen: set[int], now: datetime) -> tuple[int, Judged]:
    """In a thread: how many items the page has, and what the rules say of it. `seen`: numbers of the pages before."""
    page = make()
    wanted = replace(order.wanted, items=page.items, faults=list(order.wanted.faults))
    if page.regions and wanted.campaign is not None:
        wanted.campaign = replace(wanted.campaign, regions=page.regions)
    judged = judge(wanted, order.account, order.profile, now)
    judged.dropped = [replace(one, position=one.position + base) for one in judged.dropped]
    if judged.submission is not None:
        judged.submission.recipients = _once(judged.submission.recipients, base, seen, judged.dropped)
    return len(page.items), judged


def _once(some: Sequence[Recipient], base: int, seen: set[int], dropped: list[Finding]) -> list[Recipient]:
    """Those who are in no page before."""
    kept = []
    for to in some:
        to.position += base
        if to.phone in seen:
            dropped.append(Finding(Reason.DUPLICATE, f"+{to.phone}", to.position))
        else:
            seen.add(to.phone)
            kept.append(to)
    return kept


def _accepted(order: Order, one: Numbered) -> Accepted:
    return Accepted(
        submission=one.submission,
        number=order.number,
        kept=[],
        dropped=list(one.dropped),
        cost=one.cost,
        id=order.id,
        messages=one.messages,
        parts=one.parts,
    )
