"""Who may come in, what goes wrong and how it is told."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from surfaces.asgi import Client
from surfaces.native.conftest import TUESDAY, Desk, problem

from passerelle import telemetry
from passerelle.surfaces.native import application as native


async def test_a_key_opens_its_account(desk: Desk) -> None:
    answer = await desk("GET", "/account")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["email"] == "bakery@example.org"
    assert answer.json()["balance"] == "10.000"


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", "Basic YTpi", "pak_" + "0" * 48])
async def test_without_a_key(desk: Desk, given: str) -> None:
    answer = await Client(desk.app)("GET", "/api/v1/account", None, {"authorization": given} if given else {})
    assert problem(answer) == (401, "key-missing")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("key", ["pak_" + "0" * 48, "pak_", "x", "pak_" + "9" * 5000, "é", "0" * 32])
async def test_a_wrong_key(desk: Desk, key: str) -> None:
    desk.key = key
    assert problem(await desk("GET", "/account")) == (401, "key-unknown")


async def test_the_key_of_the_dialects_is_none_here(desk: Desk) -> None:
    desk.key = await desk.services.accounts.key(desk.account.id) or ""
    assert problem(await desk("GET", "/account")) == (401, "key-unknown")
    assert await desk.services.accounts.find(await desk.new_key("*")) is None


async def test_a_key_ends_at_its_time_and_when_it_is_revoked(desk: Desk) -> None:
    brief = await desk.with_key("*", expires_at=TUESDAY + timedelta(hours=1))
    assert (await brief("GET", "/account")).status == 200
    desk.clock.move(3600)
    assert problem(await brief("GET", "/account")) == (401, "key-unknown")


async def test_a_scope_is_needed(desk: Desk) -> None:
    other = await desk.with_key("messages:read", "contacts:*")
    assert problem(await other("GET", "/account")) == (403, "scope")
    assert (await (await desk.with_key("account:*"))("GET", "/account")).status == 200


async def test_addresses_hold(desk: Desk) -> None:
    shop = await desk.open("shop@example.org", allowed_addresses=["198.51.100.0/24"])
    assert problem(await shop("GET", "/account")) == (403, "address")


@pytest.mark.parametrize(
    ("state", "slug"), [(1, "account-disabled"), (2, "account-blocked"), (3, "account-without-api")]
)
async def test_the_state_of_the_account_holds(desk: Desk, state: int, slug: str) -> None:
    await desk.db.execute("update wallet set state = $1", state)
    assert problem(await desk("GET", "/account")) == (403, slug)


async def test_the_rate_limit_is_told(desk: Desk) -> None:
    shop = await desk.open("shop@example.org", rate_default=2)
    first = await shop("GET", "/account")
    assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == ("2", "1")
    await shop("GET", "/account")
    refused = await shop("GET", "/account")
    assert problem(refused) == (429, "too-many-requests")
    assert refused.headers["retry-after"] == "60"


async def test_what_is_not_there(desk: Desk) -> None:
    for path in ("/nothing", "", "/account/1", "/account%2f"):
        assert problem(await desk("GET", path)) == (404, "not-found")
    refused = await desk("PUT", "/account", {})
    assert problem(refused) == (405, "method")
    assert "GET" in refused.headers["allow"]


async def test_what_the_query_may_not_hold(desk: Desk) -> None:
    refused = await desk("GET", "/account?colour=red")
    assert problem(refused) == (422, "invalid")
    assert refused.json()["errors"][0]["parameter"] == "colour"


async def test_head_is_get_without_a_body(desk: Desk) -> None:
    answer = await desk("HEAD", "/account")
    assert (answer.status, answer.body) == (200, b"")


async def test_a_bug_is_told_without_its_words(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr(type(desk.services.accounts), "by_id", broken)
    answer = await desk("GET", "/account")
    assert problem(answer) == (500, "internal")
    assert "42" not in answer.text


async def test_a_database_that_is_away_is_told_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(type(desk.services.accounts), "by_id", away)
    answer = await desk("GET", "/account")
    assert problem(answer) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"


async def test_a_body_that_does_not_come_is_not_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "PATIENCE", 0.05)
    headers = [(b"authorization", f"Bearer {desk.key}".encode()), (b"content-length", b"9")]
    scope = {"type": "http", "method": "POST", "path": "/api/v1/stop-list", "raw_path": b"/api/v1/stop-list",
             "query_string": b"", "headers": headers, "client": ("192.0.2.7", 1)}  # fmt: skip
    pieces = [{"type": "http.request", "body": b"{", "more_body": True}]
    sent: list[Any] = []

    async def receive() -> Any:
        return pieces.pop() if pieces else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    await desk.app(scope, receive, send)
    assert sent[0]["status"] == 408 and b"urn:passerelle:problem:timeout" in sent[1]["body"]
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_bodies_that_only_begin_do_not_fill_the_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "PATIENCE", 0.2)
    monkeypatch.setattr(native, "HELD", 500_000)
    headers = [(b"authorization", f"Bearer {desk.key}".encode()), (b"content-length", b"200000")]
    scope = {"type": "http", "method": "POST", "path": "/api/v1/stop-list", "raw_path": b"/api/v1/stop-list",
             "query_string": b"", "headers": headers, "client": ("192.0.2.7", 1)}  # fmt: skip

    async def begun() -> int:
        pieces = [{"type": "http.request", "body": b" " * 100_000, "more_body": True}]
        sent: list[Any] = []

        async def receive() -> Any:
            return pieces.pop() if pieces else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        await desk.app(dict(scope), receive, send)
        return int(sent[0]["status"])

    answers = await asyncio.gather(*(begun() for _ in range(8)))
    assert sorted(answers) == [408] * 5 + [413] * 3
    assert desk.app._held == 0
    await desk.get("/account")


async def test_calls_are_counted(desk: Desk) -> None:
    await desk.get("/account")
    assert b'passerelle_http_requests_total{dialect="native",status="200"}' in telemetry.render()
