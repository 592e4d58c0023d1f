"""Which carriers may take a message, and in which lane it waits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from passerelle.domain.message import Dialect, Lane, Recipient, Submission, TrafficClass
from passerelle.domain.routing import Route, lane_of, rank
from passerelle.domain.text import Encoding

PREMIUM, ECO = 1, 2
MAIN = Route(1, frozenset({PREMIUM, ECO}))
CHEAP = Route(2, frozenset({ECO}), frozenset({"FR"}))
ABROAD = Route(3, frozenset({PREMIUM}), frozenset({"BE", "CH"}))


@pytest.mark.parametrize(
    ("service", "country", "routes", "ranked"),
    [
        (PREMIUM, "FR", [MAIN, CHEAP, ABROAD], [1]),
        (PREMIUM, "BE", [ABROAD, MAIN], [3, 1]),
        (PREMIUM, "BE", [MAIN, ABROAD], [1, 3]),
        (ECO, "FR", [CHEAP, MAIN], [2, 1]),
        (ECO, "BE", [CHEAP], []),
        (PREMIUM, "FR", [], []),
    ],
)
def test_carriers_in_the_order_of_the_settings(
    service: int, country: str, routes: list[Route], ranked: list[int]
) -> None:
    assert rank(service, country, routes) == ranked


@pytest.mark.parametrize(
    ("traffic", "recipients", "lane"),
    [
        (TrafficClass.TRANSACTIONAL, 1, Lane.CODES),
        (TrafficClass.TRANSACTIONAL, 2, Lane.TRANSACTIONAL),
        (TrafficClass.TRANSACTIONAL, 2_000, Lane.TRANSACTIONAL),
        (TrafficClass.TRANSACTIONAL, 2_001, Lane.BULK),
        (TrafficClass.MARKETING, 1, Lane.BULK),
        (TrafficClass.MARKETING, 500, Lane.BULK),
    ],
)
def test_codes_go_first_and_marketing_last(traffic: TrafficClass, recipients: int, lane: Lane) -> None:
    now = datetime(2026, 11, 10, tzinfo=UTC)
    to = [Recipient(33639980000 + n, "FR", None, Encoding.GSM, 1, 38_000) for n in range(recipients)]
    assert lane_of(Submission(1000, 1, Dialect.SMSPARTNER, traffic, PREMIUM, to, "x", "", now, now)) is lane
