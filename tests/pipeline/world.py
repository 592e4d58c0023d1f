"""A whole pipeline on a real database: an operator that does what a test says, and a clock that is moved by hand.

The one rule: whatever a test did, at its end the figures equal a recount, and every wallet equals its ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from passerelle.app import WORDINGS
from passerelle.clock import ManualClock
from passerelle.domain.account import Account
from passerelle.domain.admission import Wanted
from passerelle.domain.message import Dialect, DuePart, Outcome, OutcomeKind, Receipt, State
from passerelle.domain.profile import PRIMOTEXTO, SMSPARTNER, Profile
from passerelle.domain.rcs_names import CARRIER
from passerelle.domain.routing import Route
from passerelle.outbound.carrier import Arrived
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.dispatch import Dispatcher
from passerelle.pipeline.failover import Failover
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.receipts import Receipts
from passerelle.pipeline.submit import Accepted, Submitter
from passerelle.pipeline.teller import Teller
from passerelle.settings import Settings
from passerelle.store import ledger, statistics, tracking
from passerelle.store.database import Database
from passerelle.store.events import Leased

TUESDAY = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)  # 11:00 in Paris, the eve of a holiday
PRICE = 38_000
CREDIT = 100_000_000
PHONE = 33639980001
LEASE = timedelta(seconds=15)
MINE, THEIRS = UUID(int=1), UUID(int=2)


@dataclass
class Operator:
    """A carrier that keeps what it is given until the test says what became of it."""

    id: int = 1
    name: str = "operator"
    slots: int = 1000
    given: list[DuePart] = field(default_factory=list)

    def free_slots(self) -> int:
        return self.slots

    def submit(self, parts: Sequence[DuePart]) -> None:
        self.given += parts

    def take(self) -> list[DuePart]:
        taken, self.given = self.given, []
        return taken

    def take_outcomes(self) -> list[Outcome]:
        return []

    def take_arrived(self) -> list[Arrived]:
        return []


@dataclass
class World:
    db: Database
    clock: ManualClock
    accounts: Accounts
    submitter: Submitter
    teller: Teller
    dispatcher: Dispatcher
    receipts: Receipts
    operator: Operator = field(default_factory=Operator)
    offered: list[Leased] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)

    # --- accounts --------------------------------------------------------------------------------------------------

    async def account(self, email: str = "bakery@example.org", **rules: Any) -> Account:
        urls = {"dlr_url": "http://a.example/dlr", "webhook_url": "http://a.example/hook"}
        account, _ = await self.accounts.create(email, now=self.clock.now(), rules=urls | rules)
        await self.accounts.credit(account.id, CREDIT, self.clock.now())
        self.opened.append(account.id)
        fresh = await self.accounts.by_id(account.id)
        assert fresh is not None
        return fresh

    async def spent(self, account: Account) -> int:
        return CREDIT - await ledger.balance(self.db, account.id)

    # --- out -------------------------------------------------------------------------------------------------------

    async def send(
        self, account: Account, *phones: int, profile: Profile = SMSPARTNER, beside: Any = None, **more: Any
    ) -> Accepted:
        items = [(f"+{phone}", None) for phone in phones or [PHONE]]
        wanted = Wanted(items=items, **{"text": "Bonjour"} | more)
        fresh = await self.accounts.by_id(account.id)
        assert fresh is not None
        accepted = await self.submitter.accept(fresh, wanted, profile, beside=beside)
        assert isinstance(accepted, Accepted), accepted
        return accepted

    async def pump(self, dispatcher: Dispatcher | None = None) -> list[DuePart]:
        """What is handed over now; the bytes leave at once."""
        await (dispatcher or self.dispatcher).pump(self.operator)
        given = self.operator.take()
        for part in given:
            part.begun_at = self.clock.now()
        return given

    async def submitted(self, account: Account, *phones: int, **more: Any) -> list[DuePart]:
        await self.send(account, *phones, **more)
        return await self.pump()

    def outcome(self, part: DuePart, kind: OutcomeKind, operator_id: str = "", **more: Any) -> Outcome:
        return Outcome(part, kind, operator_id, at=self.clock.now(), **more)

    async def record(self, part: DuePart, kind: OutcomeKind, operator_id: str = "", **more: Any) -> None:
        await self.dispatcher.record(1, [self.outcome(part, kind, operator_id, **more)])

    async def dispatcher_dies(self) -> None:
        """What it had leased is nobody's: its lease is over, by the clock of the database too."""
        await self.db.execute(
            "update queue set lease_until = clock_timestamp() - interval '2 seconds' where lease_until is not null"
        )
        self.clock.move(LEASE.total_seconds() + 2)

    async def link(self, targets: Sequence[int], codes: Sequence[Sequence[str]]) -> bool:
        """Give each message of a submission links to its targets."""
        async with self.db.connection() as connection:
            return await tracking.add_links(connection, targets, codes)

    # --- back ------------------------------------------------------------------------------------------------------

    async def receipt(
        self, *ids: str, state: State = State.DELIVERED, phone: int = PHONE, error: str = "", carrier: int = 1
    ) -> None:
        await self.receipts.settle(carrier, [Receipt(ids, phone, state, error, self.clock.now())])

    # --- what is there ---------------------------------------------------------------------------------------------

    async def rows(self, table: str, order: str = "1, 2") -> list[Any]:
        return await self.db.fetch(f"select * from {table} order by {order}")

    async def message(self, phone: int = PHONE) -> Any:
        return await self.db.fetchrow("select * from message where phone = $1 order by id desc limit 1", phone)

    async def states(self) -> list[State]:
        return [State(row["state"]) for row in await self.db.fetch("select state from message order by id")]

    async def queued(self) -> list[Any]:
        return await self.db.fetch("select * from queue order by message_id, part")

    async def queued_of(self, phone: int) -> list[Any]:
        return await self.db.fetch(
            "select q.* from queue q join message m on m.account_id = q.account_id and m.id = q.message_id where m.phone = $1",
            phone,
        )

    async def told(self) -> list[str]:
        """What the notifications say became of the messages, in the order in which they were made."""
        bodies = [json.loads(row["body"]) for row in await self.db.fetch("select body from event order by id")]
        return [body.get("status") or body["event"] for body in bodies]

    async def verify(self) -> None:
        """Figures equal a recount, wallets their ledger."""
        now = self.clock.now()
        span = [now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours) for hours in (-5000, 5000)]
        tags = [row[0] for row in await self.db.fetch("select distinct tag_key from submission union select ''")]
        for account_id in self.opened:
            for dialect in (Dialect.SMSPARTNER, Dialect.PRIMOTEXTO):
                for tag in tags:
                    counted = await statistics.recount(self.db, account_id, dialect, tag, now)
                    assert await statistics.counters(self.db, account_id, dialect, tag) == counted.counters
                    if not tag:
                        rows = await statistics.cost_rows(self.db, account_id, dialect, span, now)
                        assert rows == [(counted.parts, counted.cost)]
        assert not await ledger.wrong_wallets(self.db)


