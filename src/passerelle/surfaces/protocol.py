"""uvicorn's HTTP/1.1 protocol with one difference for clients that miscount their own body.

One rule: the answer to a whole request is never replaced by a complaint about the bytes that follow it.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class LenientProtocol(HttpToolsProtocol):
    """Give it to `uvicorn.Config(http=LenientProtocol)`."""

    def send_400_response(self, msg: str) -> None:
        """While a request is being answered, let its answer go out and close after it."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
            return
        super().send_400_response(msg)
