"""The import over HTTP: 201 and where to look, what is refused before it, and what becomes of the rows."""

from __future__ import annotations

import re
import time

import pytest
from surfaces.primotexto.conftest import PHONE
from surfaces.primotexto.test_lists import NOBODY, a_column, a_contact, a_list, code, contacts

from passerelle.domain.lists import MOST_ROWS
from passerelle.pipeline import list_import
from passerelle.store import operations
from passerelle.surfaces.primotexto import list_wire
from passerelle.surfaces.primotexto.lists import LARGEST_IMPORT
from passerelle.surfaces.values import Malformed

PATH = re.compile("/operations/([0-9a-f]{24})")


async def begun(client, list_id, rows):
    answer = await client.call("POST", f"/v2/lists/{list_id}/import", rows)
    assert (answer.status, answer.body) == (201, b""), answer.body
    assert "content-type" not in answer.headers
    path = answer.headers["location"]
    assert PATH.fullmatch(path)
    return path


async def worked(client, path):
    await list_import.take_up(client.db, client.clock)
    return await operation(client, path)


async def operation(client, path):
    answer = await client.get("/v2" + path)
    assert answer.status == 200 and answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert (await client.get(path)).json == answer.json
    assert (await client.get(f"/v2/{path}/?")).json == answer.json
    return answer.json


async def test_the_example_of_the_contract(client):
    one = await a_list(client)
    path = await begun(client, one, [["tel", "prenom"], ["+33600000000", "Ana"], ["0600000001", "Bo"]])
    waiting = {
        "id": path.removeprefix("/operations/"), "state": "RUNNING", "total": 2, "imported": 0, "duplicates": 0,
        "invalid": 0,
    }  # fmt: skip
    assert await operation(client, path) == waiting
    assert await worked(client, path) == waiting | {"state": "FINISHED", "imported": 2}
    [column] = (await client.get(f"/v2/lists/{one}/fields")).json
    assert (column["name"], column["type"]) == ("prenom", "STRING")
    found = await contacts(client, one)
    assert [(each["identifier"], each["attributes"]) for each in found] == [
        ("+33600000000", {column["id"]: "Ana"}), ("+33600000001", {column["id"]: "Bo"}),
    ]  # fmt: skip


async def test_objects_are_rows_too(client):
    one = await a_list(client)
    await a_contact(client, one)
    rows = [{"Mobile": PHONE}, {"Nom": "Ana", "MOBILE": 33639980002, "âge": 5}, {"tel": "x", "nom ": True}, {}]
    told = await worked(client, await begun(client, one, rows))
    assert list(told) == ["id", "state", "total", "imported", "duplicates", "invalid"]
    assert list(told.values())[1:] == ["FINISHED", 4, 1, 1, 2]
    columns = {column["name"]: column["id"] for column in (await client.get(f"/v2/lists/{one}/fields")).json}
    assert list(columns) == ["Nom", "âge", "tel"]
    assert (await contacts(client, one))[1]["attributes"] == {columns["Nom"]: "Ana", columns["âge"]: "5"}


async def test_values_that_a_column_refuses(client):
    one = await a_list(client)
    await a_column(client, one, "Né", "DATE", format="dd/MM")
    await a_column(client, one, "Âge", "NUMBER")
    rows = [["né", "numero", "ÂGE", None, ""], ["31/12", 33639980001, 5], ["1/2", "0639980002"], ["", "0639980003", "x"],
            [None, "0639980004", None], ["", "0639980005", ["x"]], [{}, "0639980006"], ["", ["0639980007"]], [],
            ["\u0000", "06399\u000080008", "1,5"], ["\ud800", "0639980009"]]  # fmt: skip
    told = await worked(client, await begun(client, one, rows[:-1]))
    assert (told["imported"], told["duplicates"], told["invalid"]) == (3, 0, 6)
    assert [column["name"] for column in (await client.get(f"/v2/lists/{one}/fields")).json] == ["Né", "Âge"]


async def test_a_list_that_is_deleted_ends_the_import(client):
    one = await a_list(client)
    path = await begun(client, one, [["tel"], [PHONE]])
    await client.call("DELETE", f"/v2/lists/{one}")
    told = await worked(client, path)
    assert (told["state"], told["reason"]) == ("FAILED", "the list was deleted")
    assert list(told)[-1] == "reason"


async def test_operations_that_are_not_there(client):
    one = await a_list(client)
    for path in (NOBODY, "x", one, "0" * 23, NOBODY.upper()):
        for root in ("/v2/operations", "/operations"):
            assert await code(client, "GET", f"{root}/{path}") == (404, 16)
    assert await code(client, "GET", "/v2/operations") == (404, 1000)
    assert await code(client, "POST", f"/v2/operations/{NOBODY}", {}) == (405, 1000)


