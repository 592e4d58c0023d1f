"""Links as people follow them: written down in batches, and led on only when that is on disk.

One rule: nobody is answered before the commit that holds the visit. While one batch is in its commit the next one
gathers; there is no timer, so whoever comes alone waits for nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from .. import telemetry
from ..clock import Clock
from ..domain.links import Robot
from ..domain.tracking import Target
from ..store import tracking
from ..store.database import Database, is_transient
from ..store.tracking import Asked, Led, Stay

MOST = 500  # visits of one commit
SOON = 1.0  # seconds in which a lost connection may be replaced

_BATCH_SIZE = telemetry.BATCH_SIZE.labels("visit")
_VISITS = tuple(telemetry.VISITS.labels(robot.name.lower()) for robot in Robot)
_NOWHERE = telemetry.VISITS.labels("nowhere")

Question = TypeVar("Question")
Reply = TypeVar("Reply")


class Away(Exception):
    """The database does not answer."""


class Gathering(Generic[Question, Reply]):
    """Asks `write` for many at once, one batch at a time."""

    def __init__(self, write: Callable[[Sequence[Question]], Awaitable[Sequence[Reply]]]) -> None:
        self._write = write
        self._waiting: list[tuple[Question, asyncio.Future[Reply]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def ask(self, one: Question) -> Reply:
        """The reply to one, when its batch is written."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, future))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await future

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._write_batch(batch)
        finally:
            self._writing = None

    async def _write_batch(self, batch: Sequence[tuple[Question, asyncio.Future[Reply]]]) -> None:
        try:
            replies = await self._write([one for one, _ in batch])
        except Exception as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), reply in zip(batch, replies, strict=True):
            if not future.done():
                future.set_result(reply)


class Following:
    """Leads whoever follows a link of this installation."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._visits = Gathering(self._visit)
        self._stays = Gathering(self._spend)

    async def follow(self, code: str, link: int = 0, robot: Robot = Robot.PERSON) -> Led | None:
        """Where a link leads, once the visit is on disk; None: nowhere. Raises Away."""
        return await self._visits.ask(Asked(code, link, robot))

    async def stay(self, code: str, visit_id: int, seconds: int) -> None:
        """A page was seen for so long by now. Raises Away."""
        await self._stays.ask(Stay(code, visit_id, seconds))

    async def page(self, target_id: int) -> Target | None:
        """The page that a target is. Raises Away."""
        return await _twice(lambda: tracking.page(self._db, target_id))

    async def _visit(self, asked: Sequence[Asked]) -> list[Led | None]:
        _BATCH_SIZE.observe(len(asked))
        led = await _twice(lambda: tracking.visit(self._db, asked, self._clock.now()))
        for one, to in zip(asked, led, strict=True):
            (_NOWHERE if to is None else _VISITS[one.robot]).inc()
        return led

    async def _spend(self, stays: Sequence[Stay]) -> list[None]:
        await _twice(lambda: tracking.spend(self._db, stays, self._clock.now()))
        return [None] * len(stays)


async def _twice(step: Callable[[], Awaitable[Reply]]) -> Reply:
    """Once more where a connection was lost under it: what was written without an answer is then there twice. Raises
    Away."""
    end = time.monotonic() + SOON
    while True:
        try:
            return await step()
        except Exception as error:
            if not is_transient(error):
                raise
            if time.monotonic() > end:
                raise Away from None
        end = 0.0
