"""The stop list: numbers that are not written to. It is one for all dialects of the account.

One rule: what is added holds for every message that has not left; what is removed may be written to at once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...domain import numbers
from ...store import listings, optouts
from ...store.optouts import List
from . import shapes
from .calls import Caller, Services, endpoint
from .problems import Problem, invalid, missing
from .replies import phone_of


class StoppedNumber(msgspec.Struct, kw_only=True):
    """A number on the list."""

    phone: shapes.Phone
    since: datetime


class NewStop(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A number to be put on the list."""

    phone: Annotated[str, Meta(max_length=40, examples=["+33639980001"])]


@endpoint("GET", "/stop-list", "contacts:read")
async def listing(services: Services, caller: Caller, query: shapes.Paging) -> shapes.Page[StoppedNumber]:
    """List the numbers, in their order."""
    found = shapes.decode_cursor(query.cursor, int)
    after = 0 if found is None else int(found[0])
    rows = await listings.blocked(services.db, caller.id, List.STOP, after, query.limit + 1)
    return shapes.page(caller, query, rows, _worded, lambda row: int(row["phone"]))


@endpoint("POST", "/stop-list", "contacts:write", status=201, problems=("conflict",))
async def add(services: Services, caller: Caller, body: NewStop) -> StoppedNumber:
    """Put a number on the list. No message leaves to it from now on, but for those that have begun to."""
    read = numbers.normalise(body.phone, True)
    if read is None:
        raise invalid("/phone", "This is no telephone number: write it like +33639980001.")
    entry = await optouts.add(services.db, caller.id, List.STOP, int(read.e164[1:]), services.clock.now())
    if entry is None:
        raise Problem("conflict", "This number is on the list already.")
    return StoppedNumber(phone=shapes.phone(entry.phone), since=entry.created_at)


@endpoint("GET", "/stop-list/{phone}", "contacts:read")
async def one(services: Services, caller: Caller, phone: str) -> StoppedNumber:
    """Look a number up in the list."""
    entry = await optouts.find(services.db, caller.id, List.STOP, phone_of(phone))
    if entry is None:
        raise missing("number on its stop list")
    return StoppedNumber(phone=shapes.phone(entry.phone), since=entry.created_at)


@endpoint("DELETE", "/stop-list/{phone}", "contacts:write")
async def remove(services: Services, caller: Caller, phone: str) -> None:
    """Take a number off the list. Only with the consent of the person."""
    if not await optouts.remove_by_phone(services.db, caller.id, List.STOP, phone_of(phone)):
        raise missing("number on its stop list")


def _worded(row: Any) -> StoppedNumber:
    return StoppedNumber(phone=shapes.phone(row["phone"]), since=row["created_at"])


HANDLERS = [listing, add, one, remove]
