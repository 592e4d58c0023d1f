"""Whatever others name of the bakery's, they learn and change nothing: Mallory, a branch of the bakery's, its owner.

Every call of every dialect is made with their keys and the bakery's ids, then with ids that exist nowhere: the answers
are the same, and no row of the bakery's has changed. A call that is not listed here fails the test.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from conftest import created
from surfaces.asgi import Client, Response
from surfaces.smspartner.conftest import TUESDAY, nothing

from passerelle.clock import ManualClock
from passerelle.domain.account import Account
from passerelle.domain.rcs_names import CARRIER
from passerelle.domain.rental import Sex
from passerelle.domain.routing import Route
from passerelle.domain.surveys import Mode, Question, State, Survey
from passerelle.domain.tokens import text20
from passerelle.pipeline import surveys
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.submit import Submitter
from passerelle.settings import Settings
from passerelle.store import optouts, rental, virtual_numbers
from passerelle.store.database import Database
from passerelle.store.rental import Person
from passerelle.surfaces.door import Door
from passerelle.surfaces.http import Dialects, Limits, Surface
from passerelle.surfaces.primotexto import wire
from passerelle.surfaces.primotexto.routes import Primotexto
from passerelle.surfaces.smspartner.calls import Services
from passerelle.surfaces.smspartner.routes import SmsPartner

PHONE, OTHER_PHONE = "+33639980001", "+33639980777"
STOPPED, OTHER_STOPPED = "+33639980002", "+33639980778"
BOUNCED, OTHER_BOUNCED = "+33639980003", "+33639980779"
NOWHERE = {
    "message": "1999999999",
    "later": "1999999998",
    "sandbox": "1999999997",
    "snapshot": "1999999996",
    "stop": "1999999995",
    "token": "0123456789abcdef01234567",
    "list": "fedcba9876543210fedcba98",
    "bounces": "fedcba9876543210fedcba99",
    "tag": "nowhere",
    "phone": OTHER_PHONE,
    "stopped": OTHER_STOPPED,
    "bounced": OTHER_BOUNCED,
    "once": "a-key-of-nobody",
    "rental": "Hc6Yv1RsDn9WkB4xTq0p",
    "long": "+33644639999",
    "branch": "Wn5Xk0VbGd8TqJ3yLs7m",
    "group": "q7TzB2mVx0LkR9sWcE4a",
    "file": "1999999994",
    "member": "m3Kd8PzYw1NfQ6uHbT5r",
    "survey": "Zr4Np1XvLk7TdQ9sWb2a",
    "listId": "0123456789abcdef01234568",
    "fieldId": "0123456789abcdef01234569",
    "contactId": "0123456789abcdef0123456a",
    "operationId": "0123456789abcdef0123456b",
    "campaignId": "0123456789abcdef0123456c",
}

# Dialect, method and route -> what is asked: query and body, `{...}` an id. None: it names nothing of anybody.
Asked = list[tuple[str, str]]
SEND = '{"phoneNumbers": "{phone}", "message": "Bonjour", "tag": "{tag}"}'
BULK = '{"SMSList": [{"phoneNumber": "{phone}", "message": "Bonjour"}], "tag": "{tag}"}'
RCS = '{"phoneNumbers": "{phone}", "richContent": {"conversation": {"text": "Bonjour"}}, "tag": "{tag}"}'
PAIR = '{"phoneNumber": "{phone}", "messageId": "'
PAIRS = '{"SMSStatut_List": [' + ", ".join(PAIR + f'{{{one}}}"}}' for one in ("message", "later", "sandbox")) + "]}"
MESSAGES: Asked = [(f"messageId={{{one}}}&phoneNumber=%2B{{phone}}", "") for one in ("message", "later", "sandbox")]
STOPS: Asked = [("id={stop}", "")]
TYPED = "/{type:notification|marketing}"
CONTACTS: Asked = [("identifier=%2B{stopped}", ""), ("identifier=%2B{bounced}", "")]
GROUPS: Asked = [(f"groupId={{{one}}}", "") for one in ("group", "file")]
MEMBERS: Asked = [("contactId={member}", "")]
NEW = '{"groupId": "{group}", "contact": {"phoneNumber": "{phone}"}}'
NEW_ONES = '{"groupId": "{file}", "contactsList": [{"phoneNumber": "{phone}"}]}'
TARGET = '"parameters": {"sexe": "m", "minAge": 18, "maxAge": 98, "interest": 14}'
OWN_LIST = "/{listId}"
NEW_CONTACT = '{"identifier": "{phone}", "attributes": {"{fieldId}": "Mallory"}}'
CALLS: dict[tuple[str, str, str], Asked] = {
    ("smspartner", "POST", "/location/optin"): [("", f'{{"op": "price", {TARGET}}}')],
    ("smspartner", "GET", "/location/status"): [("token={rental}", "")],
    ("smspartner", "GET", "/location/file/download"): [("token={rental}", "")],
    ("smspartner", "POST", "/send"): [("", SEND)],
    ("smspartner", "POST", "/bulk-send"): [("", BULK)],
    ("smspartner", "POST", "/rcs/send"): [("", RCS)],
    ("smspartner", "GET", "/me"): [("", "")],
    **{("smspartner", method, "/message-cancel"): MESSAGES for method in ("GET", "POST", "DELETE")},
    **{("smspartner", method, "/message-cancel/{messageId}"): MESSAGES for method in ("GET", "POST", "DELETE")},
    ("smspartner", "GET", "/message-status"): MESSAGES,
    ("smspartner", "GET", "/multi-status"): [("", PAIRS)],
    ("smspartner", "POST", "/multi-status"): [("", PAIRS)],
    ("smspartner", "GET", "/bulk-status"): MESSAGES,
    ("smspartner", "GET", "/bulk-status-by-tag"): [("tag={tag}", ""), ("tag=", ""), ("tag={tag}&page=1", "")],
    ("smspartner", "GET", "/statistics/cost-resume"): [
        ("interval=last_twelve_months", ""),
        ("interval=last_month", ""),
    ],
    ("smspartner", "GET", "/stop-sms/list"): [("", "")],
    ("smspartner", "POST", "/stop-sms/add"): [("", '{"phoneNumber": "{stopped}"}')],
    **{("smspartner", method, "/stop-sms/delete"): STOPS for method in ("GET", "POST", "DELETE")},
    ("smspartner", "POST", "/group/add"): [("", '{"name": "Plans"}')],
    ("smspartner", "GET", "/group/list"): [("", "")],
    **{
        ("smspartner", method, f"/{word}/delete"): GROUPS
        for method in ("DELETE", "POST")
        for word in ("group", "groupe")
    },
    **{("smspartner", "POST", f"/contact/{word}"): [("", NEW), ("", NEW_ONES)] for word in ("add", "multiple/add")},
    ("smspartner", "POST", "/contact/update"): [("", '{"contactId": "{member}", "contact": {"lastname": "Mallory"}}')],
    ("smspartner", "POST", "/contact/delete"): MEMBERS,
    ("smspartner", "GET", "/contact/detail"): MEMBERS,
    **{("smspartner", method, "/contact/list"): GROUPS for method in ("GET", "POST")},
    ("smspartner", "POST", "/hlr/notify"): [("", '{"phoneNumbers": "{phone}"}')],
    ("smspartner", "POST", "/lookup"): [("", '{"phoneNumbers": "+32470123456"}')],
    ("smspartner", "POST", "/sondage/to/send"): [("", '{"phoneNumbers": "{phone}", "sondageIdent": "{survey}"}')],
    ("smspartner", "POST", "/vn/send"): [("", '{"to": "{phone}", "from": "{long}", "message": "Bonjour"}')],
    ("smspartner", "POST", "/vn/callforward"): [("", '{"number": "{long}", "type": 1, "param": "0639980009"}')],
    ("smspartner", "GET", "/subaccount/list"): [("", "")],
    **{("smspartner", method, "/subaccount/create"): [("", '{"type": "simple"}')] for method in ("GET", "POST")},
    **{
        ("smspartner", method, f"/subaccount/{word}"): [("token={branch}", "")]
        for method in ("DELETE", "POST")
        for word in ("remove", "delete")
    },
    **{
        ("smspartner", "POST", f"/subaccount/credit/{word}"): [("", '{"credit": 1, "tokenSubaccount": "{branch}"}')]
        for word in ("add", "sms", "remove")
    },
    ("primotexto", "POST", "/notification/messages/send"): [
        ("", '{"number": "{phone}", "message": "Bonjour", "category": "{tag}"}')
    ],
    ("primotexto", "POST", "/marketing/messages/send"): [
        ("", '{"number": "{phone}", "message": "Bonjour", "category": "{tag}"}')
    ],
    ("primotexto", "GET", "/messages/status"): [("snapshotId={snapshot}", ""), ("identifier=%2B{phone}", "")],
    **{
        ("primotexto", "GET", f"/messages/{word}"): [("category={tag}", ""), ("", "")]
        for word in ("stats", "replies", "blacklists")
    },
    ("primotexto", "GET", "/account/stats"): [("", "")],
    ("primotexto", "GET", "/check"): CONTACTS,
    ("primotexto", "GET", "/app/contacts/check"): CONTACTS,
    **{("primotexto", "GET", f"/{word}/{{list}}/contacts"): [("", "")] for word in ("unsubscribers", "bounces")},
    **{
        ("primotexto", "POST", f"/{word}/{{list}}/contacts"): [("", '{"identifier": "{stopped}"}')]
        for word in ("unsubscribers", "bounces")
    },
    **{("primotexto", "DELETE", f"/{word}/{{list}}/contacts"): CONTACTS for word in ("unsubscribers", "bounces")},
    **{
        ("primotexto", "DELETE", f"/{word}/{{list}}/contacts/{{id}}"): [("", "")]
        for word in ("unsubscribers", "bounces")
    },
    ("primotexto", "POST", "/lists"): [("", '{"name": "Plans"}')],
    **{("primotexto", "GET", f"/lists{rest}"): [("", "")] for rest in ("", OWN_LIST, f"{OWN_LIST}/fields")},
    ("primotexto", "DELETE", f"/lists{OWN_LIST}"): [("", "")],
    ("primotexto", "POST", f"/lists{OWN_LIST}"): [("", NEW_CONTACT)],
    ("primotexto", "POST", f"/lists{OWN_LIST}/empty"): [("", "")],
    ("primotexto", "POST", f"/lists{OWN_LIST}/fields"): [("", '{"name": "Plans", "type": "STRING"}')],
    ("primotexto", "DELETE", f"/lists{OWN_LIST}/fields/{{fieldId}}"): [("", "")],
    ("primotexto", "GET", f"/lists{OWN_LIST}/contacts"): [("", "")],
    ("primotexto", "POST", f"/lists{OWN_LIST}/contacts"): [("", NEW_CONTACT)],
    ("primotexto", "DELETE", f"/lists{OWN_LIST}/contacts"): CONTACTS,
    ("primotexto", "DELETE", f"/lists{OWN_LIST}/contacts/{{contactId}}"): [("", "")],
    ("primotexto", "POST", f"/lists{OWN_LIST}/import"): [("", '[["tel"], ["{phone}"]]')],
    ("primotexto", "GET", "/operations/{operationId}"): [("", "")],
    ("primotexto", "GET", "/campaigns"): [("", "")],
    ("primotexto", "GET", f"{TYPED}/campaigns"): [("", "")],
    ("primotexto", "POST", f"{TYPED}/campaigns"): [("", '{"name": "n", "message": "m", "sendList": "{listId}"}')],
    **{
        ("primotexto", method, f"{start}/campaigns/{{campaignId}}{rest}"): [("", body)]
        for start in ("", TYPED)
        for method, rest, body in (
            ("GET", "", ""),
            ("DELETE", "", ""),
            ("POST", "/test", '{"identifier": "{phone}"}'),
            ("POST", "/send", ""),
            ("POST", "/cancel", ""),
            ("GET", "/status", ""),
            ("GET", "/replies", ""),
            ("GET", "/blacklists", ""),
        )
    },
}
SENDS = {call for call in CALLS if call[2].endswith("send")}
ADDS = {
    call
    for call in CALLS
    if (call[1] == "POST" and call[2].endswith(("add", "/contacts", "/hlr/notify", "/lists")))
    or call[2] == "/subaccount/create"
}
LISTS = ("default", "{list}", "{bounces}")


@dataclass
class Town:
    """An installation with two customers; the bakery has something of everything."""

    db: Database
    surfaces: list[Surface]
    app: Dialects
    bakery: Account
    bakery_key: str
    mallory: Account
    mallory_key: str
    branch_key: str = ""  # of a sub-account
    chain_key: str = ""  # of the account whose sub-account the bakery is
    ids: dict[str, str] = field(default_factory=dict)

    async def call(self, key: str, dialect: str, method: str, target: str, body: str = "", once: str = "") -> Response:
        headers = {"x-primotexto-apikey": key} if dialect == "primotexto" else {}
        headers |= {"idempotency-key": once} if once else {}
        root = "/primotexto/v2" if dialect == "primotexto" else "/smspartner/v1"
        if dialect == "smspartner" and method == "POST":
            body = json.dumps({**json.loads(body or "{}"), "apiKey": key})
        elif dialect == "smspartner":
            target += f"{'&' if '?' in target else '?'}apiKey={key}"
        return await Client(self.app)(method, root + target, body.encode(), headers)

    async def rows(self) -> dict[str, list[str]]:
        """Everything that belongs to the bakery."""
        tables = await self.db.fetch(
            "select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid"
            " where a.attname = 'account_id' and c.relkind in ('r', 'p') and not c.relispartition order by 1"
        )
        found = {}
        for table in tables:
            rows = await self.db.fetch(f"select t::text from {table['name']} t where account_id = $1", self.bakery.id)
            found[table["name"]] = sorted(row[0] for row in rows)
        owned = await self.db.fetch("select t::text from account t where id = $1", self.bakery.id)
        posted = await self.db.fetch(
            "select t::text from posting t where $1 in (from_account, to_account)", self.bakery.id
        )
        return found | {"account": [row[0] for row in owned], "posting": sorted(row[0] for row in posted)}


@pytest.fixture
async def town(db: Database) -> AsyncIterator[Town]:
    async with settled(db) as town:
        yield town


@pytest.fixture(scope="module")
async def attacked(database_server: str, database_template: str) -> AsyncIterator[Town]:
    """One town for all attacks: they change nothing."""
    async with created(database_server, database_template) as url:
        db = await Database.open(url, size=8)
        async with settled(db) as town:
            yield town
        await db.close()


@contextlib.asynccontextmanager
async def settled(db: Database) -> AsyncIterator[Town]:
    clock = ManualClock(TUESDAY)
    accounts = Accounts(db, Keyring("test"), Settings())
    submitter = Submitter(db, accounts, [Route(1, frozenset({1, 2})), Route(CARRIER, frozenset({4}))], clock)
    door = Door(db, accounts, clock)
    surfaces: list[Surface] = [
        SmsPartner(Services(db, door, accounts, submitter, clock, rcs=True)),
        Primotexto(db, door, submitter, clock, lambda code, _: f"https://l.example/{code}"),
    ]
    bakery, bakery_key = await accounts.create("bakery@example.org", now=TUESDAY)
    mallory, mallory_key = await accounts.create("mallory@example.org", now=TUESDAY)
    for account in (bakery, mallory):
        await accounts.credit(account.id, 10_000_000, TUESDAY)
    running = asyncio.create_task(submitter.run())
    made = Town(db, surfaces, Dialects(surfaces, nothing, Limits()), bakery, bakery_key, mallory, mallory_key)
    await furnish(made)
    branch, made.branch_key = await accounts.create("branch@example.org", now=TUESDAY, parent_id=bakery.id)
    chain, made.chain_key = await accounts.create("chain@example.org", now=TUESDAY)
    await db.execute("update account set parent_id = $2 where id = $1", bakery.id, chain.id)
    for account in (branch, chain):
        await accounts.credit(account.id, 10_000_000, TUESDAY)
    yield made
    running.cancel()


async def rented(town: Town) -> str:
    """The bakery has rented one of two people, the file is ready; the other is on its stop list."""
    man = Person(0, Sex.MAN, 1990, "60200", (14,), 0, TUESDAY.date(), "web", "proof", date.max)
    async with town.db.transaction() as connection:
        await rental.put(connection, [man._replace(phone=int(phone[1:])) for phone in (PHONE, STOPPED)], TUESDAY)
    body = f'{{"op": "rent", {TARGET}, "volumes": {{"France": 1}}}}'
    token = (await town.call(town.bakery_key, "smspartner", "POST", "/location/optin", body)).json()["token"]
    await town.db.execute(
        "insert into rental_number select account_id, $1, id, $2 from rental", int(PHONE[1:]), TUESDAY
    )
    await town.db.execute("update rental set state = 2")
    return str(token)


async def grouped(town: Town) -> dict[str, str]:
    """The bakery keeps a contact in a group."""

    async def post(call: str, **members: Any) -> Any:
        return (await town.call(town.bakery_key, "smspartner", "POST", f"/{call}", json.dumps(members))).json()

    group = (await post("group/add", name="Secret"))["groupId"]
    person = {"phoneNumber": STOPPED, "firstname": "Secret"}
    member = (await post("contact/add", groupId=group, contact=person))["contact"]["contactId"]
    number = await town.db.fetchval("select id from contact_group where account_id = $1", town.bakery.id)
    return {"group": group, "file": str(number), "member": member}


async def listed(town: Town) -> dict[str, str]:
    """The bakery keeps a contact in a list."""

    async def post(call: str, body: Any) -> str:
        made = await town.call(town.bakery_key, "primotexto", "POST", f"/lists{call}", json.dumps(body))
        return str(made.json()["id"])

    own = await post("", {"name": "Secret"})
    column = await post(f"/{own}/fields", {"name": "Secret", "type": "STRING"})
    contact = await post(f"/{own}/contacts", {"identifier": STOPPED, "attributes": {column: "Secret"}})
    rows = '[["tel"], ["x"]]'
    begun = await town.call(town.bakery_key, "primotexto", "POST", f"/lists/{own}/import", rows)
    operation = begun.headers["location"].removeprefix("/operations/")
    draft = json.dumps({"name": "Secret", "message": "Secret", "sendList": own})
    made = await town.call(town.bakery_key, "primotexto", "POST", "/marketing/campaigns", draft)
    ids = {"listId": own, "fieldId": column, "contactId": contact, "operationId": operation}
    return ids | {"campaignId": made.json()["id"]}


async def asked(town: Town) -> str:
    """A survey of the bakery, open and sent."""
    wanted = Survey("Secret", "Secret", Mode.LINK, (Question("Secret", choices=("Secret", "Secret 2")),))
    made = await surveys.create(town.db, town.bakery.id, wanted, ["STOP"], TUESDAY)
    assert not isinstance(made, list)
    await surveys.set_state(town.db, made, State.OPEN)
    ident = text20(made.token)
    body = json.dumps({"phoneNumbers": PHONE, "sondageIdent": ident})
    sent = await town.call(town.bakery_key, "smspartner", "POST", "/sondage/to/send", body)
    assert sent.json()["success"] is True
    return ident


async def furnish(town: Town) -> None:
    """The bakery sends in every way, and has lists, bounces and replies."""
    starts = {"message_number": 1234001, "snapshot_number": 2345001, "blocked_number": 3456789}
    for name, first in (starts | {"contact_group_id_seq": 4567891}).items():
        await town.db.execute("select setval($1::text::regclass, $2, false)", name, first)

    async def send(once: str = "", **members: Any) -> str:
        body = json.dumps({"phoneNumbers": PHONE, "message": "Secret", "tag": "Bread", **members})
        return str((await town.call(town.bakery_key, "smspartner", "POST", "/send", body, once)).json()["message_id"])

    branch = '{"type": "simple", "parameters": {"creditToAttribute": 2}}'
    made = (await town.call(town.bakery_key, "smspartner", "POST", "/subaccount/create", branch)).json()
    later = {"scheduledDeliveryDate": "12/11/2026", "time": 12, "minute": 0}
    tokens = {}
    for list_, phone in ((optouts.List.STOP, STOPPED), (optouts.List.BOUNCE, BOUNCED)):
        tokens[list_] = await optouts.add(town.db, town.bakery.id, list_, int(phone[1:]), TUESDAY)
    town.ids = {
        "branch": made["subaccount"]["token"],
        "rental": await rented(town),
        "message": await send("a-key-of-the-bakery"),
        "later": await send(**later),
        "sandbox": await send(sandbox=1),
        "stop": str(tokens[optouts.List.STOP].number),
        "token": tokens[optouts.List.STOP].token.hex(),
        "list": wire.list_id(town.bakery.id, optouts.List.STOP),
        "bounces": wire.list_id(town.bakery.id, optouts.List.BOUNCE),
        "tag": "Bread",
        "phone": PHONE,
        "stopped": STOPPED,
        "bounced": BOUNCED,
        "once": "a-key-of-the-bakery",
        "long": "+33644630001",
        "survey": await asked(town),
    }
    town.ids |= await grouped(town)
    town.ids |= await listed(town)
    await virtual_numbers.add(town.db, 33644630001, town.bakery.id, TUESDAY, "https://bakery.example/Secret")
    body = json.dumps({"number": PHONE, "message": "Secret", "category": "Bread"})
    sent = await town.call(town.bakery_key, "primotexto", "POST", "/notification/messages/send", body, town.ids["once"])
    town.ids["snapshot"] = sent.json()["snapshotId"]
    await town.db.execute(
        "insert into reply (account_id, token, phone, recipient, text, at, stop, dialect, tag, tag_key)"
        " select $1, decode(lpad(n::text, 24, '0'), 'hex'), $2, '36000', 'Secret', $3, n = 2, n, 'Bread', 'Bread'"
        " from generate_series(0, 2) n", town.bakery.id, int(PHONE[1:]), TUESDAY,
    )  # fmt: skip
    await town.db.execute(
        "insert into statistic_delta (account_id, dialect, tag_key, at, sent) values ($1, 2, 'Bread', $2, 7)",
        town.bakery.id, TUESDAY,
    )  # fmt: skip
    await town.db.execute("update message set bounced_at = $2 where account_id = $1", town.bakery.id, TUESDAY)


def filled(text: str, ids: dict[str, str], *, queried: bool = False) -> str:
    """A number in a query stands without its plus, which is written there."""
    for name, value in ids.items():
        text = text.replace(f"{{{name}}}", value.removeprefix("+") if queried else value)
    return text


def targets(path: str) -> list[str]:
    """A route with every id that can stand in it."""
    path = (
        path.replace(TYPED, "/marketing")
        .replace("{messageId}", "{message}")
        .replace("/contacts/{id}", "/contacts/{token}")
    )
    if "{message}" in path:
        return [path.replace("{message}", f"{{{one}}}") for one in ("message", "later", "sandbox", "stop")]
    return [path.replace("{list}", one) for one in LISTS] if "{list}" in path else [path]


def told(answer: Response, ids: dict[str, str]) -> tuple[int, str]:
    """What an answer says, whatever ids it repeats."""
    text = answer.body.decode()
    for name, value in sorted(ids.items(), key=lambda named: -len(named[1])):
        for spelled in (value, value.removeprefix("+"), "0" + value.removeprefix("+33")):
            text = (
                text.replace(f'"{spelled}"', name)
                .replace(f": {spelled}", f": {name}")
                .replace(f":{spelled}", f":{name}")
            )
            text = text.replace(f"({spelled})", name)
    return answer.status, text


def every_call() -> list[Any]:
    """Those that make something last: an attacker has nothing of her own before."""
    return [pytest.param(*call, id=" ".join(call)) for call in sorted(CALLS, key=(SENDS | ADDS).__contains__)]


def test_every_call_of_every_dialect_is_asked(town: Town) -> None:
    served = {
        (surface.name, method, route.path)
        for surface in town.surfaces
        for route in surface.routes
        for method in route.handlers
    }
    assert served == set(CALLS)


@pytest.mark.parametrize(("dialect", "method", "path"), every_call())
async def test_what_is_the_bakerys_is_nothing_to_others(attacked: Town, dialect: str, method: str, path: str) -> None:
    call = (dialect, method, path)
    before = await attacked.rows()
    for key in (attacked.mallory_key, attacked.branch_key, attacked.chain_key):
        await attacked.db.execute("delete from rate_call")
        for target in targets(path):
            for query, body in CALLS[call]:
                await attack(attacked, key, call, target, query, body)
    assert await attacked.rows() == before


async def attack(town: Town, key: str, call: tuple[str, str, str], target: str, query: str, body: str) -> None:
    """With the bakery's ids and with ids of nobody: the same answers."""
    answers = []
    for ids in (town.ids, NOWHERE):
        asked = filled(target, ids) + (f"?{filled(query, ids, queried=True)}" if query else "")
        answer = await town.call(key, call[0], call[1], asked, filled(body, ids), filled("{once}", ids))
        answers.append(told(answer, ids))
        assert answer.status < 500
        assert "Secret" not in answer.text
    if call in SENDS | ADDS:  # ids are made, none of them the bakery's
        assert answers[0][0] == answers[1][0]
        assert town.ids["token"] not in answers[0][1] and town.ids["snapshot"] not in answers[0][1]
    else:
        assert answers[0] == answers[1]


