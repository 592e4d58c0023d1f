"""Endpoints and deliveries as rows of one account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.keys import Keyring
from passerelle.settings import Settings
from passerelle.store import webhooks
from passerelle.store.database import Database
from passerelle.store.webhooks import DeliveryState, Endpoint, Tried

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
EVERY = list(DeliveryState)


async def endpoint(db: Database, email: str = "a@b.c") -> Endpoint:
    account, _ = await Accounts(db, Keyring("test"), Settings()).create(email, now=NOW)
    return await webhooks.insert(db, account.id, "https://a.example/", "", ["*"], b"s", NOW)


def tried(one: Endpoint, n: int, at: datetime = NOW, state: DeliveryState = DeliveryState.WAITING) -> Tried:
    return Tried(one.account_id, one.id, str(UUID(int=n)), 0, 3, NOW, f"body {n}", 1, 500, "x", state, at, None)


async def test_an_attempt_is_logged_over_the_one_before_and_never_under_it(db: Database) -> None:
    one = await endpoint(db)
    later = NOW + timedelta(minutes=1)
    await webhooks.log(db, [])
    await webhooks.log(db, [tried(one, 1), tried(one, 2), tried(one, 1)])
    await webhooks.log(db, [tried(one, 1, later, DeliveryState.DELIVERED)])
    await webhooks.log(db, [tried(one, 1)])
    found = await webhooks.deliveries(db, one.account_id, one.id, EVERY)
    assert [(row.uuid[-1], row.state) for row in found] == [("2", 0), ("1", 2)]
    assert [row.uuid[-1] for row in await webhooks.deliveries(db, one.account_id, one.id, EVERY, found[0].id, 1)] == [
        "1"
    ]
    assert await webhooks.deliveries(db, one.account_id + 1, one.id, EVERY) == []


async def test_what_is_off_is_not_listened_to(db: Database) -> None:
    one = await endpoint(db)
    asked = (db, one.account_id, one.id, "https://b.example/", "b", ["message.*"])
    assert await webhooks.of_accounts(db, [one.account_id]) == [(one.account_id, one.id, one.url, ["*"])]
    off = await webhooks.update(*asked, False, NOW)
    assert off is not None and off.disabled_at == NOW and await webhooks.of_accounts(db, [one.account_id]) == []
    assert await webhooks.replay(db, off, NOW, since=NOW, states=EVERY) == 0
    on = await webhooks.update(*asked, True, NOW)
    assert on is not None and on.disabled_at is None and on.url == "https://b.example/"
    await webhooks.disable(db, one.id, "gone", NOW)
    await webhooks.disable(db, one.id, "again", NOW)
    known = await webhooks.find(db, one.account_id, one.id)
    assert known is not None and known.disabled_why == "gone"
    assert await webhooks.remove(db, one.account_id, one.id, NOW) and not await webhooks.remove(
        db, one.account_id, one.id, NOW
    )
    assert await webhooks.find(db, one.account_id, one.id) is None and await webhooks.count(db, one.account_id) == 0
    assert await webhooks.update(*asked, True, NOW) is None and not await webhooks.rotate(*asked[:3], b"x", NOW)


async def test_other_accounts_change_nothing(db: Database) -> None:
    one, other = await endpoint(db), await endpoint(db, "x@y.z")
    assert not await webhooks.remove(db, other.account_id, one.id, NOW)
    assert not await webhooks.rotate(db, other.account_id, one.id, b"x", NOW)
    assert await webhooks.update(db, other.account_id, one.id, "https://x/", "", ["*"], False, NOW) is None
    assert [row.id for row in await webhooks.listing(db, other.account_id)] == [other.id]
    assert await webhooks.secrets(db, one.id, NOW) == [b"s"]


async def test_old_deliveries_are_forgotten(db: Database) -> None:
    one = await endpoint(db)
    await webhooks.log(db, [tried(one, n, NOW + timedelta(minutes=n)) for n in range(4)])
    assert await webhooks.forget_deliveries(db, NOW + timedelta(minutes=2)) == 2
    assert len(await webhooks.deliveries(db, one.account_id, one.id, EVERY)) == 2
