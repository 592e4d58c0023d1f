"""Groups and contacts in the native API."""

from __future__ import annotations

import pytest
from surfaces.native.conftest import PHONE, Desk, problem
from surfaces.native.test_messages import every

from passerelle.store import optouts
from passerelle.surfaces.native.shapes import encode_cursor

NOWHERE = "q7TzB2mVx0LkR9sWcE4a"


async def group(desk: Desk, name: str = "Clients Lyon") -> str:
    return str((await desk.post("/groups", {"name": name}, 201))["id"])


async def test_a_group_from_its_name_to_its_end(desk: Desk) -> None:
    made = await desk.post("/groups", {"name": "Clients Lyon"}, 201)
    assert made == {
        "id": made["id"], "number": made["number"], "name": "Clients Lyon", "created_at": "2026-11-10T10:00:00Z",
        "rented": False,
    }  # fmt: skip
    await desk.post(f"/groups/{made['id']}/contacts", {"phone": PHONE}, 201)
    assert await desk.get(f"/groups/{made['id']}") == made | {"contacts": 1}
    renamed = await desk("PATCH", f"/groups/{made['id']}", {"name": "Paris"})
    assert renamed.json() == made | {"name": "Paris"}
    assert (await desk("DELETE", f"/groups/{made['id']}")).status == 204
    assert problem(await desk("GET", f"/groups/{made['id']}")) == (404, "not-found")
    assert await desk.get("/groups") == {"items": [], "next": None}


async def test_groups_and_contacts_page_by_page(desk: Desk) -> None:
    made = [await group(desk, f"Group {n}") for n in range(3)]
    for n in (5, 1, 3):
        await desk.post(f"/groups/{made[0]}/contacts", {"phone": f"+3363998010{n}"}, 201)
    for limit in (1, 2, 500):
        assert [one["id"] for one in await every(desk, f"/groups?limit={limit}")] == made
        found = await every(desk, f"/groups/{made[0]}/contacts?limit={limit}")
        assert [one["phone"][-1] for one in found] == ["5", "1", "3"]


async def test_beyond_all_groups_there_is_nothing(desk: Desk) -> None:
    made = await group(desk)
    for path in ("/groups", f"/groups/{made}/contacts"):
        assert await desk.get(f"{path}?cursor={encode_cursor(2**62)}") == {"items": [], "next": None}


async def test_a_contact_is_kept_changed_and_removed(desk: Desk) -> None:
    body = {
        "phone": "06 39 98 00 01", "firstname": "Alix", "lastname": "Martin", "date": "1990-02-03",
        "url": "https://a.example", "short_url": "s.example", "custom1": "1", "custom2": "2", "custom3": "3",
        "custom4": "4",
    }  # fmt: skip
    made = await desk.post(f"/groups/{await group(desk)}/contacts", body, 201)
    kept = body | {"phone": PHONE, "id": made["id"], "created_at": "2026-11-10T10:00:00Z", "stopped": False}
    assert made == kept == await desk.get(f"/contacts/{made['id']}")
    await optouts.add(desk.db, desk.account.id, optouts.List.STOP, int(PHONE[1:]), desk.clock.now())
    changed = await desk("PATCH", f"/contacts/{made['id']}", {"lastname": "", "date": None, "custom1": "x"})
    assert changed.json() == kept | {"lastname": "", "date": None, "custom1": "x", "stopped": True}
    assert (await desk("DELETE", f"/contacts/{made['id']}")).status == 204
    assert problem(await desk("GET", f"/contacts/{made['id']}")) == (404, "not-found")


async def test_a_number_is_in_a_group_once(desk: Desk) -> None:
    first, second = await group(desk), await group(desk)
    await desk.post(f"/groups/{first}/contacts", {"phone": PHONE}, 201)
    await desk.post(f"/groups/{second}/contacts", {"phone": PHONE}, 201)
    other = await desk.post(f"/groups/{first}/contacts", {"phone": "+33639980002"}, 201)
    assert problem(await desk("POST", f"/groups/{first}/contacts", {"phone": "0639980001"})) == (409, "conflict")
    assert problem(await desk("PATCH", f"/contacts/{other['id']}", {"phone": PHONE})) == (409, "conflict")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"phone": "145"}, "#/phone"),
        ({"phone": ""}, "#/phone"),
        ({"phone": PHONE, "url": "a.example"}, "#/url"),
        ({"phone": PHONE, "date": "03-02-1990"}, "#/date"),
        ({"phone": PHONE, "firstname": "x" * 33}, "#/firstname"),
        ({"phone": PHONE, "nickname": "x"}, "#"),
        ({}, "#"),
    ],
)
async def test_what_is_no_contact(desk: Desk, body: dict[str, str], pointer: str) -> None:
    made = await group(desk)
    refused = await desk("POST", f"/groups/{made}/contacts", body)
    assert problem(refused) == (422, "invalid") and refused.json()["errors"][0]["pointer"] == pointer
    assert (await desk.get(f"/groups/{made}"))["contacts"] == 0
    both = await desk("POST", f"/groups/{made}/contacts", {"phone": "1", "url": "x"})
    assert [one["pointer"] for one in both.json()["errors"]] == ["#/phone", "#/url"]


async def test_they_are_their_accounts_alone(desk: Desk) -> None:
    made = await group(desk)
    contact = (await desk.post(f"/groups/{made}/contacts", {"phone": PHONE}, 201))["id"]
    mallory = await desk.open("mallory@example.org")
    for method, path, body in (
        ("GET", f"/groups/{made}", None), ("PATCH", f"/groups/{made}", {"name": "X"}),
        ("DELETE", f"/groups/{made}", None), ("GET", f"/groups/{made}/contacts", None),
        ("POST", f"/groups/{made}/contacts", {"phone": PHONE}), ("GET", f"/contacts/{contact}", None),
        ("PATCH", f"/contacts/{contact}", {"lastname": "X"}), ("DELETE", f"/contacts/{contact}", None),
    ):  # fmt: skip
        assert problem(await mallory(method, path, body)) == (404, "not-found")
        nowhere = path.replace(made, NOWHERE).replace(contact, NOWHERE)
        assert problem(await desk(method, nowhere, body)) == (404, "not-found")
    assert (await mallory.get("/groups"))["items"] == []
    reader = await desk.with_key("contacts:read")
    assert problem(await reader("POST", "/groups", {"name": "X"})) == (403, "scope")
    assert (await reader.get(f"/contacts/{contact}"))["lastname"] == ""