NO_ROWS = [b"", b"{", b"[", b"[[]", b'[["tel"],]', b'[["tel"]] x', b'[["tel"], 5]', b'[["tel"], {"tel": "x"}]',
           b'[{"tel": "x"}, ["x"]]', b"null", b'"x"', b"5", b"{}", b'{"tel": []}', b'[["\xff"]]', b'[["tel"], ["\xff"]]',
           b"[5]", b'["tel"]', b'[[["tel"]]]', b'[["tel", {}]]', b'[["tel"], [01]]', b"[" * 100_000,
           b'[["tel", "' + b"x" * 51 + b'"]]', b'[{"tel": "x"}, {"' + b"x" * 51 + b'": 1}]']  # fmt: skip
NO_HEADINGS = [b"[]", b"[[]]", b"[{}]", b'[["nom"], ["0639980001"]]', b'[{"nom": "tel"}]', b"[[null, true, 1.5]]"]


async def test_no_rows_are_73_before_anything_else(client):
    for body in NO_ROWS:
        assert await code(client, "POST", f"/v2/lists/{NOBODY}/import", body) == (400, 73), body[:40]


async def test_the_order_of_what_is_refused(client):
    one = await a_list(client)
    target = f"/v2/lists/{one}/import"
    large = b'[["tel"]]' + b" " * LARGEST_IMPORT
    assert await code(client, "POST", target, large) == (413, 18)
    assert await code(client, "POST", f"/v2/lists/{NOBODY}/import", [["nom"]]) == (404, 60)
    for body in NO_HEADINGS:
        assert await code(client, "POST", target, body) == (400, 75), body
    wide, names = [["tel", *[f"c{n}" for n in range(51)]]], [f"c{n}" for n in range(51)]
    assert await code(client, "POST", target, wide) == (400, 17)
    assert await code(client, "POST", target, wide + [[]] * (MOST_ROWS + 1)) == (400, 17)
    assert await code(client, "POST", target, [{name: 1, "tel": "x"} for name in names]) == (400, 17)
    assert await code(client, "POST", target, [{f"n{n}": 1} for n in range(5_000)]) == (400, 75)
    assert await code(client, "POST", target, [["nom"]] + [[]] * (MOST_ROWS + 1)) == (400, 75)
    assert await code(client, "POST", target, [["tel", "nom"]] + [[]] * (MOST_ROWS + 1)) == (429, 74)
    assert (await client.get(f"/v2/lists/{one}")).json["fields"] == []
    assert not await client.db.fetch("select from list_import")
    await begun(client, one, [["tel", *names[:50]]])
    assert await code(client, "POST", target, [["tel", "more"]]) == (400, 17)
    await begun(client, one, [["tel", " C7 ", "", None, "c7"], [PHONE]])


async def test_many_bodies_of_nothing_are_refused_before_they_are_read(client):
    one = await a_list(client)
    body = b"[" + b"[]," * 1_200_000 + b"[]]"
    began = time.perf_counter()
    assert await code(client, "POST", f"/v2/lists/{one}/import", body) == (400, 73)
    assert time.perf_counter() - began < 5


async def test_a_hundred_thousand_rows(client):
    one = await a_list(client)
    rows = [["tel", "prenom", "ville"], *([f"+336{n:08}", f"Name {n}", "Lyon"] for n in range(MOST_ROWS))]
    began = time.perf_counter()
    path = await begun(client, one, rows)
    told = await worked(client, path)
    assert (told["state"], told["imported"]) == ("FINISHED", MOST_ROWS)
    assert time.perf_counter() - began < 60
    leased = await client.db.fetchval("select content from list_import")
    assert leased is None and await operations.lease(client.db, list_import.LEASE) is None


@pytest.mark.parametrize("body", [b'[["tel"], ["\\ud800"]]', b'\xef\xbb\xbf[["tel"], ["x"]]', b'[["tel"],["\\u0000"]]'])
def test_what_is_read_with_patience(body):
    assert list_wire.parse_import(body).total == 1


def test_bodies_cut_anywhere_are_malformed():
    body = b'[{"tel": "0639980001", "nom": "\\u00e9"}, {"tel": 5}]'
    assert list_wire.parse_import(body).headings == ["tel", "nom"]
    for end in range(len(body)):
        with pytest.raises(Malformed):
            list_wire.parse_import(body[:end])
