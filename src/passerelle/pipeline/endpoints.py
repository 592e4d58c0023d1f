"""Whose notification is posted next: a share for every endpoint, so that a slow or dead one delays no other.

No input and no output. An endpoint that answers gets more slots, one that does not loses them; all slow ones together
hold at most half. An endpoint that is down keeps one probe under way, and the rest of its events fail with the probe.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..store.events import Leased

SLOW = 1.0  # seconds after which an answer is slow
FIRST = 16  # slots of an endpoint that nothing is known of
DOWN = 5  # attempts in a row without an answer
FRESH = timedelta(seconds=15)  # how long such a failure speaks for the next events: longer than an attempt
SPARE = 15.0  # seconds that a lease must have left for an attempt
BACKLOG = 50_000  # events in memory; the lease of what is beyond runs out, and it is leased again
KNOWN = 5_000  # endpoints remembered


@dataclass(slots=True, eq=False)
class Endpoint:
    """What we know of `scheme://host:port`."""

    name: str
    waiting: deque[Leased] = field(default_factory=deque)
    running: int = 0
    slots: int = FIRST
    slow: bool = False
    unanswered: int = 0  # attempts in a row
    failed_at: datetime | None = None
    listed: bool = False  # among those that may have a turn
    held_back: bool = False  # nothing more is leased for it

    def is_down(self, now: datetime) -> bool:
        """Whether it did not answer lately, again and again."""
        return self.unanswered >= DOWN and self.failed_at is not None and now - self.failed_at < FRESH


class Endpoints:
    """Queues in memory and turns. `total` slots, at most `each` for one endpoint."""

    def __init__(self, total: int = 256, each: int = 64) -> None:
        self.waiting = 0
        self._total = total
        self._each = each
        self._running = 0
        self._known: dict[str, Endpoint] = {}
        self._turns: dict[bool, deque[Endpoint]] = {False: deque(), True: deque()}  # of the fast, of the slow
        self._slow: set[Endpoint] = set()  # slow ones with something to do
        self._slow_running = 0

    def add(self, event: Leased, now: datetime) -> bool:
        """Queue an event. False: its endpoint is down, and a probe is under way or about to be."""
        endpoint = self._known.get(event.endpoint)
        if endpoint is None:
            endpoint = self._known[event.endpoint] = Endpoint(event.endpoint, slots=min(FIRST, self._each))
        if endpoint.is_down(now) and (endpoint.running or endpoint.waiting):
            return False
        if self.waiting < BACKLOG:
            endpoint.waiting.append(event)
            self.waiting += 1
            self._list(endpoint)
        return True

    def take(self, monotonic: float) -> tuple[Endpoint, Leased] | None:
        """The next event to post, in turn; None while nobody may. Give the slot back with `answered` or `failed`."""
        while self._running < self._total:
            is_slow = bool(self._turns[True]) and self._slow_running < self._total // 2
            if not self._turns[is_slow]:
                return None
            endpoint = self._turns[is_slow].popleft()
            endpoint.listed = False
            event = self._next(endpoint, monotonic) if endpoint.slow is is_slow else None
            self._list(endpoint)
            if event is not None:
                return endpoint, event
        return None

    def close(self) -> None:
        """No more turns."""
        self._total = 0

    def _next(self, endpoint: Endpoint, monotonic: float) -> Leased | None:
        while endpoint.waiting and endpoint.running < self._slots(endpoint):
            event = endpoint.waiting.popleft()
            self.waiting -= 1
            if event.deadline - monotonic > SPARE:
                self._count(endpoint, 1)
                return event
        return None

    def _slots(self, endpoint: Endpoint) -> int:
        """Slow ones share half of all slots."""
        if not endpoint.slow:
            return endpoint.slots
        return max(1, min(endpoint.slots, self._total // 2 // max(1, len(self._slow))))

    # --- what became of it -----------------------------------------------------------------------------------------

    def answered(self, endpoint: Endpoint, seconds: float) -> bool:
        """An answer came, whatever it said. True: there is room, more of this endpoint may be leased."""
        endpoint.unanswered = 0
        endpoint.slots = min(self._each, endpoint.slots * 2)
        return self._end(endpoint, seconds >= SLOW)

    def failed(self, endpoint: Endpoint, seconds: float, now: datetime) -> list[Leased]:
        """No answer came; returns the events that fail with it because the endpoint is down."""
        endpoint.unanswered += 1
        endpoint.failed_at = now
        endpoint.slots = max(1, endpoint.slots // 2)
        lost: list[Leased] = []
        if endpoint.is_down(now):
            while len(endpoint.waiting) > 1:
                lost.append(endpoint.waiting.pop())
            self.waiting -= len(lost)
        self._end(endpoint, seconds >= SLOW)
        return lost

    def _end(self, endpoint: Endpoint, slow: bool) -> bool:
        self._count(endpoint, -1)
        if slow is not endpoint.slow:
            self._slow_running += endpoint.running if slow else -endpoint.running
            endpoint.slow = slow
        self._list(endpoint)
        self._forget(endpoint)
        has_room = endpoint.held_back and len(endpoint.waiting) <= self._slots(endpoint)
        if has_room:
            endpoint.held_back = False
        return has_room

    def _count(self, endpoint: Endpoint, change: int) -> None:
        endpoint.running += change
        self._running += change
        if endpoint.slow:
            self._slow_running += change

    def _list(self, endpoint: Endpoint) -> None:
        if endpoint.slow and (endpoint.waiting or endpoint.running):
            self._slow.add(endpoint)
        else:
            self._slow.discard(endpoint)
        if endpoint.waiting and not endpoint.listed and endpoint.running < self._slots(endpoint):
            endpoint.listed = True
            self._turns[endpoint.slow].append(endpoint)

    def _forget(self, endpoint: Endpoint) -> None:
        if len(self._known) > KNOWN and not endpoint.waiting and not endpoint.running:
            self._slow.discard(endpoint)
            self._known.pop(endpoint.name, None)

    def busy(self, now: datetime) -> list[str]:
        """Endpoints for which enough waits here; those that are down are not among them, their events are to fail."""
        found = []
        for endpoint in self._known.values():
            if len(endpoint.waiting) >= 4 * self._slots(endpoint) and not endpoint.is_down(now):
                endpoint.held_back = True
                found.append(endpoint.name)
        return found
