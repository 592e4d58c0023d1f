"""The codec: laws for every command, limits, and the bytes of independent implementations."""

import io
from types import SimpleNamespace

import pytest
import smpplib.command
import smpplib.smpp
from hypothesis import given, settings
from hypothesis import strategies as st
from smpp.pdu.pdu_encoding import PDUEncoder

from passerelle.smpp import fields as f
from passerelle.smpp import pdu as p

octet = st.integers(0, 255)


def text(size: int):
    return st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=size - 1)


destination = st.builds(f.Destination, octet, octet, text(21)) | st.builds(f.DistributionList, text(21))
refusal = st.builds(f.Unsuccessful, octet, octet, text(21), st.integers(0, 2**32 - 1))
some_tlvs = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=4).map(tuple)


def values(name: str, kind: f.Kind):
    if kind.size:
        return text(kind.size)
    if kind.body:
        return st.binary(max_size=255)
    if kind.pack:
        return st.lists(destination if name == "destinations" else refusal, max_size=5).map(tuple)
    return octet


def pdus(command: type[p.Pdu]):
    fields = {name: values(name, kind) for name, kind in f.fields_of(command).items()}
    return st.builds(command, **fields, **({"tlvs": some_tlvs} if fields else {}))


any_pdu = st.sampled_from(list(p.COMMANDS.values())).flatmap(pdus)


def test_every_command_of_smpp_3_4_is_there():
    codes = {0x80000000, 0x0B, 0x102}  # without a response: generic_nack, outbind, alert_notification
    for code in (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x15, 0x21, 0x103):
        codes |= {code, code | 0x80000000}
    assert set(p.COMMANDS) == codes


@pytest.mark.parametrize("command", p.COMMANDS.values(), ids=lambda c: c.__name__)
def test_decode_of_encode_is_identity(command):
    @settings(max_examples=30)
    @given(pdus(command), st.integers(1, 0x7FFFFFFF), st.integers(0, 2**32 - 1))
    def law(pdu, sequence, status):
        assert p.decode(p.encode(pdu, sequence, status)) == p.Frame(command.command_id, status, sequence, pdu)

    law()


@settings(max_examples=300)
@given(st.sampled_from(list(p.COMMANDS)), st.binary(max_size=120))
def test_any_body_gives_a_value_and_a_request_that_was_read_is_written_back_to_the_byte(command, body):
    frame = f.HEADER.pack(16 + len(body), command, 0, 7) + body
    read = p.decode(frame)
    assert (read.command_id, read.sequence) == (command, 7)
    if isinstance(read.pdu, p.Malformed) or command & f.RESPONSE or not f.fields_of(type(read.pdu)):
        return
    assert p.encode(read.pdu, 7) == frame


@settings(max_examples=200)
@given(st.binary(max_size=80))
def test_any_bytes_give_a_frame(raw):
    assert isinstance(p.decode(raw), p.Frame)


@settings(max_examples=100)
@given(any_pdu, st.data())
def test_a_request_cut_short_is_malformed_and_a_response_is_read_as_far_as_it_goes(pdu, data):
    body = p.encode(pdu, 1)[16:]
    cut = body[: data.draw(st.integers(0, max(0, len(body) - 1)))]
    read = p.decode(f.HEADER.pack(16 + len(cut), pdu.command_id, 0, 1) + cut).pdu
    if pdu.command_id & f.RESPONSE:
        assert type(read) is type(pdu)
    elif body and not pdu.tlvs:
        assert read == p.Malformed(0x02, f"{type(pdu).__name__}: cut short")


def test_fields_do_not_run_into_the_next_frame():
    frame = p.encode(p.SubmitSm(short_message=b"hello"), 1)[:-3]
    buffer = frame + p.encode(p.EnquireLink(), 2)
    read = p.decode_body(4, buffer, buffer.decode("latin-1"), 16, len(frame))
    assert isinstance(read, p.Malformed)


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (b"", 0x02),
        (b"\0" * 15, 0x02),
        (f.HEADER.pack(17, 0x15, 0, 1), 0x02),
        (f.HEADER.pack(16, 0x0A, 0, 1), 0x03),
        (f.HEADER.pack(16, 0x111, 0, 1), 0x03),
        (p.encode(p.SubmitSm(), 1)[:4].replace(b"\x21", b"\x24") + p.encode(p.SubmitSm(), 1)[4:] + b"\0\1\0", 0xC0),
    ],
)
def test_what_is_malformed_says_what_to_answer(frame, error):
    assert p.decode(frame).pdu.error == error


