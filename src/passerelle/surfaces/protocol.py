"""uvicorn's HTTP/1.1 protocol: lenient with clients that miscount their own body, strict with who keeps us waiting.

One rule: the answer to a whole request is never replaced by a complaint about the bytes that follow it. A connection
that asks nothing is closed in time, a head has an end, and what follows a body is no header.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 64 * 1024  # bytes of a request line and its headers
MOST_HEADERS = 100
MOST_AHEAD = 64  # requests that a client may send behind one that is being answered
PATIENCE = 20.0
"""Seconds for a head to be whole, for a body that nobody reads to end, for an answer to be taken."""


class LenientProtocol(HttpToolsProtocol):
    """Give it to `uvicorn.Config(http=LenientProtocol)`."""

    patience = PATIENCE
    _deadline: asyncio.TimerHandle | None = None
    _head = 0  # bytes of the next request that have come, while none is answered
    _in_body = False
    _unsent = 0  # bytes of the last answer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there, who may never say anything."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits any more."""
        super().connection_lost(exc)
        self._end_wait()

    def data_received(self, data: bytes) -> None:
        """Parse; behind a whole request that is being answered not more than this is read."""
        is_ahead = self._is_answering() and not self._in_body
        super().data_received(data)
        if self._is_answering():
            self._head = 0
            self._end_wait()
            if is_ahead:
                self.flow.pause_reading()
            return
        self._wait()
        self._head = 0 if self._in_body else self._head + len(data)
        if self._head > LONGEST_HEAD and not self.transport.is_closing():
            super().send_400_response("Request header too large.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; one behind the body (RFC 9112, 7.1.2) would be believed as what a proxy has written."""
        if self._in_body:
            return
        if len(self.headers) >= MOST_HEADERS:
            raise ValueError("too many headers")  # ends the parsing
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The body begins, be it empty."""
        if len(self.pipeline) >= MOST_AHEAD:
            raise ValueError("too many requests")
        super().on_headers_complete()
        self._in_body = True

    def on_message_complete(self) -> None:
        """The body has ended."""
        super().on_message_complete()
        self._in_body = False

    def on_response_complete(self) -> None:
        """An answer that nobody takes is not kept."""
        super().on_response_complete()
        self._unsent = self.transport.get_write_buffer_size()
        if self._unsent:
            self._wait()

    def send_400_response(self, msg: str) -> None:
        """While a request is being answered, let its answer go out and close after it."""
        if self._is_answering():
            self.cycle.keep_alive = False
            return
        super().send_400_response(msg)

    def _is_answering(self) -> Any:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.patience, self._give_up)

    def _end_wait(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        """Unless an answer is being taken, be it slowly."""
        self._deadline = None
        unsent = self.transport.get_write_buffer_size()
        if 0 < unsent < self._unsent:
            self._unsent = unsent
            self._wait()
        elif not self._is_answering():
            self.transport.abort()
