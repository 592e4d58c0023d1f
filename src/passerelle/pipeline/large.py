"""A very large submission: one transaction of its own, written in slices, so that nobody else waits for it.

The one rule: the wallet is locked last, when nothing is left to do but to look at its version and to debit it; what
was decided before that stands only if it still holds, else everything is undone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta
from typing import Any

from .. import telemetry
from ..clock import Clock
from ..domain.admission import Finding, Reason
from ..domain.calendar import paris_day
from ..domain.routing import LARGE, Route
from ..store import ledger, optouts, statistics, submissions
from ..store.database import Database, is_transient
from ..store.submissions import AnswerTaken
from .batch import ENDLESS, Accepted, Blocked, Item, Refused, Result, Verdicts, decide, deltas, pairs, replay

SLICE = 2_000  # messages a statement: some ten milliseconds of ours, some fifty of the database's
LOOKED_AT = 5_000  # numbers whose lists are read at once
PATIENCE = 60.0  # seconds that a database which is away is waited for
PAUSE = 0.2


class _Undone(Exception):
    """What was written may not stay: the result instead."""

    def __init__(self, result: Result | None) -> None:
        self.result = result


def is_large(item: Item) -> bool:
    """Whether it is written apart from all others."""
    return len(item.submission.recipients) > LARGE and not item.submission.sandbox


class Large:
    """Takes large submissions into the database, one at a time."""

    def __init__(
        self, db: Database, routes: Sequence[Route], clock: Clock, validity: timedelta, aside: Executor
    ) -> None:
        self._db = db
        self._routes = routes
        self._clock = clock
        self._validity = validity
        self._aside = aside
        self._alone = asyncio.Lock()

    async def accept(
        self,
        item: Item,
        number: Callable[[Item], Awaitable[None]],
        judge_again: Callable[[Item], Awaitable[Result | None]],
    ) -> Result:
        """Store one. `number` gives it its ids once; `judge_again` takes the account as it is now, or says why not."""
        async with self._alone:
            while True:
                await number(item)
                result = await self._patiently(item) or await judge_again(item)
                if result is not None:
                    return result

    async def _patiently(self, item: Item) -> Result | None:
        """Once, whatever the database does meanwhile; None: the account has changed."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                # A commit of unknown outcome is looked up before it is done again.
                if item.tried is not None and await submissions.present(self._db, [(item.account.id, item.id)]):
                    return item.tried
                item.tried = None
                return await self._write(item)
            except _Undone as undone:
                return undone.result
            except AnswerTaken:
                continue
            except Exception as error:
                if not is_transient(error) or time.monotonic() > end:
                    raise
                telemetry.log(telemetry.Event.DATABASE_LOST, room="submit", error=type(error).__name__, waiting=1)
            await asyncio.sleep(PAUSE)

    async def _write(self, item: Item) -> Result | None:
        now = self._clock.now()
        async with self._db.transaction() as connection:
            known = await self._known(connection, item, now)
            if known is not None:
                return known
            verdicts, result = await self._decided(connection, item, now)
            if not isinstance(result, Accepted):
                return result
            (one,) = verdicts.stored
            if one.cost > await ledger.balance(connection, item.account.id):
                return Refused([Finding(Reason.CREDIT)], result.dropped)
            await submissions.insert_head(connection, one)
            for start in range(0, len(result.kept), SLICE):
                await submissions.insert_slice(connection, one, start, start + SLICE, self._validity)
            await statistics.insert(connection, deltas(verdicts.stored))
            for write, numbered in verdicts.beside:
                await write(connection, numbered)
            await self._pay(connection, item, result, one.cost, now)
            if verdicts.answers:
                await submissions.insert_answers(connection, verdicts.answers, now)
            item.tried = result
        return result

    async def _known(self, connection: Any, item: Item, now: datetime) -> Result | None:
        if item.answer_key is None:
            return None
        return replay(
            await submissions.known_answers(connection, [item.answer_key], now), item.answer_key, item.idempotency
        )

    async def _decided(self, connection: Any, item: Item, now: datetime) -> tuple[Verdicts, Result | None]:
        """In a thread, on the lists as they are now: an opt-out that comes later is honoured when the part leaves."""
        accounts, phones = pairs([item])
        blocked: Blocked = set()
        for start in range(0, len(phones), LOOKED_AT):
            stop = start + LOOKED_AT
            blocked |= await optouts.blocked_pairs(connection, accounts[start:stop], phones[start:stop])
        verdicts = Verdicts({item.account.id: ENDLESS})
        work = asyncio.get_running_loop().run_in_executor
        version = item.account.version
        return verdicts, await work(self._aside, decide, item, version, blocked, verdicts, self._routes, now)

    async def _pay(self, connection: Any, item: Item, accepted: Accepted, cost: int, now: datetime) -> None:
        """Under the lock of the wallet, held from here to the commit. Raises _Undone."""
        account = item.account
        wallet = (await ledger.lock_wallets(connection, [account.id])).get(account.id)
        if wallet is None or wallet["version"] != account.version:
            raise _Undone(None)
        if cost > wallet["balance"]:
            raise _Undone(Refused([Finding(Reason.CREDIT)], accepted.dropped))
        if account.rules.daily_quota:
            day, count = paris_day(now), len(accepted.kept)
            sent = await submissions.accepted_on(connection, [account.id], day)
            if sent[account.id] + count > account.rules.daily_quota:
                raise _Undone(Refused([Finding(Reason.QUOTA)], accepted.dropped))
            await submissions.count_accepted(connection, {account.id: count}, day)
        await ledger.add_to_wallets(connection, {account.id: -cost})
