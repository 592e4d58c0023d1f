"""The lists of blocked numbers: entries that come back as they were, and what a batch asks of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from passerelle.store import optouts
from passerelle.store.database import Database
from passerelle.store.optouts import Blocked, List

NOW = datetime(2026, 11, 12, 8, 15, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
BAKERY, CLINIC = 1001, 1002
PHONE, OTHER = 33639980001, 33639980002


async def listed(db: Database, phone: int = PHONE) -> Blocked:
    entry = await optouts.add(db, BAKERY, List.STOP, phone, NOW)
    assert entry is not None
    return entry


async def test_an_entry_is_found_listed_and_of_its_account_and_list_alone(db: Database) -> None:
    entry = await listed(db)
    assert (entry.phone, entry.created_at, entry.history, len(entry.token)) == (PHONE, NOW, [], 12)
    assert int.from_bytes(entry.token[:4], "big") == int(NOW.timestamp())
    assert await optouts.find(db, BAKERY, List.STOP, PHONE) == entry
    assert await optouts.listing(db, BAKERY, List.STOP) == [entry]
    for account, list_ in ((BAKERY, List.BOUNCE), (CLINIC, List.STOP)):
        assert await optouts.find(db, account, list_, PHONE) is None
        assert await optouts.listing(db, account, list_) == []


async def test_a_number_is_listed_once(db: Database) -> None:
    entry = await listed(db)
    assert await optouts.add(db, BAKERY, List.STOP, PHONE, LATER) is None
    assert await optouts.listing(db, BAKERY, List.STOP) == [entry]


async def test_of_many_who_add_the_same_number_one_succeeds(db: Database) -> None:
    added = await asyncio.gather(*(optouts.add(db, BAKERY, List.STOP, PHONE, NOW) for _ in range(8)))
    assert sum(entry is not None for entry in added) == 1


@pytest.mark.parametrize("by", ["number", "phone", "token"])
async def test_a_removed_entry_comes_back_with_its_ids_and_history(db: Database, by: str) -> None:
    campaign = bytes(range(12))
    first = await optouts.add(db, BAKERY, List.STOP, PHONE, NOW, campaign)
    assert first is not None
    remove = getattr(optouts, f"remove_by_{by}")
    assert not await remove(db, CLINIC, List.STOP, getattr(first, by))
    assert not await remove(db, BAKERY, List.BOUNCE, getattr(first, by))
    assert await remove(db, BAKERY, List.STOP, getattr(first, by))
    assert not await remove(db, BAKERY, List.STOP, getattr(first, by))
    assert await optouts.find(db, BAKERY, List.STOP, PHONE) is None
    assert await optouts.listing(db, BAKERY, List.STOP) == []

    again = await optouts.add(db, BAKERY, List.STOP, PHONE, LATER)
    assert again is not None
    assert (again.number, again.token, again.created_at) == (first.number, first.token, LATER)
    assert again.history == first.history == [{"date": 1794471330000, "campaignId": campaign.hex()}]


async def test_numbers_rise_over_all_accounts(db: Database) -> None:
    numbers = []
    for account in (BAKERY, CLINIC, BAKERY):
        entry = await optouts.add(db, account, List.STOP, PHONE + len(numbers), NOW)
        assert entry is not None
        numbers.append(entry.number)
    assert numbers == sorted(set(numbers))


async def test_a_batch_says_which_are_new(db: Database) -> None:
    await listed(db)
    gone = await listed(db, OTHER)
    await optouts.remove_by_phone(db, BAKERY, List.STOP, OTHER)
    rows = [
        (BAKERY, List.STOP, PHONE),  # already there
        (BAKERY, List.STOP, OTHER),  # revived
        (BAKERY, List.BOUNCE, PHONE),
        (BAKERY, List.BOUNCE, PHONE),  # twice in one batch
        (CLINIC, List.STOP, PHONE),
    ]
    async with db.transaction() as connection:
        assert await optouts.add_many(connection, rows, LATER) == set(rows[1:])
        assert await optouts.add_many(connection, rows, LATER) == set()
        assert await optouts.add_many(connection, [], LATER) == set()
    revived = await optouts.find(db, BAKERY, List.STOP, OTHER)
    assert revived is not None
    assert (revived.token, revived.history) == (gone.token, [{"date": 1794471330000 + 86_400_000}])


async def test_batches_that_list_the_same_numbers_do_not_deadlock(db: Database) -> None:
    async def write(order: int) -> set[tuple[int, int, int]]:
        rows = [(BAKERY, 1, PHONE + n) for n in range(200)][::order]
        async with db.transaction() as connection:
            return await optouts.add_many(connection, rows, NOW)

    new = await asyncio.gather(*(write(order) for order in (1, -1) * 4))
    assert sum(map(len, new)) == 200


async def test_a_commit_sees_its_pairs_and_the_dead_numbers_of_the_platform(db: Database) -> None:
    await listed(db)
    await optouts.add(db, BAKERY, List.BOUNCE, OTHER, NOW)
    await optouts.add(db, CLINIC, List.BOUNCE, PHONE, NOW)
    await optouts.add(db, optouts.PLATFORM, List.BOUNCE, OTHER, NOW)
    await optouts.add(db, optouts.PLATFORM, List.STOP, PHONE, NOW)  # no such list for others
    await listed(db, OTHER)
    await optouts.remove_by_phone(db, BAKERY, List.STOP, OTHER)
    async with db.transaction() as connection:
        pairs = ([BAKERY, BAKERY, CLINIC], [PHONE, OTHER, OTHER])
        assert await optouts.blocked_pairs(connection, *pairs) == {
            (BAKERY, List.STOP, PHONE),
            (BAKERY, List.BOUNCE, OTHER),
            (0, List.BOUNCE, OTHER),
        }
        assert await optouts.blocked_pairs(connection, [], []) == set()


async def test_pairs_are_looked_up_by_index(db: Database) -> None:
    await db.execute(
        "INSERT INTO blocked (account_id, list, phone, token, created_at)"
        " SELECT 1001, 1, 33600000000 + n, decode(lpad(to_hex(n), 24, '0'), 'hex'), now() FROM generate_series(1, 20000) n"
    )
    await db.execute("ANALYZE blocked")
    plan = await db.fetch(
        "EXPLAIN " + optouts._SQL.blocked_pairs.replace("$1", "'{1001}'").replace("$2", "'{33600000001}'")
    )
    assert not [line[0] for line in plan if "Seq Scan" in line[0]]
