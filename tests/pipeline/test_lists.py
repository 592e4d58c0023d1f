"""Contacts and columns put into a list, at the same moment too."""

from __future__ import annotations

import asyncio

from pipeline.world import PHONE

from passerelle.domain.lists import MOST_COLUMNS, Fault, Kind
from passerelle.pipeline import lists
from passerelle.store import lists as store


async def a_list(world, account):
    return await store.add(world.db, account.id, "Clients", world.clock.now())


async def test_faults_of_a_contact_come_in_their_order(world):
    account = await world.account(daily_contacts=1)
    one = await a_list(world, account)
    now = world.clock.now()
    await lists.add_column(world.db, account.id, one.id, "Né", Kind.DATE, "dd/MM", now)
    bad = [("né", "x")]
    assert await lists.add_contact(world.db, account, 0, PHONE, bad, now) is Fault.LIST_UNKNOWN
    token = await lists.add_contact(world.db, account, one.id, PHONE, [("né", "01/02")], now)
    assert isinstance(token, bytes)
    assert await lists.add_contact(world.db, account, one.id, PHONE, bad, now) is Fault.PRESENT
    assert await lists.add_contact(world.db, account, one.id, PHONE + 1, bad, now) is Fault.DATE_INVALID
    assert await lists.add_contact(world.db, account, one.id, PHONE + 1, [], now) is Fault.LIMIT
    assert await store.count(world.db, account.id, one.id) == 1


async def test_a_number_posted_twice_at_once_is_added_and_counted_once(world):
    account = await world.account(daily_contacts=5)
    one = await a_list(world, account)
    now = world.clock.now()
    results = await asyncio.gather(
        *(lists.add_contact(world.db, account, one.id, PHONE, [], now) for _ in range(6)),
    )
    assert sorted(isinstance(result, bytes) for result in results) == [False] * 5 + [True]
    assert {result for result in results if not isinstance(result, bytes)} == {Fault.PRESENT}
    assert await world.db.fetchval("select contacts from list_day where account_id = $1", account.id) == 1


async def test_columns_added_at_once_are_never_more_than_fifty(world):
    account = await world.account()
    one = await a_list(world, account)
    now = world.clock.now()
    results = await asyncio.gather(
        *(lists.add_column(world.db, account.id, one.id, f"c{n}", Kind.STRING, "", now) for n in range(55))
    )
    assert sum(result is Fault.TOO_MANY for result in results) == 5
    assert len(await store.columns_of(world.db, account.id, one.id)) == MOST_COLUMNS
    assert await lists.add_column(world.db, account.id, 0, "x", Kind.STRING, "", now) is Fault.LIST_UNKNOWN


async def test_a_list_that_is_deleted_at_once_keeps_nothing(world):
    account = await world.account()
    one = await a_list(world, account)
    now = world.clock.now()
    adding = [lists.add_contact(world.db, account, one.id, PHONE + n, [], now) for n in range(10)]
    await asyncio.gather(*adding[:5], store.delete(world.db, account.id, one.token), *adding[5:])
    assert not await world.db.fetch("select from list_contact where account_id = $1", account.id)
