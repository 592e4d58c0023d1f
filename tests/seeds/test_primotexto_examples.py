"""Every call of the contract of Primotexto, over a socket, as the official samples make it, with what it changed.

The one rule: an answer has the documented members in the documented order and types, and what it says is found again:
on the handsets, in the credits, in the lists, in the figures, in the calls that arrive at a real receiver.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
from seeds.conftest import eventually
from seeds.handset import Handset, a_number
from seeds.primotexto import BROWSER, PREVIEWER, Shop, members
from seeds.primotexto_answers import (
    ACCOUNT,
    BLACKLISTS,
    CANCELLED,
    CHECK,
    COLUMN,
    COUNTERS,
    DATED,
    DELIVERED,
    DRAFT,
    ENTRY,
    EVENT,
    FIGURES,
    ID,
    LAUNCHED,
    LINKED,
    MADE,
    OF_CAMPAIGN,
    OPERATION,
    PROGRAMMED,
    REPLIES,
    REPLY,
    SENT,
    STOPPED,
    UNKNOWN,
    USED,
    WAITING,
)
from seeds.shapes import same
from seeds.sink import Sink

PARIS = ZoneInfo("Europe/Paris")
NOBODY = "+33639988002"  # a number of the simulated operator that is not attributed
SWITCHED_OFF = "+33639988001"
HEX = re.compile("[0-9a-f]{24}")


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.close()


@pytest.fixture
def shop(live):
    """A new account with 20 euros, 526 credits; a sub-account, which is made in no time."""
    made = live.call("POST", "subaccount/create", type="simple", parameters={"creditToAttribute": 20})["subaccount"]
    (key,) = (one["apiKey"] for one in live.call("GET", "subaccount/list")["data"] if one["token"] == made["token"])
    yield Shop(live, key, made["email"])
    live.call("DELETE", "subaccount/remove", token=made["token"])


@pytest.fixture
def phone(live):
    return Handset(live, a_number())


@pytest.fixture
def other(live):
    return Handset(live, a_number())


def national(number: str) -> str:
    return f"0{number[3:]}"


def now() -> int:
    return round(time.time() * 1000)


def a_sunday() -> int:
    """Noon of a Sunday to come in Paris: nothing of marketing leaves."""
    today = datetime.now(PARIS)
    sunday = (today + timedelta(days=13 - today.weekday())).replace(hour=12, minute=0, second=0, microsecond=0)
    return round(sunday.timestamp() * 1000)


# --- single messages -------------------------------------------------------------------------------------------------


def test_a_notification_and_its_status(shop, phone):
    body = {"number": national(phone.number), "message": "Votre code : 4711", "sender": "Mairie"}
    answer = shop.ask("POST", "/v2/notification/messages/send", body | {"campaignName": "Codes", "category": "2fa"})
    told = answer.json()
    assert answer.text == f'{{"creditsUsed":1.0,"snapshotId":"{told["snapshotId"]}"}}'
    assert {"Content-Type", "Content-Length"} <= set(dict(answer.headers))  # in the usual capitals
    assert shop.credits == 525 and 0 < int(told["snapshotId"]) < 2**31
    assert phone.latest() == "Votre code : 4711"

    by_number = shop.reached("delivered", phone.number)
    by_id = shop.get(f"/v2/messages/status?snapshotId={told['snapshotId']}", DELIVERED)
    assert by_id == by_number and by_id["id"] == int(told["snapshotId"])
    assert shop.get(f"/v2/messages/status?identifier={phone.number}", DELIVERED) == by_id  # a plus that is not encoded
    assert by_id["sent"] <= by_id["submitted"] <= by_id["delivered"] == by_id["stateDate"] <= now()

    refused = shop.ask("POST", "/v2/notification/messages/send", body | {"sender": "12345"})
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, "application/json;charset=UTF-8")
    assert refused.text == '{"code":23,"error":"sender made of digits only","message":"sender made of digits only"}'
    assert shop.credits == 525
    assert shop.refused("GET", f"/v2/messages/status?identifier=%2B{a_number()[1:]}") == (404, 16)
    assert Shop(shop.live, "YOUR_API_KEY").refused("GET", "/v2/account/stats") == (401, 72)


def test_a_programmed_message_leaves_at_its_time(shop, phone):
    at = now() + 2000
    body = {"number": phone.number, "message": "Plus tard", "date": str(at)}
    told = shop.post("/v2//notification/messages/send", body, SENT)
    waiting = shop.get(f"/v2/messages/status?snapshotId={told['snapshotId']}", WAITING)
    assert waiting["stateDate"] < at and not phone.texts()
    assert shop.credits == 525
    left = shop.reached("delivered", phone.number)["sent"]
    assert at <= left < at + 5000


def test_marketing_waits_for_its_hours_and_heeds_the_stop_list(shop, phone):
    body = {"number": phone.number, "message": "Soldes -20%", "date": a_sunday()}
    told = shop.post("/v2/marketing/messages/send", body, SENT)
    shop.get(f"/v2/messages/status?snapshotId={told['snapshotId']}", WAITING)
    assert shop.credits == 525
    entry = shop.post("/v2/unsubscribers/default/contacts", {"identifier": phone.number}, ID)
    assert shop.refused("POST", "/v2/marketing/messages/send", body) == (400, 12)
    assert shop.credits == 525
    shop.gone(f"/v2/unsubscribers/default/contacts/{entry['id']}")
    shop.post("/v2/marketing/messages/send", body, SENT)
    assert shop.credits == 524


def test_a_category_its_answers_and_its_losses(shop, phone, other):
    send = "/v2/notification/messages/send"
    for number in (phone.number, other.number, NOBODY):
        shop.post(send, {"number": number, "message": "Réponse ?", "category": "codes-2fa"}, SENT)
    for one in (phone, other):
        shop.reached("delivered", one.number)
    phone.answer("Réponse 1")
    other.answer("Stop.")
    bounced = shop.reached("bounced", NOBODY)
    assert bounced["bounced"] == bounced["stateDate"] and "delivered" not in bounced
    replied = shop.reached("reply", phone.number)
    assert replied["reply"] == replied["stateDate"] >= replied["delivered"]
    stopped = shop.reached("unsubscribed", other.number)
    assert stopped["unsubscribed"] == stopped["stateDate"] >= stopped["delivered"]

    zeros = dict.fromkeys(("openers", "clickers", "clicks", "opens", "errors", "complaint", "timespent"), 0)
    counted = {"sent": 3, "submitted": 3, "delivered": 2, "replies": 1, "unsubscribers": 1, "bounced": 1} | zeros
    assert shop.get("/v2/messages/stats?category=codes-2fa", COUNTERS) == counted
    assert shop.get("/v2/messages/stats", COUNTERS) == counted
    assert set(shop.get("/v2/messages/stats?category=other", COUNTERS).values()) == {0}
    told = shop.get("/v2/account/stats", ACCOUNT)
    assert list(told.values()) == [1, 523, 2, 3, 3, 1, 1]

    for query in ("?category=codes-2fa", "?category=", ""):
        (reply,) = shop.get(f"/v2/messages/replies{query}", REPLIES)
        assert HEX.fullmatch(reply["id"]) and reply["identifier"] == phone.number and reply["message"] == "Réponse 1"
        lost = shop.get(f"/v2/messages/blacklists{query}", BLACKLISTS)
        assert lost["bounces"] == {"number": 1, "identifiers": [national(NOBODY)]}
        assert lost["unsubscribers"] == {"number": 1, "identifiers": [national(other.number)]}
    assert shop.ask("GET", "/v2/messages/replies?category=other").json() == []

    for word, number, status in (("unsubscribers", other.number, "UNSUBSCRIBED"), ("bounces", NOBODY, "BOUNCED")):
        (entry,) = shop.get(f"/v2/{word}/default/contacts", ENTRY % '{"date": 1387808142057}')
        assert entry["identifier"] == number and 0 < entry["history"][0]["date"] <= now()
        assert shop.get(f"/v2/check?identifier={national(number)}", CHECK)["status"] == status
    assert shop.refused("POST", send, {"number": NOBODY, "message": "Encore ?"}) == (400, 13)
    stopped_too = {"number": other.number, "message": "Encore ?"}
    assert shop.refused("POST", "/v2/marketing/messages/send", stopped_too) == (400, 12)
    shop.post(send, stopped_too, SENT)  # the list is for marketing


# --- the account -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "code"), [("unsubscribers", 12), ("bounces", 13)])
def test_a_list_of_the_account(shop, word, code):
    path, number = f"/v2/{word}/default/contacts", a_number()
    body = {"number": number, "message": "Soldes", "date": a_sunday()}
    assert shop.ask("GET", path).text == "[]"
    made = shop.post(path, {"identifier": number}, ID)
    assert HEX.fullmatch(made["id"]) and shop.refused("POST", path, {"identifier": national(number)}) == (400, 15)
    assert shop.refused("POST", "/v2/marketing/messages/send", body) == (400, code)

    (entry,) = shop.get(path, ENTRY % "")
    own = f"/v2/{word}/{entry['blacklistId']}/contacts"
    assert (entry["id"], entry["identifier"]) == (made["id"], number)
    for spelled in (f"/v2/{word}/defaults/contacts", own):
        assert shop.get(spelled, ENTRY % "") == [entry]

    shop.gone(f"{path}?identifier=%2B{number[1:]}")
    assert shop.ask("GET", path).text == "[]"
    shop.post("/v2/marketing/messages/send", body, SENT)
    assert shop.refused("DELETE", f"{path}?identifier=%2B{number[1:]}") == (404, 16)
    assert shop.post(own, {"identifier": number}, ID) == made  # the same entry again
    shop.gone(f"{path}/{made['id']}")
    assert shop.refused("DELETE", f"{path}/{made['id']}") == (404, 16)
    assert shop.refused("GET", f"/v2/{word}/others/contacts") == (404, 60)


def test_a_check_of_numbers(shop):
    number = a_number()
    for path in ("/v2/check", "/app/contacts/check"):
        told = shop.get(f"{path}?identifier={national(number)}", CHECK)
        assert list(told.values()) == [False, national(number), number, "OK"]
    assert shop.get("/v2/check?identifier=0140000000", CHECK)["status"] == "FIXED_LINE"
    malformed = shop.get("/v2/check?identifier=coucou", CHECK.replace('"+33600000000"', "null"))
    assert list(malformed.values()) == [False, "coucou", None, "INVALID"]
    assert shop.refused("GET", "/v2/check") == (400, 10)
    assert list(shop.get("/v2/account/stats?", ACCOUNT).values()) == [0, 526, 0, 0, 0, 0, 0]


# --- lists -----------------------------------------------------------------------------------------------------------


def test_lists_columns_and_contacts(shop):
    one = shop.post("/v2/lists/", {"name": "Exemple de liste API"}, ID)["id"]
    path = f"/v2/lists/{one}"
    empty = f'{{"id": "{one}", "name": "Exemple de liste API", "fields": []}}'
    assert HEX.fullmatch(one) and shop.get("/v2/lists", f"[{empty}]") == [shop.get(path, empty)]

    birth = shop.post(f"{path}/fields", {"name": "Naissance", "type": "DATE", "format": "dd/MM/yyyy"}, DATED)
    name = shop.post(f"{path}/fields/", {"name": "Prénom", "type": "string"}, COLUMN)
    assert (birth["listId"], name["type"], name["name"]) == (one, "STRING", "Prénom")
    assert shop.get(f"{path}/fields", f"[{DATED}]") == [birth, name]
    assert shop.get(path, empty.replace("[]", f"[{DATED}]"))["fields"] == [birth, name]
    assert shop.refused("POST", f"{path}/fields", {"name": "Jour", "type": "DATE"}) == (400, 61)

    first, second = a_number(), a_number()
    contact = {"identifier": national(first), "attributes": {birth["id"]: "01/02/1990"}}
    made = shop.post(f"{path}/contacts", contact, ID)
    also = shop.post(path, {"identifier": second, "attributes": {"prénom": "Ana"}}, ID)
    row = f"""[{{"id": "{made["id"]}", "identifier": "{first}", "attributes": {{"{birth["id"]}": "01/02/1990"}}}}]"""
    found = shop.get(f"{path}/contacts", row)
    assert [one["identifier"] for one in found] == [first, second]
    assert found[0]["attributes"] == {birth["id"]: "01/02/1990"} and found[1]["attributes"] == {name["id"]: "Ana"}
    assert shop.refused("POST", f"{path}/contacts", {"identifier": first}) == (400, 15)
    wrong = {"identifier": a_number(), "attributes": {birth["id"]: "1990"}}
    assert shop.refused("POST", f"{path}/contacts", wrong) == (400, 61)

    shop.gone(f"{path}/fields/{birth['id']}")
    left = [one["attributes"] for one in shop.ask("GET", f"{path}/contacts").json()]
    assert left == [{}, {name["id"]: "Ana"}]
    shop.gone(f"{path}/contacts/{also['id']}")
    assert shop.refused("DELETE", f"{path}/contacts/{also['id']}") == (404, 16)
    shop.gone(f"{path}/contacts?identifier=%2B{first[1:]}")
    assert shop.ask("GET", f"{path}/contacts").text == "[]"
    shop.post(f"{path}/contacts", {"identifier": first, "attributes": []}, ID)
    shop.gone(f"{path}/empty", "POST")
    assert shop.ask("GET", f"{path}/contacts").text == "[]" and shop.get(f"{path}/fields", f"[{COLUMN}]") == [name]
    shop.gone(path)
    assert shop.refused("GET", path) == (404, 60) and shop.ask("GET", "/v2/lists").text == "[]"


def test_an_import_and_its_operation(shop):
    one = shop.post("/v2/lists", {"name": "Clients"}, ID)["id"]
    first, second = a_number(), a_number()
    rows = [["tel", "prenom"], [first, "Ana"], [national(second), "Bo"], [national(first), "Cy"], ["145", "Di"]]
    answer = shop.ask("POST", f"/v2/lists/{one}/import", rows)
    assert (answer.status_code, answer.content) == (201, b"")
    where = dict(answer.headers)["Location"]  # a client compares the name with its case
    assert re.fullmatch("/operations/[0-9a-f]{24}", where)
    done = shop.until(f"/v2{where}", lambda told: told["state"] == "FINISHED")
    assert shop.get(where, OPERATION) == done
    assert list(done.values()) == [where[12:], "FINISHED", 4, 2, 1, 1]

    (column,) = shop.ask("GET", f"/v2/lists/{one}/fields").json()
    found = shop.ask("GET", f"/v2/lists/{one}/contacts").json()
    assert column["name"] == "prenom"
    assert [(row["identifier"], row["attributes"][column["id"]]) for row in found] == [(first, "Ana"), (second, "Bo")]
    assert shop.refused("GET", f"/v2/operations/{UNKNOWN}") == (404, 16)
    assert shop.refused("POST", f"/v2/lists/{one}/import", [["prenom"], ["Ana"]]) == (400, 75)


# --- campaigns -------------------------------------------------------------------------------------------------------


def a_list(shop: Shop, *numbers: str) -> str:
    one = str(shop.post("/v2/lists", {"name": "Clients"}, ID)["id"])
    for number in numbers:
        shop.post(f"/v2/lists/{one}/contacts", {"identifier": number}, ID)
    return one


def a_campaign(shop: Shop, list_id: str, message: str, kind: str = "notification", **more: Any) -> str:
    body = {"name": "Soldes 2016", "message": message, "sendList": {"id": list_id}, "sourceAddress": "Boutique", **more}
    made = shop.post(f"/v2/{kind}/campaigns", body, MADE)
    assert made["id"] == made["campaignId"] and HEX.fullmatch(made["id"])
    return str(made["id"])


def without_sender(documented: str) -> str:
    return documented.replace(' "sourceAddress": "Boutique",', "")


def sent_all(told: Any) -> bool:
    return told["state"] == "SENT" and told["sent"] == told["delivered"] + told["errors"] + told["bounces"] > 0


def test_a_campaign_from_draft_to_its_answers(shop, phone, other):
    tester, unwanted = Handset(shop.live, a_number()), a_number()
    one = a_list(shop)
    rows = [["tel", "Prénom"], [phone.number, "Ana"], [other.number, "Bo"], [NOBODY, "Cy"], [unwanted, "Di"]]
    where = shop.ask("POST", f"/v2/lists/{one}/import", rows).headers["Location"]
    shop.until(f"/v2{where}", lambda told: told["state"] == "FINISHED")
    shop.post("/v2/unsubscribers/default/contacts", {"identifier": unwanted}, ID)
    campaign = a_campaign(shop, one, "Bonjour {{PRÉNOM}}, soldes ?", sourceAddress=None)
    path, typed = f"/v2/campaigns/{campaign}", f"/v2/notification/campaigns/{campaign}"
    draft = shop.get(path, without_sender(DRAFT))
    assert (draft["state"], draft["sendList"]) == ("DRAFT", {"id": one})
    assert set(shop.get(f"{path}/status", FIGURES).values()) == {0, campaign, "Soldes 2016", "DRAFT"}
    assert shop.credits == 526

    assert shop.post(f"{typed}/test", {"identifier": tester.number}, USED) == {"creditsUsed": 1.0}
    assert tester.latest() == "Bonjour Ana, soldes ?" and shop.credits == 525
    assert shop.reached("delivered", tester.number)["test"] is True
    assert shop.post(f"{typed}/send", "SEND", USED) == {"creditsUsed": 3.0} and shop.credits == 522
    assert [phone.latest(), other.latest()] == ["Bonjour Ana, soldes ?", "Bonjour Bo, soldes ?"]
    counted = shop.until(f"{path}/status", sent_all)
    assert list(counted.values()) == [1, 3, 2, 0, campaign, "Soldes 2016", 0, 3, "SENT", 3, 1]
    shop.get(f"{path}/status", FIGURES)

    phone.answer("Oui merci")
    other.answer("STOP")
    shop.reached("reply", phone.number)
    shop.reached("unsubscribed", other.number)
    for where in (path, typed):
        assert [row["message"] for row in shop.get(f"{where}/replies", REPLIES)] == ["Oui merci"]
        lost = shop.get(f"{where}/blacklists", BLACKLISTS)
        assert [lost[word]["identifiers"] for word in lost] == [[national(NOBODY)], [national(other.number)]]
    after = shop.get(f"{path}/status", STOPPED)
    assert (after["replies"], after["unsubscribers"]) == (1, 1)
    (entry,) = [row for row in shop.ask("GET", "/v2/unsubscribers/default/contacts").json() if row["history"]]
    assert (entry["identifier"], entry["history"][0]["campaignId"]) == (other.number, campaign)

    second = a_campaign(shop, one, "Soldes -20%", sourceAddress=None)
    (first, draft) = shop.get("/v2/campaigns/", f"[{without_sender(LAUNCHED)}]")
    assert (first["id"], first["state"], first["totalCredits"], draft["id"]) == (campaign, "SENT", 3.0, second)
    assert shop.refused("POST", f"{path}/send") == (409, 41)
    assert shop.refused("POST", f"{path}/cancel") == (409, 43)
    assert shop.refused("DELETE", path) == (409, 42)
    assert shop.refused("GET", f"/v2/campaigns/{UNKNOWN}/status") == (404, 47)
    assert list(shop.get("/v2/account/stats", ACCOUNT).values()) == [1, 522, 3, 4, 4, 1, 1]
    assert shop.get("/v2/messages/stats", COUNTERS)["sent"] == 3  # without the test


def test_a_programmed_campaign_is_cancelled_and_deleted(shop, phone):
    one, sunday = a_list(shop, phone.number, a_number()), a_sunday()
    campaign = a_campaign(shop, one, "Soldes -20%", "marketing", date=sunday)
    path = f"/v2/marketing/campaigns/{campaign}"
    assert shop.get(path, PROGRAMMED.replace(', "totalCredits": 26146.0', ""))["date"] == sunday
    assert shop.post(f"/v2/campaigns/{campaign}/send", "", USED) == {"creditsUsed": 2.0} and shop.credits == 524
    shop.gone(f"/v2/lists/{one}")  # who gets it is fixed
    told = shop.get(path, PROGRAMMED)
    opens = datetime.fromtimestamp(told["date"] / 1000, UTC).astimezone(PARIS)
    assert (told["state"], told["totalCredits"], opens.hour, opens.minute) == ("PROGRAMMED", 2.0, 8, 0)
    assert told["date"] > sunday and opens.weekday() != 6
    assert shop.get("/v2/marketing/campaigns", f"[{PROGRAMMED}]") == [told]
    shop.get(f"/v2/messages/status?identifier=%2B{phone.number[1:]}", WAITING)
    assert shop.refused("DELETE", path) == (409, 42)

    done = shop.post(f"/v2/campaigns/{campaign}/cancel", '""', CANCELLED)
    assert done == {"id": campaign, "state": "CANCELLED", "creditsRefunded": 2.0} and shop.credits == 526
    assert shop.refused("POST", f"{path}/cancel") == (409, 43) and shop.credits == 526
    assert shop.get(path, PROGRAMMED)["totalCredits"] == 0.0
    shop.gone(path)
    assert shop.refused("GET", path) == (404, 47) and shop.ask("GET", "/v2/campaigns").text == "[]"


def test_the_strictest_client_gets_only_what_it_knows(shop, phone):
    one, sdk = a_list(shop, a_number()), {"X-Sarbacane-SDK": "sarbacane-sdk-java/1.0.7"}
    body = {"name": "Soldes 2016", "message": "Soldes -20%", "sendList": one, "testIdentifier": phone.number}
    campaign = shop.post("/v2/notification/campaigns", body, ID, **sdk)["id"]
    shown = shop.ask("GET", f"/v2/campaigns/{campaign}", **sdk)
    assert (shown.json()["sendList"], shown.json()["testIdentifier"]) == (one, phone.number)
    assert members(shown.text)[:7] == ["id", "campaignId", "message", "sendList", "state", "name", "type"]
    shop.post(f"/v2/campaigns/{campaign}/test", {}, USED, **sdk)
    assert phone.latest() == "Soldes -20%"
    shop.gone(f"/v2/campaigns/{campaign}")


# --- links -----------------------------------------------------------------------------------------------------------


TARGET = "https://boutique.example/soldes?de=sms"
VISITS = ("openers", "opens", "clickers", "clicks")


def link_in(text: str) -> str:
    found = re.search(r"https?://\S+", text)
    assert found, text
    return found[0]


def visits(told: Any) -> tuple[int, ...]:
    return tuple(told[name] for name in VISITS)


def visit(url: str, headers: dict[str, str]) -> requests.Response:
    return requests.get(url, headers=headers, allow_redirects=False, timeout=10)


def test_a_tracked_link_is_followed(shop, phone, other):
    one = a_list(shop, phone.number, other.number)
    shop.post(f"/v2/lists/{one}/contacts", {"identifier": NOBODY}, ID)
    campaign = a_campaign(shop, one, "Soldes {{link}} ici", externalUrl=TARGET, landingPageType="EXTERNAL")
    path = f"/v2/campaigns/{campaign}/status"
    page = ', "externalUrl": "https://boutique.example", "landingPageType": "EXTERNAL"}'
    shop.get(f"/v2/campaigns/{campaign}", DRAFT[:-1] + page)
    assert shop.post(f"/v2/campaigns/{campaign}/send", "", USED) == {"creditsUsed": 3.0}
    url, second = link_in(phone.latest()), link_in(other.latest())
    assert url != second and phone.latest() == f"Soldes {url} ici"
    shop.until(path, sent_all)
    assert visits(shop.get(path, LINKED)) == (0, 0, 0, 0)

    for headers in (PREVIEWER, BROWSER):
        found = visit(url, headers)
        assert (found.status_code, found.headers["Location"]) == (302, TARGET)
        assert found.headers["Cache-Control"] == "no-store"
    assert visits(shop.until(path, lambda told: told["opens"])) == (1, 1, 1, 1)  # the preview came first
    opened = shop.reached("opened", phone.number)
    assert opened["opened"] == opened["stateDate"] >= opened["delivered"]

    visit(url, PREVIEWER)
    visit(url, BROWSER)
    assert visits(shop.until(path, lambda told: told["opens"] > 1)) == (1, 2, 1, 2)
    visit(second, BROWSER)
    assert visits(shop.until(path, lambda told: told["opens"] > 2)) == (2, 3, 2, 3)
    assert visits(shop.get("/v2/messages/stats", COUNTERS)) == (2, 3, 2, 3)
    assert visit(f"{url[:-8]}{'A' * 8}", BROWSER).status_code == 404


def test_a_hosted_page_with_its_stop(shop, phone):
    html = f'<h1>Soldes</h1><script>alert(1)</script><a href="{TARGET}">Voir</a>'
    one = a_list(shop, phone.number)
    campaign = a_campaign(shop, one, "Venez", landingPage=html, landingPageTitle="Soldes", keepList=False)
    path = f"/v2/campaigns/{campaign}"
    page = ', "landingPageType": "HOSTED", "landingPage": "<p>", "landingPageTitle": "Soldes"}'
    assert shop.get(path, DRAFT[:-1] + page)["landingPage"] == html
    shop.post(f"{path}/send", "SEND", USED)
    url = link_in(phone.latest())
    assert phone.latest() == f"Venez {url}"
    shop.reached("delivered", phone.number)

    shown = visit(url, BROWSER)
    assert (shown.status_code, "default-src 'none'" in shown.headers["Content-Security-Policy"]) == (200, True)
    assert "<h1>Soldes</h1>" in shown.text and "alert(1)" not in shown.text and TARGET not in shown.text
    assert visits(shop.until(f"{path}/status", lambda told: told["opens"])) == (1, 1, 0, 0)
    away = visit(f"{url}/1", BROWSER)
    assert (away.status_code, away.headers["Location"]) == (302, TARGET)
    assert visits(shop.until(f"{path}/status", lambda told: told["clicks"])) == (1, 1, 1, 1)
    number = re.search(r'data-visit="(\d+)"', shown.text)
    assert number and requests.post(f"{url}/t", data=f"{number[1]} 18", timeout=10).status_code == 204
    spent = shop.until(f"{path}/status", lambda told: told["timespent"])["timespent"]
    assert spent < 18  # nobody has seen it for longer than it was there

    assert visit(f"{url}/stop", BROWSER).status_code == 200
    assert shop.ask("GET", "/v2/unsubscribers/default/contacts").text == "[]"  # looking ends nothing
    done = requests.post(f"{url}/stop", headers=BROWSER, timeout=10)
    assert done.status_code == 200
    (entry,) = shop.ask("GET", "/v2/unsubscribers/default/contacts").json()
    assert (entry["identifier"], entry["history"][0]["campaignId"]) == (phone.number, campaign)
    shop.reached("unsubscribed", phone.number)
    lost = shop.get(f"{path}/blacklists", BLACKLISTS.replace('["0600000000", "0600000001"]', "[]"))
    assert lost["unsubscribers"] == {"number": 1, "identifiers": [national(phone.number)]}
    told = shop.until(f"{path}/status", lambda told: told.get("unsubscribers"))
    assert (told["unsubscribers"], told["timespent"]) == (1, spent)
    eventually(lambda: shop.ask("GET", f"/v2/lists/{one}").status_code == 404)  # not kept


# --- webhooks --------------------------------------------------------------------------------------------------------


@pytest.fixture
def hooked(shop, sink):
    """The account, which tells the sink, and whose marketing leaves at any hour."""
    hooks = (f"webhook_url={sink.url}/events?token=s3cret", f"webhook_reply_url={sink.url}/replies")
    shop.live.command("account", "rules", shop.email, *hooks, "quiet_exempt=yes")
    return shop


def test_webhooks_tell_every_step(hooked, sink, phone, other):
    send, path = "/v2/marketing/messages/send", "/events?token=s3cret"
    pool = {"message": "Soldes -20%", "category": "codes-2fa", "campaignName": "Codes"}
    made = {
        number: hooked.post(send, {"number": number, **pool}, SENT)["snapshotId"]
        for number in (phone.number, NOBODY, SWITCHED_OFF)
    }

    def events(number: str) -> list[Any]:
        return [told for told in sink.posted.get(path, ()) if told["contact"]["identifier"] == number]

    def heard(number: str, last: str) -> list[str]:
        """The events of a number, in the order of their arrival, once the last of them is there."""
        eventually(lambda: any(told["event"] == last for told in events(number)))
        return [told["event"] for told in events(number)]

    assert phone.latest() == "Soldes -20%\nSTOP 36000"
    for number, last in ((phone.number, "delivered"), (NOBODY, "bounced"), (SWITCHED_OFF, "error")):
        names = heard(number, last)
        assert names == [name for name in ("sent", "submitted", last) if name in names]
        for told in events(number):
            assert same(json.dumps(told), EVENT), told
            assert (told["snapshotId"], told["category"], told["campaignName"]) == (made[number], "codes-2fa", "Codes")
    assert {head["Content-Type"] for head in sink.headers[path]} == {"application/json;charset=UTF-8"}
    assert all(head["webhook-signature"].startswith("v1,") for head in sink.headers[path])

    phone.answer("OK")
    (reply,) = sink.received("/replies")
    assert same(json.dumps(reply), REPLY), reply
    assert (reply["event"], reply["snapshotId"], reply["replyMessage"]) == ("reply", made[phone.number], "OK")
    phone.answer("stop")
    assert heard(phone.number, "unsubscribed")[-2:] == ["delivered", "unsubscribed"]
    assert hooked.refused("POST", send, {"number": phone.number, **pool}) == (400, 12)

    campaign = a_campaign(hooked, a_list(hooked, other.number), f"Voir {TARGET}")
    hooked.post(f"/v2/campaigns/{campaign}/send", "", USED)
    heard(other.number, "delivered")
    visit(link_in(other.latest()), BROWSER)
    visit(link_in(other.latest()), BROWSER)
    assert heard(other.number, "opened")[-1] == "opened"
    opened = events(other.number)[-1]
    assert same(json.dumps(opened), OF_CAMPAIGN), opened
    assert (opened["campaignId"], opened["campaignName"], opened["test"]) == (campaign, "Soldes 2016", False)
    hooked.until(f"/v2/campaigns/{campaign}/status", lambda told: told["opens"] == 2)
    assert [told["event"] for told in events(other.number)].count("opened") == 1
