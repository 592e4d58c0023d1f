"""Texts from a long number, and what becomes of calls to it: every code, the order of the checks, what is stored."""

from __future__ import annotations

from typing import Any

import pytest
from surfaces.smspartner.conftest import TUESDAY, Shop

from passerelle.domain.message import DuePart, PartKey, TrafficClass
from passerelle.domain.text import Encoding
from passerelle.outbound.smpp_wire import submit_sm
from passerelle.settings import CarrierSettings
from passerelle.store import optouts, virtual_numbers

LONG, OTHERS, OFF = "33644630001", "33644630002", "33644630003"
GOOD = {"to": "+33639980001", "from": LONG, "message": "Bonjour"}


@pytest.fixture
async def shop(shop: Shop) -> Shop:
    """With a number, and one that is disabled; another account has a third."""
    clinic = await shop.open("clinic@example.org")
    for phone, owner in ((LONG, shop), (OTHERS, clinic), (OFF, shop)):
        assert await virtual_numbers.add(shop.db, int(phone), owner.account.id, TUESDAY)
    await virtual_numbers.set_enabled(shop.db, int(OFF), False)
    return shop


# --- vn/send -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", [LONG, f"+{LONG}", f"00{LONG}", "0644630001", "06 44 63 00 01"])
async def test_a_text_leaves_from_the_number(shop: Shop, written: str) -> None:
    answer = await shop.post("vn/send", **{**GOOD, "from": written})
    number = answer.pop("message_id")
    assert answer == {"success": True, "code": 200, "nb_sms": 1, "cost": 0.038, "currency": "EUR"}
    assert await shop.balance() == 10_000_000 - 38_000
    (submission,) = await shop.rows("submission")
    assert (submission["sender"], submission["service"], submission["number"]) == (LONG, 1, number)
    assert (await shop.get("message-status", f"messageId={number}&phoneNumber=0639980001"))["statut"] == "Waiting"


async def test_everything_that_send_takes(shop: Shop) -> None:
    answer = await shop.post(
        "vn/send",
        **{
            **GOOD, "to": ["0639980001", "0639980002"], "tag": "colis", "urlResponse": "https://a.example/r",
            "urlDlr": "https://a.example/d", "isStopSms": 1, "isUnicode": 1, "gamme": 2, "sender": "Bakery",
            "scheduledDeliveryDate": "12/11/2026", "time": 9, "minute": 30,
        },
    )  # fmt: skip
    assert answer["scheduledDeliveryDate"] == "2026-11-12 09:30:00"
    assert (answer["nb_sms"], answer["cost"]) == (2, 0.076)
    (row,) = await shop.rows("submission")
    assert (row["tag"], row["reply_url"], row["dlr_url"], row["class"], row["service"], row["sender"]) == (
        "colis", "https://a.example/r", "https://a.example/d", 1, 1, LONG,
    )  # fmt: skip
    assert row["text"] == "Bonjour\nSTOP 36000"
    assert {message["encoding"] for message in await shop.rows("message")} == {8}
    assert (await shop.get("message-cancel", f"messageId={answer['message_id']}"))["success"] is True
    assert await shop.balance() == 10_000_000


async def test_its_sandbox_costs_nothing(shop: Shop) -> None:
    answer = await shop.post("vn/send", **GOOD, sandbox=1)
    assert answer["cost"] == 0.038
    assert await shop.balance() == 10_000_000
    number = answer["message_id"]
    assert (await shop.get("message-status", f"messageId={number}&phoneNumber=0639980001"))["statut"] == "Delivered"


async def test_phone_numbers_is_another_name_of_to(shop: Shop) -> None:
    answer = await shop.post("vn/send", phoneNumbers="0639980001", **{"from": LONG}, message="Bonjour")
    assert answer["nb_sms"] == 1


async def test_in_xml(shop: Shop) -> None:
    answer = await shop.raw("POST", "/v1/vn/send", {"apiKey": shop.key, **GOOD, "from": "x", "_format": "xml"})
    assert (answer.status, answer.text) == (
        400,
        "<?xml version='1.0' encoding='UTF-8'?><result><entry>false</entry><entry>44</entry>"
        "<entry><![CDATA[L'émetteur n'est pas valide]]></entry></result>",
    )


