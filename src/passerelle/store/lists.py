"""Lists of contacts: their columns, and the values that contacts have in them.

The one rule: whoever adds contacts holds the list (`lock`) in the same transaction, and whoever deletes a list or a
column waits for that, so that no contact is left behind and no value outlives its column.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from ..domain.lists import Attributes, Column, Kind
from .database import Database, columns, queries
from .tokens import new_token, new_tokens

SQL = queries("lists")

ERASED = 5_000  # contacts that lose a value in one transaction


class ContactList(msgspec.Struct, frozen=True):
    """A list. `token`: 12 bytes; `region`: whose public holidays count for its contacts (domain.calendar)."""

    id: int
    token: bytes
    name: str
    region: str = ""


class Member(msgspec.Struct, frozen=True):
    """A contact of a list. `phone`: E.164 without +; `attributes`: key of a column -> text, of deleted ones too."""

    id: int
    token: bytes
    phone: int
    attributes: Attributes


async def add(db: Any, account_id: int, name: str, now: datetime) -> ContactList:
    """Make a list; names may repeat."""
    return ContactList(*await db.fetchrow(SQL.add, account_id, new_token(now), name, now))


async def find(db: Database, account_id: int, token: bytes) -> ContactList | None:
    """A list."""
    row = await db.fetchrow(SQL.find, account_id, token)
    return None if row is None else ContactList(*row)


async def by_id(db: Database, account_id: int, list_id: int) -> ContactList | None:
    """A list by its inner number."""
    row = await db.fetchrow(SQL.by_id, account_id, list_id)
    return None if row is None else ContactList(*row)


async def set_region(db: Database, account_id: int, list_id: int, region: str) -> None:
    """Whose public holidays count for the contacts of a list that say nothing of it themselves."""
    await db.execute(SQL.set_region, account_id, list_id, region)


async def members_of(connection: Any, account_id: int, list_id: int, phones: Sequence[int]) -> list[Member]:
    """Of these numbers the contacts of a list."""
    return [Member(*row) for row in await connection.fetch(SQL.members_of, account_id, list_id, phones)]


async def listing(db: Database, account_id: int) -> list[ContactList]:
    """All lists, the oldest first."""
    return [ContactList(*row) for row in await db.fetch_long(SQL.listing, account_id)]


async def named(db: Database, account_id: int, name: str) -> list[ContactList]:
    """Lists of this name, at most two."""
    return [ContactList(*row) for row in await db.fetch(SQL.named, account_id, name)]


async def lock(connection: Any, account_id: int, list_id: int, *, alone: bool = False) -> bool:
    """Whether the list is there; it stays until the end of the transaction. `alone`: and nobody adds contacts."""
    return bool(await connection.fetchval(SQL.lock_alone if alone else SQL.lock, account_id, list_id))


async def delete(db: Database, account_id: int, token: bytes) -> bool:
    """Delete a list with its columns and contacts; whether there was one."""
    async with db.transaction() as connection:
        list_id = await connection.fetchval(SQL.delete, account_id, token)
        if list_id is None:
            return False
        # Statements of their own: they see what was added until the list was ours.
        for query in (SQL.delete_columns_of, SQL.delete_contacts_of):
            await connection.execute(query, account_id, list_id)
    return True


async def empty(db: Database, account_id: int, list_id: int) -> None:
    """Delete all contacts of a list."""
    await db.execute(SQL.delete_contacts_of, account_id, list_id)


# --- columns ---------------------------------------------------------------------------------------------------------


async def columns_of(db: Any, account_id: int, list_id: int) -> list[Column]:
    """The columns of a list, the oldest first."""
    return [_column(*row) for row in await db.fetch(SQL.columns, account_id, list_id)]


async def all_columns(db: Database, account_id: int) -> dict[int, list[Column]]:
    """The columns of all lists of an account, by list."""
    found: dict[int, list[Column]] = {}
    for list_id, *row in await db.fetch_long(SQL.columns_of_all, account_id):
        found.setdefault(list_id, []).append(_column(*row))
    return found


def _column(token: bytes, name: str, kind: int, form: str) -> Column:
    return Column(token, name, Kind(kind), form)


async def add_columns(
    connection: Any, account_id: int, list_id: int, wanted: Sequence[tuple[str, Kind, str]], now: datetime
) -> list[Column]:
    """Add columns (name, kind, format) to a list that is locked alone."""
    made = [Column(token, *one) for token, one in zip(new_tokens(now, len(wanted)), wanted, strict=True)]
    if made:
        rows = [(one.token, one.name, one.kind, one.format) for one in made]
        await connection.execute(SQL.add_columns, account_id, list_id, *columns(rows))
    return made


async def delete_column(db: Database, account_id: int, list_id: int, token: bytes, now: datetime) -> bool:
    """Whether the list had this column, which is gone now; `erase` follows."""
    async with db.transaction() as connection:
        await lock(connection, account_id, list_id, alone=True)
        return await connection.fetchval(SQL.delete_column, account_id, list_id, token, now) is not None


async def erase(db: Database) -> bool:
    """Erase the values of a deleted column in some thousand contacts; whether there was such a column."""
    async with db.transaction() as connection:
        row = await connection.fetchrow(SQL.deleted_column)
        if row is None:
            return False
        account_id, list_id, column_id, token, last = row
        last = await connection.fetchval(SQL.erase_page, account_id, list_id, token.hex(), last, ERASED)
        if last is None:
            await connection.execute(SQL.forget_column, account_id, list_id, column_id)
        else:
            await connection.execute(SQL.erased_to, account_id, list_id, column_id, last)
    return True


# --- contacts --------------------------------------------------------------------------------------------------------


async def present(connection: Any, account_id: int, list_id: int, phones: Sequence[int]) -> set[int]:
    """Which of these numbers a list has."""
    return {row[0] for row in await connection.fetch(SQL.present, account_id, list_id, phones)}


async def add_contacts(
    connection: Any, account_id: int, list_id: int, contacts: Sequence[tuple[int, Attributes]], now: datetime
) -> dict[int, bytes]:
    """Add contacts to a list that is locked: phone -> token of each that was added."""
    if not contacts:
        return {}
    tokens = new_tokens(now, len(contacts))
    rows = await connection.fetch(SQL.add_contacts, account_id, list_id, tokens, *columns(contacts), now)
    made = {row[0] for row in rows}
    return {phone: token for (phone, _), token in zip(contacts, tokens, strict=True) if phone in made}


async def rows(db: Database, account_id: int, list_id: int, after: int, limit: int) -> list[Any]:
    """The same as `page`, as rows of id, phone and attributes: a hundred thousand of them are read for a campaign."""
    return await db.fetch(SQL.page, account_id, list_id, after, limit)


async def page(db: Database, account_id: int, list_id: int, after: int, limit: int) -> list[Member]:
    """Contacts of a list behind contact `after`, the oldest first."""
    return [Member(*row) for row in await db.fetch(SQL.page, account_id, list_id, after, limit)]


async def extent(db: Database, account_id: int, list_id: int) -> tuple[int, int]:
    """How many contacts a list has, and the last of them."""
    count, last = await db.fetchrow(SQL.extent, account_id, list_id)
    return count, last


async def count(db: Database, account_id: int, list_id: int) -> int:
    """Contacts of a list."""
    found: int = await db.fetchval(SQL.count, account_id, list_id)
    return found


async def delete_contact(db: Database, account_id: int, list_id: int, token: bytes) -> bool:
    """Whether the list had this contact."""
    return await db.fetchval(SQL.delete_contact, account_id, list_id, token) is not None


async def delete_phone(db: Database, account_id: int, list_id: int, phone: int) -> bool:
    """Whether the list had this number."""
    return await db.fetchval(SQL.delete_phone, account_id, list_id, phone) is not None


async def count_posted(connection: Any, account_id: int, day: date, most: int) -> bool:
    """Count a contact posted; False, and not counted, where it is one too many that day."""
    return await connection.fetchval(SQL.count_posted, account_id, day, most) is not None


async def forget_days(db: Database, before: date) -> None:
    """Forget what was posted before a day."""
    await db.execute(SQL.forget_days, before)
