"""The rooms joined: what stands on the ground, who is asked what, and one message through all of it."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from surfaces.asgi import Client

from passerelle.app import RANGES, WORDINGS, Ground, ground, readiness
from passerelle.app.serving import beyond, dialects
from passerelle.app.working import _worker
from passerelle.domain.message import Dialect
from passerelle.domain.pricing import Service
from passerelle.outbound.lookup import provider
from passerelle.outbound.webhook import Poster
from passerelle.pipeline.submit import Submitter
from passerelle.settings import CarrierSettings, SettingError, Settings
from passerelle.simulator.behaviours import Options
from passerelle.simulator.smsc import Smsc
from passerelle.store import installation_facts


def settings(url: str, **more: Any) -> Settings:
    carriers = [
        CarrierSettings(name="orange", host="h", ranges=["premium"]),
        CarrierSettings(name="sfr", host="h"),
    ]
    return Settings(**{"database_url": url, "secret": "test", "carriers": carriers} | more)


async def until(holds: Any, seconds: float = 10) -> Any:
    async with asyncio.timeout(seconds):
        while not (found := await holds()):
            await asyncio.sleep(0.01)
        return found


async def test_without_the_master_secret_nothing_starts() -> None:
    with pytest.raises(SettingError, match="secret"):
        async with ground(settings("postgresql://nowhere", secret="")):
            raise AssertionError("it started")


async def test_carriers_keep_their_numbers_and_say_what_they_take(database_url: str) -> None:
    async with ground(settings(database_url)) as base:
        first = base.carrier_ids
        assert [(route.carrier_id, route.services) for route in base.routes()] == [
            (first["orange"], {Service.PREMIUM}),
            (first["sfr"], {Service.PREMIUM, Service.ECO}),
        ]
    turned = settings(database_url)
    async with ground(msgspec.structs.replace(turned, carriers=turned.carriers[::-1])) as base:
        assert base.carrier_ids == first
        assert [route.carrier_id for route in base.routes()] == [first["sfr"], first["orange"]]
    assert set(RANGES.values()) == {Service.PREMIUM, Service.ECO}


async def test_protected_senders_are_those_of_the_settings(database_url: str) -> None:
    async with ground(settings(database_url, protected_senders=["La Poste"])) as base:
        account, _ = await base.accounts.create("bakery@example.org", now=base.clock.now())
        fresh = await base.accounts.by_id(account.id)
        assert fresh is not None and fresh.refused_senders == {"LAPOSTE"}


async def test_the_test_clock_moves_under_every_process(database_url: str) -> None:
    async with ground(settings(database_url, test_clock=True)) as base, ground(settings(database_url)) as real:
        await installation_facts.set_clock_offset(base.db, 86_400)

        async def moved() -> bool:
            return base.clock.now() - real.clock.now() > timedelta(hours=23)

        assert await until(moved)
        assert real.clock.offset == 0, "only where the setting says so"


LATE = {"aiohttp", "aiosmtplib", "cyclopts", "holidays", "jinja2", "litestar", "rich"}
EARLY = {"passerelle.app": set(), "passerelle.app.serving": set(), "passerelle.app.working": {"aiohttp"}}


@pytest.mark.parametrize("module", EARLY)
def test_a_program_starts_without_what_it_may_never_need(module: str) -> None:
    """Imports are most of a start: what takes long comes with the first who needs it."""
    ask = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout.split()
    assert LATE.intersection(loaded) == EARLY[module]


def test_every_dialect_with_messages_is_worded() -> None:
    assert {Dialect.SMSPARTNER, Dialect.PRIMOTEXTO} <= WORDINGS.keys()


# --- who is asked what ---------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def served(url: str, **more: Any) -> AsyncIterator[tuple[Ground, Client]]:
    async with ground(settings(url, **more)) as base:
        submitter = Submitter(base.db, base.accounts, base.routes(), base.clock)
        writing = asyncio.create_task(submitter.run())
        yield base, Client(dialects(base, submitter, beyond(base, submitter, readiness(base))))
        writing.cancel()


async def test_paths_and_hosts_lead_to_their_dialect(database_url: str) -> None:
    async with served(database_url, hosts={"api.sms.example": "primotexto"}) as (_, client):
        assert (await client("GET", "/healthz")).status == 200
        assert (await client("GET", "/readyz")).status == 200
        assert (await client("GET", "/metrics")).status == 200
        assert (await client("GET", "/smspartner/v1/me?apiKey=x")).json()["code"] == 10
        assert (await client("GET", "/v1/me?apiKey=x")).json()["code"] == 10
        assert "code" in (await client("GET", "/v2/account/stats", headers={"x-primotexto-apikey": "x"})).text
        assert (await client("GET", "/nothing")).status == 404


async def test_public_pages_have_their_paths_and_short_links_a_host(database_url: str) -> None:
    async with served(database_url, short_link_host="go.example") as (base, client):
        account, _ = await base.accounts.create("bakery@example.org", now=base.clock.now())
        [link] = await base.links.shorten(account.id, ["https://example.org/a"])
        code = link.removeprefix("https://go.example/")
        for path, host in ((f"/{code}", "go.example"), (f"/l/{code}", "api.example.org")):
            answer = await client("GET", path, headers={"host": host, "user-agent": "Mozilla/5.0"})
            assert (answer.status, answer.headers["location"]) == (302, "https://example.org/a")
        lost = await client("GET", f"/{code.swapcase()}x", headers={"host": "go.example"})
        assert lost.status == 404 and lost.headers["content-type"].startswith("text/html")
        assert (await client("GET", f"/{code}")).headers["content-type"] == "application/json"
        assert await base.db.fetchval("select clicks from link") == 2


async def test_links_of_customers_have_hosts_of_their_own(database_url: str, tmp_path: Path) -> None:
    robots = tmp_path / "robots.txt"
    robots.write_text("acme\n")
    hosts = ["go.bakery.example", "go.clinic.example:8443"]
    async with served(database_url, short_link_hosts=hosts, robots_file=str(robots)) as (base, client):
        account, _ = await base.accounts.create("bakery@example.org", now=base.clock.now())
        [link] = await base.links.shorten(account.id, ["https://example.org/a"])
        code = link.rpartition("/")[2]
        assert base.links.address(code, "go.bakery.example") == f"https://go.bakery.example/{code}"
        for host, agent in zip([*hosts, "go.clinic.example"], ["Acme", "curl/8", "Mozilla/5.0"], strict=True):
            answer = await client("GET", f"/{code}", headers={"host": host, "user-agent": agent})
            assert (answer.status, answer.headers["location"]) == (302, "https://example.org/a"), host
        assert await base.db.fetchval("select clicks from link") == 2


async def test_a_list_of_robots_that_is_not_there_stops_the_start(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="setting robots_file: it cannot be read"):
        async with served(database_url, robots_file=str(tmp_path / "nothing")):
            pass


async def test_it_is_not_ready_without_its_database(database_url: str) -> None:
    async with served(database_url) as (base, client):
        await base.db.close()
        assert (await client("GET", "/readyz")).status == 503
        assert (await client("GET", "/healthz")).status == 200


# --- all of it -----------------------------------------------------------------------------------------------------


async def test_one_message_from_a_call_to_the_handset_and_back(database_url: str, tmp_path: Path) -> None:
    smsc = Smsc(journal=tmp_path / "journal", options=Options(receipt_delay=0.0))
    port = await smsc.start(port=0)
    carrier = CarrierSettings(name="simulator", host="127.0.0.1", port=port, system_id="us")
    try:
        async with served(database_url, carriers=[carrier], callback_private=True) as (base, client):
            account, key = await base.accounts.create("bakery@example.org", now=base.clock.now())
            await base.accounts.credit(account.id, 1_000_000, base.clock.now())
            async with working(base):
                sent = {"apiKey": key, "phoneNumbers": "0639980001", "message": "Votre code : 1234"}
                answer = (await client("POST", "/v1/send", sent)).json()
                assert answer["success"] is True
                query = f"/v1/message-status?apiKey={key}&phoneNumber=0639980001&messageId={answer['message_id']}"

                async def delivered() -> bool:
                    return (await client("GET", query)).json().get("statut") == "Delivered"

                assert await until(delivered)
            assert smsc.stats()["accepted"] == 1
            assert not await base.db.fetch("select from queue") and not await base.db.fetch("select from awaiting")
            assert await base.db.fetchval("select count(*) from bind where owner is not null") == 0
    finally:
        await smsc.stop()


@contextlib.asynccontextmanager
async def working(base: Ground) -> AsyncIterator[None]:
    poster = Poster(allow_private=True)
    asked = provider(base.settings.hlr)
    worker, loops = _worker(base, poster, asked, base.accounts)
    tasks = [asyncio.create_task(one) for one in loops]
    try:
        yield
        await worker.stop()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await poster.close()
        await asked.close()