@pytest.mark.parametrize(("dialect", "method", "path"), every_call())
async def test_the_bakery_itself_is_answered(town: Town, dialect: str, method: str, path: str) -> None:
    """The attack is worth its name: with the key of the bakery the same call tells or does something."""
    call = (dialect, method, path)
    if call in SENDS | ADDS or "cost-resume" in path:
        return
    before, tells = await town.rows(), False
    for target in targets(path):
        for query, body in CALLS[call]:
            asked = [filled(target, ids) + (f"?{filled(query, ids, queried=True)}" if query else "")
                     for ids in (town.ids, NOWHERE)]  # fmt: skip
            own = await town.call(town.bakery_key, dialect, method, asked[0], filled(body, town.ids))
            hers = await town.call(town.mallory_key, dialect, method, asked[0], filled(body, town.ids))
            tells |= (own.status, own.text) != (hers.status, hers.text)
    assert tells or await town.rows() != before


async def test_an_idempotency_key_is_of_one_account(town: Town) -> None:
    before = await town.rows()
    body = json.dumps({"phoneNumbers": PHONE, "message": "Secret", "tag": "Bread"})
    answer = await town.call(town.mallory_key, "smspartner", "POST", "/send", body, town.ids["once"])
    assert answer.json()["success"] is True
    assert str(answer.json()["message_id"]) != town.ids["message"]
    assert await town.rows() == before
    again = await town.call(town.bakery_key, "smspartner", "POST", "/send", body, town.ids["once"])
    assert str(again.json()["message_id"]) == town.ids["message"]


