"""Match receipts to parts, advance them, announce it: committed before the operator is answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from .. import telemetry
from ..clock import Clock
from ..domain.lifecycle import FINAL
from ..domain.message import Receipt, State
from ..domain.rcs_names import CARRIER
from ..store import events, messages, rcs
from ..store import receipts as store
from ..store.database import Database
from ..store.messages import Awaited, Settled
from .settle import Key, Settlement
from .teller import Teller

RECENT = timedelta(seconds=15)
PARKED_FOR = timedelta(days=3)
ANSWERED = timedelta(seconds=5)  # an answer may still be on its way: an older receipt is of a lost one


class Receipts:
    """Takes receipts of carriers into the life of their messages."""

    def __init__(self, db: Database, clock: Clock, teller: Teller, *, wait: timedelta = timedelta(hours=48)) -> None:
        self._db = db
        self._clock = clock
        self._teller = teller
        self._wait = wait
        self._swept_all = clock.now()

    async def settle(self, carrier_id: int, receipts: Sequence[Receipt]) -> None:
        """Write down a batch of receipts; what nothing awaits is parked."""
        if not receipts:
            return
        now = self._clock.now()
        async with self._db.transaction() as connection:
            leased = await settle_in(connection, carrier_id, receipts, now, self._teller)
        self._teller.post(leased)

    async def sweep(self) -> int:
        """Match what was parked while its message was recorded elsewhere; all of it once a minute."""
        now = self._clock.now()
        since = now - RECENT
        if now - self._swept_all >= timedelta(minutes=1):
            since, self._swept_all = now - PARKED_FOR, now
            await store.forget_parked(self._db, since)
        named = await store.parked_matches(self._db, since)
        await self._unpark(named, now)
        nameless = await store.parked_by_phone(self._db, since, now - ANSWERED)
        await self._unpark(nameless, now, by_phone=True)
        return len(named) + len(nameless)

    async def _unpark(self, found: Sequence[tuple[int, int]], now: datetime, *, by_phone: bool = False) -> None:
        for carrier_id in {carrier for _, carrier in found}:
            async with self._db.transaction() as connection:
                parked = await store.unpark(connection, [number for number, carrier in found if carrier == carrier_id])
                leased = await settle_in(connection, carrier_id, parked, now, self._teller, by_phone=by_phone)
            self._teller.post(leased)

    async def give_up(self) -> int:
        """Parts whose receipt did not come in time end unconfirmed, and are known for some days more, if it comes after
        all; those that ended otherwise are only forgotten."""
        now = self._clock.now()
        async with self._db.transaction() as connection:
            rows = await store.waited_long(connection, now - self._wait)
            if not rows:
                return 0
            settlement = Settlement(connection, now, self._teller)
            await settlement.load({(row["account_id"], row["message_id"]) for row in rows})
            longer = [row for row in rows if row["operator_id"] and settlement.is_open(_message_of(row))]
            for row in rows:
                message = settlement.row(_message_of(row))
                if message is not None and message.delivered_at is None:
                    settlement.moved(_message_of(row), row["part"], State.UNCONFIRMED, now)
            await store.wait_longer(connection, [_awaited(row) for row in longer], PARKED_FOR)
            await store.stop_waiting(connection, [_awaited(row) for row in rows if row not in longer])
            leased = await settlement.save()
        self._teller.post(leased)
        return len(rows)


def _message_of(row: Any) -> Key:
    return row["account_id"], row["message_id"]


def _awaited(row: Any) -> tuple[int, str, int, int, int]:
    return row["carrier_id"], row["operator_id"], row["account_id"], row["message_id"], row["part"]


async def settle_in(
    connection: Any,
    carrier_id: int,
    receipts: Sequence[Receipt],
    now: datetime,
    teller: Teller,
    *,
    by_phone: bool = False,
) -> list[events.Leased]:
    """Settle receipts in the caller's transaction; returns notifications to be posted after its commit."""
    settlement = Settlement(connection, now, teller)
    matched, unknown = await _match(connection, carrier_id, receipts, settlement)
    if unknown and by_phone:
        nameless, unknown = await _match_by_phone(connection, carrier_id, unknown, settlement)
        matched += nameless
    await store.park(connection, carrier_id, unknown, now)
    if carrier_id == CARRIER:
        matched = await _still_rcs(connection, matched)
    for receipt, part in matched:
        settlement.moved((part.account_id, part.message_id), part.part, receipt.state, receipt.at, receipt.error)
    settlement.settled(carrier_id, [part for receipt, part in matched if _is_last(receipt, part)])
    telemetry.RECEIPTS.labels(str(carrier_id), "matched").inc(len(matched))
    telemetry.RECEIPTS.labels(str(carrier_id), "parked").inc(len(unknown))
    return await settlement.save()


