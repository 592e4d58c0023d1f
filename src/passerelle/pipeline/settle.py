"""What happened to parts, applied to their messages: states, refunds, statistics and notifications of one transaction.

Figures are counted on a message before and after, and the difference is written: so they always equal a recount.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import Any

from ..domain import lifecycle
from ..domain.account import Rules
from ..domain.message import Dialect, EventKind, State
from ..domain.pricing import refund_of
from ..store import events, ledger, messages, optouts, queue
from ..store.messages import MessageRow, PartRow, Settled
from ..store.statistics import Delta
from .teller import Teller
from .wording import Told

Key = tuple[int, int]  # account, message

# What an answer or a visit proves wrong, or ends: the message was with an operator, and arrived.
_PROVABLE = frozenset({State.SUBMITTED, State.UNCERTAIN, State.UNDELIVERED, State.BOUNCED, State.UNCONFIRMED})
# States whose parts, where no submit was begun, go back to the owner.
_NEGATIVE = frozenset(lifecycle.FINAL - {State.DELIVERED})


class Settlement:
    """The changes of one batch: `load`, then what happened, then `save` before the commit."""

    def __init__(self, connection: Any, now: datetime, teller: Teller | None) -> None:
        self._connection = connection
        self._now = now
        self._teller = teller
        self._rows: dict[Key, MessageRow] = {}
        self._parts: dict[Key, dict[int, PartRow]] = {}
        self._before: dict[Key, MessageRow] = {}
        self._waiting: dict[Key, int] = {}
        self._refunds: list[ledger.Refund] = []
        self._unstarted: dict[Key, int] = {}
        self._settled: tuple[int, Sequence[Settled]] = (0, ())

    async def load(self, keys: Iterable[Key]) -> None:
        """Lock the messages, and the parts of long ones."""
        wanted = set(keys) - self._rows.keys()
        if wanted:
            await self.adopt(await messages.lock(self._connection, wanted))

    async def adopt(self, rows: Iterable[MessageRow]) -> None:
        """Take messages that are locked already."""
        long = []
        for row in rows:
            key = (row.account_id, row.id)
            if key in self._rows:
                continue
            self._rows[key], self._before[key] = row, copy(row)
            if row.parts > 1:
                long.append(key)
        for part in await messages.lock_parts(self._connection, long):
            self._parts.setdefault((part.account_id, part.message_id), {})[part.part] = part

    def settled(self, carrier_id: int, settled: Sequence[Settled]) -> None:
        """Receipts that need not be awaited any more."""
        self._settled = (carrier_id, settled)

    def row(self, key: Key) -> MessageRow | None:
        """A loaded message."""
        return self._rows.get(key)

    def country(self, key: Key) -> str:
        """Where a loaded message goes."""
        return self._rows[key].country

    def accounts(self) -> list[int]:
        """The accounts of all loaded messages."""
        return sorted({key[0] for key in self._rows})

    def is_open(self, key: Key) -> bool:
        """Whether a loaded message has not come to its end yet."""
        return key in self._rows and self._rows[key].state not in lifecycle.FINAL

    # --- what happened ---------------------------------------------------------------------------------------------

    def begun(self, key: Key, part: int, at: datetime, attempts: int) -> None:
        """A submit of a part was begun at `at`; `attempts` before this one."""
        row = self._rows[key]
        row.sent_at = row.sent_at or at
        if attempts == 0:
            self._waiting[key] = self._waiting.get(key, 0) - 1
        if key in self._parts:
            self._parts[key][part].begun = True

    def moved(self, key: Key, part: int, state: State, at: datetime, error: str = "", *, carrier_id: int = 0) -> None:
        """A part came to `state`; what came too late to count is kept as a time only."""
        row = self._rows[key]
        if state is State.SUBMITTED:
            row.submitted_at = row.submitted_at or at
        row.carrier_id = carrier_id or row.carrier_id
        if state is State.UNCERTAIN:
            row.uncertain = True
        if key in self._parts:
            state = self._part_moved(key, part, state, at)
        self._message_moved(row, state, at, error)

    def _part_moved(self, key: Key, part: int, state: State, at: datetime) -> State:
        """The state of a long message after one of its parts moved."""
        one = self._parts[key][part]
        # A part that arrived after all has arrived; it is the message whose first end stays.
        advanced = state if state is State.DELIVERED else lifecycle.advance(State(one.state), state)
        if advanced != one.state:
            one.state, one.state_at = advanced, at
        one.uncertain = one.uncertain or state is State.UNCERTAIN
        return lifecycle.of_message(State(p.state) for p in self._parts[key].values())

    def _message_moved(self, row: MessageRow, state: State, at: datetime, error: str) -> None:
        before = State(row.state)
        after = lifecycle.advance(before, state)
        if after is not before:
            row.state, row.state_at = after, at
        if state in lifecycle.FINAL:
            _mark(row, state, at)
            if error and (after is state or not row.error):
                row.error = error

    def unstarted(self, key: Key, parts: int) -> None:
        """So many parts of a message leave the queue without a submit ever begun: their price goes back."""
        if parts:
            self._unstarted[key] = self._unstarted.get(key, 0) + parts
            self._waiting[key] = self._waiting.get(key, 0) - parts

    def anew(self, key: Key, parts: int, price: int) -> None:
        """The message is another one from here on, as if it had just been accepted; money and rows are the caller's."""
        row = self._rows[key]
        row.parts, row.price = parts, price
        row.state, row.state_at, row.error = State.ACCEPTED, self._now, ""
        row.sent_at = row.submitted_at = row.failed_at = row.bounced_at = row.carrier_id = None
        row.uncertain = False
        self._waiting[key] = self._waiting.get(key, 0) + parts

    def returned(self, key: Key) -> None:
        """All of its price goes back."""
        row = self._rows[key]
        self._refunds.append(ledger.Refund(row.account_id, row.price - row.refunded, row.submission_id, row.id))
        row.refunded, row.refunded_parts = row.price, row.parts

    # --- the end ---------------------------------------------------------------------------------------------------

    async def save(self, refunds: list[ledger.Refund] | None = None) -> list[events.Leased]:
        """Write everything; returns the notifications to be posted after the commit.

        What goes back is added to `refunds` where given: the caller has more of it, and locks the wallets last.
        """
        changed = [key for key, row in self._rows.items() if row != self._before[key]]
        await self._drop_rest(changed)
        self._give_back()
        changed = [key for key, row in self._rows.items() if row != self._before[key]]
        carrier_id, settled = self._settled
        await messages.save(self._connection, [self._rows[key] for key in changed], self._deltas(), carrier_id, settled)
        await messages.save_parts(self._connection, [p for parts in self._parts.values() for p in parts.values()])
        if refunds is None:
            await ledger.refund(self._connection, self._refunds, self._now)
        else:
            refunds += self._refunds
        await self._list_bounces()
        return await self._tell(changed)

    async def _drop_rest(self, changed: Sequence[Key]) -> None:
        """A long message that has failed sends no further parts; one that arrived after all is not sent again."""
        waiting = self._parts.keys() | {key for key in changed if self._before[key].uncertain}
        ended = [key for key in changed if key in waiting and self._ended(key)]
        for row in await queue.remove_unleased(self._connection, ended):
            key = (row["account_id"], row["message_id"])
            if row["attempts"] == 0:
                self.unstarted(key, 1)

    def _ended(self, key: Key) -> bool:
        """Whether a message became final just now."""
        return self._rows[key].state in lifecycle.FINAL and self._before[key].state not in lifecycle.FINAL

    def _give_back(self) -> None:
        """The one rule of refunds: parts for which no submit was begun when their message became final."""
        for key, parts in self._unstarted.items():
            row = self._rows[key]
            if row.state not in _NEGATIVE:
                continue
            unstarted = row.refunded_parts + parts
            amount = refund_of(row.price, row.parts, unstarted) - row.refunded
            row.refunded, row.refunded_parts = row.refunded + amount, unstarted
            if amount:
                self._refunds.append(ledger.Refund(row.account_id, amount, row.submission_id, row.id))

    def _deltas(self) -> list[Delta]:
        sums: dict[tuple[int, int, str, datetime], dict[str, int]] = {}
        hour = self._now.replace(minute=0, second=0, microsecond=0)
        for key, row in self._rows.items():
            before, tag = self._before[key], row.tag_key
            moved = {
                name: value - old
                for (name, value), old in zip(figures(row).items(), figures(before).values(), strict=True)
            }
            moved |= {"waiting": self._waiting.get(key, 0), "refunded": row.refunded - before.refunded}
            _add(sums, (row.account_id, row.dialect, tag, hour), moved)
            back = {"parts": _kept_parts(row) - _kept_parts(before), "cost": _kept(row) - _kept(before)}
            due = row.due_at if row.due_at > self._now else row.due_at.replace(minute=0, second=0, microsecond=0)
            _add(sums, (row.account_id, row.dialect, tag, due), back)
        return [Delta(a, d, tag, at, **values) for (a, d, tag, at), values in sums.items()]

    async def _list_bounces(self) -> None:
        """Numbers that proved dead join the account's list."""
        dead = {
            (row.account_id, int(optouts.List.BOUNCE), row.phone): row.campaign_id
            for key, row in self._rows.items()
            if row.bounced_at is not None and self._before[key].bounced_at is None
        }
        if dead:
            await optouts.add_many(self._connection, dead, self._now, dead)

    async def _tell(self, changed: Sequence[Key]) -> list[events.Leased]:
        if self._teller is None or not changed:
            return []
        rules = await self._teller.rules({key[0] for key in changed})
        told: list[events.NewEvent] = []
        ended: list[Key] = []
        for key in changed:
            row, before = self._rows[key], self._before[key]
            if self._ended(key) and self._teller.tells_progress(row.account_id, Dialect(row.dialect)):
                ended.append(key)
            for kind, at in news(row, before):
                told += self._teller.word(told_of(row, kind, at), rules.get(row.account_id, Rules()), row.dlr_url)
        if not told:
            return []
        await events.drop_progress(self._connection, ended)
        return await events.insert(self._connection, told, self._now, self._teller.lease)


