"""A pipeline with RCS, whose provider does what a test says."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pipeline.world import Operator, World
from surfaces.asgi import Client

from passerelle.domain import rcs as contents
from passerelle.domain.account import Account
from passerelle.domain.message import DuePart, OutcomeKind
from passerelle.domain.pricing import Service
from passerelle.domain.rcs_names import CARRIER, name_of
from passerelle.pipeline.failover import keep_failover
from passerelle.pipeline.inbound import Inbound
from passerelle.pipeline.rcs import Rcs
from passerelle.settings import Settings
from passerelle.surfaces.rcs_events import RcsEvents

RCS_PRICE = 120_000
AGENT, TOKEN = "agent", "a-token-of-the-webhook"
HELLO = contents.read({"text": "Bonjour", "suggestions": [{"reply": {"text": "Oui", "postbackData": "yes"}}]}).text
K = OutcomeKind


@dataclass
class Town:
    """A world with RCS: its carrier does what a test says."""

    world: World
    rcs: Rcs
    door: RcsEvents
    agent: Operator = field(default_factory=lambda: Operator(CARRIER, "rcs"))
    revoked: list[tuple[int, str]] = field(default_factory=list)

    async def send(self, account: Account, *phones: int, failover: str | None = None, **more: Any) -> Any:
        wanted = {"text": HELLO, "service": Service.RCS, "failover": failover} | more
        return await self.world.send(account, *phones, beside=keep_failover, **wanted)

    async def pump(self) -> list[DuePart]:
        await self.world.dispatcher.pump(self.agent)
        given = self.agent.take()
        for part in given:
            part.begun_at = self.world.clock.now()
        return given

    async def record(self, part: DuePart, kind: OutcomeKind, **more: Any) -> None:
        name = name_of(part.key.message_id, part.phone, part.text) if kind in (K.SENT, K.UNKNOWN) else ""
        await self.world.dispatcher.record(CARRIER, [self.world.outcome(part, kind, name, **more)])

    async def with_provider(self, account: Account, *phones: int, **more: Any) -> list[DuePart]:
        """Sent, and taken by the provider."""
        await self.send(account, *phones, **more)
        parts = await self.pump()
        for part in parts:
            await self.record(part, K.SENT)
        return parts

    async def event(self, word: str, part: DuePart, **more: Any) -> None:
        name = name_of(part.key.message_id, part.phone, part.text)
        await self.told({"senderPhoneNumber": f"+{part.phone}", "eventType": word, "messageId": name} | more)

    async def told(self, event: dict[str, Any]) -> None:
        """As the provider posts it, and workers take it."""
        data = base64.b64encode(json.dumps(event).encode()).decode()
        answer = await Client(self.door)("POST", f"/rcs/events?token={TOKEN}", {"message": {"data": data}})
        assert answer.status == 200
        await self.rcs.take()

    async def bodies(self) -> list[Any]:
        return [json.loads(row["body"]) for row in await self.world.db.fetch("select body from event order by id")]


@pytest.fixture
async def town(world: World) -> AsyncIterator[Town]:
    revoked: list[tuple[int, str]] = []

    async def revoke(phone: int, name: str) -> bool:
        revoked.append((phone, name))
        return True

    inbound = Inbound(world.db, world.teller, Settings(), world.clock)
    failover = world.dispatcher._failover
    rcs = Rcs(world.db, world.clock, world.teller, inbound, failover, revoke, AGENT)
    yield Town(world, rcs, RcsEvents(world.db, world.clock, AGENT, TOKEN), revoked=revoked)
