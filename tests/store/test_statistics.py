"""Statistics: fold plus deltas is the plain sum at every moment, and equal to a recount of the rows."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.domain.message import TESTS, Dialect
from passerelle.store import statistics
from passerelle.store.database import Database
from passerelle.store.statistics import Counters, Delta, Figure

T0 = datetime(2026, 11, 12, 8, 0, tzinfo=UTC)
TAGS = ("", "colis", "codes-2fa")
FIGURES = ("messages", "waiting", "sent", "submitted", "delivered", "errors", "bounced", "replies", "complaints")
_accounts = count(1000)

minutes = st.integers(-600, 600)
small = st.integers(-3, 9)
deltas = st.builds(
    lambda tag, dialect, at, figures, parts, cost: (tag, dialect, at, figures, parts, cost),
    st.sampled_from(TAGS),
    st.sampled_from([1, 2]),
    minutes,
    st.tuples(*[small] * 9),
    small,
    st.integers(-9999, 99999),
)
steps = st.lists(st.one_of(deltas, st.tuples(st.just("fold"), minutes, st.integers(1, 9))), max_size=25)


def total(written: list[Delta], figure: str, chosen: Callable[[Delta], bool]) -> int:
    return sum(getattr(delta, figure) for delta in written if chosen(delta))


async def verify(db: Database, account: int, written: list[Delta], now: datetime) -> None:
    boundaries = [T0 + timedelta(hours=hours) for hours in (-10, -3, -1, 0, 1, 2, 11)]
    for dialect in (1, 2):
        for tag in TAGS:
            mine = [d for d in written if d.dialect == dialect and (not tag or d.tag_key == tag)]
            expected = {figure: sum(getattr(d, figure) for d in mine) for figure in FIGURES}
            assert await statistics.counters(db, account, dialect, tag) == Counters(**expected)
            assert await statistics.tag_messages(db, account, dialect, tag) == expected["messages"]
            if not tag:
                assert await statistics.waiting_parts(db, account, dialect) == expected["waiting"]
        rows = await statistics.cost_rows(db, account, dialect, boundaries, now)
        assert rows == [
            tuple(
                total(written, figure, lambda d: d.dialect == dialect and low <= d.at < high and d.at <= now)  # noqa: B023
                for figure in ("parts", "cost")
            )
            for low, high in pairwise(boundaries)
        ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, now=minutes)
async def test_whenever_it_is_folded_a_read_is_the_plain_sum(db: Database, steps: list[tuple], now: int) -> None:
    account, written, newest = next(_accounts), [], now
    for step in steps:
        if step[0] == "fold":
            newest = max(newest, step[1])
            await statistics.fold(db, T0 + timedelta(minutes=step[1]), step[2])
        else:
            tag, dialect, at, figures, parts, cost = step
            written.append(
                Delta(
                    account,
                    dialect,
                    tag,
                    T0 + timedelta(minutes=at),
                    parts=parts,
                    cost=cost,
                    **dict(zip(FIGURES, figures, strict=True)),
                )
            )
            async with db.transaction() as connection:
                await statistics.insert(connection, written[-1:])
    await verify(db, account, written, T0 + timedelta(minutes=newest))


async def test_readers_and_many_folders_at_once_never_see_half_a_fold(db: Database) -> None:
    account, rng = next(_accounts), random.Random(7)
    written = [
        Delta(account, 2, rng.choice(TAGS), T0 - timedelta(minutes=rng.randrange(300)), messages=1, parts=2, cost=3)
        for _ in range(2000)
    ]
    async with db.transaction() as connection:
        await statistics.insert(connection, written)
        await statistics.insert(connection, [])

    async def folder() -> int:
        return sum([await statistics.fold(db, T0, 97) for _ in range(8)])

    async def reader() -> None:
        for _ in range(20):
            assert (await statistics.counters(db, account, 2)).messages == 2000
            assert await statistics.cost_rows(
                db, account, 2, [T0 - timedelta(hours=5), T0 + timedelta(hours=1)], T0
            ) == [(4000, 6000)]

    folded, *_ = await asyncio.gather(asyncio.gather(*(folder() for _ in range(4))), reader(), reader())
    while step := await statistics.fold(db, T0):
        folded.append(step)
    assert sum(folded) == 2000
    assert await db.fetchval("SELECT count(*) FROM statistic_delta") == 0
    await verify(db, account, written, T0)


async def test_of_what_is_to_come_parts_and_cost_wait_for_their_time(db: Database) -> None:
    account, later = next(_accounts), T0 + timedelta(minutes=30)
    async with db.transaction() as connection:
        await statistics.insert(connection, [Delta(account, 1, "", later, waiting=2, parts=2, cost=76_000)])
    assert [await statistics.fold(db, T0) for _ in range(2)] == [1, 0]
    day = [T0, T0 + timedelta(days=1)]
    assert await statistics.waiting_parts(db, account, 1) == 2
    assert await statistics.cost_rows(db, account, 1, day, T0) == [(0, 0)]
    assert await statistics.cost_rows(db, account, 1, day, later) == [(2, 76_000)]
    assert await statistics.fold(db, later) == 1
    assert await statistics.cost_rows(db, account, 1, day, later) == [(2, 76_000)]


async def test_a_number_counts_once_for_the_tag_and_once_for_all(db: Database) -> None:
    account = next(_accounts)
    rows = [
        (account, 2, Figure.UNSUBSCRIBERS, tag, phone)
        for tag, phone in (("a", 1), ("a", 1), ("b", 1), ("", 1), ("a", 2), ("", 3))
    ]
    async with db.transaction() as connection:
        await statistics.add_distinct(connection, rows)
        await statistics.add_distinct(connection, [*rows[:2], (account, 2, Figure.OPENERS, "a", 9)])
        await statistics.add_distinct(connection, [])
    seen = {tag: await statistics.distinct(db, account, 2, Figure.UNSUBSCRIBERS, tag) for tag in ("", "a", "b", "c")}
    assert seen == {"": 3, "a": 2, "b": 1, "c": 0}
    assert await statistics.counters(db, account, 2, "a") == Counters(unsubscribers=2, openers=1)
    assert await statistics.counters(db, account, 1, "a") == Counters()


# --- the recount ---------------------------------------------------------------------------------------------------

MONTH = (2026 - 2000) * 12 + 10
FIRST = MONTH << 40


async def stored(
    db: Database, id_: int, account: int = 1001, due: datetime = T0, tag: str = "", **columns: object
) -> None:
    """One submission of one message of two parts at 0.038 each; `columns` are those of the message."""
    test = bool(columns.pop("test", False))
    await db.execute("SELECT make_month($1)", MONTH)
    await db.execute(
        "INSERT INTO submission (account_id, id, dialect, accepted_at, due_at, messages, cost, tag_key, class, service, test)"
        " VALUES ($1, $2, 2, $3, $4, 1, 76000, $5, 0, 1, $6)",
        account,
        id_,
        T0,
        due,
        tag,
        test,
    )
    row = {
        "account_id": account,
        "id": id_,
        "submission_id": id_,
        "dialect": 2,
        "phone": 33600000000 + id_ % 1000,
        "country": "FR",
        "encoding": 0,
        "parts": 2,
        "price": 76000,
        "state_at": T0,
        **columns,
    }
    marks = ", ".join(f"${n + 1}" for n in range(len(row)))
    await db.execute(f"INSERT INTO message ({', '.join(row)}) VALUES ({marks})", *row.values())


async def test_a_recount_follows_the_definitions(db: Database) -> None:
    sent = {"sent_at": T0}
    taken = {"sent_at": T0, "submitted_at": T0}
    cases: list[dict[str, object]] = [
        {"due": T0 + timedelta(days=1)},
        sent,
        taken,
        {**taken, "delivered_at": T0, "tag": "colis"},
        {**taken, "failed_at": T0, "tag": "colis"},
        {**taken, "failed_at": T0, "bounced_at": T0},
        {**taken, "failed_at": T0, "delivered_at": T0},  # corrected
        {**taken, "bounced_at": T0, "delivered_at": T0, "spam": True},
        {"failed_at": T0, "refunded": 76000, "refunded_parts": 2},  # never handed over
        {**taken, "delivered_at": T0, "tag": "", "test": True},
        {"account": 1002},
    ]
    for n, case in enumerate(cases):
        await stored(db, FIRST + n, **case)  # type: ignore[arg-type]
    await db.execute(
        "INSERT INTO queue (account_id, message_id, part, submission_id, carrier_id, lane, class, due_at, valid_until, attempts, stop_applies)"
        " SELECT 1001, $1, part, $1, 1, 1, 0, $2, $2, part - 1, true FROM generate_series(1, 2) part",
        FIRST,
        T0,
    )
    await db.execute(
        "INSERT INTO reply (account_id, token, phone, recipient, text, at, stop, dialect, tag_key)"
        " SELECT 1001, ''::bytea, phone, '36000', '', $1, stop, dialect, tag_key"
        " FROM (VALUES (1, false, 2, 'colis'), (1, false, 2, ''), (1, true, 2, 'colis'), (1, true, 2, 'colis'),"
        " (2, false, 0, '')) r (phone, stop, dialect, tag_key)",
        T0,
    )
    everything = await statistics.recount(db, 1001, Dialect.PRIMOTEXTO, "", T0)
    assert msgspec.structs.asdict(everything.counters) == {
        "opens": 0,
        "clicks": 0,
        "visits": 0,
        "seconds": 0,
        "refunded": 76_000,
        "messages": 10,
        "waiting": 1,
        "sent": 8,
        "submitted": 7,
        "delivered": 4,
        "errors": 1,
        "bounced": 1,
        "replies": 2,
        "complaints": 1,
        "unsubscribers": 1,
        "openers": 0,
        "clickers": 0,
    }
    assert (everything.parts, everything.cost) == (2 * 8, 76_000 * 8)
    tag = await statistics.recount(db, 1001, Dialect.PRIMOTEXTO, "colis", T0)
    assert tag.counters == Counters(messages=2, sent=2, submitted=2, delivered=1, errors=1, replies=1, unsubscribers=1)
    assert await statistics.recount(db, 1001, Dialect.SMSPARTNER, "", T0) == statistics.Recount(Counters(), 0, 0)


async def test_numbers_that_count_once_are_counted_when_they_come(db: Database) -> None:
    rows = [(1001, 2, Figure.OPENERS, tag, 33_600_000_000 + n % 7) for n in range(20) for tag in ("a", "b", TESTS)]
    await asyncio.gather(*(statistics.add_distinct(db, rows[n : n + 30]) for n in range(0, 60, 10)))
    counted = {tag: await statistics.distinct(db, 1001, 2, Figure.OPENERS, tag) for tag in ("a", "b", TESTS, "", "c")}
    assert counted == {"a": 7, "b": 7, TESTS: 7, "": 7, "c": 0}


async def test_unsubscribers_of_all_are_those_of_tests_too(db: Database) -> None:
    stops = [("a", 1), ("b", 1), ("b", 2), (TESTS, 2), (TESTS, 3)]
    await statistics.add_distinct(db, [(1001, 2, Figure.UNSUBSCRIBERS, tag, phone) for tag, phone in stops])
    assert await statistics.distinct(db, 1001, 2, Figure.UNSUBSCRIBERS) == 2
    assert await statistics.unsubscribers_of_all(db, 1001, 2) == 3
