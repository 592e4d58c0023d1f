"""Number checks over HTTP: every code, the order of the checks, shapes, money, and the result over a real socket."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from outbound.receiver import receiving
from surfaces.smspartner.conftest import Shop

from passerelle.app import WORDINGS
from passerelle.outbound.lookup import Simulated
from passerelle.outbound.webhook import Poster
from passerelle.pipeline.callbacks import Callbacks
from passerelle.pipeline.teller import Teller
from passerelle.pipeline.verifications import Verifications
from passerelle.store import accounts, optouts
from passerelle.surfaces.smspartner.notifications import check

TWO = "+33639980001,0639980002"


async def notify(shop: Shop, phones: Any = TWO, **members: Any) -> Any:
    return await shop.post("hlr/notify", phoneNumbers=phones, **members)


# --- hlr/notify ----------------------------------------------------------------------------------------------------


async def test_a_request_is_answered_and_charged(shop: Shop) -> None:
    raw = await shop.raw("POST", "/v1/hlr/notify", {"apiKey": shop.key, "phoneNumbers": TWO})
    answer = raw.json()
    number = answer["campaign_id"]
    assert number.startswith("HLR") and len(number) >= 9 and number[3:].isdecimal()
    assert raw.text == (
        f'{{"success":true,"code":200,"campaign_id":"{number}","number":2,"cost":0.01,"currency":"EUR"}}'
    )
    assert await shop.balance() == 10_000_000 - 10_000
    assert (await shop.get("me"))["credits"]["solde"] == "9.990"


async def test_repeats_and_what_cannot_be_read_are_left_out(shop: Shop) -> None:
    answer = await notify(shop, ["0639980001", 33639980001, "+33 6 39 98 00 01", "12", "+32470123456", "0145000001"])
    assert (answer["number"], answer["cost"]) == (3, 0.015)
    assert [row["phone"] for row in await shop.rows("verified_number")] == [33639980001, 32470123456, 33145000001]


async def test_the_stop_list_plays_no_part(shop: Shop) -> None:
    await optouts.add(shop.db, shop.account.id, optouts.List.STOP, 33639980001, shop.clock.now())
    assert (await notify(shop))["number"] == 2


async def test_in_xml(shop: Shop) -> None:
    raw = await shop.raw("POST", "/v1/hlr/notify", {"apiKey": shop.key, "phoneNumbers": TWO, "_format": "xml"})
    (row,) = await shop.rows("verification")
    assert raw.text == (
        "<?xml version='1.0' encoding='UTF-8'?><result><entry>true</entry><entry>200</entry>"
        f"<entry><![CDATA[HLR{row['number']:06}]]></entry><entry>2</entry><entry>0.01</entry>"
        "<entry><![CDATA[EUR]]></entry></result>"
    )


BETWEEN = [f"0639980001{sign}0639980002" for sign in (";", "|", "/", "\n", "\r\n", " ; ")]


@pytest.mark.parametrize("written", [*BETWEEN, ["0639980001;0639980002"], "0639980003,0639980001;0639980002"])
async def test_numbers_with_anything_but_commas_between(shop: Shop, written: Any) -> None:
    answer = await notify(shop, written)
    assert answer == {"success": False, "code": 3, "message": "Les numéros doivent être séparés par des virgules"}
    assert (await shop.post("lookup", phoneNumbers=written))["code"] == 3


async def test_blanks_and_line_ends_beside_commas(shop: Shop) -> None:
    assert (await notify(shop, " 0639980001 ,\n0639980002\n,,"))["number"] == 2


FAULTS: list[tuple[int, dict[str, Any]]] = [
    (2, {"phoneNumbers": ""}),
    (3, {"phoneNumbers": "0639980001;0639980002"}),
    (50, {"phoneNumbers": ["0639980001"] * 501}),
    (9, {"tag": "x" * 21}),
    (9, {"notifyUrl": "ftp://a.example/"}),
    (55, {"phoneNumbers": "12,abc"}),
]


@pytest.mark.parametrize(("code", "fault"), FAULTS, ids=[str(code) for code, _ in FAULTS])
async def test_its_codes(shop: Shop, code: int, fault: dict[str, Any]) -> None:
    answer = await shop.post("hlr/notify", **{"phoneNumbers": TWO, **fault})
    assert (answer["success"], answer["code"]) == (False, code)
    assert await shop.rows("verification") == []
    assert await shop.balance() == 10_000_000


@pytest.mark.parametrize("at", range(len(FAULTS)))
async def test_the_first_fault_answers(shop: Shop, at: int) -> None:
    """Each with all that come after it; of two values of one member the earlier fault's."""
    await shop.accounts.credit(shop.account.id, -10_000_000, shop.clock.now())
    members: dict[str, Any] = {"phoneNumbers": TWO}
    for _, fault in reversed(FAULTS[at:]):
        members |= fault
    assert (await shop.post("hlr/notify", **members))["code"] == FAULTS[at][0]


