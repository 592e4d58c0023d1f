"""Sub-accounts over the native API: made, paid, watched, removed; nobody else's are ever there."""

from __future__ import annotations

from typing import Any

from surfaces.native.conftest import PHONE, Desk, problem
from surfaces.native.test_messages import every

from passerelle.store import ledger

NOBODYS = "Wn5Xk0VbGd8TqJ3yLs7m"


async def make(desk: Desk, status: int = 201, **members: Any) -> Any:
    return await desk.post("/subaccounts", {"type": "simple", **members}, status)


async def test_one_is_made_seen_paid_and_removed(desk: Desk) -> None:
    made = await make(
        desk, type="advanced", email="a@example.org", is_buyer=True, credit="2.5", title="Nord", lastname="Roy"
    )
    assert made == await desk.get(f"/subaccounts/{made['id']}") == {
        "id": made["id"], "email": "a@example.org", "type": "advanced", "is_buyer": True, "title": "Nord", "firstname": "",
        "lastname": "Roy", "balance": "2.500", "created_at": "2026-11-10T10:00:00Z", "signed_up_at": None,
    }  # fmt: skip
    path = f"/subaccounts/{made['id']}/credit"
    assert await desk.post(path, {"amount": "1.001", "direction": "give"}) == {
        "balance": "6.499",
        "subaccount_balance": "3.501",
    }
    assert await desk.post(path, {"amount": "3", "direction": "take"}) == {
        "balance": "9.499",
        "subaccount_balance": "0.501",
    }
    assert await desk.db.fetchval("select count(*) from mail") == 1
    assert (await desk("DELETE", f"/subaccounts/{made['id']}")).status == 204
    assert problem(await desk("DELETE", f"/subaccounts/{made['id']}")) == (404, "not-found")
    assert problem(await desk("GET", f"/subaccounts/{made['id']}")) == (404, "not-found")
    assert await desk.balance() == 10_000_000
    assert not await ledger.wrong_wallets(desk.db)


async def test_its_key_is_a_key_of_the_dialects(desk: Desk) -> None:
    made = await make(desk)
    told = (await desk.get(f"/subaccounts/{made['id']}/key"))["key"]
    account = await desk.services.accounts.find(told)
    assert account is not None and account.email == made["email"] and account.parent_id == desk.account.id
    reader = await desk.with_key("subaccounts:read")
    assert problem(await reader("GET", f"/subaccounts/{made['id']}/key")) == (403, "scope")


async def test_the_list_tells_the_figures_of_each(desk: Desk) -> None:
    made = [await make(desk, credit="1") for _ in range(3)]
    account = await desk.db.fetchval("select account_id from subaccount order by number limit 1")
    owner = await desk.services.accounts.by_id(account)
    branch = Desk(desk.app, desk.services, desk.clock, owner, await desk.new_key("*", account=owner))
    await branch.post("/messages", {"to": [PHONE], "text": "Bonjour"}, 201)
    listed = await every(desk, "/subaccounts?limit=2")
    assert [one["id"] for one in listed] == [one["id"] for one in made]
    assert [one["balance"] for one in listed] == ["0.962", "1.000", "1.000"]
    assert listed[0]["activity"] == {
        "messages": 1, "waiting": 1, "delivered": 0, "failed": 0, "parts": 1, "cost": "0.038",
    }  # fmt: skip
    assert listed[1]["activity"]["cost"] == "0.000"
    old = await desk.get("/subaccounts?from=2026-11-01&to=2026-11-09")
    assert (old["items"][0]["activity"]["messages"], old["items"][0]["activity"]["cost"]) == (1, "0.000")
    assert problem(await desk("GET", "/subaccounts?from=2026-11-10&to=2026-11-09")) == (422, "invalid")


