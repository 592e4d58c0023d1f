"""The contract of a carrier, kept by the one there is: every part comes back exactly once, whatever happens."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest
from outbound.peer import carrying, listening, part, until

from passerelle.domain.message import OutcomeKind
from passerelle.outbound.carrier import Arrived, Carrier
from passerelle.smpp.status import Status


async def test_it_is_one():
    async with listening() as peer, carrying(peer.port) as line:
        carrier: Carrier = line.carrier
        assert (carrier.id, carrier.name) == (1, "operator")
        assert carrier.take_outcomes() == [] and carrier.take_arrived() == []


@pytest.mark.parametrize("seed", range(3))
async def test_every_part_comes_back_exactly_once(seed):
    """Lost connections, refusals, silence, binds that are closed and dropped, leases that are over, odd texts."""
    rng = random.Random(seed)
    async with listening() as peer, carrying(peer.port, window=20, binds=2, response_timeout_seconds=1) as line:
        given = 0
        for _ in range(40):
            peer.answering = rng.random() < 0.8
            peer.status = rng.choice([0, 0, 0, Status.ESME_RSYSERR, Status.ESME_RINVDSTADR])
            batch = []
            for _ in range(rng.randrange(30)):
                given += 1
                words = rng.choice(["Bonjour"] * 8 + ["日本", "x" * 400])
                batch.append(part(given, words) if rng.random() < 0.95 else part(given, words, deadline=0.0))
            line.carrier.submit(batch)
            await asyncio.sleep(0)
            match rng.randrange(12):
                case 0:
                    rng.choice(peer.links).abort()
                case 1:
                    line.carrier.drop(0)
                    line.carrier.open(0)
                case 2:
                    peer.bind_status = rng.choice([0, 0, Status.ESME_RALYBND])
        line.carrier.drop(0)
        await line.carrier.close(1)
        await until(lambda: len(line.outcomes()) >= given)
        counts = Counter(outcome.part.key.message_id for outcome in line.told)
        assert counts == Counter(range(1, given + 1))
        written = Counter(pdu.destination_addr for _, _, pdu in peer.submits)
        assert set(written.values()) <= {1}, "no part is written twice by itself"
        kinds = {outcome.kind for outcome in line.told}
        assert {OutcomeKind.SENT, OutcomeKind.UNKNOWN, OutcomeKind.UNSENT, OutcomeKind.PERMANENT} <= kinds


def test_what_arrived_is_acknowledged_by_whoever_took_it():
    said: list[str] = []
    one = Arrived([], [], lambda: said.append("yes"))
    assert said == []
    one.acknowledge()
    assert said == ["yes"]
