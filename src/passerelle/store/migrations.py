"""The migration runner: numbered SQL files, applied once each, in order, each in a transaction of its own.

The one rule: a file that was applied is never edited. Its checksum is kept and compared at every start; a change of
the schema is a new file.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import asyncpg

LOCK = 5_021_730_118
"""One migration at a time per database: the key of the advisory lock."""

_FILE = re.compile(r"(\d{4})_(\w+)\.sql")
_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migration (
    number int PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""


class MigrationError(Exception):
    """The database and the program do not fit; the message says which file and why."""


@dataclass(frozen=True)
class Migration:
    """One numbered file; `applied_at` is None while it waits."""

    number: int
    name: str
    sql: str
    applied_at: datetime | None = None

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.number:04}_{self.name}"


def load(folder: Traversable | None = None) -> list[Migration]:
    """The files `0001_name.sql` of `folder` (ours by default) by number, which runs from 1 without a gap."""
    folder = folder or resources.files("passerelle.store") / "sql" / "migrations"
    found = []
    for file in folder.iterdir():
        if file.name.endswith(".sql"):
            match = _FILE.fullmatch(file.name)
            if match is None:
                raise MigrationError(f"{file.name}: a migration is called like 0001_name.sql")
            found.append(Migration(int(match[1]), match[2], file.read_text(encoding="utf-8")))
    found.sort(key=lambda migration: migration.number)
    for number, migration in enumerate(found, 1):
        if migration.number != number:
            raise MigrationError(f"{migration}.sql: expected number {number:04}")
    return found


async def migrate(url: str, folder: Traversable | None = None) -> list[str]:
    """Bring the database at `url` up to date; the names of what was applied now.

    Raises `MigrationError` when an applied file changed, or the database is newer than the program.
    """
    applied = []
    async with _locked(url) as connection:
        for migration in await _compare(connection, load(folder)):
            if migration.applied_at is None:
                await _apply(connection, migration)
                applied.append(str(migration))
    return applied


async def status(url: str, folder: Traversable | None = None) -> list[Migration]:
    """Every migration of the program, with when it was applied; raises like `migrate`."""
    async with _locked(url) as connection:
        return await _compare(connection, load(folder))


@contextlib.asynccontextmanager
async def _locked(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        await connection.execute(_TABLE)
        yield connection
    finally:
        await connection.close()


async def _compare(connection: Any, files: list[Migration]) -> list[Migration]:
    rows = await connection.fetch("SELECT number, name, checksum, applied_at FROM schema_migration ORDER BY number")
    if len(rows) > len(files):
        newest = f"{rows[-1]['number']:04}_{rows[-1]['name']}"
        raise MigrationError(f"the database has migration {newest}, which this program does not know: it is too old")
    for row, file in zip(rows, files, strict=False):
        if (row["number"], row["checksum"]) != (file.number, file.checksum):
            raise MigrationError(f"{file}.sql changed after it was applied: undo the change, make a new file instead")
    times = [row["applied_at"] for row in rows] + [None] * (len(files) - len(rows))
    return [Migration(file.number, file.name, file.sql, at) for file, at in zip(files, times, strict=True)]


async def _apply(connection: Any, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migration (number, name, checksum) VALUES ($1, $2, $3)",
                migration.number,
                migration.name,
                migration.checksum,
            )
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{migration}.sql failed and changed nothing: {error}") from error
