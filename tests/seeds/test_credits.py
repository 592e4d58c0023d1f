"""The page Credits: its requests, its answers."""

from __future__ import annotations

import json

from seeds.clients import every_client, get
from seeds.shapes import same, tree

ANSWER = """{"success": true, "code": 200,
 "user": {"username": "compte@example.org", "firstname": "Alix", "lastname": "Martin"},
 "credits": {"creditSms": 40091, "creditSmsECO": 66237, "creditHlr": 304694, "toSend": 0, "solde": "1523.470",
             "currency": "EUR", "balance": "1523.470"}}"""
WRONG_KEY = {"success": False, "code": 10, "message": "Clé API incorrecte"}


@every_client
def test_json(live, client):
    answer = get(client, live.base_url, "/v1/me", f"apiKey={live.api_key}")
    assert same(answer, ANSWER)
    assert json.loads(answer)["user"]["username"] == "demo@example.org"


@every_client
def test_xml(live, client):
    answer = get(client, live.base_url, "/v1/me", f"apiKey={live.api_key}&_format=xml")
    _, (success, code, user, credits) = tree(answer)
    assert (success, code) == (("entry", "true"), ("entry", "200"))
    assert [tag for tag, _ in user[1]] == ["username", "firstname", "lastname"]
    assert [tag for tag, _ in credits[1]] == ["entry"] * 7 and credits[1][5] == ("entry", "EUR")
    assert answer.count("<![CDATA[") == 3 and answer.startswith("<?xml version='1.0' encoding='UTF-8'?>")


@every_client
def test_a_wrong_key(live, client):
    assert json.loads(get(client, live.base_url, "/v1/me", "apiKey=YOUR_API_KEY")) == WRONG_KEY


def test_a_send_takes_exactly_its_cost(live):
    shop = live.account("10")
    shop.call("POST", "send", phoneNumbers="0639980001", message="Bonjour")
    credits = shop.call("GET", "me")["credits"]
    assert (credits["balance"], credits["creditSms"]) == ("9.962", 262)
