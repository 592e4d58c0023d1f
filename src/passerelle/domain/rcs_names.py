"""The name of an RCS message at the provider, and back from it to the message; pure.

The one rule: a message has the same name at every attempt, so that the provider takes it once, whatever was lost.
"""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

CARRIER = 32_000
"""The id of the carrier of all RCS messages (migration 0008)."""


def name_of(message_id: int, phone: int, content: str) -> str:
    """The `messageId` of a message: a UUID of version 8 (RFC 9562, 5.8), its first 64 free bits our id.

    The other 58 tell it from that of another installation with the same agent.
    """
    rest = int.from_bytes(sha256(f"{message_id}/{phone}/{content}".encode()).digest()[:8], "big") & (1 << 58) - 1
    high, low = message_id >> 16 & (1 << 48) - 1, message_id & 0xFFFF
    return str(UUID(int=high << 80 | 8 << 76 | low >> 4 << 64 | 2 << 62 | (low & 0xF) << 58 | rest))


def message_of(name: str) -> int | None:
    """The message id in a `messageId`; None for a name that is none of ours."""
    try:
        given = UUID(name)
    except ValueError:
        return None
    if given.version != 8:
        return None
    low = (given.int >> 64 & 0xFFF) << 4 | given.int >> 58 & 0xF
    return given.int >> 80 << 16 | low
