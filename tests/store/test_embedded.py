"""Our own PostgreSQL: it starts, refuses a second owner, and survives kill -9 of itself and of its owner."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import asyncpg
import pytest

from passerelle.store.database import Database, is_transient
from passerelle.store.embedded import AlreadyRunning, EmbeddedServer, running_url
from passerelle.store.installation import DatabaseServerError, as_account, choose_account
from passerelle.store.postmaster import probe

SMALL = {"shared_buffers": "16MB"}
OWNER = """
import sys, time
from pathlib import Path
from passerelle.store.embedded import AlreadyRunning, EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]), shared_buffers="16MB")
try:
    print(server.start_sync(), server.pid, flush=True)
except AlreadyRunning as refused:
    print("refused", refused.pid, flush=True)
    sys.exit()
time.sleep(60)
"""


def own(data: Path) -> subprocess.Popen[str]:
    """Another process that starts the server of `data` and then only waits."""
    return subprocess.Popen([sys.executable, "-c", OWNER, data], stdout=subprocess.PIPE, text=True)


def first_line(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.readline().split()


async def ask(url: str, statement: str) -> object:
    database = await Database.open(url, size=1)
    try:
        return await database.fetchval(statement)
    finally:
        await database.close()


async def test_a_database_stays_from_start_to_start(folder: Path) -> None:
    for expected in (1, 2):
        server = EmbeddedServer(folder / "data", **SMALL)
        url = await server.start()
        await ask(url, "CREATE TABLE IF NOT EXISTS starts AS SELECT 1 AS n")
        assert await ask(url, "SELECT sum(n) FROM starts") == expected
        await ask(url, "INSERT INTO starts VALUES (1)")
        await server.stop()


async def test_it_is_private_durable_and_knows_its_text(folder: Path) -> None:
    server = EmbeddedServer(folder, **SMALL)
    url = await server.start()
    for setting, value in {
        "fsync": "on",
        "synchronous_commit": "on",
        "listen_addresses": "",
        "TimeZone": "UTC",
    }.items():
        assert await ask(url, f"SHOW {setting}") == value
    assert await ask(url, "SELECT 'É' < 'é' AND lower('É') = 'é' AND getdatabaseencoding() = 'UTF8'")
    socket_folder = Path(str(await ask(url, "SHOW unix_socket_directories")))
    assert socket_folder.stat().st_mode & 0o777 == 0o700
    assert os.getsid(server.pid) == server.pid, "Ctrl-C in our terminal must not reach it"
    await server.stop()


async def test_a_port_is_opened_on_request_and_asks_for_a_password(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with EmbeddedServer(folder, port=port, **SMALL) as server:
        assert await ask(server.url, "SELECT 1") == 1
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(f"postgresql://passerelle:wrong@127.0.0.1:{port}/passerelle")


async def test_a_killed_server_comes_back_with_what_was_committed(folder: Path) -> None:
    server = EmbeddedServer(folder, **SMALL)
    database = await Database.open(await server.start(), size=2)
    await database.execute("CREATE TABLE t AS SELECT 1 AS n")
    before = server.pid
    os.kill(before, signal.SIGKILL)
    rows = None
    while rows is None or server.pid == before:  # a session of the old server may answer for a moment
        try:
            rows = await database.fetchval("SELECT count(*) FROM t")
        except Exception as lost:
            assert is_transient(lost), repr(lost)
    assert rows == 1
    await database.close()
    await server.stop()


def test_a_server_that_is_killed_while_it_starts_is_started_again(folder: Path) -> None:
    with EmbeddedServer(folder / "data", **SMALL):
        pass
    server = EmbeddedServer(folder / "data", **SMALL)
    killed: list[int] = []

    def kill() -> None:
        while server._process is None:
            time.sleep(0.001)
        killed.append(server.pid)
        os.kill(server.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with server:
        killer.join()
        assert server.pid not in killed
        assert probe(server._socket, 5432, "passerelle") == "ready"


async def test_a_killed_owner_leaves_the_folder_free(folder: Path) -> None:
    owner = own(folder)
    url, orphan = first_line(owner)
    await ask(url, "CREATE TABLE t AS SELECT 1 AS n")
    ended = os.pidfd_open(int(orphan)) if sys.platform == "linux" else None
    owner.kill()
    with EmbeddedServer(folder, **SMALL) as server:
        assert await ask(server.url, "SELECT count(*) FROM t") == 1
    if ended is not None:
        assert select.select([ended], [], [], 5)[0], "the server outlived its owner"
        os.close(ended)
    owner.wait()


def test_a_second_owner_is_told_who_is_first(folder: Path) -> None:
    with EmbeddedServer(folder, **SMALL) as server:
        with pytest.raises(AlreadyRunning, match=rf"already running \(pid {os.getpid()}\)") as refused:
            EmbeddedServer(folder).start_sync()
        assert refused.value.url == running_url(folder) == server.url


def test_of_simultaneous_first_starts_one_wins(folder: Path) -> None:
    owners = [own(folder / "data") for _ in range(3)]
    answers = [first_line(owner)[0] for owner in owners]
    assert sorted(answer == "refused" for answer in answers) == [False, True, True]
    for owner in owners:
        owner.terminate()
        owner.wait()


def zombie() -> int:
    """A process that ended and whom nobody has waited for yet."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    return child


