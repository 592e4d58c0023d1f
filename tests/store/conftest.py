"""One database a module, for tests that empty what they use: a fresh one for each would take longer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from conftest import created
from pipeline.world import TUESDAY, World, opened

from passerelle.store.database import Database
from passerelle.store.numbering import month_of


@pytest.fixture(scope="module")
async def shared(database_server: str, database_template: str) -> AsyncIterator[Database]:
    async with created(database_server, database_template) as url:
        database = await Database.open(url, size=8)
        await database.execute("select make_month($1)", month_of(TUESDAY))
        yield database
        await database.close()


@pytest.fixture
async def world(shared: Database) -> AsyncIterator[World]:
    async with opened(shared) as world:
        yield world
