"""Two sessions coupled in memory, and a clock that is moved by hand."""

from dataclasses import dataclass, field

import pytest

from passerelle.smpp import pdu as p
from passerelle.smpp.session import Config, Event, Received, Role, Session


@dataclass
class Couple:
    """A client and an operator without a network: what one sends, the other reads."""

    client: Session
    smsc: Session
    now: float = 0.0
    seen: list[Event] = field(default_factory=list)  # by the SMSC

    def exchange(self) -> list[Event]:
        """Carry bytes both ways once; returns what the client saw, keeps what the SMSC saw."""
        self.seen = self.smsc.receive_bytes(self.client.take_output(), self.now)
        return self.client.receive_bytes(self.smsc.take_output(), self.now)

    def bind(self, pdu: p.Pdu, answer: p.Pdu, status: int = 0) -> list[Event]:
        self.client.send(pdu, self.now)
        self.exchange()
        request = self.seen[0]
        assert isinstance(request, Received) and request.pdu == pdu
        self.smsc.respond(request.sequence, answer, status)
        return self.exchange()

    def tick(self, seconds: float) -> tuple[list[Event], list[Event]]:
        self.now += seconds
        return self.client.tick(self.now), self.smsc.tick(self.now)


@pytest.fixture
def unbound():
    def make(**settings):
        config = Config(**settings)
        return Couple(Session(Role.ESME, config, 0.0), Session(Role.SMSC, config, 0.0))

    return make


@pytest.fixture
def bound(unbound):
    def make(**settings):
        couple = unbound(**settings)
        couple.bind(p.BindTransceiver("shop", "secret"), p.BindTransceiverResp("smsc"))
        return couple

    return make
