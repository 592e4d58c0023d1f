"""What a session tells its owner, one frozen value each; `Closed` is always the last."""

from __future__ import annotations

from typing import Any

import msgspec

from passerelle.smpp import pdu as p


class Bound(msgspec.Struct, frozen=True):
    """Our bind was accepted."""

    pdu: p.BindResp


class BindRefused(msgspec.Struct, frozen=True):
    """Our bind was refused; the session stays open for another try or `close`."""

    status: int


class Received(msgspec.Struct, frozen=True):
    """A request of the peer, legal in this state; `respond` with its sequence (but to outbind, alert_notification)."""

    sequence: int
    pdu: p.Pdu


class Answered(msgspec.Struct, frozen=True):
    """The response to a request of ours; `pdu` is a GenericNack where the peer answered so."""

    context: Any
    status: int
    pdu: Any


class RequestTimedOut(msgspec.Struct, frozen=True):
    """No response in time: the outcome is unknown. A late one arrives as `Unmatched` with that sequence."""

    sequence: int
    context: Any


class Lost(msgspec.Struct, frozen=True):
    """The session ended before a response: the outcome is unknown."""

    context: Any


class Unsent(msgspec.Struct, frozen=True):
    """A request that was not queued, as the wire or the state cannot take it; no byte of it left."""

    context: Any
    reason: str


class Unmatched(msgspec.Struct, frozen=True):
    """A response to nothing that is waiting."""

    command_id: int
    status: int
    sequence: int
    pdu: Any


class Rejected(msgspec.Struct, frozen=True):
    """A PDU of the peer that the session itself answered with `error` (a command_status): malformed, or out of turn."""

    sequence: int
    command_id: int
    error: int
    reason: str


class Closed(msgspec.Struct, frozen=True):
    """The last event: the session is over; write what `take_output` holds, then close the connection."""

    reason: str


Event = Bound | BindRefused | Received | Answered | RequestTimedOut | Lost | Unsent | Unmatched | Rejected | Closed
