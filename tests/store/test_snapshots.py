"""Reads of messages and replies: of the account and dialect that ask, in order, by index."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from passerelle.store import snapshots
from passerelle.store.database import Database
from passerelle.store.snapshots import Snapshot

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
MONTH = (2026 - 2000) * 12 + 10
BAKERY, CLINIC = 1001, 1002
PHONE = 33639980001


async def stored(
    db: Database, low: int, number: int, account: int = BAKERY, dialect: int = 2, month: int = MONTH, **more: object
) -> None:
    """One message; `more`: tag, phone, accepted_at, bounced_at, delivered_at."""
    id_ = month << 40 | low
    await db.execute("SELECT make_month($1)", month)
    await db.execute(
        "INSERT INTO submission (account_id, id, dialect, accepted_at, due_at, messages, cost, tag_key, class, service)"
        " VALUES ($1, $2, $3, $4, $4, 1, 0, $5, 0, 1)",
        account, id_, dialect, more.get("accepted_at", NOW), more.get("tag", ""),
    )  # fmt: skip
    await db.execute(
        "INSERT INTO message (account_id, id, submission_id, dialect, number, phone, country, encoding, parts, price, state_at,"
        " bounced_at, delivered_at) VALUES ($1, $2, $2, $3, $4, $5, 'FR', 0, 1, 0, $6, $7, $8)",
        account, id_, dialect, number, more.get("phone", PHONE), NOW, more.get("bounced_at"), more.get("delivered_at"),
    )  # fmt: skip


def number(found: Snapshot | None) -> int | None:
    return None if found is None else found.number


async def test_a_message_is_seen_by_its_account_and_dialect(db: Database) -> None:
    await stored(db, 1, 7)
    for account, dialect, seen in ((BAKERY, 2, 7), (BAKERY, 1, None), (CLINIC, 2, None)):
        assert number(await snapshots.by_number(db, account, dialect, 7)) == seen
        assert number(await snapshots.latest(db, account, dialect, PHONE)) == seen
    assert await snapshots.by_number(db, BAKERY, 2, 0) is None
    assert await snapshots.by_number(db, BAKERY, 2, 7) == Snapshot(7, NOW, False, *[None] * 8)


async def test_the_latest_over_months_and_processes(db: Database) -> None:
    later = NOW + timedelta(minutes=1)
    await stored(db, 900, 1, month=MONTH - 1)
    await stored(db, 500, 2)
    await stored(db, 5, 3, accepted_at=later)  # by a process that has an older block of ids
    await stored(db, 999, 4, dialect=1, accepted_at=later + timedelta(hours=1))
    await stored(db, 998, 5, phone=PHONE + 1, accepted_at=later + timedelta(hours=1))
    assert number(await snapshots.latest(db, BAKERY, 2, PHONE)) == 3


async def replied(
    db: Database,
    text: str,
    tag: str = "",
    stop: bool = False,
    dialect: int = 2,
    account: int = BAKERY,
    phone: int = PHONE,
) -> None:
    await db.execute(
        "INSERT INTO reply (account_id, token, phone, recipient, text, at, stop, dialect, tag_key) VALUES ($1, '\\x00', $2, '', $3, $4, $5, $6, $7)",
        account, phone, text, NOW, stop, dialect, tag,
    )  # fmt: skip


@pytest.mark.parametrize(("tag", "texts"), [("", ["a", "b", "stray"]), ("x", ["a"]), ("y", ["b"]), ("z", [])])
async def test_replies(db: Database, tag: str, texts: list[str]) -> None:
    for text, own, stop, dialect, account in (
        ("a", "x", False, 2, BAKERY), ("STOP", "x", True, 2, BAKERY), ("b", "y", False, 2, BAKERY), ("other door", "x", False, 1, BAKERY),
        ("stray", "", False, 0, BAKERY), ("not ours", "x", False, 2, CLINIC),
    ):  # fmt: skip
        await replied(db, text, own, stop, dialect, account)
    assert [one.text for one in await snapshots.replies(db, BAKERY, 2, tag)] == texts


async def test_numbers_lost_each_once_the_oldest_first(db: Database) -> None:
    for n, (phone, tag, minute, delivered) in enumerate(
        [(3, "x", 9, None), (2, "x", 5, None), (3, "x", 1, None), (4, "x", 1, NOW), (5, "y", 2, None)]
    ):
        await stored(
            db, n, n + 1, phone=phone, tag=tag, bounced_at=NOW + timedelta(minutes=minute), delivered_at=delivered
        )
        await db.execute(
            "INSERT INTO blocked (account_id, list, phone, token, created_at) VALUES ($1, 2, $2, decode(lpad($3, 24, '0'), 'hex'), $4)"
            " ON CONFLICT DO NOTHING", BAKERY, phone, str(n), NOW,
        )  # fmt: skip
    assert await snapshots.bounces(db, BAKERY, 2, "x") == [3, 2]
    assert await snapshots.bounces(db, BAKERY, 2) == [3, 5, 2]
    assert await snapshots.bounces(db, BAKERY, 1) == []
    for phone, tag in ((2, "x"), (1, "x"), (2, "x"), (9, "y")):
        await replied(db, "STOP", tag, stop=True, phone=phone)
    await replied(db, "no", "x", phone=8)
    assert await snapshots.unsubscribers(db, BAKERY, 2, "x") == [2, 1]
    assert await snapshots.unsubscribers(db, BAKERY, 2) == [2, 1, 9]


@pytest.mark.parametrize("name", ["by_number", "latest", "bounces", "replies_of_tag", "unsubscribers"])
async def test_no_read_scans_a_table_of_messages(db: Database, name: str) -> None:
    await db.execute("SELECT make_month($1)", MONTH)
    first = MONTH << 40
    await db.execute(
        "INSERT INTO submission (account_id, id, dialect, accepted_at, due_at, messages, cost, class, service)"
        f" SELECT 1001, {first} + n, 2, now(), now(), 1, 0, 0, 1 FROM generate_series(1, 20000) n"
    )
    await db.execute(
        "INSERT INTO message (account_id, id, submission_id, dialect, number, phone, country, encoding, parts, price, state_at)"
        f" SELECT 1001, {first} + n, {first} + n, 2, n, {PHONE} + n, 'FR', 0, 1, 0, now() FROM generate_series(1, 20000) n"
    )
    await db.execute(
        "INSERT INTO reply (account_id, token, phone, recipient, text, at, stop, dialect, tag_key)"
        " SELECT 1001 + n % 50, '\\x00', n, '', '', now(), false, 2, 't' || n % 100 FROM generate_series(1, 20000) n"
    )
    await db.execute("ANALYZE submission, message, reply")
    values = {"$1": "1001", "$2": "2", "$3": "'t1'" if name in ("bounces", "replies_of_tag", "unsubscribers") else "7"}
    statement = getattr(snapshots._SQL, name)
    for mark, value in values.items():
        statement = statement.replace(mark, value)
    plan = [row[0] for row in await db.fetch("EXPLAIN " + statement)]
    assert not [line for line in plan if "Seq Scan" in line and "blocked" not in line], plan
