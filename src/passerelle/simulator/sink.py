"""A tiny webhook receiver: whatever is sent to it is written down and answered as told. A plain ASGI application.

One rule: a request is in the file before it is answered. `GET .../received` shows the last ones as JSON; a path that
contains `/status/503` is answered 503, so that retries can be tried by hand.
"""

from __future__ import annotations

import base64
import os
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any

import msgspec

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LARGEST = 1 << 20  # octets of a body; more is answered 413
_STATUS = re.compile(r"/status/([1-5]\d\d)(?:/|$)")


class Hit(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request as it came; `status` is what it was answered. A body that is not UTF-8 is in `body_base64`."""

    at: float
    method: str
    path: str
    headers: list[tuple[str, str]]  # names in lower case
    status: int
    query: str = ""
    body: str = ""
    body_base64: str = ""

    @property
    def content(self) -> bytes:
        """The body, byte for byte."""
        return base64.b64decode(self.body_base64) if self.body_base64 else self.body.encode()


class Sink:
    """Keeps the last `keep` requests, and all of them as JSON lines in `log` if there is one."""

    def __init__(self, log: Path | None = None, keep: int = 1000) -> None:
        self.hits: deque[Hit] = deque(maxlen=keep)
        self._statuses: deque[int] = deque([200])
        self._fd = -1 if log is None else os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def answer(self, statuses: Iterable[int]) -> None:
        """Answer the next requests with these, one each, and all after them with the last. ValueError when empty."""
        wanted = deque(statuses)
        if not wanted:
            raise ValueError("no status to answer with")
        self._statuses = wanted

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        if scope["type"] != "http":
            return
        if scope["method"] == "GET" and scope["path"].rstrip("/").endswith("/received"):
            await respond(send, 200, msgspec.json.encode(list(self.hits)), b"application/json")
            return
        body = await body_of(receive)
        status = 413 if body is None else self._next_status(scope["path"])
        self._keep(_hit(scope, body or b"", status))
        await respond(send, status, b"", b"text/plain")

    def _next_status(self, path: str) -> int:
        told = _STATUS.search(path)
        if told:
            return int(told[1])
        return self._statuses.popleft() if len(self._statuses) > 1 else self._statuses[0]

    def _keep(self, hit: Hit) -> None:
        if self._fd >= 0:
            os.write(self._fd, msgspec.json.encode(hit) + b"\n")
        self.hits.append(hit)


def _hit(scope: Scope, body: bytes, status: int) -> Hit:
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    query = scope["query_string"].decode("latin-1")
    try:
        text, coded = body.decode(), ""
    except UnicodeDecodeError:
        text, coded = "", base64.b64encode(body).decode()
    return Hit(time.time(), scope["method"], scope["path"], headers, status, query, text, coded)


async def body_of(receive: Receive) -> bytes | None:
    """The whole body; None when it is too large."""
    chunks, size = [], 0
    while True:
        event = await receive()
        chunks.append(event.get("body", b""))
        size += len(chunks[-1])
        if size > LARGEST:
            return None
        if not event.get("more_body"):
            return b"".join(chunks)


async def respond(send: Send, status: int, body: bytes, kind: bytes) -> None:
    """One whole answer."""
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
