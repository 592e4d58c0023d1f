"""Contact rental: what the base knows, counts and prices, rentals and their files.

One rule: a file is handed over once; its numbers are a group of contacts from then on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ...domain.rental import OLDEST, YOUNGEST, Cost, Criteria, Fault, PlaceType, Sex, Share, State, Volume
from ...domain.tokens import read20, text20
from ...pipeline import rental
from ...pipeline.rental import Busy, Rented
from ...store import rental as store
from . import shapes
from .calls import Caller, Raw, Services, endpoint
from .once import first, repeatable
from .problems import Problem, invalid, missing

_SEXES = {"any": tuple(Sex), "men": (Sex.MAN,), "women": (Sex.WOMAN,)}
_SEX_WORDS: dict[tuple[Sex, ...], SexWord] = {(Sex.MAN,): "men", (Sex.WOMAN,): "women"}
_TYPES: dict[str, TypeWord] = {
    PlaceType.ZIPCODE: "postcode",
    PlaceType.DEPARTMENT: "department",
    PlaceType.COUNTRY: "country",
}
_STATES: dict[State, StateWord] = {
    State.REQUESTED: "requested",
    State.GENERATING: "generating",
    State.READY: "ready",
    State.FAILED: "failed",
    State.DOWNLOADED: "downloaded",
}

SexWord = Literal["any", "men", "women"]
TypeWord = Literal["postcode", "department", "country"]
StateWord = Literal["requested", "generating", "ready", "failed", "downloaded"]
Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Age = Annotated[int, Meta(ge=YOUNGEST, le=OLDEST)]
Token = Annotated[str, Meta(description="An opaque text.", examples=["nkJqV01nPhEv9bIyoCpQ"])]


class Interest(msgspec.Struct, kw_only=True):
    """What people care for."""

    id: int
    parent: Annotated[int | None, Meta(description="The interest that this one is a part of.")]
    name: str


class Category(msgspec.Struct, kw_only=True):
    """What people are."""

    id: int
    name: str


class Base(msgspec.Struct, kw_only=True):
    """What people can be chosen by."""

    interests: list[Interest]
    categories: list[Category]
    price: Annotated[shapes.Money | None, Meta(description="Of a person; null where none are rented.")]


class Target(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whom to look for: `interest`, `sub_interest` or both. Without a place, in all of the country."""

    min_age: Age
    max_age: Age
    sex: SexWord = "any"
    interest: Number | None = None
    sub_interest: Number | None = None
    category: Number | None = None
    departments: Annotated[
        list[Annotated[str, Meta(pattern=r"^([0-8][0-9]|9[0-6]|9[78][0-9]|99)$", examples=["60"])]],
        Meta(max_length=200, description="The first two characters of postcodes, overseas three."),
    ] = []
    postcodes: Annotated[
        list[Annotated[str, Meta(pattern=r"^[0-9]{5}$", examples=["60200"])]],
        Meta(max_length=10_000, description="Within the departments, where both are given."),
    ] = []


class Wish(Target, kw_only=True, forbid_unknown_fields=True):
    """Whom to rent."""

    volumes: Annotated[
        dict[str, Annotated[int, Meta(ge=1, le=100_000_000)]],
        Meta(min_length=1, max_length=10_000, description="People wanted of each place, by its name."),
    ]


class PlaceCount(msgspec.Struct, kw_only=True):
    """How many people there are in a place."""

    type: TypeWord
    name: Annotated[str, Meta(description="A postcode, a department, or `France`.")]
    available: int


class Offer(msgspec.Struct, kw_only=True):
    """Who could be rented, and what all of them would cost."""

    places: list[PlaceCount]
    quantity: int
    price: Annotated[shapes.Money, Meta(description="Of a person.")]
    total: shapes.Money


class RentedPlace(PlaceCount, kw_only=True):
    """How many people of a place were rented."""

    wanted: int


class Rental(msgspec.Struct, kw_only=True):
    """A rental. It is paid for when it is made; a failed one was refunded."""

    id: Token
    state: StateWord
    requested_at: datetime
    ended_at: Annotated[datetime | None, Meta(description="When its file was ready, or failed.")]
    downloaded_at: datetime | None
    target: Target
    places: list[RentedPlace]
    quantity: int
    price: shapes.Money
    total: shapes.Money


class File(msgspec.Struct, kw_only=True):
    """The people of a rental."""

    id: Token
    phones: list[shapes.Phone]


@endpoint("GET", "/rental/base", "rental:read")
async def base(services: Services, caller: Caller) -> Base:
    """See what people can be chosen by. Interests, categories, and what a person costs."""
    unit = rental.price_of(caller.account)
    return Base(
        interests=[
            Interest(id=one.id, parent=one.parent or None, name=one.name) for one in await store.interests(services.db)
        ],
        categories=[Category(id=n, name=name) for n, name in (await store.categories(services.db)).items()],
        price=None if unit is None else shapes.money(unit),
    )


