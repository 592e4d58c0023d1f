"""One PostgreSQL per test process, one migrated template in it, one fresh copy of the template per test that asks."""

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
    return "template"


@pytest.fixture
async def database_url(database_server: str, database_template: str) -> AsyncIterator[str]:
    """The URL of a migrated database of this test alone."""
    async with created(database_server, database_template) as url:
        yield url


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
    name = f"test_{token_hex(8)}"
    await command(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")  # ten times quicker
    yield named(server, name)
    await command(server, f"DROP DATABASE {name} WITH (FORCE)")


async def command(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
