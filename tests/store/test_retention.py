"""What is forgotten, page by page and month by month."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from passerelle.domain.message import TESTS
from passerelle.store import ledger, retention
from passerelle.store.database import Database
from passerelle.store.ledger import Kind
from passerelle.store.numbering import Numbering, month_of, span_of
from passerelle.store.retention import Page, Queued

T0 = datetime(2026, 11, 12, 8, 0, tzinfo=UTC)
MONTH = month_of(T0)
FIRST = span_of(MONTH)[0] + 1
START = Page(0, 0, 0)


async def stored(db: Database, id_: int, *texts: str, text: str = "", due: datetime = T0, **more: object) -> None:
    """A submission of one message a text of account 1000."""
    row = {"number": 0, "cost": 0, "tag_key": "", "test": False} | more
    await retention.make_month(db, MONTH)
    await db.execute(
        "insert into submission (account_id, id, dialect, accepted_at, due_at, messages, text, class, service, number, cost,"
        " tag_key, test) values (1000, $1, 1, $2, $3, $4, $5, 0, 1, $6, $7, $8, $9)",
        id_, T0, due, max(1, len(texts)), text, *row.values(),
    )  # fmt: skip
    await db.execute(
        "insert into message (account_id, id, submission_id, dialect, phone, country, text, encoding, parts, price, state_at)"
        " select 1000, $1 + n - 1, $1, 1, 33639980000 + n, 'FR', nullif(text, ''), 0, 1, 0, $2"
        " from unnest($3::text[]) with ordinality as t (text, n)",
        id_, T0, texts or [""],
    )  # fmt: skip


async def to_a_group(db: Database, id_: int) -> None:
    await db.execute("insert into group_send values (1000, $1, 1, '{{firstname}}', 1, '{}')", id_)


async def queued(db: Database, id_: int, submission: int) -> None:
    await db.execute(
        "insert into queue (account_id, message_id, submission_id, carrier_id, lane, class, due_at, valid_until, stop_applies)"
        " values (1000, $1, $2, 1, 1, 0, $3, $3, true)",
        id_, submission, T0,
    )  # fmt: skip


@pytest.mark.parametrize(("month", "name"), [(0, "200001"), (11, "200012"), (12, "200101"), (322, "202611")])
async def test_a_month_is_called_like_its_partitions(db: Database, month: int, name: str) -> None:
    assert retention.label(month) == name
    await retention.make_month(db, month)
    await retention.make_month(db, month)
    assert month in await retention.months(db)
    assert await db.fetchval("select count(*) from pg_class where relname like $1", f"%\\_{name}") == 3


async def test_whoever_claims_first_has_it_to_do(db: Database) -> None:
    async def claim(at: datetime) -> bool:
        async with db.connection() as connection:
            return await retention.claim(connection, "night", at)

    assert sum(await asyncio.gather(*(claim(T0) for _ in range(5)))) == 1
    assert not await claim(T0 - timedelta(days=1))
    assert await claim(T0 + timedelta(days=1))


async def test_one_process_at_a_time_and_another_name_beside_it(db: Database) -> None:
    alone = retention.alone
    async with alone(db, "a") as first, alone(db, "a") as twin, alone(db, "b") as other:
        assert first is not None and twin is None and other is not None
    async with retention.alone(db, "a") as later:
        assert later is not None


async def test_texts_are_blanked_where_their_time_has_come(db: Database) -> None:
    await stored(db, FIRST, text="due")
    await stored(db, FIRST + 1, "own", "two")
    await stored(db, FIRST + 3, text="later", due=T0 + timedelta(days=1))
    await stored(db, FIRST + 4, text="queued")
    await queued(db, FIRST + 4, FIRST + 4)
    for id_ in (FIRST, FIRST + 3):
        await to_a_group(db, id_)
    page = await retention.blank_texts(db, MONTH, START, T0 + timedelta(hours=1))
    assert page == Page(1000, FIRST + 4, blanked=3, left_over=2)
    assert [r[0] for r in await db.fetch("select text from group_send order by submission_id")] == ["", "{{firstname}}"]
    assert [r[0] for r in await db.fetch("select text from submission order by id")] == ["", "", "later", "queued"]
    assert [r[0] for r in await db.fetch("select text from message order by id")] == [None, "", "", None, None]
    assert await retention.blank_texts(db, MONTH, page, T0) is None
    assert await retention.blank_texts(db, MONTH - 1, START, T0) is None


async def test_a_page_ends_with_the_submission_that_fills_it(db: Database) -> None:
    at = FIRST
    for texts in (["x"] * 4000, ["x"] * 4000, ["x"]):
        await stored(db, at, *texts)
        at += len(texts)
    after = T0 + timedelta(hours=1)
    first = await retention.blank_texts(db, MONTH, START, after)
    assert first is not None and first.blanked == 8000
    second = await retention.blank_texts(db, MONTH, first, after)
    assert second is not None and second.blanked == 1


async def test_texts_of_replies(db: Database) -> None:
    await db.execute(
        "insert into reply (account_id, token, phone, recipient, text, at, stop)"
        " select 1000 + n % 2, ''::bytea, n, '36000', 'Oui', $1::timestamptz + n * interval '1 s', false from generate_series(1, 6000) n",
        T0,
    )
    page, blanked = START, 0
    while (found := await retention.blank_replies(db, page, T0 + timedelta(seconds=5500))) is not None:
        page, blanked = found, blanked + found.blanked
    assert blanked == 5499
    assert await db.fetchval("select count(*) from reply where text <> ''") == 501


async def test_what_is_known_of_blanked_months(db: Database) -> None:
    assert await retention.blanked_months(db) == set()
    await retention.keep_blanked(db, {322, 321})
    assert await retention.blanked_months(db) == {321, 322}
    await retention.keep_blanked(db, set())
    assert await retention.blanked_months(db) == set()


@pytest.mark.parametrize("limit", [1, 2, 1000])
async def test_deleting_in_batches_deletes_what_is_old_and_no_more(db: Database, limit: int) -> None:
    await db.execute(
        "insert into idempotency select 1000, '/send', n::text, '', 200, '', 0, $1::timestamptz + n * interval '1 h'"
        " from generate_series(1, 5) n",
        T0,
    )
    await db.execute("insert into rate_call select 1000, 'me', at from idempotency")
    for forget in (retention.forget_answers, retention.forget_rate_calls):
        deleted = []
        while done := await forget(db, T0 + timedelta(hours=3), limit):
            deleted.append(done)
        assert sum(deleted) == 3 and max(deleted) <= limit
    assert {r[0] for r in await db.fetch("select key from idempotency")} == {"4", "5"}


async def test_a_moved_submission_is_named_by_its_new_ids_everywhere(db: Database) -> None:
    await stored(db, FIRST, "a", "b", number=77, cost=76_000)
    await stored(db, FIRST + 2, "c", cost=38_000)
    for id_ in (FIRST, FIRST + 1):
        await queued(db, id_, FIRST)
    await queued(db, FIRST + 2, FIRST + 2)
    await db.execute(
        "insert into event (uuid, account_id, message_id, kind, at, endpoint, url, content_type, body, next_at)"
        " values ($1, 1000, $2, 3, $3, '', '', '', '', $3)",
        UUID(int=1), FIRST + 1, T0,
    )  # fmt: skip
    await db.execute(
        "insert into reply (account_id, token, phone, recipient, text, at, stop, message_id)"
        " values (1000, '', 1, '36000', '', $1, false, $2)",
        T0, FIRST + 1,
    )  # fmt: skip
    await db.execute(
        "insert into account (id, email, secret_sealed, created_at) values (1000, 'a@example.org', '', $1)", T0
    )
    await db.execute("insert into wallet (account_id) values (1000)")
    async with db.transaction() as connection:
        await ledger.refund(connection, [ledger.Refund(1000, 38_000, FIRST, FIRST + 1)], T0)
        assert await ledger.difference(connection, 1000, 38_000, FIRST, T0)  # an edit that made it dearer
    await db.execute(
        "insert into rcs_failover (account_id, submission_id, text, encoding, parts, keep_until)"
        " values (1000, $1, 'Bonjour', 0, 1, $2)",
        FIRST, T0,
    )  # fmt: skip
    survey = await db.fetchval(
        "insert into survey (account_id, token, title, introduction, mode, marketing, created_at)"
        " values (1000, '', '', '', 0, false, $1) returning id", T0,
    )  # fmt: skip
    await db.execute(
        "insert into invitation (account_id, message_id, survey_id, phone, test, at) values (1000, $1, $2, 1, false, $3)",
        FIRST + 1, survey, T0,
    )  # fmt: skip
    await db.execute(
        "insert into campaign (account_id, token, dialect, name, class, text, submission_id, state, created_at)"
        " values (1000, '', 2, '', 1, '', $1, 1, $2)",
        FIRST, T0,
    )  # fmt: skip
    await db.execute("insert into left_out values (1000, $1, 0, '+336', 'opted_out')", FIRST)
    await db.execute("insert into halt values (1000, $1)", FIRST)
    assert await retention.queued_submissions(db, MONTH) == [Queued(1000, FIRST, 2), Queued(1000, FIRST + 2, 1)]

    later = T0 + timedelta(days=400)
    to = await Numbering(db).messages(2, later)
    assert await retention.move(db, Queued(1000, FIRST, 2), to)

    for table in ("event", "reply", "invitation"):
        assert await db.fetchval(f"select message_id from {table}") == to + 1, table
    for table in ("rcs_failover", "campaign", "left_out", "halt"):
        assert await db.fetchval(f"select submission_id from {table}") == to, table
    postings = await db.fetch("select kind, submission_id, message_id from posting order by id")
    assert [tuple(row) for row in postings] == [(Kind.REFUND, to, to + 1), (Kind.EDIT, to, None)]
    row = await db.fetchrow("select id, cost, messages from submission where number = 77")
    assert tuple(row) == (to, 76_000, 2)
    assert await db.fetchval("select count(*) from message where submission_id = $1", to) == 2
    rows = await db.fetch("select message_id, submission_id from queue order by message_id")
    assert [tuple(row) for row in rows] == [(FIRST + 2, FIRST + 2), (to, to), (to + 1, to)]
    assert await retention.queued_submissions(db, MONTH) == [Queued(1000, FIRST + 2, 1)]


async def test_a_month_is_closed_with_its_charges_and_its_counted_rows(db: Database) -> None:
    await stored(db, FIRST, text="x", cost=38_000, tag_key="colis")
    await stored(db, FIRST + 1, text="x", cost=38_000, tag_key=TESTS, test=True)
    await stored(db, FIRST + 2, text="x", cost=0)
    for id_ in (FIRST, span_of(MONTH)[1]):
        await to_a_group(db, id_)
    await db.execute("update submission set campaign_id = '\\x00' where id = $1", FIRST)
    await db.execute(
        "insert into left_out select 1000, id, 0, '+336', 'opted_out' from unnest($1::bigint[]) id", [FIRST, 7]
    )
    assert not await retention.under_way(db, MONTH)
    assert len(await retention.orphans(db, MONTH)) == 3
    assert await retention.close_month(db, MONTH, T0)
    posting = await db.fetchrow("select from_account, to_account, amount, kind, note from posting")
    assert tuple(posting) == (1000, ledger.SALES, 76_000, ledger.Kind.CLOSING, "charges of 2026-11")
    counted = await db.fetch("select tag_key, messages from statistic_delta order by 1")
    assert [tuple(row) for row in counted] == [("", -1), (TESTS, -1), ("colis", -1)]
    assert [r[0] for r in await db.fetch("select submission_id from group_send")] == [span_of(MONTH)[1]]
    assert [r[0] for r in await db.fetch("select submission_id from left_out")] == [7]
    assert MONTH not in await retention.months(db)


async def test_what_waits_for_a_receipt_is_under_way(db: Database) -> None:
    await stored(db, FIRST, text="x")
    await db.execute("insert into awaiting values (1, 'id', 1000, $1, 1, $1, 33639980001, $2)", FIRST, T0)
    assert await retention.under_way(db, MONTH) and not await retention.under_way(db, MONTH + 1)
