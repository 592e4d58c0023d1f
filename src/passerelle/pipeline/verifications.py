"""Number checks: accepted and charged in one transaction, asked about in the background, told as they are answered.

The one rule: a number is charged when its request is accepted and never again, however often it is asked about; it is
refunded once, with the row that says that nobody could be asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .. import telemetry
from ..clock import Clock
from ..domain import pricing
from ..domain.account import Account, Rules
from ..domain.hlr import FINE, PROVIDER_ERROR, UNKNOWN_SUBSCRIBER, Found, error_of
from ..domain.message import EventKind
from ..domain.numbers import Number
from ..domain.pricing import Service
from ..store import events, ledger, submissions
from ..store import verifications as store
from ..store.database import Database
from ..store.events import Leased, NewEvent
from ..store.ledger import Kind
from ..store.submissions import Answer, AnswerTaken
from ..store.verifications import Question, Recorded, Verification, Wanted
from .batch import KeyReused, Replayed
from .teller import Teller
from .wording import Worded

if TYPE_CHECKING:
    from ..outbound.lookup import Provider  # its HTTP client is not for who only accepts

LIMIT = 100  # numbers asked about together
LEASE = timedelta(seconds=130)
"""More than a provider may take for its worst answer."""
UNREACHABLE = Found("", False, PROVIDER_ERROR)


@dataclass(frozen=True, slots=True)
class Check:
    """A request: valid numbers, each once; where the results go, '' for nowhere."""

    numbers: Sequence[Number]
    tag: str = ""
    notify_url: str = ""


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Nothing is offered for this number, so nothing was accepted."""

    e164: str


@dataclass(frozen=True, slots=True)
class Short:
    """The balance does not pay for it."""


@dataclass(frozen=True, slots=True)
class Once:
    """An Idempotency-Key with what it stands for; `render` words the answer to be kept: (status, body)."""

    path: str
    key: str
    body_hash: bytes
    render: Callable[[Verification], tuple[int, bytes]]


Outcome = Verification | Unpriced | Short | Replayed | KeyReused


def campaign_id(number: int) -> str:
    """`HLR000271`: what customers call a request."""
    return f"HLR{number:06}"


async def accept(db: Database, account: Account, check: Check, now: datetime, once: Once | None = None) -> Outcome:
    """Charge and store a request; only a `Verification` has changed anything."""
    while True:
        try:
            async with db.transaction() as connection:
                return await _accept(connection, account, check, now, once)
        except AnswerTaken:
            continue


async def _accept(connection: Any, account: Account, check: Check, now: datetime, once: Once | None) -> Outcome:
    if once is not None:
        await ledger.lock_wallets(connection, [account.id])  # a twin waits here until the first has its answer
        if (known := await _answered(connection, account, once, now)) is not None:
            return known
    wanted: list[Wanted] = []
    for number in check.numbers:
        price = account.price(Service.HLR, number.country)
        if price is None:
            return Unpriced(number.e164)
        wanted.append(Wanted(int(number.e164[1:]), number.country, pricing.rounded(price)))
    cost = sum(one.price for one in wanted)
    request = Verification(await store.next_number(connection), now, check.tag, check.notify_url, len(wanted), cost)
    if cost and not await _charge(connection, account, request, now):
        return Short()
    await store.insert(connection, account.id, request, wanted)
    if once is not None:
        status, body = once.render(request)
        answer = Answer(account.id, once.path, once.key, once.body_hash, status, body, 0, now)
        await submissions.insert_answers(connection, [answer], now)
    return request


async def _charge(connection: Any, account: Account, request: Verification, now: datetime) -> bool:
    note = campaign_id(request.number)
    moved = await ledger.move(connection, account.id, ledger.SALES, request.cost, Kind.CHECK, now, note)
    return moved is not None


