"""Accept a request: judge it, then commit it together with all that arrived meanwhile: message, debit, queue, answer.

One writer a process. While a batch is in its commit the next one gathers, so that batches grow with the load and
nobody waits for a timer. The last euro and the lists of blocked numbers are decided item by item under the lock of
the wallet. A commit whose outcome is unknown is looked up before it is done again: ids are made beforehand.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .. import telemetry
from ..clock import Clock
from ..domain.account import Account, AccountState
from ..domain.admission import Finding, Judged, Reason, Wanted, judge
from ..domain.message import Dialect, Recipient, Submission
from ..domain.profile import Profile
from ..domain.routing import Route, lane_of, rank
from ..store import ledger, optouts, statistics, submissions
from ..store.database import Database, is_transient
from ..store.numbering import Numbering
from ..store.optouts import List
from ..store.statistics import Delta
from ..store.submissions import Answer, AnswerTaken, Numbered
from .accounts import Accounts

BATCH = 2_000  # messages in one commit, at most
PAUSE = 0.1  # seconds between tries while the database is away
PATIENCE = 8.0  # seconds that a caller is kept waiting for it: clients give up after ten

_BATCH_SIZE = telemetry.BATCH_SIZE.labels("submit")


class Unavailable(Exception):
    """The database did not come back in time: whether the request was stored is unknown to the caller."""


@dataclass(slots=True)
class Accepted:
    """Stored and debited. `dropped`: recipients left out. `number`: what the dialect calls the submission by."""

    submission: Submission
    number: int
    kept: list[Recipient]
    dropped: list[Finding]
    cost: int  # micro-euros


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


Result = Accepted | Refused | Denied | Replayed | KeyReused


@dataclass(frozen=True, slots=True)
class Idempotency:
    """An Idempotency-Key with what it stands for; `render` words the answer to be kept: (status, body)."""

    path: str
    key: str
    body_hash: bytes
    render: Callable[[Accepted], tuple[int, bytes]]


@dataclass(slots=True)
class _Item:
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
    since: float = field(default_factory=time.monotonic)
    tried: Result | None = None  # what a commit of unknown outcome had decided


@dataclass(slots=True)
class _Verdicts:
    """What a batch decides, told only after its commit."""

    balances: dict[int, int]
    results: list[tuple[_Item, Result | None]] = field(default_factory=list)
    stored: list[Numbered] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    debits: dict[int, int] = field(default_factory=dict)

    def spend(self, account_id: int, cost: int) -> None:
        """Take from a balance under its lock."""
        if cost:
            self.balances[account_id] -= cost
            self.debits[account_id] = self.debits.get(account_id, 0) - cost


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
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._routes = routes
        self._clock = clock
        self._validity = validity
        self._numbering = Numbering(db)
        self._waiting: list[_Item] = []
        self._arrived = asyncio.Event()
        self._in_flight: dict[tuple[int, str, str], asyncio.Future[Result]] = {}

    async def accept(
        self, account: Account, wanted: Wanted, profile: Profile, idempotency: Idempotency | None = None
    ) -> Result:
        """Judge and store one request; returns after the commit. Only `Accepted` has changed anything."""
        judged = judge(wanted, account, profile, self._clock.now())
        if judged.submission is None and idempotency is None:
            return Refused(judged.findings, judged.dropped)
        if idempotency is None:
            return await self._enqueue(account, wanted, profile, judged, None)
        return await self._accept_once(account, wanted, profile, judged, idempotency)

    async def _accept_once(
        self, account: Account, wanted: Wanted, profile: Profile, judged: Judged, idempotency: Idempotency
    ) -> Result:
        """With a key: a twin in flight waits for the first; what was answered before is answered again."""
        key = (account.id, idempotency.path, idempotency.key)
        while (first := self._in_flight.get(key)) is not None:
            await asyncio.wait([first])
        ended: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._in_flight[key] = ended
        try:
            if judged.submission is None:
                return await self._answered(key, idempotency) or Refused(judged.findings, judged.dropped)
            return await self._enqueue(account, wanted, profile, judged, idempotency)
        finally:
            del self._in_flight[key]
            ended.cancel()

    async def _answered(self, key: tuple[int, str, str], idempotency: Idempotency) -> Result | None:
        known = await submissions.known_answers(self._db, [key], self._clock.now())
        return _replay(known, key, idempotency)

    async def _enqueue(
        self, account: Account, wanted: Wanted, profile: Profile, judged: Judged, idempotency: Idempotency | None
    ) -> Result:
        assert judged.submission is not None
        item = _Item(
            account,
            wanted,
            profile,
            idempotency,
            asyncio.get_running_loop().create_future(),
            judged.submission,
            judged.dropped,
        )
        if idempotency is not None:
            item.answer_key = (account.id, idempotency.path, idempotency.key)
        self._waiting.append(item)
        self._arrived.set()
        return await item.future

    # --- the writer ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Commit what waits, for ever."""
        while True:
            await self._arrived.wait()
            await self.flush()

    async def flush(self) -> None:
        """Commit what waits now, in one batch; what is too much for one stays for the next."""
        await self._commit(self._take())

    async def _commit(self, batch: list[_Item]) -> None:
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

    async def _after(self, error: Exception, batch: list[_Item]) -> None:
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

    def _give_up(self, item: _Item) -> bool:
        """A caller is not kept for longer than it waits; what may have been committed is still looked up."""
        if item.since + PATIENCE > time.monotonic() or item.future.done():
            return item.future.done() and item.tried is None
        item.future.set_exception(Unavailable())
        return item.tried is None

    def _take(self) -> list[_Item]:
        size = count = 0
        while count < len(self._waiting) and size < BATCH:
            size += len(self._waiting[count].submission.recipients)
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        if not self._waiting:
            self._arrived.clear()
        return batch

    async def _unsettled(self, batch: list[_Item]) -> list[_Item]:
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

    async def _number(self, item: _Item) -> None:
        """Ids once for all tries, so that a commit of unknown outcome can be looked up."""
        if item.id:
            return
        count = len(item.submission.recipients)
        if item.profile.dialect is Dialect.PRIMOTEXTO:
            item.snapshots = [await self._numbering.snapshot_number() for _ in range(count)]
            item.number = item.snapshots[0]
        else:
            item.number = await self._numbering.submission_number()
        item.id = await self._numbering.messages(count, item.submission.accepted_at)

    async def _write(self, batch: list[_Item]) -> list[tuple[_Item, Result | None]]:
        now = self._clock.now()
        while True:
            try:
                async with self._db.transaction() as connection:
                    results = await self._write_in(connection, batch, now)
                    for item, result in results:
                        item.tried = result
                return results
            except AnswerTaken:
                continue

    async def _write_in(self, connection: Any, batch: list[_Item], now: datetime) -> list[tuple[_Item, Result | None]]:
        keys = [item.answer_key for item in batch if item.answer_key is not None]
        known = await submissions.known_answers(connection, keys, now) if keys else {}
        wallets = await ledger.lock_wallets(connection, [item.account.id for item in batch])
        blocked = await optouts.blocked_pairs(connection, *_pairs(batch))
        verdicts = _Verdicts({account_id: row["balance"] for account_id, row in wallets.items()})
        for item in batch:
            result = _replay(known, item.answer_key, item.idempotency)
            if result is None:
                result = self._decide(item, wallets.get(item.account.id), blocked, verdicts, now)
            verdicts.results.append((item, result))
        if verdicts.stored:
            await submissions.insert(connection, verdicts.stored, self._validity)
            await statistics.insert(connection, _deltas(verdicts.stored))
        await ledger.add_to_wallets(connection, verdicts.debits)
        if verdicts.answers:
            await submissions.insert_answers(connection, verdicts.answers, now)
        return verdicts.results

    def _decide(
        self, item: _Item, wallet: Any, blocked: set[tuple[int, int, int]], verdicts: _Verdicts, now: datetime
    ) -> Result | None:
        """One item under the lock of its wallet; None: the account has changed, judge again."""
        if wallet is None or wallet["version"] != item.account.version:
            return None
        kept, dropped = _without_blocked(item, blocked)
        kept, carriers, dropped = self._routed(item, kept, dropped)
        if not kept:
            return Refused([], dropped)
        cost = 0 if item.submission.sandbox else sum(to.price for to in kept)
        if cost > verdicts.balances[item.account.id]:
            return Refused([Finding(Reason.CREDIT)], dropped)
        item.submission.recipients = kept
        verdicts.spend(item.account.id, cost)
        verdicts.stored.append(_numbered(item, carriers, cost))
        accepted = Accepted(item.submission, item.number, kept, dropped, sum(to.price for to in kept))
        if item.idempotency is not None and item.answer_key is not None:
            status, body = item.idempotency.render(accepted)
            verdicts.answers.append(Answer(*item.answer_key, item.idempotency.body_hash, status, body, item.id, now))
        return accepted

    def _routed(
        self, item: _Item, kept: list[Recipient], dropped: list[Finding]
    ) -> tuple[list[Recipient], list[int], list[Finding]]:
        """The preferred carrier of each; a number that no carrier takes has no price either."""
        if item.submission.sandbox:
            return kept, [0] * len(kept), dropped
        routes = {to.country: rank(item.submission.service, to.country, self._routes) for to in kept}
        lost = [Finding(Reason.NO_PRICE, f"+{to.phone}", to.position) for to in kept if not routes[to.country]]
        kept = [to for to in kept if routes[to.country]] if lost else kept
        return kept, [routes[to.country][0] for to in kept], dropped + lost

    # --- after the commit ------------------------------------------------------------------------------------------

    async def _answer(self, item: _Item, result: Result | None) -> None:
        if result is None:
            await self._judge_again(item)
        elif not item.future.done():
            item.future.set_result(result)

    async def _judge_again(self, item: _Item) -> None:
        """The account has changed since it was read: with a fresh copy, from the start."""
        account = await self._accounts.again(item.account)
        if account is None or account.state is not AccountState.ACTIVE:
            item.future.set_result(Denied(None if account is None else account.state))
            return
        judged = judge(item.wanted, account, item.profile, self._clock.now())
        if judged.submission is None:
            item.future.set_result(Refused(judged.findings, judged.dropped))
            return
        item.account, item.submission, item.dropped = account, judged.submission, judged.dropped
        item.id, item.snapshots = 0, []
        self._waiting.append(item)
        self._arrived.set()


