"""One bind over a real socket: it comes up, comes back, gives every part back once, and answers when it may."""

from __future__ import annotations

import asyncio
import time

import pytest
from outbound.peer import carrying, listening, part, until

from passerelle.domain.message import OutcomeKind, State
from passerelle.outbound.smpp_bind import RECONNECT
from passerelle.smpp import pdu as p
from passerelle.smpp.receipt import ReportState, format_receipt
from passerelle.smpp.session import Received
from passerelle.smpp.status import Status

K = OutcomeKind


@pytest.mark.parametrize(
    ("kind", "pdu", "slots"),
    [("transceiver", p.BindTransceiver, 200), ("transmitter", p.BindTransmitter, 200), ("receiver", p.BindReceiver, 0)],
)
async def test_it_binds_as_the_settings_say(kind, pdu, slots):
    async with listening() as peer, carrying(peer.port, bind=kind, password="secret", system_type="VMA") as line:
        (bind,) = peer.binds
        assert type(bind) is pdu
        assert (bind.system_id, bind.password, bind.system_type) == ("us", "secret", "VMA")
        assert line.carrier.state(0) == (True, "") and line.carrier.free_slots() == slots
        assert line.woken, "who waits for a bind hears of it"


# --- it does not come up -------------------------------------------------------------------------------------------


async def test_a_refused_bind_says_why_and_tries_again_later():
    async with listening(bind_status=Status.ESME_RINVPASWD) as peer, carrying(peer.port, up=False) as line:
        await until(lambda: peer.closed())
        assert line.carrier.state(0) == (False, "refused: ESME_RINVPASWD") and line.carrier.free_slots() == 0
        peer.bind_status, first = 0, time.monotonic()
        await until(lambda: line.carrier.state(0) == (True, ""))
        assert time.monotonic() - first > RECONNECT[1] * 0.8
    assert sorted(RECONNECT) == list(RECONNECT) and RECONNECT[-1] <= 60


async def test_nobody_there_is_told():
    async with listening() as peer:
        port = peer.port
    async with carrying(port, up=False) as line:
        await until(lambda: line.carrier.state(0)[1].startswith("cannot connect"))


async def test_an_operator_that_hangs_up_at_once_is_tried_again():
    async with listening(closing=True) as peer, carrying(peer.port, up=False) as line:
        await until(lambda: line.carrier.state(0)[1].startswith("lost"))
        peer.closing = False
        await until(lambda: line.carrier.state(0)[0])


async def test_what_cannot_stand_in_a_bind_is_told():
    async with listening() as peer, carrying(peer.port, up=False, system_id="日本") as line:
        await until(lambda: line.carrier.state(0)[1].startswith("cannot connect"))


# --- parts ---------------------------------------------------------------------------------------------------------


async def test_parts_leave_in_order_and_their_answers_come_back():
    async with listening() as peer, carrying(peer.port) as line:
        parts = [part(number) for number in range(1, 6)]
        line.carrier.submit(parts)
        await until(lambda: len(line.outcomes()) == 5)
        assert [pdu.destination_addr for _, _, pdu in peer.submits] == [str(one.phone) for one in parts]
        assert [(o.part, o.kind, o.operator_id) for o in line.told] == [
            (one, K.SENT, f"id{n}") for n, one in enumerate(parts)
        ]
        assert {one.begun_at for one in parts} == {line.carrier.now()}


async def test_nothing_is_written_after_the_lease():
    async with listening() as peer, carrying(peer.port) as line:
        late, good = part(1, deadline=time.monotonic() - 0.001), part(2)
        line.carrier.submit([late, good])
        await until(lambda: len(line.outcomes()) == 2)
        assert {o.part.key.message_id: o.kind for o in line.told} == {1: K.UNSENT, 2: K.SENT}
        assert [pdu.destination_addr for _, _, pdu in peer.submits] == [str(good.phone)]


@pytest.mark.parametrize("bad", [part(2, "x" * 300), part(2, "日本"), part(2, sender="日本")])
async def test_one_part_that_cannot_be_written_is_refused_and_its_neighbours_go(bad):
    bad.deadline = time.monotonic() + 60
    async with listening() as peer, carrying(peer.port) as line:
        line.carrier.submit([part(1), bad, part(3)])
        await until(lambda: len(line.outcomes()) == 3)
        assert {o.part.key.message_id: o.kind for o in line.told} == {1: K.SENT, 2: K.PERMANENT, 3: K.SENT}
        assert next(o for o in line.told if o.part is bad).error and len(peer.submits) == 2


async def test_a_lost_connection_leaves_every_part_unknown_and_binds_again():
    async with listening(answering=False) as peer, carrying(peer.port) as line:
        line.carrier.submit([part(1), part(2)])
        await until(lambda: len(peer.submits) == 2)
        woken = len(line.woken)
        peer.links[0].abort()
        await until(lambda: len(line.outcomes()) == 2)
        assert [(o.kind, o.part.key.message_id) for o in line.told] == [(K.UNKNOWN, 1), (K.UNKNOWN, 2)]
        assert len(line.woken) > woken and line.carrier.state(0)[1].startswith("lost")
        assert line.carrier.free_slots() == 0 and line.carrier.in_flight() == 0
        await until(lambda: line.carrier.state(0) == (True, ""))
        assert line.carrier.free_slots() == 200 and len(peer.binds) == 2


