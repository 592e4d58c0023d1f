"""The operator against smpplib, an independent client."""

from __future__ import annotations

import asyncio
import re

import pytest
import smpplib.exceptions
from simulator.conftest import quiet
from simulator.peer import Esme, bound

from passerelle.domain.text import Encoding, encode, segment, udh
from passerelle.simulator.behaviours import LONG_REPLY
from passerelle.simulator.journal import Direction, read
from passerelle.simulator.smsc import NobodyBound, mobile_originated
from passerelle.smpp import pdu as p
from passerelle.smpp.status import Status

ORDINARY = "33612345678"


def receipt(deliver):
    """(id, state, err) of a deliver_sm, as another implementation decoded it."""
    assert deliver.esm_class == 4
    found = re.fullmatch(
        r"id:(\S+) sub:001 dlvrd:\d{3} submit date:\d{10} done date:\d{10} stat:(\w+) err:(\d{3}) text:.*",
        deliver.short_message.decode("latin-1"),
        re.DOTALL,
    )
    assert deliver.receipted_message_id.rstrip(b"\0").decode() == found[1]
    return found.groups()


def screen(smsc, number):
    return [(bubble.mine, bubble.party, bubble.text) for bubble in smsc.phones.bubbles(number)]


async def test_a_text_is_accepted_delivered_shown_and_reported(start):
    smsc, port = await start()
    async with bound(port) as bakery:
        sequence = bakery.submit(ORDINARY, "Prêt à 9 h".encode("latin-1"), data_coding=3)
        answer = await bakery.answer()
        assert (answer.sequence, answer.status) == (sequence, 0)
        report = await bakery.delivered()
        assert receipt(report) == (answer.message_id.decode(), "DELIVRD", "000")
        assert (report.source_addr.decode(), report.destination_addr.decode()) == (ORDINARY, "BAKERY")
    assert screen(smsc, ORDINARY) == [(False, "BAKERY", "Prêt à 9 h")]


@pytest.mark.parametrize(
    ("number", "states", "shown"),
    [
        ("33639988000", [("DELIVRD", "000")], True),
        ("33639988001", [("UNDELIV", "027")], False),
        ("33639988002", [("UNDELIV", "001")], False),
        ("33639988003", [("REJECTD", "013")], False),
        ("33639988004", [("EXPIRED", "027")], False),
        ("33639988032", [("DELIVRD", "000"), ("DELIVRD", "000")], True),
        ("33639988035", [("ACCEPTD", "000"), ("ENROUTE", "000"), ("DELIVRD", "000")], True),
    ],
)
async def test_magic_numbers_that_end_one_way_or_another(start, number, states, shown):
    smsc, port = await start()
    async with bound(port) as bakery:
        bakery.submit(number)
        answer = await bakery.answer()
        name = answer.message_id.decode()
        assert [receipt(await bakery.delivered()) for _ in states] == [(name, *state) for state in states]
        await quiet(smsc)
        assert bakery.waiting() == (0, 0)
    assert bool(screen(smsc, number)) is shown


@pytest.mark.parametrize("number", ["33639988010", "33639988014"])
async def test_magic_numbers_that_are_always_refused(start, number):
    smsc, port = await start()
    status = {"33639988010": Status.ESME_RINVDSTADR, "33639988014": Status.ESME_RSYSERR}[number]
    async with bound(port) as bakery:
        for _ in range(4):
            bakery.submit(number)
            assert (await bakery.answer()).status == status
    assert not screen(smsc, number)


@pytest.mark.parametrize(
    ("number", "status"),
    [
        ("33639988011", Status.ESME_RSYSERR),
        ("33639988012", Status.ESME_RMSGQFUL),
        ("33639988013", Status.ESME_RTHROTTLED),
    ],
)
async def test_magic_numbers_that_are_refused_twice(start, number, status):
    smsc, port = await start()
    async with bound(port) as bakery:
        for expected in (status, status, 0, status):  # and then from the start
            bakery.submit(number)
            assert (await bakery.answer()).status == expected
        assert receipt(await bakery.delivered())[1] == "DELIVRD"
    assert len(screen(smsc, number)) == 1


async def test_the_silent_number_says_nothing_and_the_link_goes_on(start):
    smsc, port = await start()
    async with bound(port) as bakery:
        bakery.submit("33639988020")
        bakery.submit(ORDINARY)
        assert receipt(await bakery.delivered())[0] == (await bakery.answer()).message_id.decode()
        assert bakery.waiting() == (0, 0)
    assert not screen(smsc, "33639988020")


async def test_the_answer_is_lost_but_the_receipt_comes(start):
    smsc, port = await start()
    async with bound(port) as bakery:
        bakery.submit("33639988021")
        assert receipt(await bakery.delivered())[1] == "DELIVRD"
        assert bakery.waiting() == (0, 0)
    assert len(screen(smsc, "33639988021")) == 1


async def test_the_receipt_comes_before_the_answer(start):
    _, port = await start()
    async with bound(port) as bakery:
        bakery.submit("33639988030")
        name = receipt(await bakery.delivered())[0]
        assert bakery.waiting() == (0, 0)
        assert (await bakery.answer()).message_id.decode() == name


