"""Put a contact or a column into a list.

The one rule: a number is in a list once, and what a column does not take changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..domain import lists
from ..domain.account import Account
from ..domain.calendar import PARIS
from ..domain.lists import MOST_COLUMNS, Column, Fault, Kind
from ..store import lists as store
from ..store.database import Database


class _Refused(Exception):
    """Nothing of the transaction is kept."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


async def add_column(
    db: Database, account_id: int, list_id: int, name: str, kind: Kind, form: str, now: datetime
) -> Column | Fault:
    """Add a column; LIST_UNKNOWN, or TOO_MANY."""
    async with db.transaction() as connection:
        if not await store.lock(connection, account_id, list_id, alone=True):
            return Fault.LIST_UNKNOWN
        if len(await store.columns_of(connection, account_id, list_id)) >= MOST_COLUMNS:
            return Fault.TOO_MANY
        [made] = await store.add_columns(connection, account_id, list_id, [(name, kind, form)], now)
    return made


async def add_contact(
    db: Database, account: Account, list_id: int, phone: int, given: Sequence[tuple[str, str | None]], now: datetime
) -> bytes | Fault:
    """Add a contact with values by the ids or names of their columns: its token, or the first fault.

    In this order: LIST_UNKNOWN, PRESENT, those of the values, LIMIT (rule `daily_contacts`).
    """
    try:
        return await _add(db, account, list_id, phone, given, now)
    except _Refused as refused:
        return refused.fault


async def _add(
    db: Database, account: Account, list_id: int, phone: int, given: Sequence[tuple[str, str | None]], now: datetime
) -> bytes:
    """Raises _Refused."""
    async with db.transaction() as connection:
        if not await store.lock(connection, account.id, list_id):
            raise _Refused(Fault.LIST_UNKNOWN)
        if await store.present(connection, account.id, list_id, [phone]):
            raise _Refused(Fault.PRESENT)
        columns = lists.by_key(await store.columns_of(connection, account.id, list_id))
        attributes = lists.read_attributes(given, columns)
        if isinstance(attributes, Fault):
            raise _Refused(attributes)
        most = account.rules.daily_contacts
        if most and not await store.count_posted(connection, account.id, now.astimezone(PARIS).date(), most):
            raise _Refused(Fault.LIMIT)
        tokens = await store.add_contacts(connection, account.id, list_id, [(phone, attributes)], now)
        if phone not in tokens:
            raise _Refused(Fault.PRESENT)
    return tokens[phone]
