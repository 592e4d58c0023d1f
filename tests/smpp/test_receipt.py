import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.smpp.pdu import DataSm, DeliverSm, tlvs
from passerelle.smpp.receipt import (
    STATE_CODES,
    DeliveryReport,
    ReportState,
    format_receipt,
    id_forms,
    parse,
    parse_text,
    receipt_tlvs,
)

STANDARD = (
    b"id:0123456789 sub:001 dlvrd:001 submit date:2401151230 done date:2401151231 stat:DELIVRD err:000 text:Hello"
)


def receipt(text: bytes, esm_class: int = 0x04, **optional) -> DeliverSm:
    return DeliverSm(esm_class=esm_class, short_message=text, tlvs=tlvs(**optional))


@pytest.mark.parametrize(
    ("text", "operator_id", "state", "error", "done_at"),
    [
        (STANDARD, "0123456789", "DELIVRD", "000", "2401151231"),
        (b"id:7 stat:UNDELIV", "7", "UNDELIV", "", ""),
        (b"ID:7 STAT:EXPIRED ERR:027", "7", "EXPIRED", "027", ""),
        (b"stat:REJECTD err:88 id:a-b", "a-b", "REJECTD", "88", ""),
        (b"id: 7 stat: DELIVERED error: 0 done_date: 20240115123100", "7", "DELIVRD", "0", "20240115123100"),
        (b"id=7 status=Undeliverable err=1B", "7", "UNDELIV", "1B", ""),
        (b"id:7 sub:1 done date:2024-01-15 12:31:00 stat:DELETED", "7", "DELETED", "", "2024-01-15 12:31:00"),
        (b"id:7\tstat:ACCEPTED\r\nerr:0", "7", "ACCEPTD", "0", ""),
        (b"id:7 stat:BUFFERED", "7", "ENROUTE", "", ""),
        (b"id:7 stat:FAILED", "7", "UNDELIV", "", ""),
        (b"id:7 stat:???", "7", "UNKNOWN", "", ""),
        (b"id:7 err:000", "7", "UNKNOWN", "000", ""),
        (b"id:7 stat:DELIVRD err:000 text:id:8 stat:UNDELIV err:99", "7", "DELIVRD", "000", ""),
        (b"text:hello id:7 stat:DELIVRD", "7", "DELIVRD", "", ""),
        (b"id:7 stat:DELIVRD\0", "7", "DELIVRD", "", ""),
        ("id:7 stat:DELIVRD err:5".encode("utf-16-be"), "7", "DELIVRD", "5", ""),
    ],
)
def test_the_text_of_a_receipt(text, operator_id, state, error, done_at):
    assert parse(receipt(text)) == DeliveryReport(operator_id, ReportState(state), error, done_at, text)


def test_optional_parameters_win_over_the_text():
    report = parse(receipt(b"id:123 stat:ENROUTE", receipted_message_id="7B", message_state=2))
    assert (report.operator_id, report.text_id, report.state) == ("7B", "123", ReportState.DELIVRD)


def test_a_receipt_may_be_optional_parameters_alone():
    optional = tlvs(receipted_message_id="7B", message_state=5, network_error_code=b"\x03\x00\x11")
    for pdu in (DeliverSm(esm_class=4, tlvs=optional), DataSm(tlvs=optional)):
        assert parse(pdu) == DeliveryReport("7B", ReportState.UNDELIV, "3:17")


def test_the_text_may_travel_as_payload():
    assert parse(receipt(b"", message_payload=STANDARD)).operator_id == "0123456789"


@pytest.mark.parametrize(
    ("esm_class", "text"), [(0x00, b"hello"), (0x00, STANDARD), (0x40, STANDARD), (0x04, b"hello"), (0x08, STANDARD)]
)
def test_what_is_no_receipt(esm_class, text):
    assert parse(receipt(text, esm_class)) is None


@pytest.mark.parametrize(
    ("text", "found"), [(STANDARD, True), (b"id:7 and no state", False), (b"hello", False), (b"stat:DELIVRD", False)]
)
def test_an_operator_whose_text_is_trusted(text, found):
    assert (parse(receipt(text, 0x00), trust_text=True) is not None) is found


