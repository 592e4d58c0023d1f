"""The time of day, and waiting; replaceable, so that nights and validities can be tested in a second.

The one rule: nothing else in Passerelle asks the machine what time it is. Below the pipeline, `now` is an argument.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class Clock:
    """The clock of the machine, `offset` seconds ahead of it."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def now(self) -> datetime:
        """Now, aware, in UTC."""
        now = datetime.now(UTC)
        return now + timedelta(seconds=self.offset) if self.offset else now

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of real time: an offset moves what time it is, not how fast it goes."""
        await asyncio.sleep(seconds)


class ManualClock(Clock):
    """A clock that stands still until `move` is called; a sleep ends when it was moved far enough."""

    def __init__(self, start: datetime) -> None:
        super().__init__()
        self._start = start.astimezone(UTC)
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """The start plus all that it was moved."""
        return self._start + timedelta(seconds=self.offset)

    def move(self, seconds: float) -> None:
        """Move forward and wake whoever is due."""
        self.offset += seconds
        for due, sleeper in self._sleepers:
            if due <= self.now() and not sleeper.done():
                sleeper.set_result(None)
        self._sleepers = [(due, sleeper) for due, sleeper in self._sleepers if not sleeper.done()]

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved by `seconds`."""
        sleeper = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now() + timedelta(seconds=seconds), sleeper))
        self.move(0)
        await sleeper
