"""The programs that call: each language of the official pages that can be run here, making one GET."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"
JSON = ("Content-Type: application/json",)
DOT_NET = ("Content-Type: application/json; charset=utf-8", "Content-Length: 0")

COMMANDS = {
    "requests": ([sys.executable, str(PROGRAMS / "get_requests.py")], ()),
    "urllib": ([sys.executable, str(PROGRAMS / "get_urllib.py")], ()),
    "php": (["php", str(PROGRAMS / "get.php")], ()),
    "node": (["node", str(PROGRAMS / "get.js")], ()),
    "curl": (["curl"], JSON),
    "dot_net": (["curl"], DOT_NET),
}

every_client = pytest.mark.parametrize("client", COMMANDS)


def get(client: str, base: str, path: str, query: str, headers: Sequence[str] = ()) -> str:
    """The body that `client` got from `base` + `path`?`query`."""
    command, own = COMMANDS[client]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed here")
    given = [*own, *headers]
    if command == ["curl"]:
        options = [option for line in given for option in ("-H", line)]
        command = ["curl", "-sS", *options, "-X", "GET", f"{base}{path}?{query}"]
    else:
        command = [*command, base, path, query, *given]
    done = subprocess.run(command, capture_output=True, timeout=30, check=True)
    return done.stdout.decode()