def test_an_intermediate_notification_is_not_final():
    assert not parse(receipt(b"id:7 stat:ENROUTE", 0x20)).final
    assert parse(receipt(STANDARD)).final


@pytest.mark.parametrize("state", ReportState)
def test_what_the_simulator_writes_is_read_back(state):
    text = format_receipt(
        "9f", state, submitted="2401151230", done="2401151231", error="011", text=b"id:1 stat:UNDELIV"
    )
    bare = parse(receipt(text))
    assert bare == DeliveryReport("9f", state, "011", "2401151231", text)
    assert parse(DeliverSm(esm_class=4, short_message=text, tlvs=receipt_tlvs("9f", state))) == bare


def test_every_state_has_its_code():
    assert STATE_CODES == {
        ReportState.ENROUTE: 1, ReportState.DELIVRD: 2, ReportState.EXPIRED: 3, ReportState.DELETED: 4,
        ReportState.UNDELIV: 5, ReportState.ACCEPTD: 6, ReportState.UNKNOWN: 7, ReportState.REJECTD: 8,
    }  # fmt: skip


@settings(max_examples=200)
@given(
    st.binary(max_size=200),
    st.integers(0, 255),
    st.lists(st.tuples(st.sampled_from([0x1E, 0x423, 0x427]), st.binary())),
)
def test_any_message_gives_a_report_or_none(text, esm_class, optional):
    pdu = DeliverSm(esm_class=esm_class, short_message=text, tlvs=tuple(optional))
    report = parse(pdu, trust_text=True)
    assert report is None or report.ids


@settings(max_examples=100)
@given(st.text())
def test_any_text_has_fields(text):
    assert all(isinstance(value, str) for value in parse_text(text).values())


# --- the id of a response against the id of a receipt --------------------------------------------------------------


@pytest.mark.parametrize(
    ("in_response", "in_receipt"),
    [
        ("1A2B", "6699"),
        ("6699", "1A2B"),
        ("6699", "1a2b"),
        ("1A2B", "1a2b"),
        ("1a2b", "1A2B"),
        ("0000001A2B", "1A2B"),
        ("1A2B", "0000001a2b"),
        ("0000001A2B", "6699"),
        ("0012", "12"),
        ("12", "0012"),
        ("0012", "18"),
        ("18", "0012"),
        ("18446744073709551615", "FFFFFFFFFFFFFFFF"),
        ("9223372036854775808", "8000000000000000"),
        ("0", "00000000"),
        ("7f9c-AB12", "7F9C-ab12"),
        ("msg_Ab9Z", "msg_Ab9Z"),
        (" 42 ", "42"),
    ],
)
def test_an_id_is_found_under_another_spelling(in_response, in_receipt):
    assert id_forms(in_response)[0] in id_forms(in_receipt)


@settings(max_examples=200)
@given(st.integers(0, 2**64 - 1), st.sampled_from(["d", "x", "X", "012d", "016x", "016X"]), st.data())
def test_every_spelling_of_a_number_finds_it(number, given_as, data):
    comes_as = data.draw(st.sampled_from(["d", "x", "X", "020d", "016x", "016X"]))
    assert id_forms(format(number, given_as))[0] in id_forms(format(number, comes_as))


@pytest.mark.parametrize(("one", "other"), [("msg_Ab9Z", "msg_aB9z"), ("12", "13"), ("AB", "AC"), ("x12", "12")])
def test_ids_that_differ_stay_apart(one, other):
    assert id_forms(one)[0] not in id_forms(other)


def test_the_canonical_form_comes_first_and_none_twice():
    assert id_forms("00001A2B") == ("1a2b", "6699", "1A2B", "00001A2B")
    assert id_forms("7") == ("7",)


@settings(max_examples=100)
@given(st.text() | st.text("0123456789abcdefABCDEF-", max_size=5000))
def test_any_id_has_forms(operator_id):
    forms = id_forms(operator_id)
    assert forms and len(set(forms)) == len(forms)


def test_a_very_long_number_is_taken_as_it_stands():
    assert id_forms("9" * 6000) == ("9" * 6000,)


def test_a_report_offers_the_forms_of_both_its_ids():
    report = DeliveryReport("7B", ReportState.DELIVRD, text_id="0042")
    assert report.ids[0] == "7b" and {"123", "42"} <= set(report.ids)
