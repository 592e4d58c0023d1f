"""The PostgreSQL server that Passerelle starts, watches and stops by itself.

One process owns a data folder, by a lock that dies with it; everybody else connects. The server is our direct child in
a session of its own (Ctrl-C reaches us, not it), listens on a private Unix socket, and on Linux never outlives us.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import IO
from urllib.parse import quote

from passerelle.store.installation import (
    Account,
    DatabaseServerError,
    Programs,
    as_account,
    choose_account,
    find_programs,
    home_for,
    make_private,
    owner,
    programs_for,
    socket_folder,
)
from passerelle.store.postmaster import NAME, PATIENCE, die_with_us, end, environment, probe, remove_stale_pid_file
from passerelle.telemetry import Event, log

DYING = 1.0
"""Seconds that a killed owner may take to let go of its lock."""
LONGEST_LOG = 10_000_000

SETTINGS: dict[str, str] = {
    # A success answer means it is on disk.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "192MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "wal_compression": "off",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    # The queue dies row by row all day long.
    "autovacuum_naptime": "10s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_cost_limit": "2000",
    "autovacuum_analyze_scale_factor": "0.05",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


class AlreadyRunning(DatabaseServerError):
    """Another live process owns the data folder; `url` is where its server listens, if that is known yet."""

    def __init__(self, data: Path, pid: str, url: str | None) -> None:
        super().__init__(f"already running (pid {pid}) with the data folder {data}")
        self.pid = pid
        self.url = url


class EmbeddedServer:
    """A PostgreSQL of our own in the folder `data`, with one database, `passerelle`.

    `port` opens 127.0.0.1 too (password asked); `settings` are PostgreSQL's own, over `SETTINGS`.
    Every start raises `AlreadyRunning` or `DatabaseServerError`.
    """

    def __init__(self, data: Path, *, port: int | None = None, **settings: str) -> None:
        self.data = data.absolute()
        self.port = port
        self.url = ""
        self._settings = SETTINGS | settings
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._account: Account | None = None
        self._home = self.data
        self._programs: Programs | None = None

    # The calling thread spawns the server: Linux ends a child with the thread that spawned it, not with the process.

    async def start(self) -> str:
        """Start the server, keep it running, and return its URL."""
        try:
            await asyncio.to_thread(self._prepare)
            self._spawn()
            await asyncio.to_thread(self._await_ready)
        except BaseException:
            await asyncio.to_thread(self.stop_sync)
            raise
        self._watch = asyncio.create_task(self._keep_running())
        return self.url

    async def stop(self) -> None:
        """Stop the server: sessions are ended, everything is written, the lock is given back."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        await asyncio.to_thread(self.stop_sync)

    def start_sync(self) -> str:
        """`start` without an event loop; nobody then restarts a server that dies."""
        try:
            self._prepare()
            self._spawn()
            self._await_ready()
        except BaseException:
            self.stop_sync()
            raise
        return self.url

    def stop_sync(self) -> None:
        """`stop` without an event loop."""
        if self._process is not None:
            end(self._process)
            self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> EmbeddedServer:
        self.start_sync()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_sync()

    @property
    def pid(self) -> int:
        """The process id of the server."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory; its log is `server.log` beside it."""
        return self._home / "cluster"

    def _prepare(self) -> None:
        self._account = choose_account()
        self._make_data_folder()
        self._lock = take(self.data)
        self._home = home_for(self.data, self._account)
        self._account = owner(self.cluster) or self._account
        if self._home != self.data:
            log(Event.DATABASE_ELSEWHERE, data=str(self.data), place=str(self._home))
        self._programs = programs_for(self._account, find_programs(), self._home)
        if not self.cluster.exists():
            self._create_cluster()
        self._check_version()
        self._socket = socket_folder(self._home, self._account)
        port = f"&port={self.port}" if self.port else ""
        self.url = f"postgresql://{NAME}@/{NAME}?host={quote(str(self._socket))}{port}"
        (self.data / "url").write_text(self.url)

    def _make_data_folder(self) -> None:
        try:
            self.data.mkdir(parents=True, exist_ok=True, mode=0o711 if self._account else 0o700)
        except OSError as refused:
            raise DatabaseServerError(f"the data folder {self.data} cannot be made: {refused.strerror}") from refused

    def _create_cluster(self) -> None:
        """`initdb` aside, then rename: a creation that was killed leaves nothing that looks like a database."""
        assert self._programs is not None
        unfinished = self._home / "cluster.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        make_private(unfinished, self._account)
        locale = ["--locale=C"]
        if self._programs.major >= 17:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        initdb = [str(self._programs["initdb"]), "-D", str(unfinished)]
        rules = ["--auth-local=trust", "--auth-host=scram-sha-256", "--no-instructions"]
        self._run([*initdb, "-U", NAME, "-E", "UTF8", "--no-sync", *locale, *rules])
        if self._settings["fsync"] == "on":
            self._run([*initdb, "--sync-only"])
        unfinished.rename(self.cluster)
        _sync_folder(self._home)

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), **as_account(self._account))
        if done.returncode:
            raise DatabaseServerError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")

    def _check_version(self) -> None:
        assert self._programs is not None
        written_by = (self.cluster / "PG_VERSION").read_text().strip()
        if int(written_by) != self._programs.major:
            raise DatabaseServerError(
                f"{self.cluster} was written by PostgreSQL {written_by}, and the one found here is "
                f"{self._programs.version}: dump it with the old one and restore it with the new one"
            )

    def _spawn(self) -> None:
        assert self._programs is not None
        remove_stale_pid_file(self.cluster)
        settings = self._settings | {
            "listen_addresses": "127.0.0.1" if self.port else "",
            "port": str(self.port or 5432),
            "unix_socket_directories": str(self._socket),
            "unix_socket_permissions": "0700",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        with _open_log(self._home / "server.log") as log:
            self._process = subprocess.Popen(
                [self._programs["postgres"], "-D", self.cluster, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(),
                start_new_session=True,
                preexec_fn=die_with_us(),
                **as_account(self._account),
            )

    def _await_ready(self) -> None:
        """Connect until it answers; the first time, make the database."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            state = probe(self._socket, self.port or 5432, NAME)
            if state == "ready":
                return
            if state == "3D000":  # invalid_catalog_name: the server is up and has no such database yet
                probe(self._socket, self.port or 5432, "postgres", f"CREATE DATABASE {NAME}")
            else:
                self._respawn_if_blocked()
                time.sleep(0.005)
        raise DatabaseServerError(f"PostgreSQL did not answer within {PATIENCE:.0f} s; see {self._home}/server.log")

    def _respawn_if_blocked(self) -> None:
        """Worth another try: somebody killed it, or one that was killed holds a file or its memory for a moment."""
        assert self._process is not None
        if self._process.poll() is None:
            return
        last = _tail(self._home / "server.log")
        blocked = any(word in last for word in ("pre-existing shared memory", "another server", "another postmaster"))
        if self._process.returncode != -signal.SIGKILL and not blocked:
            raise DatabaseServerError(f"PostgreSQL ended at once; the last lines of its log:\n{last}")
        time.sleep(0.05)
        self._spawn()

    async def _keep_running(self) -> None:
        """A server that was killed is started again; its own crash recovery does the rest."""
        while True:
            await asyncio.sleep(0.1)
            assert self._process is not None
            if self._process.poll() is not None:
                log(Event.DATABASE_LOST, status=self._process.returncode)
                with contextlib.suppress(DatabaseServerError):
                    self._spawn()
                    await asyncio.to_thread(self._await_ready)
                    log(Event.DATABASE_BACK)


def take(data: Path) -> IO[str]:
    """The lock of a data folder, ours as long as the returned file stays open; else `AlreadyRunning`."""
    try:
        lock = open(data / "lock", "a+")  # noqa: SIM115
    except OSError as refused:
        raise DatabaseServerError(
            f"{refused.filename}: {refused.strerror}; does the folder belong to you?"
        ) from refused
    deadline = time.monotonic() + DYING
    while not _locked(lock):
        if time.monotonic() > deadline:
            lock.seek(0)
            raise AlreadyRunning(data, lock.read().strip(), running_url(data))
        time.sleep(0.01)
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def running_url(data: Path) -> str | None:
    """Where the server of `data` listens, as its owner wrote it down; None if it never ran."""
    with contextlib.suppress(FileNotFoundError):
        return (data / "url").read_text() or None
    return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _open_log(path: Path) -> IO[bytes]:
    if path.exists() and path.stat().st_size > LONGEST_LOG:
        path.replace(path.with_suffix(".log.old"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "wb")


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-8:])
