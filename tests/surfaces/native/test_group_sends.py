"""A text to a group in the native API."""

from __future__ import annotations

from surfaces.native.conftest import PHONE, Desk, problem
from surfaces.native.test_contacts import NOWHERE, group
from surfaces.native.test_messages import every

from passerelle.store import optouts


async def lyon(desk: Desk, *names: str) -> str:
    made = await group(desk)
    for n, name in enumerate(names):
        await desk.post(f"/groups/{made}/contacts", {"phone": f"+3363998000{n + 1}", "firstname": name}, 201)
    return made


async def test_a_text_to_a_group_and_how_far_it_is(desk: Desk) -> None:
    made = await lyon(desk, "Alix", "", "Zoé")
    await optouts.add(desk.db, desk.account.id, optouts.List.STOP, int(PHONE[1:]) + 2, desk.clock.now())
    text = "Bonjour {{firstname|toi}}"
    sent = await desk.post(f"/groups/{made}/messages", {"text": text, "tag": "spring"}, 201)
    left_out = [{"reason": "opted_out", "contacts": 1}]
    assert sent == {
        "id": sent["id"], "send_at": "2026-11-10T10:00:00Z", "messages": 2, "parts": 2, "price": "0.076",
        "left_out": left_out,
    }  # fmt: skip
    assert await desk.balance() == 10_000_000 - 76_000
    rows = await desk.db.fetch("select text from message order by id")
    assert [row["text"] for row in rows] == ["Bonjour Alix", "Bonjour toi"]
    assert await desk.get(f"/submissions/{sent['id']}/progress") == {
        "id": sent["id"], "messages": 2, "states": [{"state": "accepted", "messages": 2}], "parts_sent": 0,
        "parts_waiting": 2, "parts_before": 0, "pace": 0.0, "send_at": sent["send_at"], "paused_at": None,
        "cancelled_at": None, "expected_end": None,
    }  # fmt: skip
    (listed,) = await every(desk, "/group-messages")
    assert listed == {
        "id": sent["id"], "group": made, "text": text, "contacts": 3, "messages": 2, "price": "0.076",
        "accepted_at": sent["send_at"], "send_at": sent["send_at"], "cancelled_at": None, "left_out": left_out,
    }  # fmt: skip
    await desk("DELETE", f"/groups/{made}")
    assert (await every(desk, "/group-messages"))[0]["group"] is None
    assert (await desk.get(f"/submissions/{sent['id']}"))["messages"] == 2


async def test_the_newest_come_first_page_by_page(desk: Desk) -> None:
    made = await lyon(desk, "Alix")
    sent = [(await desk.post(f"/groups/{made}/messages", {"text": "A"}, 201))["id"] for _ in range(3)]
    for limit in (1, 2, 500):
        assert [one["id"] for one in await every(desk, f"/group-messages?limit={limit}")] == sent[::-1]


async def test_what_is_not_sent(desk: Desk) -> None:
    made, nobody = await lyon(desk, "Alix"), await group(desk)
    path = f"/groups/{made}/messages"
    unknown = await desk("POST", path, {"text": "{{fristname}}"})
    assert problem(unknown) == (422, "invalid") and unknown.json()["errors"][0]["pointer"] == "#/text"
    assert problem(await desk("POST", f"/groups/{nobody}/messages", {"text": "A"})) == (422, "refused")
    assert problem(await desk("POST", path, {"text": "A", "sender": "x"})) == (422, "refused")
    assert problem(await desk("POST", path, {"text": "A", "to": [PHONE]})) == (422, "invalid")
    assert problem(await desk("POST", f"/groups/{NOWHERE}/messages", {"text": "A"})) == (404, "not-found")
    await optouts.add(desk.db, desk.account.id, optouts.List.STOP, int(PHONE[1:]), desk.clock.now())
    stopped = await desk("POST", path, {"text": "A"})
    assert problem(stopped) == (422, "refused") and stopped.json()["errors"][0]["reason"] == "opted_out"
    poor = await desk.open("poor@example.org", euros=0)
    assert problem(await poor("POST", f"/groups/{await lyon(poor, 'A')}/messages", {"text": "A"})) == (402, "credit")
    assert not (await desk.get("/group-messages"))["items"] and await desk.balance() == 10_000_000


async def test_the_same_key_sends_once_and_others_see_nothing(desk: Desk) -> None:
    path = f"/groups/{await lyon(desk, 'Alix')}/messages"
    first, again = [await desk("POST", path, {"text": "A"}, idempotency_key="k") for _ in range(2)]
    assert first.status == again.status == 201 and first.body == again.body
    other = await desk("POST", path, {"text": "B"}, idempotency_key="k")
    assert problem(other) == (409, "idempotency-key-reused")
    mallory = await desk.open("mallory@example.org")
    assert problem(await mallory("GET", f"/submissions/{first.json()['id']}/progress")) == (404, "not-found")
    assert problem(await mallory("POST", path, {"text": "A"})) == (404, "not-found")
    assert (await mallory.get("/group-messages"))["items"] == []
    assert problem(await (await desk.with_key("messages:read"))("POST", path, {"text": "A"})) == (403, "scope")
