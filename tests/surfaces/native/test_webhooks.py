"""Endpoints over the API: made, changed, rotated, pinged, their deliveries read and posted again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from surfaces.native.conftest import TUESDAY, Desk, problem
from surfaces.native.test_messages import every

from passerelle.pipeline.webhooks import MOST
from passerelle.store import webhooks
from passerelle.store.webhooks import DeliveryState, Tried

URL = "https://shop.example/hook"


async def make(desk: Desk, **members: Any) -> Any:
    return await desk.post("/webhooks", {"url": URL, **members}, 201)


def tried(desk: Desk, endpoint: str, n: int, state: DeliveryState) -> Tried:
    return Tried(
        desk.account.id, int(endpoint), str(UUID(int=n)), 7, 3, TUESDAY + timedelta(minutes=n), f"body {n}", n, 500,
        "HTTP 500", state, TUESDAY + timedelta(minutes=n), None,
    )  # fmt: skip


async def test_an_endpoint_is_made_changed_and_removed(desk: Desk) -> None:
    made = await make(desk, events=["message.*", "reply.received"], description="Shop")
    assert made["secret"].startswith("whsec_") and made["enabled"]
    assert "message.sent" not in (await make(desk))["events"]
    one = await desk.get(f"/webhooks/{made['id']}")
    assert one == {name: value for name, value in made.items() if name != "secret"}
    changed = await desk("PATCH", f"/webhooks/{made['id']}", {"enabled": False})
    assert (changed.json()["enabled"], changed.json()["disabled_why"]) == (False, "by its owner")
    assert problem(await desk("POST", f"/webhooks/{made['id']}/ping")) == (409, "conflict")
    changed = await desk("PATCH", f"/webhooks/{made['id']}", {"enabled": True, "events": ["*"]})
    assert (changed.json()["enabled"], changed.json()["events"], changed.json()["url"]) == (True, ["*"], URL)
    assert (await desk("DELETE", f"/webhooks/{made['id']}")).status == 204
    assert problem(await desk("GET", f"/webhooks/{made['id']}")) == (404, "not-found")
    assert len(await every(desk, "/webhooks?limit=1")) == 1


async def test_a_rotation_keeps_both_secrets_for_a_day(desk: Desk) -> None:
    made = await make(desk)
    told = await desk.post(f"/webhooks/{made['id']}/secret")
    assert told["old_secret_until"] == "2026-11-11T10:00:00Z" and told["secret"] != made["secret"]
    number = int(made["id"])
    assert len(await desk.services.webhooks.secrets(number, desk.clock.now())) == 2
    assert len(await desk.services.webhooks.secrets(number, desk.clock.now() + timedelta(days=1))) == 1


async def test_a_ping_waits_to_be_posted(desk: Desk) -> None:
    made = await make(desk, events=["reply.received"])
    assert (await desk("POST", f"/webhooks/{made['id']}/ping")).status == 204
    row = await desk.db.fetchrow("select * from event")
    assert row["endpoint_id"] == int(made["id"]) and '"type":"ping"' in row["body"] and row["url"] == URL


async def test_deliveries_are_listed_and_posted_again(desk: Desk) -> None:
    made = await make(desk)
    states = [DeliveryState.DELIVERED, DeliveryState.GIVEN_UP, DeliveryState.WAITING]
    await webhooks.log(desk.db, [tried(desk, made["id"], n, state) for n, state in enumerate(states, 1)])
    path = f"/webhooks/{made['id']}"
    for limit in (1, 500):
        found = await every(desk, f"{path}/deliveries?limit={limit}")
        assert [(one["state"], one["body"]) for one in found] == [
            ("waiting", "body 3"), ("given_up", "body 2"), ("delivered", "body 1"),
        ]  # fmt: skip
    assert found[0]["status"] == 500 and found[0]["type"] == "message.delivered" and found[0]["message"] == "7"
    assert len(await every(desk, f"{path}/deliveries?state=delivered")) == 1
    assert await desk.post(f"{path}/replay", {"ids": [found[2]["id"]]}) == {"deliveries": 1}
    assert await desk.post(f"{path}/replay", {"since": "2026-11-10T10:03:00Z"}) == {"deliveries": 1}
    assert await desk.post(f"{path}/replay", {"since": "2026-11-10T10:00:00Z"}) == {"deliveries": 2}
    rows = await desk.db.fetch("select uuid::text, body, state from event order by uuid")
    assert [(row["uuid"], row["body"]) for row in rows] == [(str(UUID(int=n)), f"body {n}") for n in (1, 2, 3)]
    assert problem(await desk("POST", f"{path}/replay", {})) == (422, "invalid")


async def test_endpoints_that_cannot_be(desk: Desk) -> None:
    for members, pointer in (
        ({"url": "ftp://x"}, "#/url"),
        ({"url": "https://"}, "#/url"),
        ({"events": ["message.eaten"]}, "#/events/0"),
        ({"events": []}, "#/events"),
    ):
        refused = await desk("POST", "/webhooks", {"url": URL, **members})
        assert problem(refused) == (422, "invalid") and refused.json()["errors"][0]["pointer"] == pointer
    for _ in range(MOST):
        await make(desk)
    assert problem(await desk("POST", "/webhooks", {"url": URL})) == (409, "conflict")


async def test_other_accounts_endpoints_are_none(desk: Desk) -> None:
    made = await make(desk)
    await webhooks.log(desk.db, [tried(desk, made["id"], 1, DeliveryState.DELIVERED)])
    mallory = await desk.open("mallory@example.org")
    path = f"/webhooks/{made['id']}"
    for method, target, body in (
        ("GET", path, None), ("PATCH", path, {"enabled": False}), ("DELETE", path, None), ("POST", f"{path}/secret", None),
        ("POST", f"{path}/ping", None), ("GET", f"{path}/deliveries", None), ("POST", f"{path}/replay", {"ids": ["1"]}),
    ):  # fmt: skip
        assert problem(await mallory(method, target, body)) == (404, "not-found")
    own = await make(mallory)
    answer = await mallory.post(f"/webhooks/{own['id']}/replay", {"ids": ["1", "2"]})
    assert answer == {"deliveries": 0}
    assert (await desk.get(path))["enabled"]
