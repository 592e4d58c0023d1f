"""`up`: the whole platform on one machine, with a demo account and a simulated operator.

It owns the embedded PostgreSQL and the other programs as child processes: one that dies is started again, and all of
them end with it, whatever ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from .app import ground
from .settings import CarrierSettings, Settings
from .store import accounts as account_rows
from .store import ledger
from .store.database import Database
from .store.embedded import AlreadyRunning, EmbeddedServer
from .store.migrations import migrate

EMAIL = "demo@example.org"
SIMULATOR = "simulator"  # begins the names of its carriers
CREDIT = 2_000_000_000  # micro-euros
QUICK = 5.0  # seconds: a program that ends sooner than that, again and again, will not run at all
TRIES = 5


class CannotStart(Exception):
    """Why the platform does not come up, and what to do."""


@dataclass(frozen=True)
class Places:
    """Where everything is."""

    data: Path
    host: str
    port: int
    smsc_port: int
    phone_port: int

    @property
    def base_url(self) -> str:
        """Of the HTTP APIs."""
        return f"http://{self.host}:{self.port}"

    @property
    def phones(self) -> str:
        """Of the simulated handsets."""
        return f"http://{self.host}:{self.phone_port}"


def free_port(host: str, wanted: int) -> int:
    """`wanted` if nobody listens there, else any free port."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.create_server((host, port)) as listening:
            return int(listening.getsockname()[1])
    raise CannotStart(f"no port is free on {host}")


def places(settings: Settings) -> Places:
    """The ports: that of the APIs as asked, the simulator's beside it where they are free."""
    with contextlib.suppress(OSError), socket.create_server((settings.host, settings.port)):
        return Places(
            settings.data.resolve(),
            settings.host,
            settings.port,
            free_port(settings.host, 2775),
            free_port(settings.host, settings.port + 1),
        )
    raise CannotStart(f"port {settings.port} is taken; choose another: up --port {free_port(settings.host, 0)}")


def master_secret(data: Path) -> str:
    """The secret of this data folder, made at the first start; only its owner may read it."""
    file = data / "secret"
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_hex(32))
    return file.read_text().strip()


def demo_settings(settings: Settings, where: Places, url: str) -> Settings:
    """The settings of the demo: two routes to the simulated operator, callbacks to this machine allowed."""
    carriers = settings.carriers or [
        CarrierSettings(
            name=f"{SIMULATOR}-{name}",
            host=where.host,
            port=where.smsc_port,
            system_id=name,
            password="simulator",
            ranges=[name],
            window=500,
        )
        for name in ("premium", "eco")
    ]
    return msgspec.structs.replace(
        settings,
        database_url=url,
        secret=settings.secret or master_secret(where.data),
        carriers=carriers,
        callback_private=True,
    )


def environment(settings: Settings) -> dict[str, str]:
    """The settings as the children read them."""
    return os.environ | {
        "PASSERELLE_DATABASE_URL": settings.database_url,
        "PASSERELLE_SECRET": settings.secret,
        "PASSERELLE_DATA": str(settings.data),
        "PASSERELLE_HOST": settings.host,
        "PASSERELLE_PORT": str(settings.port),
        "PASSERELLE_CALLBACK_PRIVATE": "true",
        "PASSERELLE_TEST_CLOCK": str(settings.test_clock).lower(),
        "PASSERELLE_CARRIERS": msgspec.json.encode(settings.carriers).decode(),
    }


async def demo_account(settings: Settings) -> tuple[int, str]:
    """The demo account and its key, made at the first start with credit to play with."""
    async with ground(settings, size=2) as base:
        now = datetime.now(UTC)
        found = await account_rows.id_of(base.db, EMAIL)
        if found is None:
            account, key = await base.accounts.create(
                EMAIL, now=now, firstname="Alix", lastname="Martin", key=settings.demo_key or None
            )
            await base.accounts.credit(account.id, CREDIT, now, "demo")
            return account.id, key
        key = await base.accounts.key(found) or ""
        if await ledger.balance(base.db, found) < CREDIT // 10:
            await base.accounts.credit(found, CREDIT, now, "demo, again")
        return found, key


