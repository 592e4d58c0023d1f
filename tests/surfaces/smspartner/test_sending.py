"""Credits, sends, cancelling: each request, its answer, and what is stored."""

from __future__ import annotations

import asyncio
import json
from xml.etree import ElementTree

import pytest

from passerelle.domain.account import AccountState
from passerelle.domain.message import State
from passerelle.pipeline import accounts

ONE = "+33639980001"


def elements(answer):
    assert answer["code"] == 9 and answer["errors"] == answer["error"] and "message" not in answer
    return [entry["elementId"][9:-6] for entry in answer["errors"]]


async def test_me(shop):
    answer = await shop.get("me")
    assert json.dumps(answer) == json.dumps(
        {
            "success": True,
            "code": 200,
            "user": {"username": "bakery@example.org", "firstname": "Alix", "lastname": "Martin"},
            "credits": {
                "creditSms": 263,
                "creditSmsECO": 434,
                "creditHlr": 2000,
                "toSend": 0,
                "solde": "10.000",
                "currency": "EUR",
                "balance": "10.000",
            },
        }
    )
    assert await shop.xml("me") == (
        "<?xml version='1.0' encoding='UTF-8'?><result><entry>true</entry><entry>200</entry><entry>"
        "<username>bakery@example.org</username><firstname>Alix</firstname><lastname>Martin</lastname></entry><entry>"
        "<entry>263</entry><entry>434</entry><entry>2000</entry><entry>0</entry><entry><![CDATA[10.000]]></entry>"
        "<entry><![CDATA[EUR]]></entry><entry><![CDATA[10.000]]></entry></entry></result>"
    )


async def test_me_counts_what_waits_and_what_was_spent(shop):
    await shop.send([ONE, "0639980002"], "x" * 200)
    await shop.send(sandbox=1)
    credits = (await shop.get("me"))["credits"]
    assert (credits["toSend"], credits["balance"], credits["solde"]) == (4, "9.848", "9.848")


async def test_the_retired_name_of_eco_credits(shop):
    await shop.accounts.update_rules(shop.account.id, legacy_lowcost=True)
    assert list((await shop.get("me"))["credits"].items())[-1] == ("creditSmsLowCost", 434)
    assert len(ElementTree.fromstring(await shop.xml("me"))[3]) == 7


async def test_a_send(shop):
    answer = await shop.send(
        "+33639980001,0639980002", "Votre colis est là:br:A bientôt", sender="MaBoutique", tag="Colis"
    )
    assert json.dumps(answer) == json.dumps(
        {
            "success": True,
            "code": 200,
            "message_id": answer["message_id"],
            "nb_sms": 2,
            "cost": 0.076,
            "currency": "EUR",
        }
    )
    assert type(answer["message_id"]) is int
    (submission,) = await shop.rows("submission")
    assert (submission["text"], submission["sender"]) == ("Votre colis est là\r\nA bientot", "MaBoutique")
    assert (submission["tag"], submission["tag_key"]) == ("Colis", "colis")
    assert [row["phone"] for row in await shop.rows("message")] == [33639980001, 33639980002]
    assert await shop.balance() == 10_000_000 - 76_000


async def test_a_send_in_xml(shop):
    answer = await shop.raw(
        "POST", "/v1/send", {"apiKey": shop.key, "phoneNumbers": ONE, "message": "x", "_format": "XML"}
    )
    assert answer.headers["content-type"] == "application/xml"
    assert [entry.text for entry in ElementTree.fromstring(answer.body)][3:] == ["1", "0.038", "EUR"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", '{"apiKey":"%s","phoneNumbers":"0639980001","message":"a"}'),
        ("", '\ufeff{"APIKey":"%s","To":"0639980001","Message":"a"}'),
        ("application/x-www-form-urlencoded", "apiKey=%s&phoneNumbers=%%2B33639980001&message=a"),
        ("text/plain", '{"apiKey":" %s ","phoneNumbers":33639980001,"message":"a","unknown":{}}'),
    ],
)
async def test_slips_of_real_clients(shop, kind, body):
    answer = await shop.raw("POST", "//v1//send/", (body % shop.key).encode(), content_type=kind)
    assert answer.json()["nb_sms"] == 1


