"""From settings to running services: the only room that knows everybody.

`serve` answers HTTP, `work` moves messages; any number of each may run against one database.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import uuid_utils
import uvicorn

from . import telemetry
from .clock import Clock
from .domain.message import Dialect
from .domain.pricing import Service
from .domain.rcs_names import CARRIER as RCS
from .domain.routing import Route
from .outbound.carrier import Line
from .outbound.google_token import tokens
from .outbound.lookup import Provider, provider
from .outbound.rcs import RcsCarrier
from .outbound.smpp import SmppCarrier
from .outbound.webhook import Poster
from .pipeline.accounts import Accounts
from .pipeline.api_keys import ApiKeys
from .pipeline.callbacks import Callbacks
from .pipeline.contact_import import take_up
from .pipeline.dispatch import Dispatcher
from .pipeline.failover import Failover
from .pipeline.housekeeping import Housekeeping
from .pipeline.inbound import Inbound
from .pipeline.keys import Keyring
from .pipeline.links import Links
from .pipeline.mails import Outbox
from .pipeline.rcs import Rcs
from .pipeline.rcs import chores as rcs_chores
from .pipeline.receipts import Receipts
from .pipeline.rental import Builder
from .pipeline.subaccounts import settle_removed
from .pipeline.submit import Submitter
from .pipeline.teller import Teller
from .pipeline.verifications import Verifications
from .pipeline.wording import Wording
from .pipeline.worker import Worker, chores
from .settings import SettingError, Settings
from .store import carriers, installation_facts, retention
from .store.database import PATIENCE, Database
from .store.numbering import month_of
from .surfaces import health, rcs_events
from .surfaces.beyond import Beyond, Factory
from .surfaces.door import Door
from .surfaces.http import App, Dialects, Limits, Surface
from .surfaces.native import wire as native_wire
from .surfaces.primotexto import wire as primotexto_wire
from .surfaces.primotexto.routes import Primotexto
from .surfaces.protocol import LenientProtocol
from .surfaces.smspartner import notifications
from .surfaces.smspartner.calls import Services
from .surfaces.smspartner.routes import SmsPartner

HTTP_PATIENCE = 4.0  # seconds that a call waits for a database that is away: clients give up after ten
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
        host, site = self.settings.short_link_host, self.settings.site
        self.links = Links(self.db, self.clock, host=host, site=site)

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


# --- HTTP ----------------------------------------------------------------------------------------------------------


def beyond(base: Ground, submitter: Submitter, is_ready: Callable[[], Awaitable[bool]]) -> Beyond:
    """What stands behind the dialects, by prefix; a factory imports what it needs when it is called."""
    routes: dict[str, Factory] = {"/api/v1": lambda: native(base, submitter), "/signup": lambda: signup_page(base)}
    if base.settings.rcs.url:
        routes[rcs_events.PATH] = lambda: _rcs_door(base)
    return Beyond(routes, health.application(is_ready, metrics=base.settings.metrics))


def signup_page(base: Ground) -> App:
    """The page behind the link of an invitation."""
    from .surfaces.pages.signup import application

    return application(base.db, base.clock, base.settings.site)


def _rcs_door(base: Ground) -> App:
    settings = base.settings.rcs
    return rcs_events.RcsEvents(base.db, base.clock, settings.agent_id, settings.events_token)


def native(base: Ground, submitter: Submitter) -> App:
    """The native API; called when the program has started, in a thread."""
    from .surfaces.native.application import application
    from .surfaces.native.calls import Services

    services = Services(
        db=base.db,
        door=Door(base.db, base.accounts, base.clock),
        accounts=base.accounts,
        keys=ApiKeys(base.db, Keyring(base.settings.secret)),
        submitter=submitter,
        clock=base.clock,
        settings=base.settings,
        routes=base.routes(),
        carriers={number: name for name, number in base.carrier_ids.items()},
    )
    return application(services)


def dialects(base: Ground, submitter: Submitter, behind: App) -> Dialects:
    """The ASGI application of `serve`."""
    settings = base.settings
    door = Door(base.db, base.accounts, base.clock)
    surfaces: list[Surface] = [
        SmsPartner(
            Services(
                base.db,
                door,
                base.accounts,
                submitter,
                base.clock,
                group_add_code=settings.group_add_code,
                contact_page=settings.contact_page,
                rcs=bool(settings.rcs.url),
                shorten=base.links.shorten if settings.short_link_host else None,
                address=base.links.address,
            )
        ),
        Primotexto(base.db, door, submitter, base.clock),
    ]
    limits = Limits(
        hosts=dict(settings.hosts), trusted_proxies=tuple(settings.trusted_proxies), max_body=settings.max_body
    )
    return Dialects(surfaces, behind, limits)


def _readiness(base: Ground) -> Callable[[], Awaitable[bool]]:
    async def is_ready() -> bool:
        async with asyncio.timeout(2):
            return bool(await base.db.fetchval("select true"))

    return is_ready


def _uvicorn(settings: Settings, application: Any, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        host=settings.host,
        port=port,
        http=LenientProtocol,
        ws="none",
        lifespan="off",
        access_log=False,  # keys travel in query strings
        log_config=None,
        log_level="error",  # who sends no HTTP writes no line of ours
        server_header=False,
        proxy_headers=False,  # `trusted_proxies` decides
        backlog=2048,
        timeout_graceful_shutdown=5,
    )


class _Beside(uvicorn.Server):
    """A server in a program that handles signals itself."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


MOST_FILES = 65_536