DATE = {"scheduledDeliveryDate": "12/11/2026", "time": 9, "minute": 30}
FAULTS: list[tuple[int, dict[str, Any]]] = [
    (2, {"to": ""}),
    (50, {"to": ["0639980001"] * 501}),
    (9, {"message": ""}),
    (44, {"from": ""}),
    (45, {"time": 9}),
    (49, {**DATE, "scheduledDeliveryDate": "31/02/2027"}),
    (46, {**DATE, "time": 25}),
    (47, {**DATE, "minute": 60}),
    (48, {**DATE, "minute": 31}),
    (52, {"message": "x" * 1600}),
    (992, {"from": OTHERS}),
    (23, {**DATE, "scheduledDeliveryDate": "11/11/2026", "isStopSms": 1}),
    (22, {**DATE, "time": 21, "isStopSms": 1}),
    (55, {"to": "0145000001"}),
]


@pytest.mark.parametrize(("code", "fault"), FAULTS, ids=[str(code) for code, _ in FAULTS])
async def test_its_codes(shop: Shop, code: int, fault: dict[str, Any]) -> None:
    answer = await shop.post("vn/send", **{**GOOD, **fault})
    assert (answer["success"], answer["code"]) == (False, code)
    assert await shop.rows("submission") == []


async def test_of_two_faults_the_first_answers(shop: Shop) -> None:
    for at, (code, first) in enumerate(FAULTS):
        for _, also in FAULTS[at + 1 :]:
            if not first.keys() & also:
                assert (await shop.post("vn/send", **{**GOOD, **first, **also}))["code"] == code, (first, also)
    assert await shop.rows("submission") == []


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", 44), ("Bakery", 44), ("12", 44), (["33644630001"], 44), (None, 44), ("+3364463", 44),
        (OTHERS, 992), (OFF, 992), ("33644639999", 992), ("+32470123456", 992), ("+4915112345678", 992), ("36000", 44),
    ],
)  # fmt: skip
async def test_only_a_number_of_ones_own_may_send(shop: Shop, written: Any, code: int) -> None:
    assert (await shop.post("vn/send", **{**GOOD, "from": written}))["code"] == code


async def test_a_number_just_assigned_sends_at_once_and_one_taken_away_does_not(shop: Shop) -> None:
    assert (await shop.post("vn/send", **GOOD))["code"] == 200  # the account is cached now
    await virtual_numbers.assign(shop.db, int(OTHERS), shop.account.id)
    assert (await shop.post("vn/send", **{**GOOD, "from": OTHERS}))["code"] == 200
    await virtual_numbers.remove(shop.db, int(LONG))
    assert (await shop.post("vn/send", **GOOD))["code"] == 992


async def test_what_is_no_number_is_named_by_the_member_of_this_call(shop: Shop) -> None:
    answer = await shop.post("vn/send", **{**GOOD, "to": "12,abc", "message": ""})
    listed = [(one["elementId"], one["message"]) for one in answer["errors"]]
    assert listed == [
        ("children[to].data", "Ce numero de telephone n'est pas valide (12)"),
        ("children[to].data", "Ce numero de telephone n'est pas valide (abc)"),
        ("children[message].data", "Le message est requis"),
    ]
    assert answer["error"] == answer["errors"]


async def test_inner_codes_and_credit(shop: Shop) -> None:
    await optouts.add(shop.db, shop.account.id, optouts.List.STOP, 33639980003, TUESDAY)
    answer = await shop.post("vn/send", **{**GOOD, "to": "0639980003,+4915112345678,0145000001"})
    assert [one["code"] for one in answer["errors"]] == ["14", "13", "9"]
    poor = await shop.open("poor@example.org", euros=0.01)
    await virtual_numbers.assign(shop.db, int(LONG), poor.account.id)
    assert (await poor.post("vn/send", **GOOD))["code"] == 11


async def test_send_may_name_the_number_as_its_sender_too(shop: Shop) -> None:
    assert (await shop.send(sender=LONG))["code"] == 200
    assert (await shop.send(sender=OTHERS))["code"] == 992


# --- vn/callforward ------------------------------------------------------------------------------------------------


async def forward(shop: Shop, **members: Any) -> tuple[Any, ...]:
    answer = await shop.post("vn/callforward", **{"number": LONG, "type": 1, "param": "0639980009", **members})
    assert list(answer) == ["success", "code", "message"]
    return tuple(answer.values())