async def test_the_key_may_stand_in_either_place(shop):
    assert (await shop.raw("POST", f"/v1/send?apiKey={shop.key}", {"to": ONE, "message": "a"})).json()["success"]
    assert (await shop.raw("GET", "/v1/me", {"apiKey": shop.key})).json()["success"]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"phoneNumbers": ""}, 2),
        ({"phoneNumbers": " , ,"}, 2),
        ({"phoneNumbers": None}, 2),
        ({"phoneNumbers": {"a": 1}}, 2),
        ({"phoneNumbers": ["0639980001"] * 501}, 50),
        ({"sender": "ab"}, 44),
        ({"sender": "MaBout!que"}, 44),
        ({"sender": "été1"}, 44),
        ({"time": 10}, 45),
        ({"scheduledDeliveryDate": "2026-12-01", "time": 10, "minute": 0}, 49),
        ({"scheduledDeliveryDate": "01/12/2026", "time": 25, "minute": 0}, 46),
        ({"scheduledDeliveryDate": "01/12/2026", "time": 10, "minute": 61}, 47),
        ({"scheduledDeliveryDate": "01/12/2026", "time": 10, "minute": 3}, 48),
        ({"gamme": 2, "message": "x" * 161}, 42),
        ({"gamme": 2, "message": "x" * 71, "isUnicode": 1}, 42),
        ({"message": "x" * 1531}, 52),
        ({"sender": "12345"}, 992),
        ({"scheduledDeliveryDate": "15/11/2026", "time": 10, "minute": 0, "isStopSms": 1}, 23),
        ({"scheduledDeliveryDate": "16/11/2026", "time": 20, "minute": 0, "isStopSms": 1}, 22),
        ({"phoneNumbers": "0145000000"}, 55),
        ({"phoneNumbers": "+14155550123"}, 55),
        ({"phoneNumbers": [f"06399{n:05}" for n in range(80_000, 80_264)]}, 11),
    ],
)
async def test_refusals(shop, members, code):
    answer = await shop.post("send", **{"phoneNumbers": ONE, "message": "Bonjour", **members})
    assert (answer["success"], answer["code"]) == (False, code)
    assert await shop.rows("submission") == [] and await shop.balance() == 10_000_000


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"sender": "ab"}, 44),
        ({"time": 10}, 45),
        ({"scheduledDeliveryDate": "2026-12-01", "time": 10, "minute": 0}, 49),
        ({"scheduledDeliveryDate": "01/12/2026", "time": 25, "minute": 0}, 46),
        ({"scheduledDeliveryDate": "01/12/2026", "time": 10, "minute": 61}, 47),
        ({"scheduledDeliveryDate": "01/12/2026", "time": 10, "minute": 3}, 48),
        ({"sender": "12345"}, 992),
        ({"scheduledDeliveryDate": "15/11/2026", "time": 10, "minute": 0, "isStopSms": 1}, 23),
        ({"scheduledDeliveryDate": "16/11/2026", "time": 20, "minute": 0, "isStopSms": 1}, 22),
        ({"SMSList": [{"phoneNumber": f"06399{n:05}", "message": "a"} for n in range(80_000, 80_264)]}, 11),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
async def test_refusals_of_a_whole_bulk_send(shop, members, code):
    listed = [{"phoneNumber": ONE, "message": "Bonjour"}]
    answer = await shop.post("bulk-send", **{"SMSList": listed, **members})
    assert (answer["success"], answer["code"]) == (False, code)
    assert await shop.rows("submission") == [] and await shop.balance() == 10_000_000


async def test_the_order_of_the_checks(shop):
    """Everything is wrong at first; each step mends the fault that was told."""
    await shop.accounts.update_rules(shop.account.id, eco=False)
    await shop.db.execute("insert into protected_sender values ('BANK')")
    await shop.post("stop-sms/add", phoneNumber=ONE)
    wrong = {
        "phoneNumbers": "", "message": "", "sender": "B!", "gamme": 2, "time": "x", "minute": 3,
        "scheduledDeliveryDate": "32/12/2026", "isStopSms": 1,
    }  # fmt: skip
    mends = [
        (2, {"phoneNumbers": ["1"] * 501}),
        (50, {"phoneNumbers": "1"}),
        (9, {"phoneNumbers": ONE, "message": "x" * 2000}),
        (44, {"sender": "Bank", "scheduledDeliveryDate": "", "minute": "1"}),
        (45, {"scheduledDeliveryDate": "32/12/2026"}),
        (49, {"scheduledDeliveryDate": "13/12/2026", "minute": "x"}),
        (46, {"time": 21}),
        (47, {"minute": 3}),
        (48, {"minute": 5}),
        (51, {"gamme": 1}),
        (52, {"message": "x"}),
        (992, {"sender": "Shop"}),
        (23, {"scheduledDeliveryDate": "14/12/2026"}),
        (22, {"time": 8}),
        (55, {"phoneNumbers": "0639980002"}),
    ]
    for code, mend in mends:
        assert (await shop.post("send", **wrong))["code"] == code
        wrong |= mend
    assert (await shop.post("send", **wrong))["scheduledDeliveryDate"] == "2026-12-14 08:05:00"