def _numbered(item: _Item, carriers: list[int], cost: int) -> Numbered:
    submission = item.submission
    return Numbered(
        submission=submission,
        id=item.id,
        number=0 if item.snapshots else item.number,
        snapshots=item.snapshots[: len(submission.recipients)],
        carrier_ids=carriers,
        lane=lane_of(submission),
        cost=cost,
    )


def _replay(
    known: Mapping[tuple[int, str, str], Any], key: tuple[int, str, str] | None, idempotency: Idempotency | None
) -> Result | None:
    row = known.get(key) if key is not None else None
    if row is None or idempotency is None:
        return None
    return (
        Replayed(row["status"], bytes(row["answer"]))
        if bytes(row["body_hash"]) == idempotency.body_hash
        else KeyReused()
    )


def _pairs(batch: Iterable[_Item]) -> tuple[list[int], list[int]]:
    """Account and phone of every recipient to whom a list may apply."""
    accounts: list[int] = []
    phones: list[int] = []
    for item in batch:
        submission = item.submission
        if submission.stop_applies or submission.bounce_applies:
            accounts += [submission.account_id] * len(submission.recipients)
            phones += [to.phone for to in submission.recipients]
    return accounts, phones


def _without_blocked(item: _Item, blocked: set[tuple[int, int, int]]) -> tuple[list[Recipient], list[Finding]]:
    submission = item.submission
    if not blocked:
        return submission.recipients, list(item.dropped)
    kept, dropped = [], list(item.dropped)
    for to in submission.recipients:
        reason = _blocked_by(submission, to.phone, blocked)
        if reason is None:
            kept.append(to)
        else:
            dropped.append(Finding(reason, f"+{to.phone}", to.position))
    return kept, dropped


