"""Sub-accounts as rows: seen by their main account alone, and gone from its sight when removed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from passerelle.store import accounts, subaccounts

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


async def account(db, email, parent_id=None):
    async with db.transaction() as connection:
        return await accounts.insert(
            connection, parent_id=parent_id, email=email, firstname="", lastname="", key_hash=email.encode(),
            key_sealed=b"sealed", secret_sealed=b"", settings={}, now=NOW,
        )  # fmt: skip


async def branch(db, parent_id, email, token):
    account_id = await account(db, email, parent_id)
    async with db.transaction() as connection:
        await subaccounts.insert(connection, parent_id, account_id, token, 2, True, "Nord", NOW)
    return account_id


@pytest.fixture
async def parent(db):
    return await account(db, "main@example.org")


async def test_each_sees_its_own(db, parent):
    other = await account(db, "other@example.org")
    mine, theirs = await branch(db, parent, "a@b.c", b"a" * 12), await branch(db, other, "b@b.c", b"b" * 12)
    assert await subaccounts.find(db, parent, b"a" * 12) == mine
    assert await subaccounts.find(db, parent, b"b" * 12) is None
    assert await subaccounts.find(db, mine, b"a" * 12) is None
    assert [row["account_id"] for row in await subaccounts.page(db, other, 0, 20)] == [theirs]
    assert [row["account_id"] for row in await subaccounts.every(db, None)] == [mine, theirs]
    assert [row["parent"] for row in await subaccounts.every(db, other)] == ["other@example.org"]
    assert (await subaccounts.of_email(db, "a@b.c"))["parent_id"] == parent
    assert await subaccounts.of_email(db, "main@example.org") is None


async def test_pages_go_on_where_the_one_before_ended(db, parent):
    made = [await branch(db, parent, f"{n}@b.c", bytes([n]) * 12) for n in range(5)]
    first = await subaccounts.page(db, parent, 0, 2)
    rest = await subaccounts.page(db, parent, 0, 9, after=first[-1]["number"])
    assert [row["account_id"] for row in [*first, *rest]] == made
    assert [row["account_id"] for row in await subaccounts.page(db, parent, 3, 9)] == made[3:]
    assert await subaccounts.total(db, parent) == 5


async def test_removed_once_and_out_of_sight(db, parent):
    child = await branch(db, parent, "a@b.c", b"a" * 12)
    for expected in (True, False):
        async with db.transaction() as connection:
            assert await subaccounts.is_open(connection, child) is expected
            assert await subaccounts.close(connection, child, NOW) is expected
    assert await subaccounts.find(db, parent, b"a" * 12) is None
    assert await subaccounts.one(db, parent, b"a" * 12) is None
    assert (await subaccounts.total(db, parent), await subaccounts.page(db, parent, 0, 9)) == (0, [])
    assert not await subaccounts.email_is_used(db, "a@b.c")
    assert await accounts.by_key(db, b"a@b.c") is None
    assert await subaccounts.unsettled(db, NOW - timedelta(days=1), NOW) == []
    await db.execute("update wallet set balance = 5 where account_id = $1", child)
    assert await subaccounts.unsettled(db, NOW - timedelta(days=1), NOW) == [(parent, child)]
    assert await subaccounts.unsettled(db, NOW, NOW) == []


async def test_an_address_is_used_in_any_case_of_its_letters(db, parent):
    with pytest.raises(accounts.EmailTaken):  # by whoever looked at the same moment
        await account(db, "MAIN@Example.org")
    assert await subaccounts.email_is_used(db, "MAIN@Example.org")
    assert not await subaccounts.email_is_used(db, "main@example.or")


async def test_an_invitation_is_used_once_and_the_newest_is_the_one(db, parent):
    child = await branch(db, parent, "a@b.c", b"a" * 12)
    for token_hash in (b"old", b"new"):
        async with db.transaction() as connection:
            await subaccounts.invite(connection, child, token_hash, NOW, NOW + timedelta(days=7))
    used = []
    for token_hash in (b"old", b"new", b"new", b"none"):
        async with db.transaction() as connection:
            used.append(await subaccounts.sign_up(connection, token_hash, 33639980001, "A", "B", "hash", NOW))
    assert used == [False, True, False, False]
    row = await subaccounts.invitation(db, b"new")
    assert (row["email"], row["parent_email"], row["used_at"], row["firstname"]) == (
        "a@b.c",
        "main@example.org",
        NOW,
        "A",
    )
    assert (await subaccounts.invitation(db, b"old"))["expires_at"] == NOW
    assert await subaccounts.invitation(db, b"none") is None


async def test_an_invitation_of_a_removed_one_is_not_used(db, parent):
    child = await branch(db, parent, "a@b.c", b"a" * 12)
    async with db.transaction() as connection:
        await subaccounts.invite(connection, child, b"link", NOW, NOW + timedelta(days=7))
        assert await subaccounts.close(connection, child, NOW)
    await db.execute("update signup set expires_at = $1", NOW + timedelta(days=7))
    async with db.transaction() as connection:
        assert not await subaccounts.sign_up(connection, b"link", 33639980001, "A", "B", "hash", NOW)


async def test_a_removal_waits_for_whoever_is_signing_up_and_neither_for_the_other(db, parent):
    child = await branch(db, parent, "a@b.c", b"a" * 12)
    async with db.transaction() as connection:
        await subaccounts.invite(connection, child, b"link", NOW, NOW + timedelta(days=7))

    async def remove():
        async with db.transaction() as connection:
            return await subaccounts.close(connection, child, NOW)

    async with db.transaction() as connection:  # as far as a sign-up is when it has used its link
        await connection.execute("update signup set expires_at = expires_at")
        removal = asyncio.create_task(remove())
        while not await db.fetchval("select exists (select from pg_locks where not granted)"):
            assert not removal.done()
        assert await subaccounts.sign_up(connection, b"link", 33639980001, "A", "B", "hash", NOW)
    assert await removal


async def test_sub_accounts_follow_the_state_and_the_prices_of_their_main_account(db, parent):
    child = await branch(db, parent, "a@b.c", b"a" * 12)
    before = (await accounts.by_id(db, child))["version"]
    await accounts.set_price(db, parent, 1, "FR", 5)
    assert (await accounts.prices(db, child, parent))[1, "FR"] == 5
    for state, shown in ((1, 1), (2, 2), (3, 0), (0, 0)):
        await accounts.set_state(db, parent, state)
        assert (await accounts.by_id(db, child))["state"] == (await accounts.by_key(db, b"a@b.c"))["state"] == shown
    await accounts.set_state(db, parent, 1)
    await accounts.set_state(db, child, 2)
    row = await accounts.by_id(db, child)
    assert (row["state"], row["version"]) == (2, before + 7)