def prove(row: MessageRow, at: datetime) -> None:
    """Who answers a message, or follows its link, has received it, whatever the operator said."""
    if row.delivered_at is not None or row.sent_at is None or row.state not in _PROVABLE:
        return
    row.delivered_at = at
    if lifecycle.advance(State(row.state), State.DELIVERED) is State.DELIVERED:
        row.state, row.state_at = State.DELIVERED, at


def _mark(row: MessageRow, state: State, at: datetime) -> None:
    """The time of an end, whatever the state shows."""
    if state is State.DELIVERED:
        row.delivered_at = row.delivered_at or at
    elif state is State.OPTED_OUT:
        row.stopped_at = row.stopped_at or at
        row.failed_at = row.failed_at or (at if row.sent_at else None)
    elif state is not State.CANCELLED:
        row.failed_at = row.failed_at or at
    if state is State.BOUNCED:
        row.bounced_at = row.bounced_at or at


def _kept_parts(row: MessageRow) -> int:
    return row.parts - row.refunded_parts


def _kept(row: MessageRow) -> int:
    return row.price - row.refunded


def figures(row: MessageRow) -> dict[str, int]:
    """What a message counts for, by the definitions of store.statistics."""
    sent, delivered = row.sent_at is not None, row.delivered_at is not None
    bounced = sent and not delivered and row.bounced_at is not None
    return {
        "sent": int(sent),
        "submitted": int(row.submitted_at is not None),
        "delivered": int(delivered),
        "bounced": int(bounced),
        "errors": int(sent and not delivered and not bounced and row.failed_at is not None),
    }


