"""Lists: pages, filters and the bound on what a page looks at. What the native API shows of them: tests/surfaces/native."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from filling import FIRST_ACCOUNT, History

from passerelle.domain.message import Dialect, State
from passerelle.pipeline.keys import Keyring
from passerelle.store import listings
from passerelle.store.database import Database
from passerelle.store.listings import Filter, Part

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
EVER, FAR = datetime(2000, 1, 1, tzinfo=UTC), NOW + timedelta(days=400)


def wanted(**more: object) -> Filter:
    return Filter(**({"states": list(State), "dialects": list(Dialect), "since": EVER, "until": FAR} | more))  # type: ignore[arg-type]


async def walk(db: Database, asked: Filter, limit: int) -> list[int]:
    """Every id, page by page."""
    found: list[int] = []
    before = listings.NEWEST
    for _ in range(2000):
        part: Part = await listings.messages(db, FIRST_ACCOUNT, asked, before, limit)
        found += [row["id"] for row in part.rows]
        assert part.more < before
        if not part.more:
            return found
        before = part.more
    raise AssertionError("it does not end")


async def test_pages_hold_every_message_once_whatever_the_filter(
    db: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await History(accounts=2, messages=600, now=NOW, scheduled=10).write(database_url, Keyring("test"))
    rows = await db.fetch(
        "select m.id, m.state, m.dialect, m.phone, s.tag_key, s.accepted_at from message m join submission s"
        " on s.account_id = m.account_id and s.id = m.submission_id where m.account_id = $1 order by m.id desc",
        FIRST_ACCOUNT,
    )
    tag = next(row["tag_key"] for row in rows if row["tag_key"])
    since = sorted(row["accepted_at"] for row in rows)[len(rows) // 2]
    cases = [
        ({}, lambda row: True),
        ({"states": [State.DELIVERED]}, lambda row: row["state"] == State.DELIVERED),
        (
            {"states": [State.BOUNCED], "dialects": [1]},
            lambda row: (row["state"], row["dialect"]) == (State.BOUNCED, 1),
        ),
        ({"phone": rows[0]["phone"]}, lambda row: row["phone"] == rows[0]["phone"]),
        ({"tag_keys": [tag]}, lambda row: row["tag_key"] == tag),
        (
            {"tag_keys": [tag], "states": [State.DELIVERED]},
            lambda row: (row["tag_key"], row["state"]) == (tag, State.DELIVERED),
        ),
        ({"since": since}, lambda row: row["accepted_at"] >= since),
        ({"until": since}, lambda row: row["accepted_at"] < since),
    ]
    for looked_at in (7, 5_000):
        monkeypatch.setattr(listings, "LOOKED_AT", looked_at)
        for asked, holds in cases:
            should = [row["id"] for row in rows if holds(row)]
            for limit in (3, 500):
                assert await walk(db, wanted(**asked), limit) == should, (asked, limit)