def settle_down() -> None:
    """What was loaded stays: the collector looks only at what comes, and less often, as most of it dies by itself.

    And as many connections may be open as the machine allows: 1,024, the usual limit, are soon somebody's alone.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_FILES if most < 0 else min(most, MOST_FILES), most))
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def serve(settings: Settings) -> None:
    """Answer HTTP until told to stop."""
    settle_down()
    async with ground(settings, patience=HTTP_PATIENCE) as base:
        submitter = Submitter(
            base.db,
            base.accounts,
            base.routes(),
            base.clock,
            validity=timedelta(hours=settings.validity_hours),
            wordings=WORDINGS,
        )
        behind = beyond(base, submitter, _readiness(base))
        beside = [
            asyncio.create_task(submitter.run()),
            asyncio.create_task(behind.warm()),
            asyncio.create_task(base.links.run()),
        ]

        config = _uvicorn(settings, dialects(base, submitter, behind), settings.port)
        telemetry.log(telemetry.Event.STARTED, program="serve", host=settings.host, port=settings.port)
        await uvicorn.Server(config).serve()
        for task in beside:
            task.cancel()
        with contextlib.suppress(Exception):  # a database that is away at the end keeps nobody
            await base.links.flush()
        telemetry.log(telemetry.Event.STOPPED, program="serve")


# --- work ----------------------------------------------------------------------------------------------------------


async def work(settings: Settings, bind_owner: UUID | None = None) -> None:
    """Move messages until told to stop. `bind_owner`: under which name binds are held; by itself a new one."""
    settle_down()
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    poster = Poster(allow_private=settings.callback_private)
    async with ground(settings, size=12) as base, contextlib.AsyncExitStack() as ending:
        ending.push_async_callback(poster.close)
        aside = await Database.open(settings.database_url, size=2)  # rules are read inside transactions of the others
        ending.push_async_callback(aside.close)
        asked = provider(settings.hlr)
        ending.push_async_callback(asked.close)
        accounts = Accounts(aside, Keyring(settings.secret), settings)
        worker, running = _worker(base, poster, asked, accounts, bind_owner)
        telemetry.log(telemetry.Event.STARTED, program="work", carriers=[c.name for c in settings.carriers])
        if settings.work_port:
            health_only = health.application(_readiness(base), metrics=settings.metrics)
            running.append(_Beside(_uvicorn(settings, health_only, settings.work_port)).serve())
        tasks = [asyncio.create_task(one) for one in running]
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        await worker.stop()
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        telemetry.log(telemetry.Event.STOPPED, program="work")
    for error in ended:
        if isinstance(error, Exception):
            raise error


def _worker(
    base: Ground, poster: Poster, asked: Provider, accounts: Accounts, bind_owner: UUID | None = None
) -> tuple[Worker, list[Any]]:
    """The loops of `work`."""
    settings, db, clock = base.settings, base.db, base.clock
    owner = UUID(str(uuid_utils.uuid4()))
    callbacks = Callbacks(db, poster, accounts, clock)
    teller = Teller(accounts, WORDINGS, callbacks.offer)
    validity = timedelta(hours=settings.validity_hours)
    failover = Failover(accounts, base.routes(), ttl=timedelta(seconds=settings.rcs.ttl), validity=validity)
    dispatcher = Dispatcher(
        db,
        clock,
        teller,
        owner,
        failover=failover,
        lease=timedelta(seconds=settings.lease_seconds),
        validity=validity,
    )
    receipts = Receipts(db, clock, teller, wait=timedelta(hours=settings.receipt_wait_hours))
    inbound = Inbound(db, teller, settings, clock)
    housekeeping = Housekeeping(db, settings, clock)
    regular = chores(db, dispatcher, receipts, inbound, clock.now)
    regular.append((1.0, lambda: housekeeping.tick(clock.now())))
    regular.append((1.0, lambda: take_up(db, clock)))
    outbox = Outbox(db, accounts.keyring, settings.mail, clock)
    regular += [(2.0, outbox.carry), (10.0, lambda: settle_removed(db, clock.now()))]
    regular.append((1.0, Builder(db, accounts, clock, notifications.rental).run))
    told = notifications.check(settings.hlr_error == "group")
    regular.append((0.5, Verifications(db, asked, teller, told, clock).run))
    rcs = _rcs_carrier(settings, clock, lambda: worker.wake()) if settings.rcs.url else None
    if rcs is not None:
        agent, words = settings.rcs.agent_id, settings.stop_words
        regular += rcs_chores(Rcs(db, clock, teller, inbound, failover, rcs.revoke, agent, words))
    worker = Worker(db, bind_owner or owner, dispatcher, receipts, inbound, regular)
    lines: list[Line] = [
        SmppCarrier(one, base.carrier_ids[one.name], settings.short_code, clock, worker.wake, worker.bind_changed)
        for one in settings.carriers
    ]
    worker.serve(lines + ([] if rcs is None else [rcs]))
    return worker, [worker.run(), callbacks.run()]


def _rcs_carrier(settings: Settings, clock: Clock, wake: Callable[[], None]) -> RcsCarrier:
    """Raises SettingError where the credentials cannot be used."""
    rcs = settings.rcs
    try:
        given = tokens(rcs.token, rcs.credentials_file)
    except ValueError as error:
        raise SettingError("rcs.credentials_file", str(error)) from None
    return RcsCarrier(rcs.url, rcs.agent_id, given, clock, wake, ttl=timedelta(seconds=rcs.ttl), window=rcs.window)
