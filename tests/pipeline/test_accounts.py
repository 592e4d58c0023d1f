"""Accounts as the doors see them: the cache is never the last word, and settings are checked before they are stored."""

from __future__ import annotations

from datetime import UTC, datetime, time

import msgspec
import pytest

from passerelle.domain.account import AccountState
from passerelle.domain.message import TrafficClass
from passerelle.pipeline.accounts import Accounts, base_rules
from passerelle.pipeline.keys import Keyring
from passerelle.settings import Settings
from passerelle.store import accounts as store
from passerelle.store import ledger
from passerelle.store.database import Database

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


@pytest.fixture
def accounts(db: Database) -> Accounts:
    return another(db)


def another(db: Database, **settings: object) -> Accounts:
    """The accounts of another process."""
    return Accounts(db, Keyring("test"), Settings(**settings))


async def test_a_new_account_has_a_key_an_empty_wallet_and_a_secret(accounts: Accounts) -> None:
    made, key = await accounts.create("bakery@example.org", now=NOW, firstname="Alix", lastname="Martin")
    found = await accounts.find(key)
    assert found == made
    assert (made.state, made.balance, made.version) == (AccountState.ACTIVE, 0, 1)
    assert (made.firstname, made.lastname, made.email) == ("Alix", "Martin", "bakery@example.org")
    assert len(made.secrets) == 1 and len(made.secrets[0]) == 24
    assert await accounts.key(made.id) == key
    assert made.price(1, "FR") == 38_000


async def test_neither_the_key_nor_the_secret_is_in_the_database(accounts: Accounts, db: Database) -> None:
    made, key = await accounts.create("bakery@example.org", now=NOW)
    row = await db.fetchrow("select * from account")
    stored = b"".join(value for value in row.values() if isinstance(value, bytes))
    assert key.encode() not in stored and bytes.fromhex(key) not in stored and made.secrets[0] not in stored


async def test_an_address_is_taken_once(accounts: Accounts) -> None:
    await accounts.create("bakery@example.org", now=NOW)
    with pytest.raises(store.EmailTaken):
        await accounts.create("bakery@example.org", now=NOW)


async def test_a_chosen_key_and_a_parent(accounts: Accounts) -> None:
    parent, _ = await accounts.create("bakery@example.org", now=NOW)
    child, key = await accounts.create("shop@example.org", now=NOW, parent_id=parent.id, key="0" * 32)
    assert key == "0" * 32
    found = await accounts.find(key)
    assert found is not None and (found.id, found.parent_id) == (child.id, parent.id)


async def test_without_the_cache_every_change_is_seen_at_once(accounts: Accounts, db: Database) -> None:
    made, key = await accounts.create("bakery@example.org", now=NOW)
    await accounts.find(key)
    await another(db).set_state(made.id, AccountState.BLOCKED)
    found = await accounts.find(key)
    assert found is not None and found.state is AccountState.BLOCKED
    await another(db).new_key(made.id)
    assert await accounts.find(key) is None
    assert await accounts.find(key, cached=True) is None


async def test_the_cache_may_be_old_and_again_is_not(accounts: Accounts, db: Database) -> None:
    made, key = await accounts.create("bakery@example.org", now=NOW)
    await accounts.find(key, cached=True)
    await another(db).set_state(made.id, AccountState.BLOCKED)
    stale = await accounts.find(key, cached=True)
    assert stale is not None and stale.state is AccountState.ACTIVE and stale.version == 1
    fresh = await accounts.again(stale)
    assert fresh is not None and (fresh.state, fresh.version) == (AccountState.BLOCKED, 2)
    seen = await accounts.find(key, cached=True)
    assert seen is not None and seen.state is AccountState.BLOCKED, "forgotten, and read again"


async def test_again_knows_that_a_key_was_replaced(accounts: Accounts) -> None:
    made, _ = await accounts.create("bakery@example.org", now=NOW)
    key = await accounts.new_key(made.id)
    assert await accounts.again(made) is None
    found = await accounts.find(key)
    assert found is not None and await accounts.again(found) == found


async def test_an_unknown_key_finds_nobody(accounts: Accounts) -> None:
    assert await accounts.find("f" * 32) is None
    assert await accounts.find("f" * 32, cached=True) is None
    assert await accounts.by_id(999) is None
    assert await accounts.key(999) is None


async def test_credit_comes_and_goes_in_the_ledger(accounts: Accounts, db: Database) -> None:
    made, _ = await accounts.create("bakery@example.org", now=NOW)
    assert await accounts.credit(made.id, 5_000_000, NOW, "transfer") == 5_000_000
    assert await accounts.credit(made.id, -1_000_000, NOW) == 4_000_000
    assert not await ledger.wrong_wallets(db)


# --- rules ---------------------------------------------------------------------------------------------------------


def test_the_installation_says_what_an_account_does_not() -> None:
    rules = base_rules(Settings(short_code="38000", quiet_start="19:30", rate_default=7))
    assert rules == {
        "short_code": "38000",
        "stop_mention": "\nSTOP 38000",
        "quiet_start": time(19, 30),
        "quiet_end": time(8, 0),
        "rate_default": 7,
    }


async def test_an_account_has_its_own_rules_over_those_of_the_installation(accounts: Accounts, db: Database) -> None:
    made, _ = await accounts.create("bakery@example.org", now=NOW, rules={"quiet_exempt": True, "traffic_class": 1})
    await accounts.update_rules(made.id, quiet_start="21:00:00", allowed_addresses=["10.0.0.1"])
    found = await another(db, short_code="38000", quiet_end="09:00").by_id(made.id)
    assert found is not None
    rules = found.rules
    assert rules.quiet_exempt and rules.traffic_class is TrafficClass.MARKETING
    assert (rules.quiet_start, rules.quiet_end, rules.short_code) == (time(21, 0), time(9, 0), "38000")
    assert rules.allowed_addresses == ("10.0.0.1",)


@pytest.mark.parametrize("wrong", [{"quiet_start": "noon"}, {"traffic_class": 9}, {"eco": "perhaps"}])
async def test_rules_that_cannot_be_are_not_stored(accounts: Accounts, wrong: dict[str, object]) -> None:
    made, key = await accounts.create("bakery@example.org", now=NOW)
    with pytest.raises(msgspec.ValidationError):
        await accounts.update_rules(made.id, **wrong)
    with pytest.raises(msgspec.ValidationError):
        await accounts.create("clinic@example.org", now=NOW, rules=wrong)
    found = await accounts.find(key)
    assert found is not None and found.rules == made.rules