# --- child processes -----------------------------------------------------------------------------------------------


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

    def __init__(self, name: str, arguments: list[str], env: dict[str, str], log: Path) -> None:
        self.name = name
        self._arguments = arguments
        self._env = env
        self._log = log
        self._failures = 0
        self._started = 0.0
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        self._started = time.monotonic()
        with open(self._log, "ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "passerelle", *self._arguments],
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C is for us: we end them in order
                preexec_fn=die_with_us(),
            )

    def look(self) -> str:
        """Start it again where it has ended; what to tell, or ''. Raises CannotStart where that does not help."""
        code = self.process.poll()
        if code is None:
            return ""
        self._failures = self._failures + 1 if time.monotonic() - self._started < QUICK else 1
        if self._failures > TRIES:
            raise CannotStart(f"{self.name} does not stay up; its last words are in {self._log}")
        self.process = self._start()
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


def children(where: Places, settings: Settings) -> list[Child]:
    """The simulated operator, the workers, the APIs."""
    env = environment(settings)
    logs = where.data / "logs"
    logs.mkdir(exist_ok=True)
    simulate = ["simulate", "--host", where.host, "--port", str(where.smsc_port), "--http-port", str(where.phone_port)]
    commands = {"simulate": [*simulate, "--data", str(where.data / "simulator")], "work": ["work"], "serve": ["serve"]}
    if not any(carrier.name.startswith(SIMULATOR) for carrier in settings.carriers):
        del commands["simulate"]
    return [Child(name, arguments, env, logs / f"{name}.log") for name, arguments in commands.items()]


# --- the life of `up` ----------------------------------------------------------------------------------------------


async def run(settings: Settings, tell: Callable[[str], None], welcome: Callable[[Places, str], None]) -> None:
    """Start everything, say where it is, keep it up until a signal. Raises CannotStart."""
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    settings.data.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):
        settings.data.chmod(0o711)  # the account that runs PostgreSQL passes through
    where = places(settings)
    server = EmbeddedServer(settings.data / "postgres")
    try:
        url = await server.start()
    except AlreadyRunning as error:
        raise CannotStart(
            f"Passerelle is already up on {settings.data} (process {error.pid}): see its demo.json"
        ) from None
    running: list[Child] = []
    try:
        for name in await migrate(url):
            tell(f"database: {name}")
        settings = demo_settings(settings, where, url)
        account, key = await demo_account(settings)
        running = children(where, settings)
        await _until_ready(where, running, url, stop)
        if not stop.is_set():
            _write_demo(where, account, key)
            welcome(where, key)
        while not stop.is_set():
            for told in filter(None, [child.look() for child in running]):
                tell(told)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.5)
    finally:
        await asyncio.gather(*(asyncio.to_thread(child.end) for child in running if child.name != "simulate"))
        for child in running:
            child.end()
        await server.stop()


async def _until_ready(
    where: Places, running: list[Child], url: str, stop: asyncio.Event, patience: float = 40
) -> None:
    """Until the APIs answer and the operator is bound."""
    db = await Database.open(url, size=1)
    deadline = time.monotonic() + patience
    try:
        while not stop.is_set():
            for child in running:
                child.look()
            if await asyncio.to_thread(_answers, f"{where.base_url}/readyz") and await _bound(db):
                return
            if time.monotonic() > deadline:
                raise CannotStart(f"the platform does not answer; see {where.data / 'logs'}")
            await asyncio.sleep(0.05)
    finally:
        await db.close()


async def _bound(db: Database) -> bool:
    return bool(await db.fetchval("select exists (select from bind where owner is not null)"))


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _write_demo(where: Places, account: int, key: str) -> None:
    """What scripts need to know, whole or not at all."""
    facts = {
        "base_url": where.base_url,
        "api_key": key,
        "account": account,
        "smsc": {"host": where.host, "port": where.smsc_port},
        "phones_url": where.phones,
        "pid": os.getpid(),
    }
    file = where.data / "demo.json"
    file.with_suffix(".new").write_text(json.dumps(facts, indent=1))
    file.with_suffix(".new").chmod(0o600)
    file.with_suffix(".new").replace(file)
