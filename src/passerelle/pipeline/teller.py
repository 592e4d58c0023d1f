"""Who is told what: the rules of accounts as the workers read them, the wording of events, and their way out.

Rules are read at most a second late: a URL that was just changed may still get what happened before.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..domain.account import Rules
from ..domain.event_types import type_of, wants
from ..domain.message import Dialect, EventKind
from ..store.events import LEASE, Leased, NewEvent
from .accounts import Accounts
from .webhooks import Listener, envelope
from .wording import ANSWERS, Told, Wordings, kind_of, notification

FRESH = 1.0  # seconds that rules may be old
PROGRESS = frozenset({EventKind.SENT, EventKind.SUBMITTED})
Listeners = Mapping[int, Sequence[Listener]]
"""Account -> its endpoints; accounts without one are left out."""


class Teller:
    """Words events and hands them over once they are on disk. `offer` takes what was leased with the insert, without
    it they are for the workers; `listeners` finds the endpoints of accounts."""

    def __init__(
        self,
        accounts: Accounts,
        wordings: Wordings,
        offer: Callable[[Sequence[Leased]], None] | None,
        listeners: Callable[[Sequence[int]], Awaitable[Listeners]] | None = None,
    ) -> None:
        self.accounts = accounts
        self.lease = LEASE if offer is not None else 0.0
        self._wordings = wordings
        self._offer = offer
        self._find_listeners = listeners
        self._rules: dict[int, tuple[float, Rules]] = {}
        self._listeners: dict[int, Sequence[Listener]] = {}

    async def rules(self, account_ids: Iterable[int]) -> dict[int, Rules]:
        """The rules of accounts, at most FRESH old."""
        found, now, stale = {}, time.monotonic(), []
        for account_id in account_ids:
            read_at, rules = self._rules.get(account_id, (-FRESH, Rules()))
            if now - read_at > FRESH:
                account = await self.accounts.by_id(account_id)
                rules = account.rules if account is not None else Rules()
                self._rules[account_id] = (now, rules)
                stale.append(account_id)
            found[account_id] = rules
        if stale and self._find_listeners is not None:
            await self._read_listeners(stale)
        return found

    async def _read_listeners(self, account_ids: Sequence[int]) -> None:
        assert self._find_listeners is not None
        heard = await self._find_listeners(account_ids)
        for account_id in account_ids:
            self._listeners.pop(account_id, None)
        self._listeners.update(heard)

    def tells_progress(self, account_id: int, dialect: Dialect) -> bool:
        """Whether somebody wants to hear of steps before the end. Call `rules` for the account first."""
        if account_id in self._listeners and any(one.hears_progress for one in self._listeners[account_id]):
            return True
        rules = self._rules.get(account_id, (0.0, Rules()))[1]
        return bool(rules.webhook_url) if dialect is Dialect.PRIMOTEXTO else rules.dlr_waiting

    def word(self, told: Told, rules: Rules, dlr_url: str = "", reply_url: str = "") -> list[NewEvent]:
        """The events to store: in the words of the dialect, and for endpoints; often nobody wants to hear of it."""
        heard = self._for_endpoints(told, rules) if told.account_id in self._listeners else []
        if told.event in PROGRESS and told.dialect is not Dialect.PRIMOTEXTO and not rules.dlr_waiting:
            return heard
        event = notification(self._wordings, told, rules, dlr_url, reply_url)
        return heard if event is None else [event, *heard]

    def _for_endpoints(self, told: Told, rules: Rules) -> list[NewEvent]:
        """In the words of the native API, whatever the dialect of the message."""
        wording, name = self._wordings.get(Dialect.NATIVE), type_of(kind_of(told))
        worded = wording and (wording.reply if told.event in ANSWERS else wording.report)(told, rules)
        return [
            NewEvent(told.account_id, told.row_id, kind_of(told), told.at, one.url, *worded, endpoint_id=one.id)
            for one in self._listeners[told.account_id]
            if worded and wants(one.filters, name)
        ]

    def announce(self, account_id: int, kind: EventKind, at: datetime, facts: dict[str, Any]) -> list[NewEvent]:
        """For endpoints alone, of what is no step of a message. Call `rules` for the account first."""
        name = type_of(kind)
        heard = [one for one in self._listeners.get(account_id, ()) if wants(one.filters, name)]
        worded = envelope(name, at, facts) if heard else ("", "")
        return [NewEvent(account_id, 0, kind, at, one.url, *worded, endpoint_id=one.id) for one in heard]

    def post(self, leased: Sequence[Leased]) -> None:
        """After the commit: on their way."""
        if leased and self._offer is not None:
            self._offer(leased)