async def _answered(connection: Any, account: Account, once: Once, now: datetime) -> Outcome | None:
    key = (account.id, once.path, once.key)
    row = (await submissions.known_answers(connection, [key], now)).get(key)
    if row is None:
        return None
    same = bytes(row["body_hash"]) == once.body_hash
    return Replayed(row["status"], bytes(row["answer"])) if same else KeyReused()


@dataclass(frozen=True, slots=True)
class Checked:
    """The facts of one result, for whoever words it. `reference`: a UUID; `phone`: E.164 without +."""

    phone: int
    reference: str
    found: Found
    at: datetime


class Verifications:
    """Asks about numbers and tells what was found. `word`: the notification of a result, as the account wants it."""

    def __init__(
        self, db: Database, provider: Provider, teller: Teller, word: Callable[[Checked, Rules], Worded], clock: Clock
    ) -> None:
        self._db = db
        self._provider = provider
        self._teller = teller
        self._word = word
        self._clock = clock

    async def run(self) -> None:
        """Ask about all that is due now."""
        while await self.tick() == LIMIT:
            pass

    async def tick(self) -> int:
        """Ask about some numbers, all at once; how many."""
        questions = await store.lease(self._db, self._clock.now() - self._provider.delay, LIMIT, LEASE)
        if questions:
            await self._record(await asyncio.gather(*map(self._ask, questions)))
        return len(questions)

    async def _ask(self, question: Question) -> Recorded:
        found = await self._provider.ask(question.phone, question.country, question.reference)
        telemetry.CHECKS.labels("unreachable" if found is None else "answered").inc()
        return Recorded(question, found or UNREACHABLE, found is None)

    async def _record(self, answers: Sequence[Recorded]) -> None:
        now = self._clock.now()
        async with self._db.transaction() as connection:
            fresh = await store.record(connection, answers, now)
            await _refund(connection, fresh, now)
            await _mark(connection, fresh)
            leased = await self._tell(connection, fresh, now)
        self._teller.post(leased)

    async def _tell(self, connection: Any, fresh: Sequence[Recorded], now: datetime) -> list[Leased]:
        """To the URL of the request, and to the endpoints of the account."""
        rules = await self._teller.rules({one.question.account_id for one in fresh})
        told = []
        for one in fresh:
            question, account_id = one.question, one.question.account_id
            if question.notify_url:
                words = self._word(Checked(question.phone, question.reference, one.found, now), rules[account_id])
                told.append(NewEvent(account_id, 0, EventKind.HLR, now, question.notify_url, *words))
            told += self._teller.announce(account_id, EventKind.HLR, now, _facts(one))
        return await events.insert(connection, told, now)


def _facts(one: Recorded) -> dict[str, Any]:
    """A result in the words of the native API."""
    error = error_of(one.found.error)
    return {
        "check": str(one.question.number),
        "reference": one.question.reference,
        "phone": f"+{one.question.phone}",
        "network": one.found.mcc_mnc,
        "ported": one.found.ported,
        "error": one.found.error,
        "error_name": error.name,
        "permanent": error.permanent,
        "refunded": one.refunded,
    }


async def _refund(connection: Any, fresh: Sequence[Recorded], now: datetime) -> None:
    """What nobody could be asked about, a posting for each request, wallets in the order of their ids."""
    back: dict[tuple[int, int], int] = {}
    for question, _, refunded in fresh:
        if refunded and question.price:
            key = (question.account_id, question.number)
            back[key] = back.get(key, 0) + question.price
    for (account_id, number), amount in sorted(back.items()):
        note = campaign_id(number)
        await ledger.move(connection, ledger.SALES, account_id, amount, Kind.REFUND, now, note)


async def _mark(connection: Any, fresh: Sequence[Recorded]) -> None:
    """Numbers that nobody has are remembered until a later request finds somebody."""
    verdicts = {(one.question.account_id, one.question.phone): one.found.error for one in fresh}
    await store.add_dead(connection, sorted(pair for pair, error in verdicts.items() if error == UNKNOWN_SUBSCRIBER))
    await store.remove_dead(connection, sorted(pair for pair, error in verdicts.items() if error == FINE))
