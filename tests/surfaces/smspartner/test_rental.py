"""Contact rental of SMS Partner: every code in its order, types to the letter, what is stored and told."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from passerelle.domain.rental import Sex
from passerelle.domain.tokens import read20
from passerelle.pipeline.rental import Builder
from passerelle.store import ledger, optouts
from passerelle.store import rental as store
from passerelle.store.rental import Person
from passerelle.surfaces.smspartner import notifications, rental

from .conftest import TUESDAY, Shop

FIRST = 33_639_980_000
PRICE = 90_000
CREDIT = 10_000_000
ID = re.compile("[A-Za-z][A-Za-z0-9]{19}")
WOMEN = {"sexe": "f", "minAge": 18, "maxAge": 36, "interest": 14, "category": 103, "zipcode": "60200"}
URL = "https://a.example/o5"


@dataclass
class Renter:
    shop: Shop

    async def optin(self, op: Any = "calcul", parameters: Any = None, **members: Any) -> Any:
        return await self.shop.post("location/optin", op=op, parameters=parameters or WOMEN, **members)

    async def rent(self, wanted: int = 4, **members: Any) -> str:
        answer = await self.optin("rent", volumes={"60200": wanted}, **members)
        assert answer["success"], answer
        return str(answer["token"])

    async def status(self, token: str) -> Any:
        return await self.shop.get("location/status", f"token={token}")

    async def download(self, token: str) -> Any:
        return await self.shop.get("location/file/download", f"token={token}")

    async def work(self) -> None:
        await Builder(self.shop.db, self.shop.accounts, self.shop.clock, notifications.rental).run()

    async def state(self, token: str, state: int) -> None:
        await self.shop.db.execute("update rental set state = $1 where token = $2", state, read20(token))


def people() -> list[Person]:
    """26 women of 36 in 60200 and 4 in 02200, 10 men of 50 in 60000."""
    woman = Person(0, Sex.WOMAN, 1990, "60200", (14,), 103, date(2026, 1, 1), "web", "proof", date.max)
    made = [woman._replace(phone=FIRST + n) for n in range(26)]
    made += [woman._replace(phone=FIRST + 100 + n, zipcode="02200", interests=(14, 35)) for n in range(4)]
    man = woman._replace(sex=Sex.MAN, birth_year=1976, zipcode="60000", category=102)
    return made + [man._replace(phone=FIRST + 200 + n) for n in range(10)]


@pytest.fixture
async def renter(shop: Shop) -> Renter:
    async with shop.db.transaction() as connection:
        await store.put(connection, people(), TUESDAY)
    return Renter(shop)


# --- calcul, price -------------------------------------------------------------------------------------------------


async def test_calcul_counts_what_there_is(renter):
    answer = await renter.optin()
    assert json.dumps(answer) == json.dumps(
        {
            "success": True,
            "op": "calcul",
            "datas": [
                {"Type": "CP", "Localite": "60200", "Volume": 26},
                {"Type": "total", "Localite": "total", "Volume": 26},
            ],
            "cost": {"quantity": 26, "total": 2.34, "cost_unity": 0.09},
        }
    )
    assert await renter.shop.balance() == CREDIT


async def test_price_is_that_of_the_chosen_volumes(renter):
    answer = await renter.optin("price", volumes={"60200": 20})
    assert json.dumps(answer) == json.dumps(
        {
            "success": True,
            "op": "price",
            "datas": [
                {"Type": "CP", "Localite": "60200", "Volume": 20},
                {"Type": "total", "Localite": "total", "Volume": 20},
            ],
            "cost": {"quantity": 20, "total": 1.8, "cost_unity": 0.09},
        }
    )
    assert (await renter.optin("PRICE"))["cost"]["quantity"] == 26


async def test_price_in_xml(renter):
    body = {"apiKey": renter.shop.key, "op": "price", "parameters": WOMEN, "volumes": {"60200": 20}, "_format": "xml"}
    answer = await renter.shop.raw("POST", "/v1/location/optin", body)
    assert answer.text == (
        "<?xml version='1.0' encoding='UTF-8'?><result><entry>true</entry><entry><![CDATA[price]]></entry><entry>"
        "<entry><entry><![CDATA[CP]]></entry><entry><![CDATA[60200]]></entry><entry>20</entry></entry>"
        "<entry><entry><![CDATA[total]]></entry><entry><![CDATA[total]]></entry><entry>20</entry></entry></entry>"
        "<entry><entry>20</entry><entry>1.8</entry><entry>0.09</entry></entry></result>"
    )


@pytest.mark.parametrize(
    ("parameters", "rows"),
    [
        (WOMEN | {"zipcode": "60200,02200"}, [("CP", "60200", 26), ("CP", "02200", 4)]),
        (WOMEN | {"zipcode": "60200, 33000"}, [("CP", "60200", 26), ("CP", "33000", 0)]),
        (WOMEN | {"zipcode": ["02200"]}, [("CP", "02200", 4)]),
        (WOMEN | {"zipcode": "", "department": "02,60"}, [("DEP", "02", 4), ("DEP", "60", 26)]),
        (WOMEN | {"zipcode": None, "department": 60}, [("DEP", "60", 26)]),
        (WOMEN | {"zipcode": "60200,02200", "department": "02"}, [("CP", "60200", 0), ("CP", "02200", 4)]),
        (WOMEN | {"zipcode": None}, [("FR", "France", 30)]),
        (WOMEN | {"zipcode": None, "interest": None, "subInterest": "35"}, [("FR", "France", 4)]),
        (WOMEN | {"zipcode": None, "subInterest": 35}, [("FR", "France", 4)]),
        ({"sexe": "m", "minAge": "18", "maxAge": "98", "interest": "14"}, [("FR", "France", 40)]),
        ({"SEXE": "H", "minage": 50, "MAXAGE": 50, "Interest": 14}, [("FR", "France", 10)]),
        ({"sexe": "m", "minAge": 18, "maxAge": 98, "interest": 14, "category": 102}, [("FR", "France", 10)]),
    ],
)
async def test_counts_equal_a_recount_by_hand(renter, parameters, rows):
    answer = await renter.optin(parameters=parameters)
    assert [tuple(row.values()) for row in answer["datas"][:-1]] == rows
    assert answer["datas"][-1]["Volume"] == sum(row[2] for row in rows)


async def test_who_does_not_want_to_be_written_to_does_not_count(renter):
    await renter.shop.post("stop-sms/add", phoneNumber=f"+{FIRST}")
    async with renter.shop.db.transaction() as connection:
        await store.opt_out(connection, [(0, FIRST + 1)], TUESDAY)
    assert (await renter.optin())["cost"]["quantity"] == 24
    other = Renter(await renter.shop.open("clinic@example.org"))
    assert (await other.optin())["cost"]["quantity"] == 25


# --- faults and their order ----------------------------------------------------------------------------------------

ROW = {"Type": "CP", "Localite": "60200", "Volume": 26}
NONE: dict[str, Any] = {}
# Each step mends the first fault of the request before it, and shows the next one.
STEPS: list[tuple[int, dict[str, Any], dict[str, Any]]] = [
    (3, {"parameters": None, "op": None}, NONE),
    (3, {"parameters": "x"}, NONE),
    (3, {"parameters": []}, NONE),
    (4, {}, NONE),
    (6, {"op": "buy"}, NONE),
    (7, {"op": "rent"}, NONE),
    (7, {}, {"sexe": ""}),
    (8, {}, {"sexe": "x"}),
    (9, {}, {"sexe": "f"}),
    (9, {}, {"minAge": ""}),
    (12, {}, {"minAge": 17}),
    (12, {}, {"minAge": "young"}),
    (13, {}, {"minAge": 40}),
    (14, {}, {"maxAge": 99}),
    (14, {}, {"maxAge": "old"}),
    (16, {}, {"maxAge": 36, "interest": "", "subInterest": "", "category": ""}),
    (15, {}, {"interest": 0}),
    (15, {}, {"interest": "x"}),
    (17, {}, {"interest": 14}),
    (17, {}, {"interest": None}),
    (18, {}, {"subInterest": -1}),
    (19, {}, {"subInterest": None}),
    (22, {}, {"interest": 14}),
    (23, {}, {"category": 0}),
    (5, {"urlNotification": "ftp://a.example"}, {"category": 103}),
    (61, {"urlNotification": URL, "volumes": [{}]}, NONE),  # from 40 to 36
    (61, {}, {"minAge": 18, "zipcode": "6020x"}),
    (61, {}, {"zipcode": "33000"}),
    (24, {}, {"zipcode": "60200"}),
    (25, {"volumes": [{"Type": "CP"}]}, NONE),
    (26, {"volumes": [{"Type": "CP", "Localite": "60200"}]}, NONE),
    (26, {"volumes": None}, NONE),
    (26, {"volumes": {}}, NONE),
    (26, {"volumes": []}, NONE),
    (27, {"volumes": [ROW | {"DesiredVolume": 27}]}, NONE),
    (27, {"volumes": [ROW | {"Localite": "02200"}]}, NONE),
    (27, {"volumes": [ROW | {"Type": "DEP"}]}, NONE),
    (27, {"volumes": {"60200": 27}}, NONE),
    (28, {"volumes": [ROW, ROW]}, NONE),
    (11, {"volumes": [ROW]}, NONE),
]


def steps() -> list[Any]:
    """Each request as it is after all mends so far."""
    asked: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    made = []
    for place, (code, members, criteria) in enumerate(STEPS):
        parameters = parameters | criteria
        asked = asked | members
        if members.get("parameters", asked) is asked:
            asked = asked | {"parameters": parameters or {"unknown": 1}}
        made.append(pytest.param(dict(asked), code, id=f"{place}-{code}"))
        asked.pop("parameters")
    return made


@pytest.mark.parametrize(("asked", "code"), steps())
async def test_every_fault_in_the_order_of_the_contract(renter, asked, code):
    poor = await renter.shop.open("poor@example.org", 26 * 0.09 - 0.000001)
    answer = await poor.raw("POST", "/v1/location/optin", {"apiKey": poor.key, **asked})
    assert answer.status == 400
    assert answer.json() == {"success": False, "code": code, "message": rental.TEXTS[code]}
    assert not await poor.rows("rental") and not await poor.rows("rental_number")
    assert await poor.balance() == 26 * PRICE - 1


@pytest.mark.parametrize(("more", "department"), [(0, ""), (1, ""), (0, "60")])
async def test_places_are_told_up_to_ten_thousand(renter, more, department):
    zipcodes = [f"{60_200 + n}" for n in range(rental.MOST_PLACES + more)]
    answer = await renter.optin(parameters=WOMEN | {"zipcode": zipcodes, "department": department})
    if more or department:
        assert answer["code"] == 61
    else:
        assert len(answer["datas"]) == rental.MOST_PLACES + 1 and answer["datas"][-1]["Volume"] == 26


async def test_a_fault_in_xml(renter):
    answer = await renter.shop.raw("POST", "/v1/location/optin?_format=xml", {"apiKey": renter.shop.key})
    assert answer.text == (
        "<?xml version='1.0' encoding='UTF-8'?><result><entry>false</entry><entry>3</entry>"
        "<entry><![CDATA[Les paramètres sont requis]]></entry></result>"
    )


@pytest.mark.parametrize("volumes", [{"60200": 27}, [ROW, ROW], [{"Type": "CP"}]])
async def test_price_looks_at_the_volumes_and_calcul_does_not(renter, volumes):
    assert (await renter.optin("price", volumes=volumes))["code"] in (25, 27, 28)
    assert (await renter.optin("calcul", volumes=volumes))["cost"]["quantity"] == 26


# --- rent ----------------------------------------------------------------------------------------------------------


async def test_rent_is_price_with_a_token_and_debits(renter):
    answer = await renter.optin("rent", volumes=[ROW | {"DesiredVolume": "10"}], urlNotification=URL)
    token = answer["token"]
    assert ID.fullmatch(token)
    assert json.dumps(answer) == json.dumps(
        {
            "success": True,
            "op": "rent",
            "datas": [
                {"Type": "CP", "Localite": "60200", "Volume": 10},
                {"Type": "total", "Localite": "total", "Volume": 10},
            ],
            "cost": {"quantity": 10, "total": 0.9, "cost_unity": 0.09},
            "token": token,
        }
    )
    assert await renter.shop.balance() == CREDIT - 10 * PRICE
    await renter.work()
    (told,) = await renter.shop.rows("event")
    assert (told["url"], told["kind"], told["content_type"]) == (URL, 10, "application/json")
    assert json.loads(told["body"]) == {"token": token, "status": 2, "message": "File ready"}
    assert not await ledger.wrong_wallets(renter.shop.db)


async def test_a_failure_is_told_and_refunded(renter):
    token = await renter.rent(26, urlNotification=URL)
    await renter.shop.post("stop-sms/add", phoneNumber=f"+{FIRST}")
    await renter.work()
    (told,) = await renter.shop.rows("event")
    assert json.loads(told["body"]) == {"token": token, "status": 3, "message": "File generation failed"}
    assert await renter.shop.balance() == CREDIT
    answer = await renter.status(token)
    assert (answer["status"], answer["file"]) == ("File generation failed", {"phoneNumbers": "0"})
    assert await renter.download(token) == {"success": False, "code": 36, "message": "La location a échoué"}


async def test_who_was_rented_lately_is_not_rented_again(renter):
    await renter.rent(20)
    assert (await renter.optin("rent", volumes={"60200": 7}))["code"] == 27
    await renter.work()
    assert (await renter.optin("rent", volumes={"60200": 7}))["code"] == 27
    await renter.rent(6)
    await renter.work()
    renter.shop.clock.move(timedelta(days=91).total_seconds())
    await renter.rent(20, parameters=WOMEN | {"maxAge": 37})


# --- status, download ----------------------------------------------------------------------------------------------


async def test_status_to_the_letter(renter):
    token = await renter.rent(10)
    await renter.work()
    await renter.download(token)
    assert json.dumps(await renter.status(token)) == json.dumps(
        {
            "success": True,
            "token": token,
            "status": "File downloaded by user from api",
            "location": {
                "sexe": "femme",
                "minAge": 18,
                "maxAge": 36,
                "zipcode": "60200",
                "interest": "14",
                "category": 103,
                "details_localisation": [
                    {"Type": "cp", "Location": "60200", "VolumeDesired": "10", "Volume": "26"}
                ],
                "cost": {"quantity": 10, "total": "0.900", "cost_unity": "0.090"},
            },
            "file": {"phoneNumbers": "10"},
        }
    )  # fmt: skip


async def test_criteria_of_the_status_stand_in_their_order(renter):
    parameters = {"sexe": "m", "minAge": 18, "maxAge": 98, "interest": 14, "subInterest": 35, "department": "02,60"}
    answer = await renter.optin("rent", parameters, volumes={"02": 1})
    told = (await renter.status(answer["token"]))["location"]
    assert list(told) == [
        "sexe", "minAge", "maxAge", "department", "interest", "subInterest", "details_localisation", "cost",
    ]  # fmt: skip
    assert (told["sexe"], told["department"], told["subInterest"]) == ("mixte", "02,60", "35")
    assert told["details_localisation"] == [{"Type": "dep", "Location": "02", "VolumeDesired": "1", "Volume": "4"}]
    men = {"sexe": "h", "minAge": 18, "maxAge": 98, "interest": 14}
    told = (await renter.status((await renter.optin("rent", men, volumes={"France": 1}))["token"]))["location"]
    assert list(told) == ["sexe", "minAge", "maxAge", "interest", "details_localisation", "cost"]
    assert (told["sexe"], told["details_localisation"][0]["Type"]) == ("homme", "fr")


@pytest.mark.parametrize(
    ("state", "word", "numbers"),
    [
        (0, "File requested", "0"),
        (1, "File being generated", "0"),
        (2, "File ready", "4"),
        (3, "File generation failed", "0"),
        (5, "File downloaded by user from api", "4"),
    ],
)
async def test_every_state_has_its_word(renter, state, word, numbers):
    token = await renter.rent()
    await renter.state(token, state)
    answer = await renter.status(token)
    assert (answer["status"], answer["file"]["phoneNumbers"]) == (word, numbers)


async def test_the_status_in_xml(renter):
    token = await renter.rent()
    assert await renter.shop.xml("location/status", f"token={token}") == (
        f"<?xml version='1.0' encoding='UTF-8'?><result><entry>true</entry><entry><![CDATA[{token}]]></entry>"
        "<entry><![CDATA[File requested]]></entry><entry><entry><![CDATA[femme]]></entry><entry>18</entry>"
        "<entry>36</entry><entry><![CDATA[60200]]></entry><entry><![CDATA[14]]></entry><entry>103</entry>"
        "<entry><entry><entry><![CDATA[cp]]></entry><entry><![CDATA[60200]]></entry><entry><![CDATA[4]]></entry>"
        "<entry><![CDATA[26]]></entry></entry></entry><entry><entry>4</entry><entry><![CDATA[0.360]]></entry>"
        "<entry><![CDATA[0.090]]></entry></entry></entry><entry><entry><![CDATA[0]]></entry></entry></result>"
    )


async def test_the_file_comes_once_and_is_a_group(renter):
    token = await renter.rent()
    assert await renter.download(token) == {"success": False, "code": 33, "message": "Fichier introuvable"}
    await renter.work()
    answer = await renter.download(token)
    assert list(answer) == ["success", "code", "token", "phoneNumbers"]
    assert (answer["code"], answer["token"], len(answer["phoneNumbers"])) == (200, token, 4)
    assert all(re.fullmatch(r"\+336399800\d\d", phone) for phone in answer["phoneNumbers"])
    assert await renter.download(token) == {"success": False, "code": 34, "message": "Fichier déjà utilisé"}
    (group,) = (await renter.shop.get("group/list"))["groups"]
    assert (group["name"], group["isLocationFile"], group["isSpecialFile"]) == (f"Location {token}", True, False)
    listed = await renter.shop.get("contact/list", f"groupId={group['id']}")
    assert [row["phone"] for row in listed["datas"]] == answer["phoneNumbers"]


async def test_a_file_in_xml(renter):
    token = await renter.rent(1)
    await renter.work()
    assert re.fullmatch(
        r"<\?xml version='1.0' encoding='UTF-8'\?><result><entry>true</entry><entry>200</entry>"
        rf"<entry><!\[CDATA\[{token}\]\]></entry>"
        r"<entry><entry><!\[CDATA\[\+336399800\d\d\]\]></entry></entry></result>",
        await renter.shop.xml("location/file/download", f"token={token}"),
    )


async def test_a_download_under_way_keeps_another_out(renter):
    token = await renter.rent()
    await renter.work()
    async with renter.shop.db.transaction() as connection:
        await connection.execute("select from rental for update")
        assert await renter.download(token) == {
            "success": False, "code": 35, "message": "Fichier en cours de téléchargement",
        }  # fmt: skip
    assert (await renter.download(token))["success"] is True


@pytest.mark.parametrize("call", ["location/status", "location/file/download"])
@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("", 31, "token est requis"),
        ("token=", 31, "token est requis"),
        ("token=x", 32, "Location introuvable"),
        ("token=Hc6Yv1RsDn9WkB4xTq0p", 32, "Location introuvable"),
        ("token=12345678901234567890", 32, "Location introuvable"),
    ],
)
async def test_a_rental_has_to_be_named(renter, call, query, code, message):
    assert await renter.shop.get(call, query) == {"success": False, "code": code, "message": message}


async def test_a_rental_is_its_owners_alone(renter):
    token = await renter.rent()
    await renter.work()
    other = Renter(await renter.shop.open("mallory@example.org"))
    assert (await other.status(token))["code"] == 32
    assert (await other.download(token))["code"] == 32
    assert (await renter.download(token))["success"] is True


async def test_the_renters_own_stop_list_is_looked_at_again_when_it_is_drawn(renter):
    token = await renter.rent(4)
    async with renter.shop.db.transaction() as connection:
        stops = [(renter.shop.account.id, optouts.List.STOP, FIRST + n) for n in range(20)]
        await optouts.add_many(connection, stops, TUESDAY)
    await renter.work()
    answer = await renter.download(token)
    assert all(int(phone) >= FIRST + 20 for phone in answer["phoneNumbers"])
