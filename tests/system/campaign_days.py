"""The days of the campaign: which moments come by themselves, which hours are skipped, where it is paused for months.

One rule: hours are skipped only when everything that a real night would have given time for has happened.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from system.campaign_clock import AHEAD, BEHIND, paris
from system.campaign_people import TESTER
from system.campaign_troubles import HALTS, kill, pause, resume

if TYPE_CHECKING:
    from system.campaign_harness import Stage

WINTER = datetime(2026, 10, 25, 1, tzinfo=UTC)  # 03:00 becomes 02:00 in Paris
LONG = timedelta(hours=20)
SWEEP = timedelta(seconds=61)  # what was parked is looked at once a minute

# What is due and that nobody has looked at; what a process holds, or held when it died.
NOT_LOOKED_AT = "select count(*) from queue where lane < 3 and (due_at <= $1 or lease_until is not null)"
# Held for longer than an answer takes: by a process that died. Its parts are rescued by the time that is since then.
ORPHANED = "select count(*) from queue where lease_until < clock_timestamp() + $1::interval"
HELD = timedelta(seconds=3)
# Receipts of parts whose answer was lost: they are found within a minute, if nothing else has told of the end.
UNSWEPT = """
select count(*) from parked_receipt p
where exists (select from awaiting a join message m on m.account_id = a.account_id and m.id = a.message_id
              where a.phone = p.phone and (a.operator_id = '' or a.operator_id = any(p.forms)) and m.state < 10)
