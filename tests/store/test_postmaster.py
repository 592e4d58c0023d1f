"""The server's process from outside; what the supervisor makes of it is tested in test_embedded.py."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from passerelle.store.embedded import EmbeddedServer
from passerelle.store.postmaster import end, environment, probe, remove_stale_pid_file


def test_a_server_is_silent_ready_or_says_why_not(folder: Path) -> None:
    assert probe(folder, 5432, "passerelle") == "silent"
    with EmbeddedServer(folder, shared_buffers="16MB"):
        socket = folder / "socket"
        assert probe(socket, 5432, "passerelle") == "ready"
        assert probe(socket, 5432, "nowhere") == "3D000"
        assert probe(socket, 5432, "passerelle", "SELECT 1") == "ready"
        assert probe(socket, 5432, "passerelle", "SELECT nonsense") == "42703"
    assert probe(folder / "socket", 5432, "passerelle") == "silent"


@pytest.mark.parametrize("text", ["", "no number", "99999999\n/elsewhere\n"])
def test_a_pid_file_that_names_no_server_of_ours_goes(tmp_path: Path, text: str) -> None:
    (tmp_path / "postmaster.pid").write_text(text)
    remove_stale_pid_file(tmp_path)
    assert not (tmp_path / "postmaster.pid").exists()


def test_a_server_that_does_not_listen_is_made_to_go(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    server = subprocess.Popen([sys.executable, "-c", deaf], cwd=tmp_path, stdout=subprocess.PIPE)
    assert server.stdout is not None and server.stdout.readline()
    (tmp_path / "postmaster.pid").write_text(f"{server.pid}\n")
    remove_stale_pid_file(tmp_path, ((signal.SIGINT, 0.1), (signal.SIGQUIT, 5.0)))
    assert server.wait(5) == -signal.SIGQUIT
    assert not (tmp_path / "postmaster.pid").exists()


def test_a_process_that_ended_already_is_waited_for() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    end(process)
    assert process.returncode == 0


def test_variables_of_libpq_do_not_reach_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/elsewhere")
    assert "PGDATA" not in environment()
