"""Webhooks: endpoints of an account that hear what happens in any dialect, each with a secret and a filter of its own.

One rule: an account without endpoints pays nothing for them. Its rules are read anew each second at most, and so, with
them, are its endpoints.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ..domain.event_types import PING, PROGRESS, type_of, wants
from ..domain.message import EventKind
from ..store import events, webhooks
from ..store.database import Database
from ..store.events import NewEvent
from ..store.webhooks import Endpoint
from .keys import Keyring, new_webhook_secret
from .wording import Worded

BOTH_VALID = timedelta(hours=24)
"""How long the secret before a rotation signs beside the new one."""
MOST = 20  # endpoints of an account
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Listener:
    """An endpoint as the workers see it."""

    id: int
    url: str
    filters: tuple[str, ...]

    @property
    def hears_progress(self) -> bool:
        """Whether it wants the steps before the end."""
        return any(wants(self.filters, name) for name in PROGRESS)


def envelope(name: str, at: datetime, facts: dict[str, Any]) -> Worded:
    """An event as it is posted."""
    return JSON, msgspec.json.encode({"type": name, "timestamp": at, "data": facts}).decode()


class Webhooks:
    """Makes endpoints and their secrets, and tells who listens."""

    def __init__(self, db: Database, keyring: Keyring) -> None:
        self._db = db
        self._keyring = keyring

    async def create(
        self, account_id: int, url: str, filters: Sequence[str], now: datetime, description: str = ""
    ) -> tuple[Endpoint, str]:
        """A new endpoint and its secret, as Standard Webhooks writes it."""
        secret = new_webhook_secret()
        made = await webhooks.insert(
            self._db, account_id, url, description, sorted(set(filters)), self._keyring.seal(secret), now
        )
        return made, shown(secret)

    async def rotate(self, account_id: int, endpoint_id: int, now: datetime) -> str | None:
        """A new secret, the one before valid for a day more; None: there is no such endpoint."""
        secret = new_webhook_secret()
        sealed = self._keyring.seal(secret)
        done = await webhooks.rotate(self._db, account_id, endpoint_id, sealed, now + BOTH_VALID)
        return shown(secret) if done else None

    async def secrets(self, endpoint_id: int, now: datetime) -> tuple[bytes, ...]:
        """What signs now, the newest first."""
        return tuple(self._keyring.open(one) for one in await webhooks.secrets(self._db, endpoint_id, now))

    async def ping(self, endpoint: Endpoint, now: datetime) -> None:
        """Post a test event to an endpoint, whatever it filters."""
        content_type, body = envelope(PING, now, {"endpoint": str(endpoint.id)})
        event = NewEvent(endpoint.account_id, 0, 0, now, endpoint.url, content_type, body, endpoint.id)
        async with self._db.transaction() as connection:
            await events.insert(connection, [event], now, lease_seconds=0.0)

    async def listeners(self, account_ids: Sequence[int]) -> dict[int, tuple[Listener, ...]]:
        """The endpoints of those of the accounts that have some."""
        return await listeners(self._db, account_ids)


async def listeners(connection: Any, account_ids: Sequence[int]) -> dict[int, tuple[Listener, ...]]:
    """Account -> its endpoints; accounts without one are left out."""
    found: dict[int, tuple[Listener, ...]] = {}
    for account_id, endpoint_id, url, filters in await webhooks.of_accounts(connection, account_ids):
        found[account_id] = (*found.get(account_id, ()), Listener(endpoint_id, url, tuple(filters)))
    return found


Fact = tuple[int, datetime, dict[str, Any]]
"""Account, when, and what is told."""


async def announce(connection: Any, kind: EventKind, facts: Sequence[Fact], now: datetime) -> None:
    """Tell endpoints of what is no step of a message, in the transaction of the facts."""
    if not facts:
        return
    name = type_of(kind)
    heard = await listeners(connection, sorted({account_id for account_id, _, _ in facts}))
    told = [
        NewEvent(account_id, 0, kind, at, one.url, *envelope(name, at, fact), endpoint_id=one.id)
        for account_id, at, fact in facts
        for one in heard.get(account_id, ())
        if wants(one.filters, name)
    ]
    await events.insert(connection, told, now, lease_seconds=0.0)


def shown(secret: bytes) -> str:
    """`whsec_` and base64."""
    return f"whsec_{b64encode(secret).decode()}"
