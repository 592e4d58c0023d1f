"""Accounts as the doors and the rules see them: found by key, made, credited, changed.

A cached account is only ever used for a send, whose commit checks its version: a revoked key takes effect at once.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, time
from time import monotonic
from typing import Any

import msgspec

from ..domain.account import Account, AccountState, Rules
from ..settings import Settings
from ..store import accounts as store
from ..store import ledger
from ..store.database import Database
from .keys import Keyring, new_key, new_webhook_secret
from .webhooks import Listener, listeners

CACHED = 20_000  # accounts kept by a process
FRESH = 5.0
"""Seconds that a cached account may be old: the door looks at its allowed addresses, which no commit does."""


def base_rules(settings: Settings) -> dict[str, object]:
    """What the installation's settings say where an account says nothing."""
    return {
        "short_code": settings.short_code,
        "stop_mention": settings.stop_mention.format(short_code=settings.short_code),
        "quiet_start": time.fromisoformat(settings.quiet_start),
        "quiet_end": time.fromisoformat(settings.quiet_end),
        "rate_default": settings.rate_default,
    }


class Accounts:
    """Finds, makes and changes accounts."""

    def __init__(self, db: Database, keyring: Keyring, settings: Settings) -> None:
        self.keyring = keyring
        self.settings = settings
        self._db = db
        self._rules = base_rules(settings)
        self._cache: dict[str, tuple[float, Account]] = {}  # with the monotonic second of the reading

    async def find(self, key: str, *, cached: bool = False) -> Account | None:
        """The account of a dialect key, or None. `cached` only where the commit checks the version."""
        now = monotonic()
        if cached and (known := self._cache.get(key)) is not None and now - known[0] < FRESH:
            return known[1]
        account = await self._load(await store.by_key(self._db, self.keyring.hash(key)))
        if account is None:
            self._cache.pop(key, None)
            return None
        if len(self._cache) >= CACHED:
            self._cache.clear()
        self._cache[key] = now, account
        return account

    async def by_id(self, account_id: int) -> Account | None:
        """The account as it is now."""
        return await self._load(await store.by_id(self._db, account_id))

    async def listeners(self, account_ids: Sequence[int]) -> dict[int, tuple[Listener, ...]]:
        """The endpoints of those of the accounts that have some."""
        return await listeners(self._db, account_ids)

    async def again(self, account: Account) -> Account | None:
        """The same account as it is now; None where its key has been replaced or taken away."""
        fresh = await self.by_id(account.id)
        self._cache = {key: kept for key, kept in self._cache.items() if kept[1].id != account.id}
        return fresh if fresh is not None and fresh.key_hash == account.key_hash else None

    async def _load(self, row: Any) -> Account | None:
        if row is None:
            return None
        return Account(
            id=row["id"],
            version=row["version"],
            state=AccountState(row["state"]),
            email=row["email"],
            firstname=row["firstname"],
            lastname=row["lastname"],
            rules=self.rules(row["settings"]),
            prices=await store.prices(self._db, row["id"], row["parent_id"]),
            refused_senders=await store.refused_senders(self._db, row["id"]),
            numbers=frozenset(map(str, row["numbers"])),
            balance=row["balance"],
            secrets=self._secrets(row),
            key_hash=row["key_hash"] or b"",
            parent_id=row["parent_id"] or 0,
        )

    def rules(self, own: dict[str, object]) -> Rules:
        """The rules of an account from its stored settings. Raises msgspec.ValidationError for what they cannot be."""
        return msgspec.convert(self._rules | own, Rules, strict=False)

    def _secrets(self, row: Any) -> tuple[bytes, ...]:
        sealed = [row["secret_sealed"], row["previous_secret_sealed"]]
        return tuple(self.keyring.open(bytes(one)) for one in sealed if one is not None)

    async def create(
        self,
        email: str,
        *,
        now: datetime,
        firstname: str = "",
        lastname: str = "",
        rules: dict[str, object] | None = None,
        parent_id: int | None = None,
        key: str | None = None,
    ) -> tuple[Account, str]:
        """Make an account; it and its dialect key. Raises store.accounts.EmailTaken."""
        async with self._db.transaction() as connection:
            account_id, key = await self.create_in(
                connection,
                email,
                now=now,
                firstname=firstname,
                lastname=lastname,
                rules=rules,
                parent_id=parent_id,
                key=key,
            )
        made = await self.by_id(account_id)
        assert made is not None
        return made, key

    async def create_in(
        self,
        connection: Any,
        email: str,
        *,
        now: datetime,
        firstname: str = "",
        lastname: str = "",
        rules: dict[str, object] | None = None,
        parent_id: int | None = None,
        key: str | None = None,
    ) -> tuple[int, str]:
        """The same in the caller's transaction, which EmailTaken ends: the id and the dialect key."""
        key = key or new_key()
        self.rules(rules or {})
        account_id = await store.insert(
            connection,
            parent_id=parent_id,
            email=email,
            firstname=firstname,
            lastname=lastname,
            key_hash=self.keyring.hash(key),
            key_sealed=self.keyring.seal(key.encode()),
            secret_sealed=self.keyring.seal(new_webhook_secret()),
            settings=rules or {},
            now=now,
        )
        return account_id, key

    async def credit(self, account_id: int, amount: int, now: datetime, note: str = "") -> int:
        """Put `amount` micro-euros on an account (negative: take off); the new balance."""
        return await ledger.top_up(self._db, account_id, amount, now, note)

    async def update_rules(self, account_id: int, **changes: object) -> None:
        """Change settings of an account, e.g. `quiet_exempt=True`. Raises msgspec.ValidationError for wrong ones."""
        self.rules(changes)
        await store.change_settings(self._db, account_id, changes)

    async def set_state(self, account_id: int, state: AccountState) -> None:
        """Active, disabled, blocked, or without the API."""
        await store.set_state(self._db, account_id, state)

    async def new_key(self, account_id: int) -> str:
        """Replace the dialect key; the old one is dead at once."""
        key = new_key()
        await store.replace_key(self._db, account_id, self.keyring.hash(key), self.keyring.seal(key.encode()))
        return key

    async def secrets(self, account_id: int) -> list[str]:
        """What signs its notifications, as Standard Webhooks writes it, the newest first."""
        account = await self.by_id(account_id)
        return [f"whsec_{b64encode(one).decode()}" for one in (account.secrets if account else ())]

    async def new_secret(self, account_id: int) -> None:
        """Sign with a new secret; the present one goes on signing beside it until the next time."""
        await store.replace_secret(self._db, account_id, self.keyring.seal(new_webhook_secret()))

    async def key(self, account_id: int) -> str | None:
        """The dialect key, unsealed."""
        sealed = await store.sealed_key(self._db, account_id)
        return None if sealed is None else self.keyring.open(bytes(sealed)).decode()

    async def protect_sender(self, name: str) -> None:
        """Nobody may send under this name but who is granted it."""
        await store.protect_sender(self._db, name.replace(" ", "").upper())
