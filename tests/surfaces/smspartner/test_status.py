"""Status calls and statistics of SMS Partner."""

from __future__ import annotations

import json

import pytest

from passerelle.domain.message import State

ONE, TWO = "+33639980001", "+33639980002"
SENT_AT = "1794304800"


async def test_status_of_one_number(shop):
    number = (await shop.send(ONE))["message_id"]
    await shop.mark(number, state=State.DELIVERED)
    answer = await shop.get("message-status", f"messageId={number}&phoneNumber=0639980001")
    assert json.dumps(answer) == json.dumps(
        {
            "success": True,
            "code": 200,
            "number": "0639980001",
            "messageId": str(number),
            "stopSms": False,
            "date": SENT_AT,
            "statut": "Delivered",
            "cost": 0.038,
            "countryCode": "FR",
            "currency": "EUR",
        }
    )
    assert (await shop.get("message-status", f"messageId={number}&phoneNumber=+33639980001"))["number"] == ONE


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", 2),
        ("messageId=1", 2),
        ("phoneNumber=145", 3),
        ("phoneNumber=145&messageId=1", 6),
        ("phoneNumber=0639980001&messageId=x", 4),
        ("phoneNumber=0639980001&messageId=99999999999999", 4),
        ("phoneNumber=0639980001&messageId=777", 4),
    ],
)
async def test_faults_of_message_status(shop, query, code):
    assert (await shop.get("message-status", query))["code"] == code


async def test_a_number_that_is_not_in_the_message(shop):
    number = (await shop.send(ONE))["message_id"]
    assert (await shop.get("message-status", f"messageId={number}&phoneNumber={TWO[1:]}"))["code"] == 4


async def test_dates_as_the_account_wants_them(shop):
    number = (await shop.send(ONE))["message_id"]
    await shop.accounts.update_rules(shop.account.id, status_date="datetime")
    assert (await shop.get("message-status", f"messageId={number}&phoneNumber={ONE[1:]}"))[
        "date"
    ] == "2026-11-10 11:00:00"


async def test_status_of_many_pairs(shop):
    first, second = [(await shop.send([ONE, TWO]))["message_id"] for _ in "12"]
    await shop.mark(second, state=State.DELIVERED, stopped_at=shop.clock.now(), spam=True)
    pairs = [
        (TWO, second),
        ("0639980001", str(first)),
        ("+33639980009", first),
        (ONE, "x"),
        ("", first),
        (ONE, ""),
        ("145", 1),
    ]
    answer = await shop.post("multi-status", SMSStatus_List=[{"phoneNumber": p, "messageId": m} for p, m in pairs])
    rows = answer["StatutResponse_List"]
    assert json.dumps(rows[0]) == json.dumps(
        {
            "success": True,
            "code": 200,
            "phoneNumber": TWO,
            "messageId": second,
            "status": "Delivered",
            "date": SENT_AT,
            "stopSms": "1",
            "isSpam": "1",
        }
    )
    assert (rows[1]["messageId"], rows[1]["status"], rows[1]["stopSms"]) == (first, "Waiting", "0")
    assert rows[2] == {
        "success": False,
        "code": 4,
        "phoneNumber": "+33639980009",
        "messageId": first,
        "status": "Numéro introuvable",
    }
    assert [(row["code"], row["messageId"]) for row in rows[3:]] == [(4, "x"), (2, first), (3, None), (4, 1)]


@pytest.mark.parametrize(
    ("listed", "code"), [(None, 5), ([], 5), ("x", 5), ({}, 5), ([{}] * 501, 50), (["x", None], 200)]
)
async def test_faults_of_multi_status(shop, listed, code):
    assert (await shop.post("multi-status", SMSStatut_List=listed))["code"] == code


async def test_multi_status_by_get_with_a_body(shop):
    body = {"apiKey": shop.key, "SMSStatut_List": [{"phoneNumber": ONE, "messageId": 5}]}
    assert (await shop.raw("GET", "/v1/multi-status", body)).json()["StatutResponse_List"][0]["code"] == 4


