"""The door to PostgreSQL: a pool of connections, transactions, notifications, and the named queries.

The one rule: a lost connection is never hidden inside a statement that may have changed something. Getting one waits
for a server that is coming back; what was running when it went is reported, and `is_transient` tells the caller that
the whole work may be done again. A statement by itself that only reads is asked once more.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import asyncpg
import msgspec

SERVER_SETTINGS = {
    "application_name": "passerelle",
    "jit": "off",
    # Short indexed statements only: a plan made once for all, and never one that reads a whole table, not even one that
    # was empty when the plan was made, as the partition of a new month is.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
PATIENCE = 15.0
"""Seconds that `acquire` waits for a server that does not answer: longer than a crash recovery of ours."""

STEP = 1_000  # rows that are read in a few milliseconds

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    OSError,
)
_CLOSED = re.compile(r"connection (is|was) closed|released back to the pool|cannot switch to state")
"""The driver's words for a connection that ended under it; the last: the server's farewell came between two calls."""
_READ = re.compile(r"(\s|--.*\n)*select\b", re.IGNORECASE)
"""A statement that may be run twice: what our functions do and a number that is taken from a sequence may be, too."""


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed on another connection: the server went away, or chose us as a victim.

    Nothing says whether a COMMIT that was under way took place; the caller's work must bear being done twice.
    """
    if isinstance(error, (asyncpg.InterfaceError, asyncpg.InternalClientError)):
        return bool(_CLOSED.search(str(error)))
    return isinstance(error, _LOST)


