"""When a part that an operator refused for now is submitted again. It never gives up: only validity ends a message."""

from __future__ import annotations

from datetime import datetime, timedelta

from .message import OutcomeKind

# Seconds after the n-th attempt; the last one repeats.
AGAIN: dict[OutcomeKind, tuple[int, ...]] = {
    OutcomeKind.THROTTLED: (1, 2, 5, 10, 20, 30),
    OutcomeKind.TEMPORARY: (5, 15, 60, 120, 300, 600, 900),
}


def next_at(kind: OutcomeKind, attempts: int, now: datetime) -> datetime:
    """When to try again after `attempts` (from 1) ended in `kind`."""
    steps = AGAIN[kind]
    return now + timedelta(seconds=steps[min(attempts, len(steps)) - 1])
