"""Carriers by name and number, and which process holds which bind: one at a time, for as long as it says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from .database import Database, queries

SQL = queries("carriers")


async def ids(db: Database, names: Sequence[str]) -> dict[str, int]:
    """The number of each carrier; new names get one."""
    found = {}
    for name in names:
        await db.execute(SQL.named, name)
        found[name] = await db.fetchval(SQL.id_of, name)
    return found


async def hold_bind(
    db: Database, carrier_id: int, number: int, owner: UUID, lease: timedelta, bound: bool, note: str
) -> bool:
    """Take or keep a bind for `lease`; False while another process has it."""
    return bool(await db.fetchval(SQL.hold_bind, carrier_id, number, owner, lease, bound, note))


async def let_go(db: Database, owner: UUID) -> None:
    """Give all binds of a process back."""
    await db.execute(SQL.let_go, owner)


async def binds(db: Database) -> list[Any]:
    """All binds with their state, for people."""
    return await db.fetch(SQL.binds)
