from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from surfaces.smspartner.conftest import Shop

from passerelle.domain.message import TrafficClass
from passerelle.domain.rcs import Fault
from passerelle.surfaces.smspartner.rcs import TEXTS

PHONE = "+33639980001"
HELLO = {"conversation": {"text": "Bonjour"}}
CONTENT = "children[richContent].data"


async def send(shop: Shop, phones: Any = PHONE, content: Any = HELLO, **members: Any) -> Any:
    return await shop.post("rcs/send", **{"phoneNumbers": phones, "isUnicode": 1, "richContent": content} | members)


async def refused(shop: Shop, *given: Any, **members: Any) -> int:
    balance = await shop.balance()
    answer = await send(shop, *given, **members)
    assert answer["success"] is False and await shop.balance() == balance
    assert not await shop.rows("submission") and not await shop.rows("rcs_failover")
    return int(answer["code"])


# --- sent ----------------------------------------------------------------------------------------------------------


async def test_the_answer_counts_messages(shop: Shop) -> None:
    answer = await send(shop, f"{PHONE}, 06 39 98 00 02", tag="Pain")
    assert list(answer.items()) == [
        ("success", True), ("code", 200), ("message_id", answer["message_id"]), ("nb_rcs", 2), ("cost", 0.24),
        ("currency", "EUR"),
    ]  # fmt: skip
    (row,) = await shop.rows("submission")
    assert (row["service"], json.loads(row["text"]), row["sender"], row["tag_key"]) == (
        4,
        {"text": "Bonjour"},
        "",
        "pain",
    )
    assert [(one["parts"], one["price"], one["text"]) for one in await shop.rows("message")] == [(1, 120_000, None)] * 2
    assert [one["carrier_id"] for one in await shop.rows("queue")] == [32_000] * 2
    assert await shop.balance() == 10_000_000 - 240_000 and not await shop.rows("rcs_failover")


async def test_any_country_has_a_price(shop: Shop) -> None:
    assert (await send(shop, "+447400123456"))["cost"] == 0.12


async def test_xml_and_idempotency(shop: Shop) -> None:
    body = {"apiKey": shop.key, "phoneNumbers": [PHONE], "richContent": HELLO, "_format": "xml"}
    first, again = [await shop.raw("POST", "/v1/rcs/send", body, Idempotency_Key="once") for _ in range(2)]
    assert first.body == again.body and b"<entry>1</entry><entry>0.12</entry>" in first.body
    assert len(await shop.rows("submission")) == 1


async def test_the_sms_is_kept_with_the_message(shop: Shop) -> None:
    failover = {"sender": "MaBoutique", "message": "Ça alors", "isStopSms": 1, "isUnicode": 0}
    await send(shop, failover=failover, isUnicode=1)
    (kept,), (row,) = await shop.rows("rcs_failover"), await shop.rows("submission")
    assert (kept["text"], kept["encoding"], kept["parts"]) == ("Ça alors\nSTOP 36000", 0, 1)
    assert (row["sender"], row["class"]) == ("MaBoutique", TrafficClass.MARKETING)


@pytest.mark.parametrize(("flag", "text", "encoding"), [(1, "Île", 8), (0, "Ile", 0)])
async def test_unicode_is_that_of_the_sms(shop: Shop, flag: int, text: str, encoding: int) -> None:
    await send(shop, failover={"message": "Île", "isUnicode": flag}, isUnicode=1 - flag)
    (row,) = await shop.rows("rcs_failover")
    assert (row["text"], row["encoding"]) == (text, encoding)


@pytest.mark.parametrize("failover", [None, "", [], {}])
async def test_no_sms(shop: Shop, failover: Any) -> None:
    assert (await send(shop, failover=failover))["code"] == 200
    assert not await shop.rows("rcs_failover")


async def test_members_of_a_send_mean_nothing_here(shop: Shop) -> None:
    answer = await send(shop, sender="far too long for a sender", gamme=2, isStopSms=1, message="x" * 5000)
    assert answer["cost"] == 0.12
    (row,) = await shop.rows("submission")
    assert (row["sender"], row["class"], row["service"]) == ("", TrafficClass.TRANSACTIONAL, 4)


async def test_a_scheduled_message_is_counted_when_its_time_has_come_and_can_be_taken_back(shop: Shop) -> None:
    day = {"scheduledDeliveryDate": "12/11/2026", "time": 12, "minute": 0}
    answer = await send(shop, failover={"message": "Bonjour"}, **day)
    assert answer["scheduledDeliveryDate"] == "2026-11-12 12:00:00"
    assert (await shop.get("me"))["credits"]["toSend"] == 1
    month = "interval=custom&from=10-11-2026&to=12-11-2026"
    assert [row["nb_send"] for row in (await shop.get("statistics/cost-resume", month))["datas"]] == ["0", "0", "0"]
    assert (await shop.get("message-cancel", f"messageId={answer['message_id']}"))["success"] is True
    assert await shop.balance() == 10_000_000 and (await shop.get("me"))["credits"]["toSend"] == 0