async def test_the_receipt_comes_late(start):
    _, port = await start(late_delay=0.3)
    async with bound(port) as bakery:
        bakery.submit("33639988031")
        await bakery.answer()
        began = asyncio.get_running_loop().time()
        await bakery.delivered()
        assert asyncio.get_running_loop().time() - began > 0.25


async def test_the_receipt_never_comes(start):
    smsc, port = await start()
    async with bound(port) as bakery:
        bakery.submit("33639988033")
        await bakery.answer()
        assert smsc.stats()["owed"] == 0
    assert len(screen(smsc, "33639988033")) == 1


async def test_the_receipt_names_the_message_in_hexadecimal(start):
    _, port = await start()
    async with bound(port) as bakery:
        bakery.submit("33639988034")
        decimal = (await bakery.answer()).message_id.decode()
        name = receipt(await bakery.delivered())[0]
        assert int(name, 16) == int(decimal)
        assert name != decimal


@pytest.mark.parametrize(("number", "reply"), [("33639988040", b"STOP"), ("33639988041", b"OUI")])
async def test_handsets_that_answer(start, number, reply):
    _, port = await start()
    async with bound(port) as bakery:
        bakery.submit(number, registered_delivery=0)
        text = await bakery.delivered()
        assert (text.source_addr.decode(), text.destination_addr.decode()) == (number, "BAKERY")
        assert (text.short_message, text.esm_class) == (reply, 0)


async def test_a_long_text_is_answered_once_and_at_length(start):
    smsc, port = await start()
    parts = segment("Boulangerie Martin. " * 10, Encoding.GSM).parts
    async with bound(port) as bakery:
        for part, piece in enumerate(parts, 1):
            body = udh(9, len(parts), part) + encode(piece, Encoding.GSM)
            bakery.submit("33639988042", body, esm_class=0x40, registered_delivery=0)
        texts = [await bakery.delivered() for _ in range(2)]
        assert [text.short_message[:3] + text.short_message[4:6] for text in texts] == [
            bytes((5, 0, 3, 2, part)) for part in (1, 2)
        ]
        assert len({text.short_message[3] for text in texts}) == 1
        assert bakery.waiting()[1] == 0
    (sent, answered) = smsc.phones.bubbles("33639988042")
    assert (sent.text, sent.parts) == ("Boulangerie Martin. " * 10, 2)
    assert answered.text == LONG_REPLY


async def test_a_text_in_message_payload_and_in_ucs2(start):
    smsc, port = await start()
    async with bound(port) as bakery:
        text = "Приходите завтра 🥐"
        bakery.submit(ORDINARY, None, message_payload=text.encode("utf-16-be"), data_coding=8)
        assert receipt(await bakery.delivered())[1] == "DELIVRD"
    assert screen(smsc, ORDINARY) == [(False, "BAKERY", text)]


async def test_receipts_wait_for_a_bind_that_can_take_them(start):
    smsc, port = await start()
    async with bound(port, "transmitter") as sender:
        sender.submit(ORDINARY)
        name = (await sender.answer()).message_id.decode()
        async with bound(port, system_id="clinic"):
            assert smsc.stats()["owed"] == 1  # not to another account
        async with bound(port, "receiver") as taker:
            assert receipt(await taker.delivered())[0] == name
        assert sender.waiting() == (0, 0)


async def test_a_window_is_respected_and_everything_arrives_once(start):
    smsc, port = await start(window=3)
    async with bound(port) as bakery:
        for n in range(40):
            bakery.submit(f"336390000{n:02}")
        names = {(await bakery.answer()).message_id.decode() for _ in range(40)}
        assert {receipt(await bakery.delivered())[0] for _ in range(40)} == names
        assert bakery.waiting() == (0, 0)
    records = list(read(smsc._path))
    in_flight = most = 0
    for record in records:
        command = p.decode(record.pdu).pdu
        in_flight += isinstance(command, p.DeliverSm) - isinstance(command, p.DeliverSmResp)
        most = max(most, in_flight)
    assert most <= 3 < len(names)


async def test_a_receipt_that_is_refused_comes_again(start):
    smsc, port = await start()
    async with bound(port) as bakery:
        bakery.statuses = [Status.ESME_RTHROTTLED, Status.ESME_RX_T_APPN]
        bakery.submit(ORDINARY)
        name = (await bakery.answer()).message_id.decode()
        assert [receipt(await bakery.delivered())[0] for _ in range(3)] == [name] * 3
    assert smsc.stats()["deliver_refused"] == 2


async def test_a_receipt_that_is_not_answered_comes_again_on_another_bind(start):
    smsc, port = await start()
    line = await asyncio.open_connection("127.0.0.1", port)
    line[1].write(p.encode(p.BindTransceiver(system_id="bakery"), 1))
    line[1].write(p.encode(p.EnquireLink(), 2))
    await line[0].readexactly(16)
    await asyncio.sleep(0)
    line[1].write(p.encode(p.SubmitSm(destination_addr=ORDINARY, registered_delivery=1), 3))
    while smsc.stats()["receipts_sent"] == 0:
        await asyncio.sleep(0.005)
    line[1].close()  # with the receipt in flight
    async with bound(port) as bakery:
        assert receipt(await bakery.delivered())[1] == "DELIVRD"


