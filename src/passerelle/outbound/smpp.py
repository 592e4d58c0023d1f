"""SMS over SMPP: the binds of one operator behind the contract of a carrier.

A bind connects again by itself for as long as this process holds it. Nothing of a part is written after its lease.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from .. import telemetry
from ..clock import Clock
from ..domain import text
from ..domain.message import DuePart, Inbound, Outcome, OutcomeKind, Receipt, State
from ..domain.pacing import Pacer
from ..settings import CarrierSettings
from ..smpp import link as smpp_link
from ..smpp import receipt as smpp_receipt
from ..smpp import session as s
from ..smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    SubmitSm,
    content,
)
from ..smpp.receipt import ReportState
from ..smpp.status import Meaning, Status, meaning
from ..smpp.status import status_name as name
from .carrier import Arrived

BINDS: dict[str, type[BindTransceiver] | type[BindTransmitter] | type[BindReceiver]] = {
    "transceiver": BindTransceiver,
    "transmitter": BindTransmitter,
    "receiver": BindReceiver,
}
ESM_UDHI = 0x40  # SMPP 3.4, 5.2.12: the text begins with a user data header
RECEIPT_ASKED = 1  # SMPP 3.4, 5.2.17
RECONNECT = (0.5, 1, 2, 5, 10, 20, 30)  # seconds

STATES = {
    ReportState.DELIVRD: State.DELIVERED,
    ReportState.UNDELIV: State.UNDELIVERED,
    ReportState.REJECTD: State.UNDELIVERED,
    ReportState.UNKNOWN: State.UNDELIVERED,
    ReportState.EXPIRED: State.UNDELIVERED,
    ReportState.DELETED: State.UNDELIVERED,
    ReportState.ACCEPTD: State.SUBMITTED,
    ReportState.ENROUTE: State.SUBMITTED,
}
KINDS = {
    Meaning.OK: OutcomeKind.SENT,
    Meaning.THROTTLED: OutcomeKind.THROTTLED,
    Meaning.TEMPORARY: OutcomeKind.TEMPORARY,
    Meaning.PERMANENT: OutcomeKind.PERMANENT,
}
# Receipt errors and statuses that say that nobody has this number.
DEAD_RECEIPTS = frozenset({"001", "1", "0x001", "3:1"})
DEAD_STATUSES = frozenset({Status.ESME_RINVDSTADR})


class SmppCarrier:
    """One operator; `wake` is called whenever there is something to take or a slot became free."""

    def __init__(
        self,
        settings: CarrierSettings,
        carrier_id: int,
        short_code: str,
        clock: Clock,
        wake: Callable[[], None],
        bind_changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.id = carrier_id
        self.name = settings.name
        self.settings = settings
        self._short_code = short_code
        self._clock = clock
        self._wake = wake
        self._bind_changed = bind_changed
        self._pacer = Pacer(float(settings.rate), filled_at=time.monotonic())
        self._binds: dict[int, Bind] = {}
        self._submitted = telemetry.SUBMITTED.labels(settings.name)
        self._counted = {kind: telemetry.OUTCOMES.labels(settings.name, kind.name.lower()) for kind in OutcomeKind}
        self._outcomes: list[Outcome] = []
        self._arrived: list[Arrived] = []

    # --- binds -----------------------------------------------------------------------------------------------------

    def open(self, number: int) -> None:
        """Connect a bind that this process holds, and keep it connected."""
        if number not in self._binds:
            self._binds[number] = Bind(self, number)

    async def close(self, number: int) -> None:
        """Unbind: what was submitted is waited for, a moment."""
        bind = self._binds.pop(number, None)
        if bind is not None:
            await bind.close()

    def drop(self, number: int) -> None:
        """Cut a bind that this process may hold no longer."""
        bind = self._binds.pop(number, None)
        if bind is not None:
            bind.abort()

    def state(self, number: int) -> tuple[bool, str]:
        """Whether a bind is up, and what it says of itself."""
        bind = self._binds.get(number)
        return (bind.bound, bind.note) if bind else (False, "")

    def in_flight(self) -> int:
        """Submits without an answer."""
        return sum(bind.in_flight for bind in self._binds.values())

    # --- the contract ----------------------------------------------------------------------------------------------

    def free_slots(self) -> int:
        """The least of what the windows and the pace allow."""
        window = sum(bind.free for bind in self._binds.values())
        self._pacer.rate = self.settings.rate * len(self._binds) / self.settings.binds  # others pace the other binds
        return min(window, self._pacer.allowance(time.monotonic())) if window else 0

    def submit(self, parts: Sequence[DuePart]) -> None:
        """Spread the parts over the binds, as their windows allow; what nobody can take comes back unsent."""
        self._pacer.spend(len(parts))
        self._submitted.inc(len(parts))
        left = list(parts)
        for bind in self._binds.values():
            room = bind.free
            if room and left:
                bind.submit(left[:room])
                left = left[room:]
        self._outcomes += [Outcome(part, OutcomeKind.UNSENT) for part in left]

    def take_outcomes(self) -> list[Outcome]:
        """Outcomes since the last call."""
        taken, self._outcomes = self._outcomes, []
        return taken

    def take_arrived(self) -> list[Arrived]:
        """Receipts and texts since the last call."""
        taken, self._arrived = self._arrived, []
        return taken

    # --- what a bind tells -----------------------------------------------------------------------------------------

    def ended(self, outcomes: list[Outcome]) -> None:
        """Outcomes of a bind."""
        for kind, count in Counter(outcome.kind for outcome in outcomes).items():
            self._counted[kind].inc(count)
        for outcome in outcomes:
            if outcome.kind is OutcomeKind.THROTTLED:
                self._pacer.throttled(time.monotonic())
            elif outcome.kind is OutcomeKind.SENT and self._pacer.pause:
                self._pacer.accepted()
        self._outcomes += outcomes
        self._wake()

    def arrived(self, arrived: Arrived) -> None:
        """Receipts and texts of a bind."""
        self._arrived.append(arrived)
        self._wake()

    def bind_changed(self) -> None:
        """A bind came up, or went."""
        self._bind_changed()
        self._wake()

    def now(self) -> datetime:
        """Business time."""
        return self._clock.now()

    def pdu(self, part: DuePart) -> SubmitSm:
        """The submit_sm of a part."""
        return submit_sm(part, self.settings, self._short_code)


def submit_sm(part: DuePart, settings: CarrierSettings, short_code: str) -> SubmitSm:
    """A part as SMPP 3.4, 4.4.1 has it; long ones carry a concatenation header (3GPP TS 23.040, 9.2.3.24.1)."""
    ton, npi = _source_kind(part.sender)
    octets = text.encode(part.text, part.encoding)
    esm_class = 0
    if part.parts > 1:
        octets = text.udh(part.key.message_id & 0xFF, part.parts, part.key.part) + octets
        esm_class = ESM_UDHI
    return SubmitSm(
        source_addr_ton=ton if settings.source_ton is None else settings.source_ton,
        source_addr_npi=npi if settings.source_npi is None else settings.source_npi,
        source_addr=part.sender or short_code,
        dest_addr_ton=settings.dest_ton,
        dest_addr_npi=settings.dest_npi,
        destination_addr=str(part.phone),
        esm_class=esm_class,
        registered_delivery=RECEIPT_ASKED,
        data_coding=part.encoding,
        short_message=octets,
    )


def _source_kind(sender: str) -> tuple[int, int]:
    """Type and plan of a sender (SMPP 3.4, 5.2.5): short code, number, or name."""
    if not sender:
        return 3, 0
    return (1, 1) if sender.isdigit() else (5, 0)


class Bind:
    """One bind: connects, binds, and starts again when the session ends."""

    def __init__(self, carrier: SmppCarrier, number: int) -> None:
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
        for part in parts:
            part.begun_at = now
        good = [(self._carrier.pdu(part), part) for part in parts if part.deadline > monotonic]
        for unsent in self._link.send_many(good):
            if isinstance(unsent, s.Unsent):
                outcomes.append(_unwritable(unsent))
        if outcomes:
            self._carrier.ended(outcomes)

    async def _keep_bound(self) -> None:
        tries = 0
        while not self._closing:
            try:
                await self._connect()
                await self._ended.wait()
                tries = 0 if self.note.startswith("lost") else tries + 1
            except (OSError, TimeoutError) as error:
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
                    outcomes.append(_answered(event, now))
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
                found = _parse(request.pdu, now)
                if isinstance(found, Receipt):
                    receipts.append(found)
                elif found is not None:
                    texts.append(found)
        answers = [(r.sequence, _response_to(r.pdu), 0) for r in requests if isinstance(r.pdu, DeliverSm | DataSm)]

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


def _answered(event: s.Answered, now: datetime) -> Outcome:
    kind = KINDS[meaning(event.status)]
    if kind is OutcomeKind.SENT:
        return Outcome(event.context, kind, operator_id=getattr(event.pdu, "message_id", ""), at=now)
    return Outcome(event.context, kind, error=name(event.status), bounced=event.status in DEAD_STATUSES, at=now)


def _unwritable(event: s.Unsent) -> Outcome:
    """A part that the wire cannot carry is refused for ever; one that came too late goes back."""
    kind = OutcomeKind.UNSENT if event.reason.startswith(("SubmitSm in state",)) else OutcomeKind.PERMANENT
    return Outcome(event.context, kind, error="" if kind is OutcomeKind.UNSENT else event.reason)


def _response_to(pdu: object) -> DeliverSmResp | DataSmResp:
    return DataSmResp() if isinstance(pdu, DataSm) else DeliverSmResp()


def _parse(pdu: DeliverSm | DataSm, now: datetime) -> Receipt | Inbound | None:
    """A receipt or a text; None for what names no number."""
    phone = _digits(pdu.source_addr)
    report = smpp_receipt.parse(pdu)
    if report is not None:
        state = STATES[report.state]
        if state is State.UNDELIVERED and report.error in DEAD_RECEIPTS:
            state = State.BOUNCED
        error = f"{report.state.value} {report.error}".strip()
        return Receipt(report.ids, phone, state, error, now)
    if not phone:
        return None
    octets, concat = content(pdu), None
    if pdu.esm_class & ESM_UDHI:
        concat, octets = text.parse_udh(octets)
    words = text.decode(octets, pdu.data_coding)
    if concat is None:
        return Inbound(phone, pdu.destination_addr, words, now)
    return Inbound(phone, pdu.destination_addr, words, now, concat.reference, concat.total, concat.part)


def _digits(address: str) -> int:
    digits = "".join(c for c in address if c.isdigit())
    return int(digits[:15]) if digits else 0