async def test_status_and_statistics_know_it(shop: Shop) -> None:
    answer = await send(shop, tag="pain")
    number = answer["message_id"]
    status = await shop.get("message-status", f"messageId={number}&phoneNumber=0639980001")
    assert (status["statut"], status["cost"]) == ("Waiting", 0.12)
    assert (await shop.get("bulk-status-by-tag", "tag=pain"))["total"] == 1
    row = (await shop.get("statistics/cost-resume", "interval=custom&from=10-11-2026&to=10-11-2026"))["datas"][0]
    assert (row["nb_send"], row["cost"]) == ("1", "0.120")


async def test_the_sandbox_shows_the_cost_and_takes_nothing(shop: Shop) -> None:
    answer = await send(shop, sandbox=1, failover={"message": "Bonjour"})
    assert (answer["nb_rcs"], answer["cost"]) == (1, 0.12) and await shop.balance() == 10_000_000
    assert not await shop.rows("rcs_failover") and not await shop.rows("queue")
    assert (await shop.get("bulk-status", f"messageId={answer['message_id']}"))["StatutResponse_List"][0][
        "status"
    ] == "Delivered"


async def test_marketing_waits_for_the_morning(shop: Shop) -> None:
    shop.clock.move(timedelta(hours=10).total_seconds())  # 21:00, the eve of a holiday
    answer = await send(shop, failover={"message": "Bonjour", "isStopSms": 1})
    assert answer["scheduledDeliveryDate"] == "2026-11-12 08:00:00"
    assert "scheduledDeliveryDate" not in await send(shop, failover={"message": "Bonjour"})


# --- refused -------------------------------------------------------------------------------------------------------


async def test_without_the_right(shop: Shop) -> None:
    await shop.accounts.update_rules(shop.account.id, rcs=False)
    assert await refused(shop) == 40
    assert await refused(shop, "", None) == 40  # before everything else
    assert (await shop.send())["success"] is True


DAY = {"scheduledDeliveryDate": "12/11/2026", "time": 12, "minute": 0}


@pytest.mark.parametrize(
    ("code", "members"),
    [
        (2, {"phones": ""}),
        (2, {"phones": "", "content": None}),
        (50, {"phones": ",".join(f"+336399{n:05}" for n in range(501))}),
        (9, {"content": None, "failover": {"message": "x", "sender": "ab"}}),
        (44, {"failover": {"message": "x", "sender": "ab"}}),
        (45, {"time": 12}),
        (46, DAY | {"time": 25}),
        (47, DAY | {"minute": 77}),
        (48, DAY | {"minute": 7}),
        (49, DAY | {"scheduledDeliveryDate": "12-11-2026"}),
        (52, {"failover": {"message": "x" * 1531}}),
        (992, {"failover": {"message": "x", "sender": "0612345678"}}),
        (22, DAY | {"time": 21, "failover": {"message": "x", "isStopSms": 1}}),
        (23, DAY | {"scheduledDeliveryDate": "15/11/2026", "failover": {"message": "x", "isStopSms": 1}}),
        (55, {"phones": "0144556677"}),
    ],
)
async def test_codes(shop: Shop, code: int, members: dict[str, Any]) -> None:
    assert await refused(shop, **members) == code


async def test_who_has_no_credit(shop: Shop) -> None:
    poor = await shop.open("poor@example.org", euros=0.119)
    assert await refused(poor) == 11


async def test_nobody_is_left(shop: Shop) -> None:
    await shop.post("stop-sms/add", phoneNumber=PHONE)
    answer = await send(shop, f"{PHONE},0144556677")
    assert answer["code"] == 55 and [one["code"] for one in answer["errors"]] == ["14", "9"]


async def test_a_country_without_a_price(shop: Shop) -> None:
    await shop.db.execute("update price set country = 'FR' where service = 4")
    answer = await send(shop, "+447400123456")
    assert answer["code"] == 55 and answer["errors"][0]["code"] == "13"


async def test_all_constraints_at_once_in_the_order_of_the_members(shop: Shop) -> None:
    answer = await send(
        shop, "12", {"conversation": {"text": " ", "suggestions": [{"reply": {"text": "x" * 26}}]}},
        failover={"message": "", "sender": "x" * 12}, tag="a b", urlDlr="x", scheduledDeliveryDate="12/11/2026",
    )  # fmt: skip
    assert [one["elementId"].removeprefix("children[").removesuffix("].data") for one in answer["errors"]] == [
        "phoneNumbers", "richContent", "richContent", "message", "sender", "tag", "time", "minute", "urlDlr",
    ]  # fmt: skip
    assert answer["error"] == answer["errors"] and "message" not in answer


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, Fault.FORM),
        ([], Fault.FORM),
        ("x", Fault.FORM),
        ({"conversation": []}, Fault.FORM),
        ({"conversation": {"file": {"media": {"fileUrl": "x"}}}}, Fault.MEDIA_URL),
    ],
)
async def test_a_content_that_is_wrong(shop: Shop, content: Any, fault: Fault) -> None:
    answer = await send(shop, content=content)
    assert answer["errors"] == [{"elementId": CONTENT, "message": TEXTS[fault]}]


async def test_a_failover_that_is_no_object(shop: Shop) -> None:
    answer = await send(shop, failover="Bonjour")
    assert answer["errors"] == [{"elementId": "children[failover].data", "message": "Le failover n'est pas valide"}]


def test_every_fault_has_its_text() -> None:
    assert set(TEXTS) == set(Fault) and len(set(TEXTS.values())) == len(TEXTS)
