"""What is done by the clock and for nobody in particular: partitions, nights, retention, gauges.

The one rule: every method may run in several processes at once, and any time again: it is idempotent, or whoever comes
second leaves it to the first. Nothing that is unsettled is ever dropped.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

from .. import telemetry
from ..clock import Clock
from ..domain.calendar import PARIS
from ..domain.links import LIVE
from ..domain.message import Lane, State
from ..domain.rental import AGAIN as RENTED_AGAIN
from ..settings import Settings
from ..store import carriers, queue, retention, surveys, webhooks
from ..store.database import Database
from ..store.limits import WINDOW
from ..store.numbering import Numbering, month_of
from ..store.retention import LinkPage, Page
from ..store.submissions import ANSWERS_KEPT
from .settle import Settlement

NIGHT = time(3, 0)  # Europe/Paris (SMS Partner 3.8)
AGAIN = timedelta(minutes=1)
SOON = timedelta(seconds=5)
FIRST = Page(-1, -1, 0)

Duty = Callable[[datetime], Awaitable[Any]]


class Housekeeping:
    """Keeps the house of one installation. `tick` does what is due; the duties may be called one by one."""

    def __init__(self, db: Database, settings: Settings, clock: Clock) -> None:
        self._db = db
        self._settings = settings
        self._clock = clock
        self._numbering = Numbering(db)
        self._duties: list[tuple[Duty, timedelta]] = [
            (self.measure, timedelta(seconds=5)),
            (self.make_months, timedelta(hours=1)),
            (self.empty_sandbox, AGAIN),
            (self.forget_answers, AGAIN),
            (self.forget_rate_calls, AGAIN),
            (self.forget_deliveries, AGAIN),
            (self._nightly("prune_texts", self.prune_texts), AGAIN),
            (self._nightly("drop_months", self.drop_months), AGAIN),
            (self._nightly("forget_old", self.forget_old), AGAIN),
        ]
        self._due: dict[Duty, datetime] = {}

    async def tick(self, now: datetime | None = None) -> None:
        """Do what is due. A duty that fails is tried again soon; the others go on with the next tick."""
        now = now or self._clock.now()
        for duty, period in self._duties:
            if self._due.get(duty, now) <= now:
                self._due[duty] = now + SOON
                await duty(now)
                self._due[duty] = now + period

    def _nightly(self, name: str, duty: Duty) -> Duty:
        """A duty that one process does once a night."""

        async def tonight(now: datetime) -> None:
            async with self._db.connection() as connection:
                mine = await retention.claim(connection, name, last_night(now))
            if mine:
                await duty(now)

        return tonight

    async def measure(self, now: datetime) -> None:
        """The gauges: what is due in the queue, how old it is, which binds are up."""
        depth, binds = await queue.depth(self._db, now), await carriers.binds(self._db)
        for gauge in (telemetry.QUEUE_DEPTH, telemetry.QUEUE_AGE, telemetry.BINDS_UP):
            gauge.clear()
        oldest: dict[str, float] = {}
        for row in depth:
            carrier, age = str(row["carrier_id"]), (now - row["oldest"]).total_seconds()
            telemetry.QUEUE_DEPTH.labels(carrier, Lane(row["lane"]).name.lower()).set(row["parts"])
            oldest[carrier] = max(age, oldest.get(carrier, 0.0))
        for carrier, age in oldest.items():
            telemetry.QUEUE_AGE.labels(carrier).set(age)
        for row in binds:
            telemetry.BINDS_UP.labels(str(row["carrier_id"])).inc(bool(row["bound"]))

    async def make_months(self, now: datetime) -> None:
        """The partitions of this month and the next."""
        for month in (month_of(now), month_of(now) + 1):
            await retention.make_month(self._db, month)

    # --- what goes every day ---------------------------------------------------------------------------------------

    async def empty_sandbox(self, now: datetime) -> int:
        """Once after each 03:00 in Paris: what the sandbox held then."""
        night = last_night(now)
        async with self._db.transaction() as connection:
            if not await retention.claim(connection, "empty_sandbox", night):
                return 0
            await surveys.empty_sandbox(connection, night)
            return await retention.empty_sandbox(connection, night)

    async def forget_answers(self, now: datetime) -> int:
        """Answers to idempotent requests, after a day."""
        return await _in_batches(lambda: retention.forget_answers(self._db, now - ANSWERS_KEPT))

    async def forget_rate_calls(self, now: datetime) -> int:
        """Calls that no limit counts any more."""
        return await _in_batches(lambda: retention.forget_rate_calls(self._db, now - WINDOW))

    async def forget_deliveries(self, now: datetime) -> int:
        """What was posted to the endpoints of webhooks, after `delivery_days`."""
        before = now - timedelta(days=self._settings.delivery_days)
        return await _in_batches(lambda: webhooks.forget_deliveries(self._db, before))

    # --- texts -----------------------------------------------------------------------------------------------------

    async def prune_texts(self, now: datetime) -> int:
        """Blank texts that are older than `text_days`, counted from the sending time; how many."""
        before = now - timedelta(days=self._settings.text_days)
        async with retention.alone(self._db, "prune_texts") as mine:
            if mine is None:
                return 0
            texts = await self._blank_months(now, before)
            replies, _ = await _walk(lambda after: retention.blank_replies(self._db, after, before))
        if texts or replies:
            telemetry.log(telemetry.Event.PRUNED, texts=texts, replies=replies)
        return texts + replies

    async def _blank_months(self, now: datetime, before: datetime) -> int:
        """Months that are over and without a text are remembered, and not walked again."""
        stored, blanked = await retention.months(self._db), await retention.blanked_months(self._db)
        count = 0
        for month in stored:
            if month in blanked or month > month_of(before):
                continue
            done, left_over = await _walk(partial(self._blank_page, month, before))
            count += done
            if not left_over and month < month_of(now):
                blanked.add(month)
        await retention.keep_blanked(self._db, blanked.intersection(stored))
        return count

    async def _blank_page(self, month: int, before: datetime, after: Page) -> Page | None:
        return await retention.blank_texts(self._db, month, after, before)

    # --- what has an age -------------------------------------------------------------------------------------------

    async def forget_old(self, now: datetime) -> dict[str, int]:
        """Delete what is older than it is kept, in batches; how many of what. Whatever may still be needed stays."""
        ages, gone = self._ages(now), {}
        async with retention.alone(self._db, "forget_old") as mine:
            if mine is None:
                return {}
            for what in retention.OLD:
                gone[what] = await _in_batches(partial(retention.forget_old, self._db, what, ages[what]))
            gone["links"] = await self._forget_links(ages["links"])
            gone["tracked_links"] = await _in_batches(partial(retention.forget_targets, self._db, ages["targets"]))
        found = {what: count for what, count in gone.items() if count}
        if found:
            telemetry.log(telemetry.Event.PRUNED, **found)
        return found

    def _ages(self, now: datetime) -> dict[str, datetime]:
        """Since when each is kept."""
        month, texts = now - timedelta(days=30), now - timedelta(days=self._settings.text_days)
        quarter = now - timedelta(days=90)
        facts = now - timedelta(days=31 * (self._settings.metadata_months + 1))  # no sooner than the months of messages
        return {
            "checks": texts,
            "mails_written": now - timedelta(days=1),
            **dict.fromkeys(("mails", "signups"), month),
            **dict.fromkeys(
                ("invitations", "survey_answers", "free_answers", "links", "forwarding", "quota_days"), facts
            ),
            "targets": min(facts, now - LIVE),  # of tracked links
            **dict.fromkeys(("imports", "keys", "endpoints"), quarter),
            "rented_numbers": now - RENTED_AGAIN - timedelta(days=30),
        }

    async def _forget_links(self, before: datetime) -> int:
        page, gone = LinkPage(datetime.min.replace(tzinfo=UTC), "", 0), 0
        while (found := await retention.forget_links(self._db, page, before)) is not None:
            page, gone = found, gone + found.gone
        return gone

    # --- months ----------------------------------------------------------------------------------------------------

    async def drop_months(self, now: datetime) -> int:
        """Drop the months that are over for longer than `metadata_months`; how many.

        Submissions of which nothing was begun (a sending time far ahead) move to the present month, with new ids and
        the numbers that their owners know. What was begun ends by itself within days: its month waits for another
        night. The charges of a dropped month become one posting an account.
        """
        oldest = month_of(now) - self._settings.metadata_months
        dropped = []
        async with retention.alone(self._db, "drop_months") as mine:
            for month in await retention.months(self._db) if mine is not None else []:
                if month < oldest and await self._drop(month, now):
                    dropped.append(retention.label(month))
        if dropped:
            telemetry.log(telemetry.Event.PRUNED, months=dropped)
        return len(dropped)

    async def _drop(self, month: int, now: datetime) -> bool:
        for one in await retention.queued_submissions(self._db, month):
            await retention.move(self._db, one, await self._numbering.messages(one.messages, now))
        if await retention.under_way(self._db, month):
            return False
        await _in_batches(lambda: self._end_orphans(month, now))
        return await retention.close_month(self._db, month, now)

    async def _end_orphans(self, month: int, now: datetime) -> int:
        """There should be none; whatever left them, they end unconfirmed, in the open, before they go."""
        async with self._db.transaction() as connection:
            found = await retention.orphans(connection, month)
            settlement = Settlement(connection, now, None)
            await settlement.load((row["account_id"], row["id"]) for row in found)
            for row in found:
                for part in range(1, row["parts"] + 1):
                    settlement.moved((row["account_id"], row["id"]), part, State.UNCONFIRMED, now)
            await settlement.save()
        if found:
            telemetry.log(telemetry.Event.OUTCOME_UNKNOWN, month=retention.label(month), messages=len(found))
        return len(found)


def last_night(now: datetime) -> datetime:
    """The latest 03:00 in Paris that is not to come."""
    there = now.astimezone(PARIS)
    night = datetime.combine(there.date(), NIGHT, PARIS)
    return night if night <= there else datetime.combine(there.date() - timedelta(days=1), NIGHT, PARIS)


async def _in_batches(step: Callable[[], Awaitable[int]]) -> int:
    """Until there is nothing left to do."""
    total = 0
    while done := await step():
        total += done
    return total


async def _walk(step: Callable[[Page], Awaitable[Page | None]]) -> tuple[int, int]:
    """Page after page to the end; how many texts were blanked, and how many are not to be yet."""
    page, blanked, left_over = FIRST, 0, 0
    while (found := await step(page)) is not None:
        page, blanked, left_over = found, blanked + found.blanked, left_over + found.left_over
    return blanked, left_over
