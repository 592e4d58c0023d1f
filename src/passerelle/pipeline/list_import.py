"""Rows into a list of contacts: in batches, with counts that move, and a list of the rows that were refused.

The one rule: the contacts of some rows and the note that these rows are done are one transaction, so that an import
that broke off goes on where it stood, and a row is never taken twice.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, BinaryIO

import msgspec

from ..clock import Clock
from ..domain import lists
from ..domain.calendar import PARIS
from ..domain.lists import LONGEST_COLUMN, MOST_COLUMNS, MOST_ROWS, Column, Fault, Kind, Row
from ..store import lists as store
from ..store import operations
from ..store.database import Database
from ..store.imports import State
from ..store.operations import Operation
from .contact_sheet import COLUMNS, Sheet, SheetError, plain

BATCH = 2_000  # rows a transaction
LEASE = timedelta(seconds=30)  # after it an import is taken up by somebody else
NOW = timedelta(0)
MOST_ATTEMPTS = 5  # that end without a batch
KEPT = timedelta(days=30)
LONGEST_KEPT = 100  # characters of a refused number
STEP = 1 << 16  # bytes of packed rows

Cells = Sequence[str | None]
Told = Callable[[Operation], None]

SENTENCES = {
    Fault.NO_NUMBER: "no telephone number",
    Fault.NUMBER_INVALID: "not a telephone number",
    Fault.PRESENT: "the number is in the list already, or earlier in the file",
    Fault.DATE_INVALID: "a date is not written as its column wants it",
    Fault.FIGURE_INVALID: "a value of a column of numbers is no number",
    Fault.VALUE_INVALID: "a value is neither text nor number",
}
"""Why a row was refused, for people."""


class Elsewhere(Exception):
    """Somebody else imports the same rows at this moment, or has."""


class ListGone(Exception):
    """The list was deleted."""


@dataclass(frozen=True, slots=True)
class Posted:
    """Rows that came in one piece. `packed`: by `pack`; `total`: of them."""

    headings: list[str]
    packed: bytes
    total: int


# --- rows, packed ----------------------------------------------------------------------------------------------------


def pack(rows: Iterable[Cells]) -> tuple[bytes, int]:
    """Rows as they are kept until they are imported, and how many; one at a time in memory."""
    squeezed, pieces, total = zlib.compressobj(1), [], 0
    for cells in rows:
        pieces.append(squeezed.compress(msgspec.json.encode(cells) + b"\n"))
        total += 1
    pieces.append(squeezed.flush())
    return b"".join(pieces), total


_decode = msgspec.json.Decoder(list[str | None]).decode


def unpack(packed: bytes) -> Iterator[Cells]:
    """The rows again, one at a time."""
    expanded, rest = zlib.decompressobj(), b""
    for at in range(0, len(packed), STEP):
        *lines, rest = (rest + expanded.decompress(packed[at : at + STEP])).split(b"\n")
        yield from map(_decode, lines)


# --- begin -----------------------------------------------------------------------------------------------------------


async def deposit(db: Database, account_id: int, list_id: int, posted: Posted, now: datetime) -> Operation | Fault:
    """Keep rows for the workers, who import them soon; or in this order NO_HEADING, TOO_MANY, LIMIT, LIST_UNKNOWN."""
    at = lists.number_at(posted.headings)
    if at is None:
        return Fault.NO_HEADING
    async with db.transaction() as connection:
        found = await _with_columns(connection, account_id, list_id, posted.headings, at, now, posted.total > MOST_ROWS)
        if found is not None:
            return found
        asked = (account_id, list_id, posted.headings, at, posted.total, now, NOW)
        return await operations.add(connection, *asked, content=posted.packed)


async def _with_columns(
    connection: Any, account_id: int, list_id: int, headings: Sequence[str], at: int, now: datetime, is_long: bool
) -> Fault | None:
    """Give the list the columns that the headings name; nothing of it where there is a fault."""
    if not await store.lock(connection, account_id, list_id, alone=True):
        return Fault.LIST_UNKNOWN
    columns = await store.columns_of(connection, account_id, list_id)
    names = lists.missing(headings, at, columns)
    if len(columns) + len(names) > MOST_COLUMNS:
        return Fault.TOO_MANY
    if is_long:
        return Fault.LIMIT
    await store.add_columns(connection, account_id, list_id, [(name, Kind.STRING, "") for name in names], now)
    return None


async def begin(db: Database, account_id: int, list_id: int, file: BinaryIO, now: datetime) -> Operation:
    """Note the import of a CSV file that the caller has, or find the one of the same file that broke off.

    Raises SheetError where the file cannot be imported, ListGone.
    """
    sheet = await asyncio.to_thread(Sheet, file)
    found = await operations.broken_off(db, account_id, list_id, sheet.digest)
    if found is not None:
        return found
    at = _number_at(sheet.header)
    async with db.transaction() as connection:
        fault = await _with_columns(connection, account_id, list_id, sheet.header, at, now, False)
        if fault is Fault.LIST_UNKNOWN:
            raise ListGone
        if fault is not None:
            raise SheetError(f"the list would have more than {MOST_COLUMNS} columns")
        asked = (account_id, list_id, sheet.header, at, sheet.total, now, LEASE)
        return await operations.add(connection, *asked, digest=sheet.digest)


def _number_at(headings: Sequence[str]) -> int:
    """The column of the numbers, by the names that people give it. Raises SheetError."""
    at = lists.number_at(headings)
    if at is None:
        at = next((place for place, name in enumerate(headings) if COLUMNS.get(plain(name)) == "phone"), None)
    if at is None:
        named = ", ".join(repr(name.strip()) for name in headings[:12]) or "nothing"
        raise SheetError(f"no column of the first line is a telephone number (tel, mobile, numero ...): {named}")
    long = next((name for name in headings if len(name.strip()) > LONGEST_COLUMN), None)
    if long is not None:
        raise SheetError(f"the name of a column has at most {LONGEST_COLUMN} characters: {long[:80]!r}")
    return at


# --- go on -----------------------------------------------------------------------------------------------------------


async def run_file(db: Database, one: Operation, file: BinaryIO, clock: Clock, told: Told) -> Operation:
    """Import what is left of a CSV file; `told` of every batch. Raises Elsewhere, ListGone, SheetError."""
    sheet = await asyncio.to_thread(Sheet, file)
    try:
        return await run(db, one, ((line, cells) for line, cells in sheet.cells()), clock, told)
    except SheetError as error:
        await operations.finish(db, one, State.FAILED, clock.now(), str(error))
        raise


async def run(
    db: Database, one: Operation, rows: Iterator[tuple[int, Cells]], clock: Clock, told: Told = lambda _: None
) -> Operation:
    """Import what is left of all the rows of an import, (line, cells) each. Raises Elsewhere, ListGone."""
    left = islice(rows, one.done, None)
    while batch := await asyncio.to_thread(lambda: list(islice(left, BATCH))):
        try:
            one = await _store(db, one, batch, clock.now())
        except ListGone:
            await operations.finish(db, one, State.FAILED, clock.now(), "the list was deleted")
            raise
        told(one)
    done = await operations.finish(db, one, State.DONE, clock.now())
    if done is None:
        raise Elsewhere
    return done


async def _store(db: Database, one: Operation, batch: list[tuple[int, Cells]], now: datetime) -> Operation:
    """Some rows and the note of them, together. Raises Elsewhere, ListGone."""
    columns = await store.columns_of(db, one.account_id, one.list_id)
    rows = await asyncio.to_thread(_read, one, batch, columns)
    async with db.transaction() as connection:
        if not await store.lock(connection, one.account_id, one.list_id):
            raise ListGone
        current = await store.columns_of(connection, one.account_id, one.list_id)
        if current != columns:  # a column came or went meanwhile
            rows = _read(one, batch, current)
        kept, refused = await _add(connection, one, rows, now)
        duplicates = sum(fault is Fault.PRESENT for _, fault in refused)
        moved = await operations.advance(connection, one, kept, duplicates, len(refused) - duplicates, LEASE)
        if moved is None:
            raise Elsewhere
        told = [(row.line, row.written[:LONGEST_KEPT], int(fault)) for row, fault in refused]
        await operations.refuse(connection, one, told)
    return moved


def _read(one: Operation, batch: list[tuple[int, Cells]], columns: Sequence[Column]) -> list[Row]:
    by_name = lists.by_name(columns)
    return [lists.read_row(line, cells, one.headings, one.number_at, by_name) for line, cells in batch]


async def _add(
    connection: Any, one: Operation, rows: Sequence[Row], now: datetime
) -> tuple[int, list[tuple[Row, Fault]]]:
    """How many were added, and those that were not."""
    phones = [row.phone for row in rows if row.phone is not None]
    present = await store.present(connection, one.account_id, one.list_id, phones)
    kept, refused = lists.judge(rows, present)
    wanted = [(row.phone, row.attributes) for row in kept]
    added = await store.add_contacts(connection, one.account_id, one.list_id, wanted, now)  # type: ignore[arg-type]
    late = [(row, Fault.PRESENT) for row in kept if row.phone not in added]  # somebody has just added it
    return len(added), refused + late


# --- what workers do -------------------------------------------------------------------------------------------------


async def take_up(db: Database, clock: Clock) -> None:
    """Import what waits, the oldest first."""
    while (leased := await operations.lease(db, LEASE)) is not None:
        one, packed = leased
        if one.attempts > MOST_ATTEMPTS:
            await operations.finish(db, one, State.FAILED, clock.now(), "the rows could not be imported")
            continue
        try:
            await run(db, one, enumerate(unpack(packed), 2), clock)
        except (Elsewhere, ListGone):
            pass  # it goes on elsewhere, or its reason is kept


async def tidy(db: Database, clock: Clock) -> None:
    """Erase the values of deleted columns; forget old imports, and days that are counted no more."""
    now = clock.now()
    while await store.erase(db):
        pass
    await operations.give_up(db, now)
    while await operations.forget(db, now - KEPT):
        pass
    await store.forget_days(db, now.astimezone(PARIS).date())
