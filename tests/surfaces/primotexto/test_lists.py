"""Lists, columns and contacts: every answer to the letter, every code in its order, junk at every call."""

from __future__ import annotations

import re

from surfaces.primotexto.conftest import PHONE, Client

from passerelle.pipeline import list_import
from passerelle.store import lists as store
from passerelle.store import optouts

NOBODY = "0123456789abcdef01234567"
ID = re.compile("[0-9a-f]{24}")


async def a_list(client: Client, name: str = "Clients") -> str:
    answer = await client.call("POST", "/v2/lists", {"name": name})
    assert answer.status == 200 and list(answer.json) == ["id"] and ID.fullmatch(answer.json["id"])
    return str(answer.json["id"])


async def a_column(client: Client, list_id: str, name: str, kind: str = "STRING", **more: str) -> str:
    answer = await client.call("POST", f"/v2/lists/{list_id}/fields", {"name": name, "type": kind, **more})
    assert answer.status == 200, answer.body
    return str(answer.json["id"])


async def a_contact(client: Client, list_id: str, identifier: object = PHONE, **attributes: object) -> str:
    body = {"identifier": identifier, "attributes": attributes}
    answer = await client.call("POST", f"/v2/lists/{list_id}/contacts", body)
    assert answer.status == 200, answer.body
    assert list(answer.json) == ["id"] and ID.fullmatch(answer.json["id"])
    return str(answer.json["id"])


async def contacts(client: Client, list_id: str) -> list[dict]:
    answer = await client.get(f"/v2/lists/{list_id}/contacts")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json;charset=UTF-8"
    return answer.json


async def code(client: Client, method: str, target: str, body: object = b"") -> tuple[int, int]:
    answer = await client.call(method, target, body)
    return answer.status, answer.code


# --- lists ---------------------------------------------------------------------------------------------------------


async def test_a_list_from_its_making_to_its_end(client):
    assert (await client.get("/v2/lists")).json == []
    one, same = await a_list(client), await a_list(client)
    assert one != same
    empty = {"id": one, "name": "Clients", "fields": []}
    assert (await client.get(f"/v2/lists/{one}")).json == empty
    assert (await client.get("/v2/lists/")).json == [empty, empty | {"id": same}]
    column = await a_column(client, one, "Naissance", "date", format="dd/MM")
    told = {"id": column, "name": "Naissance", "type": "DATE", "listId": one, "format": "dd/MM"}
    answer = await client.get(f"/v2//lists/{one}?")
    assert answer.json == empty | {"fields": [told]} and list(answer.json) == ["id", "name", "fields"]
    assert (await client.get("/v2/lists")).json == [empty | {"fields": [told]}, empty | {"id": same}]
    await a_contact(client, one)
    gone = await client.call("DELETE", f"/v2/lists/{one}")
    assert (gone.status, gone.body, "content-type" in gone.headers) == (204, b"", False)
    assert await code(client, "DELETE", f"/v2/lists/{one}") == (404, 60)
    assert [found["id"] for found in (await client.get("/v2/lists")).json] == [same]
    for table in ("list_column", "list_contact"):
        assert not await client.db.fetch(f"select from {table}")


async def test_emptying_takes_the_contacts_and_leaves_the_columns(client):
    one, other = await a_list(client), await a_list(client)
    await a_column(client, one, "Prénom")
    await a_contact(client, one)
    await a_contact(client, other)
    for body in (b"SEND", b'"SEND"', b"", b'""', b"{", b"\xff"):
        gone = await client.call("POST", f"/v2/lists/{one}/empty", body)
        assert (gone.status, gone.body, "content-type" in gone.headers) == (204, b"", False)
    assert await contacts(client, one) == [] and len(await contacts(client, other)) == 1
    assert len((await client.get(f"/v2/lists/{one}/fields")).json) == 1
    await a_contact(client, one)


NO_NAMES = [{}, {"name": ""}, {"name": None}, {"name": " "}, {"name": "x" * 101}, {"name": 5}, [], "x", None, b"{"]


async def test_a_list_has_a_name(client):
    for body in NO_NAMES:
        assert await code(client, "POST", "/v2/lists", body) == (400, 73)
    assert (await client.get("/v2/lists")).json == []


async def test_names_at_their_limits(client):
    one = await a_list(client, "é" * 100)
    assert (await client.call("POST", f"/v2/lists/{one}/fields", {"name": "x" * 50, "type": "string"})).status == 200
    assert await code(client, "POST", f"/v2/lists/{one}/fields", {"name": "x" * 51, "type": "STRING"}) == (400, 73)


