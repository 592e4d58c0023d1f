"""What a send would do, without doing it: text and parts, every rule, the price, the way.

One rule: it takes what `POST /messages` takes, and is judged by the same functions, with everything as it is now.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from ...pipeline import explain as use_case
from . import shapes
from .calls import Caller, Services, endpoint
from .messages import LeftOut, left_out
from .problems import Fault
from .reasons import fault
from .sending import Send, profile_of, wanted_of


class Character(msgspec.Struct, kw_only=True):
    """A character that does not travel as it is, or is not in GSM 03.38."""

    char: str
    name: Annotated[str, Meta(description="Its name in Unicode.")]
    positions: Annotated[list[int], Meta(description="Where it stands, from 1.")]
    foreign: Annotated[bool, Meta(description="Not in GSM 03.38: it forces UCS-2, or is replaced or refused.")]
    becomes: Annotated[str, Meta(description="What is sent in its place.")]


class Copy(msgspec.Struct, kw_only=True):
    """The text as it would leave."""

    text: str
    encoding: str
    units: Annotated[int, Meta(description="Septets (`gsm`) or UTF-16 units (`ucs2`).")]
    parts: list[str]
    characters: list[Character]
    doubled: Annotated[str, Meta(description="Characters that count twice.")]
    stop_added: Annotated[str, Meta(description="The mention that was added, as marketing needs it.")]


class Rule(msgspec.Struct, kw_only=True):
    """What one rule says."""

    rule: Annotated[str, Meta(examples=["sender"])]
    verdict: Annotated[str, Meta(description="`admitted`, `held` or `refused`.", examples=["admitted"])]
    faults: list[Fault]
    until: Annotated[datetime | None, Meta(description="Until when it is held.")]
    why: str


class Route(msgspec.Struct, kw_only=True):
    """A carrier, and why it is taken or not."""

    carrier: str
    taken: bool
    why: str


class Destination(msgspec.Struct, kw_only=True):
    """A recipient that nothing speaks against."""

    to: shapes.Phone
    country: str
    parts: int
    price_part: shapes.Money
    price: shapes.Money
    routes: list[Route]


class Explanation(msgspec.Struct, kw_only=True):
    """What would become of a send."""

    verdict: Annotated[str, Meta(description="`admitted`, `held` (accepted, and sent later) or `refused`.")]
    expected_at: Annotated[datetime, Meta(description="When it would leave.")]
    price: shapes.Money
    balance: shapes.Money
    balance_after: Annotated[shapes.Money, Meta(description="Below zero: so much is missing.")]
    lane: Annotated[str, Meta(description="In which order it leaves: codes, then transactional, then bulk.")]
    text: Annotated[Copy, Meta(description="Of the request, or of its first recipient where it has its own.")]
    rules: list[Rule]
    recipients: list[Destination]
    left_out: list[LeftOut]


@endpoint("POST", "/messages/explain", "messages:send")
async def explain(services: Services, caller: Caller, body: Send) -> Explanation:
    """Explain what a send would do. Nothing is sent, stored or charged: parts and encoding, the characters to blame,
    the price and the balance after it, each rule with its verdict, each carrier with the reason why it is taken or not,
    and when it would leave."""
    now = services.clock.now()
    wanted, profile = wanted_of(body, caller.account, now), profile_of(body, caller.account)
    found = await use_case.explain_stored(services.db, caller.account, wanted, profile, services.routes, now)
    return Explanation(
        verdict=found.verdict.value,
        expected_at=found.due_at,
        price=shapes.money(0 if body.sandbox else found.cost),
        balance=shapes.money(found.balance),
        balance_after=shapes.money(found.balance if body.sandbox else found.balance_after),
        lane=found.lane.name.lower(),
        text=_copy(found.copy),
        rules=[_rule(one) for one in found.rulings],
        recipients=[_destination(one, services.carriers) for one in found.destinations],
        left_out=left_out(found.dropped),
    )


def _copy(copy: use_case.Copy) -> Copy:
    return Copy(
        text=copy.text,
        encoding=copy.encoding.name.lower(),
        units=copy.units,
        parts=list(copy.parts),
        characters=[
            Character(char=c.char, name=c.name, positions=list(c.positions), foreign=c.foreign, becomes=c.becomes)
            for c in copy.characters
        ],
        doubled=copy.doubled,
        stop_added=copy.stop_added,
    )


def _rule(ruling: use_case.Ruling) -> Rule:
    return Rule(
        rule=ruling.rule,
        verdict=ruling.verdict.value,
        faults=[fault(one) for one in ruling.findings],
        until=ruling.until,
        why=ruling.why,
    )


def _destination(one: use_case.Destination, carriers: Mapping[int, str]) -> Destination:
    return Destination(
        to=shapes.phone(one.phone),
        country=one.country,
        parts=one.parts,
        price_part=shapes.money(one.price_part),
        price=shapes.money(one.price),
        routes=[
            Route(carrier=carriers.get(each.carrier_id, str(each.carrier_id)), taken=each.taken, why=each.why)
            for each in one.choices
        ],
    )


HANDLERS = [explain]
