"""The stop list: what is added holds at once, for this account alone."""

from __future__ import annotations

from surfaces.native.conftest import PHONE, Desk, problem
from surfaces.native.test_messages import every


async def test_a_number_comes_and_goes(desk: Desk) -> None:
    mallory = await desk.open("mallory@example.org")
    assert (await desk.post("/stop-list", {"phone": "06 39 98 00 01"}, 201))["phone"] == PHONE
    assert problem(await desk("POST", "/stop-list", {"phone": PHONE})) == (409, "conflict")
    assert problem(await desk("POST", "/messages", {"to": [PHONE], "text": "x"})) == (422, "refused")
    assert (await desk.get(f"/stop-list/{PHONE}"))["since"] == "2026-11-10T10:00:00Z"
    assert problem(await mallory("GET", f"/stop-list/{PHONE}")) == (404, "not-found")
    assert problem(await mallory("DELETE", f"/stop-list/{PHONE}")) == (404, "not-found")
    assert (await desk("DELETE", f"/stop-list/{PHONE}")).status == 204
    assert problem(await desk("DELETE", f"/stop-list/{PHONE}")) == (404, "not-found")
    await desk.post("/messages", {"to": [PHONE], "text": "x"}, 201)


async def test_the_list_page_by_page(desk: Desk) -> None:
    for n in (5, 1, 3):
        await desk.post("/stop-list", {"phone": f"+3363998010{n}"}, 201)
    for limit in (1, 2, 500):
        found = await every(desk, f"/stop-list?limit={limit}")
        assert [one["phone"] for one in found] == ["+33639980101", "+33639980103", "+33639980105"]


async def test_what_is_no_number(desk: Desk) -> None:
    refused = await desk("POST", "/stop-list", {"phone": "x"})
    assert problem(refused) == (422, "invalid") and refused.json()["errors"][0]["pointer"] == "#/phone"
    assert problem(await desk("GET", "/stop-list/x")) == (422, "invalid")
    reader = await desk.with_key("contacts:read")
    assert problem(await reader("POST", "/stop-list", {"phone": PHONE})) == (403, "scope")
