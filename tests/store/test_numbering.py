"""Ids are unique whoever makes them; the numbers that customers see start again and pass over those still stored."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from passerelle.store.database import Database
from passerelle.store.numbering import MESSAGE_BLOCK, MONTH_SHIFT, NUMBER_BLOCK, Numbering, month_of, span_of

T0 = datetime(2026, 11, 12, 8, 0, tzinfo=UTC)
LAST_BLOCK = 2_147_482_001
HIGHEST = 2**31 - 1


@pytest.mark.parametrize(
    ("at", "month"),
    [
        (datetime(2000, 1, 1, tzinfo=UTC), 0),
        (datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC), 322),
        (datetime(2026, 12, 1, tzinfo=UTC), 323),
        (datetime(2027, 1, 1, tzinfo=UTC), 324),
    ],
)
def test_months_are_counted_from_2000(at: datetime, month: int) -> None:
    assert month_of(at) == month
    assert span_of(month)[1] == span_of(month + 1)[0]


async def test_messages_of_one_submission_are_neighbours_of_one_month(db: Database) -> None:
    numbering = Numbering(db)
    low, high = span_of(month_of(T0))
    taken: set[int] = set()
    for count in (1, 500, MESSAGE_BLOCK, 3, MESSAGE_BLOCK - 2, 1):
        first = await numbering.messages(count, T0)
        ids = set(range(first, first + count))
        assert low <= first and first + count <= high and not ids & taken
        taken |= ids


async def test_a_new_month_has_its_partitions_before_its_first_id(db: Database) -> None:
    processes = [Numbering(db) for _ in range(4)]
    at = datetime(2031, 2, 1, tzinfo=UTC)
    firsts = await asyncio.gather(*(one.messages(1, at) for one in processes))
    assert len(set(firsts)) == 4 and {first >> MONTH_SHIFT for first in firsts} == {month_of(at)}
    assert await db.fetchval("select to_regclass('message_203102') is not null")


async def test_processes_never_give_the_same_number(db: Database) -> None:
    processes = [Numbering(db) for _ in range(3)]
    given = [await one.submission_number() for _ in range(NUMBER_BLOCK + 5) for one in processes]
    assert len(set(given)) == len(given)


async def submission(db: Database, number: int) -> None:
    first = await Numbering(db).messages(1, T0)
    await db.execute(
        "insert into submission (account_id, id, dialect, number, accepted_at, due_at, messages, cost, class, service)"
        " values (1000, $1, 1, $2, $3, $3, 1, 0, 0, 1)",
        first, number, T0,
    )  # fmt: skip


async def message(db: Database, number: int) -> None:
    first = await Numbering(db).messages(1, T0)
    await db.execute(
        "insert into message (account_id, id, submission_id, dialect, number, phone, country, encoding, parts, price, state_at)"
        " values (1000, $1, $1, 2, $2, 33639980001, 'FR', 0, 1, 0, $3)",
        first, number, T0,
    )  # fmt: skip


async def sandbox(db: Database, number: int, dialect: int) -> None:
    await db.execute(
        "insert into sandbox values (1000, $1::int, $1::int, $2, $1::int, '', '', 33639980001, 'FR', '', 1, 0, $3)",
        number, dialect, T0,
    )  # fmt: skip


async def to_the_end(db: Database, sequence: str) -> None:
    await db.execute("select setval($1::text::regclass, $2)", sequence, LAST_BLOCK - NUMBER_BLOCK)


async def test_message_ids_start_again_after_the_last_and_pass_over_live_ones(db: Database) -> None:
    await to_the_end(db, "message_number")
    await submission(db, 1)  # the whole first block
    await submission(db, 2_500)  # in the middle of the third
    await sandbox(db, 4_000, dialect=1)  # the last of the fourth
    await message(db, 1_500)  # numbers of the other dialect do not count
    await sandbox(db, 1_600, dialect=2)
    numbering = Numbering(db)
    given = [await numbering.submission_number() for _ in range(3 * NUMBER_BLOCK)]
    assert given[:NUMBER_BLOCK] == list(range(LAST_BLOCK, LAST_BLOCK + NUMBER_BLOCK))
    assert max(given) <= HIGHEST
    assert given[NUMBER_BLOCK:] == [*range(1_001, 2_001), *range(4_001, 5_001)]


async def test_snapshot_ids_do_the_same(db: Database) -> None:
    await to_the_end(db, "snapshot_number")
    await message(db, 500)
    await sandbox(db, 1_001, dialect=2)
    await submission(db, 2_500)
    numbering = Numbering(db)
    given = [await numbering.snapshot_number() for _ in range(NUMBER_BLOCK + 1)]
    assert given[NUMBER_BLOCK - 1 :] == [LAST_BLOCK + NUMBER_BLOCK - 1, 2_001]


async def test_more_than_a_block_is_without_a_gap_whoever_else_takes_some(db: Database) -> None:
    one, other = Numbering(db), Numbering(db)
    counts = [3 * MESSAGE_BLOCK + 1, 5, 2 * MESSAGE_BLOCK, MESSAGE_BLOCK + 1, 7, 10 * MESSAGE_BLOCK]
    firsts = await asyncio.gather(*((one, other)[n % 2].messages(count, T0) for n, count in enumerate(counts)))
    taken = sorted(zip(firsts, counts, strict=True))
    assert all(first + count <= later for (first, count), (later, _) in pairwise(taken))
