from __future__ import annotations

from passerelle.simulator.behaviours import script_for
from passerelle.simulator.mailbox import Message
from passerelle.smpp import pdu as p
from passerelle.smpp.receipt import ReportState, parse

NOON = 1_795_176_000.0  # 2026-11-20 12:00 UTC


def message(number, **more):
    submit = p.SubmitSm(
        source_addr="BAKERY",
        source_addr_ton=5,
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr=number,
        registered_delivery=1,
        **more,
    )
    return Message(1, "170000000000001", "bakery", submit, script_for(number), NOON)


def test_a_receipt_goes_back_the_way_the_text_came_with_text_and_parameters_agreeing():
    receipt = message("33639988002", short_message=b"Votre commande est prete, merci").deliver_sm(NOON + 90)
    assert (receipt.source_addr, receipt.source_addr_ton, receipt.source_addr_npi) == ("33639988002", 1, 1)
    assert (receipt.destination_addr, receipt.dest_addr_ton) == ("BAKERY", 5)
    assert receipt.short_message == (
        b"id:170000000000001 sub:001 dlvrd:000 submit date:2611201200 done date:2611201201 stat:UNDELIV err:001 "
        b"text:Votre commande est p"
    )
    report = parse(receipt)
    assert report is not None
    assert (report.operator_id, report.state, report.text_id) == ("170000000000001", ReportState.UNDELIV, "")
    assert p.tlv(receipt, "network_error_code") == b"\x03\x00\x01"


def test_no_unreadable_excerpt_of_ucs2_or_of_parts():
    for more in ({"data_coding": 8}, {"esm_class": 0x40}):
        receipt = message("33612345678", short_message=b"\x05\x00\x03\x01\x02\x01abc", **more).deliver_sm(NOON)
        assert receipt.short_message.endswith(b"text:")


def test_nothing_is_next_when_all_was_told():
    told = message("33639988032")
    assert told.step is not None
    told.stage = 2
    assert told.step is None
