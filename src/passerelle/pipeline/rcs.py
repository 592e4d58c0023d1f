"""RCS messages after they have left: the provider's events, and the end of those that are not delivered in time.

The one rule: an event counts in the transaction in which it is taken; what cannot be counted now is taken again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from .. import telemetry
from ..clock import Clock
from ..domain.message import EventKind, Receipt, State
from ..domain.optout import is_stop
from ..domain.rcs_events import Happened, Kind, parse
from ..domain.rcs_names import CARRIER, message_of
from ..store import rcs as store
from ..store import receipts as receipt_rows
from ..store.database import Database, is_transient
from ..store.events import Leased
from ..store.replies import WholeText
from .failover import Failover
from .inbound import Inbound
from .receipts import settle_in
from .settle import Settlement
from .teller import Teller
from .webhooks import announce

BATCH = 200
EVENTS_KEPT = timedelta(days=7)  # so long a copy of an event is known for one

Revoke = Callable[[int, str], Awaitable[bool]]
"""Tells the provider not to deliver (phone, name) any more; whether it heard that."""


class _Named(NamedTuple):
    """A message that an event names: (account, id), and what was known of it."""

    event: Happened
    key: tuple[int, int]
    delivered: bool
    opened: bool


class Rcs:
    """The life of RCS messages between the provider's answer and their end."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        teller: Teller,
        inbound: Inbound,
        failover: Failover,
        revoke: Revoke,
        agent_id: str,
        stop_words: Sequence[str] = ("STOP",),
    ) -> None:
        self._db = db
        self._clock = clock
        self._teller = teller
        self._inbound = inbound
        self._failover = failover
        self._revoke = revoke
        self._agent_id = agent_id
        self._stop_words = frozenset(stop_words)

    # --- events ----------------------------------------------------------------------------------------------------

    async def take(self) -> int:
        """Count the events that wait; how many there were."""
        total = 0
        while taken := await self._take(BATCH):
            total += taken
            if taken < BATCH:
                break
        return total

    async def _take(self, limit: int) -> int:
        """A batch; where one of them cannot be counted, each by itself, and that one is given up."""
        try:
            return await self._take_together(limit)
        except Exception as error:
            if is_transient(error):
                raise
            telemetry.log(telemetry.Event.WORKER_FAILED, room="rcs", error=repr(error)[:200], events=limit)
        if limit == 1:
            async with self._db.transaction() as connection:
                return len(await store.take_events(connection, 1))
        return await self._take(1)

    async def _take_together(self, limit: int) -> int:
        now = self._clock.now()
        async with self._db.transaction() as connection:
            bodies = await store.take_events(connection, limit)
            read = [one for body in bodies if (one := parse(body, self._agent_id, now)) is not None]
            leased = await self._arrived(connection, read, now)
            leased += await self._expired(connection, [one for one in read if one.kind is Kind.EXPIRED], now)
            leased += await self._answered(connection, [one for one in read if one.kind is Kind.ANSWERED], now)
        self._teller.post(leased)
        return len(bodies)

    async def _arrived(self, connection: Any, events: Sequence[Happened], now: datetime) -> list[Leased]:
        """DELIVERED is a receipt, parked where it came before the answer to the send; READ proves it too."""
        delivered = [one for one in events if one.kind is Kind.DELIVERED]
        delivered += await self._opened(connection, [one for one in events if one.kind is Kind.READ], now)
        receipts = [Receipt((one.name.lower(),), one.phone, State.DELIVERED, "", one.at) for one in delivered]
        return await settle_in(connection, CARRIER, receipts, now, self._teller) if receipts else []

    async def _opened(self, connection: Any, events: Sequence[Happened], now: datetime) -> list[Happened]:
        """Note when messages were read; returns the events of those that nobody said were delivered."""
        found = await self._messages(connection, events)
        await store.opened(connection, [(*one.key, one.event.at) for one in found])
        facts = [
            (one.key[0], one.event.at, {"message": str(one.key[1]), "phone": f"+{one.event.phone}"})
            for one in found
            if not one.opened
        ]
        await announce(connection, EventKind.READ, facts, now)
        return [one.event for one in found if not one.delivered]

    async def _messages(self, connection: Any, events: Sequence[Happened]) -> list[_Named]:
        """The messages that events name; each once."""
        named = {(one.phone, id_): one for one in events if (id_ := message_of(one.name)) is not None and id_ < 1 << 63}
        rows = await store.named(connection, list(named))
        return [
            _Named(
                named[row["phone"], row["id"]],
                (row["account_id"], row["id"]),
                row["delivered_at"] is not None,
                row["opened_at"] is not None,
            )
            for row in rows
        ]

    async def _expired(self, connection: Any, events: Sequence[Happened], now: datetime) -> list[Leased]:
        found = await self._messages(connection, events)
        if not found:
            return []
        settlement = Settlement(connection, now, self._teller)
        await settlement.load([one.key for one in found])
        await self._failover.follow(connection, settlement, {one.key: one.event.kind.value for one in found}, now)
        return await settlement.save()

    async def _answered(self, connection: Any, events: Sequence[Happened], now: datetime) -> list[Leased]:
        """Texts and taps are answers to the latest RCS message to that phone."""
        asked = [(one.phone, is_stop(one.text, self._stop_words)) for one in events]
        found = {one.position: one for one in await store.answered(connection, asked, now)}
        lost = len(events) - len(found)
        if lost:
            telemetry.INBOUND_UNMATCHED.labels("rcs").inc(lost)
        answers = [
            (_text(events[position - 1], self._agent_id), events[position - 1].postback, answered)
            for position, answered in sorted(found.items())
        ]
        return await self._inbound.take_answers(connection, answers, now) if answers else []

    # --- time ------------------------------------------------------------------------------------------------------

    async def expire(self) -> int:
        """Revoke what is not delivered in time, and let the SMS follow."""
        now = self._clock.now()
        rows = await store.overdue(self._db, now - self._failover.ttl, BATCH)
        if not rows:
            return 0
        await asyncio.gather(*(self._revoke(row["phone"], row["operator_id"]) for row in rows))
        async with self._db.transaction() as connection:
            settlement = Settlement(connection, now, self._teller)
            await settlement.load({(row["account_id"], row["message_id"]) for row in rows})
            fallen = {(row["account_id"], row["message_id"]): "TTL" for row in rows}
            busy = await self._failover.follow(connection, settlement, fallen, now)
            ended = [row for row in rows if (row["account_id"], row["message_id"]) not in busy]
            await receipt_rows.stop_waiting(connection, [_awaited(row) for row in ended])
            leased = await settlement.save()
        self._teller.post(leased)
        return len(ended)

    async def forget(self) -> None:
        """What nothing needs any more."""
        now = self._clock.now()
        while await store.forget_failovers(self._db, now) >= 1000:
            pass
        while await store.forget_events(self._db, now - EVENTS_KEPT) >= 1000:
            pass


def _text(event: Happened, agent_id: str) -> WholeText:
    return WholeText(CARRIER, event.phone, agent_id, 0, 1, ((1, event.text),), event.at)


def _awaited(row: Any) -> tuple[int, str, int, int, int]:
    return CARRIER, row["operator_id"], row["account_id"], row["message_id"], row["part"]


def chores(rcs: Rcs) -> list[tuple[float, Callable[[], Awaitable[object]]]]:
    """The work of a worker for RCS: seconds between, and what."""
    return [(0.25, rcs.take), (1.0, rcs.expire), (600.0, rcs.forget)]
