"""One SMPP session as a value machine: bytes in, events out; PDUs in, bytes out; time is an argument.

The same class serves both ends. One rule: every context given to `send` comes back exactly once, as `Answered`,
`RequestTimedOut` or `Lost`; nothing here waits, reads a clock or touches a socket.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

import msgspec

from passerelle.smpp import pdu as p
from passerelle.smpp.events import (
    Answered,
    BindRefused,
    Bound,
    Closed,
    Event,
    Lost,
    Received,
    Rejected,
    RequestTimedOut,
    Unmatched,
    Unsent,
)
from passerelle.smpp.fields import HEADER, HEADER_SIZE, RESPONSE
from passerelle.smpp.status import Status

__all__ = [
    "BIND_STATES",
    "BOUND",
    "MAY_REQUEST",
    "Answered",
    "BindRefused",
    "Bound",
    "Closed",
    "Config",
    "Event",
    "Lost",
    "NotBound",
    "Received",
    "Rejected",
    "RequestTimedOut",
    "Role",
    "Session",
    "State",
    "Unmatched",
    "Unsent",
]

_LAST_SEQUENCE = 0x7FFFFFFF  # SMPP 3.4, 3.2
_NACK = p.GenericNack.command_id
_ENQUIRE, _UNBIND = p.EnquireLink.command_id, p.Unbind.command_id


class Role(Enum):
    """Which end of the session we are."""

    ESME = "esme"
    SMSC = "smsc"


class State(Enum):
    """SMPP 3.4, 2.2; UNBINDING: we said unbind and wait for its answer."""

    OPEN = "open"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBINDING = "unbinding"
    CLOSED = "closed"


BOUND = frozenset({State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX})
BIND_STATES: dict[int, State] = {
    p.BindTransmitter.command_id: State.BOUND_TX,
    p.BindReceiver.command_id: State.BOUND_RX,
    p.BindTransceiver.command_id: State.BOUND_TRX,
}
_BINDS = frozenset(BIND_STATES)
_SENDING = frozenset(c.command_id for c in (p.SubmitSm, p.SubmitMulti, p.DataSm, p.QuerySm, p.CancelSm, p.ReplaceSm))
_RECEIVING = frozenset(c.command_id for c in (p.DeliverSm, p.DataSm, p.AlertNotification))
_LINK = frozenset({_ENQUIRE, _UNBIND})
_NOTHING: frozenset[int] = frozenset()

MAY_REQUEST: dict[tuple[Role, State], frozenset[int]] = {
    # SMPP 3.4, table 2-1; enquire_link and unbind before the bind as 5.0 (and real peers) have it
    (Role.ESME, State.OPEN): _BINDS | _LINK,
    (Role.ESME, State.BOUND_TX): _SENDING | _LINK,
    (Role.ESME, State.BOUND_RX): _LINK,
    (Role.ESME, State.BOUND_TRX): _SENDING | _LINK,
    (Role.SMSC, State.OPEN): frozenset({p.Outbind.command_id}) | _LINK,
    (Role.SMSC, State.BOUND_TX): _LINK,
    (Role.SMSC, State.BOUND_RX): _RECEIVING | _LINK,
    (Role.SMSC, State.BOUND_TRX): _RECEIVING | _LINK,
}
_PEER = {Role.ESME: Role.SMSC, Role.SMSC: Role.ESME}


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds; `window` counts our unanswered requests, `backlog` the peer's.

    0 turns `bind_timeout`, `response_timeout`, `enquire_interval` or `inactivity_timeout` off.
    """

    window: int = 50
    bind_timeout: float = 10.0
    response_timeout: float = 30.0
    enquire_interval: float = 30.0
    enquire_timeout: float = 10.0
    inactivity_timeout: float = 0.0
    max_pdu: int = 65536
    backlog: int = 5000


class NotBound(Exception):
    """The state of the session does not allow that request (any more); nothing was sent."""


