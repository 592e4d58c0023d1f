"""Who is told what: the rules of accounts as the workers read them, the wording of events, and their way out.

Rules are read at most a second late: a URL that was just changed may still get what happened before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from ..domain.account import Rules
from ..domain.message import Dialect, EventKind
from ..store.events import Leased, NewEvent
from .accounts import Accounts
from .wording import Told, Wordings, notification

FRESH = 1.0  # seconds that rules may be old
PROGRESS = frozenset({EventKind.SENT, EventKind.SUBMITTED})


class Teller:
    """Words events and hands them over once they are on disk. `offer` takes what was leased with the insert."""

    def __init__(self, accounts: Accounts, wordings: Wordings, offer: Callable[[Sequence[Leased]], None]) -> None:
        self.accounts = accounts
        self._wordings = wordings
        self._offer = offer
        self._rules: dict[int, tuple[float, Rules]] = {}

    async def rules(self, account_ids: Iterable[int]) -> dict[int, Rules]:
        """The rules of accounts, at most FRESH old."""
        found, now = {}, time.monotonic()
        for account_id in account_ids:
            read_at, rules = self._rules.get(account_id, (-FRESH, Rules()))
            if now - read_at > FRESH:
                account = await self.accounts.by_id(account_id)
                rules = account.rules if account is not None else Rules()
                self._rules[account_id] = (now, rules)
            found[account_id] = rules
        return found

    def tells_progress(self, account_id: int, dialect: Dialect) -> bool:
        """Whether somebody wants to hear of steps before the end. Call `rules` for the account first."""
        rules = self._rules.get(account_id, (0.0, Rules()))[1]
        return bool(rules.webhook_url) if dialect is Dialect.PRIMOTEXTO else rules.dlr_waiting

    def word(self, told: Told, rules: Rules, dlr_url: str = "", reply_url: str = "") -> list[NewEvent]:
        """The event to store, or nothing where nobody wants to hear of it."""
        if told.event in PROGRESS and told.dialect is not Dialect.PRIMOTEXTO and not rules.dlr_waiting:
            return []
        event = notification(self._wordings, told, rules, dlr_url, reply_url)
        return [] if event is None else [event]

    def post(self, leased: Sequence[Leased]) -> None:
        """After the commit: on their way."""
        if leased:
            self._offer(leased)
