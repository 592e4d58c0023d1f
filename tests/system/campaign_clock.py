"""The clock of an installation under test, moved instead of waited for, and what time it was at each moment.

One rule: a move is over when every process follows it; within FOLLOWED seconds of one, either time may be meant.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from passerelle.store import installation_facts
from passerelle.store.database import Database, patiently

PARIS = ZoneInfo("Europe/Paris")
FOLLOWED = 1.0  # seconds: processes look at the offset ten times a second
AHEAD = 2.0  # seconds before a moment that is to be seen coming
BEHIND = 0.8


def paris(moment: str) -> datetime:
    """`2026-08-14 19:50` on the clocks of Paris; of a time that comes twice the first."""
    return datetime.fromisoformat(moment).replace(tzinfo=PARIS).astimezone(UTC)


@dataclass(frozen=True)
class Move:
    """From when to when (seconds since 1970) the offset was being changed, and to what."""

    began: float
    ended: float
    offset: float


class MovedClock:
    """The time of day of the installation. `moves`: all so far."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.moves: list[Move] = []

    def now(self) -> datetime:
        """What time it is."""
        return at_offset(time.time(), self.moves[-1].offset)

    async def move(self, to: datetime) -> None:
        """Make it that time. Returns when all processes know."""
        began = time.time()
        offset = to.timestamp() - began
        await patiently(lambda: installation_facts.set_clock_offset(self._db, offset), math.inf)
        self.moves.append(Move(began, time.time(), offset))
        await asyncio.sleep(FOLLOWED / 2)

    async def until(self, moment: datetime) -> None:
        """A moment that is near comes by itself."""
        while self.now() < moment:
            await asyncio.sleep(0.05)

    def possible(self, at: float) -> list[datetime]:
        """What time it may have been in a process at `at` seconds since 1970."""
        meant = []
        for move, following in zip(self.moves, [*self.moves[1:], None], strict=True):
            over = float("inf") if following is None else following.ended + FOLLOWED
            if move.began <= at <= over:
                meant.append(at_offset(at, move.offset))
        return meant


def at_offset(at: float, offset: float) -> datetime:
    """A moment of the machine on a clock that is ahead."""
    return datetime.fromtimestamp(at, UTC) + timedelta(seconds=offset)
