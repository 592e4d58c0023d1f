"""The page Sending statistics: its three intervals, and its five calls a minute."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import requests
from seeds.clients import COMMANDS, every_client, get
from seeds.shapes import same

PATH = "/v1/statistics/cost-resume"
ANSWER = """{"success": true, "datas": [
 {"month": "october", "year": "2026", "m": "10", "date": 1790805600, "type": "month", "cost": "15.200", "nb_send": "400"}]}"""


@pytest.fixture(scope="module")
def shops(live):
    """An account for each client, which may call five times a minute; each has sent three parts."""
    made = {client: live.account() for client in COMMANDS}
    for shop in made.values():
        assert shop.call("POST", "send", phoneNumbers="0639980001", message="x" * 320)["nb_sms"] == 3
    return made


def today() -> str:
    return datetime.now(ZoneInfo("Europe/Paris")).strftime("%d-%m-%Y")


@every_client
@pytest.mark.parametrize(
    ("interval", "rows"),
    [("last_month", range(28, 32)), ("last_twelve_months", [12]), ("custom&from={today}&to={today}", [1])],
)
def test_intervals(shops, client, interval, rows):
    shop = shops[client]
    query = f"apiKey={shop.api_key}&interval={interval.format(today=today())}"
    answer = get(client, shop.base_url, PATH, query)
    assert same(answer, ANSWER)
    told = json.loads(answer)["datas"]
    assert len(told) in rows and [row["date"] for row in told] == sorted(row["date"] for row in told)
    assert {row["type"] for row in told} == {"month" if "twelve" in interval else "day"}
    if interval != "last_month":
        assert (told[-1]["cost"], told[-1]["nb_send"]) == ("0.114", "3")


def test_five_calls_a_minute_then_429(live):
    shop = live.account()
    url = f"{shop.base_url}{PATH}?apiKey={shop.api_key}&interval=last_month"
    answers = [requests.get(url, timeout=10) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[5].json()["code"] == 429 and 1 <= int(answers[5].headers["Retry-After"]) <= 60
    assert [answer.headers["X-RateLimit-Limit"] for answer in answers] == ["5"] * 6