class Session:
    """One end of one SMPP connection (see the module)."""

    def __init__(self, role: Role, config: Config, now: float) -> None:
        self.role = role
        self.config = config
        self._enter(State.OPEN)
        self.unanswered = 0  # requests of the peer that still wait for our `respond`
        self._out: list[bytes] = []
        self._tail = b""
        self._sequence = 0
        # sequence -> (deadline, context, command_id of its response); one timeout for all, so oldest first
        self._pending: dict[int, tuple[float, Any, int]] = {}
        self._bind: tuple[int, int] | None = None  # (sequence, command_id) of our bind
        self._binding = False  # a bind of the peer waits for our answer
        self._bind_deadline = now + config.bind_timeout if config.bind_timeout else None
        self._enquire_sequence = 0
        self._enquire_deadline: float | None = None
        self._unbind_deadline: float | None = None
        self._heard = now  # any PDU of the peer
        self._active = now  # anything but enquire_link, either way

    def _enter(self, state: State) -> None:
        self.state = state
        self.bound = state in BOUND  # requests may flow
        self._ours = MAY_REQUEST.get((self.role, state), _NOTHING)
        if state is not State.UNBINDING:  # what the peer sends until it has read our unbind is still worth an answer
            self._theirs = MAY_REQUEST.get((_PEER[self.role], state), _NOTHING)

    # -- what the owner asks --------------------------------------------------

    @property
    def in_flight(self) -> int:
        """Requests of ours that wait for a response."""
        return len(self._pending)

    @property
    def free(self) -> int:
        """How many more requests the window allows; 0 while not bound."""
        return max(0, self.config.window - len(self._pending)) if self.bound else 0

    @property
    def closed(self) -> bool:
        """Whether `Closed` was given out."""
        return self.state is State.CLOSED

    # -- out --------------------------------------------------------------------

    def send(self, pdu: p.Pdu, now: float, context: Any = None) -> int:
        """Queue a request and return its sequence; `context` comes back with its end.

        NotBound when the state forbids it; ValueError (see `pdu.encode`) leaves no trace. The window is not enforced:
        `free` is for the caller to heed. Binds and unbinds give `Bound`, `BindRefused`, `Closed` instead of `Answered`.
        """
        command = pdu.command_id
        if command not in self._ours:
            raise NotBound(f"{type(pdu).__name__} in state {self.state.value}")
        sequence = self._next_sequence()
        self._out.append(p.encode(pdu, sequence))
        if command == _ENQUIRE:
            self._enquire_sequence, self._enquire_deadline = sequence, now + self.config.enquire_timeout
            return sequence
        self._active = now
        if command in _BINDS:
            self._bind = sequence, command
            self._bind_deadline = now + self.config.bind_timeout if self.config.bind_timeout else None
        elif command == _UNBIND:
            self._enter(State.UNBINDING)
            self._unbind_deadline = now + (self.config.response_timeout or 30.0)
        elif command not in p.NO_RESPONSE:
            self._pending[sequence] = now + self.config.response_timeout, context, command | RESPONSE
        return sequence

    def send_many(self, requests: Iterable[tuple[p.Pdu, Any]], now: float) -> list[Event]:
        """Queue (pdu, context) pairs; those that cannot be written, or are too late, come back as `Unsent`."""
        events: list[Event] = []
        for pdu, context in requests:
            try:
                self.send(pdu, now, context)
            except (ValueError, NotBound) as error:
                events.append(Unsent(context, str(error)))
        return events

    def respond(self, sequence: int, pdu: p.Pdu, status: int = 0) -> None:
        """Queue the response to a `Received`; a bind response with status 0 binds us. Nothing happens once closed."""
        if self.state is State.CLOSED:
            return
        self._out.append(p.encode(pdu, sequence, status))
        self.unanswered -= 1
        bound = BIND_STATES.get(pdu.command_id ^ RESPONSE)
        if bound is not None and self.state is State.OPEN:
            self._binding = False
            if status == 0:
                self._enter(bound)
                self._bind_deadline = None

    def unbind(self, now: float) -> list[Event]:
        """End politely: unbind and wait for its answer when bound, close at once when not. Drain first: what is still
        in flight when the answer comes is `Lost`."""
        if self.bound:
            self.send(p.Unbind(), now)
            return []
        return [] if self.state is State.UNBINDING else self.close("closed before the bind")

    def close(self, reason: str) -> list[Event]:
        """End at once (connection lost, or enough): each open request is `Lost`, then `Closed`; [] if closed before."""
        if self.state is State.CLOSED:
            return []
        self._enter(State.CLOSED)
        events: list[Event] = [Lost(context) for _, context, _ in self._pending.values()]
        self._pending.clear()
        self._tail = b""
        return [*events, Closed(reason)]

    def take_output(self) -> bytes:
        """What is to be written now, joined."""
        if not self._out:
            return b""
        output = b"".join(self._out)
        self._out.clear()
        return output

    def _next_sequence(self) -> int:
        while True:
            self._sequence = self._sequence + 1 if self._sequence < _LAST_SEQUENCE else 1
            if self._sequence not in self._pending:
                return self._sequence

    # -- in ---------------------------------------------------------------------

    def receive_bytes(self, data: bytes, now: float) -> list[Event]:
        """All events of one read. Never an exception, whatever the bytes; after `Closed`, nothing more."""
        events: list[Event] = []
        if self._tail:
            data = self._tail + data
        at, size = 0, len(data)
        text = data.decode("latin-1")
        header, limit, pending = HEADER.unpack_from, self.config.max_pdu, self._pending
        while size - at >= HEADER_SIZE and self.state is not State.CLOSED:
            length, command, status, sequence = header(data, at)
            if not HEADER_SIZE <= length <= limit:
                events += self.close(f"broken stream: command_length {length}")
                break
            end = at + length
            if end > size:
                break
            waiting = pending.get(sequence)
            if waiting is not None and (command == waiting[2] or command == _NACK):
                del pending[sequence]
                events.append(Answered(waiting[1], status, p.decode_body(command, data, text, at + HEADER_SIZE, end)))
            else:
                value = p.decode_body(command, data, text, at + HEADER_SIZE, end)
                if command & RESPONSE:
                    events += self._receive_response(command, status, sequence, value)
                else:
                    events += self._receive_request(command, sequence, value, now)
            at = end
        if at:
            self._heard, self._enquire_deadline = now, None
        self._tail = b"" if self.state is State.CLOSED else data[at:]
        return events

    def _receive_request(self, command: int, sequence: int, value: Any, now: float) -> list[Event]:
        if type(value) is p.Malformed:
            return [self._reject(command, sequence, value.error, value.reason)]
        if command == _ENQUIRE:
            self._out.append(p.encode(p.EnquireLinkResp(), sequence))
            return []
        self._active = now
        if command == _UNBIND:
            self._out.append(p.encode(p.UnbindResp(), sequence))
            return self.close("the peer said unbind")
        if command in _BINDS and self.role is Role.SMSC:
            if self._binding or self.state is not State.OPEN:
                return [self._reject(command, sequence, Status.ESME_RALYBND, "already bound, or about to be")]
            self._binding = True
        elif command not in self._theirs:
            reason = f"not allowed in state {self.state.value}"
            return [self._reject(command, sequence, Status.ESME_RINVBNDSTS, reason)]
        self.unanswered += command not in p.NO_RESPONSE
        return [Received(sequence, value)]

    def _reject(self, command: int, sequence: int, error: int, reason: str) -> Event:
        self._out.append(p.encode(p.response_to(command), sequence, error))
        return Rejected(sequence, command, error, reason)

    def _receive_response(self, command: int, status: int, sequence: int, value: Any) -> list[Event]:
        if self._bind and sequence == self._bind[0] and command in (self._bind[1] | RESPONSE, _NACK):
            return [self._bind_answered(status, value)]
        if sequence == self._enquire_sequence and command in (_ENQUIRE | RESPONSE, _NACK):
            return []
        if self.state is State.UNBINDING and command == _UNBIND | RESPONSE:
            return self.close("unbound")
        return [Unmatched(command, status, sequence, value)]

    def _bind_answered(self, status: int, value: Any) -> Event:
        bind, self._bind = self._bind, None
        if bind is None or status or not isinstance(value, p.BindResp):
            return BindRefused(status or Status.ESME_RBINDFAIL)
        self._enter(BIND_STATES[bind[1]])
        self._bind_deadline = None
        return Bound(value)

    # -- time -------------------------------------------------------------------

    def next_timer(self) -> float | None:
        """When `tick` next has something to do, on the same clock as every `now`; None for never."""
        return min((when for when in self._timers() if when is not None), default=None)

    def _timers(self) -> tuple[float | None, ...]:
        if self.state is State.CLOSED:
            return ()
        config = self.config
        oldest = next(iter(self._pending.values()))[0] if self._pending and config.response_timeout else None
        enquire = self._enquire_deadline
        if enquire is None and config.enquire_interval and self.bound:
            enquire = self._heard + config.enquire_interval
        inactive = self._active + config.inactivity_timeout if config.inactivity_timeout else None
        return self._bind_deadline, self._unbind_deadline, oldest, enquire, inactive

    def tick(self, now: float) -> list[Event]:
        """Let time pass: timed out requests, keepalive, and the reasons to close."""
        if self.state is State.CLOSED:
            return []
        if self.unanswered > self.config.backlog // 2:
            self._heard, self._enquire_deadline = now, None  # the link may have stopped reading: silence proves nothing
        events = self._expire(now)
        reason = self._overdue(now)
        if reason:
            return events + self.close(reason)
        self._keep_alive(now)
        return events

    def _expire(self, now: float) -> list[Event]:
        if not self.config.response_timeout:
            return []
        expired = []
        for sequence, (deadline, _, _) in self._pending.items():
            if deadline > now:
                break
            expired.append(sequence)
        return [RequestTimedOut(sequence, self._pending.pop(sequence)[1]) for sequence in expired]

    def _overdue(self, now: float) -> str:
        bind, unbind, _, _, inactive = self._timers()
        if bind is not None and bind <= now:
            return "bind timeout"
        if unbind is not None and unbind <= now:
            return "unbind timeout"
        if self._enquire_deadline is not None and self._enquire_deadline <= now:
            return "enquire_link timeout"
        return "inactivity" if inactive is not None and inactive <= now else ""

    def _keep_alive(self, now: float) -> None:
        interval = self.config.enquire_interval
        if self.bound and interval and self._enquire_deadline is None and now >= self._heard + interval:
            self.send(p.EnquireLink(), now)
