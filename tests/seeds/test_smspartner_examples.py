"""Every example of the contract of SMS Partner, over a socket, in JSON and in XML, with what it changed.

The one rule: an answer has the documented members in the documented order and types, and what it says is found again:
in the balance, in the ledger, in the lists, in the calls that arrive at a real receiver.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from seeds.conftest import Caller, Live, eventually
from seeds.handset import Handset
from seeds.shapes import same
from seeds.sink import Sink

ONE, TWO, STOPPED = "+33639980001", "+33639980002", "+33639980003"


class Shop:
    """An account that makes each example twice: once in JSON, whose answer counts, and the like of it in XML."""

    def __init__(self, caller: Caller, live: Live, sink: Sink) -> None:
        self.caller, self.live, self.sink = caller, live, sink

    def ask(self, method: str, path: str, xml: bool = False, **members: Any) -> str:
        """One call; the text of its answer."""
        given = {"apiKey": self.caller.api_key, **members, **({"_format": "xml"} if xml else {})}
        where = {"params" if method == "GET" else "json": given}
        return requests.request(method, f"{self.caller.base_url}/v1/{path}", timeout=10, **where).text

    def json(self, method: str, path: str, documented: str, **members: Any) -> Any:
        """A call whose answer must look like the documented one."""
        answer = self.ask(method, path, **members)
        assert same(answer, documented), answer
        return json.loads(answer)

    def xml(self, method: str, path: str, like: Any, **members: Any) -> None:
        """The same call in XML: the members of the JSON answer as entries, in their order."""
        answer = self.ask(method, path, xml=True, **members)
        assert answer.startswith("<?xml version='1.0' encoding='UTF-8'?><result>")
        assert _tree(ElementTree.fromstring(answer)) == _entries(like), answer

    @property
    def balance(self) -> float:
        return float(json.loads(self.ask("GET", "me"))["credits"]["balance"])


def _entries(value: Any) -> Any:
    """What the XML of a JSON value is made of: a list of entries each, None for a scalar."""
    if isinstance(value, dict):
        value = list(value.values())
    return [_entries(each) for each in value] or None if isinstance(value, list) else None


def _tree(element: ElementTree.Element) -> Any:
    return [_tree(child) for child in element] or None


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.close()


@pytest.fixture
def shop(live, sink):
    return Shop(live.account("20"), live, sink)


ME = """{"success": true, "code": 200,
 "user": {"username": "compte@example.org", "firstname": "Alix", "lastname": "Martin"},
 "credits": {"creditSms": 40091, "creditSmsECO": 66237, "creditHlr": 304694, "toSend": 12,
             "solde": "1523.470", "currency": "EUR", "balance": "1523.470"}}"""


def test_credits(shop):
    told = shop.json("GET", "me", ME)["credits"]
    assert (told["creditSms"], told["creditSmsECO"], told["creditHlr"]) == (526, 869, 4000)
    assert told["solde"] == told["balance"] == "20.000"


SENT = """{"success": true, "code": 200, "message_id": 70412, "nb_sms": 1, "cost": 0.038, "currency": "EUR"}"""
PLANNED = SENT[:-1] + ', "scheduledDeliveryDate": "2026-11-16 08:00:00"}'


def test_a_send_and_what_became_of_it(shop):
    url = f"{shop.sink.url}/dlr-send"
    asked = {"phoneNumbers": f"{ONE},0639980002", "message": "Votre colis est là:br:A bientôt", "sender": "MaBoutique"}
    told = shop.json("POST", "send", SENT, **asked, tag="colis", urlDlr=url)
    assert (told["nb_sms"], told["cost"]) == (2, 0.076)
    assert shop.balance == 19.924
    reports = shop.sink.received("/dlr-send", 2)
    documented = """{"status": "delivered", "msgId": "70413", "date": 1794471330, "phone": "+33639980001",
     "cost": "0.038", "currency": "EUR", "tag": "colis"}"""
    assert all(same(json.dumps(report), documented) for report in reports)
    assert {(r["phone"], r["status"], r["msgId"]) for r in reports} == {
        (phone, "delivered", str(told["message_id"])) for phone in (ONE, TWO)
    }
    shop.xml("POST", "send", told, **asked, tag="colis")

    number = told["message_id"]
    status = """{"success": true, "code": 200, "number": "0639980001", "messageId": "70413", "stopSms": false,
     "date": "1794471330", "statut": "Delivered", "cost": 0.038, "countryCode": "FR", "currency": "EUR"}"""
    one = shop.json("GET", "message-status", status, messageId=number, phoneNumber="0639980001")
    assert (one["statut"], one["messageId"]) == ("Delivered", str(number))
    shop.xml("GET", "message-status", one, messageId=number, phoneNumber="0639980001")

    pairs = [{"phoneNumber": ONE, "messageId": number}, {"phoneNumber": "+33639980009", "messageId": 1}]
    multi = """{"success": true, "code": 200, "StatutResponse_List": [
     {"success": true, "code": 200, "phoneNumber": "+33639980001", "messageId": 70413, "status": "Delivered",
      "date": "1794471330", "stopSms": "0", "isSpam": "0"},
     {"success": false, "code": 4, "phoneNumber": "+33639980009", "messageId": 1, "status": "Numéro introuvable"}]}"""
    many = shop.json("POST", "multi-status", multi, SMSStatut_List=pairs)
    assert many["StatutResponse_List"][1]["status"] == "Numéro introuvable"
    shop.xml("POST", "multi-status", many, SMSStatut_List=pairs)

    bulk = """{"success": true, "code": 200, "message_id": "70413", "StatutResponse_List": [
     {"phoneNumber": "+33639980001", "status": "Delivered", "stopSMS": false, "date": "1794471330", "cost": 0.038,
      "currency": "EUR"}]}"""
    listed = shop.json("GET", "bulk-status", bulk, messageId=number)
    assert [row["phoneNumber"] for row in listed["StatutResponse_List"]] == [ONE, TWO]
    shop.xml("GET", "bulk-status", listed, messageId=number)

    tagged = """{"success": true, "code": 200, "currentPage": 1, "total": 1, "StatutResponse_List": [
     {"phoneNumber": "+33639980001", "status": "Delivered", "stopSMS": false, "date": "1794471330"}]}"""
    assert shop.json("GET", "bulk-status-by-tag", tagged, tag="colis")["total"] == 4
    shop.xml("GET", "bulk-status-by-tag", shop.caller.call("GET", "bulk-status-by-tag", tag="colis"), tag="colis")

    costs = """{"success": true, "datas": [{"month": "october", "year": "2026", "m": "10", "date": 1790805600,
     "type": "month", "cost": "15.200", "nb_send": "400"}]}"""
    rows = shop.json("GET", "statistics/cost-resume", costs, interval="last_twelve_months")["datas"]
    assert (len(rows), rows[-1]["cost"], rows[-1]["nb_send"]) == (12, "0.152", "4")


def test_a_bulk_send(shop):
    stop = shop.json("POST", "stop-sms/add", '{"success": true, "code": 200, "stopId": 20}', phoneNumber=STOPPED)
    listed = [{"phoneNumber": phone, "message": f"Code {n}"} for n, phone in enumerate((ONE, TWO, STOPPED))]
    documented = """{"success": true, "code": 200, "message_id": 70414, "currency": "EUR", "cost": 0.076, "nbSMS": 2,
     "SMSResponse_List": [{"success": true, "code": 200, "nbSms": 1, "cost": 0.038, "phoneNumber": "+33639980001"}]}"""
    told = shop.json("POST", "bulk-send", documented, SMSList=listed)
    assert told["SMSResponse_List"][2] == {
        "success": False,
        "code": 14,
        "message": f"Ce numéro est dans la liste STOP ({STOPPED})",
        "phoneNumber": STOPPED,
    }
    assert shop.balance == 19.924
    shop.xml("POST", "bulk-send", told, SMSList=listed)

    stops = """{"success": true, "code": 200, "nbData": 1,
     "data": [{"id": 19, "phoneNumber": "+33639980003", "createdAt": "2026-11-12 09:15:30"}]}"""
    entries = shop.json("GET", "stop-sms/list", stops)
    assert (entries["nbData"], entries["data"][0]["id"]) == (1, stop["stopId"])
    shop.xml("GET", "stop-sms/list", entries)
    shop.json("GET", "stop-sms/delete", '{"success": true, "code": 200}', id=stop["stopId"])
    assert shop.json("POST", "bulk-send", documented, SMSList=listed)["nbSMS"] == 3


def test_a_cancelled_send(shop):
    later = {"scheduledDeliveryDate": "28/12/2026", "time": 10, "minute": 0}
    told = shop.json("POST", "send", PLANNED, phoneNumbers=ONE, message="Plus tard", **later)
    assert shop.balance == 19.962 and told["scheduledDeliveryDate"] == "2026-12-28 10:00:00"
    documented = """{"success": true, "code": 200, "message": "L'envoi du SMS a été annulé."}"""
    done = shop.json("GET", "message-cancel", documented, messageId=told["message_id"])
    assert shop.balance == 20.0
    other = shop.caller.call("POST", "send", phoneNumbers=ONE, message="Plus tard", **later)
    shop.xml("GET", "message-cancel", done, messageId=other["message_id"])
    assert shop.balance == 20.0


CONTACT = """{"success": true, "code": 200,
 "contact": {"phoneNumber": "+33639980001", "firstname": "Alix", "contactId": "m3Kd8PzYw1NfQ6uHbT5r"}}"""
ROW = """{"contactId": "m3Kd8PzYw1NfQ6uHbT5r", "phone": "+33639980001", "firstname": "Alix", "lastname": "", "url": "",
 "shortUrl": "", "date": "", "custom1": "", "custom2": "", "custom3": "", "custom4": "",
 "createdAt": "2026-11-12T09:15:30+01:00", "stopSms": false"""


def test_groups_and_contacts(shop):
    documented = '{"success": true, "code": 200, "name": "Clients Lyon", "groupId": "q7TzB2mVx0LkR9sWcE4a"}'
    made = shop.json("POST", "group/add", documented, name="Clients Lyon")
    shop.xml("POST", "group/add", made, name="Clients Paris")
    group = made["groupId"]

    contact = {"phoneNumber": "0639980001", "firstname": "Alix"}
    added = shop.json("POST", "contact/add", CONTACT, groupId=group, contact=contact)
    shop.xml("POST", "contact/add", added, groupId=group, contact=contact | {"phoneNumber": STOPPED})
    assert added["contact"]["phoneNumber"] == ONE

    rows = [{"phoneNumber": TWO}, {"phoneNumber": ONE}]
    report = """{"groupe": {"name": "Clients Lyon", "token": "q7TzB2mVx0LkR9sWcE4a"},
     "results": [{"success": true, "code": 200, "phoneNumber": "+33639980002", "contactId": "Zp4Lw9RtXc2VbN7mKs1d"}],
     "rapport": {"nbline": 2, "nbline_imported": 1, "nbline_updated": 0,
      "errors": {"stopSms": 0, "invalidePhone": 0, "duplicatePhone": 0, "allreadyInGroupe": 1, "urlInvalide": 0,
                 "dateInvalide": 0, "empty": 0, "unactivated": 0, "dateInvalid": 0}}}"""
    told = shop.json("POST", "contact/add", report, groupId=group, contactsList=rows)
    assert (told["rapport"]["nbline_imported"], told["rapport"]["errors"]["allreadyInGroupe"]) == (1, 1)

    token = added["contact"]["contactId"]
    changed = {"lastname": "Martin", "date": "12-11-1990"}
    updated = """{"success": true, "code": 200,
     "contact": {"lastname": "Martin", "date": "1990-11-12", "contactId": "m3Kd8PzYw1NfQ6uHbT5r"}}"""
    answer = shop.json("POST", "contact/update", updated, contactId=token, contact=changed)
    assert answer["contact"]["date"] == "1990-11-12"
    shop.xml("POST", "contact/update", answer, contactId=token, contact=changed)

    listing = '{"success": true, "code": 200, "currentPage": 1, "total": "1", "datas": [' + ROW + "}]}"
    listed = shop.json("GET", "contact/list", listing, groupId=group)
    assert [row["phone"] for row in listed["datas"]] == [ONE, STOPPED, TWO]
    shop.xml("GET", "contact/list", listed, groupId=group)
    detail = shop.json(
        "GET",
        "contact/detail",
        '{"success": true, "code": 200, "contact": ' + ROW + ', "groupId": 6123}}',
        contactId=token,
    )
    assert detail["contact"]["lastname"] == "Martin"
    shop.xml("GET", "contact/detail", detail, contactId=token)

    groups = """{"success": true, "groups": [{"id": "q7TzB2mVx0LkR9sWcE4a", "name": "Clients Lyon",
     "createdAt": "2026-11-12T09:15:30+01:00", "isSpecialFile": false, "isLocationFile": false}]}"""
    every = shop.json("GET", "group/list", groups)
    assert [one["name"] for one in every["groups"]] == ["Clients Lyon", "Clients Paris"]
    shop.xml("GET", "group/list", every)

    done = '{"success": true, "code": 200}'
    shop.json("POST", "contact/delete", done, contactId=token)
    shop.json("DELETE", "group/delete", done, groupId=group)
    assert len(shop.caller.call("GET", "group/list")["groups"]) == 1


def test_sub_accounts(shop):
    email = f"agence-{shop.caller.api_key[:8]}@example.org"
    parameters = {"email": email, "isBuyer": 0, "creditToAttribute": 5.5, "firstname": "Camille"}
    created = """{"success": true, "code": 200,
     "subaccount": {"email": "agence@example.org", "token": "Wn5Xk0VbGd8TqJ3yLs7m"},
     "sendConfirmMailTo": "agence@example.org", "parent_email": "compte@example.org"}"""
    made = shop.json("POST", "subaccount/create", created, type="advanced", parameters=parameters)
    token = made["subaccount"]["token"]
    assert shop.balance == 14.5
    simple = shop.caller.call("POST", "subaccount/create", type="simple")
    assert "sendConfirmMailTo" not in simple and simple["success"]

    listing = """{"success": true, "code": 200, "total": 1, "nb_per_page": 20, "page": 1, "data": [
     {"id": 4, "email": "agence@example.org", "type": "advanced", "token": "Wn5Xk0VbGd8TqJ3yLs7m", "apiKey": "0f3c",
      "createdAt": "2026-11-12 09:15:30", "credits": {"balance": "25.000", "currency": "EUR"}}]}"""
    listed = shop.json("GET", "subaccount/list", listing)
    assert listed["total"] == 2 and listed["data"][0]["credits"]["balance"] == "5.500"
    shop.xml("GET", "subaccount/list", listed)

    moved = '{"success": true, "code": 200, "credit": 1498.47, "subaccountCredit": 25.5, "currency": "EUR"}'
    given = shop.json("POST", "subaccount/credit/add", moved, credit=1.25, tokenSubaccount=token)
    assert (given["credit"], given["subaccountCredit"]) == (13.25, 6.75)
    taken = shop.json("POST", "subaccount/credit/remove", moved, credit="0.5", tokenSubaccount=token)
    assert (taken["credit"], taken["subaccountCredit"]) == (13.75, 6.25)
    shop.xml("POST", "subaccount/credit/add", taken, credit=0.01, tokenSubaccount=token)

    child = Caller(shop.caller.base_url, listed["data"][0]["apiKey"])
    assert child.call("POST", "send", phoneNumbers=ONE, message="De l'agence")["cost"] == 0.038
    assert child.call("GET", "me")["credits"]["balance"] == "6.222"
    shop.json("DELETE", "subaccount/remove", '{"success": true, "code": 200}', token=token)
    assert child.call("GET", "me")["code"] == 10
    assert shop.balance == round(13.75 - 0.01 + 6.222, 3)


def test_number_checks(shop):
    documented = """{"success": true, "code": 200, "lookup": [
     {"request": "0639980001", "success": true, "countryCode": "France", "prefixCode": 33,
      "phoneNumber": "+33639980001", "type": "Mobile", "network": "",
      "format": {"e164": "+33639980001", "international": "+33 6 39 98 00 01", "national": "06 39 98 00 01",
                 "rfc3966": "tel:+33-6-39-98-00-01"}},
     {"request": "12", "success": false, "message": "Le numéro de téléphone est vide ou n'est pas valide."}]}"""
    looked = shop.json("POST", "lookup", documented, phoneNumbers="0639980001,12")
    assert looked == json.loads(documented)
    shop.xml("POST", "lookup", looked, phoneNumbers="0639980001,12")

    url = f"{shop.sink.url}/hlr"
    accepted = """{"success": true, "code": 200, "campaign_id": "HLR000271", "number": 1, "cost": 0.005,
     "currency": "EUR"}"""
    told = shop.json("POST", "hlr/notify", accepted, phoneNumbers="+33639980014,+33639980019", notifyUrl=url)
    assert (told["number"], told["cost"], shop.balance) == (2, 0.01, 19.99)
    results = {one["phone"]: one for one in shop.sink.received("/hlr", 2)}
    result = """{"phone": "+33639980014", "messageId": "0d9a7c1e-52f4-4f0b-8f0e-6c1d2b3a4f55", "mccMnc": "20815",
     "ported": 1, "errorGrpId": 0, "errorName": "NO_ERROR", "errorDesc": "No Error",
     "date": "2026-11-12T08:15:30.355+0000"}"""
    assert same(json.dumps(results["+33639980014"]), result)
    assert results["+33639980014"]["ported"] == 1 and results["+33639980019"]["errorGrpId"] == 1
    shop.xml("POST", "hlr/notify", told, phoneNumbers=ONE)


def test_a_long_number(shop, live):
    email = json.loads(shop.ask("GET", "me"))["user"]["username"]
    live.command("numbers", "add", email, "33644630077")
    asked = {"to": ONE, "from": "33644630077", "message": "Venez-vous ?"}
    url = f"{shop.sink.url}/long"
    told = shop.json("POST", "vn/send", SENT, **asked, urlResponse=url)
    assert (told["cost"], shop.balance) == (0.038, 19.962)

    documented = """{"msisdn": "33639980001", "to": "33644630001", "messageId": "6f1c2f6e-8b1c-4c57-9d0e-3a8f0b7a51c2",
     "text": "Oui", "type": "text", "keyword": "Oui", "message-timestamp": "2026-11-12 09:51:46"}"""
    phone = Handset(live, ONE)
    phone.shows("Venez-vous ?")
    phone.answer("Oui merci", to="33644630077")
    answer = shop.sink.received("/long")[0]
    assert same(json.dumps(answer), documented)
    assert (answer["to"], answer["text"], answer["keyword"]) == ("33644630077", "Oui merci", "Oui")
    shop.xml("POST", "vn/send", told, **asked)

    on = '{"success": true, "code": 200, "message": "Callforward enabled"}'
    done = shop.json("POST", "vn/callforward", on, number="33644630077", type=1, param="0639980002")
    again = shop.caller.call("POST", "vn/callforward", number="33644630077", type=1, param="0639980002")
    assert again["code"] == 16
    shop.xml("POST", "vn/callforward", done, number="33644630077", type=0)
    voicemail = shop.caller.call("POST", "vn/callforward", number="33644630077", type=2, param="alix@example.org")
    assert voicemail == {"success": True, "code": 200, "message": "Voicemail enabled"}


SURVEY = """
title = "Votre avis"
introduction = "Êtes-vous satisfait ?"
mode = "reply"

[[questions]]
text = "Répondez par un chiffre"
kind = "single"
choices = ["Oui", "Non"]
"""


def test_a_survey(shop, live, tmp_path):
    email = json.loads(shop.ask("GET", "me"))["user"]["username"]
    (tmp_path / "survey.toml").write_text(SURVEY)
    made = live.command("surveys", "create", str(tmp_path / "survey.toml"), "--account", email, "--open", "--json")
    ident = json.loads(made)["id"]
    asked = {"phoneNumbers": TWO, "sondageIdent": ident}
    told = shop.json("POST", "sondage/to/send", SENT, **asked, urlResponse=f"{shop.sink.url}/survey")
    assert shop.balance == round(20 - told["cost"], 3)
    phone = Handset(live, TWO)
    phone.shows("satisfait")
    phone.answer("1")
    answer = shop.sink.received("/survey")[0]
    documented = """{"type": "response", "phone_number": "+33639980001", "text": "Oui merci", "message_id": 70413}"""
    assert same(json.dumps(answer), documented)
    assert (answer["phone_number"], answer["text"], answer["message_id"]) == (TWO, "1", told["message_id"])
    shop.xml("POST", "sondage/to/send", told, **asked)
    shown = json.loads(live.command("surveys", "show", ident, "--account", email, "--json"))
    assert [(one["label"], one["count"]) for one in shown["results"]["questions"][0]["choices"]] == [
        ("Oui", 1),
        ("Non", 0),
    ]


def test_a_rental(shop):
    parameters = {"sexe": "m", "minAge": 18, "maxAge": 98, "interest": 14}
    offer = """{"success": true, "op": "price", "datas": [{"Type": "FR", "Localite": "France", "Volume": 20},
      {"Type": "total", "Localite": "total", "Volume": 20}], "cost": {"quantity": 20, "total": 1.8, "cost_unity": 0.09}}"""
    counted = json.loads(shop.ask("POST", "location/optin", op="calcul", parameters=parameters))
    assert counted["success"] and counted["cost"]["quantity"] >= 3, counted
    asked = {"parameters": parameters, "volumes": {"France": 3}}
    priced = shop.json("POST", "location/optin", offer, op="price", **asked)
    assert priced["cost"] == {"quantity": 3, "total": 0.27, "cost_unity": 0.09}
    shop.xml("POST", "location/optin", priced, op="price", **asked)

    url = f"{shop.sink.url}/rental"
    rent = offer[:-1] + ', "token": "Hc6Yv1RsDn9WkB4xTq0p"}'
    rented = shop.json("POST", "location/optin", rent, op="rent", urlNotification=url, **asked)
    assert shop.balance == 19.73
    ready = shop.sink.received("/rental")[0]
    assert ready == {"token": rented["token"], "status": 2, "message": "File ready"}
    told = shop.caller.call("GET", "location/status", token=rented["token"])
    assert (told["status"], told["file"]["phoneNumbers"]) == ("File ready", "3")
    shop.xml("GET", "location/status", told, token=rented["token"])
    documented = """{"success": true, "code": 200, "token": "Hc6Yv1RsDn9WkB4xTq0p", "phoneNumbers": ["+33639980001"]}"""
    file = shop.json("GET", "location/file/download", documented, token=rented["token"])
    assert len(set(file["phoneNumbers"])) == 3
    assert shop.caller.call("GET", "location/file/download", token=rented["token"])["code"] == 34
    group = next(one for one in shop.caller.call("GET", "group/list")["groups"] if one["isLocationFile"])
    assert group["name"] == f"Location {rented['token']}"


RCS = """{"success": true, "code": 200, "message_id": 70420, "nb_rcs": 1, "cost": 0.12, "currency": "EUR"}"""
CARD = {
    "richCard": {
        "orientation": "VERTICAL",
        "title": "Votre colis est arrivé",
        "description": "Il vous attend jusqu'à samedi.",
        "media": {"fileUrl": "https://example.org/colis.jpg", "height": "MEDIUM"},
        "suggestions": [{"reply": {"text": "J'arrive", "postbackData": "coming"}}],
    }
}
FORMS = [
    {"text": "Bonjour", "suggestions": [{"reply": {"text": "Oui", "postbackData": "yes"}}]},
    {"file": {"media": {"fileUrl": "https://example.org/plan.pdf"}}},
    CARD,
    {"carousel": {"cardWidth": "MEDIUM", "cards": [{"title": "Un"}, {"title": "Deux"}]}},
]


@pytest.mark.parametrize("conversation", FORMS, ids=["text", "file", "card", "carousel"])
def test_an_rcs_message(shop, conversation):
    asked = {"phoneNumbers": TWO, "isUnicode": 1, "richContent": {"conversation": conversation}}
    told = shop.json("POST", "rcs/send", RCS, **asked, urlDlr=f"{shop.sink.url}/rcs-{told_of(conversation)}")
    assert (told["nb_rcs"], told["cost"], shop.balance) == (1, 0.12, 19.88)
    report = shop.sink.received(f"/rcs-{told_of(conversation)}")[0]
    assert (report["status"], report["phone"], report["cost"]) == ("delivered", TWO, "0.120")
    shop.xml("POST", "rcs/send", told, **asked)


def told_of(conversation: dict[str, Any]) -> str:
    return next(iter(conversation))


def test_an_rcs_message_to_a_phone_without_it_becomes_an_sms(shop):
    failover = {"sender": "MaBoutique", "message": "Votre colis est là"}
    content = {"conversation": {"text": "Votre colis est là"}}
    told = shop.json("POST", "rcs/send", RCS, phoneNumbers=ONE, isUnicode=1, richContent=content, failover=failover)
    status = {"messageId": told["message_id"], "phoneNumber": ONE}
    eventually(lambda: shop.caller.call("GET", "message-status", **status)["statut"] == "Delivered")
    assert shop.caller.call("GET", "message-status", **status)["cost"] == 0.038
    assert shop.balance == 19.962
