"""Files of contacts into a group: handed over, followed, and the lines that were refused.

One rule: a file is on disk before it is answered for; it is imported in the background, whatever becomes of us.
"""

from __future__ import annotations

import csv
import io
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from ...domain.contact import Fault
from ...domain.tokens import read20, text20
from ...pipeline import contact_import
from ...pipeline.contact_import import SENTENCES, harmless
from ...pipeline.contact_sheet import SheetError
from ...store import imports as store
from . import shapes
from .calls import Caller, Download, Services, endpoint
from .contacts import Token, after, group_of
from .problems import Problem, missing

PAGE = 5_000  # refused lines read at once


class StateWord(StrEnum):
    """How an import stands."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"


class Upload(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the file is called."""

    name: Annotated[str, Meta(max_length=255, description="Of the file, to know it again.")] = ""


class Import(msgspec.Struct, kw_only=True):
    """An import. All counts are lines of the file."""

    id: Token
    name: str
    state: StateWord
    total: int
    done: Annotated[int, Meta(description="Looked at so far.")]
    added: Annotated[int, Meta(description="That became contacts.")]
    refused: int
    error: Annotated[str, Meta(description="Why it failed.")]
    created_at: datetime
    ended_at: datetime | None


class RefusedLine(msgspec.Struct, kw_only=True):
    """A line that became no contact."""

    line: Annotated[int, Meta(description="In the file, whose first line names the columns.")]
    phone: Annotated[str, Meta(description="As it stands there.")]
    reason: Annotated[str, Meta(description="For programs.", examples=["number_invalid"])]
    detail: Annotated[str, Meta(description="For people.")]


@endpoint("POST", "/groups/{id}/imports", "contacts:write", status=202)
async def upload(services: Services, caller: Caller, id: Token, query: Upload, body: bytes) -> Import:
    """Put the contacts of a CSV file into a group. Its first line names the columns: `phone` (or mobile, téléphone),
    `firstname` (prénom), `lastname` (nom), `date`, `url`, `custom1` to `custom4`; commas, semicolons or tabs between;
    UTF-8 or Windows-1252. It is imported within seconds: ask again until the state is `done`. Imported twice, nobody is
    there twice."""
    group = await group_of(services, caller, id)
    name, now = query.name, services.clock.now()
    try:
        return _worded(await contact_import.deposit(services.db, caller.id, group, body, name, now))
    except SheetError as error:
        told = str(error)
        raise Problem("invalid", f"{told[:1].upper()}{told[1:]}.") from None


@endpoint("GET", "/imports/{id}", "contacts:read")
async def one(services: Services, caller: Caller, id: Token) -> Import:
    """See how far an import is."""
    return _worded(await _find(services, caller, id))


@endpoint("GET", "/imports/{id}/refused", "contacts:read")
async def refused(services: Services, caller: Caller, id: Token, query: shapes.Paging) -> shapes.Page[RefusedLine]:
    """List the lines that were refused, in their order. The first 10,000 of an import; the others are counted."""
    found = await _find(services, caller, id)
    rows = await store.refusals(services.db, found, after(query, 2**31 - 1), query.limit + 1)
    return shapes.page(caller, query, rows, _line, lambda row: row.line)


@endpoint("GET", "/imports/{id}/refused.csv", "contacts:read")
async def refused_file(services: Services, caller: Caller, id: Token) -> Download:
    """Download the lines that were refused, as CSV. The first 10,000 of an import; the others are counted."""
    found = await _find(services, caller, id)
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(("line", "phone", "reason"))
    last = 0
    while page := await store.refusals(services.db, found, last, PAGE):
        rows.writerows((row.line, harmless(row.phone), SENTENCES[Fault(row.reason)]) for row in page)
        last = page[-1].line
    return Download(out.getvalue().encode(), "text/csv", f"refused-{text20(found.token)}.csv")


async def _find(services: Services, caller: Caller, id: str) -> store.Import:
    """Raises Problem."""
    token = read20(id)
    found = None if token is None else await store.find(services.db, caller.id, token)
    if found is None:
        raise missing("import")
    return found


def _worded(one: store.Import) -> Import:
    return Import(
        id=text20(one.token),
        name=one.name,
        state=StateWord(store.State(one.state).name.lower()),
        total=one.total,
        done=one.done,
        added=one.added,
        refused=one.refused,
        error=one.error,
        created_at=one.created_at,
        ended_at=one.ended_at,
    )


def _line(row: store.Refusal) -> RefusedLine:
    fault = Fault(row.reason)
    return RefusedLine(line=row.line, phone=row.phone, reason=fault.name.lower(), detail=SENTENCES[fault])


HANDLERS = [upload, one, refused, refused_file]
