"""Renting contacts: count, price, rent, make the file, hand it over.

The one rule: a rental is paid for when it is stored, and either its file is made or the money goes back, each once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .. import telemetry
from ..clock import Clock
from ..domain.account import Account, Rules
from ..domain.calendar import PARIS
from ..domain.message import EventKind
from ..domain.pricing import Service
from ..domain.rental import AGAIN, Cost, Criteria, Fault, Share, State, Volume, shares
from ..domain.tokens import text20
from ..store import contacts, events, ledger
from ..store import rental as store
from ..store.database import Database
from ..store.events import NewEvent
from ..store.ledger import Kind
from ..store.rental import Rental
from ..store.tokens import new_token
from .accounts import Accounts
from .once import Repeatable, keep, look
from .webhooks import announce
from .wording import Worded

LEASE = 120.0  # seconds; a draw of a million takes some
BATCH = 5_000  # contacts written at once
TRIES = 5  # of making a file, before it failed

Telling = Callable[[str, State, Rules], Worded]
"""Token and state of a rental as the customer is told of it."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What could be rented, and for how much."""

    shares: list[Share]
    cost: Cost


@dataclass(frozen=True, slots=True)
class Rented:
    """What was rented; `token` names it."""

    offer: Offer
    token: bytes


def price_of(account: Account) -> int | None:
    """Micro-euros a person; None where none are rented to it."""
    return account.price(Service.RENTAL, "FR")


async def offer(
    db: Database, account: Account, criteria: Criteria, volumes: Sequence[Volume] | Fault | None, now: datetime
) -> Offer | Fault:
    """What there is for these criteria; with `volumes` those, if they are there."""
    async with db.connection() as connection:
        available = await _available(connection, account.id, criteria, now)
    return _offer(account, criteria, available, volumes)


async def rent(
    db: Database,
    account: Account,
    criteria: Criteria,
    volumes: Sequence[Volume] | Fault,
    now: datetime,
    url: str = "",
    once: Repeatable | None = None,
) -> Rented | Fault:
    """Count again, debit, store; the file is made by `Builder`. `url` is told of it. Raises Repeated."""
    async with db.transaction() as connection:
        await store.lock_account(connection, account.id)
        await look(connection, once, now)
        available = await _available(connection, account.id, criteria, now)
        found = _offer(account, criteria, available, volumes)
        if isinstance(found, Fault):
            return found
        if not await _are_left(connection, account.id, criteria, found.shares, now):
            return Fault.MORE_THAN_THERE
        token = new_token(now)
        if not await _debit(connection, account.id, found.cost.total, now, text20(token)):
            return Fault.CREDIT
        await store.insert(
            connection,
            account_id=account.id,
            token=token,
            now=now,
            criteria=criteria,
            shares=found.shares,
            unit_price=found.cost.unit,
            total=found.cost.total,
            url=url,
        )
        rented = Rented(found, token)
        await keep(connection, once, rented, now)
    return rented


async def _available(
    connection: Any, account_id: int, criteria: Criteria, now: datetime, since: datetime | None = None
) -> list[int]:
    """How many of each place; nobody where the criteria contradict themselves."""
    if not criteria.is_possible:
        return [0 for _ in criteria.places]
    who = await _target(connection, criteria, now, now)
    return await store.count(connection, account_id, criteria.places, who, since)


async def _target(connection: Any, criteria: Criteria, asked: datetime, now: datetime) -> store.Target:
    """Ages are those of the year in which they were asked for."""
    return await store.target(connection, criteria, asked.astimezone(PARIS).year, now.astimezone(PARIS).date())


def _offer(
    account: Account, criteria: Criteria, available: Sequence[int], volumes: Sequence[Volume] | Fault | None
) -> Offer | Fault:
    unit = price_of(account)
    if unit is None or not sum(available):
        return Fault.NOBODY
    if isinstance(volumes, Fault):
        return volumes
    found = shares(criteria.places, available, volumes)
    if isinstance(found, Fault):
        return found
    return Offer(found, Cost(sum(share.wanted for share in found), unit))


async def _are_left(
    connection: Any, account_id: int, criteria: Criteria, wanted: Sequence[Share], now: datetime
) -> bool:
    """Whether there are as many whom the account did not rent lately, nor is about to."""
    left = await _available(connection, account_id, criteria, now, now - AGAIN)
    taken = await store.pending(connection, account_id, criteria)
    there = {place.name: count for place, count in zip(criteria.places, left, strict=True)}
    return all(share.wanted <= there[share.place.name] - taken.get(share.place.name, 0) for share in wanted)


