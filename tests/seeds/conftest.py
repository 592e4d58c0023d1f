"""The whole platform, started as a person starts it, for programs that call it over a socket."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from starting import alone

START = 60.0  # seconds
_names = count(1)


@dataclass(frozen=True)
class Caller:
    """Where an account calls, and with which key."""

    base_url: str
    api_key: str

    def call(self, method: str, path: str, **members: Any) -> Any:
        """One SMS Partner call."""
        where = {"params" if method == "GET" else "json": {"apiKey": self.api_key, **members}}
        return requests.request(method, f"{self.base_url}/v1/{path}", timeout=10, **where).json()


@dataclass(frozen=True)
class Live(Caller):
    """A running `passerelle up`."""

    data: Path
    phones_url: str = ""

    def account(self, credit: str = "10") -> Caller:
        """A new account with euros."""
        email = f"seed{next(_names)}@example.org"
        made = self.command("account", "create", email, "--credit", credit, "--firstname", "Alix", "--json")
        return Caller(self.base_url, json.loads(made)["key"])

    def command(self, *arguments: str) -> bytes:
        """What a command of the operator says."""
        environment = {
            "PASSERELLE_DATABASE_URL": (self.data / "postgres" / "url").read_text().strip(),
            "PASSERELLE_SECRET": (self.data / "secret").read_text().strip(),
        }
        done = passerelle(*arguments, env=os.environ | environment, stdout=subprocess.PIPE)
        out, _ = done.communicate(timeout=START)
        assert done.returncode == 0, out
        return out


def passerelle(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start a command of the product."""
    return subprocess.Popen([sys.executable, "-m", "passerelle", *arguments], **options)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def eventually(wanted: Callable[[], Any], patience: float = 20.0) -> Any:
    """The first true value of `wanted()` within `patience` seconds."""
    deadline = time.monotonic() + patience
    while not (found := wanted()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    data = Path(tempfile.mkdtemp(prefix="passerelle-seeds-"))
    data.chmod(0o711)
    log = (data / "up.log").open("wb")
    demo = data / "demo.json"
    with alone():
        arguments = ("--port", str(free_port()), "--data", str(data), "--no-browser")
        started = passerelle("up", *arguments, stdout=log, stderr=log)
        eventually(lambda: demo.exists() or started.poll() is not None, START)
    try:
        assert demo.exists(), (data / "up.log").read_text()
        facts = json.loads(demo.read_text())
        yield Live(facts["base_url"], facts["api_key"], data, facts["phones_url"].rstrip("/"))
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(30)
        log.close()
        shutil.rmtree(data, ignore_errors=True)
