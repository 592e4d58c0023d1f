"""Keys of the native API: made and shown once, found again by their hash, revoked.

One rule: the whole key is in nobody's hands but its owner's; a revoked one is refused from the commit on, as every
call looks it up.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from ..domain.scopes import is_scope
from ..store import api_keys as store
from ..store.api_keys import ApiKey
from ..store.database import Database
from .keys import Keyring

MARK = "pak_"
SHOWN = len(MARK) + 8  # characters of a key that stay visible
LONGEST = 64  # characters of what may be a key
NOTED = timedelta(minutes=1)
"""How old `last_used_at` may be while a key is used."""


class ApiKeys:
    """Makes and finds keys."""

    def __init__(self, db: Database, keyring: Keyring) -> None:
        self._db = db
        self._keyring = keyring

    async def create(
        self, account_id: int, name: str, scopes: Sequence[str], now: datetime, expires_at: datetime | None = None
    ) -> tuple[ApiKey, str]:
        """A new key as kept, and the whole of it. Raises ValueError for a scope that there is not."""
        if unknown := [scope for scope in scopes if not is_scope(scope)]:
            raise ValueError(f"there is no scope {unknown[0]!r}")
        whole = f"{MARK}{secrets.token_hex(24)}"
        made = await store.insert(
            self._db,
            account_id=account_id,
            name=name,
            prefix=whole[:SHOWN],
            key_hash=self._keyring.hash(whole),
            scopes=sorted(set(scopes)),
            now=now,
            expires_at=expires_at,
        )
        return made, whole

    async def find(self, whole: str, now: datetime) -> ApiKey | None:
        """The valid key, its use noted; None for all else."""
        if not whole.startswith(MARK) or len(whole) > LONGEST:
            return None
        found = await store.find(self._db, self._keyring.hash(whole))
        if found is None or not found.is_valid(now):
            return None
        if found.last_used_at is None or now - found.last_used_at >= NOTED:
            await store.used(self._db, found.id, now)
        return found
