"""Visits by people, counted: opens, clicks and time on pages, who opened first, and that the message arrived.

One rule: a visit is marked as counted in the transaction of its figures, so that any number of workers count it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..clock import Clock
from ..store import statistics, tracking
from ..store.database import Database
from ..store.events import Leased
from ..store.messages import MessageRow
from ..store.statistics import Delta, Figure
from ..store.tracking import Uncounted
from .settle import Settlement, prove
from .teller import Teller

BATCH = 1_000


class Visits:
    """Counts what `serve` has written down."""

    def __init__(self, db: Database, teller: Teller, clock: Clock) -> None:
        self._db = db
        self._teller = teller
        self._clock = clock

    async def count(self) -> int:
        """Count what there is; how many visits."""
        total = 0
        while counted := await self._count():
            total += counted
            if counted < BATCH:
                break
        return total

    async def _count(self) -> int:
        now = self._clock.now()
        leased: list[Leased] = []
        async with self._db.transaction() as connection:
            taken = await tracking.take_uncounted(connection, BATCH)
            if taken:
                known = [one for one in taken if one.account_id is not None]
                settlement = Settlement(connection, now, self._teller)
                await settlement.load((one.account_id or 0, one.message_id or 0) for one in known if one.news)
                for one in known:
                    row = settlement.row((one.account_id or 0, one.message_id or 0))
                    if row is not None:
                        _seen(row, one)
                leased = await settlement.save()
                await statistics.add_distinct(connection, _distinct(known))
                await statistics.insert(connection, _deltas(known, now.replace(minute=0, second=0, microsecond=0)))
                await tracking.mark_counted(connection, [one.id for one in taken])
        self._teller.post(leased)
        return len(taken)


def _seen(row: MessageRow, visit: Uncounted) -> None:
    prove(row, visit.at)
    if visit.link == 0:
        row.opened_at = row.opened_at or visit.at


def _is_click(visit: Uncounted) -> bool:
    """Whether it came to an address of the sender: at once, or from a page of ours."""
    return visit.link > 0 or not visit.is_page


def _distinct(visits: Sequence[Uncounted]) -> list[tuple[int, int, int, str, int]]:
    """Numbers that are counted once; a message that was forgotten has none."""
    rows = []
    for one in visits:
        if one.phone is None:
            continue
        of = (one.account_id or 0, one.dialect or 0)
        if one.link == 0:
            rows.append((*of, int(Figure.OPENERS), one.tag_key or "", one.phone))
        if _is_click(one):
            rows.append((*of, int(Figure.CLICKERS), one.tag_key or "", one.phone))
    return rows


def _deltas(visits: Sequence[Uncounted], hour: datetime) -> list[Delta]:
    """By account, dialect and tag."""
    sums: dict[tuple[int, int, str], dict[str, int]] = {}
    for one in visits:
        key = (one.account_id or 0, one.dialect or 0, one.tag_key or "")
        figures = sums.setdefault(key, dict.fromkeys(("opens", "clicks", "visits", "seconds"), 0))
        figures["opens"] += one.link == 0
        figures["clicks"] += _is_click(one)
        figures["visits"] += one.link == 0 and bool(one.is_page)
        figures["seconds"] += one.seconds
    return [Delta(account, dialect, tag, hour, **figures) for (account, dialect, tag), figures in sums.items()]
