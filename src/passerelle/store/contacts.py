"""Groups and contacts: one store for every door.

The one rule: whoever adds a contact holds its group (`lock_group`) in the same transaction, and whoever deletes a
group deletes it before its contacts, so that none is left behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec

from .database import Database, columns, queries
from .tokens import new_token, new_tokens

SQL = queries("contacts")


class Group(msgspec.Struct, frozen=True):
    """A group. `id`: the decimal number; `token`: 12 bytes; `special`: the platform's own, `rented`: a rented file."""

    id: int
    token: bytes
    name: str
    created_at: datetime
    special: bool = False
    rented: bool = False


class Contact(msgspec.Struct, frozen=True):
    """A contact. `phone`: E.164 without +; `link`: a short link made for `url`, kept so that its clicks are of one
    person; `stopped`: on the stop list of its account, as it is now."""

    id: int
    group_id: int
    token: bytes
    phone: int
    firstname: str
    lastname: str
    date: date | None
    url: str
    short_url: str
    custom1: str
    custom2: str
    custom3: str
    custom4: str
    created_at: datetime
    link: str
    stopped: bool


class Standing(msgspec.Struct, frozen=True):
    """What is known of a number before it is added: in the group (and with which file it came), blocked, dead."""

    present: bool
    import_id: int | None
    stopped: bool
    dead: bool


class PhoneTaken(Exception):
    """Another contact of the group has this number."""


# --- groups ----------------------------------------------------------------------------------------------------------


async def add_group(
    connection: Any, account_id: int, name: str, now: datetime, *, special: bool = False, rented: bool = False
) -> Group:
    """Make a group; names may repeat."""
    return Group(*await connection.fetchrow(SQL.add_group, account_id, new_token(now), name, now, special, rented))


async def group(db: Database, account_id: int, key: int | bytes) -> Group | None:
    """A group by its number or its token."""
    query = SQL.group_by_id if isinstance(key, int) else SQL.group_by_token
    row = await db.fetchrow(query, account_id, key)
    return None if row is None else Group(*row)


async def groups(db: Database, account_id: int, after: int = 0, limit: int = 1_000_000_000) -> list[Group]:
    """Groups behind number `after`, the oldest first."""
    return [Group(*row) for row in await db.fetch_long(SQL.groups, account_id, after, limit)]


async def groups_of(db: Database, account_id: int, group_ids: Sequence[int]) -> list[Group]:
    """Those of these groups that are there."""
    return [Group(*row) for row in await db.fetch(SQL.groups_of, account_id, list(group_ids))]


async def groups_named(db: Database, account_id: int, name: str) -> list[Group]:
    """Groups of this name, at most two."""
    return [Group(*row) for row in await db.fetch(SQL.groups_named, account_id, name)]


async def rename_group(db: Database, account_id: int, group_id: int, name: str) -> bool:
    """Whether there was such a group."""
    return await db.fetchval(SQL.rename_group, account_id, group_id, name) is not None


async def lock_group(connection: Any, account_id: int, group_id: int) -> bool:
    """Whether the group is there; it stays until the end of the transaction."""
    return bool(await connection.fetchval(SQL.lock_group, account_id, group_id))


async def delete_group(db: Database, account_id: int, group_id: int) -> bool:
    """Delete a group with its contacts and imports; whether there was one."""
    async with db.transaction() as connection:
        if await connection.fetchval(SQL.delete_group, account_id, group_id) is None:
            return False
        # Statements of their own: they see what was added until the group was ours.
        for query in (SQL.delete_contacts_of, SQL.delete_refusals_of, SQL.delete_imports_of):
            await connection.execute(query, account_id, group_id)
    return True


# --- contacts --------------------------------------------------------------------------------------------------------


async def count(db: Database, account_id: int, group_id: int) -> int:
    """Contacts of a group."""
    found: int = await db.fetchval(SQL.count, account_id, group_id)
    return found


async def standing(connection: Any, account_id: int, group_id: int, phones: Sequence[int]) -> list[Standing]:
    """What is known of these numbers, in their order."""
    return [Standing(*row) for row in await connection.fetch(SQL.standing, account_id, group_id, phones)]


