"""Put contacts into a group: one, many, or the lines of a file.

The one rule: a number is in a group once, and of many each that is not taken says why; the others are not held up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..domain.contact import Fault, Read
from ..store import contacts as store
from ..store.contacts import Contact, Group, PhoneTaken, Standing
from ..store.database import Database


@dataclass(slots=True)
class Added:
    """What became of one: the token it has now, or the fault."""

    token: bytes | None = None
    fault: Fault | None = None


async def add_one(db: Database, account_id: int, group: Group, read: Read, now: datetime) -> bytes | Fault | None:
    """Add what was read without faults: its token; PRESENT: its number is in the group; None: the group is gone.

    The stop list is not looked at: a person may be known and not be written to.
    """
    async with db.transaction() as connection:
        if not await store.lock_group(connection, account_id, group.id):
            return None
        added = await store.add(connection, account_id, group.id, [read.values], now)
    return added.get(read.values["phone"], Fault.PRESENT)


async def add_many(
    connection: Any,
    account_id: int,
    group_id: int,
    reads: Sequence[Read],
    now: datetime,
    import_id: int | None = None,
) -> list[Added]:
    """Add those that may be, in a transaction that has locked the group; one result each, in their order.

    Faults are told in the order of SMS Partner 7.5.
    """
    phones = [read.values["phone"] for read in reads if "phone" in read.values]
    known = dict(zip(phones, await store.standing(connection, account_id, group_id, phones), strict=True))
    results: list[Added] = []
    taken: dict[int, int] = {}  # phone -> position
    seen: set[int] = set()
    for position, read in enumerate(reads):
        fault = _fault(read, known, seen, import_id)
        results.append(Added(fault=fault))
        if fault is None:
            taken[read.values["phone"]] = position
    tokens = await store.add(
        connection, account_id, group_id, [reads[at].values for at in taken.values()], now, import_id
    )
    for phone, position in taken.items():
        results[position] = Added(tokens.get(phone), None if phone in tokens else Fault.PRESENT)
    return results


def _fault(read: Read, known: dict[int, Standing], seen: set[int], import_id: int | None) -> Fault | None:
    phone = read.values.get("phone")
    if phone is None:
        return read.faults[0][1] if read.faults else Fault.NO_NUMBER
    if phone in seen:
        return Fault.TWICE
    if not read.faults:  # else a later row for the same number may do better
        seen.add(phone)
    stands = known[phone]
    if stands.present:
        return Fault.TWICE if import_id is not None and stands.import_id == import_id else Fault.PRESENT
    if stands.stopped:
        return Fault.OPTED_OUT
    if stands.dead:
        return Fault.DEAD
    return min((fault for _, fault in read.faults), default=None)


async def change(db: Database, account_id: int, token: bytes, read: Read) -> Contact | Fault | None:
    """Change the members read of a contact; PRESENT: another of the group has this number; None: there is none."""
    try:
        async with db.transaction() as connection:
            contact = await store.lock(connection, account_id, token)
            if contact is None:
                return None
            await store.write(connection, account_id, contact, read.values)
    except PhoneTaken:
        return Fault.PRESENT
    return contact