CALLS = [
    ("GET", ""), ("DELETE", ""), ("POST", "/empty"), ("POST", "/fields"), ("GET", "/fields"),
    ("DELETE", f"/fields/{NOBODY}"), ("POST", "/contacts"), ("POST", ""), ("GET", "/contacts"),
    ("DELETE", f"/contacts/{NOBODY}"), ("DELETE", "/contacts?identifier=0639980001"),
]  # fmt: skip


async def test_a_list_that_is_not_there_is_60_on_every_call(client):
    for list_id in (NOBODY, "x", "0" * 23, NOBODY.upper(), "é" * 24, "%00", "٣" * 24):
        for method, path in CALLS:
            answer = await client.call(method, f"/v2/lists/{list_id}{path}", {} if method == "POST" else b"")
            assert answer.status == 404, (method, path, list_id)
            assert answer.json == {"code": 60, "error": "list not found", "message": "list not found"}


async def test_no_json_is_73_before_anything_else(client):
    for path in ("/contacts", "", "/fields"):
        for body in (b"", b"{", b"[]", b'"x"', b"null", b"\xff", b"12", b'{"name": "\xff"}'):
            assert await code(client, "POST", f"/v2/lists/{NOBODY}{path}", body) == (400, 73)


async def test_unknown_methods_and_paths(client):
    one = await a_list(client)
    answer = await client.call("PUT", f"/v2/lists/{one}")
    assert (answer.status, answer.code, answer.headers["allow"]) == (405, 1000, "DELETE, GET, HEAD, POST")
    assert (await client.call("POST", f"/v2/lists/{one}/fields/{NOBODY}", {})).status == 405
    assert await code(client, "GET", f"/v2/lists/{one}/nothing") == (404, 1000)


# --- columns -------------------------------------------------------------------------------------------------------


async def test_columns_of_all_types(client):
    one = await a_list(client)
    wanted = [("Nom", "STRING", None), ("Nom", "string", "dd/MM"), ("Âge", "Number", "x"), ("Né", "DATE", "MM/yyyy")]
    made = []
    for name, kind, form in wanted:
        answer = await client.call(
            "POST", f"/v2/lists/{one}/fields/", {"name": name, "type": kind, "format": form, "x": 1}
        )
        assert answer.status == 200
        made.append(answer.json)
    assert [list(column) for column in made[2:]] == [
        ["id", "name", "type", "listId"], ["id", "name", "type", "listId", "format"],
    ]  # fmt: skip
    assert [column["type"] for column in made] == ["STRING", "STRING", "NUMBER", "DATE"]
    assert len({column["id"] for column in made}) == 4
    assert (await client.get(f"/v2/lists/{one}/fields")).json == made
    gone = await client.call("DELETE", f"/v2/lists/{one}/fields/{made[0]['id']}")
    assert (gone.status, gone.body) == (204, b"")
    for column in (made[0]["id"], NOBODY, "x", "é" * 24):
        assert await code(client, "DELETE", f"/v2/lists/{one}/fields/{column}") == (404, 16)
    other = await a_list(client)
    assert await code(client, "DELETE", f"/v2/lists/{other}/fields/{made[1]['id']}") == (404, 16)
    assert (await client.get(f"/v2/lists/{one}/fields/")).json == made[1:]


WRONG_COLUMNS = [
    ({"type": "DATE", "format": "x"}, 73),
    ({"name": 1, "type": "STRING"}, 73),
    ({"name": "a"}, 73),
    ({"name": "a", "type": "TEXT"}, 73),
    ({"name": "a", "type": 1}, 73),
    ({"name": "a", "type": ["STRING"]}, 73),
    ({"name": "a", "type": "DATE"}, 61),
    ({"name": "a", "type": "date", "format": "yyyy"}, 61),
    ({"name": "a", "type": "date", "format": "DD/MM"}, 61),
    ({"name": "a", "type": "date", "format": {}}, 61),
    ({"name": "a", "type": "date", "format": 5}, 61),
]


async def test_what_is_wrong_with_a_column(client):
    one = await a_list(client)
    for body, expected in WRONG_COLUMNS:
        assert await code(client, "POST", f"/v2/lists/{one}/fields", body) == (400, expected), body
    assert (await client.get(f"/v2/lists/{one}/fields")).json == []


async def test_fifty_columns_and_no_more(client):
    one = await a_list(client)
    made = [await a_column(client, one, f"c{n}") for n in range(50)]
    more = {"name": "c51", "type": "STRING"}
    assert await code(client, "POST", f"/v2/lists/{one}/fields", more) == (400, 17)
    assert await code(client, "POST", f"/v2/lists/{one}/fields", more | {"type": "DATE"}) == (400, 61)
    await client.call("DELETE", f"/v2/lists/{one}/fields/{made[7]}")
    assert (await client.call("POST", f"/v2/lists/{one}/fields", more)).status == 200


