"""Sub-accounts of SMS Partner: the calls of chapter 9, their codes in order, and what they do to the money."""

from __future__ import annotations

import asyncio
import json
import re
from itertools import product
from typing import Any

import pytest

from passerelle.domain.account import AccountState
from passerelle.pipeline import subaccounts
from passerelle.store import ledger

ONE = "+33639980001"
NOWHERE = "Wn5Xk0VbGd8TqJ3yLs7m"
LATER = {"scheduledDeliveryDate": "12/11/2026", "time": 12, "minute": 0}


async def made(shop, **parameters: Any) -> str:
    """The token of a new simple sub-account."""
    answer = await shop.post("subaccount/create", type="simple", parameters=parameters)
    assert answer["success"] is True, answer
    return answer["subaccount"]["token"]


async def entry(shop, token: str) -> Any:
    """How a sub-account is listed."""
    return next(one for one in (await shop.get("subaccount/list"))["data"] if one["token"] == token)


async def child(shop, token: str) -> Any:
    """The same installation, called with the key of a sub-account."""
    key = (await entry(shop, token))["apiKey"]
    account = await shop.accounts.find(key)
    return type(shop)(shop.db, shop.accounts, shop.clock, shop.app, account, key)


async def sound(shop) -> None:
    """Every wallet equals its ledger."""
    assert not await ledger.wrong_wallets(shop.db)


# --- create ----------------------------------------------------------------------------------------------------------


async def test_an_advanced_one_is_made_with_its_credit_and_a_mail(shop):
    parameters = {
        "email": "agence@example.org",
        "isBuyer": 1,
        "creditToAttribute": 2.5,
        "title": "Agence",
        "lastname": "Roy",
    }
    answer = await shop.post("subaccount/create", type="advanced", parameters=parameters)
    token = answer["subaccount"]["token"]
    assert json.dumps(answer) == json.dumps(
        {
            "success": True,
            "code": 200,
            "subaccount": {"email": "agence@example.org", "token": token},
            "sendConfirmMailTo": "agence@example.org",
            "parent_email": "bakery@example.org",
        }
    )
    assert re.fullmatch("[A-Za-z][A-Za-z0-9]{19}", token)
    assert await shop.balance() == 7_500_000
    row = await shop.db.fetchrow("select * from subaccount")
    assert (row["parent_id"], row["type"], row["is_buyer"], row["title"]) == (shop.account.id, 2, True, "Agence")
    mail = await shop.db.fetchrow("select * from mail")
    assert (mail["recipient"], mail["account_id"]) == ("agence@example.org", row["account_id"])
    posted = await shop.db.fetchrow("select * from posting where kind = 4")
    assert (posted["from_account"], posted["to_account"], posted["amount"]) == (
        shop.account.id,
        row["account_id"],
        2_500_000,
    )
    await sound(shop)


async def test_a_simple_one_gets_an_address_and_no_mail(shop):
    answer = await shop.post("subaccount/create", type="simple")
    assert list(answer) == ["success", "code", "subaccount", "parent_email"]
    assert re.fullmatch(r"\d{8}@subaccounts\.invalid", answer["subaccount"]["email"])
    assert await shop.db.fetchval("select count(*) from mail") == 0
    assert await shop.balance() == 10_000_000


async def test_a_get_with_a_body_creates_too(shop):
    body = {"apiKey": shop.key, "type": "simple", "parameters": {"email": "a@example.org"}}
    answer = (await shop.raw("GET", "/v1/subaccount/create", body)).json()
    assert answer["subaccount"]["email"] == "a@example.org"


async def test_creating_in_xml(shop):
    body = {
        "apiKey": shop.key,
        "_format": "xml",
        "type": "advanced",
        "parameters": {"email": "a@example.org", "isBuyer": 0},
    }
    answer = await shop.raw("POST", "/v1/subaccount/create", body)
    token = await shop.db.fetchval("select token from subaccount")
    assert answer.text == (
        "<?xml version='1.0' encoding='UTF-8'?><result><entry>true</entry><entry>200</entry><entry>"
        f"<entry><![CDATA[a@example.org]]></entry><entry><![CDATA[{subaccounts.shown_token(token)}]]></entry></entry>"
        "<entry><![CDATA[a@example.org]]></entry><entry><![CDATA[bakery@example.org]]></entry></result>"
    )


GOOD = {"email": "new@example.org", "isBuyer": 0}


