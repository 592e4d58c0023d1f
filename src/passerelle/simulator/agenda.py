"""Things to do later, in order of time, with one timer that fires in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

TICK = 0.005  # seconds: timers fire at most this often, so that what is due leaves in batches

Item = TypeVar("Item")


class Agenda(Generic[Item]):
    """Items by the loop time at which they are due; `on_due(now)` is called when the first is, to `take` them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_due: Callable[[float], None]) -> None:
        self._loop = loop
        self._on_due = on_due
        self._items: list[tuple[float, int, Item]] = []
        self._numbers = count()
        self._timer: asyncio.Handle | None = None
        self._timer_at = 0.0  # kept here: what uvloop gives for a time that has come knows none

    def __len__(self) -> int:
        return len(self._items)

    def put(self, when: float, item: Item) -> None:
        """Add an item; `arm` afterwards."""
        heappush(self._items, (when, next(self._numbers), item))

    def take(self, now: float) -> Item | None:
        """The next item that is due, or None."""
        return heappop(self._items)[2] if self._items and self._items[0][0] <= now else None

    def arm(self, now: float) -> None:
        """Have `on_due` called when the first item is due, a tick from now at the earliest."""
        if not self._items:
            return
        when = max(self._items[0][0], now + TICK)
        if self._timer is not None:
            if self._timer_at <= when:
                return
            self._timer.cancel()
        self._timer, self._timer_at = self._loop.call_at(when, self._fire), when

    def stop(self) -> None:
        """Forget the timer, keep the items."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        self._on_due(self._loop.time())
