"""`work` moves messages; any number of these on one database."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import uuid_utils

from .. import telemetry
from ..clock import Clock
from ..outbound.carrier import Line
from ..outbound.lookup import Provider, provider
from ..outbound.smpp import SmppCarrier
from ..outbound.webhook import Poster
from ..pipeline import halting, list_import
from ..pipeline.accounts import Accounts
from ..pipeline.callbacks import Callbacks
from ..pipeline.contact_import import take_up
from ..pipeline.dispatch import Dispatcher
from ..pipeline.failover import Failover
from ..pipeline.housekeeping import Housekeeping
from ..pipeline.inbound import Inbound
from ..pipeline.keys import Keyring
from ..pipeline.mails import Outbox
from ..pipeline.rcs import Rcs
from ..pipeline.rcs import chores as rcs_chores
from ..pipeline.receipts import Receipts
from ..pipeline.rental import Builder
from ..pipeline.subaccounts import settle_removed
from ..pipeline.teller import Teller
from ..pipeline.verifications import Verifications
from ..pipeline.visits import Visits
from ..pipeline.webhooks import Webhooks
from ..pipeline.worker import Worker, chores
from ..settings import SettingError, Settings
from ..store.database import Database
from ..surfaces import health
from ..surfaces.smspartner import notifications
from . import WORDINGS, Ground, ground, readiness, settle_down

if TYPE_CHECKING:
    from ..outbound.rcs import RcsCarrier


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
            from .listening import Beside, server_config

            health_only = health.application(readiness(base), metrics=settings.metrics)
            running.append(Beside(server_config(settings, health_only, settings.work_port)).serve())
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
    webhooks = Webhooks(db, accounts.keyring)
    callbacks = Callbacks(db, poster, accounts, clock, webhooks=webhooks)
    teller = Teller(accounts, WORDINGS, callbacks.offer, accounts.listeners)
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
    regular += [(1.0, lambda: list_import.take_up(db, clock)), (10.0, lambda: list_import.tidy(db, clock))]
    regular += [(1.0, lambda: halting.carry_on(db, clock, validity)), (1.0, lambda: halting.end(db, clock, validity))]
    outbox = Outbox(db, accounts.keyring, settings.mail, clock)
    regular += [(2.0, outbox.carry), (10.0, lambda: settle_removed(db, clock.now()))]
    regular.append((1.0, Builder(db, accounts, clock, notifications.rental).run))
    told = notifications.check(settings.hlr_error == "group")
    regular.append((0.5, Verifications(db, asked, teller, told, clock).run))
    regular.append((0.5, Visits(db, teller, clock).count))
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
    from ..outbound.google_token import tokens
    from ..outbound.rcs import RcsCarrier

    rcs = settings.rcs
    try:
        given = tokens(rcs.token, rcs.credentials_file)
    except ValueError as error:
        raise SettingError("rcs.credentials_file", str(error)) from None
    return RcsCarrier(
        rcs.url,
        rcs.agent_id,
        given,
        clock,
        wake,
        ttl=timedelta(seconds=rcs.ttl),
        window=rcs.window,
        asks_first=rcs.check_capabilities,
    )
