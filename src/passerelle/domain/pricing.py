"""Tariff x parts, in integer micro-euros; shown and taken in thousandths of a euro."""

from __future__ import annotations

import enum
from decimal import Decimal

MICRO = 1_000_000
MILLI = 1_000  # micro-euros in a thousandth


class Service(enum.IntEnum):
    """What a tariff is for."""

    PREMIUM = 1
    ECO = 2
    HLR = 3
    RCS = 4
    RENTAL = 5


def rounded(micro: int) -> int:
    """Half up to a thousandth of a euro; what is shown is what is taken."""
    return (micro + MILLI // 2) // MILLI * MILLI


def quote(unit_price: int, parts: int) -> int:
    """The price of one recipient in micro-euros: parts x price, rounded before the debit."""
    return rounded(unit_price * parts)


def refund_of(price: int, parts: int, unstarted: int) -> int:
    """What goes back of `price` when `unstarted` of `parts` parts were never begun; all of it when none was."""
    return price - rounded(price * (parts - unstarted) // parts)


def number(micro: int) -> float:
    """Euros as a JSON number with at most three decimals, e.g. 0.038."""
    return round(micro / MICRO, 3)


def text(micro: int) -> str:
    """Euros with exactly three decimals, e.g. `0.050`."""
    return f"{rounded(micro) // MILLI / 1000:.3f}"


def parse(euros: str) -> int:
    """Micro-euros from a decimal text. Raises decimal.InvalidOperation for what is no number."""
    return int((Decimal(euros) * MICRO).to_integral_value())