async def test_the_life_of_a_rule(shop: Shop) -> None:
    enabled, already = (True, 200, "Callforward enabled"), (False, 16, "call forwarding is already enabled")
    assert await forward(shop) == enabled
    assert await forward(shop, number="0644630001", param="+33639980009") == already
    assert await forward(shop, param="0639980010") == enabled
    mailed = {"type": "2", "param": "accueil@bakery.example"}
    assert await forward(shop, **mailed) == (True, 200, "Voicemail enabled")
    assert await forward(shop, **mailed) == (False, 17, "voicemail is already enabled")
    assert await forward(shop, type=0, param="") == (True, 2, "Callforward disabled")
    assert await forward(shop, type=0, param="") == (False, 18, "call forwarding is already disabled")
    kept = await virtual_numbers.changes(shop.db, shop.account.id, int(LONG))
    assert [(int(one.rule.forwarding), one.rule.target) for one in kept] == [
        (0, ""), (2, "accueil@bakery.example"), (1, "+33639980010"), (1, "+33639980009"),
    ]  # fmt: skip


CALL_FAULTS = [
    (5, {"number": ""}, "number is required"),
    (13, {"number": OTHERS}, "virtual number does not exist"),
    (13, {"number": "36000"}, "virtual number does not exist"),
    (15, {"number": OFF}, "number is disabled"),
    (6, {"type": None}, "type is required"),
    (7, {"type": 3}, "type is not valid"),
    (7, {"type": "on"}, "type is not valid"),
    (8, {"param": ""}, "param is required"),
    (8, {"type": 2, "param": ""}, "param is required"),
    (12, {"param": "12"}, "forward number is not valid"),
    (12, {"param": LONG}, "forward number is not valid"),
    (9, {"type": 2, "param": "0639980009"}, "email is not valid"),
    (18, {"type": 0}, "call forwarding is already disabled"),
]


@pytest.mark.parametrize(("code", "fault", "text"), CALL_FAULTS)
async def test_why_a_rule_is_refused(shop: Shop, code: int, fault: dict[str, Any], text: str) -> None:
    before = await shop.rows("virtual_number")
    assert await forward(shop, **fault) == (False, code, text)
    assert await shop.rows("virtual_number") == before


async def test_the_order_of_its_checks(shop: Shop) -> None:
    everything: dict[str, Any] = {"number": "", "type": None, "param": ""}
    assert (await forward(shop, **everything))[1] == 5
    for mended, code in (
        ({"number": OTHERS}, 13),
        ({"number": OFF}, 15),
        ({"number": LONG}, 6),
        ({"type": 9}, 7),
        ({"type": 1}, 8),
        ({"param": "x"}, 12),
        ({"type": 2}, 9),
        ({"type": 0}, 18),
    ):
        everything |= mended
        assert (await forward(shop, **everything))[1] == code
    await shop.accounts.update_rules(shop.account.id, call_forwarding=False)
    assert await forward(shop, number="") == (False, 14, "call forwarding is not activated")


@pytest.mark.parametrize("key", ["", "0" * 32])
async def test_a_wrong_key_is_told_in_english(shop: Shop, key: str) -> None:
    answer = await shop.raw("POST", "/v1/vn/callforward", {"apiKey": key, "number": LONG})
    assert (answer.status, answer.json()) == (400, {"success": False, "code": 10, "message": "API key is incorrect"})


async def test_other_barriers_are_told_in_english_too(shop: Shop) -> None:
    await shop.accounts.update_rules(shop.account.id, allowed_addresses=["192.0.2.1"])
    assert await forward(shop) == (False, 96, "IP address is not allowed")


async def test_the_number_is_the_sender_on_the_wire(shop: Shop) -> None:
    """The part that a carrier is given names the number as digits, which SMPP calls international."""
    await shop.post("vn/send", **GOOD)
    (row,) = await shop.rows("submission")
    part = DuePart(
        PartKey(1, 1, 1), 1, 1, "", 33639980001, row["sender"], "Bonjour", Encoding.GSM, 1,
        TrafficClass.TRANSACTIONAL, 0, False, TUESDAY, 0.0,
    )  # fmt: skip
    pdu = submit_sm(part, CarrierSettings(name="a", host="h"), "36000")
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (1, 1, LONG)
