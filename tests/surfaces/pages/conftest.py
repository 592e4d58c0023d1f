"""The public pages on a socket, and one account behind them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape
from typing import Any

import aiohttp
import pytest
import uvicorn
from conftest import created
from domain.test_links import ROBOTS
from domain.test_surveys import PAGE
from pipeline.world import PRIMOTEXTO, World, opened

from passerelle.app import WORDINGS
from passerelle.clock import ManualClock
from passerelle.domain.message import Dialect, OutcomeKind
from passerelle.domain.surveys import State, Survey
from passerelle.domain.tracking import Target
from passerelle.pipeline import surveys
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.inbound import Inbound
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.stop_links import StopLinks
from passerelle.pipeline.teller import Teller
from passerelle.pipeline.visits import Visits
from passerelle.settings import Settings
from passerelle.store import statistics, tracking
from passerelle.store import surveys as rows
from passerelle.store.database import Database
from passerelle.surfaces.pages.links import application

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
PHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Safari/604.1"}
PREVIEW = {"user-agent": "WhatsApp/2.23.20.0"}
CODE = "Ab12cd34"
NUMBERS = (33639980001, 33639980002)


@dataclass
class Stand:
    """The pages on a socket, and one account behind them."""

    db: Database
    clock: ManualClock
    account: int
    url: str
    session: aiohttp.ClientSession

    async def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str, Any]:
        named = PHONE | {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(method, self.url + path, headers=named, allow_redirects=False) as answer:
            return answer.status, unescape(await answer.text()), answer.headers

    async def post(self, path: str, form: Any, **headers: str) -> tuple[int, str, Any]:
        named = PHONE | {name.replace("_", "-"): value for name, value in headers.items()}
        pairs = [(n, v) for n, vs in form.items() for v in (vs if isinstance(vs, list) else [vs])]
        async with self.session.post(self.url + path, data=pairs, headers=named, allow_redirects=False) as answer:
            return answer.status, unescape(await answer.text()), answer.headers

    async def survey(self, survey: Survey = PAGE, code: str = CODE, test: bool = False, **changes: Any) -> rows.Stored:
        made = await surveys.create(self.db, self.account, replace(survey, **changes), ["STOP"], self.clock.now())
        assert isinstance(made, rows.Stored), made
        stored = await surveys.set_state(self.db, made, State.OPEN)
        async with self.db.transaction() as connection:
            await rows.invite(connection, stored, test, self.clock.now(), [(made.id, 33639980001, code)])
        return stored

    async def invitation(self, code: str = CODE) -> rows.Invitation:
        found = await rows.by_code(self.db, code)
        assert found is not None
        return found

    async def answers(self) -> list[tuple[Any, ...]]:
        found = await self.db.fetch("select question, choices, text, test from answer order by question")
        return [(n, list(choices), text, test) for n, choices, text, test in found]


@pytest.fixture(scope="module")
async def shared(database_server: str, database_template: str) -> AsyncIterator[Database]:
    """One for all tests here, which empty it: a fresh one for each would take longer."""
    async with created(database_server, database_template) as url:
        database = await Database.open(url, size=8)
        yield database
        await database.close()


def pages(db: Database, clock: ManualClock, accounts: Accounts) -> Any:
    """The application as `serve` makes it."""
    teller = Teller(accounts, WORDINGS, None, accounts.listeners)
    stops = StopLinks(db, Inbound(db, teller, accounts.settings, clock), teller, clock)
    return application(db, clock, ROBOTS, stops)


@contextlib.asynccontextmanager
async def served(app: Any) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as session:
        yield f"http://127.0.0.1:{port}", session
    server.should_exit = True
    await serving


@pytest.fixture
async def stand(shared: Database) -> AsyncIterator[Stand]:
    clock, db = ManualClock(NOW), shared
    await db.execute("delete from link; delete from survey; delete from wallet; delete from account")
    accounts = Accounts(db, Keyring("test"), Settings())
    account, _ = await accounts.create("bakery@example.org", now=NOW)
    async with served(pages(db, clock, accounts)) as (url, session):
        yield Stand(db, clock, account.id, url, session)


@dataclass
class Shop(Stand):
    """The same with a campaign of two messages, and what counts its visits."""

    world: World
    visits: Visits

    async def link(self, *targets: Target, tag_key: str = "soldes") -> list[str]:
        """A link of the first message to each target; the second has others."""
        first = await self.db.fetchval("select max(id) from submission")
        ids = await tracking.add_targets(self.db, self.account, first, Dialect.PRIMOTEXTO, tag_key, targets, NOW)
        codes = [[f"Link{n}{place}aa" for n in range(len(targets))] for place in range(2)]
        assert await self.world.link(ids, codes)
        return codes[0]

    async def figures(self, tag: str = "soldes") -> dict[str, int]:
        """What is counted, without what is 0."""
        await self.visits.count()
        c = await statistics.counters(self.db, self.account, Dialect.PRIMOTEXTO, tag)
        names = ("opens", "openers", "clicks", "clickers", "visits", "seconds", "unsubscribers")
        return {name: getattr(c, name) for name in names if getattr(c, name)}


@pytest.fixture
async def shop(shared: Database) -> AsyncIterator[Shop]:
    async with opened(shared, NOW) as world:
        account = await world.account()
        await world.send(account, *NUMBERS, profile=PRIMOTEXTO, tag="soldes", tag_key="soldes", campaign_name="Soldes")
        for part in await world.pump():
            await world.record(part, OutcomeKind.SENT, f"id{part.phone}")
        await world.db.execute("delete from event")
        async with served(pages(shared, world.clock, world.accounts)) as (url, session):
            yield Shop(
                shared, world.clock, account.id, url, session, world, Visits(shared, world.teller, world.clock)
            )  # fmt: skip
