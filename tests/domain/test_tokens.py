"""The two spellings of a 96-bit id."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.domain.tokens import hex24, read20, read_hex24, text20

TOKENS = st.binary(min_size=12, max_size=12)


@settings(max_examples=200)
@given(TOKENS)
def test_what_is_written_is_read_again(token):
    assert re.fullmatch("[A-Za-z][A-Za-z0-9]{19}", text20(token))
    assert read20(text20(token)) == token
    assert read_hex24(hex24(token)) == token


@settings(max_examples=100)
@given(st.text(alphabet="abcXYZ0123456789é!", max_size=22))
def test_whatever_is_read_is_written_alike(text):
    token = read20(text)
    assert token is None or text20(token) == text


@pytest.mark.parametrize("token", [bytes(12), b"\xff" * 12])
def test_the_ends_of_the_range(token):
    assert read20(text20(token)) == token


@pytest.mark.parametrize("text", ["", "1" * 20, "a" * 19, "a" * 21, "z9" * 10, "aaaaaaaaaaaaaaaaaaa\n"])
def test_what_spells_no_token(text):
    assert read20(text) is None


@pytest.mark.parametrize("text", ["", "0" * 23, "g" * 24, " " * 24])
def test_what_is_no_hexadecimal_spelling(text):
    assert read_hex24(text) is None


def test_neighbours_look_unrelated():
    one, other = (text20(n.to_bytes(12, "big")) for n in (10**20, 10**20 + 1))
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 8
