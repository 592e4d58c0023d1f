"""Merge fields."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.domain.campaigns import plain_copy
from passerelle.domain.merge import FIELDS, template, values_of

ALIX = {"firstname": "Alix", "lastname": " Martin ", "custom1": "", "url": "https://a.example/?x={{phone}}"}


def render(text, values):
    return plain_copy(text).render(values, [])


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("Bonjour {{firstname}} !", "Bonjour Alix !"),
        ("{{FirstName}} {{ LASTNAME }}", "Alix Martin"),
        ("[{{custom1}}]", "[]"),
        ("{{custom1|cher client}}", "cher client"),
        ("{{ custom1 | cher client }}", "cher client"),
        ("{{firstname|cher client}}", "Alix"),
        ("{{custom4|}}", ""),
        ("{{nickname}} {{nickname|x}}", " x"),
        ("{{url}}", "https://a.example/?x={{phone}}"),
        ("{firstname} {{ }} {{|x}}", "{firstname} {{ }} {{|x}}"),
        ("{{{firstname}}}", "{Alix}"),
    ],
)
def test_a_text_for_one_contact(text, merged):
    assert render(text, ALIX) == merged


def test_the_fields_of_a_text():
    text = "{{Firstname}} {{firstname|a}} {{Date de naissance}} {{custom2}}"
    assert plain_copy(text).names == ["firstname", "date de naissance", "custom2"]


def test_what_a_contact_says():
    contact = {
        name: name[:1] for name in ("firstname", "lastname", "url", "short_url", "custom1", "custom2", "custom3")
    }
    values = values_of(contact | {"custom4": "", "phone": 33639980001, "date": date(1990, 2, 3)})
    assert set(values) == set(FIELDS)
    assert (values["phone"], values["date"], values["shorturl"]) == ("+33639980001", "03/02/1990", "s")
    assert values_of(contact | {"custom4": "", "phone": 1, "date": None})["date"] == ""


@settings(max_examples=150)
@given(st.text(alphabet="ab {}|é\n"))
def test_a_text_without_fields_stays_as_it_is(text):
    assert template(text).fields or render(text, {}) == text


VALUES = st.text(alphabet="ab{}|\ue000", max_size=12)


@settings(max_examples=150)
@given(VALUES, VALUES)
def test_values_are_put_in_as_they_are(first, last):
    """Whatever they hold, and whatever stands beside them."""
    assert render("<{{firstname}}.{{lastname}}>", {"firstname": first, "lastname": last}) == f"<{first}.{last}>"


@settings(max_examples=100)
@given(st.lists(st.sampled_from([*FIELDS, "x y"]), max_size=6), st.sampled_from(["", "|z"]))
def test_nothing_known_leaves_nothing_but_fallbacks(names, fallback):
    text = "".join(f"-{{{{{name}{fallback}}}}}" for name in names)
    assert render(text, {}) == f"-{fallback[1:]}" * len(names)


def test_a_field_that_never_ends_is_read_once():
    """Read anew from each blank this takes minutes."""
    text = "{{a" + " " * 100_000
    assert template(text).pieces == (text,)
    assert [one.name for one in template(text + "}}").fields] == ["a"]
