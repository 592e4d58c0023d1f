"""What stands on the wire for a part, and what the wire says: to the octet, and whatever an operator writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.domain.message import DuePart, Inbound, OutcomeKind, PartKey, Receipt, State, TrafficClass
from passerelle.domain.text import Encoding, segment
from passerelle.outbound.smpp_wire import answered, parse, response_to, submit_sm, unwritable
from passerelle.settings import CarrierSettings
from passerelle.smpp import pdu as p
from passerelle.smpp.receipt import ReportState, format_receipt, receipt_tlvs
from passerelle.smpp.session import Answered, Unsent
from passerelle.smpp.status import Status

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
CARRIER = CarrierSettings(name="operator", host="localhost")
PART = DuePart(
    key=PartKey(7, 0x1234, 1), submission_id=0x1234, dialect=1, tag_key="", phone=33639980001, sender="", text="Bonjour",
    encoding=Encoding.GSM, parts=1, traffic=TrafficClass.TRANSACTIONAL, attempts=0, uncertain=False, valid_until=NOW,
    deadline=0.0,
)  # fmt: skip


# --- out -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "address", "ton", "npi"),
    [
        ("", "36000", 3, 0),
        ("BAKERY", "BAKERY", 5, 0),
        ("La Poste", "La Poste", 5, 0),
        ("33639980009", "33639980009", 1, 1),
    ],
)
def test_the_sender_says_what_it_is(sender, address, ton, npi):
    pdu = submit_sm(replace(PART, sender=sender), CARRIER, "36000")
    assert (pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi) == (address, ton, npi)


def test_the_operator_may_want_it_otherwise():
    wanted = CarrierSettings(name="o", host="h", source_ton=0, source_npi=9, dest_ton=2, dest_npi=8)
    pdu = submit_sm(replace(PART, sender="BAKERY"), wanted, "36000")
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.dest_addr_ton, pdu.dest_addr_npi) == (0, 9, 2, 8)


def test_one_part_is_plain_and_asks_for_its_receipt():
    pdu = submit_sm(PART, CARRIER, "36000")
    assert (pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi) == ("33639980001", 1, 1)
    assert (pdu.esm_class, pdu.registered_delivery, pdu.data_coding, pdu.short_message) == (0, 1, 0, b"Bonjour")


@pytest.mark.parametrize(
    ("text", "coding", "octets"),
    [
        ("@£_€", Encoding.GSM, b"\x00\x01\x11\x1b\x65"),
        ("é[", Encoding.GSM, b"\x05\x1b\x3c"),
        ("œ🙂", Encoding.UCS2, b"\x01\x53\xd8\x3d\xde\x42"),
    ],
)
def test_texts_travel_in_their_coding(text, coding, octets):
    pdu = submit_sm(replace(PART, text=text, encoding=coding), CARRIER, "36000")
    assert (pdu.data_coding, pdu.short_message) == (coding, octets)


@pytest.mark.parametrize(("text", "coding"), [("€uro " * 100, Encoding.GSM), ("Œuvre 🙂 " * 30, Encoding.UCS2)])
def test_parts_of_a_long_text_carry_a_header_and_join_again(text, coding):
    pieces = segment(text, coding).parts
    joined = ""
    for number, piece in enumerate(pieces, 1):
        part = replace(PART, key=PartKey(7, 0x1234, number), text=piece, encoding=coding, parts=len(pieces))
        pdu = submit_sm(part, CARRIER, "36000")
        assert pdu.esm_class == 0x40 and len(pdu.short_message) <= (159 if coding == Encoding.GSM else 140)
        assert pdu.short_message[:6] == bytes([5, 0, 3, 0x34, len(pieces), number])
        back = parse(
            p.DeliverSm(source_addr="33639980001", esm_class=0x40, data_coding=coding, short_message=pdu.short_message),
            NOW,
        )
        assert isinstance(back, Inbound) and (back.reference, back.total, back.part) == (0x34, len(pieces), number)
        joined += back.text
    assert joined == text


# --- answers -------------------------------------------------------------------------------------------------------

K = OutcomeKind


@pytest.mark.parametrize(
    ("status", "kind", "bounced"),
    [
        (Status.ESME_ROK, K.SENT, False),
        (Status.ESME_RTHROTTLED, K.THROTTLED, False),
        (Status.ESME_RMSGQFUL, K.THROTTLED, False),
        (Status.ESME_RSYSERR, K.TEMPORARY, False),
        (Status.ESME_RSUBMITFAIL, K.TEMPORARY, False),
        (Status.ESME_RINVBNDSTS, K.TEMPORARY, False),
        (0x500, K.TEMPORARY, False),  # of the vendor: nobody knows, so it is tried again
        (Status.ESME_RINVSRCADR, K.PERMANENT, False),
        (Status.ESME_RINVMSGLEN, K.PERMANENT, False),
        (Status.ESME_RINVDSTADR, K.PERMANENT, True),
    ],
)
def test_what_a_status_makes_of_a_part(status, kind, bounced):
    outcome = answered(Answered(PART, status, p.SubmitSmResp("A1")), NOW)
    assert (outcome.kind, outcome.bounced, outcome.at, outcome.part) == (kind, bounced, NOW, PART)
    assert outcome.operator_id == ("A1" if kind is K.SENT else "")
    assert bool(outcome.error) is (kind is not K.SENT)


def test_an_answer_without_an_id_is_an_answer():
    assert answered(Answered(PART, 0, p.GenericNack()), NOW).operator_id == ""


def test_what_cannot_be_written_is_refused_but_what_came_too_late_goes_back():
    assert unwritable(Unsent(PART, "SubmitSm in state closed")).kind is K.UNSENT
    refused = unwritable(Unsent(PART, "short_message: 300 octets"))
    assert (refused.kind, refused.error) == (K.PERMANENT, "short_message: 300 octets")


# --- in ------------------------------------------------------------------------------------------------------------


def receipt(state: ReportState, error: str = "000", **more) -> p.DeliverSm:
    text = format_receipt("0A1F", state, submitted="2611101000", done="2611101001", error=error)
    return p.DeliverSm(**{"source_addr": "33639980001", "esm_class": 4, "short_message": text} | more)


@pytest.mark.parametrize(
    ("word", "error", "state"),
    [
        (ReportState.DELIVRD, "000", State.DELIVERED),
        (ReportState.UNDELIV, "027", State.UNDELIVERED),
        (ReportState.UNDELIV, "001", State.BOUNCED),
        (ReportState.REJECTD, "013", State.UNDELIVERED),
        (ReportState.EXPIRED, "000", State.UNDELIVERED),
        (ReportState.DELETED, "000", State.UNDELIVERED),
        (ReportState.UNKNOWN, "000", State.UNDELIVERED),
        (ReportState.ACCEPTD, "000", State.SUBMITTED),
        (ReportState.ENROUTE, "000", State.SUBMITTED),
        (ReportState.DELIVRD, "001", State.DELIVERED),
    ],
)
def test_what_a_receipt_says(word, error, state):
    found = parse(receipt(word, error), NOW)
    assert isinstance(found, Receipt)
    assert (found.state, found.phone, found.at, found.error) == (state, 33639980001, NOW, f"{word.value} {error}")
    assert found.operator_ids[0] == "a1f" and {"2591", "0A1F"} <= set(found.operator_ids)


def test_what_stands_in_the_parameters_wins():
    found = parse(receipt(ReportState.UNDELIV, tlvs=receipt_tlvs("77", ReportState.DELIVRD)), NOW)
    assert isinstance(found, Receipt) and (found.operator_ids[0], found.state) == ("77", State.DELIVERED)


def test_a_receipt_in_data_sm():
    found = parse(p.DataSm(source_addr="33639980001", esm_class=4, tlvs=receipt_tlvs("77", ReportState.DELIVRD)), NOW)
    assert isinstance(found, Receipt) and found.operator_ids[0] == "77"
    assert isinstance(response_to(p.DataSm()), p.DataSmResp) and isinstance(response_to(p.DeliverSm()), p.DeliverSmResp)


@pytest.mark.parametrize(
    ("address", "phone"),
    [("33639980001", 33639980001), ("+33639980001", 33639980001), ("0033 6 39", 33639), ("²³1", 1)],
)
def test_who_writes(address, phone):
    found = parse(p.DeliverSm(source_addr=address, destination_addr="36000", short_message=b"STOP"), NOW)
    assert found == Inbound(phone, "36000", "STOP", NOW)


@pytest.mark.parametrize("address", ["", "INFO", "²"])
def test_who_has_no_number_says_nothing(address):
    assert parse(p.DeliverSm(source_addr=address, short_message=b"Bonjour"), NOW) is None


def test_words_that_look_like_a_receipt_are_a_text():
    found = parse(p.DeliverSm(source_addr="33639980001", short_message=b"id:1 stat:DELIVRD"), NOW)
    assert isinstance(found, Inbound)


@settings(max_examples=300)
@given(
    esm_class=st.sampled_from([0, 4, 8, 0x20, 0x40, 0x44, 0xFF]) | st.integers(0, 255),
    coding=st.integers(0, 255),
    octets=st.binary(max_size=254) | st.builds(lambda tail: b"\x05\x00\x03" + tail, st.binary(max_size=40)),
    address=st.text(st.characters(max_codepoint=255), max_size=20),
    tlvs=st.dictionaries(st.sampled_from([0x1E, 0x427, 0x423, 0x424, 0x1400]), st.binary(max_size=30), max_size=4),
)
def test_whatever_comes_is_a_value(esm_class, coding, octets, address, tlvs):
    pdu = p.DeliverSm(
        source_addr=address, destination_addr=address, esm_class=esm_class, data_coding=coding, short_message=octets,
        tlvs=tuple(tlvs.items()),
    )  # fmt: skip
    found = parse(pdu, NOW)
    assert found is None or found.phone >= 0