async def test_500_with_a_semicolon_is_3(shop: Shop) -> None:
    assert (await notify(shop, ["0639980001;0639980002"] + ["0639980001"] * 500))["code"] == 3


async def test_the_list_of_constraints(shop: Shop) -> None:
    answer = await notify(shop, tag="un tag", notifyUrl="nowhere")
    entries = [
        {"elementId": "children[tag].data", "message": "Le tag ne doit pas contenir d'espace"},
        {"elementId": "children[notifyUrl].data", "message": "Cette URL n'est pas valide"},
    ]
    assert answer == {"success": False, "code": 9, "errors": entries, "error": entries}


async def test_nobody_is_left(shop: Shop) -> None:
    answer = await notify(shop, "12,abc")
    assert answer == {
        "success": False,
        "code": 55,
        "message": "Aucun numéro à qui envoyer (12, abc)",
        "errors": [
            {"success": False, "code": "9", "message": f"Ce numéro n'est pas valide ({n})", "phoneNumber": n}
            for n in ("12", "abc")
        ],
    }


async def test_no_price_comes_before_no_credit(shop: Shop) -> None:
    await shop.db.execute("delete from price where account_id = 0 and service = 3")
    await accounts.set_price(shop.db, 0, 3, "FR", 5_000)
    await shop.accounts.credit(shop.account.id, -9_995_001, shop.clock.now())
    answer = await notify(shop, TWO + ",+32470123456")
    assert (answer["code"], answer["message"]) == (13, "Aucun tarif par défaut pour ce numéro (+32470123456)")
    assert await notify(shop) == {"success": False, "code": 11, "message": "Crédit insuffisant"}
    assert await shop.balance() == 4_999
    assert await shop.rows("verification") == []


async def test_an_idempotency_key(shop: Shop) -> None:
    async def once(phones: str) -> Any:
        body = {"apiKey": shop.key, "phoneNumbers": phones}
        return await shop.raw("POST", "/v1/hlr/notify", body, idempotency_key="base-7")

    first, again, other = await once(TWO), await once(TWO), await once("0639980003")
    assert first.body == again.body
    assert (other.status, other.json()["code"]) == (409, 409)
    assert await shop.balance() == 9_990_000
    assert len(await shop.rows("verification")) == 1


@pytest.mark.parametrize("call", ["hlr/notify", "lookup"])
async def test_360_calls_a_minute(shop: Shop, call: str) -> None:
    first = await shop.raw("POST", f"/v1/{call}", {"apiKey": shop.key, "phoneNumbers": TWO})
    assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == ("360", "359")
    await shop.db.execute(
        "insert into rate_call select account_id, call, at from rate_call, generate_series(1, 359) where call = $1",
        call,
    )
    over = await shop.raw("POST", f"/v1/{call}", {"apiKey": shop.key, "phoneNumbers": TWO})
    assert (over.status, over.json()["code"]) == (429, 429)
    assert int(over.headers["retry-after"]) > 0
    shop.clock.move(61)
    assert (await shop.post(call, phoneNumbers=TWO))["success"] is True


