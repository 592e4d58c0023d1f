"""The carrier over its binds: window and pace, every part back once, and an operator that behaves like one."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from outbound.peer import carrying, listening, part, until

from passerelle.domain.message import OutcomeKind, State
from passerelle.domain.pacing import FIRST_PAUSE
from passerelle.simulator.behaviours import LONG_REPLY, PREFIX, Options
from passerelle.simulator.smsc import Smsc
from passerelle.smpp.status import Status

K = OutcomeKind


def parts(count: int, first: int = 1):
    return [part(number) for number in range(first, first + count)]


# --- how much may go -----------------------------------------------------------------------------------------------


async def test_the_window_is_never_exceeded():
    async with listening(answering=False) as peer, carrying(peer.port, window=3) as line:
        assert line.carrier.free_slots() == 3
        line.carrier.submit(parts(3))
        assert (line.carrier.free_slots(), line.carrier.in_flight()) == (0, 3)
        await until(lambda: len(peer.submits) == 3)
        peer.answer(1)
        await until(lambda: line.outcomes())
        assert line.carrier.free_slots() == 1
        line.carrier.submit(parts(1, 4))
        await until(lambda: len(peer.submits) == 4)
        assert peer.most_waiting == 3


async def test_what_no_window_takes_comes_back_unsent_and_is_announced():
    """The bind was lost, or the pause began, between the lease and now: the lease must not run out over it."""
    async with listening(answering=False) as peer, carrying(peer.port, window=2) as line:
        woken = len(line.woken)
        line.carrier.submit(parts(5))
        assert [(o.kind, o.part.key.message_id) for o in line.outcomes()] == [(K.UNSENT, n) for n in (3, 4, 5)]
        assert len(line.woken) > woken
        line.carrier.drop(0)
        line.carrier.submit(parts(1, 6))
        assert [o.kind for o in line.outcomes()] == [K.UNSENT] * 3 + [K.UNKNOWN] * 2 + [K.UNSENT]


async def test_binds_share_what_there_is():
    async with listening(answering=False) as peer, carrying(peer.port, window=2, binds=2) as line:
        assert line.carrier.free_slots() == 4
        line.carrier.submit(parts(4))
        await until(lambda: len(peer.submits) == 4)
        assert len({link for link, _, _ in peer.submits}) == 2
        peer.links[0].abort()
        await until(lambda: len(line.outcomes()) == 2)
        assert line.carrier.free_slots() == 0 and line.carrier.in_flight() == 2


async def test_the_pace_of_the_operator_is_kept():
    async with listening() as peer, carrying(peer.port, rate=50) as line:
        slots = line.carrier.free_slots()
        assert 0 < slots <= 5  # a tenth of a second's worth
        line.carrier.submit(parts(slots))
        assert line.carrier.free_slots() < slots


@pytest.mark.parametrize("status", [Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL])
async def test_an_operator_that_is_throttled_gets_a_pause(status):
    async with listening(status=status) as peer, carrying(peer.port) as line:
        line.carrier.submit(parts(3))
        await until(lambda: len(line.outcomes()) == 3)
        assert {o.kind for o in line.told} == {K.THROTTLED}
        assert line.carrier.free_slots() == 0 and FIRST_PAUSE < 1
        await until(lambda: line.carrier.free_slots())


async def test_other_refusals_give_no_pause():
    async with listening(status=Status.ESME_RSYSERR) as peer, carrying(peer.port) as line:
        line.carrier.submit(parts(2))
        await until(lambda: len(line.outcomes()) == 2)
        assert line.carrier.free_slots() == 200


async def test_opening_twice_is_opening_once():
    async with listening() as peer, carrying(peer.port) as line:
        line.carrier.open(0)
        line.carrier.submit(parts(1))
        await until(lambda: line.outcomes())
        assert len(peer.binds) == 1


# --- the simulated operator ----------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def simulated(folder: Path, **settings):
    quick = {"receipt_delay": 0.0, "late_delay": 0.0, "early_gap": 0.05, "retry_delay": 0.01}
    smsc = Smsc(journal=folder / "journal", options=Options(**quick))
    port = await smsc.start(port=0)
    try:
        async with carrying(port, **settings) as line:
            yield smsc, line
    finally:
        await smsc.stop()


def acknowledging(line, count: int) -> bool:
    """Whether so many receipts and texts came; each is acknowledged as it comes."""
    for one in line.carrier.take_arrived():
        line.came.append(one)
        one.acknowledge()
    return len(line.receipts()) + len(line.texts()) >= count


@pytest.mark.parametrize(
    ("ending", "kind", "bounced"),
    [
        ("000", K.SENT, False), ("010", K.PERMANENT, True), ("011", K.TEMPORARY, False), ("012", K.THROTTLED, False),
        ("013", K.THROTTLED, False), ("014", K.TEMPORARY, False),
    ],
)  # fmt: skip
async def test_how_an_operator_refuses(tmp_path, ending, kind, bounced):
    async with simulated(tmp_path) as (_, line):
        line.carrier.submit([part(phone=int(PREFIX + ending))])
        await until(line.outcomes)
        assert [(o.kind, o.bounced) for o in line.told] == [(kind, bounced)]


@pytest.mark.parametrize(
    ("ending", "states"),
    [
        ("000", [State.DELIVERED]),
        ("001", [State.UNDELIVERED]),
        ("002", [State.BOUNCED]),
        ("003", [State.UNDELIVERED]),
        ("004", [State.UNDELIVERED]),
        ("030", [State.DELIVERED]),
        ("032", [State.DELIVERED] * 2),
        ("034", [State.DELIVERED]),
        ("035", [State.SUBMITTED, State.SUBMITTED, State.DELIVERED]),
    ],
)
async def test_how_an_operator_reports(tmp_path, ending, states):
    async with simulated(tmp_path) as (_, line):
        line.carrier.submit([part(phone=int(PREFIX + ending))])
        await until(lambda: acknowledging(line, len(states)) and line.outcomes())
        assert [receipt.state for receipt in line.receipts()] == states
        (outcome,) = line.told
        assert all(outcome.operator_id in receipt.operator_ids for receipt in line.receipts())
        assert {receipt.phone for receipt in line.receipts()} == {int(PREFIX + ending)}


async def test_a_receipt_may_come_before_its_answer(tmp_path):
    async with simulated(tmp_path) as (_, line):
        line.carrier.submit([part(phone=int(PREFIX + "030"))])
        await until(line.receipts)
        assert not line.outcomes()
        await until(line.outcomes)


async def test_what_is_not_acknowledged_comes_again_to_the_next_bind(tmp_path):
    async with simulated(tmp_path) as (smsc, line):
        line.carrier.submit([part()])
        await until(line.receipts)
        for link in tuple(smsc._links):
            link.abort()
        await until(lambda: len(line.receipts()) == 2)
        first, again = line.receipts()
        assert first.operator_ids == again.operator_ids
        assert acknowledging(line, 2) and line.came[-1].acknowledge() is None
        await until(lambda: smsc.stats()["owed"] == 0)


@pytest.mark.parametrize(("ending", "text"), [("040", "STOP"), ("041", "OUI")])
async def test_what_handsets_answer(tmp_path, ending, text):
    async with simulated(tmp_path) as (_, line):
        line.carrier.submit([part(phone=int(PREFIX + ending))])
        await until(lambda: acknowledging(line, 2))
        (found,) = line.texts()
        assert (found.text, found.phone, found.recipient, found.total) == (text, int(PREFIX + ending), "36000", 1)


async def test_a_long_answer_comes_in_parts(tmp_path):
    async with simulated(tmp_path) as (_, line):
        line.carrier.submit([part(phone=int(PREFIX + "042"))])
        await until(lambda: acknowledging(line, 2) and len(line.texts()) == line.texts()[0].total)
        found = sorted(line.texts(), key=lambda text: text.part)
        assert "".join(text.text for text in found) == LONG_REPLY and len(found) > 1
        assert len({text.reference for text in found}) == 1
