"""One frozen value per SMPP command, and the way to bytes and back (SMPP 3.4, chapter 4).

The body of each class is its wire table: mandatory fields in order, each with its kind. Optional parameters stay
`(tag, bytes)` pairs; `tlvs(...)` and `tlv(...)` write and read the known ones by name. Sizes are declared, not
enforced: real peers exceed them, and `oversized` tells a door that wants to refuse.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from passerelle.smpp.fields import (
    HEADER,
    HEADER_SIZE,
    RESPONSE,
    Decoder,
    Destination,
    Destinations,
    DistributionList,
    Encoder,
    Flag,
    Malformed,
    Octets,
    Text6,
    Text9,
    Text13,
    Text16,
    Text17,
    Text21,
    Text41,
    Text65,
    Tlvs,
    Unsuccessful,
    Unsuccessfuls,
    compile_decoder,
    compile_encoder,
    fields_of,
)

__all__ = ["Destination", "DistributionList", "Malformed", "Tlvs", "Unsuccessful"]


class Pdu(msgspec.Struct, frozen=True, gc=False):
    """What every command shares; `command_id` as in SMPP 3.4, 5.1.2.1."""

    command_id: ClassVar[int] = 0


class GenericNack(Pdu, frozen=True, gc=False):
    """4.3.1: the answer to a PDU that could not be told apart."""

    command_id: ClassVar[int] = 0x80000000


class _Bind(Pdu, frozen=True, gc=False):
    system_id: Text16 = ""
    password: Text9 = ""
    system_type: Text13 = ""
    interface_version: Flag = 0x34
    addr_ton: Flag = 0
    addr_npi: Flag = 0
    address_range: Text41 = ""
    tlvs: Tlvs = ()


class _BindResp(Pdu, frozen=True, gc=False):
    system_id: Text16 = ""
    tlvs: Tlvs = ()


class BindReceiver(_Bind, frozen=True, gc=False):
    """4.1.3."""

    command_id: ClassVar[int] = 0x00000001


class BindReceiverResp(_BindResp, frozen=True, gc=False):
    """4.1.4."""

    command_id: ClassVar[int] = 0x80000001


class BindTransmitter(_Bind, frozen=True, gc=False):
    """4.1.1."""

    command_id: ClassVar[int] = 0x00000002


class BindTransmitterResp(_BindResp, frozen=True, gc=False):
    """4.1.2."""

    command_id: ClassVar[int] = 0x80000002


class BindTransceiver(_Bind, frozen=True, gc=False):
    """4.1.5."""

    command_id: ClassVar[int] = 0x00000009


class BindTransceiverResp(_BindResp, frozen=True, gc=False):
    """4.1.6."""

    command_id: ClassVar[int] = 0x80000009


class Outbind(Pdu, frozen=True, gc=False):
    """4.1.7: the operator asks the client to bind as a receiver; has no response."""

    command_id: ClassVar[int] = 0x0000000B
    system_id: Text16 = ""
    password: Text9 = ""
    tlvs: Tlvs = ()


class Unbind(Pdu, frozen=True, gc=False):
    """4.2.1."""

    command_id: ClassVar[int] = 0x00000006


class UnbindResp(Pdu, frozen=True, gc=False):
    """4.2.2."""

    command_id: ClassVar[int] = 0x80000006


class EnquireLink(Pdu, frozen=True, gc=False):
    """4.11.1."""

    command_id: ClassVar[int] = 0x00000015


class EnquireLinkResp(Pdu, frozen=True, gc=False):
    """4.11.2."""

    command_id: ClassVar[int] = 0x80000015


class _Message(Pdu, frozen=True, gc=False):
    service_type: Text6 = ""
    source_addr_ton: Flag = 0
    source_addr_npi: Flag = 0
    source_addr: Text21 = ""
    dest_addr_ton: Flag = 0
    dest_addr_npi: Flag = 0
    destination_addr: Text21 = ""
    esm_class: Flag = 0
    protocol_id: Flag = 0
    priority_flag: Flag = 0
    schedule_delivery_time: Text17 = ""
    validity_period: Text17 = ""
    registered_delivery: Flag = 0
    replace_if_present_flag: Flag = 0
    data_coding: Flag = 0
    sm_default_msg_id: Flag = 0
    short_message: Octets = b""
    tlvs: Tlvs = ()


class _MessageResp(Pdu, frozen=True, gc=False):
    message_id: Text65 = ""
    tlvs: Tlvs = ()


class SubmitSm(_Message, frozen=True, gc=False):
    """4.4.1."""

    command_id: ClassVar[int] = 0x00000004


class SubmitSmResp(_MessageResp, frozen=True, gc=False):
    """4.4.2."""

    command_id: ClassVar[int] = 0x80000004


class DeliverSm(_Message, frozen=True, gc=False):
    """4.6.1."""

    command_id: ClassVar[int] = 0x00000005


class DeliverSmResp(_MessageResp, frozen=True, gc=False):
    """4.6.2; message_id is unused and empty."""

    command_id: ClassVar[int] = 0x80000005


class SubmitMulti(Pdu, frozen=True, gc=False):
    """4.5.1."""

    command_id: ClassVar[int] = 0x00000021
    service_type: Text6 = ""
    source_addr_ton: Flag = 0
    source_addr_npi: Flag = 0
    source_addr: Text21 = ""
    destinations: Destinations = ()
    esm_class: Flag = 0
    protocol_id: Flag = 0
    priority_flag: Flag = 0
    schedule_delivery_time: Text17 = ""
    validity_period: Text17 = ""
    registered_delivery: Flag = 0
    replace_if_present_flag: Flag = 0
    data_coding: Flag = 0
    sm_default_msg_id: Flag = 0
    short_message: Octets = b""
    tlvs: Tlvs = ()


class SubmitMultiResp(Pdu, frozen=True, gc=False):
    """4.5.2."""

    command_id: ClassVar[int] = 0x80000021
    message_id: Text65 = ""
    unsuccessful: Unsuccessfuls = ()
    tlvs: Tlvs = ()


class DataSm(Pdu, frozen=True, gc=False):
    """4.7.1; the content travels in the TLV message_payload."""

    command_id: ClassVar[int] = 0x00000103
    service_type: Text6 = ""
    source_addr_ton: Flag = 0
    source_addr_npi: Flag = 0
    source_addr: Text65 = ""
    dest_addr_ton: Flag = 0
    dest_addr_npi: Flag = 0
    destination_addr: Text65 = ""
    esm_class: Flag = 0
    registered_delivery: Flag = 0
    data_coding: Flag = 0
    tlvs: Tlvs = ()


class DataSmResp(_MessageResp, frozen=True, gc=False):
    """4.7.2."""

    command_id: ClassVar[int] = 0x80000103


class QuerySm(Pdu, frozen=True, gc=False):
    """4.8.1."""

    command_id: ClassVar[int] = 0x00000003
    message_id: Text65 = ""
    source_addr_ton: Flag = 0
    source_addr_npi: Flag = 0
    source_addr: Text21 = ""
    tlvs: Tlvs = ()


class QuerySmResp(Pdu, frozen=True, gc=False):
    """4.8.2; message_state as in 5.2.28."""

    command_id: ClassVar[int] = 0x80000003
    message_id: Text65 = ""
    final_date: Text17 = ""
    message_state: Flag = 0
    error_code: Flag = 0
    tlvs: Tlvs = ()


class CancelSm(Pdu, frozen=True, gc=False):
    """4.9.1."""

    command_id: ClassVar[int] = 0x00000008
    service_type: Text6 = ""
    message_id: Text65 = ""
    source_addr_ton: Flag = 0
    source_addr_npi: Flag = 0
    source_addr: Text21 = ""
    dest_addr_ton: Flag = 0
    dest_addr_npi: Flag = 0
    destination_addr: Text21 = ""
    tlvs: Tlvs = ()


class CancelSmResp(Pdu, frozen=True, gc=False):
    """4.9.2."""

    command_id: ClassVar[int] = 0x80000008


class ReplaceSm(Pdu, frozen=True, gc=False):
    """4.10.1."""

    command_id: ClassVar[int] = 0x00000007
    message_id: Text65 = ""
    source_addr_ton: Flag = 0
    source_addr_npi: Flag = 0
    source_addr: Text21 = ""
    schedule_delivery_time: Text17 = ""
    validity_period: Text17 = ""
    registered_delivery: Flag = 0
    sm_default_msg_id: Flag = 0
    short_message: Octets = b""
    tlvs: Tlvs = ()


class ReplaceSmResp(Pdu, frozen=True, gc=False):
    """4.10.2."""

    command_id: ClassVar[int] = 0x80000007


class AlertNotification(Pdu, frozen=True, gc=False):
    """4.12.1; has no response."""

    command_id: ClassVar[int] = 0x00000102
    source_addr_ton: Flag = 0
    source_addr_npi: Flag = 0
    source_addr: Text65 = ""
    esme_addr_ton: Flag = 0
    esme_addr_npi: Flag = 0
    esme_addr: Text65 = ""
    tlvs: Tlvs = ()


Bind = BindReceiver | BindTransmitter | BindTransceiver
BindResp = BindReceiverResp | BindTransmitterResp | BindTransceiverResp

COMMANDS: dict[int, type[Pdu]] = {
    command.command_id: command
    for command in (
        GenericNack, BindReceiver, BindReceiverResp, BindTransmitter, BindTransmitterResp, BindTransceiver,
        BindTransceiverResp, Outbind, Unbind, UnbindResp, EnquireLink, EnquireLinkResp, SubmitSm, SubmitSmResp,
        DeliverSm, DeliverSmResp, SubmitMulti, SubmitMultiResp, DataSm, DataSmResp, QuerySm, QuerySmResp,
        CancelSm, CancelSmResp, ReplaceSm, ReplaceSmResp, AlertNotification,
    )
}  # fmt: skip
NO_RESPONSE = frozenset({Outbind.command_id, AlertNotification.command_id})

ENCODERS: dict[type[Pdu], Encoder] = {command: compile_encoder(command) for command in COMMANDS.values()}
DECODERS: dict[int, Decoder] = {code: compile_decoder(command) for code, command in COMMANDS.items()}
_UNKNOWN = Malformed(0x03, "unknown command_id")  # ESME_RINVCMDID
_BAD_LENGTH = Malformed(0x02, "command_length does not fit the frame")  # ESME_RINVCMDLEN


class Frame(msgspec.Struct, frozen=True, gc=False):
    """A PDU with its header."""

    command_id: int
    status: int
    sequence: int
    pdu: Pdu | Malformed


def encode(pdu: Pdu, sequence: int, status: int = 0) -> bytes:
    """The frame of a PDU.

    ValueError for what the wire cannot carry: a NUL or a character above U+00FF in a string, a number outside a byte,
    more than 255 octets of short_message, a tag or a TLV above 65535.
    """
    try:
        return ENCODERS[type(pdu)](pdu, sequence, status)
    except KeyError as error:
        raise ValueError(f"{type(pdu).__name__}: {error} is no octet") from error
    except OverflowError as error:
        raise ValueError(f"{type(pdu).__name__}: {error}") from error


def decode(frame: bytes) -> Frame:
    """One whole frame, header included, to its value; never an exception: what is wrong is a `Malformed` inside."""
    if len(frame) < HEADER_SIZE:
        return Frame(0, 0, 0, _BAD_LENGTH)
    length, command, status, sequence = HEADER.unpack_from(frame)
    if length != len(frame):
        return Frame(command, status, sequence, _BAD_LENGTH)
    decoder = DECODERS.get(command)
    if decoder is None:
        return Frame(command, status, sequence, _UNKNOWN)
    return Frame(command, status, sequence, decoder(frame, frame.decode("latin-1"), HEADER_SIZE, length))


def decode_body(command_id: int, buffer: bytes, text: str, start: int, end: int) -> Any:
    """The PDU of `command_id` whose body lies in `buffer[start:end]`; `text` is the same buffer as latin-1."""
    decoder = DECODERS.get(command_id)
    return _UNKNOWN if decoder is None else decoder(buffer, text, start, end)


def response_to(command_id: int, status: int = 0) -> Pdu:
    """An empty response to a request; generic_nack where SMPP knows none."""
    if command_id in NO_RESPONSE:
        return GenericNack()
    return COMMANDS.get(command_id | RESPONSE, GenericNack)()


def oversized(pdu: Pdu) -> tuple[str, ...]:
    """The names of the fields that exceed the sizes of SMPP 3.4 (strings with their NUL; short_message 254)."""
    fields = fields_of(type(pdu)).items()
    long = [name for name, kind in fields if kind.size and len(getattr(pdu, name)) >= kind.size]
    return (*long, *(("short_message",) if len(getattr(pdu, "short_message", b"")) > 254 else ()))


# --- Optional parameters by name (SMPP 3.4, 5.3.2; 5.0, 4.8.4) -----------------------------------------------------

TAGS: dict[str, tuple[int, str]] = {
    "dest_addr_subunit": (0x0005, "int1"),
    "dest_network_type": (0x0006, "int1"),
    "dest_bearer_type": (0x0007, "int1"),
    "dest_telematics_id": (0x0008, "int2"),
    "source_addr_subunit": (0x000D, "int1"),
    "source_network_type": (0x000E, "int1"),
    "source_bearer_type": (0x000F, "int1"),
    "source_telematics_id": (0x0010, "int1"),
    "qos_time_to_live": (0x0017, "int4"),
    "payload_type": (0x0019, "int1"),
    "additional_status_info_text": (0x001D, "text"),
    "receipted_message_id": (0x001E, "text"),
    "ms_msg_wait_facilities": (0x0030, "int1"),
    "privacy_indicator": (0x0201, "int1"),
    "source_subaddress": (0x0202, "octets"),
    "dest_subaddress": (0x0203, "octets"),
    "user_message_reference": (0x0204, "int2"),
    "user_response_code": (0x0205, "int1"),
    "source_port": (0x020A, "int2"),
    "destination_port": (0x020B, "int2"),
    "sar_msg_ref_num": (0x020C, "int2"),
    "language_indicator": (0x020D, "int1"),
    "sar_total_segments": (0x020E, "int1"),
    "sar_segment_seqnum": (0x020F, "int1"),
    "sc_interface_version": (0x0210, "int1"),
    "callback_num_pres_ind": (0x0302, "int1"),
    "callback_num_atag": (0x0303, "octets"),
    "number_of_messages": (0x0304, "int1"),
    "callback_num": (0x0381, "octets"),
    "dpf_result": (0x0420, "int1"),
    "set_dpf": (0x0421, "int1"),
    "ms_availability_status": (0x0422, "int1"),
    "network_error_code": (0x0423, "octets"),
    "message_payload": (0x0424, "octets"),
    "delivery_failure_reason": (0x0425, "int1"),
    "more_messages_to_send": (0x0426, "int1"),
    "message_state": (0x0427, "int1"),
    "congestion_state": (0x0428, "int1"),
    "ussd_service_op": (0x0501, "octets"),
    "display_time": (0x1201, "int1"),
    "sms_signal": (0x1203, "int2"),
    "ms_validity": (0x1204, "int1"),
    "alert_on_message_delivery": (0x130C, "octets"),
    "its_reply_type": (0x1380, "int1"),
    "its_session_info": (0x1383, "octets"),
}


def tlvs(**values: int | str | bytes) -> Tlvs:
    """Optional parameters by name, in the order given: `tlvs(receipted_message_id="7", message_state=2)`.

    KeyError for a name not in `TAGS`, ValueError or OverflowError for a number that its size cannot hold.
    """
    return tuple((TAGS[name][0], _tlv_bytes(TAGS[name][1], value)) for name, value in values.items())


def _tlv_bytes(kind: str, value: int | str | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return value.to_bytes(int(kind[3:] or 1) if kind.startswith("int") else 1, "big")
    return value.encode("latin-1") + b"\0"


def tlv(pdu: Any, name: str) -> bytes | None:
    """The raw value of a known optional parameter of a PDU (the first, if repeated), or None."""
    tag = TAGS[name][0]
    for found, value in pdu.tlvs:
        if found == tag:
            return bytes(value)
    return None


def tlv_int(pdu: Any, name: str) -> int | None:
    """The value of an optional parameter as a number, whatever its width; None when absent or empty."""
    value = tlv(pdu, name)
    return int.from_bytes(value, "big") if value else None


def tlv_text(pdu: Any, name: str) -> str | None:
    """The value of an optional parameter as text, up to its NUL if it has one; None when absent."""
    value = tlv(pdu, name)
    return None if value is None else value.split(b"\0", 1)[0].decode("latin-1")


def content(pdu: Any) -> bytes:
    """The user data of a message, user data header included: short_message, else the TLV message_payload."""
    return getattr(pdu, "short_message", b"") or tlv(pdu, "message_payload") or b""
