"""A killed operator comes back: its journal is copied as it stands at that moment, and another one starts over it."""

from __future__ import annotations

import asyncio
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulator.conftest import quiet
from simulator.peer import bound

from passerelle.simulator.journal import Direction, Journal, read
from passerelle.simulator.phone import PhoneBook
from passerelle.simulator.resume import resume
from passerelle.smpp import pdu as p
from passerelle.smpp.receipt import ReportState, receipt_tlvs
from passerelle.smpp.status import Status

ORDINARY = "33612345678"


@pytest.fixture
def killed(start, tmp_path):
    """Starts an operator with what the other left, as if that one had been killed just now."""
    lives = []

    async def begin(smsc, **options):
        lives.append(smsc)
        journal = tmp_path / f"{len(lives)}.journal"
        shutil.copy(smsc._path, journal)
        return await start(journal, **options)

    return begin


def ident(deliver):
    return deliver.receipted_message_id.rstrip(b"\0").decode()


async def taken(smsc):
    """Until everything sent was answered; more may be due."""
    while smsc.stats()["receipts_acknowledged"] < smsc.stats()["receipts_sent"]:
        await asyncio.sleep(0.005)


async def test_receipts_that_are_owed_come_after_all_and_ids_are_never_used_again(start, killed):
    first, port = await start()
    async with bound(port, "transmitter") as sender:
        for n in range(5):
            sender.submit(f"3361234567{n}")
        names = [(await sender.answer()).message_id.decode() for _ in range(5)]
        second, port = await killed(first)
        assert second.stats()["owed"] == 5
        async with bound(port) as bakery:
            assert {ident(await bakery.delivered()) for _ in range(5)} == set(names)
            bakery.submit(ORDINARY)
            assert (await bakery.answer()).message_id.decode() not in names
            await bakery.delivered()
            await quiet(second)
        third, port = await killed(second)
        assert third.stats()["owed"] == 0
    assert [bubble.text for bubble in third.phones.bubbles("33612345673")] == ["Bonjour"]


async def test_a_refused_receipt_is_still_owed(start, killed):
    first, port = await start(retry_delay=60)
    async with bound(port) as bakery:
        bakery.statuses = [Status.ESME_RX_T_APPN]
        bakery.submit(ORDINARY)
        await bakery.delivered()
        while first.stats()["deliver_refused"] == 0:
            await asyncio.sleep(0.005)
    _, port = await killed(first)
    async with bound(port) as bakery:
        assert (await bakery.delivered()).esm_class == 4


async def test_refusals_are_counted_on(start, killed):
    first, port = await start()
    async with bound(port) as bakery:
        bakery.submit("33639988011")
        assert (await bakery.answer()).status == Status.ESME_RSYSERR
    _, port = await killed(first)
    async with bound(port) as bakery:
        statuses = []
        for _ in range(3):
            bakery.submit("33639988011")
            statuses.append((await bakery.answer()).status)
        assert statuses == [Status.ESME_RSYSERR, 0, Status.ESME_RSYSERR]


async def test_progress_goes_on_where_it_was(start, killed):
    first, port = await start(receipt_delay=0.15)
    async with bound(port) as bakery:
        bakery.submit("33639988035")
        assert (await bakery.delivered()).message_state == 6  # ACCEPTD
        await taken(first)
    _, port = await killed(first)
    async with bound(port) as bakery:
        assert [(await bakery.delivered()).message_state for _ in range(2)] == [1, 2]


async def test_a_submit_whose_answer_was_still_to_come_was_accepted(start, killed):
    first, port = await start(response_delay=60, receipt_delay=60)
    async with bound(port) as bakery:
        for number in (ORDINARY, "33639988020", "33639988010", "33639988021"):
            bakery.submit(number)
        while first._serial < 4:
            await asyncio.sleep(0.005)
        second, port = await killed(first, receipt_delay=0)
    async with bound(port) as bakery:
        assert {(await bakery.delivered()).source_addr.decode() for _ in range(2)} == {ORDINARY, "33639988021"}
        await quiet(second)


async def test_texts_typed_while_nobody_was_there_are_kept_until_taken(start, killed):
    first, port = await start()
    async with bound(port, system_id="clinic"):
        pass
    first.inject(ORDINARY, "36180", "oui")
    first.inject(ORDINARY, "36180", "oui")
    second, port = await killed(first)
    async with bound(port, system_id="clinic") as clinic:
        assert [(await clinic.delivered()).short_message for _ in range(2)] == [b"oui", b"oui"]
        await quiet(second)
    third, _ = await killed(second)
    assert third.stats()["owed"] == 0
    assert [bubble.mine for bubble in third.phones.bubbles(ORDINARY)] == [True, True]


async def test_a_handset_that_answered_does_not_answer_again(start, killed):
    first, port = await start()
    async with bound(port) as bakery:
        bakery.submit("33639988040")
        assert (await bakery.delivered()).esm_class == 4
        assert (await bakery.delivered()).short_message == b"STOP"
        await quiet(first)
    second, _ = await killed(first)
    assert second.stats()["owed"] == 0
    assert len(second.phones.bubbles("33639988040")) == 2


async def test_submits_out_of_turn_are_counted_alike(start, killed):
    first, port = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    submits = [p.encode(p.SubmitSm(destination_addr=ORDINARY), n) for n in range(2, 7)]
    writer.write(submits[0] + p.encode(p.BindTransmitter(system_id="bakery"), 1))  # too early
    await reader.readuntil(b"SIM\0")
    short = submits[1][:3] + bytes([20]) + submits[1][4:20]
    writer.write(short + submits[2] + submits[3] + p.encode(p.Unbind(), 9) + submits[4])  # and too late
    await reader.read()
    writer.close()
    assert first._serial == 4
    second, _ = await killed(first)
    assert (second._serial, second._first_id) == (4, first._first_id)
    assert len(second.phones.bubbles(ORDINARY)) == len(first.phones.bubbles(ORDINARY)) == 2


def journal_of(path, submits):
    """A session in which every second submit got its receipt, one read a PDU; returns what each PDU means."""
    journal = Journal(path)

    def note(direction, frame):
        journal.append(direction, 1, frame)
        journal.flush()

    note(Direction.IN, p.encode(p.BindTransceiver(system_id="bakery"), 1))
    note(Direction.OUT, p.encode(p.BindTransceiverResp(system_id="SIM"), 1))
    for n in range(1, submits + 1):
        note(Direction.IN, p.encode(p.SubmitSm(destination_addr=f"3361234{n:04}", registered_delivery=1), n + 1))
        note(Direction.OUT, p.encode(p.SubmitSmResp(str(1000 + n)), n + 1))
        if n % 2:
            receipt = p.DeliverSm(esm_class=4, tlvs=receipt_tlvs(str(1000 + n), ReportState.DELIVRD))
            note(Direction.OUT, p.encode(receipt, n))
            note(Direction.IN, p.encode(p.DeliverSmResp(), n))
    journal.close()


@settings(max_examples=40, deadline=None)
@given(where=st.floats(0, 1))
def test_whatever_is_torn_off_the_end_what_is_left_is_told_right(where, tmp_path_factory):
    path = tmp_path_factory.mktemp("torn") / "j"
    journal_of(path, 6)
    whole = path.read_bytes()
    path.write_bytes(whole[: 16 + int(where * (len(whole) - 16))])
    seen = [type(p.decode(record.pdu).pdu).__name__ for record in read(path)]
    past = resume(read(path), 1000, PhoneBook())
    assert past.serial == seen.count("SubmitSm")
    assert len(past.owed) == seen.count("SubmitSm") - seen.count("DeliverSmResp")