@pytest.mark.parametrize("pid_of", [os.getpid, zombie], ids=["a stranger", "a zombie"])
def test_a_stale_pid_file_is_no_obstacle(folder: Path, pid_of: object) -> None:
    with EmbeddedServer(folder, **SMALL) as server:
        lines = (server.cluster / "postmaster.pid").read_text().splitlines()
    pid = pid_of()  # type: ignore[operator]
    (server.cluster / "postmaster.pid").write_text("\n".join([str(pid), *lines[1:], ""]))
    with EmbeddedServer(folder, **SMALL):
        pass
    if pid != os.getpid():
        os.waitpid(pid, 0)


def test_a_server_that_is_still_going_is_waited_for(folder: Path) -> None:
    with EmbeddedServer(folder, **SMALL) as server:
        lock = server._socket / ".s.PGSQL.5432.lock"
        lines = lock.read_text().splitlines()
    going = subprocess.Popen(["sleep", "60"], **as_account(choose_account()))
    lock.write_text("\n".join([str(going.pid), *lines[1:], ""]))
    threading.Timer(0.5, lambda: (going.kill(), going.wait())).start()
    with EmbeddedServer(folder, **SMALL):
        assert going.returncode == -signal.SIGKILL


def test_a_creation_that_was_killed_is_begun_again(folder: Path) -> None:
    (folder / "cluster.unfinished").mkdir()
    (folder / "cluster.unfinished" / "PG_VERSION").write_text("18")
    with EmbeddedServer(folder, **SMALL):
        pass


def test_what_is_wrong_is_said(folder: Path) -> None:
    with pytest.raises(DatabaseServerError, match='invalid value for parameter "work_mem"'):
        EmbeddedServer(folder, work_mem="plenty").start_sync()
    (folder / "cluster" / "PG_VERSION").write_text("15\n")
    with pytest.raises(DatabaseServerError, match="was written by PostgreSQL 15"):
        EmbeddedServer(folder).start_sync()


async def test_a_long_path_is_no_obstacle(folder: Path) -> None:
    with EmbeddedServer(folder / ("long" * 30), **SMALL) as server:
        assert await ask(server.url, "SELECT 1") == 1
    shutil.rmtree(Path(server.url.split("host=")[1]))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that the server's account cannot enter")
async def test_as_root_a_closed_folder_gets_a_place_elsewhere_and_keeps_its_mode(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for rows in (None, "t"):
        with EmbeddedServer(closed / "data", **SMALL) as server:
            assert await ask(server.url, "SELECT to_regclass('t')::text") == rows
            await ask(server.url, "CREATE TABLE IF NOT EXISTS t (n int)")
    place = Path((closed / "data" / "place").read_text().strip())
    assert server.cluster == place / "cluster"
    assert closed.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test already runs as an ordinary user")
def test_an_ordinary_user_starts_it_too(folder: Path) -> None:
    account = choose_account()
    assert account is not None
    os.chown(folder, account.uid, account.gid)
    child = os.fork()  # not a new interpreter: that one may live where the account cannot go
    if child == 0:
        os.setgroups([])
        os.setgid(account.gid)
        os.setuid(account.uid)
        with EmbeddedServer(folder / "data", **SMALL):
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (folder / "data" / "cluster").stat().st_uid == account.uid