async def test_the_values_of_a_column_go_with_it(client):
    one = await a_list(client)
    name, city = await a_column(client, one, "Nom"), await a_column(client, one, "Ville")
    await a_contact(client, one, Nom="Ana", Ville="Lyon")
    await client.call("DELETE", f"/v2/lists/{one}/fields/{name}")
    [found] = await contacts(client, one)
    assert found["attributes"] == {city: "Lyon"}
    await a_column(client, one, "Nom")
    assert await contacts(client, one) == [found]
    while await store.erase(client.db):
        pass
    assert await client.db.fetchval("select attributes from list_contact") == {city: "Lyon"}


# --- contacts ------------------------------------------------------------------------------------------------------


async def test_a_contact_with_values(client):
    one = await a_list(client)
    name, born = await a_column(client, one, "Prénom"), await a_column(client, one, "Né", "DATE", format="dd/MM/yyyy")
    age = await a_column(client, one, "Age", "NUMBER")
    given = {name: "Ana", " NÉ ": "29/02/2024", "age": -5.25, "unknown": [1], "other": "x"}
    made = await a_contact(client, one, "06 39 98 00 01", **given)
    assert await contacts(client, one) == [
        {"id": made, "identifier": PHONE, "attributes": {name: "Ana", born: "29/02/2024", age: "-5.25"}}
    ]
    bare = await a_contact(client, one, 33639980002, prénom=True, né="", age=None)
    body = {"identifier": "0639980003", "attributes": []}
    answer = await client.call("POST", f"/v2/lists/{one}", body)  # the alias
    found = await contacts(client, one)
    assert [list(each) for each in found] == [["id", "identifier", "attributes"]] * 3
    assert found[1:] == [
        {"id": bare, "identifier": "+33639980002", "attributes": {name: "true"}},
        {"id": answer.json["id"], "identifier": "+33639980003", "attributes": {}},
    ]


async def test_fixed_and_foreign_numbers_are_kept_opted_out_ones_too(client):
    one = await a_list(client)
    await optouts.add(client.db, client.account.id, optouts.List.STOP, int(PHONE[1:]), client.clock.now())
    for phone in (PHONE, "0145678910", "+32470123456"):
        await a_contact(client, one, phone)
    assert [each["identifier"] for each in await contacts(client, one)] == [PHONE, "+33145678910", "+32470123456"]


WRONG_CONTACTS = [
    ({}, 10),
    ({"identifier": None, "attributes": None}, 10),
    ({"identifier": ""}, 10),
    ({"identifier": " "}, 10),
    ({"identifier": "x", "attributes": {"Né": "x"}}, 11),
    ({"identifier": "06"}, 11),
    ({"identifier": []}, 11),
    ({"identifier": "0639980001,0639980002"}, 11),
    ({"identifier": "+33800000000"}, 11),
    ({"identifier": "06 39 98 00 09", "attributes": {"Né": "x"}}, 15),
    ({"identifier": PHONE, "attributes": {"né": "1/2/1990"}}, 61),
    ({"identifier": PHONE, "attributes": {"né": "31/02/1990", "age": "x"}}, 61),
    ({"identifier": PHONE, "attributes": {"age": "x", "né": "31/02/1990"}}, 73),
    ({"identifier": PHONE, "attributes": {"age": "1.5.2"}}, 73),
    ({"identifier": PHONE, "attributes": {"né": 5}}, 61),
    ({"identifier": PHONE, "attributes": {"age": [1]}}, 73),
    ({"identifier": PHONE, "attributes": {"né": {}}}, 73),
    ({"identifier": PHONE, "attributes": [1]}, 73),
    ({"identifier": "", "attributes": "x"}, 73),
    ({"identifier": PHONE, "attributes": 5}, 73),
]


async def test_what_is_wrong_with_a_contact(client):
    one = await a_list(client)
    await a_column(client, one, "Né", "DATE", format="dd/MM/yyyy")
    await a_column(client, one, "Age", "NUMBER")
    await a_contact(client, one, "+33639980009")
    for body, expected in WRONG_CONTACTS:
        for path in ("/contacts", ""):
            assert await code(client, "POST", f"/v2/lists/{one}{path}", body) == (400, expected), body
    assert len(await contacts(client, one)) == 1