def _blocked_by(submission: Submission, phone: int, blocked: set[tuple[int, int, int]]) -> Reason | None:
    account = submission.account_id
    if submission.stop_applies and (account, List.STOP, phone) in blocked:
        return Reason.OPTED_OUT
    if submission.bounce_applies and (account, List.BOUNCE, phone) in blocked:
        return Reason.BOUNCED
    if submission.bounce_applies and (0, List.BOUNCE, phone) in blocked:
        return Reason.BOUNCED_PLATFORM
    return None


def _deltas(stored: Iterable[Numbered]) -> list[Delta]:
    """Counted at once; parts and cost at the sending time, which may be to come."""
    sums: dict[tuple[int, int, str, datetime], list[int]] = {}
    for one in stored:
        s = one.submission
        if s.sandbox:
            continue
        parts = sum(to.parts for to in s.recipients)
        hour = s.accepted_at.replace(minute=0, second=0, microsecond=0)
        counted = sums.setdefault((s.account_id, s.dialect, s.tag_key, hour), [0, 0, 0, 0])
        counted[0] += len(s.recipients)
        counted[1] += parts
        spent = (
            sums.setdefault((s.account_id, s.dialect, s.tag_key, s.due_at), [0, 0, 0, 0]) if s.scheduled else counted
        )
        spent[2] += parts
        spent[3] += one.cost
    return [
        Delta(account_id=a, dialect=d, tag_key=tag, at=at, messages=c[0], waiting=c[1], parts=c[2], cost=c[3])
        for (a, d, tag, at), c in sums.items()
    ]
