"""What a batch of accepted submissions becomes: rows, one statement for each kind.

Whoever calls holds the lock of the wallets concerned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

from ..domain.message import Submission
from ..domain.reasons import Finding
from .copying import Columns, bigint, boolean, copy, smallint, timestamptz
from .database import Database, columns, queries
from .statistics import Delta

SQL = queries("submissions")

ANSWERS_KEPT = timedelta(hours=24)


class AnswerTaken(Exception):
    """Another transaction has just stored an answer under the same Idempotency-Key: look again."""


@dataclass(slots=True)
class Numbered:
    """A submission with the ids it is stored under. Its messages are `id`, `id` + 1, ... in order.

    Of a large one it is a page: its recipients begin at `place`, and the sums are of all pages by then.
    """

    submission: Submission
    id: int
    number: int  # of the submission; 0 where the dialect numbers messages
    snapshots: Sequence[int]  # numbers of the messages; empty where the dialect numbers submissions
    carrier_ids: Sequence[int]
    lane: int
    messages: int
    parts: int
    cost: int
    dropped: Sequence[Finding] = ()  # recipients that were left out
    place: int = 0
    last: bool = True

    @property
    def numbers(self) -> Sequence[int]:
        """The number of each message row."""
        return self.snapshots or [0] * len(self.submission.recipients)


@dataclass(frozen=True, slots=True)
class Answer:
    """A stored answer to an idempotent request."""

    account_id: int
    path: str
    key: str
    body_hash: bytes
    status: int
    body: bytes
    submission_id: int
    at: datetime


@dataclass(slots=True)
class Batch:
    """What is written together.

    `wallets`: account -> (version, cost in micro-euros) under which it may be. `looked_at`: accounts and phones, a pair
    each, that must be on no list. `deltas`: rows of statistics.
    """

    stored: Sequence[Numbered]
    wallets: Mapping[int, tuple[int, int]]
    looked_at: tuple[Sequence[int], Sequence[int]]
    deltas: Sequence[Delta]


async def insert(connection: Any, batch: Batch, validity: timedelta) -> bool:
    """Write submissions with all that belongs to them, debits included; False, and nothing, where it may not be.

    One statement: outside a transaction it is one. Sandbox sends are not for it.
    """
    messages = columns(chain.from_iterable(map(_message_rows, batch.stored)))
    heads = columns(map(_submission_row, batch.stored))
    wallets = sorted(batch.wallets.items())
    done = await connection.fetchval(
        SQL.insert_batch,
        *heads[:18],
        *messages[:15],
        validity,
        *messages[15:17],
        [account for account, _ in wallets],
        [version for _, (version, _) in wallets],
        [cost for _, (_, cost) in wallets],
        *batch.looked_at,
        *zip(
            *((d.account_id, d.dialect, d.tag_key, d.at, d.messages, d.waiting, d.parts, d.cost) for d in batch.deltas),
            strict=True,
        ),
        *heads[18:],
        messages[17],
    )
    return bool(done)


async def insert_head(connection: Any, one: Numbered) -> None:
    """Write the row of a submission whose messages come in slices of the same transaction."""
    await connection.execute(SQL.insert_submission, *_submission_row(one))


async def insert_slice(connection: Any, one: Numbered, validity: timedelta) -> None:
    """Write the messages of a page, with their parts and queue rows. No debit, no figures."""
    s, first = one.submission, one.id + one.place
    await copy(connection, "message", _messages(one, range(first, first + len(s.recipients))))
    some = list(enumerate(zip(s.recipients, one.carrier_ids, strict=True), first))
    parts = [(key, n) for key, (to, _) in some if to.parts > 1 for n in range(1, to.parts + 1)]
    await copy_parts(connection, s.account_id, parts, s.accepted_at)
    queued = [(key, n, carrier, to.region) for key, (to, carrier) in some for n in range(1, to.parts + 1)]
    keys, numbers, carriers, regions = columns(queued)
    shared = {
        **queue_shared(s.account_id, one.id, one.lane, s.traffic, s.stop_applies),
        "due_at": timestamptz(s.due_at),
        "valid_until": timestamptz(s.due_at + validity),
    }
    rows = Columns(
        shared=shared,
        bigints={"message_id": keys},
        smallints={"part": numbers, "carrier_id": carriers},
        texts={"region": regions},
    )
    await copy(connection, "queue", rows)


def _messages(one: Numbered, ids: Sequence[int]) -> Columns:
    s, some = one.submission, one.submission.recipients
    return Columns(
        shared={
            "account_id": bigint(s.account_id),
            "submission_id": bigint(one.id),
            "dialect": smallint(s.dialect),
            "state_at": timestamptz(s.accepted_at),
        },
        bigints={"id": ids, "phone": [to.phone for to in some], "price": [to.price for to in some]},
        integers={"number": one.numbers},
        smallints={"encoding": [to.encoding for to in some], "parts": [to.parts for to in some]},
        texts={"country": [to.country for to in some], "text": [to.text for to in some]},
    )


async def copy_parts(connection: Any, account_id: int, parts: Sequence[tuple[int, int]], at: datetime) -> None:
    """Write parts of long messages: message, part."""
    if parts:
        messages, numbers = columns(parts)
        shared = {"account_id": bigint(account_id), "state_at": timestamptz(at)}
        rows = Columns(shared, bigints={"message_id": messages}, smallints={"part": numbers})
        await copy(connection, "part", rows)


def queue_shared(account_id: int, submission_id: int, lane: int, traffic: int, stop_applies: bool) -> dict[str, bytes]:
    """What the queue rows of a submission share."""
    return {
        "account_id": bigint(account_id),
        "submission_id": bigint(submission_id),
        "lane": smallint(lane),
        "class": smallint(traffic),
        "stop_applies": boolean(stop_applies),
    }


async def insert_sandbox(connection: Any, batch: Sequence[Numbered]) -> None:
    """Write sandbox sends."""
    await connection.execute(SQL.insert_sandbox, *zip(*_sandbox_rows(batch), strict=True))


def _submission_row(one: Numbered) -> tuple[object, ...]:
    s = one.submission
    return (
        s.account_id, one.id, s.dialect, one.number, s.accepted_at, s.due_at, one.messages, one.cost,
        s.text, s.sender, s.tag, s.tag_key, s.campaign_name, s.traffic, s.service, s.dlr_url, s.reply_url, s.test,
        s.campaign_id, s.flash,
    )  # fmt: skip


def _message_rows(one: Numbered) -> list[tuple[object, ...]]:
    s, at = one.submission, one.submission.accepted_at
    return [
        (
            s.account_id, one.id + offset, one.id, s.dialect, number, to.phone, to.country, to.text, to.encoding,
            to.parts, to.price, at, carrier, one.lane, s.traffic, s.due_at, s.stop_applies,
            to.region,
        )
        for offset, (to, number, carrier) in enumerate(zip(s.recipients, one.numbers, one.carrier_ids, strict=True))
    ]  # fmt: skip


def _sandbox_rows(batch: Iterable[Numbered]) -> Iterable[tuple[object, ...]]:
    for one in batch:
        s = one.submission
        for offset, to in enumerate(s.recipients):
            number = one.snapshots[offset] if one.snapshots else one.number
            text = s.text if to.text is None else to.text
            yield (
                s.account_id, one.id + offset, one.id, s.dialect, number, s.tag, s.tag_key, to.phone, to.country, text,
                to.parts, to.price, s.accepted_at,
            )  # fmt: skip


async def known_answers(
    connection: Any, keys: Sequence[tuple[int, str, str]], now: datetime
) -> dict[tuple[int, str, str], Any]:
    """(account, path, key) -> row of the answer given before, not older than a day."""
    rows = await connection.fetch(SQL.known_answers, *map(list, zip(*keys, strict=True)), now - ANSWERS_KEPT)
    return {(row["account_id"], row["path"], row["key"]): row for row in rows}


async def insert_answers(connection: Any, answers: Sequence[Answer], now: datetime) -> None:
    """Keep the answers of this batch. Raises AnswerTaken where somebody else was first."""
    columns = [
        (a.account_id, a.path, a.key, a.body_hash, a.status, a.body, a.submission_id, a.at) for a in answers
    ]  # fmt: skip
    done = await connection.execute(SQL.insert_answers, *map(list, zip(*columns, strict=True)), now - ANSWERS_KEPT)
    if done != f"INSERT 0 {len(answers)}":
        raise AnswerTaken


async def present(db: Database, keys: Sequence[tuple[int, int]]) -> set[int]:
    """Which of these (account, submission id) are stored: what a commit of unknown outcome has done."""
    rows = await db.fetch(SQL.present, *map(list, zip(*keys, strict=True)))
    return {row[0] for row in rows}


async def lock_by_number(connection: Any, account_id: int, dialect: int, number: int) -> dict[str, Any] | None:
    """The submission that a dialect calls `number`, locked: id, messages, due_at, cancelled_at; how many parts it has
    and how many of them still wait untouched."""
    row = await connection.fetchrow(SQL.lock_by_number, account_id, dialect, number)
    return None if row is None else await _with_waiting(connection, account_id, row)


async def lock_by_id(connection: Any, account_id: int, submission_id: int) -> dict[str, Any] | None:
    """The same of a submission by its own id."""
    row = await connection.fetchrow(SQL.lock_by_id, account_id, submission_id)
    return None if row is None else await _with_waiting(connection, account_id, row)


async def _with_waiting(connection: Any, account_id: int, row: Any) -> dict[str, Any]:
    return dict(row) | await still_queued(connection, account_id, row["id"], row["id"] + row["messages"])


async def still_queued(connection: Any, account_id: int, first: int, end: int) -> dict[str, int]:
    """How many parts the messages `first` to `end` have, and how many of them wait untouched: parts, queued."""
    return dict(await connection.fetchrow(SQL.still_queued, account_id, first, end))


async def is_sandboxed(connection: Any, account_id: int, dialect: int, number: int) -> bool:
    """Whether a sandbox send has this number."""
    return bool(await connection.fetchval(SQL.is_sandboxed, account_id, dialect, number))


async def mark_cancelled(connection: Any, account_id: int, submission_id: int, now: datetime) -> None:
    """The owner took it back."""
    await connection.execute(SQL.mark_cancelled, account_id, submission_id, now)


async def accepted_on(connection: Any, account_ids: Sequence[int], day: date) -> dict[int, int]:
    """How many messages accounts with a quota have sent on a day; under the lock of their wallets."""
    rows = await connection.fetch(SQL.accepted_on, list(account_ids), day)
    return {account_id: dict(map(tuple, rows)).get(account_id, 0) for account_id in account_ids}


async def count_accepted(connection: Any, counts: Mapping[int, int], day: date) -> None:
    """Count messages of accounts with a quota."""
    if counts:
        await connection.execute(SQL.count_accepted, list(counts), day, list(counts.values()))
