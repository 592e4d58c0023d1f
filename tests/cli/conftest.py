"""The commands in this process, on a database of their own, as a person would type them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import msgspec
import pytest

from passerelle.cli import main
from passerelle.store.database import Database

CARRIERS = [
    {"name": "orange", "host": "127.0.0.1", "port": 1, "ranges": ["premium"]},
    {"name": "thrifty", "host": "127.0.0.1", "port": 1, "ranges": ["eco"]},
]
EMAIL = "bakery@example.org"


@dataclass
class Shell:
    """Types commands; each gives its exit code, and what it wrote."""

    capture: pytest.CaptureFixture[str]
    db: Database | None = None

    async def __call__(self, *words: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(self._run, words)
        written = self.capture.readouterr()
        return code, written.out, written.err

    def _run(self, words: tuple[str, ...]) -> int:
        try:
            main(list(words))
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    async def ok(self, *words: str) -> str:
        """What a command writes that has to succeed."""
        code, out, err = await self(*words)
        assert code == 0, err + out
        return out

    async def json(self, *words: str) -> object:
        """What a command tells a script."""
        return msgspec.json.decode(await self.ok(*words, "--json"))

    async def fails(self, *words: str) -> str:
        """The one line of a command that has to fail."""
        code, _, err = await self(*words)
        assert code == 1 and err.startswith("passerelle: ") and err.count("\n") == 1, (code, err)
        return err


@pytest.fixture
def bare(capsys: pytest.CaptureFixture[str]) -> Shell:
    """Without any platform."""
    return Shell(capsys)


@pytest.fixture
def environment(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", database_url)
    monkeypatch.setenv("PASSERELLE_SECRET", "s" * 32)
    monkeypatch.setenv("PASSERELLE_CARRIERS", msgspec.json.encode(CARRIERS).decode())
    yield


@pytest.fixture
async def shell(db: Database, environment: None, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Shell]:
    """A database with one customer who has ten euros."""
    made = Shell(capsys, db)
    await made.ok("account", "create", EMAIL, "--credit", "10")
    yield made
