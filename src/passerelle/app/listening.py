"""How programs listen for HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import uvicorn

from ..settings import Settings
from ..surfaces.protocol import LenientProtocol


def server_config(settings: Settings, application: Any, port: int) -> uvicorn.Config:
    """How every program of ours listens."""
    return uvicorn.Config(
        application,
        host=settings.host,
        port=port,
        http=LenientProtocol,
        ws="none",
        lifespan="off",
        access_log=False,  # keys travel in query strings
        log_config=None,
        log_level="error",  # who sends no HTTP writes no line of ours
        server_header=False,
        proxy_headers=False,  # `trusted_proxies` decides
        backlog=2048,
        timeout_graceful_shutdown=5,
    )


class Beside(uvicorn.Server):
    """A server in a program that handles signals itself."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None is ours."""
        yield