EMPTIED = (
    "queue", "awaiting", "parked_receipt", "part", "message", "submission", "sandbox", "posting", "event", "reply",
    "rcs_failover", "rcs_event", "blocked", "statistic_delta", "statistic_total", "statistic_hour", "statistic_distinct", "statistic_numbers",
    "bind", "idempotency",
    "virtual_number", "forwarding_change", "verification", "verified_number", "dead_subscriber",
    "survey", "link", "visit", "tracked_link", "link_target", "subaccount", "signup", "login", "mail", "native_key", "webhook_delivery", "webhook_endpoint",
    "campaign", "left_out", "halt", "contact_list", "list_column", "list_contact", "wallet", "account",
)  # fmt: skip


@contextlib.asynccontextmanager
async def opened(db: Database, start: datetime = TUESDAY) -> AsyncIterator[World]:
    """A pipeline over `db`, emptied first; what it did is verified at the end."""
    await db.execute(";".join(f"delete from {table}" for table in EMPTIED))
    clock, offered = ManualClock(start), list[Leased]()
    accounts = Accounts(db, Keyring("test"), Settings())
    routes = [Route(CARRIER, frozenset({4})), Route(1, frozenset({1, 2}))]
    submitter = Submitter(db, accounts, routes, clock)
    teller = Teller(accounts, WORDINGS, offered.extend)
    running = asyncio.create_task(submitter.run())
    dispatcher = Dispatcher(db, clock, teller, MINE, failover=Failover(accounts, routes))
    world = World(db, clock, accounts, submitter, teller, dispatcher, Receipts(db, clock, teller), offered=offered)
    try:
        yield world
        await world.verify()
    finally:
        running.cancel()


__all__ = [
    "CREDIT",
    "LEASE",
    "MINE",
    "PHONE",
    "PRICE",
    "PRIMOTEXTO",
    "SMSPARTNER",
    "THEIRS",
    "TUESDAY",
    "Operator",
    "World",
    "opened",
]
