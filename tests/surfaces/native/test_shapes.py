"""Ids and cursors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.surfaces.native import shapes
from passerelle.surfaces.native.problems import Problem


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7),
        ("", -1),
        ("-7", -1),
        ("x", -1),
        ("٧", -1),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", -1),
    ],
)
def test_an_id_is_a_number_of_ours_or_nothing(text: str, number: int) -> None:
    assert shapes.number(text) == number


@given(st.integers(0, 2**63 - 1), st.text(max_size=50))
def test_a_cursor_gives_back_what_it_was_made_of(number: int, text: str) -> None:
    assert shapes.decode_cursor(shapes.encode_cursor(number, text), int, str) == (number, text)


@given(st.text(max_size=50))
def test_other_texts_are_refused(text: str) -> None:
    try:
        found: Any = shapes.decode_cursor(text, int)
    except Problem as problem:
        assert problem.slug == "invalid"
    else:
        assert found is None or 0 <= found[0] < 2**63


def test_a_link_keeps_the_filters_and_changes_the_place() -> None:
    class Caller:
        path = "/api/v1/messages?state=delivered&cursor=old&limit=2"

    told = shapes.link(Caller(), 7)  # type: ignore[arg-type]
    assert told == f"/api/v1/messages?state=delivered&limit=2&cursor={shapes.encode_cursor(7)}"
