"""Rows by COPY, a column at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.store.copying import Columns, bigint, boolean, copy, smallint, timestamptz

MADE = """CREATE TEMPORARY TABLE copied (s smallint, i integer, b bigint, at timestamptz, t text, u text DEFAULT 'u',
shared_s smallint, shared_b bigint, shared_f boolean, shared_at timestamptz) ON COMMIT DROP"""

smallints, integers, bigints = (st.integers(-(2**n), 2**n - 1) for n in (15, 31, 63))
texts = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"))
times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(smallints, integers, bigints, times, texts), max_size=20),
    st.tuples(smallints, bigints, st.booleans(), times),
)
async def test_what_is_copied_is_what_is_read(world, rows, shared):
    columns = list(zip(*rows, strict=True)) or [()] * 5
    values = Columns(
        shared={
            "shared_s": smallint(shared[0]),
            "shared_b": bigint(shared[1]),
            "shared_f": boolean(shared[2]),
            "shared_at": timestamptz(shared[3]),
        },
        smallints={"s": columns[0]},
        integers={"i": columns[1]},
        bigints={"b": columns[2]},
        timestamptzs={"at": columns[3]},
        texts={"t": columns[4]},
    )
    async with world.db.transaction() as connection:
        await connection.execute(MADE)
        await copy(connection, "copied", values)
        found = await connection.fetch("SELECT s, i, b, at, t, shared_s, shared_b, shared_f, shared_at, u FROM copied")
    assert [tuple(row) for row in found] == [(*row, *shared, "u") for row in rows]


def test_a_time_of_any_zone_is_its_instant():
    paris = datetime(2026, 8, 14, 19, 50, tzinfo=timezone(timedelta(hours=2)))
    assert timestamptz(paris) == timestamptz(datetime(2026, 8, 14, 17, 50, tzinfo=UTC))


def test_columns_of_unlike_lengths_are_refused():
    for more in ({"integers": {"i": [1]}}, {"texts": {"t": ["a"]}}):
        with pytest.raises(ValueError, match="unlike lengths"):
            Columns({}, bigints={"b": [1, 2]}, **more).encoded()


async def test_nothing_is_written_where_a_row_may_not_be(world):
    async with world.db.transaction() as connection:
        await connection.execute(MADE)
        await connection.execute("ALTER TABLE copied ADD PRIMARY KEY (b)")
        with pytest.raises(asyncpg.UniqueViolationError):
            async with connection.transaction():
                await copy(connection, "copied", Columns({}, bigints={"b": [1, 2, 1]}))
        assert await connection.fetchval("SELECT count(*) FROM copied") == 0
