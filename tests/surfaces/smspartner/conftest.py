"""SMS Partner with a real database behind it, and a client in this process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from surfaces.asgi import Client, Response

from passerelle.clock import ManualClock
from passerelle.domain.account import Account
from passerelle.domain.rcs_names import CARRIER
from passerelle.domain.routing import Route
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.submit import Submitter
from passerelle.settings import Settings
from passerelle.store.database import Database
from passerelle.surfaces.door import Door
from passerelle.surfaces.http import Dialects, Limits
from passerelle.surfaces.smspartner.calls import Services
from passerelle.surfaces.smspartner.routes import SmsPartner

TUESDAY = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)  # 11:00 in Paris


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"fallback"})


@dataclass
class Shop:
    """An account and how it calls."""

    db: Database
    accounts: Accounts
    clock: ManualClock
    app: Dialects
    account: Account
    key: str

    async def open(self, email: str, euros: float = 10.0, **rules: Any) -> Shop:
        """Another account in the same installation."""
        account, key = await self.accounts.create(email, now=self.clock.now(), rules=rules)
        if euros:
            await self.accounts.credit(account.id, round(euros * 1_000_000), self.clock.now())
        return Shop(self.db, self.accounts, self.clock, self.app, account, key)

    async def raw(self, method: str, target: str, body: Any = None, **headers: str) -> Response:
        return await Client(self.app)(method, target, body, {n.replace("_", "-"): v for n, v in headers.items()})

    async def get(self, call: str, query: str = "") -> Any:
        return (await self.raw("GET", f"/v1/{call}?apiKey={self.key}&{query}")).json()

    async def post(self, call: str, **members: Any) -> Any:
        return (await self.raw("POST", f"/v1/{call}", {"apiKey": self.key, **members})).json()

    async def send(self, phones: Any = "+33639980001", message: str = "Bonjour", **members: Any) -> Any:
        return await self.post("send", phoneNumbers=phones, message=message, **members)

    async def xml(self, call: str, query: str = "") -> str:
        return (await self.raw("GET", f"/v1/{call}?apiKey={self.key}&_format=xml&{query}")).text

    async def balance(self) -> int:
        fresh = await self.accounts.by_id(self.account.id)
        assert fresh is not None
        return fresh.balance

    async def rows(self, table: str) -> Any:
        return await self.db.fetch(f"select * from {table} where account_id = $1 order by 2", self.account.id)

    async def mark(self, message_id: int, **columns: Any) -> None:
        """Change message rows of a request, as the pipeline would."""
        named = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, 2))
        await self.db.execute(
            f"update message m set {named} from submission s where s.number = $1 and m.submission_id = s.id",
            message_id,
            *columns.values(),
        )


@pytest.fixture
async def shop(db: Database) -> AsyncIterator[Shop]:
    async with on(db) as shop:
        yield shop


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Shop]:
    """A shop of its own, for tests that have a loop of their own."""
    db = await Database.open(url, size=8)
    async with on(db) as shop:
        yield shop
    await db.close()


@contextlib.asynccontextmanager
async def on(db: Database) -> AsyncIterator[Shop]:
    clock = ManualClock(TUESDAY)
    accounts = Accounts(db, Keyring("test"), Settings())
    submitter = Submitter(db, accounts, [Route(1, frozenset({1, 2})), Route(CARRIER, frozenset({4}))], clock)
    services = Services(db, Door(db, accounts, clock), accounts, submitter, clock, rcs=True)
    app = Dialects([SmsPartner(services)], nothing, Limits())
    account, key = await accounts.create("bakery@example.org", now=clock.now(), firstname="Alix", lastname="Martin")
    await accounts.credit(account.id, 10_000_000, clock.now())
    running = asyncio.create_task(submitter.run())
    yield Shop(db, accounts, clock, app, account, key)
    running.cancel()
