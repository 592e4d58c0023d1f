"""The PostgreSQL process seen from outside: how it is spawned, asked whether it is ready, ended, and outlived.

The one rule: nothing is believed of a pid but what the kernel says now.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

NAME = "passerelle"
"""Of our superuser and of our database."""
PATIENCE = 60.0
"""Seconds that a start (crash recovery included) or a stop may take."""


def environment() -> dict[str, str]:
    """Ours without libpq's variables, which would lead a server's programs elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def die_with_us() -> Callable[[], None] | None:
    """Linux tells the child when its parent is gone, kill -9 included: SIGINT is PostgreSQL's fast shutdown.

    It runs between fork and exec, after the change of account (which would clear it), and calls nothing but the kernel.
    """
    if sys.platform != "linux":
        return None
    prctl, ours = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(1, int(signal.SIGINT), 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != ours:
            os._exit(1)

    return ask


def end(process: subprocess.Popen[bytes]) -> None:
    """Fast shutdown, then an immediate one, then no more patience."""
    for sign, patience in ((signal.SIGINT, PATIENCE), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.send_signal(sign)
            process.wait(patience)
            return


LEAVE = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, PATIENCE))
"""How an old server is asked to go, and for how many seconds: one that was told so in its recovery may never do it."""


def remove_stale_pid_file(cluster: Path, leave: Sequence[tuple[signal.Signals, float]] = LEAVE) -> None:
    """Make way for a new server: end one that our predecessor left, forget one that is gone.

    PostgreSQL alone would take a zombie, or a stranger with the old number, for a live server and refuse to start.
    """
    file = cluster / "postmaster.pid"
    for sign, patience in leave:
        deadline = time.monotonic() + patience
        while (pid := _first_number(file)) and _serves(pid, cluster) and time.monotonic() < deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
            time.sleep(0.02)
    file.unlink(missing_ok=True)


def _first_number(file: Path) -> int:
    """The pid in a pid file; 0 if there is none."""
    with contextlib.suppress(FileNotFoundError, IndexError, ValueError):
        return int(file.read_text().split()[0])
    return 0


def _serves(pid: int, cluster: Path) -> bool:
    """Whether `pid` is a live server of `cluster`: PostgreSQL's current directory is its cluster, a zombie has none."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cwd").resolve(strict=True) == cluster.resolve()
        except OSError:
            return False
    asked = subprocess.run(["ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True)
    return str(cluster) in asked.stdout and not asked.stdout.startswith("Z")


def probe(folder: Path, port: int, database: str, statement: str = "") -> str:
    """Connect as a client would and run `statement`: "ready", the SQLSTATE of the refusal, or "silent"."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.settimeout(PATIENCE)
        try:
            connection.connect(f"{folder}/.s.PGSQL.{port}")
            stream = connection.makefile("rwb")
            names = f"user\0{NAME}\0database\0{database}\0\0".encode()
            stream.write(struct.pack(">II", len(names) + 8, 196608) + names)
            state = _answer(stream)
            if state == "ready" and statement:
                query = statement.encode() + b"\0"
                stream.write(b"Q" + struct.pack(">I", len(query) + 4) + query)
                state = _answer(stream)
        except OSError:
            return "silent"
        return state


def _answer(stream: io.BufferedRWPair) -> str:
    """Read messages up to ReadyForQuery or ErrorResponse (PostgreSQL, Message Formats)."""
    stream.flush()
    while head := stream.read(5):
        kind, length = struct.unpack(">cI", head)
        body = stream.read(length - 4)
        if kind == b"Z":
            return "ready"
        if kind == b"E":
            fields = {part[:1]: part[1:].decode() for part in body.split(b"\0")}
            return fields.get(b"C", "silent")
    return "silent"
