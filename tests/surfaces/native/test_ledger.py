"""The ledger sums to the balance, page by page."""

from __future__ import annotations

from decimal import Decimal

from surfaces.native.conftest import PHONE, Desk
from surfaces.native.test_messages import LATER, every

from passerelle.surfaces.native.ledger import merged


async def test_all_entries_sum_to_the_balance(desk: Desk) -> None:
    for n in range(4):
        desk.clock.move(1)
        told = await desk.post("/messages", {"to": [PHONE], "text": "x", "tag": "t", "send_at": LATER}, 201)
        if n % 2:
            desk.clock.move(1)
            await desk("DELETE", f"/submissions/{told['id']}")
            await desk.services.accounts.credit(desk.account.id, -1_000_000, desk.clock.now(), "back")
    for limit in (1, 2, 3, 500):
        found = await every(desk, f"/ledger?limit={limit}")
        assert sum(Decimal(one["amount"]) for one in found) == Decimal(await desk.balance()) / 1_000_000
        assert [one["kind"] for one in found] == [
            "top_up", "refund", "charge", "charge", "top_up", "refund", "charge", "charge", "top_up",
        ]  # fmt: skip
        assert len({one["id"] for one in found}) == 9
    refund = found[1]
    assert (
        refund["submission"] == found[2]["submission"] == told["id"] and refund["message"] == told["messages"][0]["id"]
    )
    assert found[2]["note"] == "1 message, tag t"
    mallory = await desk.open("mallory@example.org", euros=0)
    assert (await mallory.get("/ledger"))["items"] == []


def test_what_is_out_of_order_is_not_lost() -> None:
    charges = [{"id": 10, "at": 1}, {"id": 9, "at": 5}]
    postings = [{"id": 3, "at": 3}]
    seen, rest, more = [], (postings, charges), True
    while more:
        taken, more = merged(*rest, 1)
        seen += [row["id"] for row, _ in taken]
        rest = tuple([one for one in rows if one["id"] not in seen] for rows in rest)  # type: ignore[assignment]
    assert sorted(seen) == [3, 9, 10]
