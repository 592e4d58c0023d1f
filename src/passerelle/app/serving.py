"""`serve` answers HTTP; any number of these on one database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib import resources
from pathlib import Path

import uvicorn

from .. import telemetry
from ..domain import links
from ..pipeline.api_keys import ApiKeys
from ..pipeline.campaigns import Campaigns
from ..pipeline.keys import Keyring
from ..pipeline.submit import Submitter
from ..pipeline.webhooks import Webhooks
from ..settings import SettingError, Settings
from ..surfaces import health, rcs_events
from ..surfaces.beyond import Beyond, Factory
from ..surfaces.door import Door
from ..surfaces.http import App, Dialects, Limits, Surface
from ..surfaces.primotexto.routes import Primotexto
from ..surfaces.smspartner.calls import Services
from ..surfaces.smspartner.routes import SmsPartner
from . import WORDINGS, Ground, ground, readiness, settle_down
from .listening import server_config

HTTP_PATIENCE = 4.0  # seconds that a call waits for a database that is away: clients give up after ten


def beyond(base: Ground, submitter: Submitter, is_ready: Callable[[], Awaitable[bool]]) -> Beyond:
    """What stands behind the dialects, by prefix; a factory imports what it needs when it is called."""
    robots = known_robots(base.settings)
    routes: dict[str, Factory] = {
        "/api/v1": lambda: native(base, submitter),
        "/signup": lambda: signup_page(base),
        links.PATH: lambda: link_pages(base, robots),
    }
    if base.settings.rcs.url:
        routes[rcs_events.PATH] = lambda: _rcs_door(base)
    hosts = {
        host.partition(":")[0]: links.PATH
        for host in (base.settings.short_link_host, *base.settings.short_link_hosts)
        if host
    }
    return Beyond(routes, health.application(is_ready, metrics=base.settings.metrics), hosts)


def link_pages(base: Ground, robots: links.Robots) -> App:
    """Short and tracked links, and what stands behind them."""
    from ..pipeline.inbound import Inbound
    from ..pipeline.stop_links import StopLinks
    from ..pipeline.teller import Teller
    from ..surfaces.pages.links import application

    teller = Teller(base.accounts, WORDINGS, None, base.accounts.listeners)
    inbound = Inbound(base.db, teller, base.settings, base.clock)
    return application(base.db, base.clock, robots, StopLinks(base.db, inbound, teller, base.clock))


def known_robots(settings: Settings) -> links.Robots:
    """Who is no reader. Raises SettingError where the list of the operator cannot be read."""
    if not settings.robots_file:
        listed = (resources.files("passerelle.surfaces.pages") / "robots.txt").read_text(encoding="utf-8")
        return links.Robots(listed)
    try:
        return links.Robots(Path(settings.robots_file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError("robots_file", f"it cannot be read: {error}") from None


def signup_page(base: Ground) -> App:
    """The page behind the link of an invitation."""
    from ..surfaces.pages.signup import application

    return application(base.db, base.clock, base.settings.site)


def _rcs_door(base: Ground) -> App:
    settings = base.settings.rcs
    return rcs_events.RcsEvents(base.db, base.clock, settings.agent_id, settings.events_token)


def native(base: Ground, submitter: Submitter) -> App:
    """The native API; called when the program has started, in a thread."""
    from ..surfaces.native.application import application
    from ..surfaces.native.calls import Services

    services = Services(
        db=base.db,
        door=Door(base.db, base.accounts, base.clock),
        accounts=base.accounts,
        keys=ApiKeys(base.db, Keyring(base.settings.secret)),
        webhooks=Webhooks(base.db, Keyring(base.settings.secret)),
        submitter=submitter,
        campaigns=Campaigns(base.db, submitter, base.links.address, base.clock),
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
        Primotexto(base.db, door, submitter, base.clock, base.links.address),
    ]
    limits = Limits(
        hosts=dict(settings.hosts), trusted_proxies=tuple(settings.trusted_proxies), max_body=settings.max_body
    )
    return Dialects(surfaces, behind, limits)


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
        behind = beyond(base, submitter, readiness(base))
        beside = [
            asyncio.create_task(submitter.run()),
            asyncio.create_task(behind.warm()),
        ]

        config = server_config(settings, dialects(base, submitter, behind), settings.port)
        telemetry.log(telemetry.Event.STARTED, program="serve", host=settings.host, port=settings.port)
        await uvicorn.Server(config).serve()
        for task in beside:
            task.cancel()
        telemetry.log(telemetry.Event.STOPPED, program="serve")