OF_CREATING = [
    (None, {}, 4, "Le type est requis"),
    ("", GOOD, 4, "Le type est requis"),
    (["simple"], GOOD, 4, "Le type est requis"),
    ("premium", {}, 5, "Type inconnu"),
    ("advanced", {}, 3, "Le paramètre isBuyer est requis"),
    ("advanced", None, 3, "Le paramètre isBuyer est requis"),
    ("advanced", "isBuyer", 3, "Le paramètre isBuyer est requis"),
    ("advanced", {"isBuyer": ""}, 3, "Le paramètre isBuyer est requis"),
    ("advanced", {"isBuyer": 1}, 6, "L'adresse e-mail est requise"),
    ("advanced", {"isBuyer": 1, "email": "agence"}, 6, "L'adresse e-mail est requise"),
    ("advanced", {"isBuyer": 1, "email": "a b@example.org"}, 6, "L'adresse e-mail est requise"),
    ("advanced", {"isBuyer": 1, "email": "a@b"}, 6, "L'adresse e-mail est requise"),
    ("advanced", {"isBuyer": 1, "email": "a@example.org\nBcc: b@example.org"}, 6, "L'adresse e-mail est requise"),
    ("simple", {"email": "@example.org"}, 6, "L'adresse e-mail est requise"),
    (
        "advanced",
        {"isBuyer": 1, "email": "bakery@example.org", "creditToAttribute": 0},
        7,
        "Adresse e-mail déjà utilisée",
    ),
    ("simple", {"email": "BAKERY@example.org"}, 7, "Adresse e-mail déjà utilisée"),
    ("advanced", GOOD | {"creditToAttribute": 0}, 8, "creditToAttribute doit être supérieur à 0"),
    ("advanced", GOOD | {"creditToAttribute": -1}, 8, "creditToAttribute doit être supérieur à 0"),
    ("advanced", GOOD | {"creditToAttribute": "NaN"}, 8, "creditToAttribute doit être supérieur à 0"),
    ("advanced", GOOD | {"creditToAttribute": "1e1"}, 8, "creditToAttribute doit être supérieur à 0"),
    ("advanced", GOOD | {"creditToAttribute": True}, 8, "creditToAttribute doit être supérieur à 0"),
    ("advanced", GOOD | {"creditToAttribute": "0.0004"}, 8, "creditToAttribute doit être supérieur à 0"),
    ("advanced", GOOD | {"creditToAttribute": 10.001}, 9, "Le solde doit être supérieur à 0"),
    ("simple", GOOD | {"creditToAttribute": "9" * 400}, 9, "Le solde doit être supérieur à 0"),
    ("simple", GOOD | {"creditToAttribute": 1e300}, 9, "Le solde doit être supérieur à 0"),
]


async def test_faults_of_creating(shop):
    for type_, parameters, code, message in OF_CREATING:
        answer = await shop.raw(
            "POST", "/v1/subaccount/create", {"apiKey": shop.key, "type": type_, "parameters": parameters}
        )
        assert (answer.status, answer.json()) == (400, {"success": False, "code": code, "message": message}), parameters
        assert await shop.db.fetchval("select count(*) from account") == 1
        assert await shop.db.fetchval("select (select count(*) from subaccount) + (select count(*) from mail)") == 0
        assert await shop.balance() == 10_000_000


async def test_without_the_right_nothing_else_is_looked_at(shop):
    await shop.accounts.update_rules(shop.account.id, subaccounts=False)
    assert await shop.post("subaccount/create") == {
        "success": False,
        "code": 2,
        "message": "Création de sous-compte non autorisée",
    }
    forbidden = {"success": False, "code": 4, "message": "Opération non autorisée"}
    assert await shop.post("subaccount/credit/add") == forbidden
    assert await shop.post("subaccount/credit/remove") == forbidden
    assert (await shop.get("subaccount/list"))["code"] == 200
    assert (await shop.post("subaccount/remove", token=NOWHERE))["code"] == 404


async def test_an_account_with_a_quota_makes_none_and_keeps_those_it_has(shop):
    token = await made(shop)
    await shop.accounts.update_rules(shop.account.id, daily_quota=10)
    assert (await shop.post("subaccount/create", type="simple"))["code"] == 2
    assert (await shop.post("subaccount/credit/add", tokenSubaccount=token, credit=1))["code"] == 200


