"""Short links: made for an account, followed by anybody, clicks counted.

One rule: who clicks never waits for the count. Clicks are gathered and written down each second, and when the program
ends; a crash loses a second of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from .. import telemetry
from ..clock import Clock
from ..domain import links
from ..store import links as store
from ..store.database import Database, is_transient
from ..store.links import Clicks

EVERY = 1.0  # seconds


class Links:
    """The short links of this process. `host`: of short links, '' for none; `site`: before paths of public pages."""

    def __init__(self, db: Database, clock: Clock, *, host: str = "", site: str = "") -> None:
        self._db = db
        self._clock = clock
        self._host = host
        self._site = site
        self._seen: dict[str, Clicks] = {}

    def address(self, code: str, host: str = "") -> str:
        """The link of a code; `host`: of the customer, '' for that of the platform."""
        return links.address(code, host or self._host, self._site)

    async def shorten(self, account_id: int, urls: Sequence[str]) -> list[str]:
        """A new short link for each address; what no link may lead to stays as it is."""
        targets = [url for url in urls if links.is_target(url)]
        codes = iter(await store.make_many(self._db, account_id, targets, self._clock.now()) if targets else ())
        return [self.address(next(codes)) if links.is_target(url) else url for url in urls]

    async def follow(self, code: str) -> str | None:
        """Where a code leads now."""
        found = await store.find(self._db, code) if links.is_code(code) else None
        if found is None or (found.expires_at is not None and found.expires_at <= self._clock.now()):
            return None
        return found.url

    # --- clicks ----------------------------------------------------------------------------------------------------

    def count(self, code: str) -> None:
        """Somebody clicked."""
        now = self._clock.now()
        known = self._seen.get(code, Clicks(code, 0, now, now))
        self._seen[code] = known._replace(clicks=known.clicks + 1, last_at=now)

    async def run(self) -> None:
        """Write clicks down each second, for ever; what cannot be written now is written later."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.flush()
            except Exception as error:
                if not is_transient(error):
                    telemetry.log(telemetry.Event.WORKER_FAILED, room="links", error=type(error).__name__)

    async def flush(self) -> None:
        """Write down what was counted."""
        seen, self._seen = self._seen, {}
        try:
            await store.click(self._db, list(seen.values()))
        except Exception:
            for code, clicks in seen.items():
                self._seen[code] = _together(clicks, self._seen.get(code))
            raise


def _together(first: Clicks, then: Clicks | None) -> Clicks:
    return first if then is None else first._replace(clicks=first.clicks + then.clicks, last_at=then.last_at)
