"""The pool, transactions, notifications, JSON, the loss of a connection, and the query loader."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from passerelle.store.database import Database, is_transient, parse_queries


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    return empty_database_url


async def test_a_transaction_commits_or_leaves_nothing(db: Database) -> None:
    await db.execute("CREATE TABLE t (n int)")
    async with db.transaction() as connection:
        await connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(ValueError):
        async with db.transaction() as connection:
            await connection.execute("INSERT INTO t VALUES (2)")
            raise ValueError
    assert [row["n"] for row in await db.fetch("SELECT n FROM t")] == [1]
    assert (await db.fetchrow("SELECT n FROM t WHERE n = $1", 1))["n"] == 1
    assert await db.execute("UPDATE t SET n = 3") == "UPDATE 1"


@pytest.mark.parametrize("value", [{"a": [1, None, "é\n"]}, "text", 3, [], None])
async def test_json_columns_hold_python_values(db: Database, value: object) -> None:
    for kind in ("json", "jsonb"):
        assert await db.fetchval(f"SELECT $1::{kind}", value) == value


async def test_plans_never_become_scans_for_joining(db: Database) -> None:
    settings = {row["name"]: row["setting"] for row in await db.fetch("SELECT name, setting FROM pg_settings")}
    assert settings["plan_cache_mode"] == "force_generic_plan"
    assert settings["enable_hashjoin"] == settings["enable_mergejoin"] == settings["jit"] == "off"
    assert settings["application_name"] == "passerelle"


async def test_settings_of_a_pool_win(database_url: str) -> None:
    database = await Database.open(database_url, size=1, settings={"enable_hashjoin": "on"})
    assert await database.fetchval("SHOW enable_hashjoin") == "on"
    await database.close()


async def test_a_lost_connection_is_reported_and_the_next_statement_works(db: Database) -> None:
    with pytest.raises(Exception) as lost:
        async with db.transaction() as connection:
            await connection.fetchval("SELECT pg_terminate_backend(pg_backend_pid())")
    assert is_transient(lost.value)
    assert await db.fetchval("SELECT 1") == 1


@pytest.mark.parametrize("ask", [Database.fetch, Database.fetchrow, Database.fetchval])
async def test_a_read_whose_connection_is_lost_is_asked_once_more_and_a_change_is_not(db: Database, ask) -> None:
    await db.execute("CREATE TABLE turn (n int); CREATE SEQUENCE turns")
    dies_first = "CASE nextval('turns') % 2 WHEN 1 THEN pg_terminate_backend(pg_backend_pid()) ELSE false END"
    assert (await ask(db, f"-- why\nSELECT {dies_first}")) in (False, (False,), [(False,)])
    with pytest.raises(Exception) as lost:
        await ask(db, f"INSERT INTO turn SELECT 1 WHERE {dies_first} RETURNING n")
    assert is_transient(lost.value)
    with pytest.raises(Exception) as lost:
        await ask(db, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert is_transient(lost.value), "twice is enough"
    assert await db.fetchval("SELECT last_value FROM turns") == 3


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"), True),
        (asyncpg.CannotConnectNowError("the database system is starting up"), True),
        (asyncpg.AdminShutdownError(""), True),
        (asyncpg.CrashShutdownError(""), True),
        (asyncpg.DeadlockDetectedError(""), True),
        (asyncpg.InterfaceError("cannot call Connection.fetch(): connection is closed"), True),
        (asyncpg.InterfaceError("connection has been released back to the pool"), True),
        (asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"), True),
        (asyncpg.InternalClientError("got result for unknown protocol state"), False),
        (asyncpg.InterfaceError("pool is closed"), False),
        (asyncpg.InterfaceError("the server expects 1 argument for this query, 2 were passed"), False),
        (ConnectionRefusedError(), True),
        (FileNotFoundError(), True),
        (asyncpg.UniqueViolationError(""), False),
        (asyncpg.UndefinedTableError(""), False),
        (KeyError(), False),
    ],
)
def test_which_errors_are_worth_another_try(error: Exception, transient: bool) -> None:
    assert is_transient(error) is transient


async def test_notifications_arrive_and_a_lost_listener_says_look(db: Database) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    await db.listen("work", heard.put_nowait)
    await db.execute("NOTIFY work, 'one'")
    assert await asyncio.wait_for(heard.get(), 5) == "one"
    await db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
    assert await asyncio.wait_for(heard.get(), 5) == ""
    await db.execute("NOTIFY work, 'two'")
    assert await asyncio.wait_for(heard.get(), 5) == "two"


def test_a_file_is_cut_at_its_names() -> None:
    text = "-- what it is for\n\n-- name: one\n-- why\nSELECT 1;\n\n-- name: two\nSELECT 2\n"
    assert parse_queries("m", text) == {"one": "-- why\nSELECT 1", "two": "SELECT 2"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("-- name: a\nSELECT 1\n-- name: a\nSELECT 2", "two queries are named 'a'"),
        ("SELECT 1\n-- name: a\nSELECT 2", "SQL before the first"),
        ("-- name: a b\nSELECT 1", "'a b' is not a name"),
    ],
)
def test_a_wrong_file_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_queries("m", text)


@pytest.mark.parametrize("count", [0, 1, 1000, 2001])
async def test_a_long_answer_is_read_whole_and_in_order(db: Database, count: int) -> None:
    rows = await db.fetch_long("SELECT n FROM generate_series(1, $1::integer) n ORDER BY n", count)
    assert [row["n"] for row in rows] == list(range(1, count + 1))
