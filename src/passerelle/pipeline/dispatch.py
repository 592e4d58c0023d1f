"""Lease due parts, hand them to a carrier, record what it says: commit, then speak; write down what comes back.

Carriers pull: what is leased never exceeds what may be submitted now. The stop list, the validity and the quiet
hours are looked at in the transaction of the lease.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from .. import telemetry
from ..clock import Clock
from ..domain.account import Rules
from ..domain.hours import leaving
from ..domain.message import Dialect, DuePart, Outcome, OutcomeKind, PartKey, State, TrafficClass
from ..domain.rcs_names import CARRIER as RCS
from ..domain.rcs_names import name_of
from ..domain.retry import AGAIN, next_at
from ..outbound.carrier import Carrier
from ..store import campaigns, events, queue, receipts
from ..store.database import Database
from ..store.messages import Settled
from ..store.queue import Held, Part, Requeued
from .due import awaiting, canonical, due_part, taken
from .failover import Again, Failover
from .receipts import match_parked
from .settle import Key, Settlement
from .teller import Teller

BATCH = 500
CODES_ONLY = 0.1  # share of the free slots that only the first lane may take
FRESH = 0.5  # seconds for which it holds that a part may leave; what closes within a second is closed
MANY = 5_000  # parts that are put off at once
MAINLAND = 33_600_000_000  # the first mobile number of mainland France; they go to 33 7
GRACE = timedelta(seconds=1)  # a lease is over for us before it is over for the database


class Dispatcher:
    """Moves parts between the queue and the carriers of this process."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        teller: Teller,
        owner: UUID,
        *,
        failover: Failover | None = None,
        lease: timedelta = timedelta(seconds=15),
        validity: timedelta = timedelta(hours=48),
    ) -> None:
        self._db = db
        self._clock = clock
        self._teller = teller
        self._owner = owner
        self._failover = failover or Failover(teller.accounts, ())
        self._lease = lease
        self._validity = validity

    # --- out -------------------------------------------------------------------------------------------------------

    async def pump(self, carrier: Carrier) -> int:
        """Lease what the carrier may take now, and give it to it; how many rows were looked at."""
        slots = min(carrier.free_slots(), BATCH)
        if slots <= 0:
            return 0
        now, began = self._clock.now(), time.monotonic()
        others = slots - int(slots * CODES_ONLY)
        rows = await queue.lease(self._db, carrier.id, slots, others, now, self._lease, self._owner)
        due = [due_part(row, began + (self._lease - GRACE).total_seconds()) for row in rows]
        ends = {part.key: end for row, part in zip(rows, due, strict=True) if (end := _end_of(row, now)) is not None}
        paused = {part.key for row, part in zip(rows, due, strict=True) if row["paused"] and part.key not in ends}
        good = await self._sorted_out(due, ends, paused, now) if due else []
        if good and time.monotonic() - began > FRESH:
            good = await self._without_stale(good)
        if good:
            carrier.submit(good)
        return len(rows)

    async def _sorted_out(
        self, due: list[DuePart], ends: dict[PartKey, State], paused: set[PartKey], now: datetime
    ) -> list[DuePart]:
        """Those that may leave; the others are ended, parked, or put off."""
        good, closed = await self._open_now(
            [part for part in due if part.key not in ends and part.key not in paused], now
        )
        if ends or closed or paused:
            ended, halted = [part for part in due if part.key in ends], [part for part in due if part.key in paused]
            async with self._db.transaction() as connection:
                ours = await self._held(connection, [*ended, *halted, *(part for part, _ in closed)])
                await self._halt(connection, [part for part in halted if _key(part) in ours])
                await queue.requeue(
                    connection, [self._put_off(part, opens) for part, opens in closed if _key(part) in ours]
                )
                leased = await self._end(connection, [part for part in ended if _key(part) in ours], ends, now)
            self._teller.post(leased)
            await self._put_off_others(closed, now)
        return good

    async def _put_off_others(self, closed: Sequence[tuple[DuePart, datetime]], now: datetime) -> None:
        """A campaign that the evening has found with a hundred thousand left must not be leased part by part, only to
        wait, while others stand behind it."""
        likes = {
            (part.key.account_id, part.submission_id, part.region): opens
            for part, opens in closed
            if part.bulk and not part.attempts and MAINLAND <= part.phone < MAINLAND + 200_000_000
        }
        for key, opens in likes.items():
            await queue.put_off(self._db, *key, now, opens, self._validity, MANY)

    async def _without_stale(self, good: list[DuePart]) -> list[DuePart]:
        """The database was slow, or away: since then somebody may have said STOP, or it has closed. Marketing goes
        back, to be looked at anew."""
        stale = [part for part in good if part.traffic is TrafficClass.MARKETING]
        if stale:
            async with self._db.transaction() as connection:
                await queue.release(connection, sorted(await self._held(connection, stale)))
        return [part for part in good if part.traffic is not TrafficClass.MARKETING]

    async def _halt(self, connection: Any, parts: Sequence[DuePart]) -> None:
        """Of submissions that are paused: out of the way. Whoever resumes one waits for this, or is seen here."""
        paused = await campaigns.share_paused(connection, {(p.key.account_id, p.submission_id) for p in parts})
        still = [(p.key.account_id, p.submission_id) in paused for p in parts]
        await queue.park(connection, [_key(part) for part, is_so in zip(parts, still, strict=True) if is_so])
        await queue.release(connection, [_key(part) for part, is_so in zip(parts, still, strict=True) if not is_so])

    def _put_off(self, part: DuePart, opens: datetime) -> Requeued:
        """To the opening. What was never begun stays valid for as long from there; the rest must end one day."""
        if part.attempts:
            return Requeued(*_key(part), min(opens, part.valid_until), part.attempts, part.uncertain)
        return Requeued(*_key(part), opens, 0, part.uncertain, opens + self._validity)

    async def _held(self, connection: Any, parts: Sequence[DuePart]) -> set[Part]:
        return await queue.held(connection, [Held(*_key(part), part.lease_until) for part in parts], self._owner)

    async def _end(
        self, connection: Any, parts: list[DuePart], ends: dict[PartKey, State], now: datetime
    ) -> list[events.Leased]:
        if not parts:
            return []
        settlement = Settlement(connection, now, self._teller)
        await settlement.load({(p.key.account_id, p.key.message_id) for p in parts})
        await queue.remove(connection, [_key(part) for part in parts])
        for part in parts:
            key = (part.key.account_id, part.key.message_id)
            settlement.moved(key, part.key.part, ends[part.key], now)
            settlement.unstarted(key, int(part.attempts == 0))
        return await settlement.save()

    async def _open_now(
        self, due: list[DuePart], now: datetime
    ) -> tuple[list[DuePart], list[tuple[DuePart, datetime]]]:
        """Marketing waits for the hours of Paris and of the recipient's own zone."""
        marketing = [part for part in due if part.traffic is TrafficClass.MARKETING]
        if not marketing:
            return due, []
        rules = await self._teller.rules({part.key.account_id for part in marketing})
        closed = []
        for part in marketing:
            opens = leaving(rules.get(part.key.account_id, Rules()), part.phone, now, part.region)
            if opens > now:
                closed.append((part, opens))
        late = {part.key for part, _ in closed}
        return [part for part in due if part.key not in late], closed

    # --- back ------------------------------------------------------------------------------------------------------

    async def record(self, carrier_id: int, outcomes: Sequence[Outcome]) -> None:
        """Write down a batch of outcomes; doing it twice changes nothing more."""
        now = self._clock.now()
        await self._teller.rules({outcome.part.key.account_id for outcome in outcomes})
        plain = [outcome for outcome in outcomes if self._is_plain(outcome)]
        others = [outcome for outcome in outcomes if not self._is_plain(outcome)]
        more = bool(plain) and await self._record_plain(carrier_id, plain, now)
        if not others and not more:
            return
        async with self._db.transaction() as connection:
            leased = await self._record_others(connection, carrier_id, others, now)
            leased += await self._found_again(connection, carrier_id, plain if more else [], now)
            leased += await match_parked(
                connection, carrier_id, [canonical(o) for o in outcomes if o.operator_id], now, self._teller
            )
        self._teller.post(leased)

    def _is_plain(self, outcome: Outcome) -> bool:
        """The only part of a message, taken at the first attempt, of which nobody is told."""
        part = outcome.part
        return (
            outcome.kind is OutcomeKind.SENT
            and part.parts == 1
            and part.attempts == 0
            and part.begun_at is not None
            and not self._teller.tells_progress(part.key.account_id, Dialect(part.dialect))
        )

    async def _record_plain(self, carrier_id: int, outcomes: Sequence[Outcome], now: datetime) -> bool:
        hour = now.replace(minute=0, second=0, microsecond=0)
        return await queue.record_taken(self._db, carrier_id, self._owner, [taken(o, now) for o in outcomes], hour)

    async def _record_others(
        self, connection: Any, carrier_id: int, outcomes: Sequence[Outcome], now: datetime
    ) -> list[events.Leased]:
        held = await self._held(connection, [o.part for o in outcomes])
        unsent = [_key(o.part) for o in outcomes if o.kind is OutcomeKind.UNSENT]
        await queue.release(connection, [key for key in unsent if key in held])
        begun = [o for o in outcomes if o.kind is not OutcomeKind.UNSENT]
        late = [o for o in begun if _key(o.part) not in held and o.kind is OutcomeKind.SENT]
        await receipts.await_receipts(connection, carrier_id, [awaiting(o, now) for o in late])
        leased = await self._found_again(connection, carrier_id, late, now)
        return leased + await self._record_begun(
            connection, carrier_id, [o for o in begun if _key(o.part) in held], now
        )

    async def _found_again(
        self, connection: Any, carrier_id: int, taken: Sequence[Outcome], now: datetime
    ) -> list[events.Leased]:
        """Answers that came when the lease was over: a part that was taken for unknown is not submitted again."""
        if not taken:
            return []
        await queue.remove_uncertain(connection, [_key(o.part) for o in taken])
        settlement = Settlement(connection, now, self._teller)
        await settlement.load({_message(o.part) for o in taken})
        if carrier_id == RCS:
            taken = await self._failover.still_rcs(connection, taken)
        for o in taken:
            key = _message(o.part)
            row = settlement.row(key)
            if row is not None and State(row.state) not in _ENDED:
                settlement.moved(key, o.part.key.part, State.SUBMITTED, o.at or now, carrier_id=carrier_id)
        settlement.settled(carrier_id, [Settled("", *_key(o.part)) for o in taken])
        return await settlement.save()

    async def _record_begun(
        self, connection: Any, carrier_id: int, begun: Sequence[Outcome], now: datetime
    ) -> list[events.Leased]:
        """Outcomes of rows that are locked."""
        if not begun:
            return []
        settlement = Settlement(connection, now, self._teller)
        await settlement.load({_message(o.part) for o in begun})
        again, done, waiting = [], [], []
        fallen: dict[Key, str] = {}
        for outcome in begun:
            retry = self._apply(settlement, outcome, carrier_id, now, fallen)
            if retry is None:
                done.append(_key(outcome.part))
            else:
                again.append(Requeued(*_key(outcome.part), *retry))
            if outcome.kind in (OutcomeKind.SENT, OutcomeKind.UNKNOWN):
                waiting.append(awaiting(outcome, now))
        await queue.requeue(connection, again)
        await queue.remove(connection, done)
        await receipts.await_receipts(connection, carrier_id, waiting)
        if fallen:
            await self._failover.follow(connection, settlement, fallen, now)
        return await settlement.save()

    def _apply(
        self, settlement: Settlement, outcome: Outcome, carrier_id: int, now: datetime, fallen: dict[Key, str]
    ) -> Again | None:
        """Move the part; when, where it is submitted again. RCS messages that cannot arrive are added to `fallen`."""
        part, at = outcome.part, outcome.at or now
        key = _message(part)
        row = settlement.row(key)
        if row is None:
            return None
        settlement.begun(key, part.key.part, part.begun_at or at, part.attempts)
        if self._failover.is_lost(carrier_id, outcome.kind, row.sent_at, now):
            fallen[key] = outcome.error
            return None
        match outcome.kind:
            case OutcomeKind.SENT:
                settlement.moved(key, part.key.part, State.SUBMITTED, at, carrier_id=carrier_id)
            case OutcomeKind.PERMANENT | OutcomeKind.UNREACHABLE:
                end = State.BOUNCED if outcome.bounced else State.REFUSED
                settlement.moved(key, part.key.part, end, at, outcome.error, carrier_id=carrier_id)
            case OutcomeKind.UNKNOWN:
                settlement.moved(key, part.key.part, State.UNCERTAIN, at, carrier_id=carrier_id)
        again = None if State(row.state) in _ENDED else self._again(outcome, at, now)
        return self._failover.in_time(again, carrier_id, row.sent_at)

    def _again(self, outcome: Outcome, at: datetime, now: datetime) -> Again | None:
        """Refused for now: until it is valid no longer. Unknown, as bytes may have left: what may go twice, once
        more when the lease would be over; else it waits for a receipt. What has a name of ours is never taken twice."""
        part, kind = outcome.part, outcome.kind
        if kind in AGAIN:
            return next_at(kind, part.attempts + 1, now), part.attempts + 1, part.uncertain
        once_more = part.twice and not part.uncertain
        if kind is OutcomeKind.UNKNOWN and (once_more or outcome.operator_id):
            return at + self._lease, part.attempts + 1, True
        return None

    async def rescue(self, carrier_ids: Sequence[int]) -> int:
        """Parts of processes that died: their leases are over, and whether they left is unknown."""
        now = self._clock.now()
        async with self._db.transaction() as connection:
            rows = await queue.rescue(connection, carrier_ids, now)
            leased: list[events.Leased] = []
            if rows:
                due = [due_part(row, 0.0) for row in rows]
                for row, part in zip(rows, due, strict=True):
                    part.begun_at = now - row["over"] - self._lease  # not before: a receipt may have come since
                for carrier_id in {row["carrier_id"] for row in rows}:
                    lost = [
                        Outcome(part, OutcomeKind.UNKNOWN, _own_name(carrier_id, part), "the process died", at=now)
                        for row, part in zip(rows, due, strict=True)
                        if row["carrier_id"] == carrier_id
                    ]
                    leased += await self._record_begun(connection, carrier_id, lost, now)
        self._teller.post(leased)
        if rows:
            telemetry.log(telemetry.Event.LEASE_EXPIRED, parts=len(rows))
        return len(rows)

    async def expire(self, carrier_ids: Sequence[int]) -> int:
        """End what nobody could hand over while it was valid."""
        now = self._clock.now()
        rows = await queue.overdue(self._db, carrier_ids, now)
        if not rows:
            return 0
        async with self._db.transaction() as connection:
            removed = await queue.remove_unleased(connection, [(r["account_id"], r["message_id"]) for r in rows])
            settlement = Settlement(connection, now, self._teller)
            await settlement.load({(r["account_id"], r["message_id"]) for r in removed})
            for r in removed:
                key = (r["account_id"], r["message_id"])
                settlement.moved(key, r["part"], State.EXPIRED, now)
                settlement.unstarted(key, int(r["attempts"] == 0))
            leased = await settlement.save()
        self._teller.post(leased)
        return len(removed)


_ENDED = frozenset(state for state in State if state >= State.DELIVERED)


def _end_of(row: Any, now: datetime) -> State | None:
    """How a part ends that must not leave any more: with its message, by an opt-out, or with its validity."""
    if row["state"] in _ENDED:
        return State(row["state"])
    if row["cancelled"]:
        return State.CANCELLED
    if row["stopped"]:
        return State.OPTED_OUT
    return State.EXPIRED if row["valid_until"] <= now else None


def _key(part: DuePart) -> Part:
    return Part(part.key.account_id, part.key.message_id, part.key.part)


def _message(part: DuePart) -> Key:
    return part.key.account_id, part.key.message_id


def _own_name(carrier_id: int, part: DuePart) -> str:
    """What the operator calls a part, where that is said by us."""
    return name_of(part.key.message_id, part.phone, part.text) if carrier_id == RCS else ""
