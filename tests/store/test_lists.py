"""Lists, columns and contacts: scoped by their account, each number once a list, deleted whole."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

from passerelle.domain.lists import Kind
from passerelle.store import lists
from passerelle.store.database import Database

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
MINE, THEIRS = 1000, 1001
PHONE = 33639980001


async def a_list(db: Database, account_id: int = MINE, name: str = "Clients") -> lists.ContactList:
    return await lists.add(db, account_id, name, NOW)


async def add(db, one, *rows, account_id=MINE):
    async with db.transaction() as connection:
        assert await lists.lock(connection, account_id, one.id)
        return await lists.add_contacts(connection, account_id, one.id, rows, NOW)


async def column(db, one, *wanted):
    async with db.transaction() as connection:
        assert await lists.lock(connection, MINE, one.id, alone=True)
        return await lists.add_columns(connection, MINE, one.id, wanted, NOW)


async def test_lists_by_their_token_and_name(db):
    one, same, other = await a_list(db), await a_list(db), await a_list(db, THEIRS)
    assert await lists.find(db, MINE, one.token) == one
    assert await lists.find(db, MINE, other.token) is None and await lists.find(db, MINE, b"x") is None
    assert await lists.listing(db, MINE) == [one, same] == await lists.named(db, MINE, "Clients")
    assert not await lists.delete(db, THEIRS, one.token)
    assert await lists.delete(db, MINE, one.token) and not await lists.delete(db, MINE, one.token)
    assert await lists.listing(db, MINE) == [same] and await lists.listing(db, THEIRS) == [other]
    async with db.transaction() as connection:
        assert not await lists.lock(connection, MINE, other.id)


async def test_columns_in_their_order(db):
    one, other = await a_list(db), await a_list(db)
    made = await column(db, one, ("b", Kind.STRING, ""), ("a", Kind.DATE, "dd/MM"), ("a", Kind.NUMBER, ""))
    assert await column(db, one) == []
    more = await column(db, other, ("x", Kind.STRING, ""))
    assert await lists.columns_of(db, MINE, one.id) == made
    assert await lists.all_columns(db, MINE) == {one.id: made, other.id: more}
    assert await lists.columns_of(db, THEIRS, one.id) == [] and await lists.all_columns(db, THEIRS) == {}
    for account_id, list_id in ((THEIRS, one.id), (MINE, other.id)):
        assert not await lists.delete_column(db, account_id, list_id, made[1].token, NOW)
    assert await lists.delete_column(db, MINE, one.id, made[1].token, NOW)
    assert not await lists.delete_column(db, MINE, one.id, made[1].token, NOW)
    assert await lists.columns_of(db, MINE, one.id) == [made[0], made[2]]
    assert await lists.delete(db, MINE, one.token)
    assert not await lists.erase(db)


async def test_values_of_a_deleted_column_are_erased_in_steps(db, monkeypatch):
    monkeypatch.setattr(lists, "ERASED", 3)
    one = await a_list(db)
    kept, gone = await column(db, one, ("a", Kind.STRING, ""), ("b", Kind.STRING, ""))
    await add(db, one, *[(PHONE + n, {kept.key: "a", gone.key: "b"} if n % 2 else {}) for n in range(7)])
    await lists.delete_column(db, MINE, one.id, gone.token, NOW)
    steps = 0
    while await lists.erase(db):
        steps += 1
    assert steps == 4  # 3, 3, 1 and the end
    found = await lists.page(db, MINE, one.id, 0, 10)
    assert [each.attributes for each in found] == [{kept.key: "a"} if n % 2 else {} for n in range(7)]
    assert not await db.fetch("select from list_column where deleted_at is not null")


async def test_contacts_keep_their_order_and_a_number_is_there_once(db):
    one, other = await a_list(db), await a_list(db, THEIRS)
    tokens = await add(db, one, *[(PHONE + n, {"k": str(n)}) for n in (5, 1, 3)])
    assert list(tokens) == [PHONE + 5, PHONE + 1, PHONE + 3]
    assert list(await add(db, one, (PHONE + 1, {}), (PHONE, {}))) == [PHONE]
    assert await add(db, one) == {}
    await add(db, other, (PHONE, {}), account_id=THEIRS)
    found = await lists.page(db, MINE, one.id, 0, 10)
    assert [(each.phone - PHONE, each.attributes) for each in found] == [
        (5, {"k": "5"}), (1, {"k": "1"}), (3, {"k": "3"}), (0, {}),
    ]  # fmt: skip
    assert await lists.page(db, MINE, one.id, found[0].id, 2) == found[1:3]
    assert await lists.page(db, THEIRS, one.id, 0, 10) == []
    assert await lists.count(db, MINE, one.id) == 4 and await lists.count(db, THEIRS, one.id) == 0
    assert await lists.present(db, MINE, one.id, [PHONE, PHONE + 2, PHONE + 3]) == {PHONE, PHONE + 3}
    assert await lists.present(db, THEIRS, one.id, [PHONE]) == set()
    token = tokens[PHONE + 1]
    for account_id, list_id in ((THEIRS, one.id), (MINE, other.id)):
        assert not await lists.delete_contact(db, account_id, list_id, token)
        assert not await lists.delete_phone(db, account_id, list_id, PHONE + 5)
    assert await lists.delete_contact(db, MINE, one.id, token)
    assert not await lists.delete_contact(db, MINE, one.id, token)
    assert await lists.delete_phone(db, MINE, one.id, PHONE) and not await lists.delete_phone(db, MINE, one.id, PHONE)
    await lists.empty(db, THEIRS, one.id)
    assert await lists.count(db, MINE, one.id) == 2
    await lists.empty(db, MINE, one.id)
    assert await lists.count(db, MINE, one.id) == 0 and await lists.count(db, THEIRS, other.id) == 1


async def test_a_list_or_column_that_is_being_deleted_waits_for_who_adds(db):
    one = await a_list(db)
    [made] = await column(db, one, ("a", Kind.STRING, ""))
    for deletion in (
        lists.delete_column(db, MINE, one.id, made.token, NOW),
        lists.delete(db, MINE, one.token),
    ):
        async with db.transaction() as connection:
            assert await lists.lock(connection, MINE, one.id)
            deleting = asyncio.create_task(deletion)
            await lists.add_contacts(connection, MINE, one.id, [(PHONE, {made.key: "x"})], NOW)
            done, _ = await asyncio.wait([deleting], timeout=0.1)
            assert not done
        assert await deleting
    assert not await db.fetch("select from list_contact")


async def test_contacts_of_a_day_are_counted_to_their_limit(db):
    today, yesterday = date(2026, 11, 10), date(2026, 11, 9)
    counted = [await lists.count_posted(db, MINE, today, 2) for _ in range(3)]
    assert counted == [True, True, False]
    assert await lists.count_posted(db, MINE, yesterday, 1) and await lists.count_posted(db, THEIRS, today, 1)
    await lists.forget_days(db, today)
    assert await db.fetchval("select count(*) from list_day") == 2