async def test_what_cannot_be_is_said(desk: Desk) -> None:
    await make(desk, email="a@example.org")
    for members, expected in (
        ({"type": "gold"}, (422, "invalid")),
        ({"type": "advanced"}, (422, "invalid")),
        ({"email": "agency"}, (422, "invalid")),
        ({"credit": "-1"}, (422, "invalid")),
        ({"credit": "1e3"}, (422, "invalid")),
        ({"credit": "0"}, (422, "invalid")),
        ({"email": "A@example.org"}, (409, "conflict")),
        ({"credit": "10.001"}, (402, "credit")),
    ):
        assert problem(await desk("POST", "/subaccounts", {"type": "simple", **members})) == expected, members
    made = await make(desk)
    for body, expected in (
        ({"amount": "0.000", "direction": "give"}, (422, "invalid")),
        ({"amount": "1", "direction": "take"}, (402, "credit")),
        ({"amount": "999999999999", "direction": "give"}, (402, "credit")),
        ({"amount": "1", "direction": "sideways"}, (422, "invalid")),
    ):
        assert problem(await desk("POST", f"/subaccounts/{made['id']}/credit", body)) == expected, body


async def test_an_invitation_is_sent_anew_while_nobody_has_signed_up(desk: Desk) -> None:
    made = await make(desk, type="advanced", email="a@example.org")
    assert (await desk("POST", f"/subaccounts/{made['id']}/invitation")).status == 204
    assert await desk.db.fetchval("select count(*) from mail") == 1
    simple = await make(desk)
    assert problem(await desk("POST", f"/subaccounts/{simple['id']}/invitation")) == (409, "conflict")


async def test_without_the_right_none_is_made(desk: Desk) -> None:
    made = await make(desk, credit="1")
    await desk.services.accounts.update_rules(desk.account.id, subaccounts=False)
    assert problem(await desk("POST", "/subaccounts", {"type": "simple"})) == (403, "scope")
    refused = await desk("POST", f"/subaccounts/{made['id']}/credit", {"amount": "1", "direction": "take"})
    assert problem(refused) == (403, "scope")
    assert (await desk("DELETE", f"/subaccounts/{made['id']}")).status == 204


async def test_those_of_others_are_not_there(desk: Desk) -> None:
    made = await make(desk, type="advanced", email="a@example.org", credit="1")
    mallory = await desk.open("mallory@example.org")
    for token in (made["id"], NOBODYS, "x"):
        for method, path, body in (
            ("GET", "", None), ("GET", "/key", None), ("DELETE", "", None), ("POST", "/invitation", None),
            ("POST", "/credit", {"amount": "1", "direction": "take"}),
        ):  # fmt: skip
            assert problem(await mallory(method, f"/subaccounts/{token}{path}", body)) == (404, "not-found"), (
                token,
                path,
            )
    assert (await mallory.get("/subaccounts"))["items"] == []
    assert (await desk.get(f"/subaccounts/{made['id']}"))["balance"] == "1.000"


async def test_a_daily_quota_is_not_got_round_by_sub_accounts(desk: Desk) -> None:
    made = await make(desk, credit="1")
    await desk.services.accounts.update_rules(desk.account.id, daily_quota=10)
    refused = await desk("POST", "/subaccounts", {"type": "simple"})
    assert problem(refused) == (403, "scope")
    path = f"/subaccounts/{made['id']}/credit"
    assert (await desk.post(path, {"amount": "1", "direction": "take"}))["subaccount_balance"] == "0.000"


async def test_nobody_is_flooded_with_invitations(desk: Desk) -> None:
    made = await make(desk, type="advanced", email="a@example.org")
    path = f"/subaccounts/{made['id']}/invitation"
    assert [(await desk("POST", path)).status for _ in range(2)] == [204, 204]
    refused = await desk("POST", path)
    assert problem(refused) == (429, "too-many-requests")
    assert (await desk("DELETE", f"/subaccounts/{made['id']}")).status == 204
    again = await make(desk, type="advanced", email="A@example.org")
    assert await desk.db.fetchval("select count(*) from mail") == 0, "made, without a fourth mail"
    desk.clock.move(3600)
    assert (await desk("POST", f"/subaccounts/{again['id']}/invitation")).status == 204
    assert await desk.db.fetchval("select recipient from mail") == "A@example.org"


async def test_an_account_has_a_hundred_mails_an_hour_written(desk: Desk) -> None:
    await desk.db.execute(
        "insert into mail_written select $1, n || '@example.org', $2 from generate_series(1, 99) n",
        desk.account.id, desk.clock.now(),
    )  # fmt: skip
    for name, mails in (("a", 1), ("b", 1)):
        await make(desk, type="advanced", email=f"{name}@example.org")
        assert await desk.db.fetchval("select count(*) from mail") == mails
