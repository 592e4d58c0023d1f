"""The contact base and its rentals as rows. What is offered is an index of its own beside the people.

The one rule: whoever took the consent back is offered to nobody from that moment on, whatever is imported later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from ..domain.rental import Criteria, Place, Share, State, criteria_of
from .database import Database, columns, queries

_SQL = queries("rental")

NEWEST = 2**63 - 1


class Person(NamedTuple):
    """A line of the base. `interests`: each beside its sub-interests. `consent_until`: the last day."""

    phone: int
    sex: int
    birth_year: int
    zipcode: str
    interests: tuple[int, ...]
    category: int
    consent_date: date
    consent_source: str
    consent_proof: str
    consent_until: date


class Rental(msgspec.Struct, frozen=True):
    """One rental. `places`: [type, name, wanted, available]; amounts in micro-euros."""

    account_id: int
    id: int
    token: bytes
    requested_at: datetime
    criteria: Criteria
    places: list[tuple[str, str, int, int]]
    quantity: int
    unit_price: int
    total: int
    url: str
    state: State
    attempts: int
    ended_at: datetime | None
    downloaded_at: datetime | None


class Interest(NamedTuple):
    """What people care for; `parent` 0 where it is no sub-interest."""

    id: int
    parent: int
    name: str


# --- counting ------------------------------------------------------------------------------------------------------


class Target(NamedTuple):
    """Criteria as the queries take them."""

    interest: int
    second: int
    born_from: int
    born_to: int
    sexes: list[int]
    category: int
    day: date


async def target(conn: Any, criteria: Criteria, year: int, day: date) -> Target:
    """Ages are those of `year`; consents that ended before `day` do not count.

    Whoever has a sub-interest has its interest: one look is enough where both are asked for.
    """
    first, second = criteria.sub_interest or criteria.interest, 0
    if criteria.sub_interest and criteria.interest not in (0, await conn.fetchval(_SQL.parent, first)):
        second = criteria.interest
    years = criteria.birth_years(year)
    return Target(_stored(first), _stored(second), *years, [*criteria.sexes], _stored(criteria.category), day)


def _stored(number: int) -> int:
    """As a column may hold it: whatever is larger is nobody's."""
    return number if number < 2**31 else -1


async def count(
    conn: Any, account_id: int, places: Sequence[Place], who: Target, since: datetime | None = None
) -> list[int]:
    """How many people a renter may have of each place; after `since` not those it rented since then."""
    if not places:
        return []
    ranges = [place.low for place in places], [place.high for place in places]
    found = {row["place"]: row["people"] for row in await conn.fetch(_SQL.count, *ranges, *who)}
    for row in await conn.fetch(_SQL.count_kept_out, *ranges, *who, account_id, since):
        found[row["place"]] -= row["people"]
    return [found[place] for place in range(1, len(places) + 1)]


async def pending(conn: Any, account_id: int, criteria: Criteria) -> dict[str, int]:
    """Place -> people, of rentals with the same criteria that have not been drawn yet."""
    wanted: dict[str, int] = {}
    for row in await conn.fetch(_SQL.pending, account_id, criteria.stored()):
        for _, name, count, _ in row["places"]:
            wanted[name] = wanted.get(name, 0) + count
    return wanted


async def lock_account(conn: Any, account_id: int) -> None:
    """Until the end of the transaction nobody else counts or draws for this account."""
    await conn.fetchval(_SQL.lock_account, account_id)


# --- rentals -------------------------------------------------------------------------------------------------------


async def insert(
    conn: Any,
    *,
    account_id: int,
    token: bytes,
    now: datetime,
    criteria: Criteria,
    shares: Sequence[Share],
    unit_price: int,
    total: int,
    url: str,
) -> None:
    """Write a rental that is paid for."""
    places = [[share.place.type, share.place.name, share.wanted, share.available] for share in shares]
    quantity = sum(share.wanted for share in shares)
    await conn.execute(_SQL.insert, account_id, token, now, criteria.stored(), places, quantity, unit_price, total, url)


async def find(conn: Any, account_id: int, token: bytes) -> Rental | None:
    """A rental of this account."""
    row = await conn.fetchrow(_SQL.find, account_id, token)
    return None if row is None else _rental(row)


async def listing(db: Database, account_id: int, before: int = NEWEST, limit: int = 100) -> list[Rental]:
    """Rentals with an id below `before`, the newest first."""
    return [_rental(row) for row in await db.fetch(_SQL.listing, account_id, before, limit)]


def _rental(row: Any) -> Rental:
    fields = dict(row)
    fields.pop("lease_until", None)
    fields["places"] = [tuple(place) for place in row["places"]]
    return Rental(**fields | {"criteria": criteria_of(row["criteria"]), "state": State(row["state"])})