async def test_all_violations_are_listed_in_the_order_of_the_members(shop):
    answer = await shop.send(
        "145,146", "", sender="MaTropGrandeBoutique", tag="a b" * 10, urlDlr="x", urlResponse="y",
        scheduledDeliveryDate="09/11/2026",
    )  # fmt: skip
    assert elements(answer) == [
        "phoneNumbers", "phoneNumbers", "message", "sender", "tag", "tag", "scheduledDeliveryDate", "time", "minute",
        "urlResponse", "urlDlr",
    ]  # fmt: skip
    texts = [entry["message"] for entry in answer["errors"]]
    assert texts[0] == "Ce numero de telephone n'est pas valide (145)"
    assert texts[6] == "La date (09/11/2026 à :) est anterieure a la date actuelle."


@pytest.mark.parametrize("message", ["", None, "  ", "^~"])
async def test_a_message_that_is_empty_or_becomes_so(shop, message):
    assert elements(await shop.send(message=message)) == ["message"]


async def test_good_recipients_are_sent_the_others_are_left_out(shop):
    await shop.post("stop-sms/add", phoneNumber="0639980003")
    answer = await shop.send(["0639980001", "145", "0639980003", "0639980001", "0145000000", 33639980002])
    assert (answer["nb_sms"], answer["cost"]) == (2, 0.076)
    assert [row["phone"] for row in await shop.rows("message")] == [33639980001, 33639980002]


async def test_nobody_is_left(shop):
    await shop.post("stop-sms/add", phoneNumber=ONE)
    answer = await shop.send([ONE, "0639980001", "145", "0145000000", "+14155550123"])
    assert list(answer) == ["success", "code", "message", "errors"]
    assert answer["message"] == "Aucun numéro à qui envoyer (+33639980001, 145, 0145000000, +14155550123)"
    assert [(item["code"], item["message"]) for item in answer["errors"]] == [
        ("14", "Ce numéro est dans la liste STOP (+33639980001)"),
        ("9", "Ce numéro n'est pas valide (145)"),
        ("9", "Ce numéro n'est pas un mobile (0145000000)"),
        ("13", "Aucun tarif par défaut pour ce numéro (+14155550123)"),
    ]
    assert answer["errors"][0]["phoneNumber"] == ONE and answer["errors"][0]["success"] is False


async def test_credit_pays_to_the_last_euro_and_no_further(shop):
    poor = await shop.open("poor@example.org", euros=0.1)
    answers = await asyncio.gather(*(poor.send(f"06399800{n:02}") for n in range(6)))
    assert sorted(answer["code"] for answer in answers) == [11, 11, 11, 11, 200, 200]
    assert await poor.balance() == 24_000


async def test_a_marketing_send_in_a_closed_hour_is_held(shop):
    shop.clock.move(9.5 * 3600)  # Tuesday 20:30, and Wednesday is a holiday
    answer = await shop.send(isStopSms=1)
    assert list(answer.items())[-1] == ("scheduledDeliveryDate", "2026-11-12 08:00:00")
    assert (await shop.rows("submission"))[0]["text"] == "Bonjour\nSTOP 36000"
    assert "scheduledDeliveryDate" not in await shop.send()


async def test_the_hours_told_are_those_of_the_account(shop):
    await shop.accounts.update_rules(shop.account.id, quiet_start="22:00:00", quiet_end="08:30:00")
    answer = await shop.send(scheduledDeliveryDate="16/11/2026", time=22, minute=0, isStopSms=1)
    assert answer["message"] == "SMS marketing : l'heure d'envoi doit être comprise entre 8h30 et 22h"


async def test_the_mention_counts(shop):
    answer = await shop.send(message="x" * 150, isStopSms=1)
    assert (answer["nb_sms"], answer["cost"]) == (2, 0.076)


async def test_the_sandbox_costs_nothing_and_shows_what_it_would(shop):
    poor = await shop.open("poor@example.org", euros=0)
    answer = await poor.send(sandbox=1)
    assert (answer["nb_sms"], answer["cost"]) == (1, 0.038)
    assert await poor.balance() == 0 and await poor.rows("message") == [] and await poor.rows("queue") == []


