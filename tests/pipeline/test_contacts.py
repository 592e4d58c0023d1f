"""Many contacts at once: each is taken or says why, whoever else adds at the same time."""

from __future__ import annotations

import asyncio

import pytest
from pipeline.world import PHONE, World

from passerelle.domain.contact import Fault, read
from passerelle.pipeline import contacts
from passerelle.store import contacts as store


async def a_group(world: World, account):
    async with world.db.transaction() as connection:
        return await store.add_group(connection, account.id, "Clients", world.clock.now())


def rows(*phones, **more):
    return [read({"phone": f"+{phone}", **more}) for phone in phones]


async def add_many(world, account, group, reads):
    async with world.db.transaction() as connection:
        assert await store.lock_group(connection, account.id, group.id)
        return await contacts.add_many(connection, account.id, group.id, reads, world.clock.now())


async def test_two_that_add_the_same_numbers_take_each_once(world):
    account = await world.account()
    group = await a_group(world, account)
    phones = [PHONE + n for n in range(200)]
    one, other = await asyncio.gather(
        add_many(world, account, group, rows(*phones)), add_many(world, account, group, rows(*phones[::-1]))
    )
    taken = [first.fault is None for first in one]
    assert [second.fault is not None for second in other[::-1]] == taken
    assert {result.fault for result in one + other} <= {None, Fault.PRESENT}
    assert await store.count(world.db, account.id, group.id) == 200


async def test_a_faulty_row_does_not_spoil_a_good_one_for_the_same_number(world):
    account = await world.account()
    group = await a_group(world, account)
    reads = [*rows(PHONE, url="x"), *rows(PHONE), *rows(PHONE)]
    results = await add_many(world, account, group, reads)
    assert [result.fault for result in results] == [Fault.URL_INVALID, None, Fault.TWICE]


async def test_one_contact(world):
    account = await world.account()
    group = await a_group(world, account)
    (found,) = rows(PHONE)
    now = world.clock.now()
    token = await contacts.add_one(world.db, account.id, group, found, now)
    assert isinstance(token, bytes)
    assert await contacts.add_one(world.db, account.id, group, found, now) is Fault.PRESENT
    await add_many(world, account, group, rows(PHONE + 1))
    assert await contacts.change(world.db, account.id, token, read({"phone": f"+{PHONE + 1}"})) is Fault.PRESENT
    assert await contacts.change(world.db, account.id + 1, token, read({"lastname": "X"})) is None
    changed = await contacts.change(world.db, account.id, token, read({"lastname": "X"}))
    assert changed is not None and (await store.find(world.db, account.id, token)).lastname == "X"
    await store.delete_group(world.db, account.id, group.id)
    assert await contacts.add_one(world.db, account.id, group, found, now) is None


@pytest.mark.parametrize("count", [0, 1])
async def test_nothing_to_add(world, count):
    account = await world.account()
    group = await a_group(world, account)
    results = await add_many(world, account, group, [read({})] * count)
    assert [result.fault for result in results] == [Fault.NO_NUMBER] * count
