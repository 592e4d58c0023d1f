"""A real receiver of what the platform tells a customer.

The one rule: it answers 204 and keeps everything, in the order of its arrival.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from seeds.conftest import eventually


class Sink:
    """Where an account is called back: every body that was posted, and its headers, by path."""

    def __init__(self) -> None:
        self.posted: dict[str, list[Any]] = {}
        self.headers: dict[str, list[Mapping[str, str]]] = {}
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.headers.setdefault(self.path, []).append(self.headers)
                sink.posted.setdefault(self.path, []).append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def received(self, path: str, count: int = 1) -> list[Any]:
        """The first `count` calls to a path, once they are there."""
        eventually(lambda: len(self.posted.get(path, ())) >= count)
        return self.posted[path]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
