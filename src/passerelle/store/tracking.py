"""Tracked links as rows: their targets, their codes, the visits.

One rule: a visit is written before it is answered, and counted once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

import asyncpg

from ..domain.links import LIVE, is_target
from ..domain.tracking import Target
from .copying import Columns, copy
from .database import Database, columns, queries

_SQL = queries("tracking")

MOST_SECONDS = 1_800  # of a visit


class Asked(NamedTuple):
    """A link that is followed. `link`: 0, or which of the page behind it; `robot`: a `domain.links.Robot`."""

    code: str
    link: int
    robot: int


class Led(NamedTuple):
    """Where it leads: to `url`, or to the page of the target. No target: a short link that was written by itself."""

    target_id: int | None
    visit_id: int | None
    url: str | None


class Stay(NamedTuple):
    """How many seconds in all a page was seen at a visit, as its code and the visit are named there."""

    code: str
    visit_id: int
    seconds: int


class Holder(NamedTuple):
    """The message that a link was sent in. `listed`: its number is on the stop list."""

    account_id: int
    message_id: int
    phone: int
    stopped: bool
    listed: bool


class Uncounted(NamedTuple):
    """A visit by somebody, and what it counts for; nothing where its target is gone, no message where that is.

    `news`: that it was opened, or that it arrived, is new for the message.
    """

    id: int
    at: datetime
    link: int
    seconds: int
    account_id: int | None
    dialect: int | None
    tag_key: str | None
    is_page: bool | None
    message_id: int | None
    phone: int | None
    news: bool | None


class Visit(NamedTuple):
    """Who came: message `place` of the submission, through which link, person or `domain.links.Robot`."""

    target_id: int
    place: int
    id: int
    link: int
    at: datetime
    robot: int
    seconds: int


# --- what is sent --------------------------------------------------------------------------------------------------


async def add_targets(
    connection: Any,
    account_id: int,
    submission_id: int,
    dialect: int,
    tag_key: str,
    targets: Sequence[Target],
    now: datetime,
) -> list[int]:
    """Write where the links of a submission lead; their ids, in the order of `targets`. Raises ValueError where a link
    may not lead there."""
    for url in _urls(targets):
        if not is_target(url):
            raise ValueError(f"no link may lead to {url!r}")
    urls, titles, pages, inside = ([getattr(one, name) for one in targets] for name in ("url", "title", "html", "urls"))
    rows = await connection.fetch(
        _SQL.add_targets, account_id, submission_id, dialect, tag_key, urls, titles, pages, inside, now
    )
    return sorted(row["id"] for row in rows)


def _urls(targets: Iterable[Target]) -> Iterable[str]:
    for one in targets:
        yield from one.urls if one.url is None else (one.url,)


async def add_links(
    connection: Any, target_ids: Sequence[int], codes: Sequence[Sequence[str]], first_place: int = 0
) -> bool:
    """Write the links of a submission: `codes[place][n]` leads message `first_place + place` to target n.

    False where a code was taken already: roll back, and try with others.
    """
    places = range(first_place, first_place + len(codes))
    return await add_links_at(connection, target_ids, codes, places)


async def add_links_at(
    connection: Any, target_ids: Sequence[int], codes: Sequence[Sequence[str]], places: Sequence[int]
) -> bool:
    """The same for messages that do not follow one another."""
    if any(len(own) != len(target_ids) for own in codes):
        raise ValueError("a code for each target")
    rows = Columns(
        shared={},
        bigints={"target_id": list(target_ids) * len(codes)},
        integers={"place": [place for place in places for _ in target_ids]},
        texts={"code": list(chain.from_iterable(codes))},
    )
    try:
        await copy(connection, "tracked_link", rows)
    except asyncpg.UniqueViolationError:
        return False
    return True


async def drop_links(
    connection: Any, account_id: int, submission_id: int, but: Sequence[int], places: Sequence[int]
) -> None:
    """Delete the links of messages of a submission that lead elsewhere than to the targets `but`."""
    await connection.execute(_SQL.drop_links, account_id, submission_id, but, places)


# --- who comes -----------------------------------------------------------------------------------------------------


async def visit(db: Database, asked: Sequence[Asked], now: datetime) -> list[Led | None]:
    """Write down who followed which links; where each leads, or None where it leads nowhere."""
    led: list[Led | None] = [None] * len(asked)
    for n, target_id, visit_id, url in await db.fetch(_SQL.visit, *columns(asked), now, now - LIVE):
        led[n - 1] = Led(target_id, visit_id, url)
    return led


async def spend(db: Database, stays: Sequence[Stay], now: datetime) -> None:
    """Write down how long people have stayed; a stay only grows, and what names no visit of its code is ignored."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    await db.execute(_SQL.spend, *columns(stays), now, MOST_SECONDS, hour)


async def page(db: Database, target_id: int) -> Target | None:
    """The page that a target is."""
    row = await db.fetchrow(_SQL.page, target_id)
    return None if row is None else Target(row["url"], row["title"], row["html"], tuple(row["urls"]))


async def whose(connection: Any, code: str, now: datetime) -> Holder | None:
    """To whom a link was sent."""
    row = await connection.fetchrow(_SQL.whose, code, now - LIVE)
    return None if row is None else Holder(*row)


# --- what is counted -----------------------------------------------------------------------------------------------


async def take_uncounted(connection: Any, limit: int) -> list[Uncounted]:
    """Lock up to `limit` visits that nobody has counted or is counting, the oldest first."""
    return [Uncounted(*row) for row in await connection.fetch(_SQL.take_uncounted, limit)]


async def mark_counted(connection: Any, ids: Sequence[int]) -> None:
    """They are counted now."""
    await connection.execute(_SQL.mark_counted, ids)


async def visits(
    db: Database, account_id: int, submission_id: int, after: tuple[int, int, int] = (0, 0, 0), limit: int = 500
) -> list[Visit]:
    """Who came through the links of a submission, people and robots: by target, place and time; `after`: the target,
    place and id of the last that is known."""
    rows = await db.fetch(_SQL.visits, account_id, submission_id, *after, limit)
    return [Visit(*row) for row in rows]
