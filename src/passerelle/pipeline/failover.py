"""The SMS that follows an RCS message which cannot arrive: one price goes back, the other is taken, in one transaction.

The one rule: a message falls back once. Its row is locked, and whether it is still RCS is looked at under that lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ..domain.account import Account
from ..domain.message import Lane, Outcome, OutcomeKind, State, TrafficClass
from ..domain.pricing import Service, quote
from ..domain.rcs_names import CARRIER, name_of
from ..domain.retry import AGAIN
from ..domain.routing import Route, rank
from ..store import ledger, queue
from ..store import rcs as store
from ..store.rcs import Turned
from ..store.submissions import Numbered
from .accounts import Accounts
from .settle import Key, Settlement

KEPT = timedelta(days=31)
"""How long the SMS is kept from the sending time on: more than a message may wait and then be with the provider."""

Again = tuple[datetime, int, bool]
"""When a part is submitted again, the attempts before, and whether it is uncertain."""


async def keep_failover(connection: Any, numbered: Numbered) -> None:
    """The SMS goes with its submission (see `Beside`); a sandbox send is delivered at once."""
    one = numbered.submission
    if one.failover is not None and not one.sandbox:
        await store.insert_failover(connection, one.account_id, numbered.id, one.failover, one.due_at + KEPT)


class Failover:
    """Knows what an SMS costs, and who carries it. `ttl`: of an RCS message, from its first attempt on."""

    def __init__(
        self,
        accounts: Accounts,
        routes: Sequence[Route],
        *,
        ttl: timedelta = timedelta(seconds=300),
        validity: timedelta = timedelta(hours=48),
    ) -> None:
        self._accounts = accounts
        self._routes = routes
        self.ttl = ttl
        self._validity = validity

    def is_lost(self, carrier_id: int, kind: OutcomeKind, sent_at: datetime | None, now: datetime) -> bool:
        """Whether an outcome is the end of an RCS message: refused for good, or for now when its time is over."""
        if carrier_id != CARRIER:
            return False
        if kind in (OutcomeKind.UNREACHABLE, OutcomeKind.PERMANENT):
            return True
        return (kind in AGAIN or kind is OutcomeKind.UNKNOWN) and sent_at is not None and now >= sent_at + self.ttl

    def in_time(self, again: Again | None, carrier_id: int, sent_at: datetime | None) -> Again | None:
        """The last attempt is made when the time of an RCS message is over, not after it."""
        if again is None or carrier_id != CARRIER or sent_at is None:
            return again
        return min(again[0], sent_at + self.ttl), *again[1:]

    async def still_rcs(self, connection: Any, taken: Sequence[Outcome]) -> list[Outcome]:
        """Without the messages, all locked, that have become SMS meanwhile."""
        keys = sorted({(o.part.key.account_id, o.part.key.message_id) for o in taken})
        left = {(row["account_id"], row["id"]) for row in await store.fallen(connection, keys)}
        return [o for o in taken if (o.part.key.account_id, o.part.key.message_id) in left]

    async def follow(
        self, connection: Any, settlement: Settlement, fallen: Mapping[Key, str], now: datetime
    ) -> set[Key]:
        """End these RCS messages, each with the provider's word, and let the SMS follow where there is one and credit
        for it. The messages are loaded; returns those that are on their way at this moment, and stay as they are."""
        keys = sorted(key for key in fallen if settlement.is_open(key) and _was_tried(settlement, key))
        await queue.remove_unleased(connection, keys)
        rows = await store.fallen(connection, keys)
        busy = {(row["account_id"], row["id"]) for row in rows if row["queued"]}
        rows = [row for row in rows if not row["queued"]]
        if not rows:
            return busy
        accounts = {
            account_id: await self._accounts.by_id(account_id) for account_id in {r["account_id"] for r in rows}
        }
        wallets = await ledger.lock_wallets(connection, settlement.accounts())
        batch = _Batch(settlement, {account_id: row["balance"] for account_id, row in wallets.items()}, now)
        for row in rows:
            key = (row["account_id"], row["id"])
            batch.add(row, self._sms(row, accounts[key[0]], settlement.country(key)), fallen[key])
        await store.forget(connection, [name_of(row["id"], row["phone"], row["content"]) for row in rows])
        await ledger.refund(connection, batch.refunds, now)  # first: what goes back may pay for what follows
        await ledger.follow(connection, batch.charges, now)
        await store.turn(connection, batch.turned, now, self._validity)
        return busy

    def _sms(self, row: Any, account: Account | None, country: str) -> Turned | None:
        """The SMS that may follow a message; None where there is none, no price or no way."""
        carriers = rank(Service.PREMIUM, country, self._routes)
        price = account.price(Service.PREMIUM, country) if account is not None else None
        if row["text"] is None or account is None or price is None or not carriers:
            return None
        traffic = TrafficClass(row["class"])
        return Turned(
            account_id=row["account_id"],
            id=row["id"],
            submission_id=row["submission_id"],
            text=row["text"],
            encoding=row["encoding"],
            parts=row["parts"],
            price=quote(price, row["parts"]),
            carrier_id=carriers[0],
            lane=_lane(traffic, row["messages"]),
            traffic=traffic,
            stop_applies=account.rules.stop_scope_smspartner == "all" or traffic is TrafficClass.MARKETING,
        )


class _Batch:
    """What a transaction lets follow, decided message by message under the locks of the wallets."""

    def __init__(self, settlement: Settlement, balances: dict[int, int], now: datetime) -> None:
        self._settlement = settlement
        self._balances = balances
        self._now = now
        self.turned: list[Turned] = []
        self.refunds: list[ledger.Refund] = []
        self.charges: list[ledger.Refund] = []

    def add(self, row: Any, sms: Turned | None, error: str) -> None:
        """One message that fell."""
        key = (row["account_id"], row["id"])
        message = self._settlement.row(key)
        assert message is not None
        back = message.price - message.refunded
        if sms is not None and self._balances[key[0]] + back >= sms.price:
            self._balances[key[0]] += back - sms.price
            self.refunds.append(ledger.Refund(key[0], back, message.submission_id, message.id))
            self.charges.append(ledger.Refund(key[0], sms.price, message.submission_id, message.id))
            self.turned.append(sms)
            self._settlement.anew(key, sms.parts, sms.price)
            return
        accepted = message.submitted_at is not None or message.uncertain
        self._settlement.moved(key, 1, State.UNDELIVERED, self._now, error)
        if not accepted:  # the provider earns only what it took
            self._settlement.returned(key)


def _lane(traffic: TrafficClass, messages: int) -> Lane:
    """As for any other submission (domain.routing.lane_of)."""
    if traffic is TrafficClass.MARKETING:
        return Lane.BULK
    return Lane.CODES if messages == 1 else Lane.TRANSACTIONAL


def _was_tried(settlement: Settlement, key: Key) -> bool:
    message = settlement.row(key)
    return message is not None and message.sent_at is not None
