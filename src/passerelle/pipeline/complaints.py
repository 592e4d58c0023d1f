"""Complaints: somebody reported a message as unwanted (in France to 33700), and the operator of the platform knows.

The one rule: a complaint is about the last message that was handed over to that phone, and weighs more than a STOP: the
number is on the stop list of that account from then on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .. import telemetry
from ..domain.account import Rules
from ..domain.message import Dialect, EventKind
from ..store import complaints as store
from ..store import events, messages, optouts, rental, statistics
from ..store.complaints import About, Report
from ..store.database import Database
from ..store.events import Leased, NewEvent
from ..store.messages import MessageRow
from ..store.statistics import Delta
from .settle import Key, told_of
from .teller import Teller

AT_ONCE = 500  # in one transaction


@dataclass(frozen=True, slots=True)
class Complaint:
    """A message that somebody complained about. `known`: somebody had before, and nothing changed."""

    account_id: int
    email: str
    message_id: int
    phone: int
    dialect: Dialect
    sent_at: datetime
    sender: str
    text: str
    tag: str
    campaign_name: str
    known: bool


async def record(
    db: Database, teller: Teller | None, phone: int, at: datetime, now: datetime, account: int | None = None
) -> Complaint | None:
    """Write down that somebody complained at `at`; None: nothing was handed over to that phone in the 30 days before.

    `teller` tells the customer that the number is on the stop list. `account`: whose message it was.
    """
    return (await record_many(db, teller, [Report(phone, at, account or 0)], now))[0]


async def record_many(
    db: Database, teller: Teller | None, reports: Sequence[Report], now: datetime
) -> list[Complaint | None]:
    """The same of many, in their order."""
    made: list[Complaint | None] = []
    for start in range(0, len(reports), AT_ONCE):
        made += await _record(db, teller, reports[start : start + AT_ONCE], now)
    return made


async def _record(
    db: Database, teller: Teller | None, reports: Sequence[Report], now: datetime
) -> list[Complaint | None]:
    async with db.transaction() as connection:
        found = {one.position: one for one in await store.about(connection, reports)}
        keys = {(one.account_id, one.message_id) for one in found.values()}
        locked = await messages.lock(connection, keys) if keys else []
        rows = {(row.account_id, row.id): row for row in locked}
        fresh = await store.mark(connection, rows)
        await statistics.insert(connection, _deltas([rows[key] for key in fresh], now))
        listed = await _list(connection, [rows[key] for key in fresh], now)
        urls = {(one.account_id, one.message_id): one.reply_url for one in found.values()}
        told = [
            (rows[key], urls[key]) for key in sorted(fresh) if (key[0], optouts.List.STOP, rows[key].phone) in listed
        ]
        leased = await _announce(connection, teller, told, now) if teller is not None else []
    if teller is not None:
        teller.post(leased)
    for account_id, count in Counter(account for account, _ in fresh).items():
        telemetry.log(telemetry.Event.COMPLAINT, account=account_id, count=count)
    return _in_order(len(reports), found, rows, fresh)


def _deltas(rows: Iterable[MessageRow], now: datetime) -> list[Delta]:
    hour = now.replace(minute=0, second=0, microsecond=0)
    counts = Counter((row.account_id, row.dialect, row.tag_key) for row in rows)
    return [Delta(*key, hour, complaints=count) for key, count in counts.items()]


async def _list(connection: Any, rows: Sequence[MessageRow], now: datetime) -> set[tuple[int, int, int]]:
    """Put the numbers on the stop lists; those that were not there."""
    stops = {(row.account_id, int(optouts.List.STOP), row.phone): row.campaign_id for row in rows}
    listed = await optouts.add_many(connection, stops, now, stops)
    await rental.opt_out_rented(connection, stops, now)
    return listed


async def _announce(
    connection: Any, teller: Teller, told: Sequence[tuple[MessageRow, str]], now: datetime
) -> list[Leased]:
    rules = await teller.rules({row.account_id for row, _ in told})
    worded: list[NewEvent] = []
    for row, reply_url in told:
        worded += teller.word(
            told_of(row, EventKind.UNSUBSCRIBED, now), rules.get(row.account_id, Rules()), reply_url=reply_url
        )
    return await events.insert(connection, worded, now, teller.lease)


def _in_order(
    count: int, found: Mapping[int, About], rows: Mapping[Key, MessageRow], fresh: set[Key]
) -> list[Complaint | None]:
    """Of two about one message the first is new."""
    made: list[Complaint | None] = []
    unsaid = set(fresh)
    for position in range(1, count + 1):
        one = found.get(position)
        row = None if one is None else rows.get((one.account_id, one.message_id))
        if one is None or row is None:
            made.append(None)
            continue
        key = (row.account_id, row.id)
        made.append(_complaint(one, row, known=key not in unsaid))
        unsaid.discard(key)
    return made


def _complaint(one: About, row: MessageRow, *, known: bool) -> Complaint:
    return Complaint(
        account_id=row.account_id,
        email=one.email,
        message_id=row.id,
        phone=row.phone,
        dialect=Dialect(row.dialect),
        sent_at=one.sent_at,
        sender=one.sender,
        text=one.text,
        tag=row.tag,
        campaign_name=row.campaign_name,
        known=known,
    )