def _add(sums: dict[tuple[int, int, str, datetime], dict[str, int]], at: Any, values: Mapping[str, int]) -> None:
    if any(values.values()):
        total = sums.setdefault(at, {})
        for name, value in values.items():
            total[name] = total.get(name, 0) + value


def news(row: MessageRow, before: MessageRow) -> list[tuple[EventKind, datetime]]:
    """What a customer may be told of a change: SMS Partner the first end, the others every step."""
    if row.dialect == Dialect.SMSPARTNER:
        return _first_end(row, before)
    steps = [
        (EventKind.SENT, row.sent_at, before.sent_at),
        (EventKind.SUBMITTED, row.submitted_at, before.submitted_at),
        (EventKind.BOUNCED, row.bounced_at, before.bounced_at),
        (EventKind.FAILED, row.failed_at if row.bounced_at is None else None, before.failed_at),
        (EventKind.DELIVERED, row.delivered_at, before.delivered_at),
        (EventKind.OPENED, row.opened_at, before.opened_at),
        (EventKind.UNSUBSCRIBED, row.stopped_at, before.stopped_at),
    ]
    return [(kind, at) for kind, at, old in steps if at is not None and old is None]


def _first_end(row: MessageRow, before: MessageRow) -> list[tuple[EventKind, datetime]]:
    if row.state == State.CANCELLED or row.state not in lifecycle.FINAL or before.state in lifecycle.FINAL:
        began = row.submitted_at is not None and before.submitted_at is None and row.state not in lifecycle.FINAL
        return [(EventKind.SUBMITTED, row.submitted_at)] if began and row.submitted_at else []
    kind = EventKind.DELIVERED if row.state == State.DELIVERED else EventKind.FAILED
    return [(kind, row.state_at)]


def told_of(row: MessageRow, kind: EventKind, at: datetime, text: str = "") -> Told:
    """The facts of an event about a message; `text`: of a reply."""
    return Told(
        event=kind,
        dialect=Dialect(row.dialect),
        account_id=row.account_id,
        row_id=row.id,
        state=State(row.state),
        message_id=row.submission_number,
        snapshot=row.number,
        phone=row.phone,
        at=at,
        cost=row.price,
        tag=row.tag,
        campaign_name=row.campaign_name,
        campaign_id=row.campaign_id,
        text=text,
        test=row.test,
    )
