"""POST /rcs/events: where the provider of RCS tells what became of messages, as RBM calls a webhook.

The one rule: an event is on disk before it is acknowledged; what cannot be read is acknowledged too, for no repetition
would mend it. Workers do the rest (pipeline.rcs).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Any
from urllib.parse import parse_qs

import msgspec

from .. import telemetry
from ..clock import Clock
from ..domain import rcs_events
from ..store import rcs as store
from ..store.database import Database
from .http import Receive, Scope, Send, report

PATH = "/rcs/events"
LARGEST = 256 * 1024  # bytes of a request
JSON = b"application/json"


class RcsEvents:
    """The ASGI application. `token`: what the provider was given as clientToken; it signs with it, or sends it along as
    `?token=`."""

    def __init__(self, db: Database, clock: Clock, agent_id: str, token: str) -> None:
        self._db = db
        self._clock = clock
        self._agent_id = agent_id
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        try:
            status, body = await self._answer(scope, receive)
        except Exception as error:  # the provider sends it again
            report("rcs", scope["method"], PATH, error)
            status, body = 503, b"{}"
        headers = [(b"content-type", JSON), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        if scope["path"].rstrip("/") != PATH:
            return 404, b"{}"
        if scope["method"] != "POST":
            return 405, b"{}"
        body = await _body(receive)
        if body is None:
            return 413, b"{}"
        try:
            return await self._event(scope, msgspec.json.decode(body, type=dict[str, Any]))
        except (msgspec.DecodeError, RecursionError):
            return 400, b"{}"

    async def _event(self, scope: Scope, given: dict[str, Any]) -> tuple[int, bytes]:
        if "clientToken" in given and "message" not in given:
            return _greeted(given, self._token)
        data = _data(given)
        if not _is_theirs(scope, data, self._token):
            return 403, b"{}"
        await self.take(data)
        return 200, b"{}"

    async def take(self, data: bytes) -> None:
        """Put an event on disk; one that says nothing to us is only counted."""
        now = self._clock.now()
        happened = rcs_events.parse(data, self._agent_id, now)
        telemetry.RECEIPTS.labels("rcs", "unreadable" if happened is None else happened.kind.name.lower()).inc()
        if happened is not None:
            text = data.decode("utf-8", "replace").replace("\0", "")
            await store.insert_events(self._db, [store.NewEvent(happened.key, text, now)])


def _greeted(given: dict[str, Any], token: str) -> tuple[int, bytes]:
    """The first call to a new webhook: whoever knows the token is answered with its secret."""
    if not _same(given["clientToken"], token):
        return 403, b"{}"
    return 200, msgspec.json.encode({"secret": given.get("secret")})


def _is_theirs(scope: Scope, data: bytes, token: str) -> bool:
    """By the signature over the event (`X-Goog-Signature`, HMAC-SHA512 with the token), or by the token itself."""
    given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
    if given:
        return _same(given, token)
    signature = next((value for name, value in scope["headers"] if name == b"x-goog-signature"), b"")
    right = base64.b64encode(hmac.digest(token.encode(), data, "sha512"))
    return bool(data) and hmac.compare_digest(signature.strip(), right)


def _same(given: object, token: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _data(given: dict[str, Any]) -> bytes:
    """`message.data`, decoded; nothing where there is none."""
    message = given.get("message")
    data = message.get("data") if isinstance(message, dict) else None
    try:
        return base64.b64decode(data, validate=True) if isinstance(data, str) else b""
    except (binascii.Error, ValueError):
        return b""


async def _body(receive: Receive) -> bytes | None:
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
