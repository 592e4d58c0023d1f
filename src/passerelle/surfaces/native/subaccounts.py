"""Sub-accounts: accounts of their own that a main account makes, pays, sees the figures of, and removes.

One rule: a sub-account is named by its token; what it sends and to whom stays its own, a main account sees figures.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...domain import tokens
from ...domain.calendar import paris_day
from ...domain.subaccounts import LONGEST_EMAIL, LONGEST_NAME, Fault, Type, Wanted, amount, is_email
from ...pipeline import subaccounts
from ...pipeline.subaccounts import Moved
from ...store import subaccounts as store
from ...store.subaccounts import Figures
from . import shapes
from .calls import Caller, Raw, Services, endpoint
from .once import first, repeatable
from .problems import Problem, invalid, missing
from .statistics import bounds

Name = Annotated[str, Meta(max_length=LONGEST_NAME)]
Amount = Annotated[
    str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,3})?$", description="Euros, to a thousandth.", examples=["25.50"])
]
Token = Annotated[str, Meta(description="Its token, as in SMS Partner.", examples=["Wn5Xk0VbGd8TqJ3yLs7m"])]


class TypeWord(enum.Enum):
    """What a sub-account is: with `advanced`, somebody is invited by mail to sign up for it."""

    SIMPLE = "simple"
    ADVANCED = "advanced"


class Direction(enum.Enum):
    """Which way credit goes: to the sub-account, or back."""

    GIVE = "give"
    TAKE = "take"


class Activity(msgspec.Struct, kw_only=True):
    """What an account sends: messages in all; parts and cost of what left in the days asked for."""

    messages: int
    waiting: Annotated[int, Meta(description="Parts not handed over yet.")]
    delivered: int
    failed: int
    parts: int
    cost: shapes.Money


class Subaccount(msgspec.Struct, kw_only=True):
    """A sub-account."""

    id: Token
    email: str
    type: TypeWord
    is_buyer: Annotated[bool, Meta(description="May buy credit of its own.")]
    title: str
    firstname: str
    lastname: str
    balance: shapes.Money
    created_at: datetime
    signed_up_at: Annotated[datetime | None, Meta(description="When its invitation was used.")]


class Listed(Subaccount, kw_only=True):
    """A sub-account with what it sends."""

    activity: Activity


class Asked(shapes.Paging, kw_only=True, forbid_unknown_fields=True):
    """Which part of the list, and the days of its figures."""

    since: Annotated[date | None, Meta(description="The first day; a week ago without it.")] = msgspec.field(
        default=None, name="from"
    )
    until: Annotated[date | None, Meta(description="The last day; today without it.")] = msgspec.field(
        default=None, name="to"
    )


class NewSubaccount(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A sub-account to be made."""

    type: TypeWord
    email: Annotated[
        str, Meta(max_length=LONGEST_EMAIL, description="Needed for `advanced`; else one is made up where it is empty.")
    ] = ""
    is_buyer: bool = False
    credit: Annotated[Amount | None, Meta(description="Moved from the main account at once.")] = None
    title: Name = ""
    firstname: Name = ""
    lastname: Name = ""


