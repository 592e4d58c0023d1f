"""Small facts that all processes of an installation share, by name."""

from __future__ import annotations

from .database import Database, queries

SQL = queries("installation_facts")


async def get(db: Database, name: str) -> str | None:
    """A fact, or None."""
    found: str | None = await db.fetchval(SQL.get_fact, name)
    return found


async def put(db: Database, name: str, value: str) -> None:
    """Remember a fact."""
    await db.execute(SQL.set_fact, name, value)


async def clock_offset(db: Database) -> float:
    """Seconds that the test clock is ahead."""
    return float(await get(db, "clock_offset") or 0.0)


async def set_clock_offset(db: Database, seconds: float) -> None:
    """Move the clock of all processes that follow it."""
    await put(db, "clock_offset", str(seconds))
