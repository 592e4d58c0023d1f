"""One installation of the platform as real processes: PostgreSQL, the operator, workers, APIs; and how to wait for them.

One rule: nothing here waits for a length of time, only for something to be so, with a deadline.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import socket
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from system.programs import DatabaseProgram, Program

from passerelle.store.database import Database, patiently
from passerelle.store.migrations import migrate

SECRET = "crash proof"
RECEIPT_WAIT = 49 * 3600.0  # seconds: after that a part whose receipt never came ends unconfirmed


@dataclass(frozen=True)
class Shape:
    """What an installation consists of. `carriers`: as the settings have them, but for the port; `operator`: options of
    the simulated one; `settings`: more of ours."""

    serves: int
    works: int
    carriers: Sequence[Mapping[str, Any]]
    operator: Sequence[str] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def windows(self) -> int:
        """How many submits may wait for their answers at one moment."""
        return sum(int(one["window"]) * int(one.get("binds", 1)) for one in self.carriers)


def free_ports(count: int) -> list[int]:
    """So many ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Platform:
    """All programs of one installation."""

    def __init__(self, folder: Path, shape: Shape) -> None:
        self.folder = folder
        self.shape = shape
        self.ports = free_ports(shape.serves + 2)
        self.database = DatabaseProgram(folder / "postgres", folder / "database.log")
        self.programs: dict[str, list[Program]] = {"database": [self.database]}
        self.url = ""

    @property
    def bases(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports[: self.shape.serves]]

    @property
    def handsets(self) -> str:
        """The pages of the operator."""
        return f"http://127.0.0.1:{self.ports[-1]}"

    @property
    def journal(self) -> Path:
        return self.folder / "simulator" / "smsc.journal"

    def all(self) -> list[Program]:
        """In the order in which they are ended."""
        return [one for kind in ("serve", "work", "simulate", "database") for one in self.programs.get(kind, [])]

    @property
    def fell(self) -> dict[str, list[int]]:
        """Exits that nobody asked for."""
        return {program.name: program.fell for program in self.all() if program.fell}

    async def start(self) -> None:
        """PostgreSQL, with our tables."""
        self.folder.chmod(0o711)
        self.database.start()
        self.url = await asyncio.to_thread(self.database.url)
        await connected(self.url)
        await migrate(self.url)

    def start_programs(self) -> None:
        """The operator, the workers, the APIs."""
        *_, smpp, http = self.ports
        env = self._environment(smpp)
        simulate = ["--port", str(smpp), "--http-port", str(http), "--data", str(self.folder / "simulator")]
        simulate += self.shape.operator
        self.programs["simulate"] = [self._program("simulate", "simulate", simulate, env)]
        self.programs["work"] = [self._program(f"work{n}", "work", [], env) for n in range(self.shape.works)]
        self.programs["serve"] = [
            self._program(f"serve{n}", "serve", ["--port", str(self.ports[n])], env) for n in range(self.shape.serves)
        ]
        for kind in ("simulate", "work", "serve"):
            for program in self.programs[kind]:
                program.start()

    def _program(self, name: str, word: str, arguments: list[str], env: dict[str, str]) -> Program:
        return Program(name, ["-m", "passerelle", word, *arguments], env, self.folder / f"{name}.log")

    def _environment(self, smpp: int) -> dict[str, str]:
        carriers = [{"host": "127.0.0.1", "port": smpp, "password": "simulator", **one} for one in self.shape.carriers]
        return (
            os.environ
            | {
                "PASSERELLE_DATABASE_URL": self.url,
                "PASSERELLE_SECRET": SECRET,
                "PASSERELLE_CALLBACK_PRIVATE": "true",
                "PASSERELLE_TEST_CLOCK": "true",
                "PASSERELLE_CARRIERS": json.dumps(carriers),
            }
            | dict(self.shape.settings)
        )

    async def answering(self, patience: float = 30.0) -> None:
        """Until every API listens."""
        deadline = time.monotonic() + patience
        for port in self.ports[: self.shape.serves]:
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    await asyncio.sleep(0.05)

    async def watch(self) -> None:
        """A program that ends by itself is started again, and remembered."""
        while True:
            for program in self.all():
                program.look()
            await asyncio.sleep(0.5)

    def logged(self) -> dict[str, int]:
        """What the programs complained of."""
        words: Counter[str] = Counter()
        for log in sorted(self.folder.glob("*.log")):
            if log.name == "database.log":
                continue
            for line in log.read_text(errors="replace").splitlines():
                if line.startswith("Traceback"):
                    words[f"{log.stem}: traceback"] += 1
                elif '"worker_failed"' in line or '"request_failed"' in line:
                    told = json.loads(line)
                    words[f"{log.stem}: {told['event']} {told.get('room', '')} {told.get('error', '')}"] += 1
        return dict(words)

    async def end(self) -> None:
        """SIGTERM to all, in order."""
        for program in self.all():
            await asyncio.to_thread(program.end)


async def connected(url: str, patience: float = 60.0) -> None:
    """Until the database answers."""
    deadline = time.monotonic() + patience
    while True:
        try:
            connection = await asyncpg.connect(url, timeout=5)
            await connection.fetchval("select 1")
            await connection.close()
            return
        except (OSError, asyncpg.PostgresError, TimeoutError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


async def until_zero(db: Database, query: str, deadline: float) -> int:
    """Ask until the count is zero or the deadline (monotonic seconds) is over; the last count."""
    while True:
        left = int(await patiently(lambda: db.fetchval(query), math.inf))
        if not left or time.monotonic() > deadline:
            return left
        await asyncio.sleep(0.3)
