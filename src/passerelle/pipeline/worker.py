"""The loops of a worker: binds held, parts out, outcomes and receipts in, and the work of every second.

Each loop goes on for ever; a database that is away makes it wait, with what it holds, and nothing is lost by it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from .. import telemetry
from ..domain.message import Outcome
from ..outbound.carrier import Arrived, Line
from ..store import carriers as store
from ..store import queue, statistics
from ..store.database import Database, is_transient
from .dispatch import Dispatcher
from .inbound import Inbound
from .receipts import Receipts

GATHER = 0.008  # seconds in which outcomes and receipts gather into a batch
IDLE = 0.04  # seconds between looks at an empty queue
BIND_LEASE = timedelta(seconds=12)
RENEWALS = 4  # of a lease, in its time
BIND_LOOK = 0.5  # seconds between looks at leases that have run out
AWAY = 0.25  # seconds between tries while the database is away
FAREWELL = 4.0  # seconds for the last words to the database

Chore = Callable[[], Awaitable[object]]


class Worker:
    """Runs the pipeline of this process. `chores`: (seconds, what) to be done again and again."""

    def __init__(
        self,
        db: Database,
        owner: UUID,
        dispatcher: Dispatcher,
        receipts: Receipts,
        inbound: Inbound,
        chores: Sequence[tuple[float, Chore]] = (),
        *,
        bind_lease: timedelta = BIND_LEASE,
    ) -> None:
        self._db = db
        self._owner = owner
        self._dispatcher = dispatcher
        self._receipts = receipts
        self._inbound = inbound
        self._chores = list(chores)
        self._carriers: list[Line] = []
        self._outcomes_there = asyncio.Event()
        self._arrived_there = asyncio.Event()
        self._binds_changed = asyncio.Event()
        self._held_until: dict[tuple[int, int], float] = {}
        self._bind_lease = bind_lease
        self._pumping: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._recording = asyncio.Lock()
        self._stopping = False

    def wake(self) -> None:
        """A carrier has something to take."""
        self._outcomes_there.set()
        self._arrived_there.set()

    def bind_changed(self) -> None:
        """A bind came up or went: the database is told at once."""
        self._binds_changed.set()

    def serve(self, carriers: Sequence[Line]) -> None:
        """The carriers of this process."""
        self._carriers = list(carriers)

    async def run(self) -> None:
        """Work until cancelled."""
        loops = [
            self._hold_binds(),
            self._watch_binds(),
            self._again(self._record_outcomes),
            self._again(self._take_arrived),
            *(self._again(lambda c=carrier: self._pump(c)) for carrier in self._carriers),  # type: ignore[misc]
            *(self._every(seconds, chore) for seconds, chore in self._chores),
        ]
        async with asyncio.TaskGroup() as group:
            for loop in loops:
                group.create_task(loop)

    async def stop(self) -> None:
        """Lease nothing more, let what is in flight come back, write it down, give the binds back."""
        self._stopping = True
        await self._to_the_end(self._last_leases)
        for carrier in self._carriers:
            await carrier.finish()
        await self._to_the_end(self._last_words)

    async def _to_the_end(self, step: Chore) -> None:
        """A step of stopping; without a database the leases run out by themselves."""
        try:
            async with asyncio.timeout(FAREWELL):
                await step()
        except Exception as error:
            telemetry.log(telemetry.Event.DATABASE_LOST, room="stop", error=type(error).__name__)

    async def _last_leases(self) -> None:
        """What is being leased at this moment is handed over, or it would count as unknown."""
        for lock in tuple(self._pumping.values()):
            async with lock:
                pass

    async def _last_words(self) -> None:
        async with self._recording:
            for carrier in self._carriers:
                await self._record(carrier, carrier.take_outcomes())
        await store.let_go(self._db, self._owner)

    # --- loops -----------------------------------------------------------------------------------------------------

    async def _again(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._patiently(step)

    async def _every(self, seconds: float, chore: Chore) -> None:
        while True:
            await self._patiently(chore)
            await asyncio.sleep(seconds)

    async def _patiently(self, step: Chore) -> None:
        """One step; a failure is told and slows the loop down, but never ends it."""
        try:
            await step()
        except Exception as error:
            event = telemetry.Event.DATABASE_LOST if is_transient(error) else telemetry.Event.WORKER_FAILED
            telemetry.log(event, room="worker", error=type(error).__name__, exc_info=not is_transient(error))
            await asyncio.sleep(AWAY)

    async def _pump(self, carrier: Line) -> None:
        async with self._pumping[carrier.id]:
            looked_at = 0 if self._stopping else await self._dispatcher.pump(carrier)
        await asyncio.sleep(GATHER if looked_at else IDLE)

    async def _record_outcomes(self) -> None:
        await self._outcomes_there.wait()
        await asyncio.sleep(GATHER)
        self._outcomes_there.clear()
        async with self._recording:
            for carrier in self._carriers:
                await self._record(carrier, carrier.take_outcomes())

    async def _record(self, carrier: Line, outcomes: Sequence[Outcome]) -> None:
        """Until it is on disk: nobody else knows what became of these parts."""
        while outcomes:
            try:
                await self._dispatcher.record(carrier.id, outcomes)
                return
            except Exception as error:
                if not is_transient(error):
                    await self._record_apart(carrier, outcomes, error)
                    return
                telemetry.log(telemetry.Event.DATABASE_LOST, room="record", error=type(error).__name__)
                await asyncio.sleep(AWAY)

    async def _record_apart(self, carrier: Line, outcomes: Sequence[Outcome], error: Exception) -> None:
        """One that cannot be recorded does not keep its neighbours; its lease runs out, and it counts as unknown."""
        telemetry.log(telemetry.Event.WORKER_FAILED, room="record", error=repr(error)[:200], outcomes=len(outcomes))
        if len(outcomes) > 1:
            for outcome in outcomes:
                await self._record(carrier, [outcome])

    async def _take_arrived(self) -> None:
        await self._arrived_there.wait()
        await asyncio.sleep(GATHER)
        self._arrived_there.clear()
        for carrier in self._carriers:
            await self._settle(carrier, carrier.take_arrived())

    async def _settle(self, carrier: Line, arrived: Sequence[Arrived]) -> None:
        """Committed, then acknowledged; what the database does not take now is sent again by the operator."""
        if not arrived:
            return
        try:
            await self._receipts.settle(carrier.id, [r for one in arrived for r in one.receipts])
            texts = [text for one in arrived for text in one.texts]
            if texts:
                await self._inbound.receive(texts, carrier.id)
        except Exception as error:
            if is_transient(error):
                raise
            telemetry.log(telemetry.Event.WORKER_FAILED, room="arrived", error=repr(error)[:200], batches=len(arrived))
            await self._settle_apart(carrier, arrived)
        for one in arrived:
            one.acknowledge()

    async def _settle_apart(self, carrier: Line, arrived: Sequence[Arrived]) -> None:
        """One that cannot be settled does not keep its neighbours, nor come again for ever: it is told and left."""
        steps: list[Chore] = [partial(self._receipts.settle, carrier.id, [r]) for one in arrived for r in one.receipts]
        steps += [partial(self._inbound.receive, [text], carrier.id) for one in arrived for text in one.texts]
        for step in steps:
            try:
                await step()
            except Exception as error:
                if is_transient(error):
                    raise
                telemetry.log(telemetry.Event.RECEIPT_UNMATCHED, carrier=carrier.name, error=repr(error)[:200])

    # --- binds -----------------------------------------------------------------------------------------------------

    async def _hold_binds(self) -> None:
        while True:
            self._binds_changed.clear()
            if not self._stopping:
                await self._patiently(self._renew)
                self._drop_unheld()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._binds_changed.wait(), self._bind_lease.total_seconds() / RENEWALS)

    async def _watch_binds(self) -> None:
        """Apart from their renewal, which may wait for a database that is away for longer than a lease."""
        while True:
            self._drop_unheld()
            await asyncio.sleep(BIND_LOOK)

    async def _renew(self) -> None:
        for carrier in self._carriers:
            for number in range(carrier.binds):
                if self._stopping:
                    return
                until = time.monotonic() + self._bind_lease.total_seconds() - 1
                bound, note = carrier.state(number)
                if await store.hold_bind(self._db, carrier.id, number, self._owner, self._bind_lease, bound, note):
                    self._held_until[carrier.id, number] = until
                    if until > time.monotonic() and not self._stopping:
                        carrier.open(number)
                else:
                    self._held_until.pop((carrier.id, number), None)

    def _drop_unheld(self) -> None:
        """A bind that could not be renewed in time may be somebody else's by now."""
        now = time.monotonic()
        for carrier in self._carriers:
            for number in range(carrier.binds):
                if self._held_until.get((carrier.id, number), 0.0) < now:
                    carrier.drop(number)


def chores(
    db: Database, dispatcher: Dispatcher, receipts: Receipts, inbound: Inbound, clock_now: Callable[[], object]
) -> list[tuple[float, Chore]]:
    """The work of every second: rescue, expire, sweep, fold."""

    async def carriers_then(step: Callable[[Sequence[int]], Awaitable[int]]) -> None:
        while await step(await queue.carriers_in_use(db)) >= 500:
            pass

    async def give_up() -> None:
        while await receipts.give_up() >= 500:
            pass

    async def fold() -> None:
        while await statistics.fold(db, clock_now()) >= 5000:  # type: ignore[arg-type]
            pass

    return [
        (1.0, receipts.sweep),
        (1.0, fold),
        (2.0, lambda: carriers_then(dispatcher.rescue)),
        (3.0, lambda: carriers_then(dispatcher.expire)),
        (5.0, give_up),
        (30.0, inbound.sweep),
    ]
