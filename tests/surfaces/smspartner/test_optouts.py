"""The stop list of SMS Partner."""

from __future__ import annotations

import json

import pytest

ONE = "+33639980001"


async def test_a_number_is_listed_refused_and_removed(shop):
    added = await shop.post("stop-sms/add", phoneNumber="0639980001")
    assert list(added) == ["success", "code", "stopId"] and type(added["stopId"]) is int
    assert json.dumps(await shop.get("stop-sms/list")) == json.dumps(
        {
            "success": True,
            "code": 200,
            "nbData": 1,
            "data": [{"id": added["stopId"], "phoneNumber": ONE, "createdAt": "2026-11-10 11:00:00"}],
        }
    )
    assert (await shop.send(ONE))["code"] == 55
    assert await shop.get("stop-sms/delete", f"id={added['stopId']}") == {"success": True, "code": 200}
    assert (await shop.send(ONE))["code"] == 200
    assert (await shop.post("stop-sms/add", phoneNumbers=ONE))["stopId"] == added["stopId"]


async def test_the_list_in_xml(shop):
    added = await shop.post("stop-sms/add", phoneNumber=ONE)
    assert await shop.xml("stop-sms/list") == (
        "<?xml version='1.0' encoding='UTF-8'?><result><entry>true</entry><entry>200</entry><entry>1</entry><entry><entry>"
        f"<entry>{added['stopId']}</entry><entry><![CDATA[+33639980001]]></entry>"
        "<entry><![CDATA[2026-11-10 11:00:00]]></entry></entry></entry></result>"
    )


async def test_the_list_is_the_accounts_own(shop):
    stranger = await shop.open("other@example.org")
    added = await shop.post("stop-sms/add", phoneNumber=ONE)
    assert (await stranger.get("stop-sms/list"))["nbData"] == 0
    assert (await stranger.get("stop-sms/delete", f"id={added['stopId']}"))["code"] == 4
    assert (await stranger.send(ONE))["code"] == 200


@pytest.mark.parametrize(
    ("phone", "code", "message"),
    [
        ("", 2, "Le numéro de téléphone est requis"),
        (None, 2, "Le numéro de téléphone est requis"),
        ("145", 9, "Ce numero de telephone n'est pas valide (145)"),
        ("0639980001,0639980002", 9, "Ce numero de telephone n'est pas valide (0639980001,0639980002)"),
    ],
)
async def test_faults_of_adding(shop, phone, code, message):
    answer = await shop.post("stop-sms/add", phoneNumber=phone)
    assert answer == {"success": False, "code": code, "message": message}


async def test_a_number_that_is_listed_already(shop):
    await shop.post("stop-sms/add", phoneNumber=ONE)
    answer = await shop.post("stop-sms/add", phoneNumber="06 39 98 00 01")
    assert answer == {"success": False, "code": 3, "message": "Ce numéro est déjà dans la liste"}


@pytest.mark.parametrize(("query", "code"), [("", 3), ("id=x", 4), ("id=0", 4), ("id=99", 4), (f"id={2**40}", 4)])
async def test_faults_of_removing(shop, query, code):
    assert (await shop.get("stop-sms/delete", query))["code"] == code


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_every_method_removes(shop, method):
    added = await shop.post("stop-sms/add", phoneNumber=ONE)
    answer = await shop.raw(method, f"/v1/stop-sms/delete?apiKey={shop.key}&id={added['stopId']}")
    assert answer.json()["success"] is True


@pytest.mark.parametrize("form", ["json", "xml"])
async def test_a_long_list_is_told_whole(shop, form):
    await shop.db.execute(
        "insert into blocked (account_id, list, phone, token, created_at)"
        " select $1, 1, 33600000000 + n, int8send(n) || int4send(0), $2 from generate_series(1, 3000) n",
        shop.account.id, shop.clock.now(),
    )  # fmt: skip
    answer = await shop.raw("GET", f"/v1/stop-sms/list?apiKey={shop.key}&_format={form}")
    assert answer.text.count("+33600") == 3_000
