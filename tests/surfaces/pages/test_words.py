"""The languages of the public pages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.surfaces.pages import words


def test_every_language_has_the_same_words():
    assert set(words.FRENCH) == set(words.ENGLISH)
    for name, text in words.FRENCH.items():
        assert text.count("{") == words.ENGLISH[name].count("{"), name


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "fr"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("en-GB,en;q=0.9", "en"),
        ("de-DE,de;q=0.9,en;q=0.5,fr;q=0.4", "en"),
        ("de", "fr"),
        ("fr;q=0.1, EN;q=0.2", "en"),
        ("en;q=0", "fr"),
        ("en;q=x", "fr"),
        ("*", "fr"),
    ],
)
def test_the_language_of_a_visitor(accepted, language):
    assert words.language(accepted) == language


@given(st.text(max_size=40))
def test_no_header_breaks_it(accepted):
    assert words.language(accepted) in words.WORDS


def test_dates_are_those_of_paris():
    at = datetime(2026, 11, 10, 23, 30, tzinfo=UTC)
    assert (words.date(at, "fr"), words.date(at, "en")) == ("11/11/2026 à 00:30", "11 November 2026, 00:30")


def test_french_punctuation_stays_on_its_line():
    assert words.typeset("« Oui » ? Non: a ; b") == "«\u00a0Oui\u00a0»\u00a0? Non: a\u00a0; b"
