"""Keys: shown once, revoked at once, never more than their maker."""

from __future__ import annotations

from typing import Any

from surfaces.native.conftest import Desk, problem
from surfaces.native.test_messages import every


async def make(desk: Desk, *scopes: str, **more: Any) -> Any:
    return await desk.post("/keys", {"name": "shop", "scopes": list(scopes), **more}, 201)


async def test_a_key_is_made_used_and_revoked(desk: Desk) -> None:
    made = await make(desk, "account:read")
    assert made["key"].startswith(made["prefix"] + "") and len(made["key"]) == 52
    stored = str(await desk.db.fetch("select t::text from native_key t"))
    assert made["key"] not in stored and made["key"][12:] not in stored
    shop = Desk(desk.app, desk.services, desk.clock, desk.account, made["key"])
    assert (await shop("GET", "/account")).status == 200
    listed = {one["id"]: one for one in await every(desk, "/keys?limit=1")}
    assert listed[made["id"]]["last_used_at"] == "2026-11-10T10:00:00Z" and "key" not in listed[made["id"]]
    assert (await desk("DELETE", f"/keys/{made['id']}")).status == 204
    assert problem(await shop("GET", "/account")) == (401, "key-unknown")
    assert problem(await desk("DELETE", f"/keys/{made['id']}")) == (404, "not-found")


async def test_its_use_is_noted_once_a_minute(desk: Desk) -> None:
    async def noted() -> Any:
        return await desk.db.fetchval("select last_used_at from native_key")

    await desk.get("/account")
    first = await noted()
    desk.clock.move(59)
    await desk.get("/account")
    assert await noted() == first
    desk.clock.move(1)
    await desk.get("/account")
    assert (await noted() - first).total_seconds() == 60


async def test_a_key_gives_no_more_than_it_has(desk: Desk) -> None:
    made = await make(desk, "keys:*", "messages:read")
    clerk = Desk(desk.app, desk.services, desk.clock, desk.account, made["key"])
    for scope in ("*", "messages:*", "messages:send", "account:read"):
        assert problem(await clerk("POST", "/keys", {"name": "x", "scopes": [scope]})) == (403, "scope")
    for scope in ("keys:*", "keys:read", "messages:read"):
        await make(clerk, scope)


async def test_a_key_that_ends_makes_none_that_outlives_it(desk: Desk) -> None:
    ends = "2026-11-10T11:00:00Z"
    made = await make(desk, "keys:*", expires_at=ends)
    clerk = Desk(desk.app, desk.services, desk.clock, desk.account, made["key"])
    for later in (None, "2026-11-10T11:00:01Z"):
        refused = await clerk("POST", "/keys", {"name": "x", "scopes": ["keys:*"], "expires_at": later})
        assert problem(refused) == (422, "invalid") and refused.json()["errors"][0]["pointer"] == "#/expires_at"
    assert (await make(clerk, "keys:*", expires_at=ends))["expires_at"] == ends


async def test_keys_that_cannot_be(desk: Desk) -> None:
    for members, pointer in (
        ({"scopes": ["fly"]}, "#/scopes/0"),
        ({"scopes": []}, "#/scopes"),
        ({"name": ""}, "#/name"),
        ({"expires_at": "2026-11-10T10:00:00Z"}, "#/expires_at"),
    ):
        refused = await desk("POST", "/keys", {"name": "x", "scopes": ["*"], **members})
        assert problem(refused) == (422, "invalid") and refused.json()["errors"][0]["pointer"] == pointer


async def test_other_accounts_keys_are_none(desk: Desk) -> None:
    made = await make(desk, "*")
    mallory = await desk.open("mallory@example.org")
    assert problem(await mallory("DELETE", f"/keys/{made['id']}")) == (404, "not-found")
    assert made["id"] not in [one["id"] for one in await every(mallory, "/keys")]
    shop = Desk(desk.app, desk.services, desk.clock, desk.account, made["key"])
    assert (await shop("GET", "/account")).status == 200
