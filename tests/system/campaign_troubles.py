"""What happens to the campaign meanwhile: pauses, kills, STOP replies, edits of its list.

One rule: each of them comes when so many have been written to, at numbers drawn beforehand.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from system.campaign_people import ANSWERS, STOPS, Fate

if TYPE_CHECKING:
    from system.campaign_harness import Stage

HALTS = "select count(*) from halt"
OF_DAYS = 4  # pauses that the calendar has
SOME = 50  # people of whom one writes
FIRST, LAST = 0.02, 0.9  # share of the recipients between which troubles are made


async def pause(stage: Stage) -> None:
    """Pause it; from the answer on nothing is handed over."""
    await stage.owner.halt(stage.path, "pause", "paused")
    stage.evidence.pauses.append((time.time(), float("inf")))


async def resume(stage: Stage) -> None:
    """Let it go on."""
    stage.evidence.pauses[-1] = (stage.evidence.pauses[-1][0], time.time())
    await stage.owner.halt(stage.path, "resume", "sending")


async def kill(stage: Stage, kind: str) -> None:
    """An operator is away for so long that what is tried again would be due when it is back, before its receipts."""
    async with stage.calm:
        await stage.killer.kill(kind)
        if kind == "simulate":
            await stage.clock.move(stage.clock.now() + timedelta(seconds=stage.plan.lease + 1))


class Troubles:
    """Makes all of them. `kinds`: what is to be killed."""

    def __init__(self, stage: Stage, kinds: list[str]) -> None:
        self._stage = stage
        self._kinds = kinds
        people = stage.evidence.crowd.of(Fate.ELIGIBLE)
        self._people = dict.fromkeys(one.phone for one in people if not one.is_magic)  # who has not written yet
        self._edited = 0

    async def run(self) -> None:
        """Each in its time."""
        stage = self._stage
        async with asyncio.TaskGroup() as group:
            for share, trouble in self._all():
                while stage.progress.look() < share * stage.plan.recipients:
                    await asyncio.sleep(0.1)
                group.create_task(trouble())

    def _all(self) -> list[tuple[float, Callable[[], Coroutine[Any, Any, None]]]]:
        """(share of the recipients, what), the first first."""
        plan, chance = self._stage.plan, self._stage.chance
        pauses, during = plan.pauses - OF_DAYS, len(self._kinds) // 3
        coming: list[Callable[[], Coroutine[Any, Any, None]]] = []
        coming += [partial(kill, self._stage, kind) for kind in self._kinds[during:]]
        coming += [partial(self._pause, kind) for kind in (self._kinds[:during] + [""] * pauses)[:pauses]]
        coming += [self._stop] * (plan.stops - pauses)  # in a pause there is one each
        coming += [self._answer] * (plan.stops // 4)
        coming += [self._edit] * (2 * plan.edits)
        return sorted(((chance.uniform(FIRST, LAST), trouble) for trouble in coming), key=lambda item: item[0])

    # --- pauses and kills ------------------------------------------------------------------------------------------

    async def _pause(self, kind: str) -> None:
        """A short one, with what people do in it."""
        stage = self._stage
        async with stage.running:
            await pause(stage)
            stage.note("paused")
            if len(stage.evidence.pauses) % 2:  # every other one is over before all that waits is out of the way
                await stage.until(self._not_parked)
            await self._stop()
            await self._edit()
            if kind:
                await kill(stage, kind)
                await stage.killer.all_back()
            stage.note("resumed")
            await resume(stage)

    async def _not_parked(self) -> str:
        return "rows are not parked" if await self._stage.count(HALTS) else ""

    # --- handsets --------------------------------------------------------------------------------------------------

    async def _stop(self) -> None:
        """Somebody writes STOP: by turns somebody who was written to, and somebody whose turn comes soon."""
        stops = self._stage.evidence.stops
        phone = self._written() if len(stops) % 2 else self._next()
        stops.add(phone)
        await self._stage.owner.handset(self._stage.platform.handsets, phone, self._stage.chance.choice(STOPS))

    async def _answer(self) -> None:
        """Somebody answers."""
        phone = self._written()
        self._stage.evidence.says.add(phone)
        await self._stage.owner.handset(self._stage.platform.handsets, phone, self._stage.chance.choice(ANSWERS))

    def _written(self) -> str:
        """Nobody writes twice. As good as always one of the latest."""
        latest = reversed(self._stage.progress.phones)
        return self._choose(list(islice((phone for phone in latest if phone in self._people), SOME)))

    def _next(self) -> str:
        """They leave in the order of the list, as far as their hours allow."""
        known = self._stage.progress.phones
        return self._choose(list(islice((phone for phone in self._people if phone not in known), SOME)))

    def _choose(self, phones: list[str]) -> str:
        phone = self._stage.chance.choice(phones or list(self._people))
        del self._people[phone]
        return phone

    # --- the list --------------------------------------------------------------------------------------------------

    async def _edit(self) -> None:
        """By turns somebody new comes to the list, and somebody leaves it, whoever was written to."""
        stage, evidence = self._stage, self._stage.evidence
        self._edited += 1
        if self._edited % 2:
            phone = f"33639{self._edited:06d}"  # nobody in the list has such a number
            evidence.added.add(phone)
            await stage.owner.add(stage.list_id, f"+{phone}")
        else:
            phone = stage.chance.choice(sorted(evidence.crowd.people.keys() - evidence.removed))
            evidence.removed.add(phone)
            await stage.owner.remove(stage.list_id, f"+{phone}")