async def test_a_contact_is_removed_by_its_id_or_its_number(client):
    one, other = await a_list(client), await a_list(client)
    first, second = await a_contact(client, one), await a_contact(client, one, "+33639980002")
    elsewhere = await a_contact(client, other)
    for target, expected in [
        (f"/{NOBODY}", (404, 16)), (f"/{elsewhere}", (404, 16)), ("/x", (404, 16)), ("", (400, 10)),
        ("?identifier=", (400, 10)), ("?identifier=x", (400, 11)), ("?identifier=0639980007", (404, 16)),
    ]:  # fmt: skip
        assert await code(client, "DELETE", f"/v2/lists/{one}/contacts{target}") == expected
    gone = await client.call("DELETE", f"/v2/lists/{one}/contacts/{first}?identifier=0639980002")
    assert (gone.status, gone.body) == (204, b"")
    assert [each["id"] for each in await contacts(client, one)] == [second]
    assert (await client.call("DELETE", f"/v2/lists/{one}/contacts?identifier=+33639980002")).status == 204
    assert await contacts(client, one) == [] and len(await contacts(client, other)) == 1


async def test_so_many_contacts_a_day_and_no_more(client):
    await client.rules(daily_contacts=2)
    one = await a_list(client)
    await a_contact(client, one)
    await a_contact(client, one, "+33639980002")
    target = f"/v2/lists/{one}/contacts"
    assert await code(client, "POST", target, {"identifier": PHONE}) == (400, 15)
    assert await code(client, "POST", target, {"identifier": "+33639980003"}) == (429, 74)
    assert len(await contacts(client, one)) == 2
    client.clock.move(24 * 3600)
    await a_contact(client, one, "+33639980003")


async def test_a_long_list_is_answered_whole_and_in_order(client):
    one = await a_list(client)
    found = await store.find(client.db, client.account.id, bytes.fromhex(one))
    rows = [(int(PHONE[1:]) + n, {}) for n in range(12_000)]
    async with client.db.transaction() as connection:
        await store.add_contacts(connection, client.account.id, found.id, rows, client.clock.now())
    told = await contacts(client, one)
    assert [int(each["identifier"][1:]) for each in told] == [phone for phone, _ in rows]


JUNK = [
    b"", b"{}", b"[]", b"null", b"0", b"1e400", b'"\\ud800"', b'{"name": "\\u0000"}', b'{"name": "\\ud800", "type": "DATE"}',
    b'{"name": {"a": 1}, "type": [], "format": {}}', b'{"identifier": 1e400}', b'{"identifier": true, "attributes": true}',
    b'{"identifier": "0639980001", "attributes": {"": "", "a": "\\u0000", "\\u0000": 1e400}}',
    b'{"identifier": 33639980001.0, "attributes": {"n": 123456789012345678901234567890123456789012345}}',
    b'{"identifier": "' + b"9" * 5_000 + b'"}', b"[" * 5_000, b'{"a":' * 5_000, b"\xff\xfe", b"name=x", b"<a/>",
    b'[["tel", "\\u0000"], ["0639980001", "\\ud800"]]', b'[{"tel": {"a": []}}, {"tel": 1e400}]', b'[["tel"], [1e400, 1]]',
    b'[["tel", "tel", "n"], [null, null, 99999999999999999999999999999999999999999999]]', b'{"name": "x", "name": 5}',
]  # fmt: skip
PIECES = ["", "/x", "/%00", "/..", "/%2e%2e", "/" + "9" * 300, "?identifier=%00", "?identifier=" + "9" * 5_000, "?identifier=%ff",
          "?identifier=+", "?identifier=%2B", "?identifier=%D9%A3", "?identifier", "?x=y&identifier=null"]  # fmt: skip


async def test_junk_is_answered_at_every_call(client):
    one = await a_list(client)
    await a_column(client, one, "n", "NUMBER")
    paths = ["/v2/lists", f"/v2/lists/{one}"] + [
        f"/v2/lists/{one}/{word}" for word in ("fields", "contacts", "import", "empty")
    ]
    for path in [*paths, "/v2/operations", "/operations"]:
        for body in JUNK:
            answer = await client.call("POST", path, body)
            assert answer.status in (200, 201, 204) or (answer.code and answer.status < 500), (path, body)
        for piece in PIECES:
            for method in ("GET", "DELETE"):
                if method == "GET" or (piece and (path != paths[1] or "?" not in piece)):  # the list is to stay
                    answer = await client.call(method, path + piece)
                    assert answer.status in (200, 204) or (answer.code and answer.status < 500), (method, path, piece)
    assert (await client.get(f"/v2/lists/{one}")).status == 200
    await list_import.take_up(client.db, client.clock)
    states = await client.db.fetch("select distinct state from list_import")
    assert [row[0] for row in states] == [1]
