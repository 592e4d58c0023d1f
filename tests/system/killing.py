"""Kills of random processes of an installation, with -9; what was killed is started again.

One rule: everything random comes from one seed.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from system.installation import Platform
from system.programs import Program

WEIGHTS = {"serve": 30, "work": 20, "database": 25, "simulate": 25}


@dataclass(frozen=True)
class Kill:
    """One kill: seconds since the start, what, and how."""

    at: float
    what: str
    how: str = ""


def most_uncertain(kills: list[Kill], windows: int) -> int:
    """The sum of the windows at the kills: a kill of the API leaves nothing open at the operator."""
    return sum(windows for kill in kills if kill.what != "serve")


class Killer:
    """Kills what it is told to, in a way of its own choice, and starts it again a moment later."""

    def __init__(self, platform: Platform, chance: random.Random, tell: Callable[[str], None]) -> None:
        self._platform = platform
        self._chance = chance
        self._tell = tell
        self._began = time.monotonic()
        self._coming_back: set[asyncio.Task[None]] = set()
        self.killed_at = 0.0  # the last one, in monotonic seconds
        self.kills: list[Kill] = []

    async def run(self, count: int, spacing: float) -> None:
        """So many kills at random moments, `spacing` seconds apart on average; returns when the last one is back."""
        began = time.monotonic()
        moments = sorted(self._chance.uniform(0, count * spacing) for _ in range(count))
        for moment, kind in zip(moments, self.kinds(count), strict=True):
            await asyncio.sleep(max(0.0, began + moment - time.monotonic()))
            await self.kill(kind)
        await self.all_back()

    def kinds(self, count: int) -> list[str]:
        """Each program its share, in random order."""
        total = sum(WEIGHTS.values())
        kinds = [kind for kind, weight in WEIGHTS.items() for _ in range(count * weight // total)]
        kinds += self._chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=count - len(kinds))
        self._chance.shuffle(kinds)
        return kinds

    async def all_back(self) -> None:
        """Until everything that was killed is started again."""
        while self._coming_back:
            await asyncio.wait(self._coming_back)

    async def kill(self, kind: str) -> None:
        """Kill one of that kind, when one is up."""
        program = self._chance.choice(self._platform.programs[kind])
        while not program.up:  # still down from another kill
            await asyncio.sleep(0.05)
        how = "program"
        if kind == "database":
            how = await self._kill_database()
        if how == "program":
            program.kill()
            self._come_back(program, self._chance.uniform(0.1, 1.5))
        self.killed_at = time.monotonic()
        kill = Kill(self.killed_at - self._began, kind, f"{program.name} {how}")
        self.kills.append(kill)
        self._tell(f"  {kill.at:7.2f} s  kill -9 {kill.how}")

    async def _kill_database(self) -> str:
        database = self._platform.database
        choice = self._chance.random()
        while True:
            if choice < 0.4 and database.kill_server(whole=True):
                return "server, all of it"
            if 0.4 <= choice < 0.6 and database.kill_server(whole=False):
                return "postmaster"
            if 0.6 <= choice < 0.8 and database.kill_backend(self._chance.random()):
                return "backend"
            if choice >= 0.8:
                return "program"
            await asyncio.sleep(0.05)

    def _come_back(self, program: Program, after: float) -> None:
        async def later() -> None:
            await asyncio.sleep(after)
            program.start()

        task = asyncio.create_task(later())
        self._coming_back.add(task)
        task.add_done_callback(self._coming_back.discard)
