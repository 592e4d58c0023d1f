"""Short links: made for an account, followed by anybody.

One rule: a link is given out only when it leads somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..clock import Clock
from ..domain import links
from ..store import links as store
from ..store.database import Database


class Links:
    """The links that this installation gives out. `host`: of short links, '' for none; `hosts`: of customers; `site`:
    before paths of public pages."""

    def __init__(
        self, db: Database, clock: Clock, *, host: str = "", hosts: Sequence[str] = (), site: str = ""
    ) -> None:
        self._db = db
        self._clock = clock
        self._host = host
        self._hosts = frozenset(hosts)
        self._site = site

    def address(self, code: str, host: str = "") -> str:
        """The link of a code; `host`: that a customer wants. Where that leads here no more, that of the platform."""
        return links.address(code, host if host in self._hosts else self._host, self._site)

    async def shorten(self, account_id: int, urls: Sequence[str]) -> list[str]:
        """A new short link for each address; what no link may lead to stays as it is."""
        targets = [url for url in urls if links.is_target(url)]
        codes = iter(await store.make_many(self._db, account_id, targets, self._clock.now()) if targets else ())
        return [self.address(next(codes)) if links.is_target(url) else url for url in urls]
