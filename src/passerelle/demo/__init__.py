"""`up`: the whole platform on one machine, with a demo account and a simulated operator.

It owns the embedded PostgreSQL and the other programs as child processes: one that dies is started again, and all of
them end with it, whatever ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag

from ..app import ground
from ..pipeline.accounts import Accounts
from ..pipeline.rental_import import fill_with_examples
from ..settings import Settings
from ..store import accounts as account_rows
from ..store import ledger
from ..store.database import Database
from ..store.embedded import EmbeddedServer
from ..store.installation import DatabaseServerError
from ..store.migrations import MigrationError, migrate
from .children import Child, die_with_us, start_children
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
    running,
    write_demo,
)

__all__ = ["EMAIL", "CannotStart", "NotUp", "Places", "die_with_us", "run", "running"]

EMAIL = "demo@example.org"
CREDIT = 2_000_000_000  # micro-euros
PEOPLE = 2_000  # of the contact base, none of whom exists


async def demo_account(settings: Settings) -> tuple[int, str]:
    """The demo account and its key, made at the first start with credit to play with."""
    async with ground(settings, size=2) as base:
        now = datetime.now(UTC)
        await fill_with_examples(base.db, PEOPLE, now)
        found = await account_rows.id_of(base.db, EMAIL)
        if found is None:
            account, key = await base.accounts.create(
                EMAIL, now=now, firstname="Alix", lastname="Martin", key=settings.demo_key or None
            )
            await base.accounts.credit(account.id, CREDIT, now, "demo")
            return account.id, key
        key = await _unsealed(base.accounts, found, settings)
        if await ledger.balance(base.db, found) < CREDIT // 10:
            await base.accounts.credit(found, CREDIT, now, "demo, again")
        return found, key


async def _unsealed(accounts: Accounts, account: int, settings: Settings) -> str:
    try:
        return await accounts.key(account) or await accounts.new_key(account)
    except InvalidTag:
        raise CannotStart(
            f"the keys in this database were sealed with another master secret: unset PASSERELLE_SECRET, or put the "
            f"file {settings.data / 'secret'} back"
        ) from None


async def run(settings: Settings, tell: Callable[[str], None], welcome: Callable[[Places, str], None]) -> None:
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
        url = await server.start()
        forget_demo(settings.data)
        for name in await migrate(url):
            tell(f"database: {name}")
        settings = demo_settings(settings, where, url)
        account, key = await demo_account(settings)
        children = start_children(where, settings)
        await _until_ready(where, children, url, stop)
        if not stop.is_set():
            write_demo(where, account, key, settings.test_clock)
            welcome(where, key)
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