async def test_an_answer_that_does_not_come_is_unknown_and_once_only():
    async with listening(answering=False) as peer, carrying(peer.port, response_timeout_seconds=1) as line:
        line.carrier.submit([part(1)])
        await until(lambda: line.outcomes())
        assert [o.kind for o in line.told] == [K.UNKNOWN]
        peer.answer(0)  # too late: nobody waits for it
        peer.answering = True
        line.carrier.submit([part(2)])
        await until(lambda: len(line.outcomes()) == 2)
        assert [(o.kind, o.part.key.message_id) for o in line.told] == [(K.UNKNOWN, 1), (K.SENT, 2)]


async def test_an_operator_that_unbinds_is_bound_to_again():
    async with listening() as peer, carrying(peer.port) as line:
        peer.links[0].close()
        await until(lambda: len(peer.binds) == 2)
        await until(lambda: line.carrier.state(0)[0])


# --- the end -------------------------------------------------------------------------------------------------------


async def test_closing_waits_for_answers_then_unbinds():
    async with listening(answering=False) as peer, carrying(peer.port) as line:
        line.carrier.submit([part(1)])
        await until(lambda: peer.submits)
        bind = line.carrier._binds[0]
        closing = asyncio.create_task(line.carrier.close(0))
        await until(lambda: bind.free == 0)
        assert not closing.done()
        peer.answer(0)
        await closing
        assert [o.kind for o in line.outcomes()] == [K.SENT]
        await until(lambda: peer.closed())
        assert len(peer.binds) == 1 and line.carrier.state(0) == (False, "")


async def test_what_is_dropped_is_cut_and_stays_away():
    async with listening(answering=False) as peer, carrying(peer.port) as line:
        line.carrier.submit([part(1)])
        await until(lambda: peer.submits)
        line.carrier.drop(0)
        await until(lambda: peer.closed())
        assert [o.kind for o in line.outcomes()] == [K.UNKNOWN]
        assert line.carrier.free_slots() == 0
        unbinds = [e for e in peer.seen if isinstance(e, Received) and isinstance(e.pdu, p.Unbind)]
        assert not unbinds and len(peer.binds) == 1


async def test_a_bind_that_never_came_up_can_be_left():
    async with listening() as peer:
        port = peer.port
    async with carrying(port, up=False) as line:
        await line.carrier.close(0)
        line.carrier.drop(0)
        await line.carrier.close(0)


# --- what comes in -------------------------------------------------------------------------------------------------


async def test_what_comes_in_is_answered_only_when_it_is_on_disk():
    async with listening() as peer, carrying(peer.port) as line:
        peer.deliver(1, short_message=b"STOP")
        peer.deliver(2, esm_class=4, short_message=format_receipt("id0", ReportState.DELIVRD, submitted="", done=""))
        await until(lambda: line.receipts() and line.texts())
        assert (line.texts()[0].text, line.texts()[0].recipient) == ("STOP", "36000")
        assert line.receipts()[0].state is State.DELIVERED
        line.carrier.submit([part(1)])  # a round trip later there is still no answer
        await until(lambda: line.outcomes())
        assert peer.acknowledged == []
        for one in line.came:
            one.acknowledge()
        await until(lambda: peer.acknowledged == [1, 2])


async def test_what_says_nothing_is_answered_all_the_same():
    async with listening() as peer, carrying(peer.port) as line:
        peer.deliver(1, source_addr="INFO")
        await until(lambda: line.arrived())
        assert not line.receipts() and not line.texts()
        line.came[0].acknowledge()
        await until(lambda: peer.acknowledged == [1])


async def test_an_answer_for_a_connection_that_is_gone_is_kept_to_ourselves():
    async with listening() as peer, carrying(peer.port) as line:
        peer.deliver(1, short_message=b"Bonjour")
        await until(lambda: line.texts())
        peer.links[0].abort()
        await until(lambda: line.carrier.state(0)[1].startswith("lost"))
        line.came[0].acknowledge()
        await until(lambda: line.carrier.state(0)[0])
        peer.deliver(1, short_message=b"Bonjour")  # again, as operators do
        await until(lambda: len(line.texts()) == 2)


async def test_nothing_that_an_operator_writes_ends_the_connection():
    async with listening() as peer, carrying(peer.port) as line:
        odd = [
            {"source_addr": "²", "short_message": b"?"},
            {"esm_class": 0x40, "short_message": b"\x05\x00\x03\x01"},
            {"esm_class": 0x40, "short_message": b""},
            {"data_coding": 8, "short_message": b"\xd8"},
            {"data_coding": 0xF5, "short_message": bytes(range(140))},
            {"esm_class": 4, "short_message": b"\xff" * 254},
        ]
        for number, members in enumerate(odd):
            peer.deliver(number, **members)
        await until(lambda: len(peer.links[0].session._pending) == len(odd))
        peer.deliver(99, short_message=b"OUI")
        await until(lambda: any(text.text == "OUI" for text in line.texts()))
        for one in line.came:
            one.acknowledge()
        await until(lambda: sorted(peer.acknowledged) == [*range(len(odd)), 99])
        assert len(peer.binds) == 1
