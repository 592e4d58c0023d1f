"""The platform's own mails: written beside what they tell of, then carried to the mail server by the workers.

The one rule: a text may hold a secret link, so it is sealed in the outbox and gone when the mail has left.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag

from .. import telemetry
from ..clock import Clock
from ..outbound import smtp
from ..settings import MailSettings
from ..store import mails as store
from ..store.database import Database
from ..store.mails import Due
from .keys import Keyring

BATCH = 10  # mails under way at once
AGAIN = (60, 300, 900, 3600, 3 * 3600, 6 * 3600)
"""Seconds after the n-th attempt; the last one repeats for as long as the mail is worth anything."""

HOUR = timedelta(hours=1)
LIMITS = (3, 100)
"""Mails an hour to one address, and by one account."""


async def may_write(connection: Any, account_id: int, recipient: str, now: datetime) -> bool:
    """Whether an account may have a mail written to an address now; if so it counts. Its wallet is locked."""
    return await store.note_written(connection, account_id, recipient, now, now - HOUR, LIMITS)


async def write(
    connection: Any,
    keyring: Keyring,
    account_id: int,
    recipient: str,
    subject: str,
    text: str,
    now: datetime,
    valid_until: datetime,
) -> None:
    """Put a mail into the outbox, in the caller's transaction."""
    sealed = keyring.seal(text.encode())
    await store.insert(connection, account_id, recipient, subject, sealed, now, valid_until)


class Outbox:
    """Carries mails out; any number of workers may."""

    def __init__(self, db: Database, keyring: Keyring, settings: MailSettings, clock: Clock) -> None:
        self._db = db
        self._keyring = keyring
        self._settings = settings
        self._clock = clock

    async def carry(self) -> int:
        """Send what is due; how many were tried. Without a mail server they stay."""
        if not self._settings.host:
            return 0
        due = await store.lease(self._db, self._clock.now(), BATCH)
        await asyncio.gather(*map(self._carry, due))
        return len(due)

    async def _carry(self, due: Due) -> None:
        try:
            text = self._keyring.open(bytes(due.text_sealed)).decode()
        except InvalidTag:
            await store.failed(self._db, due.id, due.attempts + 1, "sealed with another master secret", None)
            return
        mail = smtp.Mail(due.recipient, due.subject, text, f"passerelle.{due.id}", due.created_at)
        refusal = await smtp.send(self._settings, mail)
        if refusal is None:
            telemetry.MAILS.labels("sent").inc()
            await store.sent(self._db, due.id)
            return
        next_at = self._next(due, refusal.failure)
        event = telemetry.Event.MAIL_GIVEN_UP if next_at is None else telemetry.Event.MAIL_FAILED
        telemetry.MAILS.labels("failed").inc()
        telemetry.log(event, mail=due.id, attempts=due.attempts + 1, error=refusal.word)
        await store.failed(self._db, due.id, due.attempts + 1, refusal.word[:500], next_at)

    def _next(self, due: Due, failure: smtp.Failure) -> datetime | None:
        """When to try again; None: never."""
        at = self._clock.now() + timedelta(seconds=AGAIN[min(due.attempts, len(AGAIN) - 1)])
        return None if failure is smtp.Failure.PERMANENT or at > due.valid_until else at
