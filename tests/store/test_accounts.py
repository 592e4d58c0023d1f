"""Accounts as rows: what a cached account must see raises the version of its wallet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from passerelle.store import accounts
from passerelle.store.database import Database

T0 = datetime(2026, 11, 12, 8, 0, tzinfo=UTC)


async def made(db: Database, email: str = "bakery@example.org", parent_id: int | None = None) -> int:
    return await accounts.insert(
        db,
        parent_id=parent_id,
        email=email,
        firstname="Alix",
        lastname="Martin",
        key_hash=email.encode(),
        key_sealed=b"sealed",
        secret_sealed=b"secret",
        settings={"eco": False},
        now=T0,
    )


async def version(db: Database, account_id: int) -> int:
    row = await accounts.by_id(db, account_id)
    return int(row["version"])


async def test_an_account_is_found_by_its_key_its_number_and_its_address(db: Database) -> None:
    one = await made(db)
    row = await accounts.by_key(db, b"bakery@example.org")
    assert (row["id"], row["email"], row["settings"], row["balance"], row["state"]) == (
        one, "bakery@example.org", {"eco": False}, 0, 0,
    )  # fmt: skip
    assert dict(await accounts.by_id(db, one)) == dict(row)
    assert await accounts.id_of(db, "bakery@example.org") == one
    assert await accounts.sealed_key(db, one) == b"sealed"
    assert await accounts.by_key(db, b"other") is None
    assert await accounts.by_id(db, one + 1) is None
    assert await accounts.id_of(db, "nobody@example.org") is None


async def test_an_address_belongs_to_one_account_and_a_refusal_leaves_nothing(db: Database) -> None:
    one = await made(db)
    with pytest.raises(accounts.EmailTaken):
        await made(db)
    two = await made(db, "clinic@example.org", parent_id=one)
    assert [row["id"] for row in await accounts.listing(db)] == [one, two]
    assert (await accounts.by_id(db, two))["parent_id"] == one
    assert await db.fetchval("select count(*) from wallet") == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda db, one: accounts.change_settings(db, one, {"eco": True}),
        lambda db, one: accounts.replace_key(db, one, b"new", b"new"),
        lambda db, one: accounts.set_state(db, one, 2),
        lambda db, one: accounts.set_price(db, one, 1, "FR", 30_000),
        lambda db, one: accounts.set_price(db, 0, 1, "BE", 50_000),
        lambda db, one: accounts.protect_sender(db, "BANQUE"),
        lambda db, one: accounts.grant_sender(db, one, "BANQUE"),
    ],
    ids=["settings", "key", "state", "price", "default price", "protected sender", "granted sender"],
)
async def test_every_change_raises_the_version(
    db: Database, change: Callable[[Database, int], Awaitable[None]]
) -> None:
    one = await made(db)
    before = await version(db, one)
    await change(db, one)
    assert await version(db, one) == before + 1


async def test_a_change_of_one_account_leaves_the_others_cached(db: Database) -> None:
    one, two = await made(db), await made(db, "clinic@example.org")
    await accounts.set_price(db, one, 1, "FR", 30_000)
    await accounts.change_settings(db, one, {"eco": True})
    assert await version(db, two) == 1


async def test_settings_are_merged(db: Database) -> None:
    one = await made(db)
    await accounts.change_settings(db, one, {"short_code": "38000"})
    assert (await accounts.by_id(db, one))["settings"] == {"eco": False, "short_code": "38000"}


async def test_a_replaced_key_finds_nobody(db: Database) -> None:
    one = await made(db)
    await accounts.replace_key(db, one, b"new", b"sealed anew")
    assert await accounts.by_key(db, b"bakery@example.org") is None
    assert (await accounts.by_key(db, b"new"))["id"] == one
    assert await accounts.sealed_key(db, one) == b"sealed anew"


async def test_own_prices_go_before_those_of_the_installation(db: Database) -> None:
    one = await made(db)
    default = await accounts.prices(db, one)
    assert (default[1, "FR"], default[2, "RE"], default[3, "*"]) == (38_000, 23_000, 5_000)
    assert (1, "BE") not in default, "other countries have no price until somebody sets one"
    await accounts.set_price(db, one, 1, "FR", 31_000)
    await accounts.set_price(db, 0, 1, "FR", 40_000)
    await accounts.set_price(db, one, 1, "FR", 30_000)
    assert (await accounts.prices(db, one))[1, "FR"] == 30_000
    assert (await accounts.prices(db, one + 1))[1, "FR"] == 40_000


async def test_a_protected_sender_is_refused_but_to_whom_it_is_granted(db: Database) -> None:
    one, two = await made(db), await made(db, "clinic@example.org")
    for _ in range(2):
        await accounts.protect_sender(db, "BANQUE")
        await accounts.grant_sender(db, one, "BANQUE")
    assert await accounts.refused_senders(db, one) == frozenset()
    assert await accounts.refused_senders(db, two) == {"BANQUE"}
