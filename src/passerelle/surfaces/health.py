"""/healthz, /readyz and /metrics, and a plain 404 for every path that nobody serves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from .. import telemetry

JSON = b"application/json"
METRICS = b"text/plain; version=0.0.4; charset=utf-8"


def application(is_ready: Callable[[], Awaitable[bool]], *, metrics: bool) -> Any:
    """The ASGI application behind the dialects."""

    async def answer(path: str) -> tuple[int, bytes, bytes]:
        if path == "/healthz":
            return 200, JSON, b'{"status":"ok"}'
        if path == "/readyz":
            return await _readiness(is_ready)
        if path == "/metrics" and metrics:
            return 200, METRICS, telemetry.render()
        return 404, JSON, b'{"status":404,"title":"Not Found","detail":"There is nothing at this path."}'

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status, media, body = await answer(scope["path"])
        headers = [(b"content-type", media), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


async def _readiness(is_ready: Callable[[], Awaitable[bool]]) -> tuple[int, bytes, bytes]:
    try:
        ready = await is_ready()
    except Exception:
        ready = False
    return (200, JSON, b'{"status":"ready"}') if ready else (503, JSON, b'{"status":"database away"}')