# --- bulk ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["send", "bulk-send"])
async def test_a_bulk_send(shop, path):
    await shop.post("stop-sms/add", phoneNumber="0639980003")
    listed = [{"phoneNumber": f"063998000{n}", "message": f"Bonjour {n}"} for n in (1, 2, 3)]
    answer = await shop.post(path, SMSList=listed)
    assert json.dumps(answer) == json.dumps(
        {
            "success": True,
            "code": 200,
            "message_id": answer["message_id"],
            "currency": "EUR",
            "cost": 0.076,
            "nbSMS": 2,
            "SMSResponse_List": [
                {"success": True, "code": 200, "nbSms": 1, "cost": 0.038, "phoneNumber": "+33639980001"},
                {"success": True, "code": 200, "nbSms": 1, "cost": 0.038, "phoneNumber": "+33639980002"},
                {
                    "success": False,
                    "code": 14,
                    "message": "Ce numéro est dans la liste STOP (+33639980003)",
                    "phoneNumber": "+33639980003",
                },
            ],
        }
    )
    assert [row["text"] for row in await shop.rows("message")] == ["Bonjour 1", "Bonjour 2"]


async def test_every_fault_of_a_bulk_item(shop):
    items = [
        (ONE, "x"), ("", "x"), ("0639980002", ""), ("145", "x"), ("0145000000", "x"), ("+14155550123", "x"),
        (ONE, "y"), ("0639980004", "x" * 2000),
    ]  # fmt: skip
    answer = await shop.post("bulk-send", SMSList=[{"phoneNumber": p, "message": m} for p, m in items])
    told = answer["SMSResponse_List"]
    assert [item["code"] for item in told] == [200, 2, 43, 9, 9, 13, 15, 52]
    assert [item["phoneNumber"] for item in told[3:5]] == ["145", "0145000000"]
    assert told[4]["message"] == "Ce numéro n'est pas un mobile (0145000000)"
    eco = await shop.post(
        "bulk-send", gamme=2, SMSList=[{"phoneNumber": p, "message": m} for p, m in items[:1] + items[-1:]]
    )
    assert [item["code"] for item in eco["SMSResponse_List"]] == [200, 42]


@pytest.mark.parametrize(
    ("listed", "code"), [("x", 2), ([], 2), ({}, 2), (None, 2), ([{"phoneNumber": ONE, "message": "x"}] * 501, 50)]
)
async def test_lists_that_are_none(shop, listed, code):
    assert (await shop.post("bulk-send", SMSList=listed, phoneNumbers=ONE, message="x"))["code"] == code


async def test_all_bulk_items_failed(shop):
    unread = await shop.post(
        "bulk-send", tag="a b", SMSList=[{"phoneNumber": "145"}, {"message": "x"}, {"phoneNumber": ONE}]
    )
    assert elements(unread) == ["phoneNumber", "phoneNumber", "message", "message", "tag"]
    await shop.post("stop-sms/add", phoneNumber=ONE)
    refused = await shop.post(
        "bulk-send", SMSList=[{"phoneNumber": ONE, "message": "x"}, {"phoneNumber": "145", "message": "x"}]
    )
    assert (refused["code"], [item["code"] for item in refused["errors"]]) == (55, ["14", "9"])


async def test_a_bulk_send_that_is_scheduled(shop):
    answer = await shop.post(
        "bulk-send",
        SMSList=[{"phoneNumber": ONE, "message": "x"}],
        scheduledDeliveryDate="16/11/2026",
        time=8,
        minute=0,
    )
    assert list(answer)[5:] == ["nbSMS", "scheduledDeliveryDate", "SMSResponse_List"]


# --- who may send --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "code"), [("DISABLED", 20), ("BLOCKED", 30), ("API_DENIED", 40)])
async def test_a_change_of_state_takes_effect_at_once(shop, state, code):
    assert (await shop.send())["code"] == 200
    await shop.accounts.set_state(shop.account.id, AccountState[state])
    assert (await shop.send())["code"] == code
    assert (await shop.send(""))["code"] == code
    await shop.accounts.set_state(shop.account.id, AccountState.ACTIVE)
    assert (await shop.send())["code"] == 200


async def test_a_revoked_key_takes_effect_at_once(shop):
    assert (await shop.send())["code"] == 200
    await shop.accounts.new_key(shop.account.id)
    assert (await shop.send())["code"] == 10
    assert (await shop.send(""))["code"] == 10


