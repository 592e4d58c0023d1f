"""How a campaign is read and shaped, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from passerelle.domain.campaigns import Page, Phase
from passerelle.domain.message import TrafficClass
from passerelle.pipeline.campaigns import Seen
from passerelle.store.campaigns import Campaign
from passerelle.store.statistics import Counters
from passerelle.surfaces import values
from passerelle.surfaces.primotexto import campaign_wire as wire

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
AT = round(NOW.timestamp() * 1000)
LIST = "533e9f59e4b05d2efeb6f1b4"


def read(**members):
    body = {"name": "n", "message": "m", "sendList": LIST} | members
    return wire.parse(body, TrafficClass.MARKETING, NOW)


def seen(phase=Phase.DRAFT, **more):
    known = dict.fromkeys(Campaign.__struct_fields__)
    known |= {"token": bytes(12), "name": "n", "kind": "STANDARD", "text": "m", "sender": "", "page": 0, "settled": 0}
    known |= {"url": "", "page_html": "", "page_title": "", "test_phone": "", "charged": 0}
    known |= {"flash": False, "clean_bounces": True, "clean_stops": True, "keep_list": True}
    return Seen(Campaign(**(known | more)), phase)


@pytest.mark.parametrize(
    ("header", "strict"),
    [
        ("", False), ("sarbacane-sdk-php/9.9.9", False), ("sarbacane-sdk-java/1.0.6", False), ("sarbacane-sdk-java 1.0", False),
        ("sarbacane-sdk-java/1.0.7", True), ("Sarbacane-SDK-Java/1.1", True), ("sarbacane-sdk-java/2.0.0-beta", True),
        ("sarbacane-sdk-java/SNAPSHOT", True),
    ],
)  # fmt: skip
def test_who_reads_no_more_than_it_knows(header, strict):
    assert wire.is_strict(header) is strict


@pytest.mark.parametrize("given", [LIST, {"id": LIST}, {"id": LIST, "name": "x"}])
def test_a_list_is_an_id_or_an_object(given):
    assert read(sendList=given).list_token == bytes.fromhex(LIST)


@pytest.mark.parametrize("given", [None, "", {}, {"id": 7}, [LIST], LIST.upper(), "x"])
def test_what_names_no_list(given):
    assert read(sendList=given).list_token is None


def test_null_and_empty_texts_are_absent():
    absent = dict.fromkeys(
        ("sourceAddress", "type", "date", "flash", "externalUrl", "landingPageType", "landingPage", "landingPageTitle",
         "testIdentifier", "cleanBounces", "cleanUnsubscribers", "keepList")
    )  # fmt: skip
    plain = read()
    assert read(**absent) == read(**dict.fromkeys(absent, "")) == plain
    assert not plain.faults and plain.draft.kind == "STANDARD" and plain.draft.keep_list


def test_what_a_page_is():
    assert read(externalUrl="https://a.example/").draft.page == Page.EXTERNAL
    assert read(landingPage="<p>").draft.page == Page.HOSTED
    assert read(landingPageTitle="Soldes").draft.page == Page.HOSTED
    both = read(externalUrl="https://a.example/", landingPage="<p>", landingPageType="HOSTED").draft
    assert (both.page, both.url) == (Page.HOSTED, "https://a.example/")
    for wrong in ({"landingPage": 7}, {"landingPage": "é" * 60_000}, {"externalUrl": "ftp://a.example/"}):
        with pytest.raises(values.Malformed):
            read(**wrong)


def test_a_date_may_be_digits():
    assert read(date=str(AT + 1000)).draft.due_at == NOW + timedelta(seconds=1)
    assert not read(date=AT - 299_000).faults and read(date=AT - 301_000).faults
    assert read(date=True).faults and read(date={}).faults


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({}, None),
        ({"asked_at": NOW}, AT),
        ({"launched_at": NOW, "due_at": NOW}, None),
        ({"launched_at": NOW, "due_at": NOW + timedelta(hours=9)}, AT + 9 * 3_600_000),  # held
        ({"asked_at": NOW, "launched_at": NOW, "due_at": NOW}, AT),
    ],
)
def test_the_time_that_is_shown(more, shown):
    assert wire.campaign(seen(**more), 38_000, False).get("date") == shown


@pytest.mark.parametrize(
    ("phase", "word", "total"),
    [
        (Phase.DRAFT, "DRAFT", None), (Phase.SCHEDULED, "PROGRAMMED", 2.0), (Phase.SENDING, "SENDING", 2.0),
        (Phase.PAUSED, "SENDING", 2.0), (Phase.SENT, "SENT", 2.0), (Phase.STOPPED, "SENT", 2.0),
        (Phase.CANCELLED, "CANCELLED", 0.0),
    ],
)  # fmt: skip
def test_states_and_credits(phase, word, total):
    told = wire.campaign(seen(phase, charged=114_000, settled=-38_000), 38_000, False)
    assert (told["state"], told.get("totalCredits")) == (word, total)


def test_figures_are_what_is_left_of_the_price_rounded_up():
    counted = Counters(
        sent=3, delivered=2, refunded=38_000, complaints=1, unsubscribers=2, opens=5, visits=2, seconds=13
    )
    told = msgspec.json.decode(wire.figures(seen(Phase.SENT, charged=133_001), counted, 38_000, linked=True))
    assert (told["creditsUsed"], told["undelivered"], told["complaint"], told["unsubscribers"]) == (3, 1, 1, 2)
    assert (told["opens"], told["timespent"]) == (5, 7)
    assert list(told) == sorted(told)
    few = msgspec.json.decode(wire.figures(seen(Phase.SENT), Counters(), 0, linked=False))
    assert len(few) == 11 and few["creditsUsed"] == 0
