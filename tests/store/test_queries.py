"""Every named query of every file is one that the migrated schema accepts."""

from __future__ import annotations

from importlib import resources

import asyncpg
import pytest

from passerelle.store.database import Database, queries

MODULES = sorted(
    file.name.removesuffix(".sql")
    for file in (resources.files("passerelle.store") / "sql").iterdir()
    if file.name.endswith(".sql")
)


@pytest.mark.parametrize("module", MODULES)
def test_an_unknown_query_names_those_there_are(module: str) -> None:
    known = next(iter(queries(module)))[0]
    with pytest.raises(AttributeError, match=known):
        _ = queries(module).no_such_query


@pytest.mark.parametrize("module", MODULES)
async def test_every_query_fits_the_schema(db: Database, module: str) -> None:
    async with db.connection() as connection:
        for name, sql in queries(module):
            try:
                await connection.prepare(sql)
            except asyncpg.PostgresError as error:
                pytest.fail(f"{module}.sql, {name}: {error}")
