"""Primotexto's page Statistics by category: its requests, its answer."""

from __future__ import annotations

import json

import pytest
import requests
from seeds.clients import every_client, get
from seeds.conftest import eventually
from seeds.shapes import same

PATH = "/v2/messages/stats"
ANSWER = """{"sent": 925, "submitted": 925, "delivered": 872, "openers": 114, "clickers": 178, "clicks": 145, "opens": 241,
 "replies": 62, "unsubscribers": 3, "errors": 31, "bounced": 28, "complaint": 3, "timespent": 18}"""


@pytest.fixture(scope="module")
def shop(live):
    """An account whose one message of the category has arrived."""
    shop = live.account()
    key = {"X-Primotexto-ApiKey": shop.api_key}
    body = {"number": "+33639980001", "message": "Code 1234", "category": "codeConfirmation"}
    sent = requests.post(f"{shop.base_url}/v2/notification/messages/send", json=body, headers=key, timeout=10)
    assert sent.status_code == 200, sent.text

    def arrived():
        url = f"{shop.base_url}{PATH}?category=codeConfirmation"
        return requests.get(url, headers=key, timeout=10).json()["delivered"] == 1

    eventually(arrived)
    return shop


@every_client
def test_a_category(shop, client):
    key = f"X-Primotexto-ApiKey: {shop.api_key}"
    answer = get(client, shop.base_url, PATH, "category=codeConfirmation", [key])
    assert same(answer, ANSWER)
    told = json.loads(answer)
    assert (told["sent"], told["submitted"], told["delivered"], told["errors"]) == (1, 1, 1, 0)


@every_client
def test_a_category_that_was_never_used(shop, client):
    key = f"X-Primotexto-ApiKey: {shop.api_key}"
    answer = get(client, shop.base_url, PATH, "category=default", [key])
    assert same(answer, ANSWER) and set(json.loads(answer).values()) == {0}


@every_client
def test_a_wrong_key(live, client):
    told = json.loads(get(client, live.base_url, PATH, "category=default", ["X-Primotexto-ApiKey: YOUR_API_KEY"]))
    assert told["code"] == 72
