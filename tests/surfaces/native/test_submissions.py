"""Any submission is paused, resumed and cancelled: sends to groups, surveys, single requests."""

from __future__ import annotations

import pytest
from surfaces.native.campaigning import handed_over
from surfaces.native.conftest import PHONE, Desk, problem
from surfaces.native.test_group_sends import lyon
from surfaces.native.test_surveys import made as survey

from passerelle.store import ledger

OTHER = "+33639980002"


async def exact(desk: Desk) -> int:
    balance = await desk.balance()
    assert balance == await ledger.account_sum(desk.db, desk.account.id)
    return balance


async def of_group(desk: Desk) -> str:
    sent = await desk.post(f"/groups/{await lyon(desk, 'Alix', 'Bo')}/messages", {"text": "Bonjour"}, 201)
    return str(sent["id"])


async def of_survey(desk: Desk) -> str:
    return str((await desk.post(f"/surveys/{await survey(desk)}/messages", {"to": [PHONE, OTHER]}, 201))["id"])


async def of_messages(desk: Desk) -> str:
    return str((await desk.post("/messages", {"to": [PHONE, OTHER], "text": "Bonjour"}, 201))["id"])


@pytest.mark.parametrize("send", [of_group, of_survey, of_messages])
async def test_paused_resumed_and_cancelled_half_way(desk: Desk, send) -> None:
    path = f"/submissions/{await send(desk)}"
    assert len(await handed_over(desk, slots=1)) == 1
    paused = await desk.post(f"{path}/pause")
    assert (paused["paused_at"], paused["parts_waiting"], paused["expected_end"]) == ("2026-11-10T10:00:00Z", 1, None)
    assert await handed_over(desk) == []
    assert problem(await desk("POST", f"{path}/pause")) == (409, "conflict")
    resumed = await desk.post(f"{path}/resume")
    assert resumed["paused_at"] is None
    assert problem(await desk("POST", f"{path}/resume")) == (409, "conflict")
    assert problem(await desk("DELETE", path)) == (409, "conflict"), "all or nothing"
    ended = await desk.post(f"{path}/cancel")
    assert ended["cancelled_at"] and (ended["refunded"], ended["parts_waiting"]) == ("0.038", 0)
    assert await handed_over(desk) == [] and await exact(desk) == 10_000_000 - 38_000
    for end in ("pause", "resume", "cancel"):
        assert problem(await desk("POST", f"{path}/{end}")) == (409, "conflict")


async def test_what_is_paused_can_be_taken_back_whole(desk: Desk) -> None:
    path = f"/submissions/{await of_group(desk)}"
    await desk.post(f"{path}/pause")
    assert (await desk("DELETE", path)).json()["refunded"] == "0.076"
    assert await exact(desk) == 10_000_000


async def test_there_is_nothing_to_halt(desk: Desk) -> None:
    sent = await of_messages(desk)
    assert len(await handed_over(desk)) == 2
    tried = (await desk.post("/messages", {"to": [PHONE], "text": "Bonjour", "sandbox": True}, 201))["id"]
    mallory = await desk.open("mallory@example.org")
    reader = await desk.with_key("messages:read")
    for end in ("pause", "resume", "cancel"):
        for number in (sent, tried):
            assert problem(await desk("POST", f"/submissions/{number}/{end}")) == (409, "conflict")
        for caller, number in ((mallory, sent), (desk, "0"), (desk, "x")):
            assert problem(await caller("POST", f"/submissions/{number}/{end}")) == (404, "not-found")
        assert problem(await reader("POST", f"/submissions/{sent}/{end}")) == (403, "scope")
