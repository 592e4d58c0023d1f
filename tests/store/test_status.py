"""The reads of the status calls: right, and as cheap with a long history as without."""

from __future__ import annotations

import json

import pytest

from passerelle.store import status
from passerelle.store.database import Database, queries

ACCOUNT, DIALECT = 7, 1
MONTH = 322 << 40  # November 2026
HISTORY = 20_000

FILL = f"""
select make_month(322);
insert into submission (account_id, id, dialect, number, accepted_at, due_at, messages, cost, tag, tag_key, class, service)
select {ACCOUNT}, {MONTH} + n * 2, {DIALECT}, n, '2026-11-10Z', '2026-11-10Z', 2, 0, 'T', 't', 0, 1
from generate_series(1, {HISTORY}) n;
insert into message (account_id, id, submission_id, dialect, phone, country, encoding, parts, price, state, state_at)
select {ACCOUNT}, {MONTH} + n, {MONTH} + n / 2 * 2, {DIALECT}, 33600000000 + n, 'FR', 0, 1, 38000, 10, '2026-11-10Z'
from generate_series(2, {HISTORY} * 2 + 1) n;
insert into sandbox (account_id, id, submission_id, dialect, number, tag, tag_key, phone, country, text, parts, price, at)
select {ACCOUNT}, {MONTH} + 1000000 + n, 0, {DIALECT}, 1000000 + n, 'T', 't', 33700000000 + n, 'FR', '', 1, 0, '2026-11-10Z'
from generate_series(1, 30) n;
analyze
"""


@pytest.fixture
async def history(db: Database) -> Database:
    """A tag with 20,000 submissions of two messages, and 30 sandbox sends after them."""
    await db.execute(FILL)
    return db


async def test_a_submission_is_read_in_order_and_by_its_own_account_only(history):
    rows = await status.of_submission(history, ACCOUNT, DIALECT, 500)
    assert [row.phone for row in rows] == [33600001000, 33600001001]
    assert (rows[0].number, rows[0].state, rows[0].price) == (500, 10, 38_000)
    assert await status.of_submission(history, ACCOUNT + 1, DIALECT, 500) == []
    assert await status.of_submission(history, ACCOUNT, DIALECT + 1, 500) == []


async def test_pairs_that_exist(history):
    pairs = [(500, 33600001001), (500, 33600001002), (501, 33600001002), (1000001, 33700000001), (500, 33600001001)]
    found = await status.of_pairs(history, ACCOUNT, DIALECT, pairs)
    assert set(found) == {pairs[0], pairs[2], pairs[3]}
    assert await status.of_pairs(history, ACCOUNT, DIALECT, []) == {}


@pytest.mark.parametrize("skip", [0, 1, 499, 39_999])
async def test_pages_join_without_a_gap(history, skip):
    rows = await status.of_tag(history, ACCOUNT, DIALECT, "t", skip=skip, limit=5)
    phones = [*range(33600000002, 33600040002), *range(33700000001, 33700000031)]
    assert [row.phone for row in rows] == phones[skip : skip + 5]


async def test_the_end_of_a_tag(history):
    assert len(await status.of_tag(history, ACCOUNT, DIALECT, "t", skip=40_025, limit=500)) == 5
    assert await status.of_tag(history, ACCOUNT, DIALECT, "t", skip=40_030, limit=500) == []
    assert await status.of_tag(history, ACCOUNT, DIALECT, "", skip=0, limit=500) == []


@pytest.mark.parametrize(
    ("name", "arguments", "most"),
    [
        ("of_number", "7, 1, 15000", 40),
        ("of_pairs", f"7, 1, array{list(range(1, 501))}, array{list(range(33600000002, 33600001002, 2))}", 10_000),
        ("of_tag", "7, 1, 't', 0, 500", 3_000),
    ],
)
async def test_the_cost_does_not_grow_with_the_history(history, name, arguments, most):
    """Blocks read, in the plan that a server keeps."""
    async with history.connection() as connection:
        await connection.execute(f"prepare one as {getattr(queries('status'), name)}")
        shown = await connection.fetchval(f"explain (analyze, buffers, format json) execute one ({arguments})")
        await connection.execute("deallocate one")
    plan = (json.loads(shown) if isinstance(shown, str) else shown)[0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < most, json.dumps(plan, indent=1)