async def test_status_of_a_whole_message(shop):
    number = (await shop.send([TWO, ONE]))["message_id"]
    answer = await shop.get("bulk-status", f"messageId={number}")
    row = {"status": "Waiting", "stopSMS": False, "date": SENT_AT, "cost": 0.038, "currency": "EUR"}
    assert json.dumps(answer) == json.dumps(
        {
            "success": True,
            "code": 200,
            "message_id": str(number),
            "StatutResponse_List": [{"phoneNumber": TWO} | row, {"phoneNumber": ONE} | row],
        }
    )
    stranger = await shop.open("other@example.org")
    assert (await stranger.get("bulk-status", f"messageId={number}"))["code"] == 4


@pytest.mark.parametrize(
    ("query", "code"), [("", 3), ("messageId=", 3), ("messageId=x", 4), ("messageId=99", 4), (f"messageId={2**31}", 4)]
)
async def test_faults_of_bulk_status(shop, query, code):
    assert (await shop.get("bulk-status", query))["code"] == code


async def test_status_by_tag(shop):
    first = (await shop.send([ONE, TWO], tag="Colis"))["message_id"]
    await shop.send(tag="other")
    await shop.send(tag="COLIS", sandbox=1)
    await shop.mark(first, state=State.UNDELIVERED)
    answer = await shop.get("bulk-status-by-tag", "tag=colis")
    waiting = {"status": "Not delivered", "stopSMS": False, "date": SENT_AT}
    assert json.dumps(answer) == json.dumps(
        {
            "success": True,
            "code": 200,
            "currentPage": 1,
            "total": 3,
            "StatutResponse_List": [
                {"phoneNumber": ONE} | waiting,
                {"phoneNumber": TWO} | waiting,
                {"phoneNumber": ONE, "status": "Delivered", "stopSMS": False, "date": SENT_AT},
            ],
        }
    )
    assert "<entry>1</entry><entry>3</entry><entry><entry><entry><![CDATA[+33639980001]]></entry>" in await shop.xml(
        "bulk-status-by-tag", "tag=colis"
    )


async def test_pages_of_a_tag_hold_every_message_once(shop):
    shop = await shop.open("clinic@example.org", euros=100)
    for block in range(4):
        await shop.send([f"0639{980000 + block * 300 + n}" for n in range(300)], tag="big", sandbox=block == 3)
    pages = [await shop.get("bulk-status-by-tag", f"tag=big&page={page}") for page in (1, 2, 3, 4, 10**12)]
    assert [len(page["StatutResponse_List"]) for page in pages] == [500, 500, 200, 0, 0]
    assert {page["total"] for page in pages} == {1200}
    listed = [row["phoneNumber"] for page in pages[:3] for row in page["StatutResponse_List"]]
    assert listed == [f"+33639{980000 + n}" for n in range(1200)]


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "1.5"])
async def test_a_bad_page_is_the_first(shop, page):
    await shop.send(tag="t")
    answer = await shop.get("bulk-status-by-tag", f"tag=t&page={page}")
    assert (answer["currentPage"], len(answer["StatutResponse_List"])) == (1, 1)


@pytest.mark.parametrize(
    ("query", "code", "message"), [("", 3, "Le tag est requis"), ("tag=never", 4, "Aucun message pour ce tag")]
)
async def test_faults_of_status_by_tag(shop, query, code, message):
    answer = await shop.get("bulk-status-by-tag", query)
    assert (answer["code"], answer["message"]) == (code, message)


async def test_the_sandbox_is_delivered_at_once_in_every_status(shop):
    number = (await shop.send([TWO, ONE], sandbox=1))["message_id"]
    assert (await shop.get("message-status", f"messageId={number}&phoneNumber={ONE[1:]}"))["statut"] == "Delivered"
    listed = (await shop.get("bulk-status", f"messageId={number}"))["StatutResponse_List"]
    assert [(row["phoneNumber"], row["status"]) for row in listed] == [(TWO, "Delivered"), (ONE, "Delivered")]
    pair = {"phoneNumber": ONE, "messageId": number}
    assert (await shop.post("multi-status", SMSStatut_List=[pair]))["StatutResponse_List"][0]["status"] == "Delivered"


