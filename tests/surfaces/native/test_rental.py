"""Contact rental in the native API."""

from __future__ import annotations

from datetime import date

import pytest
from surfaces.native.conftest import TUESDAY, Desk, problem

from passerelle.domain.rental import Sex
from passerelle.pipeline.rental import Builder
from passerelle.store import rental as store
from passerelle.store.rental import Person
from passerelle.surfaces.smspartner import notifications

TARGET = {"min_age": 18, "max_age": 60, "sex": "women", "interest": 14, "postcodes": ["60200", "02200"]}
WISH = TARGET | {"volumes": {"60200": 3}}


@pytest.fixture
async def renter(desk: Desk) -> Desk:
    """Eight women in 60200."""
    one = Person(0, Sex.WOMAN, 1990, "60200", (14, 35), 103, date(2026, 1, 1), "web", "proof", date.max)
    async with desk.db.transaction() as connection:
        await store.put(connection, [one._replace(phone=33_639_980_000 + n) for n in range(8)], TUESDAY)
    return desk


async def work(desk: Desk) -> None:
    await Builder(desk.db, desk.services.accounts, desk.clock, notifications.rental).run()


async def test_what_people_can_be_chosen_by(renter: Desk) -> None:
    assert await renter.get("/rental/base") == {
        "interests": [
            {"id": 14, "parent": None, "name": "Habitation"},
            {"id": 35, "parent": 14, "name": "Cuisine"},
        ],
        "categories": [{"id": 102, "name": "CSP+"}, {"id": 103, "name": "CSP-"}],
        "price": "0.090",
    }


async def test_an_offer_counts_and_keeps_nothing(renter: Desk) -> None:
    assert await renter.post("/rental/offers", TARGET) == {
        "places": [
            {"type": "postcode", "name": "60200", "available": 8},
            {"type": "postcode", "name": "02200", "available": 0},
        ],
        "quantity": 8,
        "price": "0.090",
        "total": "0.720",
    }
    nobody = {"min_age": 18, "max_age": 18, "sub_interest": 35, "category": 102}
    assert await renter.post("/rental/offers", nobody) == {
        "places": [{"type": "country", "name": "France", "available": 0}],
        "quantity": 0,
        "price": "0.090",
        "total": "0.000",
    }
    assert await renter.get("/rentals") == {"items": [], "next": None}


async def test_a_rental_from_its_order_to_its_file(renter: Desk) -> None:
    made = await renter.post("/rentals", WISH, status=201)
    assert made == {
        "id": made["id"],
        "state": "requested",
        "requested_at": "2026-11-10T10:00:00Z",
        "ended_at": None,
        "downloaded_at": None,
        "target": TARGET | {"sub_interest": None, "category": None, "departments": []},
        "places": [{"type": "postcode", "name": "60200", "available": 8, "wanted": 3}],
        "quantity": 3,
        "price": "0.090",
        "total": "0.270",
    }
    assert await renter.balance() == 10_000_000 - 270_000
    assert problem(await renter("POST", f"/rentals/{made['id']}/download")) == (409, "conflict")
    await work(renter)
    assert (await renter.get(f"/rentals/{made['id']}"))["state"] == "ready"
    file = await renter.post(f"/rentals/{made['id']}/download")
    assert file["id"] == made["id"] and len(file["phones"]) == 3 and file["phones"][0].startswith("+3363998")
    assert problem(await renter("POST", f"/rentals/{made['id']}/download")) == (409, "conflict")
    assert (await renter.get(f"/rentals/{made['id']}"))["state"] == "downloaded"


async def test_rentals_are_listed_by_pages(renter: Desk) -> None:
    made = [(await renter.post("/rentals", WISH | {"volumes": {"60200": 1}}, status=201))["id"] for _ in range(3)]
    first = await renter.get("/rentals?limit=2")
    second = await renter.get(first["next"].removeprefix("/api/v1"))
    assert [one["id"] for one in first["items"] + second["items"]] == made[::-1] and second["next"] is None


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"interest": None}, (422, "invalid")),
        ({"min_age": 61}, (422, "invalid")),
        ({"min_age": 17}, (422, "invalid")),
        ({"postcodes": ["6020"]}, (422, "invalid")),
        ({"departments": ["97"]}, (422, "invalid")),
        ({"volumes": {}}, (422, "invalid")),
        ({"volumes": {"60200": 0}}, (422, "invalid")),
        ({"unknown": 1}, (422, "invalid")),
        ({"volumes": {"60200": 9}}, (409, "conflict")),
        ({"volumes": {"75011": 1}}, (409, "conflict")),
        ({"interest": 99}, (409, "conflict")),
    ],
)
async def test_what_is_not_rented(renter: Desk, changed: dict[str, object], told: tuple[int, str]) -> None:
    assert problem(await renter("POST", "/rentals", WISH | changed)) == told
    assert await renter.balance() == 10_000_000


async def test_without_credit(renter: Desk) -> None:
    poor = await renter.open("poor@example.org", euros=0.1)
    assert problem(await poor("POST", "/rentals", WISH)) == (402, "credit")


async def test_a_rental_is_its_owners_alone(renter: Desk) -> None:
    made = await renter.post("/rentals", WISH, status=201)
    await work(renter)
    mallory = await renter.open("mallory@example.org")
    for method, path in (("GET", made["id"]), ("POST", f"{made['id']}/download"), ("GET", "x"), ("GET", "x" * 20)):
        assert problem(await mallory(method, f"/rentals/{path}")) == (404, "not-found")
    assert (await mallory.get("/rentals"))["items"] == []
    reader = await renter.with_key("rental:read")
    assert problem(await reader("POST", "/rentals", WISH)) == (403, "scope")
    assert (await reader.get(f"/rentals/{made['id']}"))["state"] == "ready"


async def test_a_download_under_way_keeps_another_out(renter: Desk) -> None:
    made = await renter.post("/rentals", WISH, status=201)
    await work(renter)
    async with renter.db.transaction() as connection:
        await connection.execute("select from rental for update")
        assert problem(await renter("POST", f"/rentals/{made['id']}/download")) == (409, "conflict")
