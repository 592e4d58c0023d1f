"""Addresses of the web: what looks like one, whatever is given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.domain.urls import LONGEST, is_http


@pytest.mark.parametrize(
    "url",
    ["http://a.example", "https://a.example:8443/x?y=%20&z=é#f", "http://[::1]/", "https://" + "a" * (LONGEST - 8)],
)
def test_addresses(url: str) -> None:
    assert is_http(url)


@pytest.mark.parametrize(
    "url",
    [
        "", "a.example", "ftp://a.example", "javascript:alert(1)", "http://", "http:///x", "//a.example", "http://[",
        "http://a.example:0", "http://a.example:99999", "http://a.example:x", "http://a.example/a b",
        "http://a.example/\n", "http://a.example/\u200b", "https://" + "a" * (LONGEST - 7), None, 7, [], {},
    ],
)  # fmt: skip
def test_what_is_none(url: object) -> None:
    assert not is_http(url)


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert is_http(text) in (True, False)
    assert is_http("http://a.example/" + text) == (text.isprintable() and " " not in text and len(text) <= LONGEST - 17)
