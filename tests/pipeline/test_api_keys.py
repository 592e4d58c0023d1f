"""Keys of the native API: what is kept is no key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.api_keys import MARK, ApiKeys
from passerelle.pipeline.keys import Keyring
from passerelle.settings import Settings
from passerelle.store import api_keys
from passerelle.store.database import Database

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


async def test_a_key_is_found_while_it_is_valid(db: Database) -> None:
    keyring = Keyring("test")
    account, _ = await Accounts(db, keyring, Settings()).create("a@b.c", now=NOW)
    keys = ApiKeys(db, keyring)
    made, whole = await keys.create(account.id, "shop", ["messages:*", "messages:*"], NOW, NOW + timedelta(hours=1))
    assert whole.startswith(made.prefix) and whole.startswith(MARK) and made.scopes == ["messages:*"]
    found = await keys.find(whole, NOW)
    assert found is not None and (found.id, found.account_id, found.last_used_at) == (made.id, account.id, None)
    assert await keys.find(whole, NOW + timedelta(hours=1)) is None
    assert await ApiKeys(db, Keyring("other")).find(whole, NOW) is None
    for wrong in ("", MARK, whole[:-1], whole + "0", whole.upper(), whole * 9):
        assert await keys.find(wrong, NOW) is None
    assert await api_keys.revoke(db, account.id, made.id, NOW)
    assert await keys.find(whole, NOW) is None
    with pytest.raises(ValueError, match="fly"):
        await keys.create(account.id, "x", ["fly"], NOW)
