"""One PostgreSQL per test process, one migrated template in it, and for each test a database that is like the template."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from secrets import token_hex

import asyncpg
import pytest

from passerelle.store.database import Database
from passerelle.store.embedded import EmbeddedServer
from passerelle.store.migrations import migrate

RECYCLING = Path(__file__).with_name("recycling.sql")

# Nobody pulls the plug on a test database; what a crash does is tested on servers of their own.
FAST = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB", "autovacuum": "off"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other accounts may enter, unlike pytest's `tmp_path`."""
    made = Path(tempfile.mkdtemp(prefix="passerelle-test-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def database_server() -> Iterator[str]:
    """The URL of this test process's own server."""
    made = Path(tempfile.mkdtemp(prefix="passerelle-test-"))
    made.chmod(0o711)
    with EmbeddedServer(made, **FAST) as server:
        yield server.url
    shutil.rmtree(made, ignore_errors=True)


def named(url: str, database: str) -> str:
    """The URL of another database of the same server."""
    return url.replace("@/passerelle?", f"@/{database}?")


@pytest.fixture(scope="session")
async def database_template(database_server: str) -> str:
    """The name of a migrated, empty database."""
    await command(database_server, "CREATE DATABASE template")
    await migrate(named(database_server, "template"))
    await command(named(database_server, "template"), RECYCLING.read_text(encoding="utf-8"))
    return "template"


@pytest.fixture
async def database_url(database_server: str, database_template: str, _used: list[str]) -> AsyncIterator[str]:
    """The URL of a migrated database of this test alone: a new copy, or that of the test before, emptied."""
    if not _used:
        _used.append(await copy(database_server, database_template))
    url = named(database_server, _used[0])
    yield url
    if not await emptied(url):
        await drop(database_server, _used.pop())


@pytest.fixture(scope="session")
def _used() -> list[str]:
    return []


async def emptied(url: str) -> bool:
    """Bring a copy back to what the template holds; False where a new one is needed."""
    connection = await asyncpg.connect(url)
    try:
        return bool(await connection.fetchval("select seed.reset()"))
    except asyncpg.PostgresError:
        return False
    finally:
        await connection.close()


@pytest.fixture
async def empty_database_url(database_server: str) -> AsyncIterator[str]:
    """The URL of a database of this test alone in which nothing was ever made."""
    async with created(database_server, "template0") as url:
        yield url


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """An open `Database` on `database_url`."""
    database = await Database.open(database_url, size=8)
    yield database
    await database.close()


@contextlib.asynccontextmanager
async def created(server: str, template: str) -> AsyncIterator[str]:
    """The URL of a copy of its own."""
    name = await copy(server, template)
    yield named(server, name)
    await drop(server, name)


async def copy(server: str, template: str) -> str:
    name = f"test_{token_hex(8)}"
    await command(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return name


async def drop(server: str, name: str) -> None:
    await command(server, f"DROP DATABASE {name} WITH (FORCE)")


async def command(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