async def test_a_sub_account_never_has_the_right(shop):
    branch = await child(shop, await made(shop))
    await shop.accounts.update_rules(branch.account.id, subaccounts=True)
    assert (await branch.post("subaccount/create", type="simple"))["code"] == 2
    assert (await branch.post("subaccount/credit/add", credit=1, tokenSubaccount=NOWHERE))["code"] == 4
    assert (await branch.get("subaccount/list"))["total"] == 0


async def test_a_sub_account_may_do_no_more_than_its_main_account(shop):
    await shop.accounts.update_rules(
        shop.account.id, eco=False, reply_url="http://a.example/", allowed_addresses=["192.0.2.7"]
    )
    branch = await child(shop, await made(shop, creditToAttribute=1))
    assert not branch.account.rules.eco
    assert (branch.account.rules.reply_url, branch.account.rules.allowed_addresses) == ("", ())
    assert (await branch.send(gamme=2))["code"] == 51


async def test_a_sub_account_pays_the_prices_of_its_main_account(shop):
    from passerelle.store import accounts

    await accounts.set_price(shop.db, shop.account.id, 1, "FR", 45_000)
    branch = await child(shop, await made(shop, creditToAttribute=1))
    assert (await branch.send())["cost"] == 0.045
    await accounts.set_price(shop.db, shop.account.id, 1, "FR", 30_000)
    assert (await branch.send())["cost"] == 0.03  # of what was cached a moment ago
    await accounts.set_price(shop.db, branch.account.id, 1, "FR", 20_000)
    assert (await branch.send())["cost"] == 0.02


@pytest.mark.parametrize(("state", "code"), [(AccountState.DISABLED, 20), (AccountState.BLOCKED, 30)])
async def test_a_main_account_that_is_stopped_stops_its_sub_accounts(shop, state, code):
    branch = await child(shop, await made(shop, creditToAttribute=1))
    assert (await branch.send())["code"] == 200
    await shop.accounts.set_state(shop.account.id, state)
    assert (await branch.send())["code"] == code
    await shop.accounts.set_state(shop.account.id, AccountState.ACTIVE)
    assert (await branch.send())["code"] == 200


async def test_two_that_want_the_same_address_at_once(shop):
    answers = await asyncio.gather(
        *(shop.post("subaccount/create", type="advanced", parameters=GOOD | {"creditToAttribute": 1}) for _ in range(4))
    )
    assert sorted(answer["code"] for answer in answers) == [7, 7, 7, 200]
    assert await shop.balance() == 9_000_000
    await sound(shop)


# --- list ------------------------------------------------------------------------------------------------------------


async def test_the_list_to_the_letter(shop):
    token = await made(shop, email="agence@example.org", creditToAttribute="2.5")
    answer = await shop.get("subaccount/list")
    row = await shop.db.fetchrow("select s.number, s.account_id from subaccount s")
    key = await shop.accounts.key(row["account_id"])
    assert json.dumps(answer) == json.dumps(
        {
            "success": True,
            "code": 200,
            "total": 1,
            "nb_per_page": 20,
            "page": 1,
            "data": [
                {
                    "id": row["number"],
                    "email": "agence@example.org",
                    "type": "simple",
                    "token": token,
                    "apiKey": key,
                    "createdAt": "2026-11-10 11:00:00",
                    "credits": {"balance": "2.500", "currency": "EUR"},
                }
            ],
        }
    )
    assert await shop.xml("subaccount/list") == (
        "<?xml version='1.0' encoding='UTF-8'?><result><entry>true</entry><entry>200</entry><entry>1</entry>"
        f"<entry>20</entry><entry>1</entry><entry><entry><entry>{row['number']}</entry>"
        f"<entry><![CDATA[agence@example.org]]></entry><entry><![CDATA[simple]]></entry><entry><![CDATA[{token}]]></entry>"
        f"<entry><![CDATA[{key}]]></entry><entry><![CDATA[2026-11-10 11:00:00]]></entry>"
        "<entry><entry><![CDATA[2.500]]></entry><entry><![CDATA[EUR]]></entry></entry></entry></entry></result>"
    )


async def test_twenty_a_page_the_oldest_first(shop):
    tokens = [await made(shop) for _ in range(23)]
    pages = [await shop.get("subaccount/list", f"page={page}") for page in (1, 2, 3)]
    assert [len(page["data"]) for page in pages] == [20, 3, 0]
    assert [(page["total"], page["page"]) for page in pages] == [(23, 1), (23, 2), (23, 3)]
    assert [one["token"] for page in pages for one in page["data"]] == tokens


