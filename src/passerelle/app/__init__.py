"""From settings to running services: the only room that knows everybody.

Here is what every program stands on. One rule: a program imports what it alone needs in a module of its own, because
imports are most of a start.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from ..clock import Clock
from ..domain.message import Dialect
from ..domain.pricing import Service
from ..domain.rcs_names import CARRIER as RCS
from ..domain.routing import Route
from ..pipeline.accounts import Accounts
from ..pipeline.keys import Keyring
from ..pipeline.links import Links
from ..pipeline.wording import Wording
from ..settings import SettingError, Settings
from ..store import carriers, installation_facts, retention
from ..store.database import PATIENCE, Database
from ..store.numbering import month_of
from ..surfaces.native import wire as native_wire
from ..surfaces.primotexto import wire as primotexto_wire
from ..surfaces.smspartner import notifications

RANGES = {"premium": int(Service.PREMIUM), "eco": int(Service.ECO)}
WORDINGS = {
    Dialect.SMSPARTNER: Wording(notifications.report, notifications.answer),
    Dialect.PRIMOTEXTO: primotexto_wire.WORDING,
    Dialect.NATIVE: native_wire.WORDING,
}


@dataclass
class Ground:
    """What every process stands on."""

    settings: Settings
    clock: Clock
    db: Database
    accounts: Accounts
    carrier_ids: dict[str, int]
    links: Links = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        self.links = Links(
            self.db, self.clock, host=settings.short_link_host, hosts=settings.short_link_hosts, site=settings.site
        )

    def routes(self) -> list[Route]:
        """What each carrier of the settings takes, in their order."""
        rcs = [Route(RCS, frozenset({int(Service.RCS)}))] if self.settings.rcs.url else []
        return rcs + [
            Route(self.carrier_ids[c.name], frozenset(RANGES[name] for name in c.ranges))
            for c in self.settings.carriers
        ]


@contextlib.asynccontextmanager
async def ground(settings: Settings, *, size: int = 8, patience: float = PATIENCE) -> AsyncIterator[Ground]:
    """Open the database. Raises SettingError where the master secret is missing."""
    if not settings.secret:
        raise SettingError("secret", "the master secret is missing: set PASSERELLE_SECRET to a long random text")
    db = await Database.open(settings.database_url, size=size, patience=patience)
    clock = Clock()
    try:
        for month in (month_of(clock.now()), month_of(clock.now()) + 1):
            await retention.make_month(db, month)
        accounts = Accounts(db, Keyring(settings.secret), settings)
        ids = await carriers.ids(db, [carrier.name for carrier in settings.carriers])
        for name in settings.protected_senders:
            await accounts.protect_sender(name)
        async with _following(clock, db) if settings.test_clock else contextlib.nullcontext():
            yield Ground(settings, clock, db, accounts, ids)
    finally:
        await db.close()


@contextlib.asynccontextmanager
async def _following(clock: Clock, db: Database) -> AsyncIterator[None]:
    """Keep the clock at the offset that the database holds."""

    async def follow() -> None:
        while True:
            with contextlib.suppress(Exception):
                clock.offset = await installation_facts.clock_offset(db)
            await asyncio.sleep(0.1)

    clock.offset = await installation_facts.clock_offset(db)
    task = asyncio.create_task(follow())
    try:
        yield
    finally:
        task.cancel()


def readiness(base: Ground) -> Callable[[], Awaitable[bool]]:
    """Whether the database answers."""

    async def is_ready() -> bool:
        async with asyncio.timeout(2):
            return bool(await base.db.fetchval("select true"))

    return is_ready


MOST_FILES = 65_536


def settle_down() -> None:
    """What was loaded stays: the collector looks only at what comes, and less often, as most of it dies by itself.
    Whoever answers need not wait long for a thread that computes.

    And as many connections may be open as the machine allows: 1,024, the usual limit, are soon somebody's alone.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_FILES if most < 0 else min(most, MOST_FILES), most))
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    sys.setswitchinterval(0.0005)