"""
UNCERTAIN = "select phone from message where uncertain"
DUE = "select count(*) from (select from queue where lane < 3 and due_at <= $1 limit 1) one"
LEFT = "select count(*) from (select from queue limit 1) one"


class Days:
    """Moves the clock from the start to the end."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._clock = stage.clock

    async def run(self) -> None:
        """From the eve of 15 August to Monday after Christmas."""
        await self._pass("2026-08-14 19:50", "the start, on the eve of a public holiday")
        await self._sent(14)
        await self._pass("2026-08-14 20:00", "closed")
        await self._rest("2026-08-15 12:00", "Saturday, Assumption")
        await self._rest("2026-08-16 12:00", "Sunday")
        await self._pass("2026-08-17 08:00", "Monday")
        await self._sent(24)
        await self._skip_paused("2026-08-17 14:05", "8:05 in Guadeloupe")
        await self._sent(30)
        await self._pass("2026-08-17 18:00", "20:00 in La Reunion")
        await self._sent(38)
        await self._skip_paused("2026-10-24 19:50", "Saturday before the change to winter time")
        await self._sent(46)
        await self._pass("2026-10-24 20:00", "closed")
        await self._pass(WINTER, "03:00 becomes 02:00")
        await self._rest("2026-10-26 07:00", "Monday; it would be 8:00 in summer")
        await self._pass("2026-10-26 08:00", "Monday")
        await self._sent(56)
        await self._skip_paused("2026-10-26 13:05", "8:05 in Guadeloupe")
        await self._sent(62)
        await self._pass("2026-10-26 17:00", "20:00 in La Reunion")
        await self._sent(70)
        await self._skip_paused("2026-12-24 19:50", "Christmas Eve")
        await self._sent(77)
        await self._pass("2026-12-24 20:00", "closed")
        await self._rest("2026-12-25 12:00", "Christmas")
        await self._pass("2026-12-26 08:00", "Saturday, a public holiday in Alsace-Moselle only")
        await self._sent(86)
        await self._pass("2026-12-26 20:00", "closed")
        await self._rest("2026-12-27 12:00", "Sunday")
        await self._pass("2026-12-28 08:00", "Monday")
        await self._stage.until(self._due)
        await self._kill_at("2026-12-28 13:00", "8:00 in Guadeloupe")
        await self._stage.until(self._left)
        self._stage.note("all has left")
        await self._stage.until(self._restless)

    # --- moving ----------------------------------------------------------------------------------------------------

    async def _pass(self, moment: str | datetime, what: str) -> None:
        """A moment comes by itself, a second after the clock was moved close to it."""
        at = paris(moment) if isinstance(moment, str) else moment
        async with self._stage.running:
            await self._move(at - timedelta(seconds=AHEAD))
        await self._clock.until(at + timedelta(seconds=BEHIND))
        self._stage.note(what)

    async def _kill_at(self, moment: str, what: str) -> None:
        """The operator is killed as soon as the first are there. Few are left, so if anything were tried again it would
        be at once."""
        stage = self._stage
        await self._move(paris(moment) - timedelta(seconds=AHEAD))
        submits = stage.progress.look()

        async def missing() -> str:
            return "" if stage.progress.look() > submits else await self._left()

        await stage.until(missing)
        await kill(stage, "simulate")
        stage.note(what)

    async def _rest(self, moment: str, what: str) -> None:
        """In the middle of a closed time."""
        async with self._stage.running:
            await self._move(paris(moment))
        self._stage.note(what)
        await self._stage.until(self._not_looked_at)

    async def _skip_paused(self, moment: str, what: str) -> None:
        """The campaign is paused over the time between."""
        async with self._stage.running:
            await pause(self._stage)
            await self._move(paris(moment))
            self._stage.note(f"{what}: resumed")
            await resume(self._stage)

    async def _move(self, to: datetime) -> None:
        """When everybody is there and, before long times, everything is done that they would have given time for."""
        stage = self._stage
        if to - self._clock.now() > LONG:
            await stage.until(self._restless)
            await self._recount()
        async with stage.calm:
            await stage.killer.all_back()
            await stage.until(self._orphaned)
            await self._clock.move(to)

    async def _recount(self) -> None:
        """Nothing moves: what the owner is told of the campaign is what the journal shows."""
        stage, evidence = self._stage, self._stage.evidence
        stage.progress.look()
        uncertain = {str(row[0]) for row in await stage.ask(UNCERTAIN)}
        sent = len((stage.progress.phones.keys() | uncertain) - {TESTER})
        figures = await stage.owner.call("GET", f"/v2/campaigns/{evidence.told.campaign_id}/status")
        progress = await stage.owner.call("GET", f"{stage.path}/progress")
        states = {one["state"]: one["messages"] for one in progress["states"]}
        counted = {
            "sent": sent,
            "waiting": progress["messages"] - sent - states.get("opted_out", 0),
            "state": "SENDING",
        }
        told = {"sent": figures["sent"], "waiting": progress["parts_waiting"], "state": figures["state"]}
        if told != counted:
            evidence.faults.append(f"on {self._clock.now():%Y-%m-%d}: told {told}, counted {counted}")

    # --- waiting ---------------------------------------------------------------------------------------------------

    async def _sent(self, share: int) -> None:
        """So many percent of everybody have been written to, or nobody can be now."""
        stage = self._stage
        target = stage.plan.recipients * share // 100

        async def missing() -> str:
            if stage.progress.look() >= target or (not stage.running.locked() and not await self._due()):
                return ""
            return f"{share} % are not sent"

        await stage.until(missing)
        stage.note(f"{share} % are sent" if stage.progress.submits >= target else "nobody may be written to now")

    async def _due(self) -> str:
        return await self._count(DUE, "are due", self._clock.now())

    async def _left(self) -> str:
        return await self._count(LEFT, "are left")

    async def _not_looked_at(self) -> str:
        return await self._count(NOT_LOOKED_AT, "are due or held", self._clock.now())

    async def _orphaned(self) -> str:
        if time.monotonic() < self._stage.killer.killed_at + HELD.total_seconds():
            return "something was just killed"
        return await self._count(ORPHANED, "are nobody's", timedelta(seconds=self._stage.plan.lease) - HELD)

    async def _restless(self) -> str:
        """Something is due or held, a receipt is owed, or one that is here is to be matched."""
        stage = self._stage
        found = await self._not_looked_at() or await stage.owner.owed(stage.platform.handsets)
        found = found or await self._count(HALTS, "submissions are being paused")
        if not found and (found := await self._count(UNSWEPT, "receipts are not matched")):
            async with stage.calm:
                await self._clock.move(self._clock.now() + SWEEP)
        return found

    async def _count(self, query: str, what: str, *arguments: object) -> str:
        count = await self._stage.count(query, *arguments)
        return f"{count} {what}" if count else ""
