"""The contact base: what is counted equals a recount in Python, and who opted out stays out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
from conftest import command, named
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.domain.rental import Criteria, Sex, Share, State, department
from passerelle.store import optouts, rental
from passerelle.store.database import Database
from passerelle.store.rental import Interest, Person

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
TODAY = NOW.date()
ME, OTHER = 1000, 1001
PHONES = range(33_639_980_000, 33_639_980_400)
ZIPCODES = ("60200", "60000", "02200", "75011", "97400", "97200")
TASTES = ((14,), (14, 35), (20,), (14, 20), ())


def someone(phone: int, **facts: object) -> Person:
    n = phone - PHONES.start
    usual = Person(
        phone,
        (Sex.MAN, Sex.WOMAN)[n * 7 % 3 == 0],
        1920 + n * 31 % 95,
        ZIPCODES[n % len(ZIPCODES)],
        TASTES[n // 6 % len(TASTES)],
        (0, 102, 103)[n // 5 % 3],
        date(2026, 1, 1),
        "web",
        f"proof {n}",
        (date.max, TODAY, TODAY - timedelta(days=1))[n // 3 % 3],
    )
    return usual._replace(**facts)


BASE = {phone: someone(phone) for phone in PHONES}
STOPPED = set(PHONES[::9])
OPTED_OUT = set(PHONES[::11])
RENTED = set(PHONES[::5])


@pytest.fixture(scope="module")
async def base(database_server: str, database_template: str) -> AsyncIterator[Database]:
    """A base with everything in it, that is only read."""
    await command(database_server, f"CREATE DATABASE rental_base TEMPLATE {database_template}")
    db = await Database.open(named(database_server, "rental_base"), size=4)
    await rental.name_interest(db, Interest(20, 0, "Voyages"))
    async with db.transaction() as connection:
        await rental.put(connection, list(BASE.values()), NOW)
        await rental.opt_out(connection, [(0, phone) for phone in OPTED_OUT], NOW)
        await optouts.add_many(connection, [(ME, optouts.List.STOP, phone) for phone in STOPPED], NOW)
        await optouts.add_many(connection, [(ME, optouts.List.BOUNCE, PHONES[1])], NOW)
        await optouts.add_many(connection, [(OTHER, optouts.List.STOP, PHONES[2])], NOW)
    await db.execute(
        "insert into rental_number select $1, phone, 1, $2 from unnest($3::bigint[]) as phone",
        ME, NOW - timedelta(days=10), RENTED,
    )  # fmt: skip
    await rental.settle_down(db)
    yield db
    await db.close()
    await command(database_server, "DROP DATABASE rental_base WITH (FORCE)")


def brute(criteria: Criteria, out: set[int]) -> list[int]:
    """The rules, person by person."""

    def matches(one: Person) -> bool:
        return (
            one.phone not in OPTED_OUT | out
            and one.consent_until >= TODAY
            and criteria.min_age <= 2026 - one.birth_year <= criteria.max_age
            and one.sex in criteria.sexes
            and criteria.category in (0, one.category)
            and (not criteria.interest or criteria.interest in one.interests)
            and (not criteria.sub_interest or criteria.sub_interest in one.interests)
        )

    people = [one for one in BASE.values() if matches(one)]
    if not criteria.departments and not criteria.zipcodes:
        return [len(people)]
    inside = [one for one in people if not criteria.departments or department(one.zipcode) in criteria.departments]
    if criteria.zipcodes:
        return [sum(one.zipcode == name for one in inside) for name in criteria.zipcodes]
    return [sum(department(one.zipcode) == name for one in inside) for name in criteria.departments]


some = st.builds(
    Criteria,
    min_age=st.integers(18, 70),
    max_age=st.integers(18, 98),
    sexes=st.sampled_from([tuple(Sex), (Sex.MAN,), (Sex.WOMAN,)]),
    interest=st.sampled_from([14, 14, 20, 999, 2**40]),
    sub_interest=st.sampled_from([0, 0, 35]),
    category=st.sampled_from([0, 102, 103, 7]),
    departments=st.lists(st.sampled_from(["60", "02", "974", "972", "33"]), unique=True, max_size=3).map(tuple),
    zipcodes=st.lists(st.sampled_from([*ZIPCODES, "33000"]), unique=True, max_size=3).map(tuple),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some)
async def test_what_is_counted_equals_a_recount(base, criteria):
    async with base.connection() as connection:
        who = await rental.target(connection, criteria, 2026, TODAY)
        mine = await rental.count(connection, ME, criteria.places, who)
        theirs = await rental.count(connection, OTHER, criteria.places, who)
        left = await rental.count(connection, ME, criteria.places, who, NOW - timedelta(days=90))
    assert mine == brute(criteria, STOPPED)
    assert theirs == brute(criteria, {PHONES[2]})
    assert left == brute(criteria, STOPPED | RENTED)


async def test_a_sub_interest_alone_is_enough(base):
    criteria = Criteria(18, 98, sub_interest=35)
    async with base.connection() as connection:
        who = await rental.target(connection, criteria, 2026, TODAY)
        assert await rental.count(connection, OTHER, criteria.places, who) == brute(criteria, {PHONES[2]})
        assert not await rental.count(connection, OTHER, (), who)


async def test_who_was_rented_long_ago_counts_again(base):
    criteria = Criteria(18, 98, interest=14)
    async with base.connection() as connection:
        who = await rental.target(connection, criteria, 2026, TODAY)
        since = NOW - timedelta(days=9)
        assert await rental.count(connection, ME, criteria.places, who, since) == brute(criteria, STOPPED)


# --- a base that changes -------------------------------------------------------------------------------------------


async def people(db: Database, **wanted: object) -> int:
    criteria = Criteria(**{"min_age": 18, "max_age": 98, "interest": 14} | wanted)
    async with db.connection() as connection:
        who = await rental.target(connection, criteria, 2026, TODAY)
        return sum(await rental.count(connection, ME, criteria.places, who))


async def put(db: Database, *persons: Person) -> None:
    async with db.transaction() as connection:
        await rental.put(connection, persons, NOW)


async def test_a_person_who_comes_again_is_written_anew(db):
    one = someone(PHONES[0], birth_year=1990, zipcode="60200", interests=(14, 35), consent_until=date.max)
    await put(db, one)
    assert (await people(db), await people(db, sub_interest=35)) == (1, 1)
    await put(db, one._replace(zipcode="75011", interests=(14,)))
    assert (await people(db), await people(db, sub_interest=35)) == (1, 0)
    assert await people(db, zipcodes=("60200",)) == 0
    await put(db, one._replace(interests=(), consent_source="again"))
    assert await people(db) == 0
    assert await db.fetchval("select consent_source from rental_person") == "again"


async def test_who_opted_out_does_not_come_back(db):
    one = someone(PHONES[0], birth_year=1990, interests=(14,), consent_until=date.max)
    await put(db, one)
    async with db.transaction() as connection:
        await rental.opt_out(connection, [(ME, one.phone), (ME, PHONES[7])], NOW)
        assert await rental.opted_out(connection, list(PHONES)) == {one.phone: NOW, PHONES[7]: NOW}
    assert await people(db) == 0
    overview = await rental.overview(db, TODAY)
    assert dict(overview) == {"people": 1, "expired": 0, "opted_out": 2}


async def test_a_stop_to_a_renter_is_one_to_the_base(db):
    one, two = (someone(phone, birth_year=1990, interests=(14,), consent_until=date.max) for phone in PHONES[:2])
    await put(db, one, two)
    await db.execute("insert into rental_number values ($1, $2, 1, $3)", ME, one.phone, NOW)
    stops = [(ME, 1, one.phone), (ME, 1, two.phone), (OTHER, 1, two.phone)]
    async with db.transaction() as connection:
        await rental.opt_out_rented(connection, stops, NOW)
        await rental.opt_out_rented(connection, [], NOW)
    rows = await db.fetch("select phone, account_id from rental_optout")
    assert [tuple(row) for row in rows] == [(one.phone, ME)]
    assert await people(db) == 1


async def test_a_file_that_is_forgotten_is_told_by_its_group(db):
    one, two = (someone(phone, birth_year=1990, interests=(14,), consent_until=date.max) for phone in PHONES[:2])
    await put(db, one, two)
    for phone, rented in ((one.phone, True), (two.phone, False)):
        await db.execute(
            "with made as (insert into contact_group (account_id, token, name, created_at, rented)"
            " values ($1, uuid_send(gen_random_uuid()), '', $2, $3) returning id)"
            " insert into contact (account_id, group_id, token, phone, created_at)"
            " select $1, id, uuid_send(gen_random_uuid()), $4, $2 from made",
            ME, NOW, rented, phone,
        )  # fmt: skip
    async with db.transaction() as connection:
        stops = [(account, 1, phone) for account in (ME, OTHER) for phone in (one.phone, two.phone)]
        await rental.opt_out_rented(connection, stops, NOW)
    rows = await db.fetch("select phone, account_id from rental_optout")
    assert [tuple(row) for row in rows] == [(one.phone, ME)]


async def rented(db: Database, criteria: Criteria, wanted: int) -> rental.Rental:
    shares = [Share(criteria.places[0], wanted, 10)]
    token = wanted.to_bytes(12, "big")
    async with db.transaction() as connection:
        await rental.insert(
            connection, account_id=ME, token=token, now=NOW, criteria=criteria, shares=shares, unit_price=90_000,
            total=90_000 * wanted, url="https://a.example/",
        )  # fmt: skip
        found = await rental.find(connection, ME, token)
        assert await rental.find(connection, OTHER, token) is None
    assert found is not None and found.criteria == criteria and found.state is State.REQUESTED
    return found


async def test_a_rental_is_leased_once_until_its_lease_is_over(db):
    one = await rented(db, Criteria(18, 98, interest=14), 3)
    leased, _ = await rental.lease(db, 60)
    assert (leased.id, leased.state, leased.attempts) == (one.id, State.GENERATING, 1)
    assert await rental.lease(db, 60) is None
    await db.execute("update rental set lease_until = clock_timestamp()")
    again, _ = await rental.lease(db, 60)
    assert (again.id, again.attempts) == (one.id, 2)
    async with db.transaction() as connection:
        await rental.ended(connection, one, State.READY, NOW)
    assert await rental.lease(db, 60) is None
    assert [found.state for found in await rental.listing(db, ME)] == [State.READY]
    assert not await rental.listing(db, OTHER) and not await rental.listing(db, ME, before=one.id)


async def test_what_is_pending_is_known_by_its_criteria(db):
    criteria = Criteria(18, 98, interest=14, zipcodes=("60200",))
    await rented(db, criteria, 3)
    await rented(db, criteria, 4)
    async with db.transaction() as connection:
        await rental.lock_account(connection, ME)
        assert await rental.pending(connection, ME, criteria) == {"60200": 7}
        assert not await rental.pending(connection, OTHER, criteria)
        assert not await rental.pending(connection, ME, Criteria(18, 98, interest=14))


async def test_a_draw_takes_so_many_and_none_who_may_not_be_had(db):
    phones = list(PHONES[:10])
    await put(db, *(someone(p, birth_year=1990, zipcode="60200", interests=(14,), consent_until=TODAY) for p in phones))
    one = await rented(db, Criteria(18, 98, interest=14, zipcodes=("60200",)), 3)
    async with db.transaction() as connection:
        await optouts.add_many(connection, [(ME, optouts.List.STOP, phones[0])], NOW)
        await rental.opt_out(connection, [(0, phones[1])], NOW)
        who = await rental.target(connection, one.criteria, 2026, TODAY)
        place, since = one.criteria.places[0], NOW - timedelta(days=90)
        assert await rental.draw(connection, one, place, 3, who, since, NOW) == 3
        assert await rental.draw(connection, one, place, 9, who, since, NOW) == 5  # the others
        assert await rental.numbers(connection, one) == phones[2:]
        tomorrow = who._replace(day=TODAY + timedelta(days=1))
        assert await rental.draw(connection, one, place, 9, tomorrow, NOW, NOW) == 0
        await rental.downloaded(connection, one, NOW)
        row = await rental.lock(connection, one)
    assert row["state"] == State.DOWNLOADED


async def test_interests_and_categories_have_names(db):
    assert [tuple(one) for one in await rental.interests(db)] == [(14, 0, "Habitation"), (35, 14, "Cuisine")]
    await rental.name_interest(db, Interest(35, 14, "Cuisines"))
    await rental.name_category(db, 104, "Retraités")
    assert await rental.categories(db) == {102: "CSP+", 103: "CSP-", 104: "Retraités"}
    assert await rental.is_empty(db)
    rows = await rental.overview_interests(db, TODAY)
    assert [(row["name"], row["people"]) for row in rows] == [("Habitation", 0), ("Cuisines", 0)]
