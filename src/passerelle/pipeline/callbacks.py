"""Deliver notifications: post what is due, put off what failed, give up after two days and keep it for replay.

At least once: an event is deleted after its answer, and one whose process was killed is leased again a minute later.
What a commit has just written is posted by the same process without being read again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from .. import telemetry
from ..clock import Clock
from ..outbound.webhook import Posted, Poster
from ..store import events
from ..store import webhooks as logged
from ..store.database import Database, is_transient
from ..store.events import Failed, Leased
from ..store.webhooks import DeliveryState, Tried
from .accounts import Accounts
from .endpoints import DOWN, Endpoint, Endpoints
from .webhooks import Webhooks

DELAYS = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 360, 720, 1440))
"""After each attempt in vain but the last: eight attempts in all."""

POLL = 1.0  # seconds between looks at what is due
LIMIT = 500  # events leased at once
ENOUGH = 2_000  # events in memory above which nothing more is leased
GATHER = 0.01  # seconds for which outcomes are gathered
GRACE = 2.0  # seconds that posts under way are given when we stop
SECRETS_FRESH = timedelta(minutes=1)
SECRETS_KEPT = 20_000
ACCOUNT_URLS = ("dlr_url", "reply_url", "webhook_url", "webhook_reply_url")

_COUNTERS = {name: telemetry.CALLBACKS.labels(name) for name in ("delivered", "failed", "gone", "given_up")}


class Callbacks:
    """The way out of notifications of this process. `slots`: posts at a time, `endpoint_slots`: to one endpoint."""

    def __init__(
        self,
        db: Database,
        poster: Poster,
        accounts: Accounts,
        clock: Clock,
        *,
        slots: int = 256,
        endpoint_slots: int = 64,
        webhooks: Webhooks | None = None,
    ) -> None:
        self._db = db
        self._poster = poster
        self._accounts = accounts
        self._clock = clock
        self._slots = slots
        self._endpoints = Endpoints(slots, endpoint_slots)
        self._workers: set[asyncio.Task[None]] = set()
        self._chores: set[asyncio.Task[None]] = set()
        self._webhooks = webhooks
        self._secrets: dict[tuple[int, int], tuple[datetime, asyncio.Task[tuple[bytes, ...]]]] = {}
        self._tried: list[Tried] = []
        self._delivered: list[int] = []
        self._failed: list[Failed] = []
        self._ended = asyncio.Event()
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()

    def offer(self, leased: Sequence[Leased]) -> None:
        """Post these, leased to this process; call it after the commit that wrote them."""
        now = self._clock.now()
        for event in leased:
            if not self._endpoints.add(event, now):
                self._put_off(event, "endpoint is down", now)
        self._start()

    async def run(self) -> None:
        """Lease what is due and write down what became of it, for ever."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._lease_for_ever())
                group.create_task(self._record_for_ever())
        finally:
            await self._stop()

    async def poll(self) -> bool:
        """Lease what is due once; whether there is more."""
        limit = min(LIMIT, ENOUGH - self._endpoints.waiting)
        if limit <= 0:
            return False
        now = self._clock.now()
        found = await events.lease(self._db, now, limit, self._endpoints.busy(now))
        self.offer(found)
        return len(found) == limit

    async def idle(self) -> None:
        """Until everything in memory has been posted and its outcome is on disk."""
        while under_way := self._workers | self._chores:
            await asyncio.wait(under_way)
        await self._record()

    # --- leases ----------------------------------------------------------------------------------------------------

    async def _lease_for_ever(self) -> None:
        while True:
            self._wake.clear()
            try:
                more = await self.poll()
            except Exception as error:
                _report(error)
                more = False
            if not more:
                await self._pause()

    async def _pause(self) -> None:
        waits = [asyncio.ensure_future(self._wake.wait()), asyncio.ensure_future(self._clock.sleep(POLL))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _stop(self) -> None:
        """Let posts under way end; what is still in memory is leased again by whoever runs then."""
        self._endpoints.close()
        under_way = self._workers | self._chores
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=GRACE)
            for task in late:
                task.cancel()
        try:
            await self._record()
        except Exception as error:  # they are posted again when their leases are over
            _report(error)

    # --- posts -----------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """As many workers as have something to do, and never more than slots."""
        wanted = min(self._slots, len(self._workers) + self._endpoints.waiting)
        while len(self._workers) < wanted and (taken := self._endpoints.take(time.monotonic())) is not None:
            worker = asyncio.create_task(self._work(*taken))
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _work(self, endpoint: Endpoint, event: Leased) -> None:
        taken: tuple[Endpoint, Leased] | None = (endpoint, event)
        while taken is not None:
            await self._attempt(*taken)
            self._start()
            taken = self._endpoints.take(time.monotonic())

    async def _attempt(self, endpoint: Endpoint, event: Leased) -> None:
        began = time.monotonic()
        try:
            secrets = await self._secrets_of(event.account_id, event.endpoint_id)
            posted = await self._poster.post(
                event.url, event.body.encode(), event.content_type, event.uuid, secrets, self._clock.now()
            )
        except Exception as error:  # not theirs but ours: the lease runs out, and it is tried again
            _report(error)
            self._endpoints.answered(endpoint, 0.0)
            return
        self._settle(endpoint, event, posted, time.monotonic() - began)

    def _settle(self, endpoint: Endpoint, event: Leased, posted: Posted, seconds: float) -> None:
        now = self._clock.now()
        if posted.ok:
            self._delivered.append(event.id)
            self._ended.set()
            _COUNTERS["delivered"].inc()
            self._note(event, posted.status, "", DeliveryState.DELIVERED)
        elif posted.gone:
            self._end(Failed(event.id, event.attempts + 1, None, posted.error), "gone")
            self._note(event, posted.status, posted.error, DeliveryState.GIVEN_UP)
            self._chore(event)
        else:
            self._put_off(event, posted.error, now, posted.status)
        if posted.status:
            if self._endpoints.answered(endpoint, seconds):
                self._wake.set()
            return
        for lost in self._endpoints.failed(endpoint, seconds, now):
            self._put_off(lost, "endpoint is down", now)
        if endpoint.unanswered == DOWN:
            telemetry.log(telemetry.Event.CALLBACK_FAILED, endpoint=endpoint.name, error=posted.error)

    def _put_off(self, event: Leased, error: str, now: datetime, status: int = 0) -> None:
        """To the next time of the schedule, or to the list for replay."""
        if event.attempts < len(DELAYS):
            next_at = now + DELAYS[event.attempts]
            self._end(Failed(event.id, event.attempts + 1, next_at, error), "failed")
            self._note(event, status, error, DeliveryState.WAITING, next_at)
        else:
            self._end(Failed(event.id, event.attempts + 1, None, error), "given_up")
            self._note(event, status, error, DeliveryState.GIVEN_UP)

    def _note(
        self, event: Leased, status: int, error: str, state: DeliveryState, next_at: datetime | None = None
    ) -> None:
        """For the log of an endpoint; the URLs of dialects have none."""
        if event.endpoint_id:
            e, now = event, self._clock.now()
            self._tried.append(
                Tried(e.account_id, e.endpoint_id, e.uuid, e.message_id, e.kind, e.at, e.body, e.attempts + 1, status,
                      error, state, now, next_at)
            )  # fmt: skip

    def _end(self, failed: Failed, counter: str) -> None:
        self._failed.append(failed)
        self._ended.set()
        _COUNTERS[counter].inc()

    # --- outcomes --------------------------------------------------------------------------------------------------

    async def _record_for_ever(self) -> None:
        while True:
            await self._ended.wait()
            await asyncio.sleep(GATHER)
            try:
                await self._record()
            except Exception as error:
                _report(error)
                await asyncio.sleep(POLL if is_transient(error) else 0)

    async def _record(self) -> None:
        """Write down what became of posts; an event that this releases is leased at once."""
        async with self._writing:
            self._ended.clear()
            delivered, self._delivered = self._delivered, []
            failed, self._failed = self._failed, []
            tried, self._tried = self._tried, []
            try:
                await logged.log(self._db, tried)
                tried = []
                waiting = await events.delivered(self._db, delivered) if delivered else 0
                delivered = []
                if failed:
                    await events.failed(self._db, failed)
            except Exception as error:
                if is_transient(error):
                    self._delivered += delivered
                    self._failed += failed
                    self._tried[:0] = tried
                    self._ended.set()
                raise
        given_up = sum(row.next_at is None for row in failed)
        if given_up:
            telemetry.log(telemetry.Event.CALLBACK_GIVEN_UP, count=given_up)
        if waiting or given_up:
            self._wake.set()

    # --- accounts --------------------------------------------------------------------------------------------------

    async def _secrets_of(self, account_id: int, endpoint_id: int) -> tuple[bytes, ...]:
        """What signs notifications to an account or to its endpoint, at most a minute old and read once."""
        key, now = (account_id, endpoint_id), self._clock.now()
        read_at, reading = self._secrets.get(key, (now, None))
        if reading is None or now - read_at >= SECRETS_FRESH:
            if len(self._secrets) >= SECRETS_KEPT:
                self._secrets.clear()
            reading = asyncio.create_task(self._read_secrets(account_id, endpoint_id))
            self._secrets[key] = now, reading
        try:
            return reading.result() if reading.done() else await asyncio.shield(reading)
        except Exception:
            self._secrets.pop(key, None)
            raise

    async def _read_secrets(self, account_id: int, endpoint_id: int) -> tuple[bytes, ...]:
        if endpoint_id and self._webhooks is not None:
            return await self._webhooks.secrets(endpoint_id, self._clock.now())
        account = await self._accounts.by_id(account_id)
        return () if account is None else account.secrets

    def _chore(self, event: Leased) -> None:
        chore = asyncio.create_task(self._disable(event))
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    async def _disable(self, event: Leased) -> None:
        """The receiver said 410: the account tells nobody there any more."""
        try:
            names = await (self._end_endpoint(event) if event.endpoint_id else self._forget_url(event))
            if names:
                told = {"account": event.account_id, "disabled": names}
                telemetry.log(telemetry.Event.CALLBACK_FAILED, **told, error="HTTP 410")
        except Exception as error:
            _report(error)

    async def _end_endpoint(self, event: Leased) -> list[str]:
        await logged.disable(self._db, event.endpoint_id, "it answered 410 Gone", self._clock.now())
        return [f"endpoint {event.endpoint_id}"]

    async def _forget_url(self, event: Leased) -> list[str]:
        account = await self._accounts.by_id(event.account_id)
        names = [] if account is None else _names_of(event.url, account.rules)
        if names:
            await self._accounts.update_rules(event.account_id, **dict.fromkeys(names, ""))
        return names


def _names_of(url: str, rules: object) -> list[str]:
    return [name for name in ACCOUNT_URLS if getattr(rules, name) == url]


def _report(error: Exception) -> None:
    event = telemetry.Event.DATABASE_LOST if is_transient(error) else telemetry.Event.WORKER_FAILED
    telemetry.log(event, room="callbacks", error=type(error).__name__)