async def test_any_page(shop):
    for page, shown in (("", 1), ("0", 1), ("-3", 1), ("x", 1), ("2", 2), ("99999999999999999", 10**9)):
        assert (await shop.get("subaccount/list", f"page={page}"))["page"] == shown, page


# --- credit ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["subaccount/credit/add", "subaccount/credit/sms"])
async def test_credit_is_given_and_taken_back(shop, call):
    token = await made(shop)
    given = await shop.post(call, credit=2.5, tokenSubaccount=token)
    assert (
        json.dumps(given) == '{"success": true, "code": 200, "credit": 7.5, "subaccountCredit": 2.5, "currency": "EUR"}'
    )
    taken = await shop.post("subaccount/credit/remove", credit="1.5", tokenSubaccount=token)
    assert json.dumps(taken) == '{"success": true, "code": 200, "credit": 9, "subaccountCredit": 1, "currency": "EUR"}'
    assert (await entry(shop, token))["credits"]["balance"] == "1.000"
    assert await shop.balance() == 9_000_000
    assert await shop.db.fetchval("select count(*) from posting where kind = 4") == 2
    await sound(shop)


async def test_credit_in_xml(shop):
    token = await made(shop)
    body = {"apiKey": shop.key, "credit": 1.234, "tokenSubaccount": token, "_format": "XML"}
    answer = await shop.raw("POST", "/v1/subaccount/credit/add", body)
    assert answer.text == (
        "<?xml version='1.0' encoding='UTF-8'?><result><entry>true</entry><entry>200</entry><entry>8.766</entry>"
        "<entry>1.234</entry><entry><![CDATA[EUR]]></entry></result>"
    )


OF_MOVING = [
    ("add", {}, 2, "Le crédit est requis"),
    ("add", {"credit": None}, 2, "Le crédit est requis"),
    ("add", {"credit": [1]}, 2, "Le crédit est requis"),
    ("add", {"credit": 0}, 3, "Le paramètre tokenSubaccount est requis"),
    ("add", {"credit": 0, "tokenSubaccount": NOWHERE}, 7, "Sous-compte introuvable"),
    ("add", {"credit": 1, "tokenSubaccount": "x"}, 7, "Sous-compte introuvable"),
    ("add", {"credit": 0, "tokenSubaccount": "{token}"}, 5, "Le crédit doit être supérieur à 0"),
    ("add", {"credit": -1, "tokenSubaccount": "{token}"}, 5, "Le crédit doit être supérieur à 0"),
    ("add", {"credit": "NaN", "tokenSubaccount": "{token}"}, 5, "Le crédit doit être supérieur à 0"),
    ("add", {"credit": "Infinity", "tokenSubaccount": "{token}"}, 5, "Le crédit doit être supérieur à 0"),
    ("add", {"credit": "1e3", "tokenSubaccount": "{token}"}, 5, "Le crédit doit être supérieur à 0"),
    ("add", {"credit": "1,5", "tokenSubaccount": "{token}"}, 5, "Le crédit doit être supérieur à 0"),
    ("add", {"credit": 0.0004, "tokenSubaccount": "{token}"}, 5, "Le crédit doit être supérieur à 0"),
    ("add", {"credit": False, "tokenSubaccount": "{token}"}, 5, "Le crédit doit être supérieur à 0"),
    ("add", {"credit": 10.001, "tokenSubaccount": "{token}"}, 8, "Crédit insuffisant"),
    ("add", {"credit": "1" + "0" * 5000, "tokenSubaccount": "{token}"}, 8, "Crédit insuffisant"),
    ("add", {"credit": 1e308, "tokenSubaccount": "{token}"}, 8, "Crédit insuffisant"),
    ("remove", {}, 2, "Le crédit est requis"),
    ("remove", {"credit": 1}, 3, "Le paramètre tokenSubaccount est requis"),
    ("remove", {"credit": 1, "tokenSubaccount": NOWHERE}, 7, "Sous-compte introuvable"),
    ("remove", {"credit": 0, "tokenSubaccount": "{token}"}, 5, "Le crédit doit être supérieur à 0"),
    ("remove", {"credit": 1.001, "tokenSubaccount": "{token}"}, 8, "Crédit insuffisant"),
    ("remove", {"credit": 1, "tokenSubaccount": "{empty}"}, 6, "Le solde doit être supérieur à 0"),
]