async def _debit(connection: Any, account_id: int, total: int, now: datetime, note: str) -> bool:
    if not total:
        return True
    moved = await ledger.move(connection, account_id, ledger.SALES, total, Kind.RENTAL, now, note)
    return moved is not None


# --- the file ------------------------------------------------------------------------------------------------------


class _TooFew(Exception):
    """Others were rented meanwhile, or left the base."""


class Builder:
    """Makes the files of rentals, in the background."""

    def __init__(self, db: Database, accounts: Accounts, clock: Clock, telling: Telling) -> None:
        self._db = db
        self._accounts = accounts
        self._clock = clock
        self._telling = telling

    async def run(self) -> int:
        """Make every file that is waiting; how many ended."""
        ended = 0
        while (leased := await store.lease(self._db, LEASE)) is not None:
            ended += await self.build(*leased)
        return ended

    async def build(self, rental: Rental, lease_until: datetime) -> bool:
        """Draw, and tell; whether it was still ours. One transaction: a worker that dies has drawn nobody."""
        if rental.attempts > TRIES:
            return await self._end(rental, lease_until, self._no_file)
        try:
            return await self._end(rental, lease_until, self._draw)
        except _TooFew:
            return await self._end(rental, lease_until, self._no_file)

    async def _end(
        self, rental: Rental, lease_until: datetime, step: Callable[[Any, Rental, datetime], Awaitable[State]]
    ) -> bool:
        now = self._clock.now()
        account = await self._accounts.by_id(rental.account_id)
        async with self._db.transaction() as connection:
            held = await store.lock(connection, rental)
            if held is None or held["state"] != State.GENERATING or held["lease_until"] != lease_until:
                return False
            state = await step(connection, rental, now)
            await store.ended(connection, rental, state, now)
            if rental.url and account is not None:
                worded = self._telling(text20(rental.token), state, account.rules)
                told = NewEvent(account.id, 0, EventKind.RENTAL, now, rental.url, *worded)
                await events.insert(connection, [told], now, lease_seconds=0.0)
            facts = {"id": text20(rental.token), "state": state.name.lower(), "quantity": rental.quantity}
            await announce(connection, EventKind.RENTAL, [(rental.account_id, now, facts)], now)
        telemetry.log(telemetry.Event.RENTAL_ENDED, account=rental.account_id, state=state.name.lower())
        return True

    async def _draw(self, connection: Any, rental: Rental, now: datetime) -> State:
        """Raises _TooFew."""
        await store.lock_account(connection, rental.account_id)
        who = await _target(connection, rental.criteria, rental.requested_at, now)
        places = {place.name: place for place in rental.criteria.places}
        for _, name, wanted, _ in rental.places:
            drawn = await store.draw(connection, rental, places[name], wanted, who, now - AGAIN, now)
            if drawn < wanted:
                raise _TooFew
        return State.READY

    async def _no_file(self, connection: Any, rental: Rental, now: datetime) -> State:
        """The money goes back: the state, locked, is changed in the same transaction, so once."""
        if rental.total:
            note = text20(rental.token)
            await ledger.move(connection, ledger.SALES, rental.account_id, rental.total, Kind.REFUND, now, note)
        return State.FAILED


# --- handing over --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Busy:
    """Another download is under way."""


async def download(db: Database, rental: Rental, now: datetime) -> list[int] | State | Busy:
    """The numbers, once, which also become a group of contacts; else the state that forbids it."""
    async with db.transaction() as connection:
        held = await store.lock(connection, rental)
        if held is None:
            return Busy()
        state = State(held["state"])
        if state is not State.READY:
            return state
        phones = await store.numbers(connection, rental)
        await _make_group(connection, rental, phones, now)
        await store.downloaded(connection, rental, now)
    return phones


async def _make_group(connection: Any, rental: Rental, phones: Sequence[int], now: datetime) -> None:
    name = f"Location {text20(rental.token)}"
    group = await contacts.add_group(connection, rental.account_id, name, now, rented=True)
    for at in range(0, len(phones), BATCH):
        batch = [{"phone": phone} for phone in phones[at : at + BATCH]]
        await contacts.add(connection, rental.account_id, group.id, batch, now)
