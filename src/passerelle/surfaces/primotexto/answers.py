"""An answer of Primotexto v2 from what `wire` and `codes` have worded: its status and its media type.

One rule: what has no body has no Content-Type.
"""

from __future__ import annotations

from ..door import Barrier
from ..http import Answer, Header
from . import codes, wire

MEDIA = wire.MEDIA.encode()
BARRIERS = {
    Barrier.KEY_MISSING: 72,
    Barrier.KEY_UNKNOWN: 72,
    Barrier.ADDRESS: 70,
    Barrier.API_DENIED: 70,
    Barrier.DISABLED: 92,
    Barrier.BLOCKED: 92,
    Barrier.RATE: 76,
}
GONE = Answer(204, media=b"")
"""What was deleted is."""


def answer(body: bytes, status: int = 200) -> Answer:
    """A success."""
    return Answer(status, body, MEDIA)


def error(code: int, headers: tuple[Header, ...] = ()) -> Answer:
    """A failure, under the HTTP status of its code."""
    return Answer(codes.status_of(code), codes.error(code), MEDIA, headers)
