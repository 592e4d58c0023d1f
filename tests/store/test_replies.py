"""Texts from handsets as rows: parts are kept once, texts leave whole, questions find the right message."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.domain.message import Dialect
from passerelle.store import replies
from passerelle.store.database import Database
from passerelle.store.replies import NewReply, Question, TextPart

T0 = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
PHONE = 33639980001


def parts(text: str, reference: int, total: int) -> list[TextPart]:
    return [
        TextPart(1, PHONE, "36000", reference, total, n, f"{text}{n};", T0 + timedelta(seconds=n))
        for n in range(1, total + 1)
    ]


async def assemble(db: Database, batch: list[TextPart]) -> list[TextPart]:
    async with db.transaction() as connection:
        return await replies.assemble(connection, batch)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(totals=st.lists(st.integers(2, 6), min_size=1, max_size=4), seed=st.integers(0, 2**32), cut=st.integers(1, 9))
async def test_in_whatever_order_and_batches_each_text_comes_once(
    db: Database, totals: list[int], seed: int, cut: int
) -> None:
    sent = [part for number, total in enumerate(totals) for part in parts(f"t{number}-", number, total)]
    shuffled = random.Random(seed).sample(sent, len(sent))
    whole = []
    for start in range(0, len(shuffled), cut):
        batch = shuffled[start : start + cut]
        whole += await assemble(db, batch + batch[:1])  # the first of each batch comes twice
    assert {text.reference for text in whole} == set(range(len(totals)))
    assert len(whole) == len(totals)
    for text in whole:
        assert text.text == "".join(f"t{text.reference}-{n};" for n in range(1, text.total + 1))
        assert text.at == T0 + timedelta(seconds=text.total)
    await db.execute("DELETE FROM inbound_part")


async def test_what_waits_longer_leaves_as_it_is(db: Database) -> None:
    old, young = parts("old-", 1, 3), parts("young-", 2, 3)
    await assemble(db, [old[2], old[0], young[1]])
    async with db.transaction() as connection:
        assert await replies.take_old(connection, T0) == []
        (text,) = await replies.take_old(connection, T0 + timedelta(seconds=1))
        assert (text.text, text.reference) == ("old-1;old-3;", 1)
        assert await replies.take_old(connection, T0 + timedelta(seconds=1)) == []


async def test_a_reply_is_kept_with_what_it_answers(db: Database) -> None:
    reply = NewReply(1000, b"t" * 12, 1, PHONE, "36000", "Oui", T0, False, 7, Dialect.PRIMOTEXTO, "rdv", "rdv")
    async with db.transaction() as connection:
        await replies.insert(connection, [reply, reply._replace(text="Non", message_id=None)])
        await replies.insert(connection, [])
    rows = await db.fetch("SELECT * FROM reply ORDER BY id")
    assert [(row["text"], row["message_id"], row["token"], row["tag"]) for row in rows] == [
        ("Oui", 7, b"t" * 12, "rdv"),
        ("Non", None, b"t" * 12, "rdv"),
    ]


@pytest.fixture
async def history(db: Database) -> Database:
    """A year of messages: every phone was written to each month by another account."""
    await db.execute(
        "INSERT INTO account (id, email, secret_sealed, created_at) SELECT n, n::text, '', now() FROM generate_series(1000, 1004) n"
    )
    for month in range(312, 323):
        await db.execute(f"SELECT make_month({month})")
        for table, columns in (
            ("submission", "account_id, id, dialect, accepted_at, due_at, messages, cost, class, service"),
            (
                "message",
                "account_id, id, submission_id, dialect, phone, country, encoding, parts, price, state_at, sent_at",
            ),
        ):
            at = datetime(2000 + month // 12, 1 + month % 12, 5, tzinfo=UTC)
            values = {
                "submission": "1, $1, $1, 1, 0, 0, 1",
                "message": f"{month}::bigint << 40 | n, 1, {PHONE} + n % 500, 'FR', 0, 1, 0, $1, $1",
            }[table]
            await db.execute(
                f"INSERT INTO {table} ({columns}) SELECT 1000 + {month} % 5, {month}::bigint << 40 | n, {values} FROM generate_series(0, 999) n",
                at,
            )
    return db


async def test_the_answer_is_found_in_a_year_of_messages_without_reading_them(history: Database) -> None:
    questions = [Question(PHONE + n, "36000", "36000", bool(n % 2)) for n in range(50)]
    questions.append(Question(PHONE + 500, "36000", "36000", True))
    now = datetime(2026, 11, 20, tzinfo=UTC)
    async with history.connection() as connection:
        found = await replies.answered(connection, questions, "36000", now)
        assert [one.position for one in found] == list(range(1, 51))
        assert {one.message_id >> 40 for one in found} == {322}
        late = await replies.answered(connection, questions, "36000", now + timedelta(days=60))
        assert [one.position for one in late] == [n for n in range(1, 51) if (n - 1) % 2]
        plan = await connection.fetch(
            "EXPLAIN (ANALYZE, BUFFERS) " + replies._SQL.answered,
            *map(list, zip(*questions, strict=True)), "36000", now, now - replies.RECENT,
        )  # fmt: skip
    text = "\n".join(row[0] for row in plan)
    assert "Seq Scan on message" not in text
    assert "Seq Scan on submission" not in text
