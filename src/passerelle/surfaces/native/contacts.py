"""Groups and their contacts: what every dialect of the account sees and changes.

One rule: a number is in a group once; what is deleted with a group are its contacts, not what was sent to them.
"""

from __future__ import annotations

import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ...domain.contact import LONGEST_NAME, Fault, Read, read
from ...domain.tokens import read20, text20
from ...pipeline import contacts as use_case
from ...store import contacts as store
from . import shapes
from .calls import Caller, Services, endpoint
from .problems import Fault as Place
from .problems import Problem, invalid, missing

Token = Annotated[str, Meta(description="An opaque text.", examples=["q7TzB2mVx0LkR9sWcE4a"])]
Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME, examples=["Clients Lyon"])]
Text = Annotated[str, Meta(max_length=255)]
Short = Annotated[str, Meta(max_length=32)]
PHONE = Annotated[str, Meta(max_length=40, description="Any valid number.", examples=["+33639980001"])]


class NewGroup(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A group to be made, or its new name."""

    name: Name


class Group(msgspec.Struct, kw_only=True):
    """A group. `rented`: of a rented file."""

    id: Token
    number: Annotated[int, Meta(description="What SMS Partner's `contact/detail` calls it.")]
    name: str
    created_at: datetime.datetime
    rented: bool


class Detailed(Group, kw_only=True):
    """A group with its size."""

    contacts: int


class NewContact(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A contact to be put into a group."""

    phone: PHONE
    firstname: Short = ""
    lastname: Short = ""
    date: datetime.date | None = None
    url: Annotated[str, Meta(max_length=255, description="Begins with http:// or https://.")] = ""
    short_url: Text = ""
    custom1: Text = ""
    custom2: Text = ""
    custom3: Text = ""
    custom4: Text = ""


class Change(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to change; what is left out stays, an empty text is cleared."""

    phone: PHONE | UnsetType = UNSET
    firstname: Short | UnsetType = UNSET
    lastname: Short | UnsetType = UNSET
    date: datetime.date | UnsetType | None = UNSET
    url: Text | UnsetType = UNSET
    short_url: Text | UnsetType = UNSET
    custom1: Text | UnsetType = UNSET
    custom2: Text | UnsetType = UNSET
    custom3: Text | UnsetType = UNSET
    custom4: Text | UnsetType = UNSET


class Contact(msgspec.Struct, kw_only=True):
    """A contact. `stopped`: on the stop list of the account, as it is now."""

    id: Token
    phone: shapes.Phone
    firstname: str
    lastname: str
    date: datetime.date | None
    url: str
    short_url: str
    custom1: str
    custom2: str
    custom3: str
    custom4: str
    created_at: datetime.datetime
    stopped: bool


# --- groups ----------------------------------------------------------------------------------------------------------


@endpoint("GET", "/groups", "contacts:read")
async def groups(services: Services, caller: Caller, query: shapes.Paging) -> shapes.Page[Group]:
    """List groups, the oldest first."""
    rows = await store.groups(services.db, caller.id, after(query, 2**31 - 1), query.limit + 1)
    return shapes.page(caller, query, rows, _group, lambda one: one.id)


@endpoint("POST", "/groups", "contacts:write", status=201)
async def make(services: Services, caller: Caller, body: NewGroup) -> Group:
    """Make a group. Names may repeat."""
    async with services.db.transaction() as connection:
        return _group(await store.add_group(connection, caller.id, body.name, services.clock.now()))


@endpoint("GET", "/groups/{id}", "contacts:read")
async def group(services: Services, caller: Caller, id: Token) -> Detailed:
    """See a group with its size."""
    found = await group_of(services, caller, id)
    size = await store.count(services.db, caller.id, found.id)
    return Detailed(**msgspec.structs.asdict(_group(found)), contacts=size)


@endpoint("PATCH", "/groups/{id}", "contacts:write")
async def rename(services: Services, caller: Caller, id: Token, body: NewGroup) -> Group:
    """Give a group another name."""
    found = await group_of(services, caller, id)
    await store.rename_group(services.db, caller.id, found.id, body.name)
    return _group(msgspec.structs.replace(found, name=body.name))


@endpoint("DELETE", "/groups/{id}", "contacts:write")
async def delete(services: Services, caller: Caller, id: Token) -> None:
    """Delete a group with its contacts. What was accepted for them still leaves."""
    found = await group_of(services, caller, id)
    await store.delete_group(services.db, caller.id, found.id)


# --- contacts --------------------------------------------------------------------------------------------------------


@endpoint("GET", "/groups/{id}/contacts", "contacts:read")
async def contacts(services: Services, caller: Caller, id: Token, query: shapes.Paging) -> shapes.Page[Contact]:
    """List the contacts of a group, the oldest first."""
    found = await group_of(services, caller, id)
    rows = await store.after(services.db, caller.id, found.id, after(query), query.limit + 1)
    return shapes.page(caller, query, rows, _contact, lambda one: one.id)


@endpoint("POST", "/groups/{id}/contacts", "contacts:write", status=201, problems=("conflict",))
async def add(services: Services, caller: Caller, id: Token, body: NewContact) -> Contact:
    """Put a contact into a group. Many are quicker as a file."""
    found = await group_of(services, caller, id)
    checked = _checked(msgspec.structs.asdict(body))
    token = await use_case.add_one(services.db, caller.id, found, checked, services.clock.now())
    if isinstance(token, Fault):
        raise _present()
    if token is None:
        raise missing("group")
    return await contact(services, caller, text20(token))


async def contact(services: Services, caller: Caller, id: str) -> Contact:
    """Raises Problem."""
    token = read20(id)
    found = None if token is None else await store.find(services.db, caller.id, token)
    if found is None:
        raise missing("contact")
    return _contact(found)


@endpoint("GET", "/contacts/{id}", "contacts:read")
async def one(services: Services, caller: Caller, id: Token) -> Contact:
    """See a contact."""
    return await contact(services, caller, id)


@endpoint("PATCH", "/contacts/{id}", "contacts:write", problems=("conflict",))
async def change(services: Services, caller: Caller, id: Token, body: Change) -> Contact:
    """Change a contact."""
    await contact(services, caller, id)
    given = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not UNSET}
    done = await use_case.change(services.db, caller.id, read20(id) or b"", _checked(given))
    if isinstance(done, Fault):
        raise _present()
    return await contact(services, caller, id)


@endpoint("DELETE", "/contacts/{id}", "contacts:write")
async def remove(services: Services, caller: Caller, id: Token) -> None:
    """Take a contact out of its group."""
    token = read20(id)
    if token is None or not await store.delete(services.db, caller.id, token):
        raise missing("contact")


# --- words -----------------------------------------------------------------------------------------------------------


def after(query: shapes.Paging, most: int = shapes.LARGEST) -> int:
    """The key behind which a list that shows the oldest first goes on; `most`: the largest that there can be."""
    found = shapes.decode_cursor(query.cursor, int)
    return 0 if found is None else min(int(found[0]), most)


async def group_of(services: Services, caller: Caller, id: str) -> store.Group:
    """Raises Problem."""
    token = read20(id)
    found = None if token is None else await store.group(services.db, caller.id, token)
    if found is None or found.id >= 2**31:
        raise missing("group")
    return found


_TOLD = {
    Fault.NO_NUMBER: "A contact has a telephone number: write it like +33639980001.",
    Fault.NUMBER_INVALID: "This is no telephone number: write it like +33639980001.",
    Fault.URL_INVALID: "It begins with http:// or https://.",
}


def _checked(given: dict[str, object]) -> Read:
    """What the rules for contacts say. Raises Problem."""
    texts = {name: "" if value is None else str(value) for name, value in given.items()}
    found = read(texts)
    if found.faults:
        told = [Place(pointer=f"#/{name}", detail=_TOLD[fault]) for name, fault in found.faults]
        raise (
            Problem("invalid", told[0].detail, told)
            if len(told) > 1
            else invalid(f"/{found.faults[0][0]}", told[0].detail)
        )
    return found


def _present() -> Problem:
    return Problem("conflict", "A contact of the group has this number.")


def _group(one: store.Group) -> Group:
    return Group(
        id=text20(one.token), number=one.id, name=one.name, created_at=one.created_at, rented=one.rented
    )  # fmt: skip


def _contact(one: store.Contact) -> Contact:
    values = msgspec.structs.asdict(one)
    kept = {name: values[name] for name in Contact.__struct_fields__ if name not in ("id", "phone")}
    return Contact(id=text20(one.token), phone=shapes.phone(one.phone), **kept)


HANDLERS = [groups, make, group, rename, delete, contacts, add, one, change, remove]