async def lock(conn: Any, rental: Rental) -> Any:
    """Lock its row and read its state and lease; None where somebody else holds it."""
    return await conn.fetchrow(_SQL.lock, rental.account_id, rental.id)


async def lease(db: Database, seconds: float) -> tuple[Rental, datetime] | None:
    """The oldest rental whose file nobody is making, and until when it is ours by the clock of the database."""
    row = await db.fetchrow(_SQL.lease, timedelta(seconds=seconds))
    return None if row is None else (_rental(row), row["lease_until"])


async def draw(
    conn: Any, rental: Rental, place: Place, wanted: int, who: Target, since: datetime, now: datetime
) -> int:
    """Draw so many people of a place at random, none rented since; how many there were."""
    done: str = await conn.execute(
        _SQL.draw, place.low, place.high, *who, rental.account_id, since, wanted, rental.id, now
    )
    return int(done.split()[-1])


async def ended(conn: Any, rental: Rental, state: State, now: datetime) -> None:
    """Its file is ready, or failed."""
    await conn.execute(_SQL.ended, rental.account_id, rental.id, state, now)


async def downloaded(conn: Any, rental: Rental, now: datetime) -> None:
    """Its file was handed over."""
    await conn.execute(_SQL.downloaded, rental.account_id, rental.id, now)


async def numbers(conn: Any, rental: Rental) -> list[int]:
    """The file."""
    return [row["phone"] for row in await conn.fetch(_SQL.numbers, rental.account_id, rental.id)]


# --- the base ------------------------------------------------------------------------------------------------------


async def opted_out(conn: Any, phones: Sequence[int]) -> dict[int, datetime]:
    """Those of the phones that are to stay out of the base, since when; none joins them before the commit."""
    await conn.execute(_SQL.lock_optouts)
    return {row["phone"]: row["at"] for row in await conn.fetch(_SQL.opted_out, phones)}


async def put(conn: Any, people: Sequence[Person], now: datetime) -> None:
    """Write people of different phones, or write them anew."""
    if not people:
        return
    rows = [(*one[:4], "{" + ",".join(map(str, one.interests)) + "}", *one[5:]) for one in people]
    phones, sexes, years, zipcodes, interests, categories, *consents = columns(rows)
    await conn.execute(_SQL.remove_offers, phones)
    await conn.execute(_SQL.put_people, phones, sexes, years, zipcodes, interests, categories, *consents, now)
    await conn.execute(_SQL.put_offers, phones, sexes, years, zipcodes, interests, categories, consents[-1])


async def settle_down(db: Database) -> None:
    """After an import: what is counted is found in the index alone."""
    await db.execute(_SQL.settle_people)
    await db.execute(_SQL.settle_down)


async def opt_out(conn: Any, pairs: Iterable[tuple[int, int]], now: datetime) -> None:
    """Take (renter or 0, phone) out of the base for good."""
    wanted = {phone: account_id for account_id, phone in sorted(pairs)}
    if wanted:
        await conn.execute(_SQL.opt_out, list(wanted), list(wanted.values()), now)
        await conn.execute(_SQL.remove_offers, list(wanted))


async def opt_out_rented(conn: Any, stops: Iterable[tuple[int, int, int]], now: datetime) -> None:
    """Who answered STOP, as (account, list, phone), to somebody who rented the number leaves the base too."""
    pairs = [(account_id, phone) for account_id, _, phone in stops]
    if pairs:
        await opt_out(conn, [tuple(row) for row in await conn.fetch(_SQL.renters, *columns(pairs))], now)


async def interests(db: Database) -> list[Interest]:
    """What the operator knows of."""
    return [Interest(*row) for row in await db.fetch(_SQL.interests)]


async def categories(db: Database) -> dict[int, str]:
    """Id -> name."""
    return dict(await db.fetch(_SQL.categories))


async def name_interest(db: Database, interest: Interest) -> None:
    """Add one, or change it."""
    await db.execute(_SQL.name_interest, *interest)


async def name_category(db: Database, number: int, name: str) -> None:
    """Add one, or change its name."""
    await db.execute(_SQL.name_category, number, name)


async def overview(db: Database, day: date) -> Any:
    """How many people there are, whose consent is over, who opted out."""
    return await db.fetchrow(_SQL.overview, day)


async def overview_interests(db: Database, day: date) -> list[Any]:
    """id, parent, name, and how many people can be rented."""
    return await db.fetch(_SQL.overview_interests, day)


async def is_empty(db: Database) -> bool:
    """Whether nobody was ever imported."""
    empty: bool = await db.fetchval(_SQL.is_empty)
    return empty