@endpoint("POST", "/rental/offers", "rental:read")
async def offer(services: Services, caller: Caller, body: Target) -> Offer:
    """Count people and price them. As they are now, without those on the stop list of the account; nothing is kept."""
    criteria = _criteria(body)
    found = await rental.offer(services.db, caller.account, criteria, None, services.clock.now())
    if not isinstance(found, Fault):
        return _offer(found.shares, found.cost)
    return _offer([Share(place, 0, 0) for place in criteria.places], Cost(0, rental.price_of(caller.account) or 0))


def _offer(shares: list[Share], cost: Cost) -> Offer:
    return Offer(
        places=[
            PlaceCount(type=_TYPES[one.place.type], name=one.place.name, available=one.available) for one in shares
        ],
        quantity=cost.quantity,
        price=shapes.money(cost.unit),
        total=shapes.money(cost.total),
    )


@endpoint("POST", "/rentals", "rental:write", status=201, problems=("conflict", "credit"), idempotent=True)
async def rent(services: Services, caller: Caller, body: Wish) -> Rental | Raw:
    """Rent people. It is paid for at once; they are drawn within seconds: ask again until the state is `ready`.

    Nobody is rented to the same account twice within 90 days.
    """
    criteria = _criteria(body)
    volumes = [Volume("", name, wanted) for name, wanted in body.volumes.items()]

    async def word(connection: Any, done: Rented) -> Rental:
        found = await store.find(connection, caller.id, done.token)
        assert found is not None
        return _worded(found)

    key = repeatable(caller, word, 201)
    done = await first(rental.rent(services.db, caller.account, criteria, volumes, services.clock.now(), once=key))
    if isinstance(done, Raw):
        return done
    if isinstance(done, Fault):
        raise _refused(done)
    return _worded(await _find(services, caller, text20(done.token)))


def _refused(fault: Fault) -> Problem:
    if fault is Fault.CREDIT:
        return Problem("credit", "The balance does not pay for them: rent fewer, or top up the account.")
    if fault is Fault.NOBODY:
        return Problem("conflict", "Nobody is like that: ask for an offer first.")
    told = "Fewer are left in a place, or it was not asked for: an offer tells how many there are."
    return Problem("conflict", f"{told} Who was rented within 90 days is not rented again.")


@endpoint("GET", "/rentals", "rental:read")
async def every(services: Services, caller: Caller, query: shapes.Paging) -> shapes.Page[Rental]:
    """List rentals, the newest first."""
    rows = await store.listing(services.db, caller.id, shapes.before(query), query.limit + 1)
    return shapes.page(caller, query, rows, _worded, lambda row: row.id)


@endpoint("GET", "/rentals/{id}", "rental:read")
async def one(services: Services, caller: Caller, id: Token) -> Rental:
    """See a rental."""
    return _worded(await _find(services, caller, id))


@endpoint("POST", "/rentals/{id}/download", "rental:read", problems=("conflict",))
async def download(services: Services, caller: Caller, id: Token) -> File:
    """Take the file of a rental, once. Its numbers also become a group of contacts, `Location <id>`."""
    found = await _find(services, caller, id)
    phones = await rental.download(services.db, found, services.clock.now())
    if isinstance(phones, Busy):
        raise Problem("conflict", "Another download is under way: wait for its end.")
    if isinstance(phones, State):
        raise Problem("conflict", f"The rental is {_STATES[phones]}: a file can be taken once, when it is ready.")
    return File(id=text20(found.token), phones=[shapes.phone(number) for number in phones])


async def _find(services: Services, caller: Caller, written: str) -> store.Rental:
    """Raises Problem."""
    token = read20(written)
    if token is None:
        raise missing("rental")
    async with services.db.connection() as connection:
        found = await store.find(connection, caller.id, token)
    if found is None:
        raise missing("rental")
    return found


def _criteria(body: Target) -> Criteria:
    """Raises Problem."""
    if body.interest is None and body.sub_interest is None:
        raise invalid("/interest", "Say which `interest` or `sub_interest`: `GET /rental/base` lists them.")
    if body.min_age > body.max_age:
        raise invalid("/max_age", "It cannot be below `min_age`.")
    return Criteria(
        body.min_age,
        body.max_age,
        _SEXES[body.sex],
        body.interest or 0,
        body.sub_interest or 0,
        body.category or 0,
        tuple(dict.fromkeys(body.departments)),
        tuple(dict.fromkeys(body.postcodes)),
    )


def _worded(found: store.Rental) -> Rental:
    who = found.criteria
    return Rental(
        id=text20(found.token),
        state=_STATES[found.state],
        requested_at=found.requested_at,
        ended_at=found.ended_at,
        downloaded_at=found.downloaded_at,
        target=Target(
            min_age=who.min_age,
            max_age=who.max_age,
            sex=_SEX_WORDS.get(who.sexes, "any"),
            interest=who.interest or None,
            sub_interest=who.sub_interest or None,
            category=who.category or None,
            departments=list(who.departments),
            postcodes=list(who.zipcodes),
        ),
        places=[
            RentedPlace(type=_TYPES[type_], name=name, available=available, wanted=wanted)
            for type_, name, wanted, available in found.places
        ],
        quantity=found.quantity,
        price=shapes.money(found.unit_price),
        total=shapes.money(found.total),
    )


HANDLERS = [base, offer, rent, every, one, download]
