"""Campaigns in the native API: forecast, tried, launched, followed, halted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from surfaces.native.campaigning import ALIX, BO, CY, handed_over, listed, written
from surfaces.native.conftest import SITE, Desk, problem

from passerelle.domain.message import Dialect, TrafficClass
from passerelle.domain.tokens import text20
from passerelle.store import campaigns as store
from passerelle.store import contacts, ledger, lists, optouts
from passerelle.store.campaigns import Draft

FOUR = ((ALIX, "Alix"), (BO, ""), (CY, "Cy"), ("+33123456789", "Fixe"))


async def stopped(desk: Desk, phone: str) -> None:
    await optouts.add(desk.db, desk.account.id, optouts.List.STOP, int(phone[1:]), desk.clock.now())


async def launched(desk: Desk, *people: tuple[str, str], **members: Any) -> str:
    made = await written(desk, *people, **members)
    await desk.post(f"/campaigns/{made['id']}/launch", status=201)
    return f"/campaigns/{made['id']}"


async def exact(desk: Desk) -> int:
    """The balance, which equals the ledger."""
    balance = await desk.balance()
    assert balance == await ledger.account_sum(desk.db, desk.account.id)
    return balance


# --- before ----------------------------------------------------------------------------------------------------------


async def test_the_forecast_says_what_the_launch_does(desk: Desk) -> None:
    made = await written(desk, *FOUR, text="Bonjour {{prénom|toi}} " + "x" * 138)
    path = f"/campaigns/{made['id']}"
    await stopped(desk, CY)
    told = await desk.get(f"{path}/forecast")
    assert told == {
        "contacts": 4, "recipients": 2,
        "left_out": [{"reason": "not_mobile", "contacts": 1}, {"reason": "opted_out", "contacts": 1}], "obstacles": [],
        "parts": 2, "by_parts": [{"parts": 1, "messages": 2}], "price": "0.076", "balance": "10.000",
        "leaves_at": "2026-11-10T10:00:00Z", "held": 0, "expected_end": None, "unknown_fields": [],
        "example": f"Bonjour Alix {'x' * 138}",
    }  # fmt: skip
    assert await desk.balance() == 10_000_000 and not await desk.db.fetchval("select count(*) from message")
    done = await desk.post(f"{path}/launch", status=201)
    same = {name: told[name] for name in ("parts", "price", "left_out")}
    assert done == same | {"id": done["id"], "send_at": told["leaves_at"], "messages": told["recipients"]}
    assert await exact(desk) == 10_000_000 - 76_000
    assert problem(await desk("GET", f"{path}/forecast")) == (409, "conflict")


async def test_the_forecast_of_marketing_in_a_closed_hour(desk: Desk) -> None:
    made = await written(desk, (ALIX, ""), ("+262692000001", ""), text="Soldes", send_at="2026-11-11T10:00:00Z",
                         **{"class": "marketing"})  # fmt: skip
    told = await desk.get(f"/campaigns/{made['id']}/forecast")
    assert told["leaves_at"] == "2026-11-12T07:00:00Z", "the eleventh of November is a holiday"
    assert (told["recipients"], told["held"]) == (2, 0), "in La Réunion it is later by then, and open"
    evening = await written(desk, ("+262692000001", ""), text="Soldes", send_at="2026-11-12T17:00:00Z",
                            **{"class": "marketing"})  # fmt: skip
    told = await desk.get(f"/campaigns/{evening['id']}/forecast")
    assert (told["leaves_at"], told["held"]) == ("2026-11-12T17:00:00Z", 1), "there it is nine in the evening"


async def test_what_stands_in_the_way_is_told_before(desk: Desk) -> None:
    poor = await desk.open("poor@example.org", euros=0.05)
    made = await written(poor, *FOUR)
    told = await poor.get(f"/campaigns/{made['id']}/forecast")
    assert [one["reason"] for one in told["obstacles"]] == ["credit"]
    assert (told["price"], told["balance"]) == ("0.114", "0.050")
    assert problem(await poor("POST", f"/campaigns/{made['id']}/launch")) == (402, "credit")
    late = await written(desk, send_at="2026-11-10T11:00:00Z")
    desk.clock.move(3600 + 301)
    told = await desk.get(f"/campaigns/{late['id']}/forecast")
    assert [one["reason"] for one in told["obstacles"]] == ["date_past"] and told["recipients"] == 0
    refused = await desk("POST", f"/campaigns/{late['id']}/launch")
    assert problem(refused) == (422, "refused") and refused.json()["errors"][0]["reason"] == "date_past"
    desk.clock.move(-301)
    assert (await desk("POST", f"/campaigns/{late['id']}/launch")).status == 201, "five minutes late is in time"


async def test_nobody_is_left(desk: Desk) -> None:
    made = await written(desk, (CY, ""))
    path = f"/campaigns/{made['id']}"
    await stopped(desk, CY)
    told = await desk.get(f"{path}/forecast")
    assert [one["reason"] for one in told["obstacles"]] == ["no_recipient"]
    refused = await desk("POST", f"{path}/launch")
    assert problem(refused) == (422, "refused")
    assert refused.json()["errors"] == [
        {"detail": "1 contacts: This number is on the stop list.", "reason": "opted_out"}
    ]
    one = await lists.find(desk.db, desk.account.id, bytes.fromhex(made["to"]["list"]))
    assert one is not None and await lists.delete(desk.db, desk.account.id, one.token)
    for method, end in (("GET", "forecast"), ("POST", "launch")):
        assert problem(await desk(method, f"{path}/{end}")) == (409, "conflict")
    assert (await desk.get(path))["phase"] == "draft"


async def test_a_test_goes_to_one_number_and_counts_nowhere(desk: Desk) -> None:
    made = await written(desk, text="Bonjour {{prénom|toi}} {{link}}", page={"url": "https://shop.example/"},
                         send_at="2026-11-12T10:00:00Z", **{"class": "marketing"})  # fmt: skip
    path = f"/campaigns/{made['id']}"
    desk.clock.move(12 * 3600)  # at eleven in the evening
    sent = await desk.post(f"{path}/test", {"phone": "0639980009"}, 201)
    assert [one["to"] for one in sent["messages"]] == ["+33639980009"] and sent["price"] == "0.038"
    (text,) = await handed_over(desk)
    assert text.startswith(f"Bonjour Alix {SITE}/l/") and text.endswith("STOP 36000")
    assert (await desk.get(f"{path}/statistics"))["messages"] == 0
    assert (await desk.get(path))["phase"] == "draft"
    missing = await desk("POST", f"{path}/test", {})
    assert problem(missing) == (422, "invalid") and missing.json()["errors"][0]["pointer"] == "#/phone"
    assert (await desk("PATCH", path, {"test_phone": BO})).status == 200
    assert [one["to"] for one in (await desk.post(f"{path}/test", {}, 201))["messages"]] == [BO]
    refused = await desk("POST", f"{path}/test", {"phone": "145"})
    assert problem(refused) == (422, "refused") and refused.json()["errors"][0]["reason"] == "number_invalid"


# --- launched --------------------------------------------------------------------------------------------------------


async def test_it_leaves_once_to_each_with_a_link_of_its_own(desk: Desk) -> None:
    made = await written(desk, *FOUR, text="{{prénom|toi}}: https://shop.example/a {{link}}",
                         page={"title": "Soldes", "text": "Venez"})  # fmt: skip
    path = f"/campaigns/{made['id']}"
    assert made["page"] == {"url": None, "title": "Soldes", "html": "<h1>Soldes</h1>\n<p>Venez</p>"}
    first, again = [await desk("POST", f"{path}/launch", idempotency_key="k") for _ in range(2)]
    assert first.status == again.status == 201 and first.body == again.body
    assert problem(await desk("POST", f"{path}/launch")) == (409, "conflict")
    assert (await desk.get(path))["phase"] == "sending"
    texts = sorted(await handed_over(desk))
    assert [text.partition(":")[0] for text in texts] == ["Alix", "Cy", "toi"]
    codes = [piece for text in texts for piece in text.split() if piece.startswith(SITE)]
    assert len(set(codes)) == 6 and "shop.example" not in "".join(texts)
    seen = await desk.get(path)
    assert (seen["contacts"], seen["messages"], seen["price"]) == (4, 3, "0.114")
    assert seen["left_out"] == [{"reason": "not_mobile", "contacts": 1}]
    assert (await desk.get(f"/submissions/{seen['submission']}"))["campaign"] == "Soldes"


async def test_progress_is_that_of_its_submission(desk: Desk) -> None:
    made = await written(desk)
    path = f"/campaigns/{made['id']}"
    assert problem(await desk("GET", f"{path}/progress")) == (409, "conflict")
    done = await desk.post(f"{path}/launch", status=201)
    await handed_over(desk, slots=1)
    told = await desk.get(f"{path}/progress")
    assert told == await desk.get(f"/submissions/{done['id']}/progress")
    assert (told["messages"], told["parts_sent"], told["parts_waiting"]) == (2, 1, 1)


async def test_campaigns_of_primotexto_are_launched_by_its_rules(desk: Desk) -> None:
    ident = await listed(desk, (ALIX, ""))
    one = await lists.find(desk.db, desk.account.id, bytes.fromhex(ident))
    assert one is not None
    draft = Draft("PT", TrafficClass.TRANSACTIONAL, "Bonjour", list_id=one.id, list_token=one.token)
    token = await store.insert(desk.db, desk.account.id, Dialect.PRIMOTEXTO, draft, desk.clock.now())
    path = f"/campaigns/{token.hex()}"
    await desk.post(f"{path}/launch", status=201)
    assert await desk.db.fetchval("select dialect from message") == Dialect.PRIMOTEXTO
    assert (await desk.get(f"{path}/statistics"))["messages"] == 1


# --- halted ----------------------------------------------------------------------------------------------------------


async def test_paused_nothing_leaves_and_resumed_all_of_it_does(desk: Desk) -> None:
    path = await launched(desk, *FOUR)
    assert len(await handed_over(desk, slots=1)) == 1
    paused = await desk.post(f"{path}/pause")
    assert (paused["phase"], paused["paused_at"]) == ("paused", "2026-11-10T10:00:00Z")
    assert await handed_over(desk) == []
    told = await desk.get(f"{path}/progress")
    assert (told["parts_waiting"], told["expected_end"]) == (2, None) and told["paused_at"]
    assert problem(await desk("POST", f"{path}/pause")) == (409, "conflict")
    desk.clock.move(timedelta(days=3).total_seconds())
    resumed = await desk.post(f"{path}/resume")
    assert (resumed["phase"], resumed["paused_at"]) == ("sending", None)
    assert len(await handed_over(desk)) == 2
    assert problem(await desk("POST", f"{path}/resume")) == (409, "conflict")
    assert await exact(desk) == 10_000_000 - 114_000


async def test_cancelled_half_way_the_rest_is_given_back(desk: Desk) -> None:
    path = await launched(desk, *FOUR)
    await handed_over(desk, slots=1)
    ended = await desk.post(f"{path}/cancel")
    assert ended["phase"] == "stopped" and ended["ended_at"]
    assert await handed_over(desk) == []
    assert await exact(desk) == 10_000_000 - 38_000
    told = await desk.get(f"{path}/statistics")
    assert (told["price"], told["refunded"], told["sent"], told["waiting"]) == ("0.114", "0.076", 1, 0)
    for end in ("pause", "resume", "cancel"):
        assert problem(await desk("POST", f"{path}/{end}")) == (409, "conflict")
    assert problem(await desk("DELETE", path)) == (409, "conflict")


@pytest.mark.parametrize("pause", [False, True])
async def test_cancelled_before_anything_left_all_is_given_back(desk: Desk, pause: bool) -> None:
    path = await launched(desk, send_at="2026-11-12T10:00:00Z")
    assert (await desk.get(path))["phase"] == "scheduled" and await exact(desk) == 10_000_000 - 76_000
    if pause:
        await desk.post(f"{path}/pause")
    assert (await desk.post(f"{path}/cancel"))["phase"] == "cancelled"
    assert await exact(desk) == 10_000_000
    assert (await desk("DELETE", path)).status == 204


async def test_a_draft_is_not_halted(desk: Desk) -> None:
    made = await written(desk)
    for end in ("pause", "resume", "cancel"):
        answer = await desk("POST", f"/campaigns/{made['id']}/{end}")
        assert problem(answer) == (409, "conflict") and "draft" in answer.json()["detail"]


async def test_a_large_group(desk: Desk) -> None:
    """More than are written at once: the answer counts them all the same."""
    async with desk.db.transaction() as connection:
        group = await contacts.add_group(connection, desk.account.id, "Large", desk.clock.now())
    count = 2_100
    await desk.db.execute(
        "insert into contact (account_id, group_id, token, phone, created_at)"
        " select $1, $2, uuid_send(gen_random_uuid()), 33639000000 + n, $3 from generate_series(1, $4) n",
        desk.account.id, group.id, desk.clock.now(), count,
    )  # fmt: skip
    await ledger.top_up(desk.db, desk.account.id, 100_000_000, desk.clock.now())
    made = await desk.post("/campaigns", {"name": "A", "text": "A", "to": {"group": text20(group.token)}}, 201)
    done = await desk.post(f"/campaigns/{made['id']}/launch", status=201)
    assert (done["messages"], done["parts"], done["price"]) == (count, count, "79.800")
    ended = await desk.post(f"/campaigns/{made['id']}/cancel")
    assert ended["phase"] == "stopped" and await exact(desk) == 110_000_000