async def test_faults_of_moving_credit(shop):
    named = {"token": await made(shop, creditToAttribute=1), "empty": await made(shop)}
    await shop.accounts.credit(shop.account.id, 1_000_000, shop.clock.now())
    for call, members, code, message in OF_MOVING:
        members = {
            name: value.format(**named) if isinstance(value, str) and "{" in value else value
            for name, value in members.items()
        }
        answer = await shop.raw("POST", f"/v1/subaccount/credit/{call}", {"apiKey": shop.key, **members})
        assert (answer.status, answer.json()) == (400, {"success": False, "code": code, "message": message})
        assert await shop.balance() == 10_000_000
        assert (await entry(shop, named["token"]))["credits"]["balance"] == "1.000"


async def test_a_main_account_without_money_gives_none(shop):
    token = await made(shop, creditToAttribute=10)
    assert (await shop.post("subaccount/credit/add", credit=1, tokenSubaccount=token))["code"] == 6
    assert (await shop.post("subaccount/create", type="simple", parameters={"creditToAttribute": 1}))["code"] == 9


async def test_amounts_are_exact_to_a_thousandth(shop):
    token = await made(shop)
    assert (await shop.post("subaccount/credit/add", credit=0.0005, tokenSubaccount=token))["subaccountCredit"] == 0.001
    assert (await shop.post("subaccount/credit/add", credit="1.2344999", tokenSubaccount=token))[
        "subaccountCredit"
    ] == 1.235
    assert await shop.balance() == 10_000_000 - 1_235_000


async def test_the_last_euro_is_taken_back_once(shop):
    token = await made(shop, creditToAttribute=1)
    answers = await asyncio.gather(
        *(shop.post("subaccount/credit/remove", credit=1, tokenSubaccount=token) for _ in range(5))
    )
    assert sorted(answer["code"] for answer in answers) == [6, 6, 6, 6, 200]
    assert await shop.balance() == 10_000_000
    await sound(shop)


async def test_moves_both_ways_and_sends_at_once(shop):
    token = await made(shop, creditToAttribute=5)
    branch = await child(shop, token)
    calls = [shop.post(f"subaccount/credit/{way}", credit=1, tokenSubaccount=token) for way in ("add", "remove") * 10]
    answers = await asyncio.gather(*calls, *(one.send() for one in (shop, branch) * 5))
    assert all(answer["success"] for answer in answers)
    assert await shop.balance() + await branch.balance() == 10_000_000 - 10 * 38_000
    await sound(shop)


# --- remove ----------------------------------------------------------------------------------------------------------


async def test_every_way_to_remove(shop):
    for method, path, place in product(("DELETE", "POST"), ("remove", "delete"), ("body", "query")):
        token = await made(shop, creditToAttribute=2.5)
        target, asked = f"/v1/subaccount/{path}", {"apiKey": shop.key, "token": token}
        if place == "body":
            answer = await shop.raw(method, target, asked)
        else:
            answer = await shop.raw(method, f"{target}?apiKey={shop.key}&token={token}")
        assert answer.json() == {"success": True, "code": 200}
        assert (await shop.get("subaccount/list"))["total"] == 0
        assert await shop.balance() == 10_000_000
    await sound(shop)


OF_REMOVING = [
    ({}, 400, 1, "Le token est requis"),
    ({"token": ""}, 400, 1, "Le token est requis"),
    ({"token": ["x"]}, 400, 1, "Le token est requis"),
    ({"token": "x"}, 404, 404, "Sous-compte introuvable"),
    ({"token": NOWHERE}, 404, 404, "Sous-compte introuvable"),
    ({"apiKey": "", "token": NOWHERE}, 400, 10, "Clef API incorrecte"),
    ({"apiKey": "0" * 32, "token": NOWHERE}, 400, 10, "Clef API incorrecte"),
    ({"apiKey": "0" * 32}, 400, 10, "Clef API incorrecte"),
]


async def test_faults_of_removing(shop):
    for members, status, code, message in OF_REMOVING:
        answer = await shop.raw("DELETE", "/v1/subaccount/remove", {"apiKey": shop.key} | members)
        assert (answer.status, answer.json()) == (status, {"success": False, "code": code, "message": message})


