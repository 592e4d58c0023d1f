"""Campaigns in the native API: written, changed, listed, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from surfaces.native.campaigning import ALIX, BO, handed_over, listed, written
from surfaces.native.conftest import Desk, problem
from surfaces.native.test_contacts import group
from surfaces.native.test_messages import every

from passerelle.domain.message import Dialect, TrafficClass
from passerelle.store import campaigns as store
from passerelle.store import ledger, lists
from passerelle.store.campaigns import Draft

NOWHERE = "56fa3cd56004e52d55333d87"


async def test_a_draft_is_written_and_costs_nothing(desk: Desk) -> None:
    ident = await listed(desk, (ALIX, "Alix"))
    body = {
        "name": "Soldes", "text": "Bonjour {{ Prénom |toi}} {{link}}", "to": {"list": ident}, "sender": "BAKERY",
        "send_at": "2026-11-12T11:00:00+01:00", "flash": True, "page": {"url": "https://shop.example/?a=1"},
        "clean_bounces": False, "keep_list": False, "test_phone": "0639980009",
    }  # fmt: skip
    made = await desk.post("/campaigns", body, 201)
    assert made == {
        "id": made["id"], "dialect": "native", "phase": "draft", "name": "Soldes", "text": body["text"],
        "to": {"list": ident, "group": None}, "class": "marketing", "sender": "BAKERY",
        "send_at": "2026-11-12T10:00:00Z", "flash": True,
        "page": {"url": "https://shop.example/?a=1", "title": "", "html": None}, "clean_bounces": False,
        "clean_stops": True, "keep_list": False, "test_phone": "0639980009", "created_at": "2026-11-10T10:00:00Z",
        "launched_at": None, "submission": None, "leaves_at": None, "paused_at": None, "ended_at": None,
        "contacts": None, "messages": None, "left_out": [], "price": None,
    }  # fmt: skip
    assert len(made["id"]) == 24 and await desk.get(f"/campaigns/{made['id'].upper()}") == made
    assert await desk.balance() == 10_000_000 and not await desk.db.fetchval("select count(*) from message")


async def test_a_group_is_an_audience_too(desk: Desk) -> None:
    to = await group(desk)
    made = await desk.post("/campaigns", {"name": "A", "text": "{{firstname}}", "to": {"group": to}}, 201)
    assert made["to"] == {"list": None, "group": to}
    await desk("DELETE", f"/groups/{to}")
    assert (await desk.get(f"/campaigns/{made['id']}"))["to"] == {"list": None, "group": None}
    assert (await desk.get("/campaigns"))["items"][0]["to"] == {"list": None, "group": None}


async def test_the_newest_come_first_page_by_page(desk: Desk) -> None:
    ids = [(await written(desk, name=str(n)))["id"] for n in range(3)]
    for limit in (1, 2, 500):
        assert [one["id"] for one in await every(desk, f"/campaigns?limit={limit}")] == ids[::-1]
    assert (await (await desk.open("other@example.org")).get("/campaigns"))["items"] == []


async def test_drafts_are_not_kept_without_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_DRAFTS", 1)
    one = await written(desk)
    full = await desk("POST", "/campaigns", {"name": "N", "text": "x", "to": one["to"]})
    assert problem(full) == (422, "refused") and "delete some" in full.json()["detail"]


async def test_campaigns_of_primotexto_are_seen_and_changed_by_its_rules(desk: Desk) -> None:
    ident = await listed(desk, (ALIX, "Alix"))
    one = await lists.find(desk.db, desk.account.id, bytes.fromhex(ident))
    assert one is not None
    draft = Draft("PT", TrafficClass.MARKETING, "Bonjour", list_id=one.id, list_token=one.token)
    token = await store.insert(desk.db, desk.account.id, Dialect.PRIMOTEXTO, draft, desk.clock.now())
    path = f"/campaigns/{token.hex()}"
    assert (await desk.get(path))["dialect"] == "primotexto"
    assert (await desk("PATCH", path, {"text": "x" * 900})).status == 200
    seven_parts = await desk("PATCH", path, {"text": "x" * 1000})
    assert problem(seven_parts) == (422, "refused") and seven_parts.json()["errors"][0]["reason"] == "text_long"
    assert (await desk.post("/campaigns", {"name": "N", "text": "x" * 1000, "to": {"list": ident}}, 201))["id"]


async def test_a_draft_changes_in_what_is_given_alone(desk: Desk) -> None:
    made = await written(desk, page={"url": "https://shop.example/"}, send_at="2026-11-11T10:00:00Z")
    path, other = f"/campaigns/{made['id']}", await listed(desk, (BO, "Bo"), name="Other")
    assert (await desk("PATCH", path, {})).json() == made
    changes: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"name": "Plus"}, {"name": "Plus"}),
        ({"text": "Adieu", "sender": "BAKERY"}, {"text": "Adieu", "sender": "BAKERY"}),
        ({"to": {"list": other}}, {"to": {"list": other, "group": None}}),
        ({"send_at": None}, {"send_at": None}),
        ({"page": None}, {"page": None}),
        ({"clean_stops": False, "flash": True}, {"clean_stops": False, "flash": True}),
        ({"class": "marketing"}, {"class": "marketing", "clean_stops": True}),
    ]
    for body, became in changes:
        made |= became
        assert (await desk("PATCH", path, body)).json() == made
    assert await desk.get(path) == made
    desk.clock.move(86_400 * 400)  # the time of an old draft may be past; it is refused when it is launched
    assert (await desk("PATCH", path, {"name": "Later"})).status == 200


@pytest.mark.parametrize(
    ("change", "pointer", "said"),
    [
        ({"text": "{{prénon}} {{x}}"}, "#/text", "No contact has {{prénon}}, {{x}}; there are: prénom."),
        ({"text": "Voyez {{link}}"}, "#/text", "There is no page behind {{link}}"),
        ({"name": " "}, "#/name", "A campaign has a name."),
        ({"to": {}}, "#/to", "one of them"),
        ({"to": {"list": NOWHERE, "group": "q7TzB2mVx0LkR9sWcE4a"}}, "#/to", "one of them"),
        ({"to": {"list": NOWHERE}}, "#/to/list", "no such list"),
        ({"to": {"list": "x"}}, "#/to/list", "no such list"),
        ({"to": {"group": "q7TzB2mVx0LkR9sWcE4a"}}, "#/to/group", "no such group"),
        ({"class": "spam"}, "#/class", "Invalid enum value"),
        ({"submission": "1"}, "#", "unknown field"),
    ],
)
async def test_what_is_no_campaign(desk: Desk, change: dict[str, Any], pointer: str, said: str) -> None:
    made = await written(desk)
    body = {"name": "A", "text": "A", "to": {"list": made["to"]["list"]}} | change
    for answer in (await desk("POST", "/campaigns", body), await desk("PATCH", f"/campaigns/{made['id']}", change)):
        assert problem(answer) == (422, "invalid")
        (fault,) = answer.json()["errors"]
        assert fault["pointer"] == pointer and said in fault["detail"]
    assert await every(desk, "/campaigns") == [made]


@pytest.mark.parametrize(
    ("change", "reason", "pointer"),
    [
        ({"text": " "}, "text_missing", "#/text"),
        ({"text": "x" * 10_001}, "text_long", "#/text"),
        ({"text": "x" * 2_000}, "text_long", "#/text"),
        ({"text": "Bonjour 🥖"}, "text_characters", "#/text"),
        ({"sender": "x"}, "sender_short", "#/sender"),
        ({"send_at": "2026-11-10T09:54:00Z"}, "date_past", "#/send_at"),
        ({"send_at": "2028-01-01T00:00:00Z"}, "date_invalid", "#/send_at"),
    ],
)
async def test_what_the_rules_of_sending_refuse(desk: Desk, change: dict[str, Any], reason: str, pointer: str) -> None:
    made = await written(desk)
    body = {"name": "A", "text": "A", "to": made["to"] | {"group": None}} | change
    for answer in (await desk("POST", "/campaigns", body), await desk("PATCH", f"/campaigns/{made['id']}", change)):
        assert problem(answer) == (422, "refused")
        (fault,) = answer.json()["errors"]
        assert (fault["reason"], fault["pointer"]) == (reason, pointer)
    assert await every(desk, "/campaigns") == [made]


async def test_what_was_launched_is_neither_changed_nor_deleted(desk: Desk) -> None:
    made = await written(desk, send_at="2026-11-12T10:00:00Z")
    path = f"/campaigns/{made['id']}"
    await desk.post(f"{path}/launch", status=201)
    for body in ({"text": "Autre"}, {"send_at": None}):
        assert problem(await desk("PATCH", path, body)) == (409, "conflict")
    assert problem(await desk("DELETE", path)) == (409, "conflict")
    await desk.post(f"{path}/cancel")
    assert problem(await desk("PATCH", path, {"text": "Autre"})) == (409, "conflict")
    assert (await desk("DELETE", path)).status == 204
    assert problem(await desk("GET", path)) == (404, "not-found")


async def test_a_draft_that_is_being_launched_is_left_alone(desk: Desk) -> None:
    made = await written(desk)
    await desk.db.execute("update campaign set claimed_until = clock_timestamp() + interval '1 minute'")
    assert problem(await desk("PATCH", f"/campaigns/{made['id']}", {"name": "B"})) == (409, "conflict")


async def test_an_id_of_nothing_and_of_somebody_else(desk: Desk) -> None:
    made, mallory = await written(desk), await desk.open("mallory@example.org")
    for caller, name in ((desk, NOWHERE), (desk, "x"), (desk, "%00"), (mallory, made["id"])):
        path = f"/campaigns/{name}"
        for method, target, body in (
            ("GET", path, None), ("PATCH", path, {"name": "B"}), ("DELETE", path, None), ("GET", f"{path}/forecast", None),
            ("POST", f"{path}/test", {"phone": ALIX}), ("POST", f"{path}/launch", None), ("POST", f"{path}/pause", None),
            ("POST", f"{path}/resume", None), ("POST", f"{path}/cancel", None), ("GET", f"{path}/progress", None),
            ("GET", f"{path}/statistics", None), ("GET", f"{path}/skipped", None), ("GET", f"{path}/replies", None),
        ):  # fmt: skip
            assert problem(await caller(method, target, body)) == (404, "not-found"), (name, method, target)
    stolen = await mallory("POST", "/campaigns", {"name": "A", "text": "A", "to": made["to"] | {"group": None}})
    assert problem(stolen) == (422, "invalid")
    assert await desk.get(f"/campaigns/{made['id']}") == made


async def test_scopes(desk: Desk) -> None:
    made = await written(desk)
    path = f"/campaigns/{made['id']}"
    reader = await desk.with_key("campaigns:read")
    assert (await reader("GET", f"{path}/forecast")).status == 200
    for method, target, body in (
        ("PATCH", path, {"name": "B"}), ("DELETE", path, None), ("POST", f"{path}/launch", None),
        ("POST", f"{path}/test", {"phone": ALIX}), ("POST", f"{path}/pause", None),
    ):  # fmt: skip
        assert problem(await reader(method, target, body)) == (403, "scope")
    writer = await desk.with_key("campaigns:*")
    assert problem(await writer("POST", f"{path}/launch")) == (403, "scope")
    assert (await writer("DELETE", path)).status == 204


async def test_a_paused_campaign_says_something_else_to_those_who_wait(desk: Desk) -> None:
    made = await written(desk, (ALIX, "Alix"), (BO, "Bo"))
    path = f"/campaigns/{made['id']}"
    await desk.post(f"{path}/launch", status=201)
    assert await handed_over(desk, slots=1) == ["Bonjour Alix"]
    await desk.post(f"{path}/pause")
    longer = "Adieu {{prénom}} " + "x" * 160
    edited = (await desk("PATCH", path, {"text": longer, "name": "Encore"})).json()
    assert (edited["text"], edited["name"], edited["phase"], edited["price"]) == (longer, "Encore", "paused", "0.114")
    assert await desk.balance() == 10_000_000 - 3 * 38_000 == await ledger.account_sum(desk.db, desk.account.id)
    told = await desk.get(f"{path}/statistics")
    assert (told["price"], told["waiting"], told["messages"]) == ("0.114", 2, 2)
    shorter = (await desk("PATCH", path, {"text": "Adieu {{prénom}}"})).json()
    assert shorter["price"] == "0.076" and await desk.balance() == 10_000_000 - 2 * 38_000
    await desk.post(f"{path}/resume")
    assert await handed_over(desk) == ["Adieu Bo"]


async def test_a_paused_campaign_is_only_called_otherwise(desk: Desk) -> None:
    """Its list has gone meanwhile: the texts keep what was known of people."""
    made = await written(desk, (ALIX, "Alix"))
    path = f"/campaigns/{made['id']}"
    await desk.post(f"{path}/launch", status=201)
    await desk.post(f"{path}/pause")
    await desk.db.execute("delete from list_contact")
    assert (await desk("PATCH", path, {"name": "Encore"})).json()["name"] == "Encore"
    await desk.post(f"{path}/resume")
    assert await handed_over(desk) == ["Bonjour Alix"]


async def test_what_a_paused_campaign_may_not_become(desk: Desk) -> None:
    poor = await desk.open("poor@example.org", euros=0.08)
    made = await written(poor)
    path = f"/campaigns/{made['id']}"
    await poor.post(f"{path}/launch", status=201)
    paused = await poor.post(f"{path}/pause")
    for change, slug, pointer in (
        ({"sender": "BAKERY"}, (422, "invalid"), "#/sender"),
        ({"class": "marketing"}, (422, "invalid"), "#/class"),
        ({"name": " "}, (422, "invalid"), "#/name"),
        ({"text": "{{prénon}}"}, (422, "invalid"), "#/text"),
        ({"text": "x" * 2_000}, (422, "refused"), "#/text"),
        ({"text": "x" * 161}, (402, "credit"), None),
    ):
        answer = await poor("PATCH", path, change)
        assert problem(answer) == slug, change
        assert pointer is None or answer.json()["errors"][0]["pointer"] == pointer
    assert await poor.get(path) == paused