async def test_the_result_reaches_its_receiver(shop: Shop) -> None:
    poster = Poster(allow_private=True, timeout=5)
    callbacks = Callbacks(shop.db, poster, shop.accounts, shop.clock)
    teller = Teller(shop.accounts, WORDINGS, callbacks.offer)
    worker = Verifications(shop.db, Simulated(), teller, check(False), shop.clock)
    async with receiving() as receiver:
        await notify(shop, "0639980014,0639980009", notifyUrl=receiver.url("/hlr?k=1"))
        await worker.run()
        assert receiver.requests == []
        shop.clock.move(timedelta(seconds=1).total_seconds())
        await worker.run()
        await callbacks.idle()
    await poster.close()
    bodies = sorted((json.loads(body) for body in receiver.bodies()), key=lambda body: body["phone"])
    assert {request.target for request in receiver.requests} == {"/hlr?k=1"}
    assert [body.pop("messageId") for body in bodies] == [
        str(row["reference"]) for row in sorted(await shop.rows("verified_number"), key=lambda row: row["phone"])
    ]
    assert bodies == [
        {
            "phone": "+33639980009", "mccMnc": "20810", "ported": 0, "errorGrpId": 1,
            "errorName": "EC_UNKNOWN_SUBSCRIBER", "errorDesc": "Unknown Subscriber", "date": "2026-11-10T10:00:01.000+0000",
        },
        {
            "phone": "+33639980014", "mccMnc": "20815", "ported": 1, "errorGrpId": 0, "errorName": "NO_ERROR",
            "errorDesc": "No Error", "date": "2026-11-10T10:00:01.000+0000",
        },
    ]  # fmt: skip
    assert [row["phone"] for row in await shop.rows("dead_subscriber")] == [33639980009]
    assert await shop.db.fetchval("select count(*) from event") == 0


# --- lookup --------------------------------------------------------------------------------------------------------


async def test_a_row_for_each_piece(shop: Shop) -> None:
    raw = await shop.raw("POST", "/v1/lookup", {"apiKey": shop.key, "phoneNumbers": "0639980001,12,0639980001"})
    row = {
        "request": "0639980001",
        "success": True,
        "countryCode": "France",
        "prefixCode": 33,
        "phoneNumber": "+33639980001",
        "type": "Mobile",
        "network": "",
        "format": {
            "e164": "+33639980001",
            "international": "+33 6 39 98 00 01",
            "national": "06 39 98 00 01",
            "rfc3966": "tel:+33-6-39-98-00-01",
        },
    }
    bad = {"request": "12", "success": False, "message": "Le numéro de téléphone est vide ou n'est pas valide."}
    expected = {"success": True, "code": 200, "lookup": [row, bad, row]}
    assert raw.json() == expected
    assert json.dumps(raw.json()) == json.dumps(expected)  # in this order
    assert await shop.balance() == 10_000_000


async def test_numbers_of_other_countries(shop: Shop) -> None:
    answer = await shop.post("lookup", phoneNumbers=["+4915112345678", "0692123456", 12025550123])
    assert [(row["countryCode"], row["prefixCode"], row["type"]) for row in answer["lookup"]] == [
        ("Allemagne", 49, "Mobile"), ("La Réunion", 262, "Mobile"), ("États-Unis", 1, "Fixed_line_or_mobile"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("phones", "code"),
    [("", 2), (",,", 2), ("0639980001;0639980002", 3), (["0639980001"] * 501, 50), (["0639980001"] * 500, 200)],
)
async def test_codes_of_lookup(shop: Shop, phones: Any, code: int) -> None:
    assert (await shop.post("lookup", phoneNumbers=phones))["code"] == code


async def test_lookup_in_xml(shop: Shop) -> None:
    raw = await shop.raw("POST", "/v1/lookup", {"apiKey": shop.key, "phoneNumbers": "12", "_format": "xml"})
    assert raw.text == (
        "<?xml version='1.0' encoding='UTF-8'?><result><entry>true</entry><entry>200</entry><entry><entry>"
        "<entry><![CDATA[12]]></entry><entry>false</entry>"
        "<entry><![CDATA[Le numéro de téléphone est vide ou n'est pas valide.]]></entry></entry></entry></result>"
    )
