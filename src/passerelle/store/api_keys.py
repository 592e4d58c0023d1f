"""Keys of the native API as rows: many an account, known by their hash, revoked and never deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from .database import Database, queries

_SQL = queries("api_keys")

NEWEST = 2**63 - 1


class ApiKey(msgspec.Struct, frozen=True):
    """A key without what makes it one. `prefix`: its beginning, for people."""

    id: int
    account_id: int
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


async def insert(
    db: Database,
    *,
    account_id: int,
    name: str,
    prefix: str,
    key_hash: bytes,
    scopes: Sequence[str],
    now: datetime,
    expires_at: datetime | None,
) -> ApiKey:
    """Keep a new key."""
    return ApiKey(*await db.fetchrow(_SQL.insert, account_id, name, prefix, key_hash, scopes, now, expires_at))


async def find(db: Database, key_hash: bytes) -> ApiKey | None:
    """The key of a hash, valid or not."""
    return _key(await db.fetchrow(_SQL.find, key_hash))


async def listing(db: Database, account_id: int, before: int = NEWEST, limit: int = 500) -> list[ApiKey]:
    """Keys of an account with an id below `before`, the newest first."""
    return [ApiKey(*row) for row in await db.fetch(_SQL.listing, account_id, before, limit)]


async def revoke(db: Database, account_id: int, key_id: int, now: datetime) -> bool:
    """Whether the account had this key and it was valid until now."""
    return await db.execute(_SQL.revoke, account_id, key_id, now) == "UPDATE 1"


async def used(db: Database, key_id: int, now: datetime) -> None:
    """Note that a key was used."""
    await db.execute(_SQL.used, key_id, now)


def _key(row: Any) -> ApiKey | None:
    return None if row is None else ApiKey(*row)
