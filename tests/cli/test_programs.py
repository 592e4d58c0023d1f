"""The programs as commands; what they do is tested where it is done."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from passerelle.cli.programs import _welcome
from passerelle.demo.places import Places


async def test_migrate_says_what_it_did_and_what_is_missing(shell, empty_database_url, monkeypatch):
    assert "up to date" in await shell.ok("migrate")
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", empty_database_url)
    assert "0001 spine" in (status := await shell.ok("migrate", "--status")) and "missing" in status
    assert "run `passerelle migrate`" in await shell.fails("account", "list")
    assert "0001_spine" in await shell.ok("migrate")
    assert "missing" not in await shell.ok("migrate", "--status")


async def test_programs_in_production_want_a_database_and_a_secret(shell, monkeypatch):
    monkeypatch.delenv("PASSERELLE_SECRET")
    for program in ("serve", "status"):
        assert "PASSERELLE_SECRET" in await shell.fails(program)
    monkeypatch.delenv("PASSERELLE_DATABASE_URL")
    for program in ("serve", "work"):
        assert "PASSERELLE_DATABASE_URL" in await shell.fails(program)


async def test_wrong_settings_and_places_are_one_line(shell, monkeypatch, tmp_path):
    assert "nowhere.toml" in await shell.fails("status", "--config", "nowhere.toml")
    monkeypatch.setenv("PASSERELLE_PROT", "1")
    assert "did you mean port" in await shell.fails("status")
    monkeypatch.delenv("PASSERELLE_PROT")
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", "postgresql://u:hidden@127.0.0.1:1/d")
    assert "is it started" in (told := await shell.fails("status")) and "hidden" not in told


@pytest.mark.parametrize("folder", ["var", "elsewhere"])
def test_the_welcome_names_commands_that_work_here(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    where = Places(Path(folder).resolve(), "127.0.0.1", 8080, 2775, 8081)
    told = _welcome(where, "k" * 32, "pak_1")
    assert "http://127.0.0.1:8080/v1/send" in told and "k" * 32 in told
    assert "http://127.0.0.1:8080/api/v1/docs" in told and "pak_1" in told
    assert ("--data" in told) == (folder == "elsewhere")


async def test_the_simulator_says_which_port_is_taken(shell, tmp_path, monkeypatch):
    from passerelle.simulator import run

    async def quietly(work):
        await work

    monkeypatch.setattr(run, "until_signal", quietly)  # signals belong to the main thread
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = await shell.fails("simulate", "--port", "0", "--http-port", port, "--data", str(tmp_path))
    assert "Address already in use" in told and "--http-port" in told