TEXTS = ("firstname", "lastname", "url", "short_url", "custom1", "custom2", "custom3", "custom4")


def _row(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values of a contact in the order of its columns."""
    first, last, *rest = (values.get(name, "") for name in TEXTS)
    return (values["phone"], first, last, values.get("date"), *rest)


async def add(
    connection: Any,
    account_id: int,
    group_id: int,
    contacts: Sequence[Mapping[str, Any]],
    now: datetime,
    import_id: int | None = None,
) -> dict[int, bytes]:
    """Add contacts to a group that is locked: phone -> token of each that was added."""
    if not contacts:
        return {}
    tokens = new_tokens(now, len(contacts))
    rows = await connection.fetch(SQL.add, account_id, group_id, tokens, *columns(map(_row, contacts)), now, import_id)
    made = {row[0] for row in rows}
    return {one["phone"]: token for one, token in zip(contacts, tokens, strict=True) if one["phone"] in made}


async def page(db: Database, account_id: int, group_id: int, skip: int, limit: int) -> list[Contact]:
    """Contacts of a group from the `skip`th on, the oldest first."""
    return [Contact(*row) for row in await db.fetch(SQL.page, account_id, group_id, skip, limit)]


async def after(db: Database, account_id: int, group_id: int, last: int, limit: int) -> list[Contact]:
    """Contacts of a group behind contact `last`, the oldest first."""
    return [Contact(*row) for row in await db.fetch(SQL.after, account_id, group_id, last, limit)]


async def extent(db: Database, account_id: int, group_id: int) -> tuple[int, int]:
    """How many contacts a group has, and the last of them."""
    count, last = await db.fetchrow(SQL.extent, account_id, group_id)
    return count, last


async def recipients(db: Database, account_id: int, group_id: int, last: int, limit: int) -> list[Any]:
    """Rows of id, phone and all that a text may name, behind contact `last`."""
    return await db.fetch(SQL.recipients, account_id, group_id, last, limit)


async def of_phones(connection: Any, account_id: int, group_id: int, phones: Sequence[int]) -> list[Any]:
    """The same rows, of those who have these numbers."""
    return list(await connection.fetch(SQL.of_phones, account_id, group_id, phones))


async def find(db: Database, account_id: int, token: bytes) -> Contact | None:
    """A contact."""
    row = await db.fetchrow(SQL.find, account_id, token)
    return None if row is None else Contact(*row)


async def lock(connection: Any, account_id: int, token: bytes) -> Contact | None:
    """A contact, nobody else's until the end of the transaction; `stopped` is not looked at."""
    row = await connection.fetchrow(SQL.lock, account_id, token)
    return None if row is None else Contact(*row)


async def write(connection: Any, account_id: int, contact: Contact, values: Mapping[str, Any]) -> None:
    """Write the values of a contact that is locked. Raises PhoneTaken; then the transaction is lost."""
    changed = _row(msgspec.structs.asdict(contact) | dict(values))
    try:
        await connection.execute(SQL.write, account_id, contact.token, *changed)
    except asyncpg.UniqueViolationError:
        raise PhoneTaken from None


async def keep_links(
    db: Database, account_id: int, contacts: Sequence[Contact], links: Sequence[str]
) -> dict[int, str]:
    """Keep short links made for these contacts; contact id -> its link, maybe somebody else's."""
    tokens = [one.token for one in contacts]
    kept = await db.fetch(SQL.keep_links, account_id, tokens, [one.url for one in contacts], list(links))
    made = {row[0] for row in kept}
    found = {one.id: link for one, link in zip(contacts, links, strict=True) if one.id in made}
    if len(found) < len(contacts):
        found |= {row["id"]: row["link"] for row in await db.fetch(SQL.links_of, account_id, tokens)}
    return found


async def delete(db: Database, account_id: int, token: bytes) -> bool:
    """Whether there was such a contact."""
    return await db.fetchval(SQL.delete, account_id, token) is not None
