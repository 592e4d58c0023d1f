"""The page List of stops: its requests, its answers."""

from __future__ import annotations

import json
import re

import pytest
from seeds.clients import every_client, get
from seeds.shapes import same, tree

PATH = "/v1/stop-sms/list"
ANSWER = """{"success": true, "code": 200, "nbData": 1,
 "data": [{"id": 19, "phoneNumber": "+33639980003", "createdAt": "2026-11-12 09:15:30"}]}"""


@pytest.fixture(scope="module")
def shop(live):
    shop = live.account()
    for phone in ("0639980003", "+33639980004"):
        assert shop.call("POST", "stop-sms/add", phoneNumber=phone)["success"]
    return shop


@every_client
def test_json(shop, client):
    answer = get(client, shop.base_url, PATH, f"apiKey={shop.api_key}")
    assert same(answer, ANSWER)
    told = json.loads(answer)
    assert told["nbData"] == 2
    assert [entry["phoneNumber"] for entry in told["data"]] == ["+33639980003", "+33639980004"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", entry["createdAt"]) for entry in told["data"])


@every_client
def test_xml(shop, client):
    answer = get(client, shop.base_url, PATH, f"apiKey={shop.api_key}&_format=xml")
    _, (success, code, total, (_, rows)) = tree(answer)
    assert [field[1] for field in (success, code, total)] == ["true", "200", "2"]
    assert [[field[0] for field in row[1]] for row in rows] == [["entry"] * 3] * 2
    assert rows[0][1][0][1].isdigit() and rows[0][1][1][1] == "+33639980003" and answer.count("<![CDATA[") == 4


@every_client
@pytest.mark.parametrize(
    ("query", "code", "message"), [("", 1, "La clé API est requise"), ("apiKey=xxx", 10, "Clé API incorrecte")]
)
def test_errors(live, client, query, code, message):
    assert json.loads(get(client, live.base_url, PATH, query)) == {"success": False, "code": code, "message": message}
    document = get(client, live.base_url, PATH, f"{query}&_format=xml")
    assert f"<entry>{code}</entry><entry><![CDATA[{message}]]></entry>" in document
