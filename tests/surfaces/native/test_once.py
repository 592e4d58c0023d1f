"""Money that moves under an Idempotency-Key moves once, and every repeat gets the first answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from surfaces.native.conftest import Desk, problem
from surfaces.native.test_rental import WISH, renter

from passerelle.store import ledger

__all__ = ["renter"]
NEW = {"type": "advanced", "email": "a@example.org", "credit": "2"}


async def twice(desk: Desk, path: str, body: Any, status: int) -> Any:
    """Both at once, and a third later."""
    answers = await asyncio.gather(*(desk("POST", path, body, idempotency_key="k") for _ in range(2)))
    answers.append(await desk("POST", path, body, idempotency_key="k"))
    assert [one.status for one in answers] == [status] * 3
    assert len({one.body for one in answers}) == 1
    return answers[0].json()


async def test_a_rental_is_paid_for_once(renter: Desk) -> None:
    made = await twice(renter, "/rentals", WISH, 201)
    assert await renter.balance() == 10_000_000 - 270_000
    assert [one["id"] for one in (await renter.get("/rentals"))["items"]] == [made["id"]]
    other = await renter("POST", "/rentals", WISH | {"volumes": {"60200": 1}}, idempotency_key="k")
    assert problem(other) == (409, "idempotency-key-reused")


async def test_a_sub_account_is_made_once_with_its_credit(desk: Desk) -> None:
    made = await twice(desk, "/subaccounts", NEW, 201)
    assert await desk.balance() == 8_000_000 and made["balance"] == "2.000"
    assert await desk.db.fetchval("select count(*) from mail") == 1
    assert problem(await desk("POST", "/subaccounts", NEW)) == (409, "conflict")


@pytest.mark.parametrize(("direction", "left"), [("give", 7_000_000), ("take", 9_000_000)])
async def test_credit_moves_once(desk: Desk, direction: str, left: int) -> None:
    made = await desk.post("/subaccounts", {"type": "simple", "credit": "2"}, 201)
    path, body = f"/subaccounts/{made['id']}/credit", {"amount": "1", "direction": direction}
    first = await twice(desk, path, body, 200)
    assert await desk.balance() == left
    other = await desk("POST", path, body | {"amount": "0.5"}, idempotency_key="k")
    assert problem(other) == (409, "idempotency-key-reused")
    assert (await desk("DELETE", f"/subaccounts/{made['id']}")).status == 204
    assert await desk.post(path, body, idempotency_key="k") == first, "whatever became of the sub-account"
    assert not await ledger.wrong_wallets(desk.db)


async def test_a_refusal_is_not_kept(desk: Desk) -> None:
    dear = NEW | {"credit": "100"}
    assert problem(await desk("POST", "/subaccounts", dear, idempotency_key="k")) == (402, "credit")
    await desk.post("/subaccounts", NEW, 201, idempotency_key="k")
