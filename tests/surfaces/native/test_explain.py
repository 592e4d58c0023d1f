"""What would become of a send, and that nothing becomes of it."""

from __future__ import annotations

from surfaces.native.conftest import PHONE, TUESDAY, Desk

from passerelle.store import optouts

OTHER = "+33639980002"


async def test_everything_is_told_and_nothing_done(desk: Desk) -> None:
    await optouts.add(desk.db, desk.account.id, optouts.List.STOP, int(OTHER[1:]), TUESDAY)
    told = await desk.post("/messages/explain", {"to": [PHONE, OTHER], "text": "Ça va ✓ €"})
    assert (told["verdict"], told["price"], told["balance"], told["balance_after"]) == (
        "admitted", "0.038", "10.000", "9.962",
    )  # fmt: skip
    assert told["text"]["encoding"] == "ucs2" and told["text"]["parts"] == ["Ça va ✓ €"]
    assert [(one["char"], one["positions"]) for one in told["text"]["characters"]] == [("✓", [7])]
    assert told["recipients"][0]["routes"] == [{"carrier": "operator", "taken": True, "why": "preferred"}]
    assert told["left_out"][0]["reason"] == "opted_out"
    rules = {one["rule"]: one for one in told["rules"]}
    assert rules["blocked numbers"]["faults"][0]["pointer"] == "#/to/1"
    assert told["expected_at"] == "2026-11-10T10:00:00Z"
    assert await desk.balance() == 10_000_000
    assert await desk.db.fetchval("select count(*) from submission") == 0


async def test_what_would_be_refused_is_told_as_an_answer(desk: Desk) -> None:
    told = await desk.post("/messages/explain", {"to": ["x"], "text": "", "sender": "!"})
    assert told["verdict"] == "refused"
    faults = {one["rule"]: [fault["reason"] for fault in one["faults"]] for one in told["rules"] if one["faults"]}
    assert faults["sender"] and faults["text"] == ["text_missing"]


async def test_the_hours_hold(desk: Desk) -> None:
    desk.clock.move(12 * 3600)
    told = await desk.post("/messages/explain", {"to": [PHONE], "text": "Soldes", "class": "marketing"})
    assert told["verdict"] == "held" and told["text"]["stop_added"]
    assert told["expected_at"] > "2026-11-11"
