"""The asyncio pump of a session: the only I/O of this room, the same for client, server and simulator.

One rule: one read gives one call of `on_events` and one write. What happens inside that call is written when it
returns; what happens outside is written at once.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from ssl import SSLContext
from typing import Any, cast

from passerelle.smpp.pdu import Bind, Pdu
from passerelle.smpp.session import Config, Event, Role, Session

OnEvents = Callable[[list[Event]], None]
"""Takes the events of one read or tick, in order. An empty list: the link may have become writable, see `Link.free`."""


class Link(asyncio.Protocol):
    """One connection and its session. Made by `connect` and `serve`."""

    def __init__(self, session: Session, on_events: OnEvents, loop: asyncio.AbstractEventLoop) -> None:
        self.session = session
        self.on_events = on_events
        self.writable = True
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.Handle | None = None
        self._timer_at = 0.0  # kept here: what uvloop gives for a time that has come knows none
        self._batch = False  # inside on_events: the write comes after
        self._later: list[Event] = []
        self._reading = True
        self._gone = loop.create_future()

    # -- what the owner does ------------------------------------------------------

    @property
    def free(self) -> int:
        """How many requests may be sent now: the window, or 0 while the socket does not take more."""
        return self.session.free if self.writable else 0

    @property
    def peer(self) -> str:
        """The address of the peer, for logs."""
        name = self._transport.get_extra_info("peername") if self._transport else None
        return f"{name[0]}:{name[1]}" if name else ""

    def send(self, pdu: Pdu, context: Any = None) -> int:
        """Send one request, see `Session.send`."""
        sequence = self.session.send(pdu, self._loop.time(), context)
        self.flush()
        return sequence

    def send_many(self, requests: Iterable[tuple[Pdu, Any]]) -> list[Event]:
        """Send (pdu, context) pairs in one write; returns the `Unsent` ones, see `Session.send_many`."""
        unsent = self.session.send_many(requests, self._loop.time())
        self.flush()
        return unsent

    def respond(self, sequence: int, pdu: Pdu, status: int = 0) -> None:
        """Answer one request, see `Session.respond`."""
        self.session.respond(sequence, pdu, status)
        self.flush()

    def respond_many(self, responses: Iterable[tuple[int, Pdu, int]]) -> None:
        """Answer (sequence, pdu, status) triples in one write."""
        for sequence, pdu, status in responses:
            self.session.respond(sequence, pdu, status)
        self.flush()

    def close(self) -> None:
        """Unbind (or close, when not bound); the rest of the events still come, `Closed` last."""
        self._deliver(self.session.unbind(self._loop.time()))

    def abort(self, reason: str = "aborted") -> None:
        """Close now, without a word to the peer."""
        self._deliver(self.session.close(reason))

    async def wait_closed(self) -> None:
        """Wait until the connection is gone."""
        await asyncio.shield(self._gone)

    def flush(self) -> None:
        """Write what the session has queued, arm its timer, close when it is over."""
        if self._batch or self._transport is None:
            return
        output = self.session.take_output()
        if output:
            self._transport.write(output)
        if self.session.closed:
            self._stop()
            return
        self._balance()
        self._arm()

    # -- what asyncio does ----------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start: no delay of small writes, timers armed."""
        self._transport = cast(asyncio.Transport, transport)
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.flush()

    def data_received(self, data: bytes) -> None:
        """One read, one batch."""
        self._deliver(self.session.receive_bytes(data, self._loop.time()))

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer or the network ended it: what is in flight is lost."""
        self._cancel_timer()
        self._deliver(self.session.close(f"connection lost: {exc}" if exc else "connection closed by the peer"))
        if not self._gone.done():
            self._gone.set_result(None)

    def pause_writing(self) -> None:
        """The peer does not read: send nothing more; a server stops reading too, or its answers would pile up."""
        self.writable = False
        self._balance()

    def resume_writing(self) -> None:
        """The socket takes bytes again: the owner may look at `free`."""
        self.writable = True
        self._deliver([], wake=True)

    def _deliver(self, events: list[Event], *, wake: bool = False) -> None:
        """Hand events over in order; what the owner causes meanwhile (say, by `close`) comes after them."""
        if self._batch:
            self._later += events
            return
        self._batch = True
        try:
            while events or wake:
                self.on_events(events)
                events, self._later, wake = self._later, [], False
        finally:
            self._batch = False
        self.flush()

    def _balance(self) -> None:
        """Stop reading while too many requests wait for our answer; go on at half of it."""
        session, transport = self.session, self._transport
        if transport is None or transport.is_closing():
            return
        blocked = session.role is Role.SMSC and not self.writable
        if self._reading and (blocked or session.unanswered >= session.config.backlog):
            self._reading = False
            transport.pause_reading()
        elif not self._reading and not blocked and session.unanswered <= session.config.backlog // 2:
            self._reading = True
            transport.resume_reading()

    def _arm(self) -> None:
        """Keep one timer that fires no later than the session wants; an early one costs an empty tick."""
        when = self.session.next_timer()
        if when is None or (self._timer is not None and self._timer_at <= when):
            return
        self._cancel_timer()
        self._timer, self._timer_at = self._loop.call_at(when, self._tick), when

    def _tick(self) -> None:
        self._timer = None
        self._deliver(self.session.tick(self._loop.time()))

    def _stop(self) -> None:
        """Close once what is written has left; a peer that is gone takes nothing: give it `enquire_timeout`."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._cancel_timer()
        transport.close()
        if transport.get_write_buffer_size():
            self._timer = self._loop.call_later(self.session.config.enquire_timeout, transport.abort)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


async def connect(
    host: str,
    port: int,
    bind: Bind,
    on_events: OnEvents,
    config: Config | None = None,
    *,
    ssl: SSLContext | None = None,
    timeout: float = 10.0,
) -> Link:
    """Connect and send the bind; its fate arrives as `Bound`, `BindRefused` or `Closed`.

    OSError or TimeoutError when there is no connection. `timeout` in seconds covers TCP and TLS.
    """
    loop = asyncio.get_running_loop()

    def make() -> Link:
        return Link(Session(Role.ESME, config or Config(), loop.time()), on_events, loop)

    async with asyncio.timeout(timeout):
        _, link = await loop.create_connection(make, host, port, ssl=ssl)
    link.send(bind)
    return link


async def serve(
    accept: Callable[[Link], OnEvents],
    host: str,
    port: int,
    config: Config | None = None,
    *,
    ssl: SSLContext | None = None,
) -> asyncio.Server:
    """Listen as an SMSC; `accept` gets each new link before its connection and returns who takes its events."""
    loop = asyncio.get_running_loop()

    def make() -> Link:
        link = Link(Session(Role.SMSC, config or Config(), loop.time()), lambda events: None, loop)
        link.on_events = accept(link)
        return link

    return await loop.create_server(make, host, port, ssl=ssl, backlog=1024)
