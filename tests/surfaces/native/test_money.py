"""Money to the micro-euro, and back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.surfaces.native.money import money


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (0, "0.000"),
        (38_000, "0.038"),
        (38_500, "0.0385"),
        (1, "0.000001"),
        (-38_000, "-0.038"),
        (12_345_678_900, "12345.6789"),
    ],
)
def test_as_many_decimals_as_it_takes(micro: int, text: str) -> None:
    assert money(micro) == text


@given(st.integers(-(10**15), 10**15))
def test_nothing_is_lost(micro: int) -> None:
    assert Decimal(money(micro)) * 1_000_000 == micro
