"""Number checks in the native API."""

from __future__ import annotations

from typing import Any

import pytest
from surfaces.native.conftest import Desk, problem

from passerelle.app import WORDINGS
from passerelle.outbound.lookup import Simulated
from passerelle.pipeline.teller import Teller
from passerelle.pipeline.verifications import Verifications
from passerelle.surfaces.smspartner.notifications import check as wording

TWO = {"numbers": ["+33639980014", "0639980009"]}


async def work(desk: Desk) -> None:
    desk.clock.move(1)
    teller = Teller(desk.services.accounts, WORDINGS, lambda leased: None)
    await Verifications(desk.db, Simulated(), teller, wording(False), desk.clock).run()


async def test_a_check_from_order_to_result(desk: Desk) -> None:
    made = await desk.post("/checks", TWO | {"tag": "base"}, status=201)
    assert {name: made[name] for name in made if name != "id"} == {
        "at": "2026-11-10T10:00:00Z", "tag": "base", "callback_url": "", "numbers": 2, "price": "0.010",
    }  # fmt: skip
    assert await desk.balance() == 9_990_000
    before = await desk.get(f"/checks/{made['id']}")
    assert (before["pending"], before["results"][0]["error"]) == (2, None)
    await work(desk)
    after = await desk.get(f"/checks/{made['id']}")
    assert after["pending"] == 0
    for one in after["results"]:
        assert len(one.pop("reference")) == 36
    shared = {"price": "0.005", "refunded": False, "answered_at": "2026-11-10T10:00:01Z"}
    assert after["results"] == [
        shared | {"phone": "+33639980014", "network": "20815", "ported": True, "error": 0, "error_name": "NO_ERROR",
                  "permanent": False},
        shared | {"phone": "+33639980009", "network": "20810", "ported": False, "error": 1,
                  "error_name": "EC_UNKNOWN_SUBSCRIBER", "permanent": True},
    ]  # fmt: skip


async def test_checks_are_listed_page_by_page_to_their_account(desk: Desk) -> None:
    made = [(await desk.post("/checks", TWO, status=201))["id"] for _ in range(3)]
    other = await desk.open("clinic@example.org")
    assert (await other.get("/checks"))["items"] == []
    first = await desk.get("/checks?limit=2")
    assert [one["id"] for one in first["items"]] == made[:0:-1]
    last = await desk.get(first["next"].removeprefix("/api/v1"))
    assert ([one["id"] for one in last["items"]], last["next"]) == ([made[0]], None)
    for id_ in (made[0], "0", "x"):
        assert problem(await other("GET", f"/checks/{id_}")) == (404, "not-found")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"numbers": []}, "#/numbers"),
        ({"numbers": ["+33639980001"] * 501}, "#/numbers"),
        ({"numbers": ["+33639980001", "12"]}, "#/numbers/1"),
        (TWO | {"tag": "x" * 65}, "#/tag"),
        (TWO | {"callback_url": "nowhere"}, "#/callback_url"),
    ],
)
async def test_what_is_wrong(desk: Desk, body: dict[str, Any], pointer: str) -> None:
    refused = await desk("POST", "/checks", body)
    assert problem(refused) == (422, "invalid")
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert await desk.balance() == 10_000_000


async def test_money_and_prices(desk: Desk) -> None:
    poor = await desk.open("poor@example.org", euros=0.009)
    assert problem(await poor("POST", "/checks", TWO)) == (402, "credit")
    await desk.db.execute("delete from price where account_id = 0 and service = 3")
    assert problem(await desk("POST", "/checks", TWO)) == (422, "refused")


async def test_a_key_is_good_for_one_check(desk: Desk) -> None:
    first = await desk("POST", "/checks", TWO, idempotency_key="base-7")
    again = await desk("POST", "/checks", TWO, idempotency_key="base-7")
    assert (again.status, again.body) == (201, first.body)
    other = await desk("POST", "/checks", {"numbers": ["0639980001"]}, idempotency_key="base-7")
    assert problem(other) == (409, "idempotency-key-reused")
    assert await desk.balance() == 9_990_000


async def test_numbers_are_looked_at_for_nothing(desk: Desk) -> None:
    reader = await desk.with_key("numbers:read")
    assert await reader.post("/lookups", {"numbers": ["0639980001", "12"]}) == {
        "items": [
            {
                "given": "0639980001", "phone": "+33639980001", "country": "FR", "kind": "mobile",
                "international": "+33 6 39 98 00 01", "national": "06 39 98 00 01", "rfc3966": "tel:+33-6-39-98-00-01",
            },
            {
                "given": "12", "phone": None, "country": None, "kind": None, "international": None, "national": None,
                "rfc3966": None,
            },
        ]
    }  # fmt: skip
    assert problem(await reader("POST", "/checks", TWO)) == (403, "scope")
