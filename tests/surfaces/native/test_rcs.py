"""RCS in the native API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from surfaces.native.conftest import PHONE, Desk, problem

from passerelle.domain.message import Dialect
from passerelle.domain.rcs_names import CARRIER
from passerelle.domain.routing import Route
from passerelle.settings import RcsSettings, Settings
from passerelle.surfaces.native.application import application

HELLO = {"text": "Bonjour"}
PROVIDER = RcsSettings(url="http://127.0.0.1:1", agent_id="agent", token="t", events_token="e")


@pytest.fixture
async def desk(desk: Desk) -> AsyncIterator[Desk]:
    """With a provider."""
    desk.services.submitter._routes = [Route(CARRIER, frozenset({4})), Route(1, frozenset({1, 2}))]
    services = replace(desk.services, settings=Settings(secret="test", rcs=PROVIDER))
    yield Desk(application(services), services, desk.clock, desk.account, desk.key)


async def send(desk: Desk, status: int = 201, **body: Any) -> Any:
    return await desk.post("/rcs", {"to": [PHONE], "content": HELLO} | body, status)


async def test_a_message_costs_the_same_whatever_it_shows(desk: Desk) -> None:
    answer = await send(
        desk, to=[PHONE, "0639980002"], tag="Pain", failover={"text": "Bonjour", "sender": "MaBoutique"}
    )
    assert (answer["parts"], len(answer["messages"])) == (2, 2)
    assert await desk.balance() == 10_000_000 - 240_000
    (row,) = await desk.db.fetch("select * from submission")
    assert (row["service"], row["dialect"], row["sender"], json.loads(row["text"])) == (
        4,
        Dialect.NATIVE,
        "MaBoutique",
        HELLO,
    )
    (kept,) = await desk.db.fetch("select * from rcs_failover")
    assert (kept["account_id"], kept["submission_id"], kept["text"]) == (desk.account.id, row["id"], "Bonjour")
    assert {one["carrier_id"] for one in await desk.db.fetch("select carrier_id from queue")} == {CARRIER}


async def test_it_is_listed_beside_the_texts(desk: Desk) -> None:
    await send(desk)
    (one,) = (await desk.get("/messages"))["items"]
    assert (one["dialect"], one["state"], json.loads(one["text"])) == ("native", "accepted", HELLO)


@pytest.mark.parametrize(
    "content",
    [{}, {"text": ""}, {"text": "a", "file": {"media": {"fileUrl": "https://a.example/b.png"}}}, {"nonsense": 1}],
)
async def test_a_content_that_is_wrong(desk: Desk, content: Any) -> None:
    assert problem(await desk("POST", "/rcs", {"to": [PHONE], "content": content})) == (422, "refused")
    assert await desk.balance() == 10_000_000


async def test_who_may_not(desk: Desk) -> None:
    await desk.services.accounts.update_rules(desk.account.id, rcs=False)
    assert problem(await desk("POST", "/rcs", {"to": [PHONE], "content": HELLO}))[1] == "refused"
    assert (
        problem(await (await desk.with_key("messages:read"))("POST", "/rcs", {"to": [PHONE], "content": HELLO}))[0]
        == 403
    )


async def test_without_a_provider_there_is_no_way(desk: Desk) -> None:
    services = replace(desk.services, settings=Settings(secret="test"))
    bare = Desk(application(services), services, desk.clock, desk.account, desk.key)
    assert problem(await bare("POST", "/rcs", {"to": [PHONE], "content": HELLO}))[1] == "refused"


async def test_the_sandbox_and_a_repetition(desk: Desk) -> None:
    await send(desk, sandbox=True, failover={"text": "Bonjour"})
    assert await desk.balance() == 10_000_000 and not await desk.db.fetch("select from rcs_failover")
    body = {"to": [PHONE], "content": HELLO}
    first, again = [await desk("POST", "/rcs", body, Idempotency_Key="once") for _ in range(2)]
    assert first.body == again.body and await desk.balance() == 10_000_000 - 120_000
