"""A part whose answer was lost is known by its number, whenever its receipt comes; but never instead of another part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import pytest

from passerelle.clock import ManualClock
from passerelle.domain.account import Account
from passerelle.domain.admission import Wanted
from passerelle.domain.message import DuePart, Outcome, OutcomeKind, Receipt, State, TrafficClass
from passerelle.domain.profile import SMSPARTNER
from passerelle.domain.routing import Route
from passerelle.outbound.carrier import Arrived
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.dispatch import Dispatcher
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.receipts import ANSWERED, Receipts
from passerelle.pipeline.submit import Accepted, Submitter
from passerelle.pipeline.teller import Teller
from passerelle.settings import Settings
from passerelle.store.database import Database

TUESDAY = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
PHONE = 33612345678


@dataclass
class Silent:
    """A carrier that takes parts and says nothing."""

    id: int = 1
    name: str = "silent"
    given: list[DuePart] = field(default_factory=list)

    def free_slots(self) -> int:
        return 100

    def submit(self, parts) -> None:
        self.given += parts

    def take_outcomes(self) -> list[Outcome]:
        return []

    def take_arrived(self) -> list[Arrived]:
        return []


@dataclass
class House:
    db: Database
    account: Account
    submitter: Submitter
    dispatcher: Dispatcher
    receipts: Receipts
    clock: ManualClock
    carrier: Silent = field(default_factory=Silent)

    async def submitted(self, **more) -> DuePart:
        """A part on its way; nothing is known of it yet."""
        wanted = Wanted(items=[(f"+{PHONE}", None)], text="Bonjour", **more)
        assert isinstance(await self.submitter.accept(self.account, wanted, SMSPARTNER), Accepted)
        await self.dispatcher.pump(self.carrier)
        part = self.carrier.given[-1]
        part.begun_at = self.clock.now()
        return part

    async def outcome(self, part, kind, operator_id="") -> None:
        await self.dispatcher.record(1, [Outcome(part, kind, operator_id, at=self.clock.now())])

    async def receipt(self, operator_id) -> None:
        await self.receipts.settle(1, [Receipt((operator_id,), PHONE, State.DELIVERED, "", self.clock.now())])

    async def sweep(self) -> None:
        self.clock.move(ANSWERED.total_seconds())
        await self.receipts.sweep()

    async def states(self) -> list[State]:
        return [State(row["state"]) for row in await self.db.fetch("select state from message order by id")]


@pytest.fixture
async def house(db: Database) -> AsyncIterator[House]:
    clock = ManualClock(TUESDAY)
    accounts = Accounts(db, Keyring("test"), Settings())
    account, _ = await accounts.create("bakery@example.org", now=clock.now())
    await accounts.credit(account.id, 10_000_000, clock.now())
    fresh = await accounts.by_id(account.id)
    assert fresh is not None
    submitter = Submitter(db, accounts, [Route(1, frozenset({1, 2}))], clock)
    teller = Teller(accounts, {}, lambda leased: None)
    running = asyncio.create_task(submitter.run())
    dispatcher = Dispatcher(db, clock, teller, UUID(int=1))
    yield House(db, fresh, submitter, dispatcher, Receipts(db, clock, teller), clock)
    running.cancel()


@pytest.mark.parametrize("receipt_first", [True, False])
async def test_a_receipt_ends_the_part_whose_answer_was_lost(house, receipt_first):
    part = await house.submitted()
    steps = [lambda: house.receipt("a1"), lambda: house.outcome(part, OutcomeKind.UNKNOWN)]
    for step in steps if receipt_first else reversed(steps):
        await step()
    assert await house.states() == [State.UNCERTAIN]
    await house.sweep()
    assert await house.states() == [State.DELIVERED]
    assert not await house.db.fetch("select from queue"), "it would be submitted again"
    assert not await house.db.fetch("select from awaiting")


async def test_a_receipt_before_its_answer_is_not_taken_for_that_of_a_lost_one(house):
    lost = await house.submitted(traffic=TrafficClass.MARKETING)
    await house.outcome(lost, OutcomeKind.UNKNOWN)
    other = await house.submitted()
    await house.receipt("b2")
    await house.receipts.sweep()
    await house.outcome(other, OutcomeKind.SENT, "b2")
    await house.sweep()
    assert await house.states() == [State.UNCERTAIN, State.DELIVERED]


async def test_a_receipt_that_is_sent_again_does_not_end_another_part(house):
    first, second = await house.submitted(), await house.submitted()
    await house.outcome(first, OutcomeKind.SENT, "a1")
    await house.receipt("a1")
    await house.receipt("a1")  # the operator did not hear us
    await house.outcome(second, OutcomeKind.UNKNOWN)
    await house.sweep()
    assert await house.states() == [State.DELIVERED, State.UNCERTAIN]
    assert len(await house.db.fetch("select from queue")) == 1, "it must be submitted again"


async def test_a_receipt_that_came_while_a_dead_process_still_held_the_lease_counts(house):
    await house.submitted()
    house.clock.move(12)
    await house.receipt("a1")  # to the process that came after it
    await house.db.execute("update queue set lease_until = clock_timestamp() - interval '1.5 seconds'")
    house.clock.move(4.5)  # a lease is 15 seconds
    assert await house.dispatcher.rescue([1]) == 1
    await house.sweep()
    assert await house.states() == [State.DELIVERED]
    assert not await house.db.fetch("select from queue")
