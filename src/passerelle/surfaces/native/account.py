"""The account: its credit, prices and rules.

One rule: all that is told here is as it is now, not as it was cached.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ...domain.account import Account as Known
from ...domain.pricing import Service
from ...pipeline import account_rules
from . import shapes
from .calls import Caller, Services, endpoint


class Price(msgspec.Struct, kw_only=True):
    """What a part, or a check, costs."""

    service: Annotated[str, Meta(examples=["premium"])]
    country: Annotated[str, Meta(description="ISO 3166-1 alpha-2, or `*` for any other.", examples=["FR"])]
    price: shapes.Money


class Account(msgspec.Struct, kw_only=True):
    """The account of the key."""

    id: shapes.Id
    email: str
    firstname: str
    lastname: str
    balance: shapes.Money
    currency: str
    parent: Annotated[shapes.Id | None, Meta(description="The account that this one is a sub-account of.")]
    prices: list[Price]
    rules: Annotated[dict[str, str], Meta(description="Settings of the account, as its operator writes them.")]


@endpoint("GET", "/account", "account:read")
async def one(services: Services, caller: Caller) -> Account:
    """See the account. Its balance, what things cost it, and the rules that its messages are judged by."""
    return _worded(caller.account)


def _worded(account: Known) -> Account:
    return Account(
        id=str(account.id),
        email=account.email,
        firstname=account.firstname,
        lastname=account.lastname,
        balance=shapes.money(account.balance),
        currency="EUR",
        parent=str(account.parent_id) if account.parent_id else None,
        prices=[
            Price(service=Service(service).name.lower(), country=country, price=shapes.money(price))
            for (service, country), price in sorted(account.prices.items())
        ],
        rules=account_rules.shown(account.rules),
    )


HANDLERS = [one]