@pytest.mark.parametrize(
    ("body", "message_id"),
    [(b"", ""), (b"abc", "abc"), (b"abc\0", "abc"), (b"abc\0\0", "abc"), (b"abc\0\0\x1e\0", "abc")],
)
def test_the_id_in_a_sloppy_response_is_not_lost(body, message_id):
    assert p.decode(f.HEADER.pack(16 + len(body), 0x80000004, 0, 1) + body).pdu == p.SubmitSmResp(message_id)


@pytest.mark.parametrize("code", [0x15, 0x06, 0x80000000, 0x80000006])
def test_bytes_after_a_bare_header_are_ignored(code):
    assert p.decode(f.HEADER.pack(19, code, 0, 1) + b"abc").pdu == p.COMMANDS[code]()


@pytest.mark.parametrize(
    "pdu",
    [
        p.SubmitSm(destination_addr="336\0 11"),
        p.SubmitSm(source_addr="Café €"),
        p.SubmitSm(esm_class=256),
        p.SubmitSm(esm_class=-1),
        p.SubmitSm(short_message=bytes(256)),
        p.SubmitSm(tlvs=((0x1234, bytes(0x10000)),)),
        p.SubmitMulti(destinations=(p.DistributionList("a\0b"),)),
        p.SubmitMulti(destinations=(p.DistributionList("a"),) * 256),
        p.SubmitMultiResp(unsuccessful=(p.Unsuccessful(1, 1, "336", 2**32),)),
    ],
)
def test_what_the_wire_cannot_carry_is_refused(pdu):
    with pytest.raises(ValueError):
        p.encode(pdu, 1)


def test_names_of_oversized_fields():
    long = p.SubmitSm(source_addr="A" * 21, destination_addr="3" * 20, short_message=bytes(255))
    assert p.oversized(long) == ("source_addr", "short_message")
    assert p.oversized(p.SubmitSm(source_addr="A" * 20, short_message=bytes(254))) == ()
    assert p.oversized(p.EnquireLink()) == ()


def test_a_response_fits_its_request():
    assert p.response_to(0x04) == p.SubmitSmResp()
    assert p.response_to(0x09) == p.BindTransceiverResp()
    assert p.response_to(0x0A) == p.response_to(0x0B) == p.GenericNack()


def test_optional_parameters_by_name():
    optional = p.tlvs(
        receipted_message_id="7",
        message_state=2,
        sar_msg_ref_num=300,
        network_error_code=b"\3\0\1",
        congestion_state=80,
    )
    assert optional == (
        (0x1E, b"7\0"), (0x427, b"\2"), (0x20C, b"\1\x2c"), (0x423, b"\3\0\1"), (0x428, b"P")
    )  # fmt: skip
    pdu = p.DeliverSm(tlvs=((0x1400, b"vendor"), *optional))
    assert p.tlv_text(pdu, "receipted_message_id") == "7"
    assert p.tlv_int(pdu, "sar_msg_ref_num") == 300
    assert p.tlv(pdu, "network_error_code") == b"\3\0\1"
    assert p.tlv(pdu, "message_payload") is p.tlv_int(pdu, "sms_signal") is p.tlv_text(pdu, "callback_num") is None


@pytest.mark.parametrize("values", [{"message_state": 256}, {"message_state": -1}, {"receipted_message_id": "€"}])
def test_an_optional_value_that_does_not_fit_is_refused(values):
    with pytest.raises((ValueError, OverflowError)):
        p.tlvs(**values)


def test_content_is_short_message_or_payload():
    payload = p.tlvs(message_payload=b"long")
    assert p.content(p.SubmitSm(short_message=b"short")) == b"short"
    assert p.content(p.SubmitSm(tlvs=payload)) == p.content(p.DataSm(tlvs=payload)) == b"long"
    assert p.content(p.DataSm()) == b""


