"""The stop list (contract 8.1 to 8.3).

One rule: this is the account's own list, the same in every dialect.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...domain import numbers
from ...store import optouts as store
from ...store.optouts import Blocked, List
from ..http import worded
from . import codes, wire
from .calls import GET, POST, REMOVALS, Call, Entry, Services
from .reading import number_of
from .wire import Reply


async def listing(services: Services, call: Call) -> Reply:
    """GET `stop-sms/list`: all of it."""
    entries = await store.listing(services.db, call.account.id, List.STOP)
    return await worded(_listed, entries)


def _listed(entries: Sequence[Blocked]) -> Reply:
    listed = [
        {"id": entry.number, "phoneNumber": f"+{entry.phone}", "createdAt": wire.local(entry.created_at)}
        for entry in entries
    ]
    return {"success": True, "code": 200, "nbData": len(listed), "data": listed}


async def add(services: Services, call: Call) -> Reply:
    """POST `stop-sms/add`: one number."""
    phone = call.members.phone("phoneNumber", "phoneNumbers")
    if not phone:
        return wire.simple(2)
    read = numbers.normalise(phone)
    if read is None:
        return wire.simple(9, codes.NUMBER_INVALID, phone)
    entry = await store.add(services.db, call.account.id, List.STOP, int(read.e164[1:]), services.clock.now())
    if entry is None:
        return wire.simple(3, "Ce numéro est déjà dans la liste")
    return {"success": True, "code": 200, "stopId": entry.number}


async def delete(services: Services, call: Call) -> Reply:
    """GET `stop-sms/delete`: the number may be written to again at once."""
    given = call.members.scalar("id")
    if given is None:
        return wire.simple(3, "L'identifiant est requis")
    number = number_of(given)
    if number is None or not await store.remove_by_number(services.db, call.account.id, List.STOP, number):
        return wire.simple(4, "Identifiant introuvable")
    return {"success": True, "code": 200}


ENTRIES = (
    Entry("/stop-sms/list", listing, GET),
    Entry("/stop-sms/add", add, POST),
    Entry("/stop-sms/delete", delete, REMOVALS),
)