async def test_the_stop_of_one_account_binds_no_other(town: Town) -> None:
    body = json.dumps({"phoneNumbers": STOPPED, "message": "Bonjour"})
    hers = await town.call(town.mallory_key, "smspartner", "POST", "/send", body)
    own = await town.call(town.bakery_key, "smspartner", "POST", "/send", body)
    assert (hers.json()["success"], own.json()["success"]) == (True, False)


@pytest.mark.parametrize("key", ["", "0" * 32, "x", "é", "\x7f", "'; drop table account; --", "k" * 5_000])
async def test_a_wrong_key_is_only_wrong(town: Town, key: str) -> None:
    for call in CALLS:
        dialect, method, path = call
        for target in targets(path):
            asked = filled(target, town.ids)
            if dialect == "smspartner" and method != "POST":
                answer = await Client(town.app)(method, f"/smspartner/v1{asked}?apiKey={key.encode().hex()}")
            else:
                answer = await town.call(key, dialect, method, asked, "{}")
            assert answer.status in (400, 401), call
            assert "Secret" not in answer.text


async def test_a_key_of_yesterday_is_wrong_at_once(town: Town) -> None:
    accounts = Accounts(town.db, Keyring("test"), Settings())
    assert (
        await town.call(
            town.bakery_key, "smspartner", "POST", "/send", '{"phoneNumbers": "0639980001", "message": "a"}'
        )
    ).status == 200
    await accounts.new_key(town.bakery.id)
    before = await town.rows()
    for dialect, body in (
        ("smspartner", SEND),
        ("primotexto", CALLS["primotexto", "POST", "/marketing/messages/send"][0][1]),
    ):
        path = "/send" if dialect == "smspartner" else "/marketing/messages/send"
        answer = await town.call(town.bakery_key, dialect, "POST", path, filled(body, town.ids))
        assert answer.status in (400, 401)
    assert await town.rows() == before
