"""Making 96-bit ids that nobody guesses; how they are written is in `domain/tokens.py`.

The one rule: they begin with the time, so that those made together lie together in an index.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime


def new_token(now: datetime) -> bytes:
    """Twelve bytes: four of time, eight that nobody guesses."""
    return int(now.timestamp()).to_bytes(4, "big") + secrets.token_bytes(8)


def new_tokens(now: datetime, count: int) -> Sequence[bytes]:
    """So many at once."""
    time, dice = int(now.timestamp()).to_bytes(4, "big"), secrets.token_bytes(8 * count)
    return [time + dice[at : at + 8] for at in range(0, 8 * count, 8)]
