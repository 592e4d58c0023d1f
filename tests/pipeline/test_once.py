"""An answer is kept under its key, for the same request alone, for a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from passerelle.pipeline.once import Repeatable, Repeated, keep, look
from passerelle.store.database import Database

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


async def render(connection: Any, done: str) -> tuple[int, bytes]:
    return 201, done.encode()


async def test_what_was_done_is_known_for_a_day(db: Database) -> None:
    request = Repeatable(1000, "/rentals", "k", b"hash", render)
    async with db.transaction() as connection:
        await look(connection, request, NOW)
        await keep(connection, request, "made", NOW)
        for known, answer in ((request, (201, b"made")), (replace(request, body_hash=b"other"), None)):
            with pytest.raises(Repeated) as repeated:
                await look(connection, known, NOW)
            assert repeated.value.answer == answer
        for other in (
            replace(request, account_id=1001),
            replace(request, path="/other"),
            replace(request, key="l"),
            None,
        ):
            await look(connection, other, NOW)
        await look(connection, request, NOW + timedelta(days=1))