class Credit(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Credit to be moved."""

    amount: Amount
    direction: Direction


class Balances(msgspec.Struct, kw_only=True):
    """Both balances after credit was moved."""

    balance: Annotated[shapes.Money, Meta(description="Of the main account.")]
    subaccount_balance: shapes.Money


class DialectKey(msgspec.Struct, kw_only=True):
    """What a program calls the dialects with in the name of a sub-account."""

    key: Annotated[str, Meta(examples=["0f3c5b1e9a7d4c2f8e6b0a1d3c5e7f90"])]


@endpoint("GET", "/subaccounts", "subaccounts:read")
async def listing(services: Services, caller: Caller, query: Asked) -> shapes.Page[Listed]:
    """List the sub-accounts with their balances and figures, the oldest first. At most 92 days are counted."""
    found = shapes.decode_cursor(query.cursor, int)
    rows = await store.page(services.db, caller.id, 0, query.limit + 1, min(found[0], 2**31 - 1) if found else 0)
    now = services.clock.now()
    since, until = bounds(query.since, query.until, paris_day(now))
    shown = [row["account_id"] for row in rows]
    figures = await subaccounts.figures(services.db, shown, since, until, now)
    return shapes.page(caller, query, rows, lambda row: _listed(row, figures), lambda row: int(row["number"]))


@endpoint("POST", "/subaccounts", "subaccounts:write", status=201, problems=("credit", "conflict"), idempotent=True)
async def make(services: Services, caller: Caller, body: NewSubaccount) -> Subaccount | Raw:
    """Make a sub-account. An advanced one is sent a mail with a link to sign up; its key works at once.

    At most 3 mails an hour go to one address, and 100 from one account: beyond, it is made without. Invite it later.
    """
    _may(caller)
    if not subaccounts.may_make_more(caller.account):
        raise Problem("scope", "An account with a daily quota makes no sub-accounts: ask the operator of the platform.")
    if (body.email or body.type is TypeWord.ADVANCED) and not is_email(body.email):
        raise invalid("/email", "This is no e-mail address: write it like agency@example.org, in ASCII.")
    wanted = Wanted(
        type=Type[body.type.name],
        email=body.email,
        is_buyer=body.is_buyer,
        credit=None if body.credit is None else amount(body.credit),
        title=body.title,
        firstname=body.firstname,
        lastname=body.lastname,
    )

    async def word(connection: Any, made: subaccounts.Created) -> Subaccount:
        return _worded(await store.one(connection, caller.id, made.token))

    now, key = services.clock.now(), repeatable(caller, word, 201)
    made = await first(subaccounts.create(services.db, services.accounts, caller.account, wanted, now, key))
    if isinstance(made, Raw):
        return made
    if isinstance(made, Fault):
        raise _refused(made, "/email" if made is Fault.EMAIL_TAKEN else "/credit")
    return _worded(await store.one(services.db, caller.id, made.token))


@endpoint("GET", "/subaccounts/{id}", "subaccounts:read")
async def one(services: Services, caller: Caller, id: Token) -> Subaccount:
    """See a sub-account."""
    row = await store.one(services.db, caller.id, _token(id))
    if row is None:
        raise missing("sub-account")
    return _worded(row)


@endpoint("DELETE", "/subaccounts/{id}", "subaccounts:write")
async def remove(services: Services, caller: Caller, id: Token) -> None:
    """Remove a sub-account. Its keys are dead at once, what it has scheduled is taken back, its credit returns."""
    if not await subaccounts.remove(services.db, caller.id, _token(id), services.clock.now()):
        raise missing("sub-account")


@endpoint("POST", "/subaccounts/{id}/credit", "subaccounts:write", problems=("credit",), idempotent=True)
async def credit(services: Services, caller: Caller, id: Token, body: Credit) -> Balances | Raw:
    """Move credit to a sub-account, or back. Both balances change together or not at all."""
    _may(caller)
    move = subaccounts.give if body.direction is Direction.GIVE else subaccounts.take
    now, key = services.clock.now(), repeatable(caller, _balances, 200)
    moved = await first(move(services.db, caller.id, _token(id), amount(body.amount), now, key))
    if isinstance(moved, Raw):
        return moved
    if not isinstance(moved, Moved):
        raise _refused(moved, "/amount")
    return await _balances(None, moved)


async def _balances(_: Any, moved: Moved) -> Balances:
    return Balances(balance=shapes.money(moved.parent), subaccount_balance=shapes.money(moved.child))


@endpoint("GET", "/subaccounts/{id}/key", "subaccounts:write")
async def key(services: Services, caller: Caller, id: Token) -> DialectKey:
    """Show the key of a sub-account for the dialects. Whoever has it acts in its name."""
    row = await store.one(services.db, caller.id, _token(id))
    if row is None:
        raise missing("sub-account")
    return DialectKey(key=services.accounts.keyring.open(bytes(row["key_sealed"])).decode())


@endpoint("POST", "/subaccounts/{id}/invitation", "subaccounts:write", problems=("conflict", "too-many-requests"))
async def invite(services: Services, caller: Caller, id: Token) -> None:
    """Send the invitation of an advanced sub-account anew. The link of the one before ends.

    At most 3 mails an hour go to one address, and 100 from one account.
    """
    row = await store.one(services.db, caller.id, _token(id))
    if row is None:
        raise missing("sub-account")
    try:
        invited = await subaccounts.invite_again(services.db, services.accounts, row["email"], services.clock.now())
    except subaccounts.TooManyMails:
        told = "3 mails an hour to one address, 100 from one account: wait for the hour to pass."
        raise Problem("too-many-requests", told, headers=[("Retry-After", "3600")]) from None
    if not invited:
        raise Problem("conflict", "Only an advanced sub-account that nobody has signed up for is invited.")


def _may(caller: Caller) -> None:
    if not subaccounts.may_make(caller.account):
        raise Problem("scope", "This account has no right to sub-accounts: ask the operator of the platform.")


def _token(text: str) -> bytes:
    """The token of an id; one that nobody has for any other text."""
    return tokens.read20(text) or b""


def _refused(fault: Fault, pointer: str) -> Problem:
    if fault is Fault.UNKNOWN:
        return missing("sub-account")
    if fault is Fault.EMAIL_TAKEN:
        return Problem("conflict", "Another account has this e-mail address: give another.")
    if fault is Fault.AMOUNT:
        return invalid(pointer, "The amount has to be above zero.")
    return Problem("credit", "Whoever is to give has less than that: look at both balances.")


def _worded(row: Any) -> Subaccount:
    return Subaccount(**_members(row))


def _listed(row: Any, figures: Mapping[int, Figures]) -> Listed:
    own = figures[row["account_id"]]
    activity = Activity(
        messages=own.messages,
        waiting=own.waiting,
        delivered=own.delivered,
        failed=own.failed,
        parts=own.parts,
        cost=shapes.money(own.cost),
    )
    return Listed(**_members(row), activity=activity)


def _members(row: Any) -> dict[str, Any]:
    return {
        "id": tokens.text20(bytes(row["token"])),
        "email": row["email"],
        "type": TypeWord[Type(row["type"]).name],
        "balance": shapes.money(row["balance"]),
        **{name: row[name] for name in ("is_buyer", "title", "firstname", "lastname", "created_at", "signed_up_at")},
    }


HANDLERS = [listing, make, one, remove, credit, key, invite]
