"""Groups and contacts (contract 7).

One rule: codes 1 and 2 mean other things here than elsewhere, so a missing key is answered like a wrong one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ...domain.contact import LONGEST_NAME, Fault, read
from ...domain.tokens import text20
from ...pipeline import contacts as use_case
from ...store import contacts as store
from ...store.contacts import Contact, Group
from .. import values
from ..door import Barrier
from ..http import worded
from . import contact_wire as own
from . import wire
from .calls import GET, GET_POST, POST, Call, Entry, Services
from .reading import MOST_RECIPIENTS
from .wire import Reply

DELETE_POST = ("DELETE", "POST")
LAST_PAGE = 1_000_000_000

_NAME = "Le nom du groupe est requis"
_GROUP = "L'identifiant du groupe est requis"
_CONTACT = "L'identifiant du contact est requis"
_CONTACT_REQUIRED = "Les données du contact sont requises"
_DONE: Reply = {"success": True, "code": 200}


# --- groups ----------------------------------------------------------------------------------------------------------


async def group_add(services: Services, call: Call) -> Reply:
    """POST `group/add`: names may repeat."""
    name = call.members.text("name")
    if not name.strip():
        return wire.simple(1, _NAME)
    if len(name) > LONGEST_NAME:
        return own.name_too_long()
    async with services.db.transaction() as connection:
        group = await store.add_group(connection, call.account.id, name, services.clock.now())
    return {"success": True, "code": services.group_add_code, "name": name, "groupId": text20(group.token)}


async def group_delete(services: Services, call: Call) -> Reply:
    """DELETE `group/delete`: with its contacts; what was accepted for them still leaves."""
    group = await _group(services, call)
    if isinstance(group, dict):
        return group
    await store.delete_group(services.db, call.account.id, group.id)
    return _DONE


async def group_list(services: Services, call: Call) -> Reply:
    """GET `group/list`: all, without a code."""
    groups = await store.groups(services.db, call.account.id)
    return {"success": True, "groups": await worded(lambda found: [own.group_row(one) for one in found], groups)}


async def _group(services: Services, call: Call, *, early: Reply | None = None) -> Group | Reply:
    """The group that a call names; `early`: what is wrong with a call that names one, whether it is there or not."""
    given = call.members.scalar("groupId")
    if given is None:
        return wire.simple(1, _GROUP)
    if early is not None:
        return early
    key = own.group_key(given)
    group = None if key is None else await store.group(services.db, call.account.id, key)
    return wire.simple(404, own.GROUP_UNKNOWN) if group is None else group


# --- contacts in -----------------------------------------------------------------------------------------------------


async def contact_add(services: Services, call: Call) -> Reply:
    """POST `contact/add`: one contact, or the `contactsList` of a bulk addition, which wins."""
    listed = call.members.get("contactsList")
    if listed is not None:
        return await _add_many(services, call, listed)
    sent = own.given(call.members.get("contact"))
    missing = None if sent.get("phone", "").strip() else wire.simple(2, _CONTACT_REQUIRED)
    group = await _group(services, call, early=missing)
    if isinstance(group, dict):
        return group
    found = read(sent)
    if found.faults:
        return own.constraints(found, sent)
    added = await use_case.add_one(services.db, call.account.id, group, found, services.clock.now())
    if isinstance(added, bytes):
        return own.stored(found, added)
    return wire.simple(404, own.GROUP_UNKNOWN) if added is None else wire.simple(15, own.PRESENT)


async def _add_many(services: Services, call: Call, listed: Any) -> Reply:
    """Rows are added or refused one by one; the report says why."""
    early = None
    if not isinstance(listed, list) or not listed:
        early = wire.simple(2, _CONTACT_REQUIRED)
    elif len(listed) > MOST_RECIPIENTS:
        early = wire.simple(50)
    group = await _group(services, call, early=early)
    if isinstance(group, dict):
        return group
    sent = [own.given(one) for one in listed]
    reads = own.read_all(sent)
    async with services.db.transaction() as connection:
        if not await store.lock_group(connection, call.account.id, group.id):
            return wire.simple(404, own.GROUP_UNKNOWN)
        added = await use_case.add_many(connection, call.account.id, group.id, reads, services.clock.now())
    return own.report(group, sent, reads, added)


async def contact_update(services: Services, call: Call) -> Reply:
    """POST `contact/update`: the members sent, no others; an empty one is cleared."""
    given = call.members.scalar("contactId")
    if given is None:
        return wire.simple(1, _CONTACT)
    sent = own.given(call.members.get("contact"), clearing=True)
    if not sent:
        return wire.simple(2, _CONTACT_REQUIRED)
    token = own.contact_key(given)
    if token is None or await store.find(services.db, call.account.id, token) is None:
        return wire.simple(404, own.CONTACT_UNKNOWN)
    found = read(sent)
    if found.faults:
        return own.constraints(found, sent)
    changed = await use_case.change(services.db, call.account.id, token, found)
    if changed is None:
        return wire.simple(404, own.CONTACT_UNKNOWN)
    return wire.simple(15, own.PRESENT) if isinstance(changed, Fault) else own.stored(found, token)


async def contact_delete(services: Services, call: Call) -> Reply:
    """POST `contact/delete`."""
    given = call.members.scalar("contactId")
    if given is None:
        return wire.simple(1, _CONTACT)
    token = own.contact_key(given)
    if token is None or not await store.delete(services.db, call.account.id, token):
        return wire.simple(404, own.CONTACT_UNKNOWN)
    return _DONE


# --- contacts out ----------------------------------------------------------------------------------------------------


async def contact_list(services: Services, call: Call) -> Reply:
    """GET `contact/list`: a page, the oldest first; `total` is a string."""
    group = await _group(services, call)
    if isinstance(group, dict):
        return group
    number = values.integer(call.members.get("page")) or 1
    number = min(max(number, 1), LAST_PAGE)
    size = services.contact_page
    found = await store.page(services.db, call.account.id, group.id, (number - 1) * size, size)
    total = await store.count(services.db, call.account.id, group.id)
    rows = await _rows(services, call.account.id, found)
    return {"success": True, "code": 200, "currentPage": number, "total": str(total), "datas": rows}


async def contact_detail(services: Services, call: Call) -> Reply:
    """GET `contact/detail`: as in the list, and the decimal number of its group."""
    given = call.members.scalar("contactId")
    if given is None:
        return wire.simple(1, _CONTACT)
    token = own.contact_key(given)
    contact = None if token is None else await store.find(services.db, call.account.id, token)
    if contact is None:
        return wire.simple(404, own.CONTACT_UNKNOWN)
    (row,) = await _rows(services, call.account.id, [contact])
    return {"success": True, "code": 200, "contact": row | {"groupId": contact.group_id}}


async def _rows(services: Services, account_id: int, found: Sequence[Contact]) -> list[Reply]:
    """Where there is a host for them, whoever has a link and no short one is given a short one, once."""
    bare = [one for one in found if one.url and not one.short_url and not one.link]
    links: dict[int, str] = {}
    if services.shorten is not None and bare:
        made = await services.shorten(account_id, [one.url for one in bare])
        links = await store.keep_links(services.db, account_id, bare, made)
    return await worded(lambda some: [own.contact_row(one, links.get(one.id, one.link)) for one in some], list(found))


_WRONG_KEY = (10, "Clef API incorrecte")
_BARRIERS = {Barrier.KEY_MISSING: _WRONG_KEY, Barrier.KEY_UNKNOWN: _WRONG_KEY}
_entry = partial(Entry, barriers=_BARRIERS)

ENTRIES = (
    Entry("/group/add", group_add, POST, barriers=_BARRIERS | {Barrier.KEY_MISSING: (2, "La clé API est requise")}),
    _entry("/group/delete", group_delete, DELETE_POST),
    _entry("/groupe/delete", group_delete, DELETE_POST),
    _entry("/group/list", group_list, GET),
    _entry("/contact/add", contact_add, POST),
    _entry("/contact/multiple/add", contact_add, POST),
    _entry("/contact/update", contact_update, POST),
    _entry("/contact/delete", contact_delete, POST),
    _entry("/contact/list", contact_list, GET_POST),
    _entry("/contact/detail", contact_detail, GET),
)
