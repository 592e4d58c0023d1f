"""Keys as rows of one account."""

from __future__ import annotations

from datetime import UTC, datetime

from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.keys import Keyring
from passerelle.settings import Settings
from passerelle.store import api_keys
from passerelle.store.database import Database

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


async def test_keys_are_listed_and_revoked_by_their_account_alone(db: Database) -> None:
    accounts = Accounts(db, Keyring("test"), Settings())
    own, other = [(await accounts.create(f"{name}@b.c", now=NOW))[0].id for name in "xy"]
    made = [
        await api_keys.insert(
            db, account_id=own, name=str(n), prefix="p", key_hash=bytes([n]), scopes=["*"], now=NOW, expires_at=None
        )
        for n in range(3)
    ]
    assert [key.id for key in await api_keys.listing(db, own)] == [key.id for key in reversed(made)]
    assert [key.id for key in await api_keys.listing(db, own, made[2].id, 1)] == [made[1].id]
    assert await api_keys.listing(db, other) == []
    assert await api_keys.revoke(db, other, made[0].id, NOW) is False
    assert await api_keys.revoke(db, own, made[0].id, NOW) is True
    assert await api_keys.revoke(db, own, made[0].id, NOW) is False
    found = await api_keys.find(db, b"\0")
    assert found is not None and not found.is_valid(NOW)
    await api_keys.used(db, made[1].id, NOW)
    again = await api_keys.find(db, b"\1")
    assert again is not None and again.last_used_at == NOW
