"""A bakery with an account, and the dialect served to it in memory, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from surfaces import asgi

from passerelle.clock import ManualClock
from passerelle.domain.account import Account
from passerelle.domain.routing import Route
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.links import Links
from passerelle.pipeline.submit import Submitter
from passerelle.settings import Settings
from passerelle.store.database import Database
from passerelle.surfaces.door import Door
from passerelle.surfaces.http import Dialects
from passerelle.surfaces.primotexto.routes import Primotexto

TUESDAY = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
PHONE = "+33639980001"


@dataclass
class Answered:
    """An answer as a client sees it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return msgspec.json.decode(self.body)

    @property
    def code(self) -> int:
        """The code of a failure; the three members that every failure has are checked."""
        body = self.json
        assert isinstance(body["error"], str)
        assert isinstance(body["message"], str)
        assert self.status >= 400
        return int(body["code"])


@dataclass
class Client:
    """Calls the dialect with the key of the bakery."""

    app: Dialects
    db: Database
    accounts: Accounts
    clock: ManualClock
    account: Account
    key: str
    sent: dict[str, object] = field(default_factory=lambda: {"number": PHONE, "message": "Bonjour"})

    async def call(self, method: str, target: str, body: object = b"", **headers: str) -> Answered:
        """One request; a body that is no bytes is sent as JSON."""
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        given = {"x-primotexto-apikey": self.key} | {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await asgi.Client(self.app)(method, target, raw, given)
        return Answered(answer.status, answer.headers, answer.body)

    async def get(self, target: str, **headers: str) -> Answered:
        """A GET."""
        return await self.call("GET", target, **headers)

    async def send(self, kind: str = "notification", **members: object) -> Answered:
        """A send with `members` over a valid body."""
        return await self.call("POST", f"/v2/{kind}/messages/send", self.sent | members)

    async def snapshot(self, **members: object) -> int:
        """Send, and the id of what was stored."""
        answer = await self.send(**members)
        assert answer.status == 200, answer.body
        return int(answer.json["snapshotId"])

    async def happened(self, snapshot: int, **times: datetime) -> None:
        """Let a message reach the steps `times`, e.g. sent_at=..."""
        for column, at in times.items():
            await self.db.execute(f"UPDATE message SET {column} = $2 WHERE number = $1", snapshot, at)

    async def replied(
        self, text: str, category: str = "", stop: bool = False, dialect: int = 2, phone: str = PHONE
    ) -> str:
        """A reply; its id."""
        token = await self.db.fetchval(
            "INSERT INTO reply (account_id, token, phone, recipient, text, at, stop, dialect, tag_key)"
            " VALUES ($1, decode(lpad(to_hex(floor(random() * 1e9)::int), 24, '0'), 'hex'), $2, '36000', $3, $4, $5, $6, $7)"
            " RETURNING token", self.account.id, int(phone[1:]), text, TUESDAY, stop, dialect, category,
        )  # fmt: skip
        return token.hex()

    async def balance(self) -> int:
        """Micro-euros left."""
        found = await self.accounts.by_id(self.account.id)
        assert found is not None
        return found.balance

    async def rows(self) -> list[int]:
        """How many rows each table of a send has."""
        return [
            await self.db.fetchval(f"SELECT count(*) FROM {table}")
            for table in ("submission", "message", "queue", "blocked", "statistic_delta")
        ]

    async def rules(self, **changes: object) -> None:
        """Change settings of the account."""
        await self.accounts.update_rules(self.account.id, **changes)


@pytest.fixture
async def client(db: Database) -> AsyncIterator[Client]:
    clock = ManualClock(TUESDAY)
    accounts = Accounts(db, Keyring("test"), Settings())
    account, key = await accounts.create("bakery@example.org", now=TUESDAY)
    await accounts.credit(account.id, 10_000_000, TUESDAY)
    submitter = Submitter(db, accounts, [Route(1, frozenset({1, 2}))], clock)
    running = asyncio.create_task(submitter.run())
    surface = Primotexto(db, Door(db, accounts, clock), submitter, clock, Links(db, clock, host="l.example").address)
    yield Client(Dialects([surface], surface_of_nobody), db, accounts, clock, account, key)
    running.cancel()


async def surface_of_nobody(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError(f"not ours: {scope['path']}")
