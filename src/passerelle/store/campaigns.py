"""Campaigns as rows, and what is done with the submissions behind them.

The one rule: the row of a campaign changes in the transaction that changes its submission, or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from ..domain.campaigns import Stage
from .database import Database, columns, queries
from .tokens import new_token

SQL = queries("campaigns")

NEWEST = ALL = 2**63 - 1
MOST_DRAFTS = 1_000  # of an account, with what was cancelled before it left: all that can be deleted
LISTED_PAGES = 4_000_000  # bytes of pages in a list of campaigns; those of more campaigns are told one by one


class DraftsFullError(Exception):
    """The account has as many drafts and cancelled campaigns as it may: some are to be deleted, or drafts launched."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a campaign is to be. To whom: `list_id` with its `list_token`, or `group_id`."""

    name: str
    traffic: int
    text: str
    sender: str = ""
    list_id: int | None = None
    list_token: bytes | None = None
    group_id: int | None = None
    due_at: datetime | None = None
    flash: bool = False
    page: int = 0
    url: str = ""
    page_title: str = ""
    page_html: str = ""
    test_phone: str = ""
    clean_bounces: bool = True
    clean_stops: bool = True
    keep_list: bool = True
    kind: str = "STANDARD"


class Campaign(msgspec.Struct, frozen=True):
    """A campaign. From `messages` on: of its submission, None before it is launched; money in micro-euros."""

    account_id: int
    id: int
    token: bytes
    dialect: int
    name: str
    kind: str
    traffic: int
    text: str
    sender: str
    list_id: int | None
    list_token: bytes | None
    group_id: int | None
    asked_at: datetime | None  # the time asked for
    flash: bool
    page: int
    url: str
    page_title: str
    page_html: str | None  # None: left out of a list
    test_phone: str
    clean_bounces: bool
    clean_stops: bool
    keep_list: bool
    stage: int
    submission_id: int | None
    contacts: int
    left_out: dict[str, int]
    launched_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    settled: int
    messages: int | None
    charged: int | None
    due_at: datetime | None
    paused_at: datetime | None

    @property
    def cost(self) -> int:
        """What was taken for it, edits included."""
        return (self.charged or 0) + self.settled

    @property
    def draft(self) -> Draft:
        """As it was written."""
        return Draft(
            name=self.name, traffic=self.traffic, text=self.text, sender=self.sender, list_id=self.list_id,
            list_token=self.list_token, group_id=self.group_id, due_at=self.asked_at, flash=self.flash, page=self.page,
            url=self.url, page_title=self.page_title, page_html=self.page_html or "", test_phone=self.test_phone,
            clean_bounces=self.clean_bounces, clean_stops=self.clean_stops, keep_list=self.keep_list, kind=self.kind,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moving:
    """Which submissions are under way: of which something has left, of which something is left."""

    begun: frozenset[int] = frozenset()
    left: frozenset[int] = frozenset()


class Skipped(NamedTuple):
    """A contact to whom nothing was sent."""

    position: int
    phone: str
    reason: str


class Over(NamedTuple):
    """A campaign of which everything has left."""

    account_id: int
    id: int
    keep_list: bool
    list_token: bytes | None


class Halting(NamedTuple):
    """A submission, locked."""

    id: int
    messages: int
    traffic: int
    campaign_id: bytes | None
    paused_at: datetime | None
    cancelled_at: datetime | None
    due_at: datetime
    dialect: int
    tag_key: str

    @property
    def end(self) -> int:
        """The id behind its last message."""
        return self.id + self.messages


def _written(one: Draft) -> tuple[object, ...]:
    return (
        one.name, one.kind, one.traffic, one.text, one.sender, one.list_id, one.list_token, one.group_id, one.due_at,
        one.flash, one.page, one.url, one.page_title, one.page_html, one.test_phone, one.clean_bounces, one.clean_stops,
        one.keep_list,
    )  # fmt: skip


async def insert(db: Database, account_id: int, dialect: int, draft: Draft, now: datetime) -> bytes:
    """Keep a draft; its token, 12 bytes. Raises DraftsFullError."""
    token = new_token(now)
    if await db.fetchval(SQL.insert, account_id, token, dialect, *_written(draft), now, MOST_DRAFTS) is None:
        raise DraftsFullError
    return token


async def change(connection: Any, account_id: int, campaign_id: int, draft: Draft) -> bool:
    """Write another draft over one that nobody launches; whether it was a draft still."""
    status: str = await connection.execute(SQL.change, account_id, campaign_id, *_written(draft))
    return status == "UPDATE 1"


async def find(db: Any, account_id: int, token: bytes) -> Campaign | None:
    """A campaign."""
    row = await db.fetchrow(SQL.find, account_id, token)
    return None if row is None else Campaign(*row)


async def listing(db: Database, account_id: int, dialect: int = 0) -> list[Campaign]:
    """All campaigns of one dialect or, 0, of all: the oldest first."""
    return (await newest(db, account_id, NEWEST, ALL, dialect))[::-1]


async def newest(db: Database, account_id: int, before: int, limit: int, dialect: int = 0) -> list[Campaign]:
    """Campaigns of one dialect or, 0, of all, below `before`, the newest first."""
    rows = await db.fetch(SQL.newest, account_id, dialect, before, limit, LISTED_PAGES)
    return [Campaign(*row) for row in rows]


async def moving(db: Database, account_id: int, submissions: Mapping[int, int]) -> Moving:
    """How far submissions are: id -> messages."""
    if not submissions:
        return Moving()
    spans = list(submissions), [first + count for first, count in submissions.items()]
    begun = await db.fetch(SQL.begun, account_id, *spans)
    left = await db.fetch(SQL.left, account_id, *spans)
    return Moving(frozenset(row[0] for row in begun), frozenset(row[0] for row in left))


# --- launching -------------------------------------------------------------------------------------------------------


async def claim(db: Database, account_id: int, campaign_id: int, length: timedelta) -> bool:
    """Whether a draft is the caller's to launch, for so long."""
    return bool(await db.fetchval(SQL.claim, account_id, campaign_id, length))


async def unclaim(db: Database, account_id: int, campaign_id: int) -> None:
    """It was not launched."""
    await db.execute(SQL.unclaim, account_id, campaign_id)


async def launch(
    connection: Any,
    account_id: int,
    campaign_id: int,
    submission_id: int,
    contacts: int,
    left_out: Mapping[str, int],
    now: datetime,
) -> bool:
    """It is launched as this submission; False where somebody else has launched it."""
    return bool(
        await connection.fetchval(SQL.launch, account_id, campaign_id, submission_id, contacts, dict(left_out), now)
    )


async def leave_out(connection: Any, account_id: int, submission_id: int, skipped: Sequence[Skipped]) -> None:
    """Keep who was left out, and why."""
    if skipped:
        await connection.execute(SQL.leave_out, account_id, submission_id, *columns(skipped))


async def skipped(db: Database, account_id: int, submission_id: int, after: int, limit: int) -> list[Skipped]:
    """Those who were left out, behind a position."""
    return [Skipped(*row) for row in await db.fetch(SQL.skipped, account_id, submission_id, after, limit)]


async def launched_since(db: Any, account_id: int, since: datetime, dialect: int) -> int:
    """How many were launched."""
    return int(await db.fetchval(SQL.launched_since, account_id, since, dialect))


# --- ending ----------------------------------------------------------------------------------------------------------


async def set_stage(connection: Any, account_id: int, submission_id: int, stage: Stage, now: datetime) -> None:
    """The campaign of a submission, if it is one, was cancelled or stopped."""
    await connection.execute(SQL.set_stage, account_id, submission_id, stage, now)


async def delete(db: Database, account_id: int, campaign_id: int) -> bool:
    """Whether it was a draft, or cancelled; it is gone."""
    return await db.fetchval(SQL.delete, account_id, campaign_id) is not None


async def over(db: Database) -> list[Over]:
    """Campaigns that are to end: nothing of them is left in the queue."""
    return [Over(*row) for row in await db.fetch(SQL.over)]


async def end(db: Database, account_id: int, campaign_id: int, now: datetime) -> bool:
    """Everything has left; False where that was known."""
    return bool(await db.fetchval(SQL.end, account_id, campaign_id, now))


async def of_submission(db: Database, account_id: int, submission_id: int) -> bytes | None:
    """The token of the campaign that a submission is."""
    found: bytes | None = await db.fetchval(SQL.of_submission, account_id, submission_id)
    return found


# --- halting ---------------------------------------------------------------------------------------------------------


async def pause(connection: Any, account_id: int, submission_id: int, now: datetime) -> bool:
    """Nothing of a submission leaves any more; False where it was paused or cancelled."""
    return bool(await connection.fetchval(SQL.pause, account_id, submission_id, now))


async def resume(connection: Any, account_id: int, submission_id: int) -> bool:
    """It may leave again; False where it was not paused."""
    return bool(await connection.fetchval(SQL.resume, account_id, submission_id))


async def lock_submission(connection: Any, account_id: int, submission_id: int) -> Halting | None:
    """A submission that nobody else pauses, resumes or cancels meanwhile."""
    row = await connection.fetchrow(SQL.lock_submission, account_id, submission_id)
    return None if row is None else Halting(*row)


async def share_submission(connection: Any, account_id: int, submission_id: int) -> Halting | None:
    """The same, for any number of readers."""
    row = await connection.fetchrow(SQL.share_submission, account_id, submission_id)
    return None if row is None else Halting(*row)


async def share_paused(connection: Any, keys: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Which of these (account, submission) are paused, and stay so until the commit."""
    return {tuple(row) for row in await connection.fetch(SQL.share_paused, *columns(sorted(keys)))} if keys else set()


async def paused_before(db: Database, before: datetime, limit: int) -> list[tuple[int, int]]:
    """Submissions that are paused since longer than that: (account, submission)."""
    return [tuple(row) for row in await db.fetch(SQL.paused_before, before, limit)]


async def halt(connection: Any, account_id: int, submission_id: int) -> None:
    """Its queue rows are to be brought where they belong."""
    await connection.execute(SQL.halt, account_id, submission_id)


async def halted(connection: Any, after: tuple[int, int]) -> tuple[int, int] | None:
    """The next (account, submission) whose queue rows are not where they belong, the caller's until the commit."""
    row = await connection.fetchrow(SQL.halted, *after)
    return None if row is None else tuple(row)


async def lock_halt(connection: Any, account_id: int, submission_id: int) -> bool:
    """Whether they are not where they belong, and the caller's until the commit."""
    return bool(await connection.fetchval(SQL.lock_halt, account_id, submission_id))


async def unhalt(connection: Any, account_id: int, submission_id: int) -> None:
    """They are."""
    await connection.execute(SQL.unhalt, account_id, submission_id)


async def rename(db: Database, account_id: int, campaign_id: int, name: str) -> None:
    """Call a campaign otherwise that is launched."""
    await db.execute(SQL.rename, account_id, campaign_id, name)
