"""The programs of the platform as child processes: one that dies is started again, none outlives us.

They are started before anything else, and load while the database starts; each begins when it is told its settings.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from ..settings import Settings
from .places import SIMULATOR, CannotStart, Places, environment, private

QUICK = 5.0  # seconds: a program that ends sooner than that, again and again, will not run at all
TRIES = 5


def die_with_us() -> Callable[[], None] | None:
    """Linux ends the child when we are gone, kill -9 included."""
    if sys.platform != "linux":
        return None
    prctl, ours = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(1, int(signal.SIGTERM), 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != ours:
            os._exit(1)

    return ask


class Child:
    """One program of the platform, kept running."""

    def __init__(self, name: str, arguments: list[str], log: Path) -> None:
        self.name = name
        self._arguments = arguments
        self._log = log
        self._failures = 0
        self._started = 0.0
        self._settings: Settings | None = None
        self.process = self._start()

    def begin(self, settings: Settings) -> None:
        """Tell it its settings, now and whenever it is started again."""
        self._settings = settings
        self._tell(settings)

    def _start(self) -> subprocess.Popen[bytes]:
        self._started = time.monotonic()
        with open(self._log, "ab", opener=private) as out:
            return subprocess.Popen(
                [sys.executable, "-m", "passerelle.demo.program", self.name, *self._arguments],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C is for us: we end them in order
                preexec_fn=die_with_us(),
            )

    def _tell(self, settings: Settings) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self.process.stdin as word:  # one that has ended is looked after
            word.write(msgspec.json.encode(environment(settings)))

    def look(self) -> str:
        """Start it again where it has ended; what to tell, or ''. Raises CannotStart where that does not help."""
        code = self.process.poll()
        if code is None:
            return ""
        self._failures = self._failures + 1 if time.monotonic() - self._started < QUICK else 1
        if self._failures > TRIES:
            raise CannotStart(f"{self.name} does not stay up; its last words are in {self._log}")
        self.process = self._start()
        if self._settings is not None:
            self._tell(self._settings)
        return f"{self.name} ended ({code}) and was started again; see {self._log}"

    def end(self, patience: float = 8.0) -> None:
        """SIGTERM, and no more patience after `patience` seconds."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def start_children(where: Places, settings: Settings) -> list[Child]:
    """The simulated operator, the workers, the APIs: they load, and wait for `begin`."""
    simulate = [where.host, str(where.smsc_port), str(where.phone_port), str(where.data / "simulator")]
    simulate.append(str(where.mail_port))
    programs = {"simulate": simulate, "work": [str(where.data)], "serve": []}
    if settings.carriers and not any(carrier.name.startswith(SIMULATOR) for carrier in settings.carriers):
        del programs["simulate"]
    return [Child(name, arguments, where.data / "logs" / f"{name}.log") for name, arguments in programs.items()]
