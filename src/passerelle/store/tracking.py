"""Tracked links as rows: their targets, their codes, the visits.

One rule: a visit is written before it is answered, and counted once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..domain.tracking import Target
from .database import queries

_SQL = queries("tracking")

STEP = 20_000  # links that one statement adds


async def add_targets(
    connection: Any,
    account_id: int,
    submission_id: int,
    dialect: int,
    tag_key: str,
    targets: Sequence[Target],
    now: datetime,
) -> list[int]:
    """Write where the links of a submission lead; their ids, in the order of `targets`."""
    urls, titles, pages, inside = ([getattr(one, name) for one in targets] for name in ("url", "title", "html", "urls"))
    rows = await connection.fetch(
        _SQL.add_targets, account_id, submission_id, dialect, tag_key, urls, titles, pages, inside, now
    )
    return sorted(row["id"] for row in rows)


async def add_links(
    connection: Any, target_ids: Sequence[int], codes: Sequence[Sequence[str]], first_place: int = 0
) -> bool:
    """Write the links of a submission: `codes[place][n]` leads message `first_place + place` to target n.

    False where a code was taken already: roll back, and try with others.
    """
    many = max(STEP // max(len(target_ids), 1), 1)
    for start in range(0, len(codes), many):
        step = codes[start : start + many]
        flat = [code for row in step for code in row]
        places = [first_place + start + n for n, row in enumerate(step) for _ in row]
        stored = await connection.fetchval(_SQL.add_links, flat, list(target_ids) * len(step), places)
        if stored < len(flat):
            return False
    return True
