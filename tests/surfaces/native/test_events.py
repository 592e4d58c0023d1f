"""Events that were given up: listed, and posted again."""

from __future__ import annotations

from surfaces.native.conftest import TUESDAY, Desk
from surfaces.native.test_messages import every


async def give_up(desk: Desk, count: int) -> None:
    await desk.db.execute(
        "insert into event (uuid, account_id, message_id, kind, at, endpoint, url, content_type, body, next_at, state, attempts,"
        " error) select gen_random_uuid(), $1, n, 3, $2, 'https://a.example:443', 'https://a.example/', 'text/plain',"
        " 'body ' || n, $2, 1, 8, 'HTTP 500' from generate_series(1, $3) n",
        desk.account.id, TUESDAY, count,
    )  # fmt: skip


async def test_events_are_listed_and_posted_again(desk: Desk) -> None:
    await give_up(desk, 5)
    mallory = await desk.open("mallory@example.org")
    for limit in (2, 500):
        found = await every(desk, f"/events?limit={limit}")
        assert [one["body"] for one in found] == [f"body {n}" for n in range(5, 0, -1)]
    assert found[0]["type"] == "message.delivered" and found[0]["error"] == "HTTP 500"
    assert (await mallory.get("/events"))["items"] == []
    for body in ({"ids": [found[0]["id"]]}, {}):
        assert await mallory.post("/events/replay", body) == {"events": 0}
    assert await desk.post("/events/replay", {"ids": [found[0]["id"], "x", found[0]["id"]]}) == {"events": 1}
    assert await desk.post("/events/replay", {}) == {"events": 4}
    assert await desk.db.fetchval("select count(*) from event where state = 0 and attempts = 0") == 5
