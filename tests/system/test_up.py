"""`up` as a person uses it: starts, delivers, refuses a second, ends with all its children, however it is ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from starting import alone
from system.installation import free_ports
from system.programs import children

from passerelle.store.embedded import running_url

PATIENCE = 40.0  # seconds
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
"""So that any Python of the same version finds what this one does."""


def eventually(wanted: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """The first true value of `wanted()`."""
    deadline = time.monotonic() + patience
    while not (found := wanted()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)
    return found


def family(pid: int) -> list[int]:
    """All descendants of a process."""
    own = children(pid)
    return own + [below for child in own for below in family(child)]


def alive(pids: list[int]) -> list[str]:
    """Those that still run, with their command."""
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            if command:
                found.append(f"{pid} {command}")
    return found


@dataclass
class Up:
    """A data folder in which `up` is started again and again. `account`: who starts it; None: we."""

    data: Path
    port: int
    account: pwd.struct_passwd | None = None
    python: str = sys.executable
    process: subprocess.Popen[bytes] | None = None

    @property
    def demo(self) -> Path:
        return self.data / "demo.json"

    @property
    def words(self) -> str:
        return self.log.read_text()

    @property
    def log(self) -> Path:
        return self.data.with_suffix(".log")

    def command(self) -> subprocess.Popen[bytes]:
        """Start `up`."""
        as_account: dict[str, Any] = {}
        if self.account is not None:
            as_account = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        arguments = ["up", "--port", str(self.port), "--data", str(self.data), "--no-browser"]
        with self.log.open("ab") as out:
            return subprocess.Popen(
                [self.python, "-m", "passerelle", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd="/",
                env=ENVIRONMENT,
                **as_account,
            )

    def start(self) -> dict[str, Any]:
        """Up and ready; what demo.json says."""
        self.demo.unlink(missing_ok=True)
        with alone():
            self.process = process = self.command()
            eventually(lambda: self.demo.exists() or process.poll() is not None)
        assert self.demo.exists(), self.words
        facts: dict[str, Any] = json.loads(self.demo.read_text())
        assert facts["pid"] == process.pid
        return facts

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """End it; nothing that it started may be left."""
        assert self.process is not None
        below = family(self.process.pid)
        assert len(below) > 4, "PostgreSQL, three programs, and the backends of the database"
        self.process.send_signal(sign)
        self.process.wait(PATIENCE)
        eventually(lambda: not alive(below), 15.0)


def sent(facts: dict[str, Any], text: str) -> dict[str, Any]:
    """A text to the first handset, as curl sends it."""
    body = {"apiKey": facts["api_key"], "phoneNumbers": "0639980001", "message": text}
    asked = urllib.request.Request(
        f"{facts['base_url']}/v1/send", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:
        told: dict[str, Any] = json.loads(answer.read())
        return told


def invited(facts: dict[str, Any], address: str) -> str:
    """Make an advanced sub-account, and follow the link of the mail that comes: what stands there."""
    parameters = {"email": address, "isBuyer": 0}
    body = {"apiKey": facts["api_key"], "type": "advanced", "parameters": parameters}
    asked = urllib.request.Request(f"{facts['base_url']}/v1/subaccount/create", json.dumps(body).encode())
    urllib.request.urlopen(asked, timeout=10).close()

    def link() -> str:
        with urllib.request.urlopen(f"{facts['phones_url']}/api/mails", timeout=10) as answer:
            texts = [str(mail["text"]) for mail in json.loads(answer.read()) if address in mail["recipients"]]
        return next((word for text in texts for word in text.split() if word.startswith(facts["base_url"])), "")

    with urllib.request.urlopen(eventually(link), timeout=10) as answer:
        return bytes(answer.read()).decode()


def status(facts: dict[str, Any], number: int) -> str:
    query = f"apiKey={facts['api_key']}&phoneNumber=0639980001&messageId={number}"
    with urllib.request.urlopen(f"{facts['base_url']}/v1/message-status?{query}", timeout=10) as answer:
        return str(json.loads(answer.read())["statut"])


def delivered(facts: dict[str, Any], text: str) -> int:
    """Send a text and wait until its sender is told that it arrived; its number."""
    told = sent(facts, text)
    assert told["success"], told
    number = int(told["message_id"])
    eventually(lambda: status(facts, number) == "Delivered")
    return number


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="passerelle-up-"))
    made.chmod(0o777)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def up(folder: Path) -> Iterator[Up]:
    one = Up(folder / "data", free_ports(1)[0])
    yield one
    if one.process is not None and one.process.poll() is None:
        one.process.kill()
        one.process.wait()


linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


@linux
def test_it_delivers_refuses_a_second_and_ends_with_all_it_started_however_it_ends(up: Up) -> None:
    facts = up.start()
    first = delivered(facts, "Bonjour")
    second = up.command()
    assert second.wait(PATIENCE) not in (0, None)
    assert "already" in up.words and "Traceback" not in up.words
    assert status(facts, first) == "Delivered", "the first is still up"
    assert "agence@example.org" in invited(facts, "agence@example.org")
    up.stop(signal.SIGTERM)
    assert up.process is not None and up.process.returncode == 0

    again = up.start()
    assert again["api_key"] == facts["api_key"]
    assert status(again, first) == "Delivered", "what was there is there again"
    assert delivered(again, "Encore") != first
    up.stop(signal.SIGKILL)

    again = up.start()
    assert status(again, first) == "Delivered"
    delivered(again, "De retour")
    up.stop(signal.SIGINT)


def binds(up: Up) -> list[tuple[str, bool]]:
    """Who holds each bind, and whether it is bound."""

    async def ask() -> list[tuple[str, bool]]:
        connection = await asyncpg.connect(running_url(up.data / "postgres"))
        try:
            rows = await connection.fetch("select owner, bound from bind order by carrier_id, number")
            return [(str(owner), bool(bound)) for owner, bound in rows]
        finally:
            await connection.close()

    return asyncio.run(ask())


@linux
def test_what_a_killed_worker_held_is_taken_over_at_once(up: Up) -> None:
    """By the name of the holder: it is the next worker's own, so that no lease is waited for."""
    facts = up.start()
    held = eventually(lambda: (found := binds(up)) and all(bound for _, bound in found) and found)
    assert up.process is not None
    (worker,) = [pid for pid in children(up.process.pid) if "program work" in " ".join(alive([pid]))]
    os.kill(worker, signal.SIGKILL)
    delivered(facts, "Encore")
    eventually(lambda: binds(up) == held)
    up.stop(signal.SIGKILL)
    delivered(up.start(), "De retour")
    eventually(lambda: binds(up) == held)
    up.stop()


def python_of(account: pwd.struct_passwd) -> str:
    """A Python that this account reaches, with all that we have; '' if there is none."""
    for python in (sys.executable, "/usr/bin/python3"):
        with contextlib.suppress(OSError):
            asked = subprocess.run(
                [python, "-c", f"import sys, passerelle.app.working; assert sys.version_info[:2] == {sys.version_info[:2]}"],
                user=account.pw_uid, group=account.pw_gid, extra_groups=[], cwd="/", env=ENVIRONMENT, capture_output=True,
            )  # fmt: skip
            if not asked.returncode:
                return python
    return ""


@linux
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_starts_it(folder: Path) -> None:
    account = pwd.getpwnam("nobody")
    python = python_of(account)
    if not python:
        pytest.skip("that account reaches no Python with what we need")
    one = Up(folder / "data", free_ports(1)[0], account, python)
    try:
        delivered(one.start(), "Bonjour")
        one.stop()
    finally:
        if one.process is not None and one.process.poll() is None:
            one.process.kill()
