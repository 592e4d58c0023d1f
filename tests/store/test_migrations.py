"""Migrations: once each, in order, whole or not at all, and never on a history that was edited."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from passerelle.store.migrations import MigrationError, load, migrate, status


def write(folder: Path, **files: str) -> Path:
    for name, sql in files.items():
        (folder / f"{name.lstrip('_')}.sql").write_text(sql)
    return folder


async def test_files_are_applied_once_in_order(empty_database_url: str, tmp_path: Path) -> None:
    write(tmp_path, _0002_b="ALTER TABLE a ADD m int; INSERT INTO a VALUES (1, 2)", _0001_a="CREATE TABLE a (n int)")
    assert [m.applied_at for m in await status(empty_database_url, tmp_path)] == [None, None]
    assert await migrate(empty_database_url, tmp_path) == ["0001_a", "0002_b"]
    assert await migrate(empty_database_url, tmp_path) == []
    assert all(m.applied_at for m in await status(empty_database_url, tmp_path))


async def test_two_starts_at_once_apply_once(empty_database_url: str, tmp_path: Path) -> None:
    write(tmp_path, _0001_a="CREATE TABLE a (n int)")
    both = await asyncio.gather(migrate(empty_database_url, tmp_path), migrate(empty_database_url, tmp_path))
    assert sorted(both) == [[], ["0001_a"]]


async def test_a_failing_file_changes_nothing(empty_database_url: str, tmp_path: Path) -> None:
    write(tmp_path, _0001_a="CREATE TABLE a (n int)", _0002_b="CREATE TABLE b (n int); SELECT nonsense")
    with pytest.raises(MigrationError, match=r"0002_b\.sql failed and changed nothing.*nonsense"):
        await migrate(empty_database_url, tmp_path)
    assert [bool(m.applied_at) for m in await status(empty_database_url, tmp_path)] == [True, False]
    connection = await asyncpg.connect(empty_database_url)
    assert await connection.fetchval("SELECT to_regclass('b')") is None
    await connection.close()


async def test_an_edited_file_is_refused(empty_database_url: str, tmp_path: Path) -> None:
    await migrate(empty_database_url, write(tmp_path, _0001_a="CREATE TABLE a (n int)"))
    write(tmp_path, _0001_a="CREATE TABLE a (n bigint)")
    with pytest.raises(MigrationError, match=r"0001_a\.sql changed after it was applied"):
        await migrate(empty_database_url, tmp_path)


async def test_a_database_newer_than_the_program_is_refused(empty_database_url: str, tmp_path: Path) -> None:
    await migrate(empty_database_url, write(tmp_path, _0001_a="SELECT 1", _0002_b="SELECT 2"))
    (tmp_path / "0002_b.sql").unlink()
    with pytest.raises(MigrationError, match="0002_b, which this program does not know"):
        await migrate(empty_database_url, tmp_path)


@pytest.mark.parametrize("name", ["1_a", "0001-a", "0002_a"])
def test_a_misnamed_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MigrationError, match=name):
        load(write(tmp_path, **{name: "SELECT 1"}))


def test_our_own_files_are_well_named() -> None:
    load()
