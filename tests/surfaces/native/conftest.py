"""The native API with a real database behind it, and clients with keys in this process."""

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
from passerelle.domain.routing import Route
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.api_keys import ApiKeys
from passerelle.pipeline.campaigns import Campaigns
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.links import Links
from passerelle.pipeline.submit import Submitter
from passerelle.pipeline.webhooks import Webhooks
from passerelle.settings import Settings
from passerelle.store.database import Database
from passerelle.surfaces.door import Door
from passerelle.surfaces.native.application import application
from passerelle.surfaces.native.calls import Services

TUESDAY = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)  # 11:00 in Paris
PHONE = "+33639980001"
SITE = "https://sms.example"


@dataclass
class Desk:
    """An account, a key of it, and how it calls."""

    app: Any
    services: Services
    clock: ManualClock
    account: Account
    key: str

    @property
    def db(self) -> Database:
        return self.services.db

    async def open(self, email: str, scopes: tuple[str, ...] = ("*",), euros: float = 10.0, **rules: Any) -> Desk:
        """Another account of the same installation."""
        account, _ = await self.services.accounts.create(email, now=self.clock.now(), rules=rules)
        if euros:
            await self.services.accounts.credit(account.id, round(euros * 1_000_000), self.clock.now())
        return Desk(self.app, self.services, self.clock, account, await self.new_key(*scopes, account=account))

    async def new_key(self, *scopes: str, account: Account | None = None, **more: Any) -> str:
        account = account or self.account
        return (await self.services.keys.create(account.id, "test", scopes, self.clock.now(), **more))[1]

    async def with_key(self, *scopes: str, **more: Any) -> Desk:
        """The same account with another key."""
        return Desk(self.app, self.services, self.clock, self.account, await self.new_key(*scopes, **more))

    async def __call__(self, method: str, target: str, body: Any = None, **headers: str) -> Response:
        named = {"authorization": f"Bearer {self.key}"} if self.key else {}
        named |= {"content-type": "application/json"} if body is not None else {}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await Client(self.app)(method, "/api/v1" + target, body, named)

    async def get(self, target: str, **headers: str) -> Any:
        answer = await self("GET", target, **headers)
        assert answer.status == 200, answer.text
        return answer.json()

    async def post(self, target: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        answer = await self("POST", target, body, **headers)
        assert answer.status == status, answer.text
        return answer.json()

    async def balance(self) -> int:
        fresh = await self.services.accounts.by_id(self.account.id)
        assert fresh is not None
        return fresh.balance


def problem(answer: Response) -> tuple[int, str]:
    """Status and slug of an answer that is a problem, whose form is looked at."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert told["status"] == answer.status and told["title"] and told["detail"].endswith((".", "?"))
    assert set(told) <= {"type", "title", "status", "detail", "errors"}
    assert "Traceback" not in answer.text and "Exception" not in answer.text
    return answer.status, told["type"].removeprefix("urn:passerelle:problem:")


@pytest.fixture
async def desk(db: Database) -> AsyncIterator[Desk]:
    async with desk_on(db) as made:
        yield made


@contextlib.asynccontextmanager
async def desk_on(db: Database) -> AsyncIterator[Desk]:
    """A bakery with ten euros, a key that may do everything, and the API."""
    clock = ManualClock(TUESDAY)
    keyring, settings = Keyring("test"), Settings(secret="test")
    accounts = Accounts(db, keyring, settings)
    routes = [Route(1, frozenset({1, 2}))]
    submitter = Submitter(db, accounts, routes, clock)
    services = Services(
        db=db,
        door=Door(db, accounts, clock),
        accounts=accounts,
        keys=ApiKeys(db, keyring),
        webhooks=Webhooks(db, keyring),
        submitter=submitter,
        campaigns=Campaigns(db, submitter, Links(db, clock, site=SITE).address, clock),
        clock=clock,
        settings=settings,
        routes=routes,
        carriers={1: "operator"},
    )
    account, _ = await accounts.create("bakery@example.org", now=clock.now(), firstname="Alix", lastname="Martin")
    await accounts.credit(account.id, 10_000_000, clock.now())
    running = asyncio.create_task(submitter.run())
    made = Desk(application(services), services, clock, account, "")
    made.key = await made.new_key("*")
    yield made
    running.cancel()
