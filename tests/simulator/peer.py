"""Another implementation's client as the peer: smpplib in a thread of its own, its PDUs handed over in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator
from typing import Any

import smpplib.client
import smpplib.command
import smpplib.exceptions

logging.getLogger("smpp").setLevel(logging.CRITICAL)


class Esme:
    """Binds, submits, and acknowledges what it is delivered with the next of `statuses` (0 when there is none)."""

    def __init__(self, port: int, system_id: str = "bakery", password: str = "secret") -> None:
        self.client = smpplib.client.Client("127.0.0.1", port, timeout=20, allow_unknown_opt_params=True)
        self.statuses: list[int] = []
        self.ended = asyncio.Event()
        self._credentials = {"system_id": system_id, "password": password}
        self._loop = asyncio.get_running_loop()
        self._delivered: asyncio.Queue[Any] = asyncio.Queue()
        self._answers: asyncio.Queue[Any] = asyncio.Queue()
        self.client.set_message_received_handler(self._take)
        self.client.set_message_sent_handler(lambda pdu: self._hand(self._answers, pdu))
        self.client.set_error_pdu_handler(lambda pdu: None)  # the other handlers get them too

    async def bind(self, kind: str = "transceiver") -> Any:
        self.client.connect()
        answer = await asyncio.to_thread(getattr(self.client, f"bind_{kind}"), **self._credentials)
        threading.Thread(target=self._listen, daemon=True).start()
        return answer

    def submit(self, destination: str, text: bytes = b"Bonjour", **more: Any) -> int:
        values = {
            "source_addr": "BAKERY",
            "source_addr_ton": 5,
            "dest_addr_ton": 1,
            "dest_addr_npi": 1,
            "destination_addr": destination,
            "short_message": text,
            "registered_delivery": 1,
            **more,
        }
        return int(self.client.send_message(**values).sequence)

    async def answer(self, timeout: float = 5) -> Any:
        """The next submit_sm_resp."""
        return await asyncio.wait_for(self._answers.get(), timeout)

    async def delivered(self, timeout: float = 5) -> Any:
        """The next deliver_sm."""
        return await asyncio.wait_for(self._delivered.get(), timeout)

    def waiting(self) -> tuple[int, int]:
        """How many answers and deliveries nobody asked for."""
        return self._answers.qsize(), self._delivered.qsize()

    def drop(self) -> None:
        """Cut the line without a word."""
        with contextlib.suppress(OSError):
            self.client._socket.shutdown(2)

    def _take(self, pdu: Any) -> int:
        self._hand(self._delivered, pdu)
        return self.statuses.pop(0) if self.statuses else 0

    def _hand(self, queue: asyncio.Queue[Any], pdu: Any) -> None:
        self._loop.call_soon_threadsafe(queue.put_nowait, pdu)

    def _listen(self) -> None:
        with contextlib.suppress(
            smpplib.exceptions.ConnectionError, smpplib.exceptions.PDUError, OSError, AttributeError
        ):
            self.client.listen()
        self.client._socket.close()
        self.client._socket = None
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.ended.set)


@contextlib.asynccontextmanager
async def bound(port: int, kind: str = "transceiver", **credentials: str) -> AsyncIterator[Esme]:
    esme = Esme(port, **credentials)
    await esme.bind(kind)
    try:
        yield esme
    finally:
        if not esme.ended.is_set():
            esme.drop()
            await asyncio.wait_for(esme.ended.wait(), 5)
