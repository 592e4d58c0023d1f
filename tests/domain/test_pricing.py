"""Prices and refunds: whole thousandths of a euro, and never more back than was taken."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.domain import pricing

micro = st.integers(0, 10**15)
unit = st.integers(0, 2_000_000)
parts = st.integers(1, 10)


@pytest.mark.parametrize(
    ("given_", "rounded"),
    [(0, 0), (499, 0), (500, 1_000), (999, 1_000), (1_499, 1_000), (1_500, 2_000), (38_000, 38_000)],
)
def test_half_a_thousandth_goes_up(given_: int, rounded: int) -> None:
    assert pricing.rounded(given_) == rounded


@pytest.mark.parametrize(
    ("price", "count", "quoted"),
    [
        (38_000, 1, 38_000),
        (38_000, 3, 114_000),
        (23_000, 1, 23_000),
        (38_400, 1, 38_000),
        (38_500, 1, 39_000),
        (12_345, 4, 49_000),
        (0, 5, 0),
    ],
)
def test_a_quote_is_rounded_once_for_all_parts(price: int, count: int, quoted: int) -> None:
    assert pricing.quote(price, count) == quoted


@given(unit, parts, st.data())
def test_a_refund_never_exceeds_the_price(price: int, count: int, data: st.DataObject) -> None:
    taken = pricing.quote(price, count)
    back = pricing.refund_of(taken, count, data.draw(st.integers(0, count)))
    assert 0 <= back <= taken and back % pricing.MILLI == 0


@given(unit, parts)
def test_all_goes_back_when_nothing_was_begun_and_nothing_when_all_was(price: int, count: int) -> None:
    taken = pricing.quote(price, count)
    assert pricing.refund_of(taken, count, count) == taken
    assert pricing.refund_of(taken, count, 0) == 0


@given(unit, parts, st.lists(st.integers(0, 10), max_size=10))
def test_parts_given_back_one_after_the_other_sum_to_the_same(price: int, count: int, steps: list[int]) -> None:
    taken = pricing.quote(price, count)
    seen = sorted({min(step, count) for step in steps} | {0, count})
    pieces = [
        pricing.refund_of(taken, count, high) - pricing.refund_of(taken, count, low) for low, high in pairwise(seen)
    ]
    assert sum(pieces) == taken and all(piece >= 0 for piece in pieces)


@given(micro)
def test_what_is_shown_reads_back_as_what_is_taken(amount: int) -> None:
    assert pricing.parse(pricing.text(amount)) == pricing.rounded(amount)
    assert abs(Decimal(pricing.text(amount)) * pricing.MICRO - amount) <= 500


@pytest.mark.parametrize(
    ("amount", "number", "text"),
    [(38_000, 0.038, "0.038"), (50_000, 0.05, "0.050"), (1_523_470_000, 1523.47, "1523.470"), (0, 0.0, "0.000")],
)
def test_how_amounts_are_shown(amount: int, number: float, text: str) -> None:
    assert (pricing.number(amount), pricing.text(amount)) == (number, text)


@pytest.mark.parametrize(
    ("euros", "amount"), [("10", 10_000_000), ("0.038", 38_000), ("-2.5", -2_500_000), ("1e2", 100_000_000)]
)
def test_amounts_as_people_write_them(euros: str, amount: int) -> None:
    assert pricing.parse(euros) == amount


def test_services_keep_their_stored_numbers() -> None:
    assert {service.name: service.value for service in pricing.Service} == {
        "PREMIUM": 1, "ECO": 2, "HLR": 3, "RCS": 4, "RENTAL": 5,
    }  # fmt: skip