async def _still_rcs(connection: Any, matched: Matched) -> Matched:
    """Without receipts for messages, all locked, that have become SMS meanwhile."""
    keys = sorted({(part.account_id, part.message_id) for _, part in matched})
    left = {(row["account_id"], row["id"]) for row in await rcs.fallen(connection, keys)}
    return [one for one in matched if (one[1].account_id, one[1].message_id) in left]


def _is_last(receipt: Receipt, part: Settled) -> bool:
    """Whether nothing more is awaited: after a negative end a delivery may still come, if it names its part."""
    return receipt.state is State.DELIVERED or (not part.operator_id and receipt.state in FINAL)


async def match_parked(
    connection: Any, carrier_id: int, operator_ids: Sequence[str], now: datetime, teller: Teller
) -> list[events.Leased]:
    """Receipts that came before the answer that names them."""
    parked = await store.parked_for(connection, carrier_id, operator_ids)
    return await settle_in(connection, carrier_id, parked, now, teller) if parked else []


Matched = list[tuple[Receipt, Settled]]


async def _match(
    connection: Any, carrier_id: int, receipts: Sequence[Receipt], settlement: Settlement
) -> tuple[Matched, list[Receipt]]:
    """By the id as it is written, then, for the few that fail, by its other spellings."""
    awaited = await messages.lock_awaited(connection, carrier_id, [receipt.operator_ids[0] for receipt in receipts])
    await settlement.adopt(one.message for one in awaited)
    matched, left = _take(receipts, awaited, 1)
    if left:
        forms = [form for receipt in left for form in receipt.operator_ids[1:]]
        awaited = await messages.lock_awaited(connection, carrier_id, forms)
        await settlement.adopt(one.message for one in awaited)
        more, left = _take(left, awaited, None)
        matched += more
    return matched, left


def _take(receipts: Sequence[Receipt], awaited: Sequence[Awaited], forms: int | None) -> tuple[Matched, list[Receipt]]:
    """Pair receipts with the newest part of their likeliest spelling."""
    newest: dict[str, Awaited] = {}
    for one in awaited:
        known = newest.get(one.operator_id)
        if known is None or _begun(one) > _begun(known):
            newest[one.operator_id] = one
    matched: Matched = []
    left = []
    for receipt in receipts:
        found = next((newest[form] for form in receipt.operator_ids[:forms] if form in newest), None)
        if found is None:
            left.append(receipt)
        else:
            message = found.message
            matched.append((receipt, Settled(found.operator_id, message.account_id, message.id, found.part)))
    return matched, left


def _begun(one: Awaited) -> datetime:
    """`at` is later where a receipt is awaited for longer than usual."""
    return one.message.sent_at or one.at


async def _match_by_phone(
    connection: Any, carrier_id: int, receipts: Sequence[Receipt], settlement: Settlement
) -> tuple[Matched, list[Receipt]]:
    """A part whose answer was lost is known by its number: the oldest one that still waits."""
    rows = await store.awaited_by_phone(connection, carrier_id, [receipt.phone for receipt in receipts])
    await settlement.load({(row["account_id"], row["message_id"]) for row in rows})
    waiting: dict[int, list[Any]] = {}
    for row in sorted(rows, key=lambda row: row["at"]):
        waiting.setdefault(row["phone"], []).append(row)
    matched: Matched = []
    left = []
    for receipt in receipts:
        candidates = waiting.get(receipt.phone)
        if candidates:
            row = candidates.pop(0)
            matched.append((receipt, Settled("", row["account_id"], row["message_id"], row["part"])))
        else:
            left.append(receipt)
    return matched, left
