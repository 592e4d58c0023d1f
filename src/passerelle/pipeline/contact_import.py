"""A CSV file into a group of contacts: in batches, with a progress figure, and a list of the lines that were refused.

The one rule: the contacts of some lines and the note that these lines are done are one transaction, so that an import
that broke off goes on where it stood, and a line is never taken twice.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import BinaryIO

from ..clock import Clock
from ..domain import contact, numbers
from ..domain.contact import Fault, Read
from ..store import contacts as contact_store
from ..store import imports as store
from ..store.contacts import Group
from ..store.database import Database
from ..store.imports import Import, State
from . import contacts
from .contact_sheet import ContactSheet, SheetError

BATCH = 2_000  # lines a transaction
LEASE = timedelta(seconds=30)  # after it an import is taken up by somebody else
SEPARATORS = "-/."  # of dates as people write them

Row = tuple[int, str, Read]
Told = Callable[[Import], None]


class Elsewhere(Exception):
    """Somebody else imports the same file into the same group at this moment, or the group was deleted."""


async def begin(db: Database, account_id: int, group: Group, file: BinaryIO, name: str, now: datetime) -> Import:
    """Note the import of a file that the caller has, or find the one of the same file that broke off.

    Raises SheetError where the file cannot be imported.
    """
    sheet = await asyncio.to_thread(ContactSheet, file)
    found = await store.broken_off(db, account_id, group.id, sheet.digest)
    return found or await store.add(db, account_id, group.id, name, sheet.digest, sheet.total, now)


async def deposit(db: Database, account_id: int, group: Group, content: bytes, name: str, now: datetime) -> Import:
    """Keep a file for the workers, who import it soon. Raises SheetError."""
    sheet = await asyncio.to_thread(ContactSheet, io.BytesIO(content))
    return await store.add(db, account_id, group.id, name, sheet.digest, sheet.total, now, content)


async def run(db: Database, one: Import, file: BinaryIO, clock: Clock, told: Told = lambda _: None) -> Import:
    """Import what is left of a file; `told` of every batch. Raises Elsewhere, SheetError."""
    try:
        sheet = await asyncio.to_thread(ContactSheet, file)
        rows = islice(sheet.rows(), one.done, None)
        while batch := await asyncio.to_thread(_batch, rows):
            one = await _store(db, one, batch, clock.now())
            told(one)
    except SheetError as error:
        await store.finish(db, one, State.FAILED, clock.now(), str(error))
        raise
    await store.finish(db, one, State.DONE, clock.now())
    return await _again(db, one)


async def take_up(db: Database, clock: Clock) -> bool:
    """Import the oldest file that waits, for the workers; whether there was one."""
    leased = await store.lease(db, LEASE)
    if leased is None:
        return False
    one, content = leased
    try:
        await run(db, one, io.BytesIO(content), clock)
    except (Elsewhere, SheetError):
        pass  # it goes on elsewhere, or its reason is kept
    return True


def _batch(rows: Iterator[tuple[int, dict[str, str]]]) -> list[Row]:
    return [(line, given.get("phone", ""), _read(given)) for line, given in islice(rows, BATCH)]


def _read(given: dict[str, str]) -> Read:
    """A row; of `612345678`, which a spreadsheet took for a number, the zero in front is given back."""
    found = contact.read(given, SEPARATORS)
    phone = given.get("phone", "")
    if "phone" not in found.values and len(phone) == 9 and phone[0] in "67" and numbers.normalise(phone) is None:
        return contact.read(given | {"phone": "0" + phone}, SEPARATORS)
    return found


async def _store(db: Database, one: Import, batch: list[Row], now: datetime) -> Import:
    """Some lines and the note of them, together. Raises Elsewhere."""
    async with db.transaction() as connection:
        if not await contact_store.lock_group(connection, one.account_id, one.group_id):
            raise Elsewhere
        reads = [read for _, _, read in batch]
        results = await contacts.add_many(connection, one.account_id, one.group_id, reads, now, one.id)
        refused = [
            (line, phone[:LONGEST_KEPT], int(result.fault))
            for (line, phone, _), result in zip(batch, results, strict=True)
            if result.fault is not None
        ]
        added = len(batch) - len(refused)
        if not await store.advance(connection, one, one.done, len(batch), added, len(refused), LEASE):
            raise Elsewhere
        await store.refuse(connection, one, refused[: max(0, MOST_KEPT - one.refused)])
    return await _again(db, one)


LONGEST_KEPT = 100  # characters of a refused number
MOST_KEPT = 10_000  # refused lines of an import that are told one by one; the others are counted


async def _again(db: Database, one: Import) -> Import:
    """How it stands now."""
    found = await store.find(db, one.account_id, one.token)
    if found is None:
        raise Elsewhere
    return found


SENTENCES = {
    Fault.NO_NUMBER: "no telephone number",
    Fault.NUMBER_INVALID: "not a telephone number",
    Fault.TWICE: "the number comes twice in the file",
    Fault.PRESENT: "the number is in the group already",
    Fault.OPTED_OUT: "the number is on the stop list",
    Fault.DEAD: "nobody has this number, by its last HLR result",
    Fault.URL_INVALID: "the link does not begin with http:// or https://",
    Fault.DATE_INVALID: "not a date (YYYY-MM-DD or DD-MM-YYYY)",
    Fault.TOO_LONG: "a value is too long (names 32 characters, others 255)",
}
"""Why a line was refused, for people."""


def harmless(cell: str) -> str:
    """What a spreadsheet would run as a formula stays a text; a + before digits is a number."""
    is_number = cell[:1] == "+" and cell[1:].replace(" ", "").isdigit()
    return f"'{cell}" if cell[:1] in tuple("=+-@\t\r") and not is_number else cell
