"""Texts from handsets: joined, matched to what they answer, opt-outs obeyed; committed before the operator is thanked.

The one rule: in doubt a text is a STOP, and a STOP finds whoever wrote to that phone; but what comes in on a long
number is its owner's, answer or not. A reply proves that its message arrived, whatever the operator said of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import uuid_utils

from .. import telemetry
from ..clock import Clock
from ..domain import numbers
from ..domain.account import Rules
from ..domain.message import Dialect, EventKind, State
from ..domain.message import Inbound as Text
from ..domain.optout import is_stop
from ..settings import Settings
from ..store import events, optouts, rental, replies, statistics, virtual_numbers
from ..store.database import Database, is_transient
from ..store.events import Leased, NewEvent
from ..store.messages import MessageRow
from ..store.replies import Answered, NewReply, Question, TextPart, WholeText
from ..store.statistics import Delta, Figure
from ..store.virtual_numbers import Owner
from . import surveys
from .settle import Key, Settlement, prove, told_of
from .teller import Teller
from .wording import LongText, Told

PARTS_WAIT = timedelta(hours=1)  # for the rest of a long text
TRIES = 3  # of a batch that the database lost or chose as the victim of a deadlock
LARGEST_PHONE = 10**15  # E.164: 15 digits
MOST_PARTS = 255


class Inbound:
    """Takes texts of carriers in."""

    def __init__(self, db: Database, teller: Teller, settings: Settings, clock: Clock) -> None:
        self._db = db
        self._teller = teller
        self._clock = clock
        self._short_code = settings.short_code
        self._stop_words = frozenset(settings.stop_words)

    async def receive(self, batch: Sequence[Text], carrier_id: int) -> None:
        """Write a batch of texts and parts of texts down; returns after the commit."""
        telemetry.INBOUND.labels(str(carrier_id)).inc(len(batch))
        taken = [_cleaned(text, carrier_id) for text in batch]
        for tries in range(1, TRIES + 1):
            try:
                return await self._receive(taken, self._clock.now())
            except Exception as error:
                if tries == TRIES or not is_transient(error):
                    raise

    async def sweep(self) -> int:
        """Take long texts whose rest did not come within an hour as they are; how many."""
        now = self._clock.now()
        async with self._db.transaction() as connection:
            texts = await replies.take_old(connection, now - PARTS_WAIT)
            leased = await self._take(connection, texts, now) if texts else []
        self._teller.post(leased)
        return len(texts)

    async def _receive(self, taken: Sequence[TextPart], now: datetime) -> None:
        async with self._db.transaction() as connection:
            texts = [replies.whole([text]) for text in taken if text.total == 1]
            texts += await replies.assemble(connection, [text for text in taken if text.total > 1])
            leased = await self._take(connection, texts, now) if texts else []
        self._teller.post(leased)

    async def _take(self, connection: Any, texts: Sequence[WholeText], now: datetime) -> list[Leased]:
        """Whole texts, in the transaction that is under way; the notifications to be posted after its commit."""
        phones = [_long_number(text.recipient) for text in texts]
        owners = await virtual_numbers.owners(connection, filter(None, phones))
        came = [
            _Came(text, is_stop(text.text, self._stop_words), owners.get(phone))
            for text, phone in zip(texts, phones, strict=True)
        ]
        questions = [one.question() for one in came]
        found = {one.position: one for one in await replies.answered(connection, questions, self._short_code, now)}
        _tell_unmatched(one for n, one in enumerate(came, 1) if n not in found and one.owner is None)
        return await self._write(connection, came, found, now)

    async def take_answers(
        self, connection: Any, answers: Sequence[tuple[WholeText, str | None, Answered]], now: datetime
    ) -> list[Leased]:
        """Texts that are matched already, with the data behind a suggestion where one was tapped, in the transaction
        of the caller; the notifications to be posted after its commit."""
        came = [_Came(text, is_stop(text.text, self._stop_words), None, postback) for text, postback, _ in answers]
        return await self._write(connection, came, {n: one[2] for n, one in enumerate(answers, 1)}, now)

    async def take_stop(self, connection: Any, text: WholeText, answered: Answered, now: datetime) -> list[Leased]:
        """An opt-out that was said in another way, of the message that it answers; as `take_answers`."""
        return await self._write(connection, [_Came(text, True, None)], {1: answered}, now)

    async def _write(
        self, connection: Any, came: Sequence[_Came], found: Mapping[int, Answered], now: datetime
    ) -> list[Leased]:
        settlement = Settlement(connection, now, self._teller)
        await settlement.load({(one.account_id, one.message_id) for one in found.values()})
        batch = _Batch(settlement, now)
        for position, one in enumerate(came, 1):
            batch.add(one, found.get(position))
        leased = await settlement.save()
        await batch.save(connection)
        return leased + await self._announce(connection, batch, now)

    async def _announce(self, connection: Any, batch: _Batch, now: datetime) -> list[Leased]:
        rules = await self._teller.rules({told.account_id for told, _ in batch.told})
        told: list[NewEvent] = []
        for facts, reply_url in batch.told:
            told += self._teller.word(facts, rules.get(facts.account_id, Rules()), reply_url=reply_url)
        return await events.insert(connection, told, now, self._teller.lease)


@dataclass(frozen=True, slots=True)
class _Came:
    """A whole text; `owner`: of the long number that it was written to."""

    text: WholeText
    stop: bool
    owner: Owner | None
    postback: str | None = None

    def question(self) -> Question:
        """Whom it answers."""
        recipient = str(self.owner.phone) if self.owner else self.text.recipient
        owner = self.owner.account_id if self.owner else 0
        return Question(self.text.phone, recipient, _national(recipient), self.stop, owner)


class _Batch:
    """What matched texts change beside their messages."""

    def __init__(self, settlement: Settlement, now: datetime) -> None:
        self._settlement = settlement
        self._now = now
        self._replies: list[NewReply] = []
        self._stops: list[tuple[int, int, int]] = []
        self._campaigns: dict[tuple[int, int, int], bytes | None] = {}
        self._unsubscribers: list[tuple[int, int, int, str, int]] = []
        self._replied: dict[Key, datetime] = {}
        self._counts: dict[tuple[int, int, str], int] = {}
        self.told: list[tuple[Told, str]] = []  # with the reply URL of the submission

    def add(self, came: _Came, answered: Answered | None) -> None:
        """One text and the message that it answers; one that answers none is kept only for the owner of its number."""
        row = self._settlement.row((answered.account_id, answered.message_id)) if answered else None
        if answered is not None and row is not None:
            self._add_answer(came, row, answered.reply_url)
        elif came.owner is not None:
            self._add_own(came, came.owner)

    def _add_answer(self, came: _Came, row: MessageRow, reply_url: str) -> None:
        text, stop = came.text, came.stop
        prove(row, text.at)
        tag_key = row.tag_key
        self._keep(came, row.account_id, row.id, row.dialect, row.tag, tag_key)
        if stop:
            self._stop(row, text, tag_key)
        else:
            self._reply(row, text, tag_key)
        url = reply_url or (came.owner.reply_url if came.owner else "")
        if came.owner is not None and not stop and row.dialect == Dialect.SMSPARTNER:
            self.told += [(told, url) for told in _long_told(_told(row, text, stop), came.owner, text)]
        elif not stop or row.dialect == Dialect.SMSPARTNER:  # other dialects hear of an opt-out from the message
            self.told.append((replace(_told(row, text, stop), postback=came.postback), url))

    def _add_own(self, came: _Came, owner: Owner) -> None:
        """To a long number, out of the blue. An opt-out is told like any text: there is no message to name."""
        text = came.text
        self._keep(came, owner.account_id, None, 0, "", "")
        if came.stop:
            self._stops.append((owner.account_id, optouts.List.STOP, text.phone))
        told = Told(
            event=EventKind.REPLY,
            dialect=Dialect.SMSPARTNER,
            account_id=owner.account_id,
            row_id=0,
            state=State.ACCEPTED,
            message_id=0,
            snapshot=0,
            phone=text.phone,
            at=text.at,
        )
        self.told += [(one, owner.reply_url) for one in _long_told(told, owner, text)]

    def _keep(self, came: _Came, account_id: int, message_id: int | None, dialect: int, tag: str, tag_key: str) -> None:
        text = came.text
        self._replies.append(
            NewReply(
                account_id, optouts.new_token(self._now), text.carrier_id or None, text.phone, text.recipient,
                text.text, text.at, came.stop, message_id, dialect, tag, tag_key,
            )
        )  # fmt: skip

    def _stop(self, row: MessageRow, text: WholeText, tag_key: str) -> None:
        row.stopped_at = row.stopped_at or text.at
        self._stops.append(stop := (row.account_id, optouts.List.STOP, text.phone))
        self._campaigns[stop] = row.campaign_id
        self._unsubscribers.append((row.account_id, row.dialect, Figure.UNSUBSCRIBERS, tag_key, text.phone))

    def _reply(self, row: MessageRow, text: WholeText, tag_key: str) -> None:
        key = (row.account_id, row.id)
        self._replied[key] = max(text.at, self._replied.get(key, text.at))
        count = (row.account_id, row.dialect, tag_key)
        self._counts[count] = self._counts.get(count, 0) + 1

    async def save(self, connection: Any) -> None:
        """Write it."""
        await replies.insert(connection, self._replies)
        await surveys.take_replies(connection, self._replies, self._now)
        await replies.replied(connection, [(*key, at) for key, at in sorted(self._replied.items())])
        await optouts.add_many(connection, self._stops, self._now, self._campaigns)
        await rental.opt_out_rented(connection, self._stops, self._now)
        await statistics.add_distinct(connection, self._unsubscribers)
        hour = self._now.replace(minute=0, second=0, microsecond=0)
        await statistics.insert(connection, [Delta(*key, hour, replies=n) for key, n in self._counts.items()])
        if self._stops:
            telemetry.log(telemetry.Event.OPTED_OUT, count=len(self._stops))


def _long_told(told: Told, owner: Owner, text: WholeText) -> list[Told]:
    """A text to a long number as it is told: each part by itself (SMS Partner 8.5)."""
    return [
        replace(
            told,
            text=piece,
            long=LongText(str(owner.phone), str(uuid_utils.uuid4()), text.text, text.reference, text.total, number),
        )
        for number, piece in text.parts
    ]


def _told(row: MessageRow, text: WholeText, stop: bool) -> Told:
    return told_of(row, EventKind.UNSUBSCRIBED if stop else EventKind.REPLY, text.at, text.text)


def _cleaned(text: Text, carrier_id: int) -> TextPart:
    """As it can be stored: one odd text must not hold up its neighbours, nor come again for ever."""
    is_part = 1 < text.total <= MOST_PARTS and 1 <= text.part <= text.total
    total, part = (text.total, text.part) if is_part else (1, 1)
    phone = text.phone if 0 < text.phone < LARGEST_PHONE else 0
    recipient = _storable(text.recipient).removeprefix("+") or "?"
    return TextPart(carrier_id, phone, recipient, text.reference, total, part, _storable(text.text), text.at)


def _storable(text: str) -> str:
    """Without what PostgreSQL has no place for: NUL and half characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _long_number(recipient: str) -> int:
    """The number that an operator may have written in any way, E.164 without +; 0 for a short code or a name."""
    read = numbers.normalise(recipient)
    return 0 if read is None else int(read.e164[1:])


def _national(recipient: str) -> str:
    """A French number as a sender may have been given, 0 and nine digits; others as they are."""
    is_french = len(recipient) == 11 and recipient.startswith("33")
    return f"0{recipient[2:]}" if is_french else recipient


def _tell_unmatched(lost: Iterable[_Came]) -> None:
    """Nobody is answered: counted and, without a word of it, logged."""
    carriers: dict[int, list[bool]] = {}
    for one in lost:
        carriers.setdefault(one.text.carrier_id, []).append(one.stop)
    for carrier_id, stops in carriers.items():
        telemetry.INBOUND_UNMATCHED.labels(str(carrier_id)).inc(len(stops))
        telemetry.log(telemetry.Event.REPLY_UNMATCHED, carrier=carrier_id, count=len(stops), stops=sum(stops))
