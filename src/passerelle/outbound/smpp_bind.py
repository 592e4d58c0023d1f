"""One SMPP bind: it connects, binds, and starts again when the session ends, for as long as it is held.

Receipts and texts are answered when they are on disk; nothing of a part is written after its lease.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from .. import telemetry
from ..domain.message import DuePart, Inbound, Outcome, OutcomeKind, Receipt
from ..settings import CarrierSettings
from ..smpp import link as smpp_link
from ..smpp import session as s
from ..smpp.pdu import BindReceiver, BindTransceiver, BindTransmitter, DataSm, DeliverSm, SubmitSm
from ..smpp.status import status_name as name
from .carrier import Arrived
from .smpp_wire import answered, parse, response_to, unwritable

BINDS: dict[str, type[BindTransceiver] | type[BindTransmitter] | type[BindReceiver]] = {
    "transceiver": BindTransceiver,
    "transmitter": BindTransmitter,
    "receiver": BindReceiver,
}
RECONNECT = (0.5, 1, 2, 5, 10, 20, 30)  # seconds


class Owner(Protocol):
    """The carrier of a bind, as the bind sees it."""

    name: str
    settings: CarrierSettings

    def now(self) -> datetime:
        """Business time."""

    def pdu(self, part: DuePart) -> SubmitSm:
        """The submit_sm of a part."""

    def ended(self, outcomes: list[Outcome]) -> None:
        """Outcomes of the bind."""

    def arrived(self, arrived: Arrived) -> None:
        """Receipts and texts of the bind."""

    def bind_changed(self) -> None:
        """The bind came up, or went."""


class Bind:
    """One bind: connects, binds, and starts again when the session ends."""

    def __init__(self, carrier: Owner, number: int) -> None:
        self._carrier = carrier
        self._number = number
        self._link: smpp_link.Link | None = None
        self._ended = asyncio.Event()
        self._closing = False
        self.note = "connecting"
        self._task = asyncio.create_task(self._keep_bound())

    @property
    def bound(self) -> bool:
        """Whether parts may flow."""
        return self._link is not None and self._link.session.bound

    @property
    def free(self) -> int:
        """Slots of the window; 0 on a bind that only receives."""
        if self._link is None or self._closing or self._carrier.settings.bind == "receiver":
            return 0
        return self._link.free

    @property
    def in_flight(self) -> int:
        """Submits without an answer."""
        return self._link.session.in_flight if self._link else 0

    def submit(self, parts: Sequence[DuePart]) -> None:
        """Write parts whose lease still holds."""
        assert self._link is not None
        now, monotonic = self._carrier.now(), time.monotonic()
        late = [part for part in parts if part.deadline <= monotonic]
        outcomes = [Outcome(part, OutcomeKind.UNSENT) for part in late]
        good: list[tuple[SubmitSm, DuePart]] = []
        for part in parts:
            part.begun_at = now
            if part.deadline > monotonic:
                try:
                    good.append((self._carrier.pdu(part), part))
                except ValueError as error:
                    outcomes.append(unwritable(s.Unsent(part, str(error))))
        outcomes += [unwritable(unsent) for unsent in self._link.send_many(good) if isinstance(unsent, s.Unsent)]
        if outcomes:
            self._carrier.ended(outcomes)

    async def _keep_bound(self) -> None:
        tries = 0
        while not self._closing:
            try:
                await self._connect()
                await self._ended.wait()
                tries = 0 if self.note.startswith("lost") else tries + 1
            except (OSError, TimeoutError, ValueError, s.NotBound) as error:  # ours, theirs, or the settings
                self.note = f"cannot connect: {error or type(error).__name__}"
                tries += 1
            if not self._closing:
                await asyncio.sleep(RECONNECT[min(tries, len(RECONNECT) - 1)])

    async def _connect(self) -> None:
        settings = self._carrier.settings
        self._ended.clear()
        config = s.Config(
            window=settings.window,
            response_timeout=float(settings.response_timeout_seconds),
            enquire_interval=float(settings.enquire_link_seconds),
        )
        bind = BINDS[settings.bind](
            system_id=settings.system_id, password=settings.password, system_type=settings.system_type
        )
        self._link = await smpp_link.connect(
            settings.host,
            settings.port,
            bind,
            self._on_events,
            config,
            ssl=ssl.create_default_context() if settings.tls else None,
        )

    # --- events ----------------------------------------------------------------------------------------------------

    def _on_events(self, events: list[s.Event]) -> None:
        outcomes: list[Outcome] = []
        requests: list[s.Received] = []
        now = self._carrier.now()
        for event in events:
            match event:
                case s.Answered():
                    outcomes.append(answered(event, now))
                case s.Received():
                    requests.append(event)
                case s.RequestTimedOut(context=part) | s.Lost(context=part):
                    outcomes.append(Outcome(part, OutcomeKind.UNKNOWN, error="no answer", at=now))
                case _:
                    self._told(event)
        if requests:
            self._receive(requests, now)
        if outcomes:
            self._carrier.ended(outcomes)

    def _told(self, event: s.Event) -> None:
        """What concerns the bind itself."""
        facts = {"carrier": self._carrier.name, "bind": self._number}
        match event:
            case s.Bound():
                self.note = ""
                telemetry.log(telemetry.Event.BIND_UP, **facts)
                self._carrier.bind_changed()
            case s.BindRefused(status=status):
                self.note = f"refused: {name(status)}"
                telemetry.log(telemetry.Event.BIND_REFUSED, status=name(status), **facts)
                if self._link:
                    self._link.abort(self.note)
            case s.Closed(reason=reason):
                if not self.note.startswith("refused"):
                    self.note = f"lost: {reason}"
                    telemetry.log(telemetry.Event.BIND_LOST, reason=reason, **facts)
                self._ended.set()
                self._carrier.bind_changed()
            case s.Rejected(reason=reason):
                telemetry.log(telemetry.Event.PDU_MALFORMED, reason=reason, **facts)
            case _:
                pass

    def _receive(self, requests: list[s.Received], now: datetime) -> None:
        """Receipts and texts, answered when they are on disk; anything else at once."""
        receipts: list[Receipt] = []
        texts: list[Inbound] = []
        link = self._link
        assert link is not None
        for request in requests:
            if isinstance(request.pdu, DeliverSm | DataSm):
                found = parse(request.pdu, now)
                if isinstance(found, Receipt):
                    receipts.append(found)
                elif found is not None:
                    texts.append(found)
        answers = [(r.sequence, response_to(r.pdu), 0) for r in requests if isinstance(r.pdu, DeliverSm | DataSm)]

        def acknowledge() -> None:
            if not link.session.closed:
                link.respond_many(answers)

        self._carrier.arrived(Arrived(receipts, texts, acknowledge))

    async def close(self) -> None:
        """Let what is in flight come back, then unbind."""
        self._closing = True
        for _ in range(100):
            if not self.in_flight:
                break
            await asyncio.sleep(0.02)
        if self._link is not None and not self._link.session.closed:
            self._link.close()
            try:
                async with asyncio.timeout(2):
                    await self._link.wait_closed()
            except TimeoutError:
                self._link.abort()
        self._task.cancel()

    def abort(self) -> None:
        """Cut the connection."""
        self._closing = True
        if self._link is not None:
            self._link.abort("the bind belongs to another process")
        self._task.cancel()
