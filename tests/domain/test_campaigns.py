"""Campaigns: where they are, and the text of each."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.domain.campaigns import (
    Phase,
    Stage,
    Standing,
    column_keys,
    copy,
    has_links,
    month_began,
    phase,
    postcode_key,
    region_of,
    unknown_fields,
    writable,
)
from passerelle.domain.lists import Column, Kind
from passerelle.domain.tracking import Target

COLUMNS = [
    Column(bytes([n]) * 12, name, Kind.STRING) for n, name in enumerate(["Prénom", "Code Postal", "prénom "], start=1)
]


@pytest.mark.parametrize(
    ("standing", "where"),
    [
        (Standing(Stage.DRAFT), Phase.DRAFT),
        (Standing(Stage.LAUNCHED), Phase.SCHEDULED),
        (Standing(Stage.LAUNCHED, begun=True), Phase.SENDING),
        (Standing(Stage.LAUNCHED, begun=True, paused=True), Phase.PAUSED),
        (Standing(Stage.LAUNCHED, paused=True), Phase.PAUSED),
        (Standing(Stage.LAUNCHED, begun=True, ended=True), Phase.SENT),
        (Standing(Stage.LAUNCHED, paused=True, ended=True), Phase.SENT),  # nothing is left to be held
        (Standing(Stage.CANCELLED, begun=True), Phase.CANCELLED),
        (Standing(Stage.STOPPED, begun=True), Phase.STOPPED),
    ],
)
def test_where_it_is(standing, where):
    assert phase(standing) is where


@pytest.mark.parametrize(
    ("value", "policy", "sent"),
    [
        ("Ana", "reject", "Ana"),
        ("Łukasz", "reject", "Lukasz"),
        ("Łukasz", "unicode", "Łukasz"),
        ("Łukasz", "replace", "Łukasz"),  # by the table of its dialect, later
        ("😀", "reject", ""),
        ("a\r\nb", "transliterate", "a\nb"),
    ],
)
def test_a_value_as_it_can_be_sent(value, policy, sent):
    assert writable(value, policy) == sent


def test_links_and_fields_have_their_places():
    page = Target("https://shop.example/page")
    ready = copy("{{prénom|vous}}: https://a.example/x, {{link}} https://a.example/x", page)
    assert ready.links == (Target("https://a.example/x"), page)
    assert ready.render({"prénom": "Ana"}, ["L0", "L1"]) == "Ana: L0, L1 L0"
    assert ready.render({"prénom": " "}, ["L0", "L1"]) == "vous: L0, L1 L0"
    assert not ready.is_shared and copy("Bonjour", None).is_shared


def test_names_of_columns_become_their_keys():
    ready = copy("{{ PRÉNOM }} {{âge|?}}", None)
    assert unknown_fields(ready, ["prénom", "code postal"]) == ["âge"]
    renamed = ready.renamed(column_keys(COLUMNS))
    assert renamed.render({COLUMNS[0].key: "Ana", COLUMNS[2].key: "Bo"}, []) == "Ana ?"  # of equal names the oldest


@pytest.mark.parametrize(
    ("values", "otherwise", "region"),
    [
        ({"k": "67000"}, "", "57"),
        ({"k": "97400"}, "", "RE"),
        ({"k": "75001"}, "57", ""),  # who says so himself is believed
        ({"k": " "}, "57", "57"),
        ({}, "57", "57"),
        ({}, "", ""),
    ],
)
def test_whose_holidays_count(values, otherwise, region):
    assert region_of(values, "k", otherwise) == region


def test_the_column_of_postcodes():
    assert postcode_key(COLUMNS) == COLUMNS[1].key
    assert postcode_key(COLUMNS[:1]) is None
    assert region_of({"k": "67000"}, None, "") == ""


def test_what_can_be_followed():
    assert has_links("voir http://a.example/", 0) and has_links("x", 1)
    assert not has_links("x {{link}}", 0)


def test_a_month_begins_in_paris():
    assert month_began(datetime(2026, 10, 31, 23, 30, tzinfo=UTC)) == datetime(2026, 10, 31, 23, 0, tzinfo=UTC)


@settings(max_examples=200)
@given(st.text(alphabet="ab {}|.\nhtps:/\ue000\ue001", max_size=60), st.text(max_size=9))
def test_no_value_is_a_link_or_a_field(written, value):
    """Whatever it holds: a text with it is the text around it, and it."""
    ready = copy(f"{written}<{{{{name}}}}>", None)
    around = ready.render({"name": "\x00"}, ["L"] * len(ready.links))
    assert ready.render({"name": f"x{value}x"}, ["L"] * len(ready.links)) == around.replace("\x00", f"x{value}x")