async def test_a_right_that_comes_back_takes_effect_at_once(shop):
    await shop.accounts.update_rules(shop.account.id, eco=False)
    assert (await shop.send(gamme=2))["code"] == 51
    await shop.accounts.update_rules(shop.account.id, eco=True)
    assert (await shop.send(gamme=2))["cost"] == 0.023


# --- the same request again ----------------------------------------------------------------------------------------


async def test_the_same_request_again_is_one_send(shop):
    body = {"apiKey": shop.key, "phoneNumbers": ONE, "message": "x"}
    first, again = [await shop.raw("POST", "/v1/send", body, idempotency_key="k") for _ in "12"]
    assert (first.status, first.body) == (200, again.body) and len(await shop.rows("submission")) == 1
    other = await shop.raw("POST", "/v1/send", body | {"message": "y"}, idempotency_key="k")
    assert (other.status, other.json()["code"]) == (409, 409)
    formatted = await shop.raw("POST", "/v1/send?_format=xml", body, idempotency_key="k")
    assert formatted.status == 409 and formatted.headers["content-type"] == "application/xml"
    assert (await shop.raw("POST", "/v1/send", body, idempotency_key="l")).body != first.body


async def test_twins_in_flight_are_one_send(shop):
    body = {"apiKey": shop.key, "SMSList": [{"phoneNumber": ONE, "message": "x"}]}
    answers = await asyncio.gather(*(shop.raw("POST", "/v1/bulk-send", body, idempotency_key="k") for _ in range(8)))
    assert len({answer.body for answer in answers}) == 1 and len(await shop.rows("submission")) == 1


async def test_a_refusal_is_not_kept(shop):
    poor = await shop.open("poor@example.org", euros=0)
    body = {"apiKey": poor.key, "phoneNumbers": ONE, "message": "x"}
    assert (await shop.raw("POST", "/v1/send", body, idempotency_key="k")).json()["code"] == 11
    await shop.accounts.credit(poor.account.id, 1_000_000, shop.clock.now())
    assert (await shop.raw("POST", "/v1/send", body, idempotency_key="k")).json()["code"] == 200


# --- cancelling ----------------------------------------------------------------------------------------------------

LATER = {"scheduledDeliveryDate": "16/11/2026", "time": 8, "minute": 0}


@pytest.mark.parametrize("way", ["GET", "POST", "DELETE", "path", "body"])
async def test_a_scheduled_send_is_cancelled_with_its_cost(shop, way):
    number = (await shop.send([ONE, "0639980002"], **LATER))["message_id"]
    if way == "path":
        answer = await shop.raw("GET", f"/v1/message-cancel/{number}?apiKey={shop.key}")
    elif way == "body":
        answer = await shop.raw("DELETE", "/v1/message-cancel", {"apiKey": shop.key, "messageId": number})
    else:
        answer = await shop.raw(way, f"/v1/message-cancel?apiKey={shop.key}&messageId={number}")
    assert answer.json() == {"success": True, "code": 200, "message": "L'envoi du SMS a été annulé."}
    assert await shop.balance() == 10_000_000 and await shop.rows("queue") == []
    assert (await shop.get("me"))["credits"]["toSend"] == 0
    again = await shop.get("message-cancel", f"messageId={number}")
    assert (again["code"], again["message"]) == (5, "L'envoi a déjà été annulé")


async def test_what_cannot_be_cancelled(shop):
    soon, gone = (await shop.send())["message_id"], (await shop.send())["message_id"]
    await shop.mark(gone, state=State.DELIVERED, sent_at=shop.clock.now())
    await shop.db.execute("delete from queue q using submission s where s.number = $1 and s.id = q.submission_id", gone)
    stranger = await shop.open("other@example.org")
    cases = {
        "": 3,
        "messageId=x": 4,
        "messageId=99999": 4,
        f"messageId={2**40}": 4,
        f"messageId={soon}": 6,
        f"messageId={gone}": 7,
    }
    assert {query: (await shop.get("message-cancel", query))["code"] for query in cases} == cases
    assert (await stranger.get("message-cancel", f"messageId={soon}"))["code"] == 4


async def test_an_address_that_is_no_longer_allowed_is_shut_out_soon(shop, monkeypatch):
    assert (await shop.send())["success"] is True
    await shop.accounts.update_rules(shop.account.id, allowed_addresses=["198.51.100.1"])
    monkeypatch.setattr(accounts, "FRESH", 0.0)  # the few seconds are over
    assert (await shop.send("+33639980002"))["code"] == 96
