"""How wishes for sub-accounts are read."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.domain.subaccounts import HUGE, amount, inherited, is_email


@pytest.mark.parametrize(
    ("written", "micro"),
    [
        ("1", 1_000_000), ("1.", 1_000_000), (".5", 500_000), ("+2.5", 2_500_000), (" 3 ", 3_000_000), ("007", 7_000_000),
        ("0.0005", 1_000), ("0.00049999999999999", 0), ("0.0015", 2_000), ("999999999999", 999_999_999_999_000_000),
        ("1" + "0" * 12, HUGE), ("9" * 10_000, HUGE), ("0" * 10_000, 0), ("0." + "9" * 10_000, 1_000_000),
        ("", 0), (".", 0), ("-1", 0), ("-0", 0), ("--1", 0), ("1e3", 0), ("1E3", 0), ("nan", 0), ("Infinity", 0), ("1,5", 0),
        ("1 000", 0), ("0x10", 0), ("١", 0), ("1_000", 0), ("½", 0), ("1.2.3", 0),
    ],
)  # fmt: skip
def test_amounts(written, micro):
    assert amount(written) == micro


@given(st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=6))
def test_an_amount_is_exact_to_a_thousandth(euros):
    expected = (euros.quantize(Decimal("0.001"), ROUND_HALF_UP) * 1_000_000).to_integral_value()
    assert amount(f"{euros:f}") == expected


@given(st.text(max_size=50))
def test_any_text_is_an_amount_or_none(text):
    assert 0 <= amount(text) <= HUGE


@pytest.mark.parametrize(
    "address", ["a@b.fr", "Agence.Nord+sms@sub.example.org", "o'neill@example.org", "1@1.2", "a" * 64 + "@example.org"]
)
def test_addresses(address):
    assert is_email(address)


@pytest.mark.parametrize(
    "address",
    [
        "", "a", "@b.fr", "a@", "a@b", "a@@b.fr", "a b@c.fr", "a@b.fr ", "a@-b.fr", "a@b-.fr", "a@b..fr", ".a@b.fr", "a.@b.fr",
        "a..b@c.fr", "é@b.fr", "a@b.fr\n", "a@b.fr\r\nBcc: x@y.z", "a@b.fr,c@d.fr", "<a@b.fr>", '"a"@b.fr', "a" * 65 + "@b.fr",
        "a@" + "b" * 64 + ".fr", "a@" + "b." * 200 + "fr", "x@y.fr (removed 1000)",
    ],
)  # fmt: skip
def test_what_is_no_address(address):
    assert not is_email(address)


def test_a_sub_account_takes_over_what_limits_its_main_account():
    own = {
        "eco": False,
        "daily_quota": 5,
        "reply_url": "http://a/",
        "allowed_addresses": ["10.0.0.1"],
        "subaccounts": True,
    }
    assert inherited(own) == {"eco": False, "daily_quota": 5, "subaccounts": False}
