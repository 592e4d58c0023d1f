"""What is forgotten: sandbox rows, old answers, texts, and whole months of messages with their charges closed.

The one rule: money outlives messages. A month is dropped in the transaction that closes its charges, so that the ledger
equals the wallets at every moment. Blanking a text is the only case in which a stored text is ever written again.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import asyncpg

from . import installation_facts
from .database import Database, queries
from .numbering import SQL as NUMBERING
from .numbering import span_of

SQL = queries("retention")

BLANKED = "texts_blanked"  # the fact that names the months without texts
BRIEFLY = "set local lock_timeout = '500ms'"
"""Making and dropping partitions stops everybody: never for longer than this, nor long enough for a deadlock."""


class Page(NamedTuple):
    """How far a walk has come, and what it did. `left_over`: texts of the page that are not to be blanked yet."""

    account_id: int
    id: int
    blanked: int
    left_over: int = 0


class LinkPage(NamedTuple):
    """How far a walk over short links has come, and how many went."""

    created_at: datetime
    code: str
    gone: int


class Queued(NamedTuple):
    """A submission of which parts are queued."""

    account_id: int
    id: int
    messages: int


@contextlib.asynccontextmanager
async def alone(db: Database, name: str) -> AsyncIterator[Any]:
    """A transaction that only one process has at a time; None while another has it."""
    async with db.transaction() as connection:
        yield connection if await connection.fetchval(SQL.try_alone, f"retention: {name}") else None


async def claim(connection: Any, name: str, at: datetime) -> bool:
    """Whether `name` was not yet done as of `at`; whoever is told so has it to do."""
    return bool(await connection.fetchval(SQL.claim, name, at.astimezone(UTC).isoformat()))


# --- months --------------------------------------------------------------------------------------------------------


def label(month: int) -> str:
    """`202611`: what the partitions of a month are called by."""
    return f"{2000 + month // 12}{month % 12 + 1:02}"


async def months(db: Database) -> list[int]:
    """The months that are stored, as `numbering.month_of` counts them, the oldest first."""
    return [(int(row[0][:4]) - 2000) * 12 + int(row[0][4:]) - 1 for row in await db.fetch(SQL.months)]


async def make_month(db: Database, month: int) -> None:
    """The partitions of a month, where they are not there yet. Raises where the tables are never free."""
    async with db.transaction() as connection:
        await connection.execute(BRIEFLY)
        await connection.execute(NUMBERING.make_month, month)


# --- what goes every day -------------------------------------------------------------------------------------------


async def empty_sandbox(connection: Any, before: datetime) -> int:
    """Delete sandbox rows; how many."""
    return _count(await connection.execute(SQL.empty_sandbox, before))


async def forget_answers(db: Database, until: datetime, limit: int = 2000) -> int:
    """Delete up to `limit` answers to idempotent requests; how many."""
    return _count(await db.execute(SQL.forget_answers, until, limit))


async def forget_rate_calls(db: Database, until: datetime, limit: int = 5000) -> int:
    """Delete up to `limit` counted calls; how many."""
    return _count(await db.execute(SQL.forget_rate_calls, until, limit))


OLD = (
    "checks", "mails_written", "mails", "signups", "invitations", "survey_answers", "free_answers",
    "rented_numbers", "imports", "forwarding", "quota_days", "keys", "endpoints",
)  # fmt: skip
"""What is forgotten by its age alone, each by the query `forget_` and this."""


async def forget_old(db: Database, what: str, before: datetime, limit: int = 2000) -> int:
    """Delete up to `limit` rows of what is named in OLD, older than `before`; how many."""
    assert what in OLD, what
    return _count(await db.execute(getattr(SQL, f"forget_{what}"), before, limit))


async def forget_links(db: Database, after: LinkPage, before: datetime) -> LinkPage | None:
    """Delete, of the next page of short links, those that are unused since `before`; None: that was all."""
    row = await db.fetchrow(SQL.forget_links, before, after.created_at, after.code)
    return None if row is None else LinkPage(*row)


async def forget_targets(db: Database, before: datetime, limit: int = 2000) -> int:
    """Delete of the targets made before `before` up to `limit` links and visits, and those that have none; how many."""
    return int(await db.fetchval(SQL.forget_targets, before, limit))


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])


# --- texts ---------------------------------------------------------------------------------------------------------


async def blank_texts(db: Database, month: int, after: Page, before: datetime) -> Page | None:
    """Blank the next page of texts of a month, of what was due before `before`; None: that was all."""
    row = await db.fetchrow(SQL.blank_texts, *span_of(month), after.account_id, after.id, before)
    return None if row is None else Page(*row)


async def blank_replies(db: Database, after: Page, before: datetime) -> Page | None:
    """Blank the next page of replies that came before `before`; None: that was all."""
    row = await db.fetchrow(SQL.blank_replies, after.account_id, after.id, before)
    return None if row is None else Page(*row)


async def blanked_months(db: Database) -> set[int]:
    """Months of which every text is blank."""
    return {int(month) for month in (await installation_facts.get(db, BLANKED) or "").split()}


async def keep_blanked(db: Database, blanked: set[int]) -> None:
    """Remember which months need no further look."""
    await installation_facts.put(db, BLANKED, " ".join(map(str, sorted(blanked))))


# --- the end of a month --------------------------------------------------------------------------------------------


async def queued_submissions(db: Database, month: int) -> list[Queued]:
    """Submissions of a month that still have parts in the queue."""
    return [Queued(*row) for row in await db.fetch(SQL.queued_submissions, *span_of(month))]


async def move(db: Database, one: Queued, to: int) -> bool:
    """Give a submission and its messages the ids from `to` on; False where something of it was begun."""
    end = one.id + one.messages
    async with db.transaction() as connection:
        await connection.execute(SQL.lock_submission, one.account_id, one.id)
        if not await connection.fetchval(SQL.lock_untouched, one.account_id, one.id, end):
            return False
        await connection.execute(SQL.move, one.account_id, one.id, end, to - one.id)
    return True


async def under_way(db: Database, month: int) -> bool:
    """Whether parts of a month are queued or with an operator."""
    return bool(await db.fetchval(SQL.under_way, *span_of(month)))


async def orphans(connection: Any, month: int, limit: int = 500) -> list[Any]:
    """Messages of a month that are not final: rows of account_id, id, parts."""
    return list(await connection.fetch(SQL.orphans, *span_of(month), limit))


async def close_month(db: Database, month: int, now: datetime) -> bool:
    """Close the charges of a month that is settled, and drop it; False where the tables were not free."""
    name = label(month)
    try:
        async with db.transaction() as connection:
            await connection.execute(BRIEFLY)
            await connection.execute(SQL.close_charges, *span_of(month), now, f"charges of {name[:4]}-{name[4:]}")
            await connection.execute(SQL.uncount_messages, *span_of(month), now)
            await connection.execute(SQL.forget_group_sends, *span_of(month))
            await connection.execute(SQL.forget_left_out, *span_of(month))
            await connection.execute(f"drop table submission_{name}, message_{name}, part_{name}")
    except asyncpg.LockNotAvailableError:
        return False
    return True
