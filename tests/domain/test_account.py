"""What an account costs, and the numbers that are stored."""

from __future__ import annotations

import pytest

from passerelle.domain.account import Account, AccountState, Rules
from passerelle.domain.message import TrafficClass


def account(prices: dict[tuple[int, str], int]) -> Account:
    return Account(1000, 1, AccountState.ACTIVE, "bakery@example.org", "", "", Rules(), prices)


@pytest.mark.parametrize(
    ("service", "country", "price"),
    [
        (1, "FR", 38_000),
        (1, "BE", 60_000),
        (1, "US", None),
        (2, "FR", 0),
        (2, "US", 9_000),
        (3, "FR", None),
    ],
)
def test_the_price_of_a_country_goes_before_that_of_any(service: int, country: str, price: int | None) -> None:
    prices = {(1, "FR"): 38_000, (1, "BE"): 60_000, (2, "FR"): 0, (2, "*"): 9_000}
    assert account(prices).price(service, country) == price


def test_states_keep_their_stored_numbers() -> None:
    assert {state.name: state.value for state in AccountState} == {
        "ACTIVE": 0, "DISABLED": 1, "BLOCKED": 2, "API_DENIED": 3,
    }  # fmt: skip


def test_what_an_account_is_unless_it_says_otherwise() -> None:
    rules = Rules()
    assert (rules.stop_scope_smspartner, rules.stop_scope_primotexto) == ("all", "marketing")
    assert (rules.stop_missing, rules.quiet_dates, rules.characters) == ("append", "hold", "reject")
    assert rules.traffic_class is TrafficClass.TRANSACTIONAL
    assert not (rules.quiet_exempt or rules.international or rules.dlr_waiting or rules.sandbox_callbacks)
