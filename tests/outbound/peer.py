"""An operator that obeys a test, and a carrier bound to it over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from passerelle.clock import ManualClock
from passerelle.domain.message import DuePart, Inbound, Outcome, PartKey, Receipt, TrafficClass
from passerelle.domain.text import Encoding
from passerelle.outbound.carrier import Arrived
from passerelle.outbound.smpp import SmppCarrier
from passerelle.settings import CarrierSettings
from passerelle.smpp import pdu as p
from passerelle.smpp.link import Link, OnEvents, serve
from passerelle.smpp.session import Answered, Closed, Event, Received

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


def part(number: int = 1, text: str = "Bonjour", **more: Any) -> DuePart:
    """A part of message `number`, leased for a minute."""
    known: dict[str, Any] = {
        "key": PartKey(7, number, 1), "submission_id": number, "dialect": 1, "tag_key": "", "phone": 33639980000 + number,
        "sender": "", "text": text, "encoding": Encoding.GSM, "parts": 1, "traffic": TrafficClass.TRANSACTIONAL,
        "attempts": 0, "uncertain": False, "valid_until": NOW, "deadline": time.monotonic() + 60,
    }  # fmt: skip
    return DuePart(**known | more)


async def until(holds: Callable[[], object], seconds: float = 10) -> None:
    """Until what a peer does over a socket has been noticed."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.001)


@dataclass
class Peer:
    """Accepts binds with `bind_status`, answers submits with `status` and a number of its own where `answering`."""

    port: int = 0
    bind_status: int = 0
    status: int = 0
    answering: bool = True
    closing: bool = False  # at once, before a word is said
    links: list[Link] = field(default_factory=list)
    binds: list[Any] = field(default_factory=list)
    submits: list[tuple[Link, int, Any]] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    seen: list[Event] = field(default_factory=list)
    most_waiting: int = 0

    def accept(self, link: Link) -> OnEvents:
        self.links.append(link)
        if self.closing:
            asyncio.get_running_loop().call_soon(link.abort)

        def take(events: list[Event]) -> None:
            self.seen += events
            for event in events:
                self._take(link, event)
            self.most_waiting = max(self.most_waiting, link.session.unanswered)

        return take

    def _take(self, link: Link, event: Event) -> None:
        if isinstance(event, Answered):
            self.acknowledged.append(event.context)
        if not isinstance(event, Received):
            return
        if isinstance(event.pdu, p.Bind):
            self.binds.append(event.pdu)
            link.respond(event.sequence, p.response_to(event.pdu.command_id), self.bind_status)
        elif isinstance(event.pdu, p.SubmitSm):
            self.submits.append((link, event.sequence, event.pdu))
            if self.answering:
                self.answer(len(self.submits) - 1)

    def answer(self, index: int, status: int | None = None) -> None:
        """Answer the submit that came as number `index`."""
        link, sequence, _ = self.submits[index]
        link.respond(sequence, p.SubmitSmResp(f"id{index}"), self.status if status is None else status)

    def deliver(self, context: int, **members: Any) -> None:
        """Send a deliver_sm; `acknowledged` will hold `context`."""
        pdu = p.DeliverSm(**{"source_addr": "33639980001", "destination_addr": "36000"} | members)
        self.links[-1].send(pdu, context)

    def closed(self) -> int:
        """How many connections have ended."""
        return sum(isinstance(event, Closed) for event in self.seen)


@contextlib.asynccontextmanager
async def listening(**how: Any) -> AsyncIterator[Peer]:
    peer = Peer(**how)
    server = await serve(peer.accept, "127.0.0.1", peer.port)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for link in peer.links:
            link.abort()
        await server.wait_closed()


@dataclass
class Bound:
    """A carrier with what it has told so far."""

    carrier: SmppCarrier
    woken: list[float]
    told: list[Outcome] = field(default_factory=list)
    came: list[Arrived] = field(default_factory=list)

    def outcomes(self) -> list[Outcome]:
        self.told += self.carrier.take_outcomes()
        return self.told

    def arrived(self) -> list[Arrived]:
        self.came += self.carrier.take_arrived()
        return self.came

    def receipts(self) -> list[Receipt]:
        return [receipt for one in self.arrived() for receipt in one.receipts]

    def texts(self) -> list[Inbound]:
        return [text for one in self.arrived() for text in one.texts]


@contextlib.asynccontextmanager
async def carrying(port: int, *, up: bool = True, **settings: Any) -> AsyncIterator[Bound]:
    """A carrier whose binds are open; `up`: wait until they are bound."""
    known = CarrierSettings(**{"name": "operator", "host": "127.0.0.1", "port": port, "system_id": "us"} | settings)
    woken: list[float] = []
    carrier = SmppCarrier(known, 1, "36000", ManualClock(NOW), lambda: woken.append(time.monotonic()))
    bound = Bound(carrier, woken)
    for number in range(known.binds):
        carrier.open(number)
    try:
        if up:
            await until(lambda: all(carrier.state(number)[0] for number in range(known.binds)))
        yield bound
    finally:
        for number in range(known.binds):
            carrier.drop(number)
