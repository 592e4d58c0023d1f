"""The page Status by tag: its requests, its answers, its errors."""

from __future__ import annotations

import json

import pytest
from seeds.clients import every_client, get
from seeds.conftest import eventually
from seeds.shapes import same, tree

PATH = "/v1/bulk-status-by-tag"
ANSWER = """{"success": true, "code": 200, "currentPage": 1, "total": 2, "StatutResponse_List": [
 {"phoneNumber": "+33639980001", "status": "Delivered", "stopSMS": false, "date": "1794471330"},
 {"phoneNumber": "+33639980002", "status": "Delivered", "stopSMS": false, "date": "1794471330"}]}"""


@pytest.fixture(scope="module")
def shop(live):
    """An account whose two messages have arrived."""
    shop = live.account()
    shop.call("POST", "send", phoneNumbers="0639980001,+33639980002", message="Bonjour", tag="montag")

    def arrived():
        rows = shop.call("GET", "bulk-status-by-tag", tag="montag")["StatutResponse_List"]
        return all(row["status"] == "Delivered" for row in rows)

    eventually(arrived)
    return shop


@every_client
def test_json(shop, client):
    answer = get(client, shop.base_url, PATH, f"apiKey={shop.api_key}&tag=montag")
    assert same(answer, ANSWER)
    told = json.loads(answer)
    assert [row["phoneNumber"] for row in told["StatutResponse_List"]] == ["+33639980001", "+33639980002"]
    assert {row["status"] for row in told["StatutResponse_List"]} == {"Delivered"} and told["total"] == 2


@every_client
def test_xml(shop, client):
    answer = get(client, shop.base_url, PATH, f"apiKey={shop.api_key}&tag=montag&_format=xml")
    _, (success, code, page, total, (_, rows)) = tree(answer)
    assert [field[1] for field in (success, code, page, total)] == ["true", "200", "1", "2"]
    dates = [row[1][3][1] for row in rows]
    assert [[field[1] for field in row[1]][:3] for row in rows] == [
        ["+33639980001", "Delivered", "false"],
        ["+33639980002", "Delivered", "false"],
    ]
    assert all(date.isdigit() for date in dates) and answer.count("<![CDATA[") == 6


@every_client
@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("tag=montag", 1, "La clé API est requise"),
        ("apiKey={key}", 3, "Le tag est requis"),
        ("apiKey={key}&tag=jamais", 4, "Aucun message pour ce tag"),
        ("apiKey=xxx&tag=montag", 10, "Clé API incorrecte"),
    ],
)
def test_errors(shop, client, query, code, message):
    query = query.format(key=shop.api_key)
    told = json.loads(get(client, shop.base_url, PATH, query))
    assert told == {"success": False, "code": code, "message": message}
    _, fields = tree(get(client, shop.base_url, PATH, query + "&_format=xml"))
    assert [text for _, text in fields] == ["false", str(code), message]
