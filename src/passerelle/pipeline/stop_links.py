"""STOP without an SMS: said on the page behind the link of a message.

One rule: it does what a STOP by SMS does, through the same code; said again it changes nothing, unless the number was
taken off the list since.
"""

from __future__ import annotations

import asyncio

from ..clock import Clock
from ..store import messages, tracking
from ..store.database import Database
from ..store.events import Leased
from ..store.replies import Answered, WholeText
from ..store.tracking import Holder
from .inbound import Inbound
from .teller import Teller

SAID = "STOP"
RECIPIENT = "link"
"""Where such a STOP came in, as replies tell it: no short code has this name."""


class StopLinks:
    """Opt-outs by the links of this installation."""

    def __init__(self, db: Database, inbound: Inbound, teller: Teller, clock: Clock) -> None:
        self._db = db
        self._inbound = inbound
        self._teller = teller
        self._clock = clock
        self._one = asyncio.Lock()  # each reads rules while it holds a connection of the same pool

    async def look(self, code: str) -> Holder | None:
        """To whom a link was sent, and whether it is on the stop list; None: to nobody who is known."""
        return await tracking.whose(self._db, code, self._clock.now())

    async def stop(self, code: str) -> Holder | None:
        """Never again to the number that this link was sent to."""
        leased: list[Leased] = []
        async with self._one, self._db.transaction() as connection:
            now = self._clock.now()
            holder = await tracking.whose(connection, code, now)
            if holder is None:
                return None
            await messages.lock(connection, [(holder.account_id, holder.message_id)])
            holder = await tracking.whose(connection, code, now)  # as it is now that nobody else changes it
            if holder is not None and not (holder.stopped and holder.listed):
                text = WholeText(0, holder.phone, RECIPIENT, 0, 1, ((1, SAID),), now)
                answered = Answered(1, holder.account_id, holder.message_id, "")
                leased = await self._inbound.take_stop(connection, text, answered, now)
        self._teller.post(leased)
        return holder