async def test_answers_are_slow_when_told_so_and_still_in_order(start):
    _, port = await start(response_delay=0.2)
    async with bound(port) as bakery:
        began = asyncio.get_running_loop().time()
        sent = [bakery.submit(ORDINARY, registered_delivery=0) for _ in range(5)]
        assert [(await bakery.answer()).sequence for _ in sent] == sent
        assert 0.2 <= asyncio.get_running_loop().time() - began < 1


async def test_a_rate_throttles_what_exceeds_it(start):
    smsc, port = await start(rate=10)
    async with bound(port) as bakery:
        for _ in range(30):
            bakery.submit(ORDINARY, registered_delivery=0)
        statuses = [(await bakery.answer()).status for _ in range(30)]
    assert 10 <= statuses.count(0) < 25
    assert statuses.count(Status.ESME_RTHROTTLED) == 30 - statuses.count(0) == smsc.stats()["throttled"]


async def test_only_known_passwords_when_told_so(start):
    _, port = await start(passwords={"bakery": "secret"})
    for credentials, code in (({"password": "guess"}, 0x0E), ({"system_id": "mallory"}, 0x0F)):
        with pytest.raises(smpplib.exceptions.PDUError) as refused:
            await Esme(port, **credentials).bind()
        assert refused.value.args[1] == code
    async with bound(port) as bakery:
        bakery.submit(ORDINARY)
        assert (await bakery.answer()).status == 0


async def test_a_text_typed_by_hand_goes_to_the_account_that_uses_the_sender(start):
    smsc, port = await start()
    with pytest.raises(NobodyBound):
        smsc.inject(ORDINARY, "BAKERY", "STOP")
    async with bound(port) as bakery, bound(port, system_id="clinic") as clinic:
        bakery.submit(ORDINARY, registered_delivery=0)
        clinic.submit("33612340000", source_addr="CLINIC", registered_delivery=0)
        await bakery.answer(), await clinic.answer()
        assert smsc.inject("+" + ORDINARY, "BAKERY", "stop €") == 1
        assert (await bakery.delivered()).short_message == b"stop \x1be"
        smsc.inject(ORDINARY, "CLINIC", "oui")
        assert (await clinic.delivered()).short_message == b"oui"
        smsc.inject(ORDINARY, "36180", "STOP")  # nobody's sender: to whoever texted the number
        assert (await bakery.delivered()).destination_addr == b"36180"
        smsc.inject("33699999999", "36180", "STOP")  # a stranger's: to whoever bound last
        assert (await clinic.delivered()).source_addr == b"33699999999"
        assert bakery.waiting() == clinic.waiting() == (0, 0)
    assert screen(smsc, ORDINARY)[-1] == (True, "36180", "STOP")


def test_a_long_reply_is_cut_into_parts_that_fit():
    for text, coding in (("é" * 400, 0), ("ж" * 200, 8)):
        parts = mobile_originated(ORDINARY, "36180", text, 300)
        assert len(parts) == 3
        assert {part.data_coding for part in parts} == {coding}
        assert all(len(part.short_message) <= 6 + 153 for part in parts)
        assert [part.short_message[:6] for part in parts] == [bytes((5, 0, 3, 44, 3, n)) for n in (1, 2, 3)]
        assert {(part.dest_addr_ton, part.dest_addr_npi) for part in parts} == {(3, 0)}


async def test_what_it_cannot_do_is_said_and_nonsense_ends_the_link(start):
    _, port = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for sequence, request in enumerate((p.SubmitSm(), p.BindTransceiver(system_id="x"), p.QuerySm(), p.EnquireLink())):
        writer.write(p.encode(request, sequence + 1))
        header = await reader.readexactly(16)
        await reader.readexactly(int.from_bytes(header[:4], "big") - 16)
        expected = {1: Status.ESME_RINVBNDSTS, 3: Status.ESME_RINVCMDID}.get(sequence + 1, 0)
        assert int.from_bytes(header[8:12], "big") == expected
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert await reader.read() == b""
    writer.close()


async def test_the_journal_holds_each_pdu_before_it_is_answered(start):
    smsc, port = await start()
    async with bound(port) as bakery:
        bakery.submit(ORDINARY, b"temoin")
        answer = await bakery.answer()
        await bakery.delivered()
        records = list(read(smsc._path))  # while it runs
    commands = [(record.direction, type(p.decode(record.pdu).pdu)) for record in records[:5]]
    assert commands == [
        (Direction.IN, p.BindTransceiver),
        (Direction.OUT, p.BindTransceiverResp),
        (Direction.IN, p.SubmitSm),
        (Direction.OUT, p.SubmitSmResp),
        (Direction.OUT, p.DeliverSm),
    ]
    assert p.decode(records[3].pdu).pdu.message_id == answer.message_id.decode()
