"""Rentals from the request to the file: paid for once, drawn once, given back once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from pipeline.world import TUESDAY, World, opened

from passerelle.clock import ManualClock
from passerelle.domain.account import Account
from passerelle.domain.message import Inbound as Text
from passerelle.domain.rental import Criteria, Fault, Sex, State, Volume
from passerelle.domain.tokens import text20
from passerelle.pipeline import rental
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.inbound import Inbound
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.rental import Builder, Busy, Offer, Rented
from passerelle.pipeline.webhooks import Webhooks
from passerelle.settings import Settings
from passerelle.store import contacts, ledger, optouts
from passerelle.store import rental as store
from passerelle.store.database import Database
from passerelle.store.rental import Person
from passerelle.surfaces.smspartner import notifications

PRICE = 90_000
CREDIT = 100_000_000
FIRST = 33_639_980_000
WOMEN = Criteria(18, 60, (Sex.WOMAN,), interest=14, zipcodes=("60200",))
ALL = Criteria(18, 98, interest=14)
URL = "https://a.example/rental"


@dataclass
class Office:
    db: Database
    clock: ManualClock
    accounts: Accounts
    account: Account
    builder: Builder

    async def open(self, email: str, credit: int = CREDIT) -> Account:
        account, _ = await self.accounts.create(email, now=self.clock.now())
        if credit:
            await self.accounts.credit(account.id, credit, self.clock.now())
        return account

    async def rent(self, wanted: int, criteria: Criteria = WOMEN, account: Account | None = None) -> Any:
        volumes = [Volume("", criteria.places[0].name, wanted)]
        return await rental.rent(self.db, account or self.account, criteria, volumes, self.clock.now(), URL)

    async def rented(self, wanted: int, criteria: Criteria = WOMEN, account: Account | None = None) -> bytes:
        done = await self.rent(wanted, criteria, account)
        assert isinstance(done, Rented), done
        return done.token

    async def find(self, token: bytes, account: Account | None = None) -> store.Rental:
        async with self.db.connection() as connection:
            found = await store.find(connection, (account or self.account).id, token)
        assert found is not None
        return found

    async def numbers(self, token: bytes, account: Account | None = None) -> list[int]:
        async with self.db.connection() as connection:
            return await store.numbers(connection, await self.find(token, account))

    async def balance(self) -> int:
        return await ledger.balance(self.db, self.account.id)

    async def told(self) -> list[dict[str, Any]]:
        rows = await self.db.fetch("select body, url, kind, account_id from event order by id")
        assert {(row["url"], row["kind"]) for row in rows} <= {(URL, 10)}
        return [json.loads(row["body"]) for row in rows]

    async def take_out(self, phone: int) -> None:
        async with self.db.transaction() as connection:
            await store.opt_out(connection, [(0, phone)], self.clock.now())


def women(count: int, zipcode: str = "60200", first: int = FIRST, **facts: Any) -> list[Person]:
    one = Person(0, Sex.WOMAN, 1990, zipcode, (14,), 103, date(2026, 1, 1), "web", "proof", date.max)
    return [one._replace(phone=first + n, **facts) for n in range(count)]


async def put(db: Database, people: list[Person]) -> None:
    async with db.transaction() as connection:
        await store.put(connection, people, TUESDAY)


@pytest.fixture
async def office(db: Database) -> AsyncIterator[Office]:
    """Ten women in 60200, three in 02200, and a renter."""
    clock = ManualClock(TUESDAY)
    accounts = Accounts(db, Keyring("test"), Settings())
    account, _ = await accounts.create("bakery@example.org", now=TUESDAY)
    await accounts.credit(account.id, CREDIT, TUESDAY)
    account = await accounts.by_id(account.id)
    await put(db, women(10) + women(3, "02200", FIRST + 100))
    made = Office(db, clock, accounts, account, Builder(db, accounts, clock, notifications.rental))
    yield made
    assert not await ledger.wrong_wallets(db)


# --- money and states ----------------------------------------------------------------------------------------------


async def test_endpoints_hear_of_a_rental(office):
    hooks = Webhooks(office.db, Keyring("test"))
    endpoint, _ = await hooks.create(office.account.id, "https://b.example/", ["rental.changed"], TUESDAY)
    token = await office.rented(4)
    assert await office.builder.run() == 1
    [row] = await office.db.fetch("select url, body from event where endpoint_id = $1", endpoint.id)
    told = json.loads(row["body"])
    assert (row["url"], told["type"]) == ("https://b.example/", "rental.changed")
    assert told["data"] == {"id": text20(token), "state": "ready", "quantity": 4}


async def test_a_rental_is_debited_at_once_made_and_told(office):
    token = await office.rented(4)
    assert await office.balance() == CREDIT - 4 * PRICE
    found = await office.find(token)
    assert (found.state, found.quantity, found.total, found.places) == (
        State.REQUESTED, 4, 4 * PRICE, [("CP", "60200", 4, 10)],
    )  # fmt: skip
    assert await office.builder.run() == 1
    found, phones = await office.find(token), await office.numbers(token)
    assert found.state is State.READY and found.ended_at == TUESDAY
    assert len(phones) == 4 and set(phones) <= set(range(FIRST, FIRST + 10))
    assert await office.told() == [{"token": text20(token), "status": 2, "message": "File ready"}]
    assert await office.builder.run() == 0
    posting = await office.db.fetchrow("select * from posting where kind = 7")
    assert (posting["from_account"], posting["to_account"], posting["amount"], posting["note"]) == (
        office.account.id, ledger.SALES, 4 * PRICE, text20(token),
    )  # fmt: skip


async def test_several_places_are_drawn_each_by_its_volume(office):
    both = Criteria(18, 60, interest=14, zipcodes=("02200", "60200"))
    volumes = [Volume("", "60200", 6), Volume("", "02200", 2)]
    done = await rental.rent(office.db, office.account, both, volumes, TUESDAY)
    assert await office.builder.run() == 1
    phones = await office.numbers(done.token)
    assert [sum(phone < FIRST + 100 for phone in phones), len(phones)] == [6, 8]
    assert not await office.told()  # nobody asked for it


@pytest.mark.parametrize(
    ("wanted", "criteria", "fault"),
    [
        (11, WOMEN, Fault.MORE_THAN_THERE),
        (1, Criteria(18, 98, (Sex.MAN,), interest=14), Fault.NOBODY),
        (1, Criteria(18, 98, interest=99), Fault.NOBODY),
        (1, Criteria(40, 30, interest=14), Fault.NOBODY),
        (1, Criteria(18, 30, interest=14, zipcodes=("6020x",)), Fault.NOBODY),
        (1, Criteria(18, 98, interest=14, sub_interest=35), Fault.NOBODY),
        (1, Criteria(18, 98, interest=14, category=102), Fault.NOBODY),
    ],
)
async def test_what_is_not_rented_costs_nothing(office, wanted, criteria, fault):
    assert await office.rent(wanted, criteria) is fault
    assert await office.balance() == CREDIT
    assert not await store.listing(office.db, office.account.id)


async def test_who_cannot_pay_rents_nothing(office):
    poor = await office.open("poor@example.org", 4 * PRICE - 1)
    assert await office.rent(4, WOMEN, poor) is Fault.CREDIT
    assert await ledger.balance(office.db, poor.id) == 4 * PRICE - 1
    await office.rented(3, WOMEN, poor)
    assert await ledger.balance(office.db, poor.id) == PRICE - 1


async def test_an_account_may_have_its_own_price(office):
    account = Account(**{name: getattr(office.account, name) for name in Account.__dataclass_fields__})
    account.prices[5, "FR"] = 0
    await office.rented(2, WOMEN, account)
    assert await office.balance() == CREDIT
    await office.take_out(FIRST)
    del account.prices[5, "FR"], account.prices[5, "*"]
    assert await rental.offer(office.db, account, WOMEN, None, TUESDAY) is Fault.NOBODY


async def test_what_cannot_be_drawn_is_refunded_once(office):
    token = await office.rented(10)
    await office.take_out(FIRST)
    assert await office.builder.run() == 1
    found = await office.find(token)
    assert found.state is State.FAILED and not await office.numbers(token)
    assert await office.balance() == CREDIT
    assert await office.told() == [{"token": text20(token), "status": 3, "message": "File generation failed"}]
    assert await office.builder.run() == 0
    assert await office.balance() == CREDIT
    refund = await office.db.fetchrow("select * from posting where kind = 2")
    assert (refund["from_account"], refund["amount"], refund["note"]) == (ledger.SALES, 10 * PRICE, text20(token))


async def test_half_a_draw_leaves_nothing_behind(office):
    both = Criteria(18, 60, interest=14, zipcodes=("02200", "60200"))
    done = await rental.rent(office.db, office.account, both, [Volume("", "60200", 6), Volume("", "02200", 3)], TUESDAY)
    await office.take_out(FIRST + 100)
    await office.builder.run()
    assert not await office.db.fetch("select * from rental_number")
    assert (await office.find(done.token)).state is State.FAILED


# --- workers -------------------------------------------------------------------------------------------------------


class Killed(Exception):
    """In the middle of it."""


async def lapse(db: Database) -> None:
    await db.execute("update rental set lease_until = clock_timestamp() where lease_until is not null")


async def test_a_worker_that_is_killed_has_drawn_nobody_and_another_makes_the_file(office, monkeypatch):
    token = await office.rented(10)

    async def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(store, "ended", die)  # all is drawn, nothing is committed
        with pytest.raises(Killed):
            await office.builder.run()
    assert (await office.find(token)).state is State.GENERATING
    assert not await office.numbers(token)
    assert await office.builder.run() == 0  # its lease holds
    await lapse(office.db)
    assert await office.builder.run() == 1
    assert len(await office.numbers(token)) == 10 and len(await office.told()) == 1
    assert await office.balance() == CREDIT - 10 * PRICE


async def test_a_worker_whose_lease_is_over_writes_nothing(office):
    token = await office.rented(10)
    slow = await store.lease(office.db, 60)
    await lapse(office.db)
    assert await office.builder.run() == 1
    assert await office.builder.build(*slow) is False
    assert len(await office.numbers(token)) == 10 and len(await office.told()) == 1


async def test_what_fails_again_and_again_is_given_back(office):
    token = await office.rented(10)
    for _ in range(rental.TRIES):
        assert await store.lease(office.db, 60) is not None
        await lapse(office.db)
    assert await office.builder.run() == 1
    assert (await office.find(token)).state is State.FAILED
    assert await office.balance() == CREDIT


async def test_two_workers_share_the_rentals(office):
    other = await office.open("clinic@example.org")
    tokens = [(await office.rented(5), office.account), (await office.rented(5, ALL, other), other)]
    again = Builder(office.db, office.accounts, office.clock, notifications.rental)
    assert sum(await asyncio.gather(office.builder.run(), again.run())) == 2
    for token, account in tokens:
        assert len(await office.numbers(token, account)) == 5


# --- never twice ---------------------------------------------------------------------------------------------------


async def test_parallel_rentals_of_one_account_share_nobody(office):
    ages = [Criteria(18, oldest, interest=14, zipcodes=("60200",)) for oldest in (60, 61, 62)]
    tokens = await asyncio.gather(*(office.rented(3, criteria) for criteria in ages))
    builders = [Builder(office.db, office.accounts, office.clock, notifications.rental) for _ in tokens]
    await asyncio.gather(*(builder.run() for builder in builders))
    phones = [phone for token in tokens for phone in await office.numbers(token)]
    assert len(phones) == len(set(phones)) == 9


async def test_parallel_rentals_of_the_last_people_are_not_both_taken(office):
    done = await asyncio.gather(*(office.rent(6) for _ in range(4)))
    assert sum(isinstance(one, Rented) for one in done) == 1
    assert [one for one in done if not isinstance(one, Rented)] == [Fault.MORE_THAN_THERE] * 3
    assert await office.balance() == CREDIT - 6 * PRICE


async def test_nobody_is_rented_to_the_same_account_within_ninety_days(office):
    first = await office.rented(7)
    await office.builder.run()
    assert await office.rent(4) is Fault.MORE_THAN_THERE
    second = await office.rented(3)
    await office.builder.run()
    assert not set(await office.numbers(first)) & set(await office.numbers(second))
    assert await office.rent(1) is Fault.MORE_THAN_THERE
    offer = await rental.offer(office.db, office.account, WOMEN, None, office.clock.now())
    assert isinstance(offer, Offer) and offer.cost.quantity == 10  # they are there all the same
    await office.rented(10, WOMEN, await office.open("clinic@example.org"))
    office.clock.move(90 * 86_400)
    third = await office.rented(10)
    await office.builder.run()
    assert len(await office.numbers(third)) == 10


async def test_the_stop_list_of_the_renter_and_ended_consents_count_for_nothing(office):
    async with office.db.transaction() as connection:
        await optouts.add_many(connection, [(office.account.id, optouts.List.STOP, FIRST)], TUESDAY)
    await put(office.db, women(1, first=FIRST + 1, consent_until=date(2026, 11, 10)))
    await put(office.db, women(1, first=FIRST + 2, consent_until=date(2026, 11, 9)))
    offer = await rental.offer(office.db, office.account, WOMEN, None, TUESDAY)
    assert offer.cost.quantity == 8
    token = await office.rented(8)
    await office.builder.run()
    assert await office.numbers(token) == [FIRST + 1, *range(FIRST + 3, FIRST + 10)]


async def test_ages_are_those_of_the_year_in_paris_when_it_was_asked_for(office):
    office.clock.move((TUESDAY.replace(month=12, day=31, hour=22) - TUESDAY).total_seconds())  # 23:00 in Paris
    of_36 = Criteria(36, 36, interest=14, zipcodes=("60200",))
    token = await office.rented(10, of_36)
    office.clock.move(2 * 3600)
    assert await office.rent(1, of_36) is Fault.NOBODY
    await office.builder.run()
    assert len(await office.numbers(token)) == 10


# --- handing over --------------------------------------------------------------------------------------------------


async def test_a_file_is_handed_over_once_and_becomes_a_group(office):
    token = await office.rented(4)
    await office.builder.run()
    found = await office.find(token)
    phones = await rental.download(office.db, found, office.clock.now())
    assert phones == await office.numbers(token)
    assert (await office.find(token)).state is State.DOWNLOADED
    (group,) = await contacts.groups(office.db, office.account.id)
    assert (group.name, group.rented, group.special) == (f"Location {text20(token)}", True, False)
    members = await contacts.page(office.db, office.account.id, group.id, 0, 100)
    assert [one.phone for one in members] == phones
    assert await rental.download(office.db, found, office.clock.now()) is State.DOWNLOADED
    assert len(await contacts.groups(office.db, office.account.id)) == 1


async def test_of_two_downloads_at_a_time_one_gets_the_file(office):
    token = await office.rented(4)
    await office.builder.run()
    found = await office.find(token)
    async with office.db.transaction() as connection:
        assert await store.lock(connection, found)
        assert isinstance(await rental.download(office.db, found, office.clock.now()), Busy)
    assert isinstance(await rental.download(office.db, found, office.clock.now()), list)


async def test_a_file_that_is_not_there_is_not_handed_over(office):
    found = await office.find(await office.rented(4))
    assert await rental.download(office.db, found, office.clock.now()) is State.REQUESTED


async def test_a_stop_to_the_renter_takes_the_person_out_of_the_base(db):
    async with opened(db) as world:
        world_: World = world
        account = await world_.account()
        await put(db, women(2))
        done = await rental.rent(db, account, WOMEN, [Volume("", "60200", 2)], TUESDAY)
        await Builder(db, world_.accounts, world_.clock, notifications.rental).run()
        assert isinstance(done, Rented)
        stranger = FIRST + 50
        await put(db, women(1, first=stranger))
        await world_.submitted(account, FIRST, stranger)
        inbound = Inbound(db, world_.teller, Settings(), world_.clock)
        for phone in (FIRST, stranger):
            await inbound.receive([Text(phone, "36000", "STOP", world_.clock.now())], 1)
        assert [row["phone"] for row in await db.fetch("select phone from rental_optout")] == [FIRST]
        other = await world_.account("clinic@example.org")
        offer = await rental.offer(db, other, WOMEN, None, TUESDAY + timedelta(days=1))
        assert isinstance(offer, Offer) and offer.cost.quantity == 2
