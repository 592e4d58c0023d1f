"""A client that calls an ASGI application in this process, one request at a time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from surfaces import proofs


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    def __init__(self, app: Any, address: str = "192.0.2.7") -> None:
        self.app = app
        self.address = address

    async def __call__(
        self, method: str, target: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Response:
        """`target`: path with its query, sent as it is; a body that is no bytes is sent as JSON."""
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        path, _, query = target.partition("?")
        named = {"host": "api.example.org", **(headers or {})}
        if content:
            named.setdefault("content-length", str(len(content)))
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in named.items()],
            "client": (self.address, 40000),
        }
        messages = [{"type": "http.request", "body": content, "more_body": False}]
        sent: list[Any] = []

        async def receive():
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        if not sent:
            return Response(0, {}, b"")
        head = {bytes(name).decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        answer = b"".join(part.get("body", b"") for part in sent[1:])
        for one in proofs.ALL:
            one.hear(method, path, sent[0]["status"], answer)
        return Response(sent[0]["status"], head, answer)
