"""Figures of days, dialects and tags."""

from __future__ import annotations

from surfaces.native.conftest import PHONE, Desk, problem
from surfaces.native.test_messages import every

from passerelle.store import statistics


async def test_days_totals_and_tags(desk: Desk) -> None:
    for tag in ("A", "B"):
        await desk.post("/messages", {"to": [PHONE], "text": "x" * 170, "tag": tag}, 201)
    for folded in (False, True):
        if folded:
            await statistics.fold(desk.db, desk.clock.now())
        days = await desk.get("/statistics/days?from=2026-11-10&to=2026-11-11")
        assert days["items"] == [{"day": "2026-11-10", "dialect": "native", "parts": 4, "cost": "0.152"}]
        assert [(one["messages"], one["waiting"]) for one in (await desk.get("/statistics/totals"))["items"]] == [
            (2, 4)
        ]
        of_tag = (await desk.get("/statistics/totals?tag=A&dialect=native"))["items"]
        assert [(one["tag"], one["messages"]) for one in of_tag] == [("A", 1)]
    for limit in (1, 500):
        assert [one["tag"] for one in await every(desk, f"/statistics/tags?limit={limit}")] == ["A", "B"]
    mallory = await desk.open("mallory@example.org")
    assert (await mallory.get("/statistics/days"))["items"] == []
    assert (await mallory.get("/statistics/tags"))["items"] == []


async def test_days_that_cannot_be(desk: Desk) -> None:
    for query in ("from=2026-11-11&to=2026-11-10", "from=2025-01-01&to=2026-01-01", "from=0001-01-01&to=0001-01-02",
                  "to=9999-12-31", "to=0001-01-01", "from=x"):  # fmt: skip
        assert problem(await desk("GET", f"/statistics/days?{query}")) == (422, "invalid")