class Database:
    """A pool of connections to one PostgreSQL database. jsonb is read and written as Python values."""

    def __init__(self, url: str, pool: Any, settings: Mapping[str, str], patience: float = PATIENCE) -> None:
        self.url = url
        self._patience = patience
        self._pool = pool
        self._settings = settings
        self._listeners: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls, url: str, *, size: int = 8, settings: Mapping[str, str] | None = None, patience: float = PATIENCE
    ) -> Database:
        """Connect to `url` with at most `size` connections; `settings` are PostgreSQL's, over `SERVER_SETTINGS`.

        `patience`: seconds that whoever wants a connection waits for a server that is away.
        """
        chosen = SERVER_SETTINGS | dict(settings or {})
        pool = asyncpg.create_pool(
            url, min_size=0, max_size=size, server_settings=chosen, init=_teach_json, reset=_keep_session
        )
        database = cls(url, await pool, chosen, patience)
        await database.fetchval("SELECT 1")
        return database

    async def close(self) -> None:
        """Stop listening and close every connection, when its work is done."""
        for listener in self._listeners:
            listener.cancel()
        await asyncio.gather(*self._listeners, return_exceptions=True)
        await self._pool.close()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """A connection without a transaction, waiting as long as its patience for a server that is away."""
        connection = await patiently(self._pool.acquire, self._patience)
        try:
            yield connection
        except asyncpg.InternalClientError:
            connection.terminate()  # the driver lost count of the protocol: nobody may use this one again
            raise
        finally:
            await self._pool.release(connection)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """A connection inside a transaction: committed at the end, rolled back by any exception."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        """All rows of one statement, itself a transaction."""
        rows: list[Any] = await self._ask("fetch", query, arguments)
        return rows

    async def fetch_long(self, query: str, *arguments: Any) -> list[Any]:
        """All rows of one statement that may have hundreds of thousands, in steps: others have their turn between."""
        rows: list[Any] = []
        async with self.transaction() as connection:
            cursor = await connection.cursor(query, *arguments)
            while step := await cursor.fetch(STEP):
                rows += step
        return rows

    async def fetchrow(self, query: str, *arguments: Any) -> Any:
        """The first row, or None."""
        return await self._ask("fetchrow", query, arguments)

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """The first column of the first row, or None."""
        return await self._ask("fetchval", query, arguments)

    async def _ask(self, how: str, query: str, arguments: Sequence[Any]) -> Any:
        try:
            return await self._ask_once(how, query, arguments)
        except Exception as error:
            if not (is_transient(error) and _READ.match(query)):
                raise
        return await self._ask_once(how, query, arguments)

    async def _ask_once(self, how: str, query: str, arguments: Sequence[Any]) -> Any:
        async with self.connection() as connection:
            return await getattr(connection, how)(query, *arguments)

    async def execute(self, query: str, *arguments: Any) -> str:
        """Run one statement, or several without arguments; the status of the last, like `UPDATE 3`."""
        async with self.connection() as connection:
            status: str = await connection.execute(query, *arguments)
            return status

    async def listen(self, channel: str, callback: Callable[[str], None]) -> None:
        """Call `callback(payload)` for each notification until `close`.

        After a lost connection it listens again and calls `callback("")`: look, something may have been missed.
        """
        ear = await patiently(lambda: self._ear(channel, callback))
        self._listeners.add(asyncio.create_task(self._keep_listening(ear, channel, callback)))

    async def _keep_listening(self, ear: _Ear, channel: str, callback: Callable[[str], None]) -> None:
        try:
            while True:
                await ear.lost.wait()
                ear = await patiently(lambda: self._ear(channel, callback), patience=math.inf)
                callback("")
        finally:
            ear.connection.terminate()

    async def _ear(self, channel: str, callback: Callable[[str], None]) -> _Ear:
        ear = _Ear(await asyncpg.connect(self.url, server_settings=dict(self._settings)), asyncio.Event())
        ear.connection.add_termination_listener(lambda _: ear.lost.set())
        await ear.connection.add_listener(channel, lambda *heard: callback(heard[3]))
        return ear


@dataclass(frozen=True)
class _Ear:
    connection: Any
    lost: asyncio.Event


async def patiently(attempt: Callable[[], Awaitable[Any]], patience: float = PATIENCE) -> Any:
    """Await `attempt()` until it succeeds, fails for good, or `patience` (seconds) is over."""
    end, pause = time.monotonic() + patience, 0.02
    while True:
        try:
            return await attempt()
        except Exception as error:
            if not is_transient(error) or time.monotonic() > end:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.5)


async def _keep_session(_: Any) -> None:
    """Nothing of ours outlives a transaction, so that giving a connection back needs no round trip."""


async def _teach_json(connection: Any) -> None:
    await connection.set_type_codec("json", schema="pg_catalog", encoder=_text, decoder=msgspec.json.decode)
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),  # one byte of version, then the text
        decoder=lambda stored: msgspec.json.decode(memoryview(stored)[1:]),
    )


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


class Queries:
    """The statements of one file of `store/sql`, each an attribute; iterating gives (name, SQL)."""

    def __init__(self, module: str, statements: Mapping[str, str]) -> None:
        self._module = module
        self._statements = statements

    def __getattr__(self, name: str) -> str:
        try:
            return self._statements[name]
        except KeyError:
            known = ", ".join(self._statements)
            raise AttributeError(f"no query {name!r} in {self._module}.sql, which has: {known}") from None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._statements.items())


@functools.cache
def queries(module: str) -> Queries:
    """The named queries of `store/sql/<module>.sql`."""
    text = (resources.files("passerelle.store") / "sql" / f"{module}.sql").read_text(encoding="utf-8")
    return Queries(module, parse_queries(module, text))


_NAME = re.compile(r"^-- name: *(.*?) *$", re.MULTILINE)


def parse_queries(module: str, text: str) -> dict[str, str]:
    """Cut a file at its `-- name: some_name` lines; each block is the SQL up to the next, comments kept."""
    head, *rest = _NAME.split(text)
    if any(line.strip() and not line.startswith("--") for line in head.splitlines()):
        raise ValueError(f"{module}.sql: SQL before the first '-- name:' line")
    statements: dict[str, str] = {}
    for name, body in zip(rest[::2], rest[1::2], strict=True):
        if not name.isidentifier() or name.startswith("_"):
            raise ValueError(f"{module}.sql: {name!r} is not a name for a query")
        if name in statements:
            raise ValueError(f"{module}.sql: two queries are named {name!r}")
        statements[name] = body.strip().rstrip(";")
    return statements


def columns(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """The columns of rows that are not none at all: the arrays of a query that unnests them."""
    return list(map(list, zip(*rows, strict=True)))
