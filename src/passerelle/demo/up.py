"""The life of `up`: start everything, keep it running, end it in order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import msgspec

from ..settings import Settings
from ..store.database import Database
from ..store.embedded import EmbeddedServer
from ..store.installation import DatabaseServerError
from ..store.migrations import MigrationError, migrate
from .children import Child, start_children
from .places import (
    CannotStart,
    NotUp,
    Places,
    choose_places,
    data_folder,
    demo_settings,
    forget_demo,
    is_up,
    read_demo,
    write_demo,
)


async def run(settings: Settings, tell: Callable[[str], None], welcome: Callable[[Places, str, str], None]) -> None:
    """Start everything, say where it is, keep it up until a signal. Raises CannotStart."""
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    settings = msgspec.structs.replace(settings, data=data_folder(settings))
    _refuse_second(settings.data)
    where = choose_places(settings)
    server = EmbeddedServer(settings.data / "postgres")
    children: list[Child] = []
    try:
        children = start_children(where, settings)
        loading = asyncio.create_task(asyncio.to_thread(import_module, ".account", __package__))
        url = await server.start()
        forget_demo(settings.data)
        for name in await migrate(url):
            tell(f"database: {name}")
        settings = demo_settings(settings, where, url)
        account, key, native = await (await loading).demo_account(settings)
        for child in children:
            child.begin(settings)
        await _until_ready(where, children, url, stop)
        if not stop.is_set():
            write_demo(where, account, key, settings.test_clock, native)
            welcome(where, key, native)
        while not stop.is_set():
            for told in filter(None, [child.look() for child in children]):
                tell(told)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.5)
    except (DatabaseServerError, MigrationError) as error:
        raise CannotStart(f"the database does not start: {error}") from error
    finally:
        await _end(children, server)


async def _end(running: list[Child], server: EmbeddedServer) -> None:
    """In order: those who use the operator, the operator, the database."""
    await asyncio.gather(*(asyncio.to_thread(child.end) for child in running if child.name != "simulate"))
    for child in running:
        child.end()
    await server.stop()


def _refuse_second(data: Path) -> None:
    """One platform a data folder."""
    try:
        facts = read_demo(data) if is_up(data) else None
    except NotUp as why:
        raise CannotStart(str(why)) from None
    if facts is not None:
        raise CannotStart(
            f"Passerelle is already up on {data}: its APIs are at {facts['base_url']} (process {facts['pid']}). "
            "Stop it with Ctrl-C, or start another one with --data and --port"
        )


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
            await asyncio.sleep(0.02)
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
