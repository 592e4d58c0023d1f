"""Between our values and SMPP: a part as a submit_sm, an answer as an outcome, a deliver_sm as a receipt or a text.

Pure; whatever an operator writes becomes a value or None, never an exception.
"""

from __future__ import annotations

from datetime import datetime

from ..domain import text
from ..domain.message import DuePart, Inbound, Outcome, OutcomeKind, Receipt, State
from ..settings import CarrierSettings
from ..smpp import receipt as smpp_receipt
from ..smpp import session as s
from ..smpp.pdu import DataSm, DataSmResp, DeliverSm, DeliverSmResp, SubmitSm, content
from ..smpp.receipt import ReportState
from ..smpp.status import Meaning, Status, meaning
from ..smpp.status import status_name as name

ESM_UDHI = 0x40  # SMPP 3.4, 5.2.12: the text begins with a user data header
CLASS_0 = 0x10  # 3GPP TS 23.038, section 4: a message class, and it is 0
RECEIPT_ASKED = 1  # SMPP 3.4, 5.2.17
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
        data_coding=part.encoding | CLASS_0 if part.flash else part.encoding,
        short_message=octets,
    )


def _source_kind(sender: str) -> tuple[int, int]:
    """Type and plan of a sender (SMPP 3.4, 5.2.5): short code, number, or name."""
    if not sender:
        return 3, 0
    return (1, 1) if sender.isdigit() else (5, 0)


def answered(event: s.Answered, now: datetime) -> Outcome:
    """What a submit_sm_resp, or a generic_nack, makes of a part."""
    kind = KINDS[meaning(event.status)]
    if kind is OutcomeKind.SENT:
        return Outcome(event.context, kind, operator_id=getattr(event.pdu, "message_id", ""), at=now)
    return Outcome(event.context, kind, error=name(event.status), bounced=event.status in DEAD_STATUSES, at=now)


def unwritable(event: s.Unsent) -> Outcome:
    """A part that the wire cannot carry is refused for ever; one that came too late goes back."""
    kind = OutcomeKind.UNSENT if event.reason.startswith(("SubmitSm in state",)) else OutcomeKind.PERMANENT
    return Outcome(event.context, kind, error="" if kind is OutcomeKind.UNSENT else event.reason)


def response_to(pdu: object) -> DeliverSmResp | DataSmResp:
    """The answer to a deliver_sm or data_sm."""
    return DataSmResp() if isinstance(pdu, DataSm) else DeliverSmResp()


def parse(pdu: DeliverSm | DataSm, now: datetime) -> Receipt | Inbound | None:
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
    digits = "".join(c for c in address if c.isdecimal())  # ² is a digit too
    return int(digits[:15]) if digits else 0
