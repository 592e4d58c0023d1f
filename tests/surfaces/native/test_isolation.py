"""Every call, whoever adds it: nobody comes in without its scope, and nobody else's ids lead anywhere."""

from __future__ import annotations

from typing import Any

import msgspec
from surfaces.asgi import Client
from surfaces.native.campaigning import written
from surfaces.native.conftest import PHONE, TUESDAY, Desk, problem

from passerelle.domain.scopes import SCOPES
from passerelle.domain.tokens import text20
from passerelle.store.database import Database
from passerelle.surfaces.native.application import FAMILIES
from passerelle.surfaces.native.openapi import example

ENDPOINTS = [one for family in FAMILIES for one in family.HANDLERS]


async def bodies(desk: Desk) -> dict[str, Any]:
    """Call -> a body that fits its description."""
    told = (await Client(desk.app)("GET", "/api/v1/openapi.json")).json()
    found = {}
    for one in ENDPOINTS:
        content = told["paths"][f"/api/v1{one.path}"][one.method.lower()].get("requestBody", {}).get("content", {})
        if "application/json" in content:
            schema = content["application/json"]["schema"]
            found[one.name] = example(told["components"]["schemas"], schema)
    return found


async def test_every_call_wants_its_scope(desk: Desk) -> None:
    asked = await bodies(desk)
    for one in ENDPOINTS:
        target = one.path.replace("{", "").replace("}", "")
        nobody = Desk(desk.app, desk.services, desk.clock, desk.account, "")
        assert problem(await nobody(one.method, target, asked.get(one.name))) == (401, "key-missing"), one.name
    for scope in {one.scope for one in ENDPOINTS}:
        others = await desk.with_key(*(SCOPES.keys() - {scope}))
        for one in (each for each in ENDPOINTS if each.scope == scope):
            target = one.path.replace("{", "").replace("}", "")
            assert problem(await others(one.method, target, asked.get(one.name))) == (403, "scope"), one.name


async def rows(db: Database, account_id: int) -> dict[str, list[str]]:
    """Everything that belongs to an account."""
    tables = await db.fetch(
        "select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid"
        " where a.attname = 'account_id' and c.relkind in ('r', 'p') and not c.relispartition order by 1"
    )
    found = {}
    for table in tables:
        every = await db.fetch(f"select t::text from {table['name']} t where account_id = $1", account_id)
        found[table["name"]] = sorted(row[0] for row in every)
    return found


async def furnish(desk: Desk) -> list[str]:
    """The bakery has something of most things; what others might name of it, which are the ids of nothing else."""
    for table, first in (("webhook_endpoint", 7_000_001), ("native_key", 8_000_001)):
        await desk.db.execute(f"select setval(pg_get_serial_sequence('{table}', 'id'), {first})")
    sent = await desk.post("/messages", {"to": [PHONE], "text": "Secret", "send_at": "2026-11-11T10:00:00Z"}, 201)
    tried = await desk.post("/messages", {"to": [PHONE], "text": "Secret", "sandbox": True}, 201)
    made = [await desk.post(path, body, 201) for path, body in (
        ("/webhooks", {"url": "https://shop.example/", "description": "Secret"}),
        ("/keys", {"name": "Secret", "scopes": ["*"]}),
        ("/groups", {"name": "Secret"}),
    )]  # fmt: skip
    made += [await written(desk, name="Secret", text="Secret") for _ in range(2)]
    await desk.post(f"/campaigns/{made[-1]['id']}/launch", status=201)
    await desk.post("/stop-list", {"phone": PHONE}, 201)
    await desk.db.execute(
        "insert into reply (account_id, token, phone, recipient, text, at, stop)"
        " values ($1, 'xxxxxxxxxxxx', $2, '36000', 'Secret', $3, false)", desk.account.id, int(PHONE[1:]), TUESDAY,
    )  # fmt: skip
    ids = [one["id"] for one in (sent, tried, *made)] + [one["id"] for one in (*sent["messages"], *tried["messages"])]
    ids += [made[-1]["to"]["list"], str(await desk.db.fetchval("select submission_id from campaign where state = 1"))]
    return sorted({*ids, PHONE, str(desk.account.id), text20(b"xxxxxxxxxxxx")})


async def test_what_is_the_bakerys_is_nothing_to_mallory(desk: Desk) -> None:
    mallory = await desk.open("mallory@example.org")
    ids, asked = await furnish(desk), await bodies(desk)
    before = await rows(desk.db, desk.account.id)
    for one in ENDPOINTS:
        names = ids if one.variables else [""]
        for name in names:
            target = one.path
            for variable in one.variables:
                target = target.replace(f"{{{variable}}}", name)
            answer = await mallory(one.method, target, asked.get(one.name))
            assert answer.status < 500, (one.name, name, answer.text)
            assert "Secret" not in answer.text, (one.name, name)
            if one.variables and answer.status < 300:
                told = msgspec.json.decode(answer.body) if answer.body else {}
                assert one.path.startswith(("/stop-list", "/numbers")), (one.name, name, told)
    assert await rows(desk.db, desk.account.id) == before