async def test_opted_out_before_it_left_is_no_answer_to_it(shop):
    number = (await shop.send(ONE))["message_id"]
    await shop.mark(number, state=State.OPTED_OUT, stopped_at=shop.clock.now())
    answer = await shop.get("message-status", f"messageId={number}&phoneNumber={ONE[1:]}")
    assert (answer["statut"], answer["stopSms"]) == ("Not delivered", False)


# --- statistics ----------------------------------------------------------------------------------------------------


async def test_twelve_months(shop):
    await shop.send([ONE, TWO], "x" * 161)
    await shop.send(sandbox=1)
    answer = await shop.get("statistics/cost-resume", "interval=last_twelve_months")
    assert list(answer) == ["success", "datas"] and len(answer["datas"]) == 12
    assert answer["datas"][0] == {
        "month": "december", "year": "2025", "m": "12", "date": 1764543600, "type": "month", "cost": "0.000", "nb_send": "0",
    }  # fmt: skip
    assert json.dumps(answer["datas"][-1]) == json.dumps(
        {
            "month": "november",
            "year": "2026",
            "m": "11",
            "date": 1793487600,
            "type": "month",
            "cost": "0.152",
            "nb_send": "4",
        }
    )


async def test_days_of_the_last_month_and_of_any_time(shop):
    month = (await shop.get("statistics/cost-resume", "interval=last_month"))["datas"]
    assert (len(month), month[0]["date"], month[0]["type"], month[-1]["m"]) == (31, 1790805600, "day", "10")
    await shop.send()
    await shop.send(scheduledDeliveryDate="11/11/2026", time=0, minute=5)
    days = (await shop.get("statistics/cost-resume", "interval=custom&from=09-11-2026&to=11/11/2026"))["datas"]
    assert [day["nb_send"] for day in days] == ["0", "1", "0"]  # not sent yet
    shop.clock.move(86_400)
    days = (await shop.get("statistics/cost-resume", "interval=custom&from=09-11-2026&to=11-11-2026"))["datas"]
    assert [day["nb_send"] for day in days] == ["0", "1", "1"]
    year = await shop.get("statistics/cost-resume", "interval=custom&from=01-01-2024&to=31-12-2024")
    assert len(year["datas"]) == 366


@pytest.mark.parametrize(
    ("query", "elements"),
    [
        ("", ["interval"]),
        ("interval=week", ["interval"]),
        ("interval=custom", ["from", "to"]),
        ("interval=custom&from=01-11-2026", ["to"]),
        ("interval=custom&from=31-11-2026&to=01-12-2026", ["from"]),
        ("interval=custom&from=02-11-2026&to=01-11-2026", ["to"]),
        ("interval=custom&from=01-01-2025&to=02-01-2026", ["to"]),
        ("interval=custom&from=30-12-9999&to=31-12-9999", ["to"]),
    ],
)
async def test_faults_of_statistics(shop, query, elements):
    answer = await shop.get("statistics/cost-resume", query)
    assert [entry["elementId"] for entry in answer["errors"]] == [f"children[{name}].data" for name in elements]


async def test_the_ends_of_time(shop):
    for query in ("from=01-01-0001&to=02-01-0001", "from=29-12-9999&to=30-12-9999"):
        answer = await shop.get("statistics/cost-resume", f"interval=custom&{query}")
        assert len(answer["datas"]) == 2


async def test_five_calls_a_minute(shop):
    path = f"/v1/statistics/cost-resume?apiKey={shop.key}&interval=last_month"
    answers = [await shop.raw("GET", path) for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == list("432100")
    assert (answers[5].json()["code"], answers[5].headers["retry-after"]) == (429, "60")
    assert (await shop.get("me"))["code"] == 200
    shop.clock.move(60)
    assert (await shop.raw("GET", path)).status == 200