async def test_the_key_of_a_removed_one_is_dead_at_once(shop):
    token = await made(shop, creditToAttribute=1)
    branch = await child(shop, token)
    assert (await branch.send())["code"] == 200  # its account is in the cache now
    assert (await shop.post("subaccount/remove", token=token))["code"] == 200
    dead = {"success": False, "code": 10, "message": "Clé API incorrecte"}
    assert await branch.send() == dead
    assert await branch.send(**LATER) == dead
    assert await branch.get("me") == dead
    assert (await shop.post("subaccount/remove", token=token))["code"] == 404
    assert (await shop.post("subaccount/credit/add", credit=1, tokenSubaccount=token))["code"] == 7


async def test_what_a_removed_one_had_scheduled_is_taken_back(shop):
    token = await made(shop, creditToAttribute=2)
    branch = await child(shop, token)
    await branch.send("+33639980001,+33639980002", "x" * 200, **LATER)
    await branch.send(message="Promo", isStopSms=1)
    now = await branch.send()
    assert (await shop.post("subaccount/remove", token=token))["code"] == 200
    states = await shop.db.fetch("select state, count(*) from message group by 1 order by 1")
    assert [tuple(row) for row in states] == [(0, 2), (15, 2)]  # marketing may leave on a Tuesday morning
    assert await shop.balance() == 10_000_000 - 2 * 38_000
    assert await shop.db.fetchval("select balance from wallet where account_id = $1", branch.account.id) == 0
    assert await shop.db.fetchval("select count(*) from submission where account_id = $1", branch.account.id) == 3
    assert now["code"] == 200
    await sound(shop)


async def test_two_who_remove_the_same(shop):
    token = await made(shop, creditToAttribute=1)
    answers = await asyncio.gather(*(shop.post("subaccount/remove", token=token) for _ in range(4)))
    assert sorted(answer["code"] for answer in answers) == [200, 404, 404, 404]
    assert await shop.balance() == 10_000_000
    await sound(shop)


async def test_the_address_of_a_removed_one_is_free_again(shop):
    for _ in range(2):
        token = await made(shop, email="agence@example.org")
        assert (await shop.post("subaccount/remove", token=token))["code"] == 200
    assert await made(shop, email="agence@example.org")


async def test_nobody_removes_or_pays_the_sub_accounts_of_others(shop):
    token = await made(shop, creditToAttribute=1)
    stranger, sibling = await shop.open("mallory@example.org"), await child(shop, await made(shop, creditToAttribute=1))
    for other in (stranger, sibling):
        assert (await other.post("subaccount/remove", token=token))["code"] == 404
        for way in ("add", "remove"):
            asked = await other.post(f"subaccount/credit/{way}", credit=0.5, tokenSubaccount=token)
            assert asked["code"] in (4, 7)
        assert (await other.get("subaccount/list"))["data"] == []
    assert (await entry(shop, token))["credits"]["balance"] == "1.000"


# --- a key of its own ------------------------------------------------------------------------------------------------


async def test_a_sub_account_has_its_own_balance_messages_and_stop_list(shop):
    branch = await child(shop, await made(shop, email="agence@example.org", firstname="Léa", creditToAttribute=1))
    sibling = await child(shop, await made(shop, creditToAttribute=1))
    me = await branch.get("me")
    assert (me["user"]["username"], me["user"]["firstname"], me["credits"]["solde"]) == (
        "agence@example.org",
        "Léa",
        "1.000",
    )
    sent = (await branch.send(ONE, tag="pain"))["message_id"]
    stop = (await branch.post("stop-sms/add", phoneNumber="+33639980009"))["stopId"]
    assert (await branch.get("me"))["credits"]["solde"] == "0.962"
    for other in (shop, sibling):
        assert (await other.get("message-status", f"messageId={sent}&phoneNumber={ONE}"))["code"] == 4
        assert (await other.get("bulk-status-by-tag", "tag=pain"))["code"] == 4
        assert (await other.get("message-cancel", f"messageId={sent}"))["code"] == 4
        assert (await other.get("stop-sms/delete", f"id={stop}"))["code"] == 4
        assert (await other.get("stop-sms/list"))["nbData"] == 0
        assert (await other.send("+33639980009"))["code"] == 200
    assert (await branch.send("+33639980009"))["code"] == 55


async def test_beyond_three_mails_an_hour_one_is_made_without(shop):
    told = []
    for _ in range(4):
        answer = await shop.post(
            "subaccount/create", type="advanced", parameters={"email": "a@example.org", "isBuyer": 0}
        )
        told.append(answer.get("sendConfirmMailTo"))
        await shop.post("subaccount/remove", token=answer["subaccount"]["token"])
    assert told == ["a@example.org"] * 3 + [None]
