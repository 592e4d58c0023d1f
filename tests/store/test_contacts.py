"""Groups and contacts: scoped by their account, each number once a group, deleted whole."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

import pytest

from passerelle.store import contacts, optouts
from passerelle.store.contacts import PhoneTaken
from passerelle.store.database import Database

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
MINE, THEIRS = 1000, 1001
PHONE = 33639980001


async def group(db: Database, account_id: int = MINE, name: str = "Clients") -> contacts.Group:
    async with db.transaction() as connection:
        return await contacts.add_group(connection, account_id, name, NOW)


async def add(
    db: Database, one: contacts.Group, *rows: dict[str, object], import_id: int | None = None
) -> dict[int, bytes]:
    async with db.transaction() as connection:
        assert await contacts.lock_group(connection, MINE, one.id)
        return await contacts.add(connection, MINE, one.id, rows, NOW, import_id)


async def test_groups_by_either_id_and_name(db):
    one, same, other = await group(db), await group(db), await group(db, THEIRS)
    assert await contacts.group(db, MINE, one.id) == await contacts.group(db, MINE, one.token) == one
    assert await contacts.group(db, MINE, other.id) is None and await contacts.group(db, MINE, other.token) is None
    assert await contacts.groups(db, MINE) == [one, same]
    assert await contacts.groups(db, MINE, after=one.id, limit=1) == [same]
    assert await contacts.groups_named(db, MINE, "Clients") == [one, same]
    assert await contacts.rename_group(db, MINE, one.id, "Paris")
    assert not await contacts.rename_group(db, MINE, other.id, "Paris")
    assert [found.id for found in await contacts.groups_named(db, MINE, "Paris")] == [one.id]
    async with db.transaction() as connection:
        rented = await contacts.add_group(connection, MINE, "R", NOW, rented=True)
    assert (rented.rented, rented.special) == (True, False)


async def test_contacts_keep_their_order_and_a_number_is_there_once(db):
    one = await group(db)
    rows = [{"phone": PHONE + n} for n in (5, 1, 3)]
    tokens = await add(db, one, *rows)
    assert list(tokens) == [PHONE + 5, PHONE + 1, PHONE + 3]
    again = await add(db, one, {"phone": PHONE + 1, "firstname": "Other"}, {"phone": PHONE})
    assert list(again) == [PHONE]
    assert await add(db, await group(db), {"phone": PHONE})
    assert [found.phone - PHONE for found in await contacts.page(db, MINE, one.id, 0, 10)] == [5, 1, 3, 0]
    assert [found.phone - PHONE for found in await contacts.page(db, MINE, one.id, 1, 2)] == [1, 3]
    first = await contacts.find(db, MINE, tokens[PHONE + 5])
    assert [found.phone - PHONE for found in await contacts.after(db, MINE, one.id, first.id, 2)] == [1, 3]
    assert [row["phone"] - PHONE for row in await contacts.recipients(db, MINE, one.id, first.id, 9)] == [1, 3, 0]
    assert await contacts.count(db, MINE, one.id) == 4 and await contacts.count(db, THEIRS, one.id) == 0
    assert await contacts.find(db, THEIRS, tokens[PHONE + 5]) is None


async def test_all_values_come_back(db):
    one = await group(db)
    values = {
        "phone": PHONE, "firstname": "Alix", "lastname": "Martin", "date": date(1990, 2, 3), "url": "https://a.example",
        "short_url": "s.example", "custom1": "1", "custom2": "2", "custom3": "3", "custom4": "4",
    }  # fmt: skip
    tokens = await add(db, one, values)
    found = await contacts.find(db, MINE, tokens[PHONE])
    assert {name: getattr(found, name) for name in values} == values
    assert (found.group_id, found.token, found.created_at, found.stopped) == (one.id, tokens[PHONE], NOW, False)
    await optouts.add(db, MINE, optouts.List.STOP, PHONE, NOW)
    await optouts.add(db, MINE, optouts.List.BOUNCE, PHONE + 1, NOW)
    await add(db, one, {"phone": PHONE + 1})
    assert [c.stopped for c in await contacts.page(db, MINE, one.id, 0, 5)] == [True, False]
    assert (await contacts.find(db, MINE, found.token)).stopped


async def test_only_what_is_given_is_changed(db):
    one = await group(db)
    tokens = await add(db, one, {"phone": PHONE, "firstname": "Alix", "custom1": "a"}, {"phone": PHONE + 1})
    async with db.transaction() as connection:
        found = await contacts.lock(connection, MINE, tokens[PHONE])
        await contacts.write(connection, MINE, found, {"custom1": "", "phone": PHONE + 2})
    changed = await contacts.find(db, MINE, tokens[PHONE])
    assert (changed.firstname, changed.custom1, changed.phone) == ("Alix", "", PHONE + 2)
    with pytest.raises(PhoneTaken):
        async with db.transaction() as connection:
            found = await contacts.lock(connection, MINE, tokens[PHONE])
            await contacts.write(connection, MINE, found, {"phone": PHONE + 1})
    assert not await contacts.delete(db, THEIRS, tokens[PHONE])
    assert await contacts.delete(db, MINE, tokens[PHONE]) and not await contacts.delete(db, MINE, tokens[PHONE])


async def test_how_numbers_stand(db):
    one = await group(db)
    await add(db, one, {"phone": PHONE})
    await add(db, one, {"phone": PHONE + 1}, import_id=7)
    await optouts.add(db, MINE, optouts.List.STOP, PHONE + 2, NOW)
    await optouts.add(db, THEIRS, optouts.List.STOP, PHONE + 4, NOW)
    await db.execute("insert into dead_subscriber (account_id, phone) values ($1, $2)", MINE, PHONE + 3)
    async with db.connection() as connection:
        found = await contacts.standing(connection, MINE, one.id, [PHONE + n for n in (4, 3, 2, 1, 0)])
    told = [(f.present, f.import_id, f.stopped, f.dead) for f in found]
    assert told == [
        (False, None, False, False), (False, None, False, True), (False, None, True, False), (True, 7, False, False),
        (True, None, False, False),
    ]  # fmt: skip


async def test_a_group_that_is_being_deleted_gets_no_contact(db):
    """Whoever adds holds the group; whoever deletes waits, and deletes what was added too."""
    one = await group(db)
    async with db.transaction() as connection:
        assert await contacts.lock_group(connection, MINE, one.id)
        deleting = asyncio.create_task(contacts.delete_group(db, MINE, one.id))
        await contacts.add(connection, MINE, one.id, [{"phone": PHONE}], NOW)
        done, _ = await asyncio.wait([deleting], timeout=0.1)
        assert not done
    assert await deleting
    assert not await db.fetch("select from contact")
    async with db.transaction() as connection:
        assert not await contacts.lock_group(connection, MINE, one.id)
    assert not await contacts.delete_group(db, MINE, one.id)


async def test_a_short_link_is_kept_until_its_address_changes(db):
    one = await group(db)
    await add(db, one, {"phone": PHONE, "url": "https://a.example"}, {"phone": PHONE + 1, "url": "https://b.example"})
    found = await contacts.page(db, MINE, one.id, 0, 5)
    assert await contacts.keep_links(db, MINE, found, ["l/1", "l/2"]) == {found[0].id: "l/1", found[1].id: "l/2"}
    assert await contacts.keep_links(db, MINE, found, ["l/3", "l/4"]) == {found[0].id: "l/1", found[1].id: "l/2"}
    assert [row["short_url"] for row in await contacts.recipients(db, MINE, one.id, 0, 5)] == ["l/1", "l/2"]
    for values, link in (({"lastname": "X"}, "l/1"), ({"url": "https://c.example"}, "")):
        async with db.transaction() as connection:
            locked = await contacts.lock(connection, MINE, found[0].token)
            await contacts.write(connection, MINE, locked, values)
        assert (await contacts.find(db, MINE, found[0].token)).link == link
