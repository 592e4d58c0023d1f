"""Real processes to be killed: each program of the platform, and PostgreSQL with its owner.

One rule: a process is killed by its own pid, with SIGKILL, and only if it was started here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from passerelle.store.postmaster import die_with_us

HERE = Path(__file__).parent


class Program:
    """One process, started again after it was killed. `fell`: exits that nobody asked for."""

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.fell: list[int] = []
        self._command = [sys.executable, *command]
        self._env = dict(env)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, its words into the log."""
        with open(self._log, "ab") as out:
            self._process = subprocess.Popen(
                self._command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=die_with_us(),
            )

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def up(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def look(self) -> None:
        """Start it again where it ended by itself, and remember that."""
        if self._process is not None and not self.up:
            self.fell.append(self._process.returncode)
            self.start()

    def end(self, patience: float = 20.0) -> int:
        """SIGTERM; the exit status, -9 where it did not listen."""
        if self._process is None:
            return 0
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(patience)
        self.kill()
        return -9


def children(pid: int) -> list[int]:
    """The pids of the children of a process, whichever of its threads made them (Linux)."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in file.read_text().split()]
    return found


class DatabaseProgram(Program):
    """The owner of a PostgreSQL, and the server behind it."""

    def __init__(self, folder: Path, log: Path) -> None:
        super().__init__("database", [str(HERE / "database.py"), str(folder)], os.environ, log)
        self._folder = folder

    def url(self, patience: float = 60.0) -> str:
        """Where the server listens, once it does."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError):
                if url := (self._folder / "url").read_text():
                    return url
            time.sleep(0.05)
        raise TimeoutError("PostgreSQL does not start")

    def kill_server(self, *, whole: bool) -> int:
        """SIGKILL the postmaster, with all its backends if `whole`; its owner starts it again. Returns its pid or 0."""
        postmaster = next(iter(children(self.pid)), 0)
        for pid in [postmaster, *(children(postmaster) if whole else [])]:
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return postmaster

    def kill_backend(self, choose: float) -> int:
        """SIGKILL one backend: PostgreSQL ends all sessions and recovers. `choose` from 0 to 1; its pid or 0."""
        postmaster = next(iter(children(self.pid)), 0)
        backends = children(postmaster) if postmaster else []
        if not backends:
            return 0
        pid = backends[int(choose * len(backends))]
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return pid