# --- against other people's implementations -------------------------------------------------------------------------

SUBMIT = p.SubmitSm(
    "CMT", 5, 0, "Boulangerie", 1, 1, "33612345678", 0x40, 0, 1, "", "000000001000000R", 1, 0, 8, 0,
    "\5\0\3\1\2\1été".encode("latin-1"), p.tlvs(user_message_reference=77),
)  # fmt: skip
RECEIPT = p.DeliverSm(
    "", 1, 1, "33612345678", 5, 0, "Boulangerie", 4, short_message=b"id:7 stat:DELIVRD",
    tlvs=p.tlvs(message_state=2, receipted_message_id="7"),
)  # fmt: skip
EXAMPLES: list[p.Pdu] = [
    p.BindTransmitter("shop", "secret", "VMA", 0x34, 1, 1, ""),
    p.BindReceiver("shop", "secret"),
    p.BindTransceiver("shop", "secret"),
    p.BindTransceiverResp("smsc", p.tlvs(sc_interface_version=0x34)),
    p.BindTransmitterResp("smsc"),
    p.BindReceiverResp("smsc"),
    p.Unbind(),
    p.UnbindResp(),
    p.EnquireLink(),
    p.EnquireLinkResp(),
    p.GenericNack(),
    SUBMIT,
    p.SubmitSmResp("0123456789abcdef"),
    RECEIPT,
    p.DeliverSmResp(""),
    p.DataSm("", 1, 1, "33600", 1, 1, "33611", 0, 1, 0, p.tlvs(message_payload=b"hello")),
    p.DataSmResp("77"),
    p.QuerySm("77", 1, 1, "33600"),
    p.QuerySmResp("77", "", 2, 0),
]
MORE_EXAMPLES: list[p.Pdu] = [  # those that smpplib does not have
    p.Outbind("smsc", "secret"),
    p.CancelSm("", "77", 1, 1, "33600", 1, 1, "33611"),
    p.CancelSmResp(),
    p.AlertNotification(1, 1, "33600", 1, 1, "900", p.tlvs(ms_availability_status=0)),
]
IDS = {"ids": lambda pdu: type(pdu).__name__}


FIVE = SimpleNamespace(sequence=5, next_sequence=lambda: 5)


@pytest.mark.parametrize("pdu", EXAMPLES, **IDS)
def test_smpplib_reads_the_same_fields_and_writes_the_same_bytes(pdu):
    frame = p.encode(pdu, 5)
    other = smpplib.smpp.parse_pdu(frame, client=FIVE, allow_unknown_opt_params=True)
    assert other.sequence == 5
    for name, kind in f.fields_of(type(pdu)).items():
        mine, theirs = getattr(pdu, name), getattr(other, name)
        assert (theirs or b"").decode("latin-1") == mine if kind.size else (theirs or type(mine)()) == mine
    fields = {name: getattr(pdu, name) for name in f.fields_of(type(pdu))}
    again = smpplib.smpp.make_pdu(other.command, client=FIVE, **fields, **NAMED_TLVS.get(pdu, {}))
    assert again.generate() == frame


NAMED_TLVS = {
    SUBMIT: {"user_message_reference": 77},
    RECEIPT: {"receipted_message_id": "7", "message_state": 2},
    EXAMPLES[3]: {"sc_interface_version": 0x34},
    EXAMPLES[15]: {"message_payload": b"hello"},
}


@pytest.mark.parametrize("pdu", EXAMPLES + MORE_EXAMPLES, **IDS)
def test_smpp_pdu3_reads_the_same_fields_and_writes_the_same_bytes(pdu):
    frame = p.encode(pdu, 5)
    other = PDUEncoder().decode(io.BytesIO(frame))
    assert other.seqNum == 5
    for name, kind in f.fields_of(type(pdu)).items():
        theirs = other.params[name]
        if kind.size and isinstance(theirs, bytes | None):
            assert (theirs or b"").decode("latin-1") == getattr(pdu, name)
    assert PDUEncoder().encode(other) == frame
