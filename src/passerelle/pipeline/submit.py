"""Accept a request: judge it, then commit it together with all that arrived meanwhile: message, debit, queue, answer.

One writer a process. While a batch is in its commit the next one gathers, so that batches grow with the load and
nobody waits for a timer. The last euro and the lists of blocked numbers are decided item by item under the lock of
the wallet. A commit whose outcome is unknown is looked up before it is done again: ids are made beforehand.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from .. import telemetry
from ..clock import Clock
from ..domain.account import Account, AccountState, Rules
from ..domain.admission import Judged, Wanted, judge
from ..domain.calendar import paris_day
from ..domain.message import Dialect
from ..domain.profile import Profile
from ..domain.routing import LARGE, Route
from ..store import events, ledger, optouts, submissions
from ..store.database import Database, is_transient
from ..store.numbering import Numbering
from ..store.submissions import AnswerTaken, Batch
from .accounts import Accounts
from .batch import (
    ENDLESS,
    Accepted,
    Beside,
    Denied,
    Idempotency,
    Item,
    KeyReused,
    Refused,
    Replayed,
    Result,
    Results,
    Verdicts,
    count,
    decide,
    deltas,
    limited,
    pairs,
    replay,
)
from .large import Large, Order, gathered, is_large, of_items
from .sandbox import delivered_at_once
from .wording import Wordings

__all__ = [
    "Accepted",
    "Beside",
    "Denied",
    "Idempotency",
    "KeyReused",
    "Refused",
    "Replayed",
    "Result",
    "Submitter",
    "Unavailable",
]

BATCH = 2_000  # messages in one commit, at most
QUICK = 50  # recipients, and
QUICK_TEXT = 20_000  # characters, that are judged in a few milliseconds
PAUSE = 0.1  # seconds between tries while the database is away
PATIENCE = 8.0  # seconds that a caller is kept waiting for it: clients give up after ten

_BATCH_SIZE = telemetry.BATCH_SIZE.labels("submit")


class Unavailable(Exception):
    """The database did not come back in time: whether the request was stored is unknown to the caller."""


class Submitter:
    """Takes requests of all doors of this process into the database."""

    def __init__(
        self,
        db: Database,
        accounts: Accounts,
        routes: Sequence[Route],
        clock: Clock,
        *,
        validity: timedelta = timedelta(hours=48),
        wordings: Wordings | None = None,
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._routes = routes
        self._clock = clock
        self._validity = validity
        self._wordings = wordings or {}
        self._numbering = Numbering(db)
        # One thread: what a try that was given up still judges is over before the next try begins (audience.Writer).
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="judge")
        self._large = Large(db, accounts, routes, clock, validity, self._aside, self._numbering)
        self._waiting: list[Item] = []
        self._arrived = asyncio.Event()
        self._in_flight: dict[tuple[int, str, str], asyncio.Future[Result]] = {}

    async def accept(
        self,
        account: Account,
        wanted: Wanted,
        profile: Profile,
        idempotency: Idempotency | None = None,
        beside: Beside | None = None,
    ) -> Result:
        """Judge and store one request; returns after the commit. Only `Accepted` has changed anything.

        `beside` writes rows of its own in the same transaction.
        """
        if is_large(wanted):
            order = Order(account, wanted, profile, of_items(wanted), len(wanted.items), idempotency, beside)
            return await self.accept_pages(order)
        judged = await self.judge(wanted, account, profile)
        if judged.submission is None:
            fresh = await self._accounts.again(account)  # a refusal is not looked at again by a commit
            if fresh is None or fresh.state is not AccountState.ACTIVE:
                return Denied(None if fresh is None else fresh.state)
            if fresh.version != account.version:
                account, judged = fresh, await self.judge(wanted, fresh, profile)
        found, left_out, key = judged.submission, judged.dropped, self._key(account.id, idempotency)
        if found is None:
            refused = Refused(judged.findings, left_out)
            return refused if idempotency is None else await self.answered(account.id, idempotency) or refused
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        item = Item(account, wanted, profile, idempotency, future, found, left_out, answer_key=key, beside=beside)
        return await (self._enqueue(item) if key is None else self._once(key, lambda: self._enqueue(item)))

    @staticmethod
    def _key(account_id: int, once: Idempotency | None) -> tuple[int, str, str] | None:
        """Where an answer is kept."""
        return None if once is None else (account_id, once.path, once.key)

    async def judge(self, wanted: Wanted, account: Account, profile: Profile) -> Judged:
        """A long request is judged in a thread, one at a time: nobody else waits for it."""
        texts = len(wanted.text) + sum(len(own) for _, own in wanted.items if own)
        if len(wanted.items) <= QUICK and texts <= QUICK_TEXT:
            return judge(wanted, account, profile, self._clock.now())
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._aside, judge, wanted, account, profile, self._clock.now())

    async def _once(self, key: tuple[int, str, str], accept: Callable[[], Awaitable[Result]]) -> Result:
        """A twin in flight waits for the first."""
        while (first := self._in_flight.get(key)) is not None:
            await asyncio.wait([first])
        ended: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._in_flight[key] = ended
        try:
            return await accept()
        finally:
            del self._in_flight[key]
            ended.cancel()

    async def answered(self, account_id: int, idempotency: Idempotency) -> Result | None:
        """What was answered before under this key; None: nothing."""
        key = (account_id, idempotency.path, idempotency.key)
        known = await submissions.known_answers(self._db, [key], self._clock.now())
        return replay(known, key, idempotency)

    async def _enqueue(self, item: Item) -> Result:
        self._waiting.append(item)
        self._arrived.set()
        return await item.future

    # --- what is large ---------------------------------------------------------------------------------------------

    async def accept_pages(self, order: Order) -> Result:
        """As `accept`, of recipients that come page by page; few of them are gathered and go with all others."""
        if order.most <= LARGE or order.wanted.sandbox:
            wanted = await gathered(order.wanted, order.pages)
            return await self.accept(order.account, wanted, order.profile, order.idempotency, order.beside)
        try:
            if order.answer_key is None:
                return await self._large.accept(order)
            return await self._once(order.answer_key, lambda: self._large.accept(order))
        except Exception as error:
            raise (Unavailable() if is_transient(error) else error) from error

    # --- the writer ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Commit what waits, for ever."""
        while True:
            await self._arrived.wait()
            await self.flush()

    async def flush(self) -> None:
        """Commit what waits now, in one batch; what is too much for one stays for the next."""
        await self._commit(self._take())

    async def _commit(self, batch: list[Item]) -> None:
        try:
            batch = await self._unsettled(batch)
            for item in batch:
                await self._number(item)
            results = await self._write(batch) if batch else []
        except Exception as error:
            await self._after(error, batch)
            return
        _BATCH_SIZE.observe(len(results))
        for item, result in results:
            await self._answer(item, result)

    async def _after(self, error: Exception, batch: list[Item]) -> None:
        """Wait for a database that is away; look for the one bad item of a batch that fails otherwise."""
        if is_transient(error):
            telemetry.log(telemetry.Event.DATABASE_LOST, room="submit", error=type(error).__name__, waiting=len(batch))
            self._waiting[:0] = [item for item in batch if not self._give_up(item)]
            if self._waiting:
                self._arrived.set()
            await asyncio.sleep(PAUSE)
        elif len(batch) == 1:
            if not batch[0].future.done():
                batch[0].future.set_exception(error)
        else:
            telemetry.log(telemetry.Event.WORKER_FAILED, room="submit", error=type(error).__name__, items=len(batch))
            for item in batch:
                await self._commit([item])

    def _give_up(self, item: Item) -> bool:
        """A caller is not kept for longer than it waits; what may have been committed is still looked up."""
        if item.since + PATIENCE > time.monotonic() or item.future.done():
            return item.future.done() and item.tried is None
        item.future.set_exception(Unavailable())
        return item.tried is None

    def _take(self) -> list[Item]:
        size = count = 0
        while count < len(self._waiting) and size < BATCH:
            size += len(self._waiting[count].submission.recipients)
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        if not self._waiting:
            self._arrived.clear()
        return batch

    async def _unsettled(self, batch: list[Item]) -> list[Item]:
        """Without those whose commit, of unknown outcome, turns out to have taken place: they are answered."""
        tried = [item for item in batch if item.tried is not None]
        if not tried:
            return batch
        there = await submissions.present(self._db, [(item.account.id, item.id) for item in tried])
        for item in tried:
            if item.id in there:
                await self._answer(item, item.tried)
        left = [item for item in batch if item.id not in there or item.tried is None]
        for item in left:
            item.tried = None
        return [item for item in left if not item.future.done()]

    async def _number(self, item: Item) -> None:
        """Ids once for all tries, so that a commit of unknown outcome can be looked up."""
        if item.id:
            return
        count = len(item.submission.recipients)
        if item.profile.dialect is Dialect.PRIMOTEXTO:
            item.snapshots = await self._numbering.snapshot_numbers(count)
            item.number = item.snapshots[0]
        else:
            item.number = await self._numbering.submission_number()
        item.id = await self._numbering.messages(count, item.submission.accepted_at)

    async def _write(self, batch: list[Item]) -> Results:
        now = self._clock.now()
        quick = await self._write_at_once(batch, now)
        while quick is None:
            try:
                async with self._db.transaction() as connection:
                    results = await self._write_in(connection, batch, now)
                    for item, result in results:
                        item.tried = result
                return results
            except AnswerTaken:
                continue
        return quick

    async def _write_at_once(self, batch: list[Item], now: datetime) -> Results | None:
        """The common case: every account is as it was read, can pay, and writes to nobody on a list. The statement
        checks all that under the locks of the wallets; None: something is otherwise, and nothing was written."""
        if limited(batch) or any(item.idempotency or item.beside or item.submission.sandbox for item in batch):
            return None
        verdicts = Verdicts(dict.fromkeys((item.account.id for item in batch), ENDLESS))
        wallets: dict[int, tuple[int, int]] = {}
        for item in batch:
            version = item.account.version
            if wallets.setdefault(item.account.id, (version, 0))[0] != version:
                return None
            verdicts.results.append((item, decide(item, version, set(), verdicts, self._routes, now)))
        if not verdicts.stored:
            return verdicts.results
        for account_id, debit in verdicts.debits.items():
            wallets[account_id] = (wallets[account_id][0], -debit)
        for item, result in verdicts.results:
            item.tried = result
        rows = Batch(verdicts.stored, wallets, pairs(batch), deltas(verdicts.stored))
        return verdicts.results if await submissions.insert(self._db, rows, self._validity) else None

    async def _write_in(self, connection: Any, batch: list[Item], now: datetime) -> Results:
        """Item by item, under the locks of the wallets."""
        keys = [item.answer_key for item in batch if item.answer_key is not None]
        known = await submissions.known_answers(connection, keys, now) if keys else {}
        locked = await ledger.lock_wallets(connection, [item.account.id for item in batch])
        blocked = await optouts.blocked_pairs(connection, *pairs(batch))
        verdicts = Verdicts({account_id: row["balance"] for account_id, row in locked.items()})
        if quotas := limited(batch):
            verdicts.sent_today = await submissions.accepted_on(connection, quotas, paris_day(now))
        before = dict(verdicts.sent_today)
        for item in batch:
            result = replay(known, item.answer_key, item.idempotency)
            if result is None:
                wallet = locked.get(item.account.id)
                result = decide(item, wallet and wallet["version"], blocked, verdicts, self._routes, now)
            verdicts.results.append((item, result))
        rules = {item.account.id: item.account.rules for item in batch}
        await self._store(connection, verdicts, {account: row["version"] for account, row in locked.items()}, rules)
        counted = {account: total - before[account] for account, total in verdicts.sent_today.items()}
        await submissions.count_accepted(connection, {a: n for a, n in counted.items() if n}, paris_day(now))
        if verdicts.answers:
            await submissions.insert_answers(connection, verdicts.answers, now)
        for write, one in verdicts.beside:
            await write(connection, one)
        return verdicts.results

    async def _store(
        self, connection: Any, verdicts: Verdicts, versions: dict[int, int], rules: Mapping[int, Rules]
    ) -> None:
        sandboxed = [one for one in verdicts.stored if one.submission.sandbox]
        if sandboxed:
            await submissions.insert_sandbox(connection, sandboxed)
            told = [
                event
                for one in sandboxed
                for event in delivered_at_once(one, self._wordings, rules[one.submission.account_id])
            ]
            await events.insert(connection, told, self._clock.now(), lease_seconds=0.0)  # for the workers to post
        real = [one for one in verdicts.stored if not one.submission.sandbox]
        if real:
            wallets = {account: (versions[account], -debit) for account, debit in verdicts.debits.items()}
            if not await submissions.insert(connection, Batch(real, wallets, ((), ()), deltas(real)), self._validity):
                raise RuntimeError("a wallet that is locked has changed")

    # --- after the commit ------------------------------------------------------------------------------------------

    async def _answer(self, item: Item, result: Result | None) -> None:
        if result is not None:
            count(item, result)
            if not item.future.done():
                item.future.set_result(result)
            return
        try:
            refused = await self._judge_again(item)
        except Exception as error:  # nothing was stored, and nobody else answers this one
            if not item.future.done():
                item.future.set_exception(Unavailable() if is_transient(error) else error)
            return
        if refused is not None:
            item.future.set_result(refused)
            return
        self._waiting.append(item)
        self._arrived.set()

    async def _judge_again(self, item: Item) -> Result | None:
        """The account has changed since it was read: with a fresh copy, from the start. None: to be stored anew."""
        account = await self._accounts.again(item.account)
        if account is None or account.state is not AccountState.ACTIVE:
            return Denied(None if account is None else account.state)
        judged = await self.judge(item.wanted, account, item.profile)
        if judged.submission is None:
            return Refused(judged.findings, judged.dropped)
        item.account, item.submission, item.dropped = account, judged.submission, judged.dropped
        item.id, item.snapshots = 0, []
        return None
