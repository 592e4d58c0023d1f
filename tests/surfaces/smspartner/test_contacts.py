"""Groups and contacts of SMS Partner: shapes, orders of checks, what is stored."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
from surfaces.asgi import Client

from passerelle.clock import ManualClock
from passerelle.store import optouts
from passerelle.surfaces.door import Door
from passerelle.surfaces.http import Dialects, Limits
from passerelle.surfaces.smspartner.calls import Services
from passerelle.surfaces.smspartner.routes import SmsPartner

from .conftest import TUESDAY, nothing

ONE, TWO, THREE = "+33639980001", "+33639980002", "+33639980003"
ID = re.compile("[A-Za-z][A-Za-z0-9]{19}")
NOWHERE = "q7TzB2mVx0LkR9sWcE4a"
PRESENT = "Le numéro est déjà dans le groupe"


async def group(shop, name="Clients Lyon"):
    return (await shop.post("group/add", name=name))["groupId"]


async def contact(shop, group_id, phone=ONE, **members):
    added = await shop.post("contact/add", groupId=group_id, contact={"phoneNumber": phone, **members})
    return added["contact"]["contactId"]


async def listed(shop, group_id, query=""):
    return await shop.get("contact/list", f"groupId={group_id}&{query}")


def simple(code, message):
    return {"success": False, "code": code, "message": message}


def constraints(*entries):
    told = [{"elementId": f"children[{member}].data", "message": message} for member, message in entries]
    return {"success": False, "code": 9, "errors": told, "error": told}


# --- groups ----------------------------------------------------------------------------------------------------------


async def test_a_group_is_made_listed_and_deleted_with_its_contacts(shop):
    made = await shop.post("group/add", name="Clients Lyon")
    assert list(made) == ["success", "code", "name", "groupId"] and made["code"] == 200
    assert made["name"] == "Clients Lyon" and ID.fullmatch(made["groupId"])
    again = await group(shop)
    assert again != made["groupId"]
    found = await shop.get("group/list")
    assert list(found) == ["success", "groups"]
    assert json.dumps(found["groups"][0]) == json.dumps(
        {"id": made["groupId"], "name": "Clients Lyon", "createdAt": "2026-11-10T11:00:00+01:00",
         "isSpecialFile": False, "isLocationFile": False}
    )  # fmt: skip
    await contact(shop, made["groupId"])
    kept = await contact(shop, again)
    accepted = await shop.send(ONE)
    assert await shop.post("group/delete", groupId=made["groupId"]) == {"success": True, "code": 200}
    assert [one["id"] for one in (await shop.get("group/list"))["groups"]] == [again]
    assert [row["group_id"] for row in await shop.rows("contact")] == [
        (await shop.get("contact/detail", f"contactId={kept}"))["contact"]["groupId"]
    ]
    assert accepted["success"] and len(await shop.rows("queue")) == 1
    assert await shop.post("group/delete", groupId=made["groupId"]) == simple(404, "Groupe introuvable")


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "group/delete"), ("DELETE", "groupe/delete"), ("POST", "groupe/delete")]
)
async def test_a_group_is_deleted_by_either_path_method_and_id(shop, method, path):
    for place in ("body", "query"):
        made = await group(shop)
        member = await contact(shop, made)
        number = (await shop.get("contact/detail", f"contactId={member}"))["contact"]["groupId"]
        named = number if place == "query" else made
        body = {"apiKey": shop.key, "groupId": named} if place == "body" else None
        target = f"/v1/{path}" + (f"?apiKey={shop.key}&groupId={named}" if place == "query" else "")
        assert (await shop.raw(method, target, body)).json() == {"success": True, "code": 200}
    assert not await shop.rows("contact_group") and not await shop.rows("contact")


@pytest.mark.parametrize(
    ("members", "answer"),
    [
        ({"apiKey": ""}, simple(2, "La clé API est requise")),
        ({"apiKey": "wrong", "name": ""}, simple(10, "Clef API incorrecte")),
        ({}, simple(1, "Le nom du groupe est requis")),
        ({"name": " "}, simple(1, "Le nom du groupe est requis")),
        ({"name": ["a"]}, simple(1, "Le nom du groupe est requis")),
        ({"name": "x" * 256}, constraints(("name", "Cette valeur est trop longue"))),
    ],
)
async def test_faults_of_a_new_group(shop, members, answer):
    assert await shop.post("group/add", **members) == answer
    assert not await shop.rows("contact_group")


async def test_a_new_group_in_xml(shop):
    answer = await shop.raw("POST", "/v1/group/add?_format=xml", {"apiKey": shop.key, "name": "A & B"})
    (row,) = (await shop.get("group/list"))["groups"]
    assert answer.text == (
        "<?xml version='1.0' encoding='UTF-8'?><result><entry>true</entry><entry>200</entry>"
        f"<entry><![CDATA[A & B]]></entry><entry><![CDATA[{row['id']}]]></entry></result>"
    )
    assert await shop.xml("group/list") == (
        "<?xml version='1.0' encoding='UTF-8'?><result><entry>true</entry><entry><entry>"
        f"<entry><![CDATA[{row['id']}]]></entry><entry><![CDATA[A & B]]></entry>"
        "<entry><![CDATA[2026-11-10T11:00:00+01:00]]></entry><entry>false</entry><entry>false</entry>"
        "</entry></entry></result>"
    )


@pytest.mark.parametrize("key", ["", "wrong"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "group/delete"), ("GET", "group/list"), ("POST", "contact/add"), ("POST", "contact/multiple/add"),
        ("POST", "contact/update"), ("POST", "contact/delete"), ("GET", "contact/list"), ("GET", "contact/detail"),
    ],
)  # fmt: skip
async def test_a_missing_key_is_a_wrong_one(shop, method, path, key):
    answer = await shop.raw(method, f"/v1/{path}?apiKey={key}")
    assert (answer.status, answer.json()) == (400, simple(10, "Clef API incorrecte"))


# --- contacts --------------------------------------------------------------------------------------------------------

ALL = {
    "phoneNumber": "06 39 98 00 01", "firstname": "Alix", "lastname": "Martin", "date": "03-02-1990",
    "url": "https://a.example/?q=1", "shortUrlPartnr": "spn.example/a", "custom1": "a", "custom2": "b", "custom3": "c",
    "custom4": "é",
}  # fmt: skip


async def test_a_contact_is_added_listed_and_shown(shop):
    made = await group(shop)
    added = await shop.post("contact/add", groupId=made, contact=ALL)
    token = added["contact"].pop("contactId")
    assert ID.fullmatch(token) and added["code"] == 200
    assert json.dumps(added["contact"]) == json.dumps(ALL | {"phoneNumber": ONE, "date": "1990-02-03"})
    (row,) = await shop.rows("contact")
    assert (row["phone"], row["date"], row["custom4"]) == (33639980001, date(1990, 2, 3), "é")
    found = await listed(shop, made)
    assert json.dumps(found) == json.dumps({
        "success": True, "code": 200, "currentPage": 1, "total": "1", "datas": [{
            "contactId": token, "phone": ONE, "firstname": "Alix", "lastname": "Martin",
            "url": "https://a.example/?q=1", "shortUrl": "spn.example/a", "date": "1990-02-03", "custom1": "a",
            "custom2": "b", "custom3": "c", "custom4": "é", "createdAt": "2026-11-10T11:00:00+01:00", "stopSms": False,
        }],
    })  # fmt: skip
    detail = await shop.get("contact/detail", f"contactId={token}")
    assert json.dumps(detail) == json.dumps(
        {"success": True, "code": 200, "contact": found["datas"][0] | {"groupId": row["group_id"]}}
    )
    assert list(detail["contact"])[-1] == "groupId"


async def test_a_bare_contact_has_empty_texts_and_either_id_of_its_group_serves(shop):
    made = await group(shop)
    added = await shop.post("contact/add", groupId=made, contact={"phoneNumber": ONE, "firstname": ""})
    assert list(added["contact"]) == ["phoneNumber", "contactId"]
    (row,) = (await listed(shop, made))["datas"]
    assert {row[name] for name in ("firstname", "lastname", "url", "shortUrl", "date", "custom1")} == {""}
    number = (await shop.get("contact/detail", f"contactId={row['contactId']}"))["contact"]["groupId"]
    assert type(number) is int
    assert (await shop.post("contact/add", groupId=number, contact={"phoneNumber": TWO}))["success"]
    assert (await listed(shop, number))["total"] == "2"
    posted = await shop.post("contact/list", groupId=str(number), page="1")
    assert [one["phone"] for one in posted["datas"]] == [ONE, TWO]


async def test_a_fixed_line_may_be_kept(shop):
    made = await group(shop)
    assert await contact(shop, made, "01 42 68 53 00")


@pytest.mark.parametrize(
    ("members", "answer"),
    [
        ({"groupId": ""}, simple(1, "L'identifiant du groupe est requis")),
        ({"groupId": "", "contact": "x"}, simple(1, "L'identifiant du groupe est requis")),
        ({"groupId": NOWHERE}, simple(2, "Les données du contact sont requises")),
        ({"groupId": NOWHERE, "contact": "x"}, simple(2, "Les données du contact sont requises")),
        ({"groupId": NOWHERE, "contact": {"firstname": "A"}}, simple(2, "Les données du contact sont requises")),
        ({"groupId": NOWHERE, "contact": {"phoneNumber": "x"}}, simple(404, "Groupe introuvable")),
        ({"groupId": "999999999", "contact": {"phoneNumber": "x"}}, simple(404, "Groupe introuvable")),
        ({"groupId": 2**40, "contact": {"phoneNumber": "x"}}, simple(404, "Groupe introuvable")),
        (
            {"contact": {"phoneNumber": "145", "date": "30-02-1990", "url": "a.example", "custom2": "x" * 256}},
            constraints(
                ("phoneNumber", "Ce numero de telephone n'est pas valide (145)"),
                ("date", "Cette date n'est pas valide"),
                ("url", "Cette URL n'est pas valide"),
                ("custom2", "Cette valeur est trop longue"),
            ),
        ),
        ({"contact": {"phoneNumber": "0639980009"}}, simple(15, PRESENT)),
    ],
)
async def test_faults_of_adding(shop, members, answer):
    made = await group(shop)
    await contact(shop, made, "+33639980009")
    response = await shop.raw("POST", "/v1/contact/add", {"apiKey": shop.key, "groupId": made, **members})
    assert response.json() == answer
    assert response.status == (404 if answer["code"] == 404 else 400)
    assert len(await shop.rows("contact")) == 1


async def test_the_stop_list_is_read_as_it_is_now(shop):
    made = await group(shop)
    for phone in (ONE, TWO):
        await contact(shop, made, phone)
    stop = (await shop.post("stop-sms/add", phoneNumber=TWO))["stopId"]
    assert [row["stopSms"] for row in (await listed(shop, made))["datas"]] == [False, True]
    await shop.get("stop-sms/delete", f"id={stop}")
    assert [row["stopSms"] for row in (await listed(shop, made))["datas"]] == [False, False]


# --- many at once ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["contact/add", "contact/multiple/add"])
async def test_many_are_added_with_a_report(shop, path):
    made = await group(shop)
    await contact(shop, made, ONE)
    await shop.post("stop-sms/add", phoneNumber=THREE)
    await shop.db.execute(
        "insert into dead_subscriber (account_id, phone) values ($1, $2)", shop.account.id, 33639980004
    )
    rows = [
        {"phoneNumber": TWO, "firstname": "Alix"},
        {"phoneNumber": "06 39 98 00 01"},
        {"firstname": "Nobody"},
        "no object",
        {"phoneNumber": "145"},
        {"phoneNumber": "0639980002"},
        {"phoneNumber": THREE},
        {"phoneNumber": "+33639980004"},
        {"phoneNumber": "+33639980005", "url": "x", "date": "x"},
        {"phoneNumber": "+33639980006", "date": "2026-13-01"},
        {"phoneNumber": "+33639980007", "firstname": "x" * 33},
        {"phoneNumber": 33639980008},
    ]
    answer = await shop.post(path, groupId=made, contactsList=rows, contact={"phoneNumber": "ignored"})
    assert list(answer) == ["groupe", "results", "rapport"]
    assert answer["groupe"] == {"name": "Clients Lyon", "token": made}
    told = [(row["code"], row["phoneNumber"], row.get("message")) for row in answer["results"]]
    assert told == [
        (200, TWO, None),
        (15, ONE, PRESENT),
        (2, "", "Le numéro de téléphone est requis"),
        (2, "", "Le numéro de téléphone est requis"),
        (9, "145", "Ce numéro n'est pas valide (145)"),
        (15, TWO, "Le numéro est en double"),
        (14, THREE, f"Ce numéro est dans la liste STOP ({THREE})"),
        (9, "+33639980004", "Ce numéro n'est pas valide (+33639980004)"),
        (9, "+33639980005", "Cette URL n'est pas valide"),
        (9, "+33639980006", "Cette date n'est pas valide"),
        (9, "+33639980007", "Cette valeur est trop longue"),
        (200, "+33639980008", None),
    ]
    assert list(answer["results"][0]) == ["success", "code", "phoneNumber", "contactId"]
    assert list(answer["results"][1]) == ["success", "code", "phoneNumber", "message"]
    assert json.dumps(answer["rapport"]) == json.dumps({
        "nbline": 12, "nbline_imported": 2, "nbline_updated": 0,
        "errors": {"stopSms": 1, "invalidePhone": 1, "duplicatePhone": 1, "allreadyInGroupe": 1, "urlInvalide": 1,
                   "dateInvalide": 1, "empty": 2, "unactivated": 1, "dateInvalid": 1},
    })  # fmt: skip
    stored = {row["phone"]: row["firstname"] for row in await shop.rows("contact")}
    assert stored == {33639980001: "", 33639980002: "Alix", 33639980008: ""}


@pytest.mark.parametrize(
    ("members", "answer"),
    [
        ({"groupId": "", "contactsList": []}, simple(1, "L'identifiant du groupe est requis")),
        ({"groupId": NOWHERE, "contactsList": []}, simple(2, "Les données du contact sont requises")),
        ({"contactsList": "x"}, simple(2, "Les données du contact sont requises")),
        ({"groupId": NOWHERE, "contactsList": [{}] * 501}, simple(50, "500 numéros au maximum par requête")),
        ({"groupId": NOWHERE, "contactsList": [{}]}, simple(404, "Groupe introuvable")),
    ],
)
async def test_faults_of_adding_many(shop, members, answer):
    made = await group(shop)
    assert await shop.post("contact/add", **{"groupId": made, **members}) == answer


async def test_many_in_xml(shop):
    made = await group(shop)
    rows = [{"phoneNumber": ONE}, {"phoneNumber": ONE}]
    answer = await shop.raw(
        "POST", "/v1/contact/add?_format=xml", {"apiKey": shop.key, "groupId": made, "contactsList": rows}
    )
    (row,) = (await listed(shop, made))["datas"]
    assert answer.status == 200 and answer.text == (
        "<?xml version='1.0' encoding='UTF-8'?><result>"
        f"<entry><entry><![CDATA[Clients Lyon]]></entry><entry><![CDATA[{made}]]></entry></entry>"
        "<entry>"
        f"<entry><entry>true</entry><entry>200</entry><entry><![CDATA[{ONE}]]></entry>"
        f"<entry><![CDATA[{row['contactId']}]]></entry></entry>"
        f"<entry><entry>false</entry><entry>15</entry><entry><![CDATA[{ONE}]]></entry>"
        "<entry><![CDATA[Le numéro est en double]]></entry></entry>"
        "</entry>"
        "<entry><entry>2</entry><entry>1</entry><entry>0</entry><entry><entry>0</entry><entry>0</entry><entry>1</entry>"
        "<entry>0</entry><entry>0</entry><entry>0</entry><entry>0</entry><entry>0</entry><entry>0</entry></entry></entry>"
        "</result>"
    )


# --- change and delete -----------------------------------------------------------------------------------------------


async def test_only_the_members_sent_are_changed_and_an_empty_one_is_cleared(shop):
    made = await group(shop)
    token = await contact(shop, made, ONE, **{name: ALL[name] for name in ALL if name != "phoneNumber"})
    answer = await shop.post(
        "contact/update",
        contactId=token,
        contact={"phoneNumber": "0639980002", "lastname": "Durand", "date": "", "custom1": "", "custom2": None},
    )
    assert json.dumps(answer) == json.dumps({
        "success": True, "code": 200,
        "contact": {"phoneNumber": TWO, "lastname": "Durand", "date": "", "custom1": "", "contactId": token},
    })  # fmt: skip
    (row,) = (await listed(shop, made))["datas"]
    assert (row["phone"], row["firstname"], row["lastname"], row["date"]) == (TWO, "Alix", "Durand", "")
    assert (row["custom1"], row["custom2"]) == ("", "b")


@pytest.mark.parametrize(
    ("members", "answer"),
    [
        ({"contactId": ""}, simple(1, "L'identifiant du contact est requis")),
        ({"contactId": NOWHERE}, simple(2, "Les données du contact sont requises")),
        ({"contactId": NOWHERE, "contact": {}}, simple(2, "Les données du contact sont requises")),
        ({"contactId": NOWHERE, "contact": {"nickname": "A"}}, simple(2, "Les données du contact sont requises")),
        ({"contactId": NOWHERE, "contact": {"phoneNumber": "x"}}, simple(404, "Contact introuvable")),
        ({"contactId": "12", "contact": {"phoneNumber": "x"}}, simple(404, "Contact introuvable")),
        (
            {"contact": {"phoneNumber": "", "date": "x"}},
            constraints(
                ("phoneNumber", "Ce numero de telephone n'est pas valide ()"), ("date", "Cette date n'est pas valide")
            ),
        ),
        ({"contact": {"phoneNumber": TWO}}, simple(15, PRESENT)),
    ],
)
async def test_faults_of_changing(shop, members, answer):
    made = await group(shop)
    token = await contact(shop, made, ONE)
    await contact(shop, made, TWO)
    assert await shop.post("contact/update", **{"contactId": token, **members}) == answer
    assert [row["phone"] for row in await shop.rows("contact")] == [33639980001, 33639980002]


async def test_a_contact_may_keep_its_own_number(shop):
    token = await contact(shop, await group(shop), ONE)
    assert (await shop.post("contact/update", contactId=token, contact={"phoneNumber": ONE}))["success"]


async def test_a_contact_is_deleted(shop):
    made = await group(shop)
    token = await contact(shop, made)
    assert await shop.post("contact/delete", contactId=token) == {"success": True, "code": 200}
    assert (await listed(shop, made))["total"] == "0"
    unknown = simple(404, "Contact introuvable")
    assert await shop.post("contact/delete", contactId=token) == unknown
    assert await shop.get("contact/detail", f"contactId={token}") == unknown
    for call in (shop.post("contact/delete"), shop.get("contact/detail")):
        assert await call == simple(1, "L'identifiant du contact est requis")


# --- pages -----------------------------------------------------------------------------------------------------------


async def test_pages_hold_500_and_the_oldest_come_first(shop):
    made = await group(shop)
    for start in (0, 500):
        rows = [{"phoneNumber": f"+3363998{n:04}"} for n in range(start, min(start + 500, 501))]
        assert (await shop.post("contact/add", groupId=made, contactsList=rows))["rapport"]["nbline_imported"]
    first, second, third = [await listed(shop, made, f"page={page}") for page in (1, 2, 3)]
    assert [row["phone"] for row in first["datas"]] == [f"+3363998{n:04}" for n in range(500)]
    assert [row["phone"] for row in second["datas"]] == ["+33639980500"]
    assert (third["datas"], third["currentPage"], third["total"]) == ([], 3, "501")
    for odd in ("0", "-1", "x", ""):
        assert (await listed(shop, made, f"page={odd}"))["currentPage"] == 1
    assert (await listed(shop, made, "page=99999999999999"))["datas"] == []


async def test_faults_of_listing(shop):
    assert await shop.get("contact/list") == simple(1, "L'identifiant du groupe est requis")
    for named in (NOWHERE, "123", "x"):
        assert await listed(shop, named) == simple(404, "Groupe introuvable")


async def test_settings_of_the_installation(shop):
    """The code of the sample page, smaller pages, and short links where there is a host for them."""
    asked = []

    async def shorten(account_id, urls):
        asked.append((account_id, urls))
        return [f"l.example/{n}" for n, _ in enumerate(urls)]

    clock = ManualClock(TUESDAY)
    door = Door(shop.db, shop.accounts, clock)
    services = Services(shop.db, door, shop.accounts, None, clock, group_add_code=2, contact_page=2, shorten=shorten)
    client = Client(Dialects([SmsPartner(services)], nothing, Limits()))
    made = (await client("POST", "/v1/group/add", {"apiKey": shop.key, "name": "A"})).json()
    assert (made["success"], made["code"]) == (True, 2)
    first = await contact(shop, made["groupId"], ONE, url="https://a.example/")
    await contact(shop, made["groupId"], TWO, url="https://a.example/", shortUrlPartnr="own.example/b")
    await contact(shop, made["groupId"], THREE)
    for _ in range(2):  # made once, and kept
        page = (await client("GET", f"/v1/contact/list?apiKey={shop.key}&groupId={made['groupId']}")).json()
        assert [row["shortUrl"] for row in page["datas"]] == ["l.example/0", "own.example/b"]
        assert page["total"] == "3"
        assert asked == [(shop.account.id, ["https://a.example/"])]
    await shop.post("contact/update", contactId=first, contact={"url": "https://b.example/"})
    detail = (await client("GET", f"/v1/contact/detail?apiKey={shop.key}&contactId={first}")).json()
    assert detail["contact"]["shortUrl"] == "l.example/0" and asked[1:] == [(shop.account.id, ["https://b.example/"])]


async def test_a_group_of_another_account_is_unknown(shop):
    stranger = await shop.open("other@example.org")
    made = await group(shop)
    token = await contact(shop, made)
    number = (await shop.rows("contact"))[0]["group_id"]
    await optouts.add(shop.db, stranger.account.id, optouts.List.STOP, 33639980001, TUESDAY)
    for named in (made, number):
        assert (await listed(stranger, named))["code"] == 404
        assert (await stranger.post("group/delete", groupId=named))["code"] == 404
        assert (await stranger.post("contact/add", groupId=named, contact={"phoneNumber": TWO}))["code"] == 404
    assert (await stranger.post("contact/update", contactId=token, contact={"lastname": "X"}))["code"] == 404
    assert (await stranger.post("contact/delete", contactId=token))["code"] == 404
    (row,) = (await listed(shop, made))["datas"]
    assert (row["lastname"], row["stopSms"]) == ("", False)


@pytest.mark.parametrize("call", ["group/delete", "groupe/delete"])
async def test_a_group_that_is_not_named_is_not_deleted(shop, call):
    answer = await shop.raw("DELETE", f"/v1/{call}?apiKey={shop.key}")
    assert (answer.status, answer.json()["code"], answer.json()["message"]) == (
        400, 1, "L'identifiant du groupe est requis",
    )  # fmt: skip
