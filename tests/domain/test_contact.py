"""What a contact may be."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.domain.contact import MEMBERS, Fault, read, read_date


def test_values_are_checked_and_put_in_form():
    given = {"phone": "06 39 98 00 01", "firstname": "Alix", "date": "03-02-1990", "url": "https://a.example/x"}
    found = read(given)
    assert not found.faults
    assert found.values == {
        "phone": 33639980001, "firstname": "Alix", "date": date(1990, 2, 3), "url": "https://a.example/x",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("member", "text", "fault"),
    [
        ("phone", "", Fault.NO_NUMBER),
        ("phone", "  ", Fault.NO_NUMBER),
        ("phone", "145", Fault.NUMBER_INVALID),
        ("firstname", "x" * 32, None),
        ("firstname", "x" * 33, Fault.TOO_LONG),
        ("lastname", "x" * 33, Fault.TOO_LONG),
        ("date", "", None),
        ("date", "1990-02-30", Fault.DATE_INVALID),
        ("date", "03/02/1990", Fault.DATE_INVALID),
        ("date", "1990-2-3", Fault.DATE_INVALID),
        ("url", "", None),
        ("url", "HTTPS://a.example", None),
        ("url", "ftp://a.example", Fault.URL_INVALID),
        ("url", "a.example", Fault.URL_INVALID),
        ("url", "http://", Fault.URL_INVALID),
        ("url", "http://a b", Fault.URL_INVALID),
        ("url", "http://" + "a" * 248, None),
        ("url", "http://" + "a" * 249, Fault.TOO_LONG),
        ("short_url", "x" * 256, Fault.TOO_LONG),
        ("short_url", "spn.example/a1", None),
        ("custom4", "x" * 255, None),
        ("custom4", "x" * 256, Fault.TOO_LONG),
    ],
)
def test_faults(member, text, fault):
    assert read({member: text}).faults == ([] if fault is None else [(member, fault)])


def test_an_empty_text_clears_and_what_is_not_given_stays_out():
    assert read({"date": "", "custom1": ""}).values == {"date": None, "custom1": ""}


def test_faults_come_in_the_order_of_the_table():
    found = read({"url": "x", "phone": "1", "date": "x", "lastname": "x" * 33})
    assert [member for member, _ in found.faults] == ["phone", "lastname", "date", "url"]
    assert [MEMBERS.index(member) for member, _ in found.faults] == [0, 2, 3, 4]


@settings(max_examples=100)
@given(st.dates(min_value=date(1000, 1, 1)))
def test_a_date_is_read_in_either_order(day):
    assert read_date(day.isoformat()) == read_date(f"{day:%d-%m-%Y}") == read_date(f"{day:%d/%m/%Y}", "-/") == day
