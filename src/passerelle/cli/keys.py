"""`passerelle account keys`: keys of the native API, many an account, each with scopes of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from cyclopts import App, Parameter

from .place import HERE, Json, Where, account_id, located, opened, run
from .screen import Problem, console, moment, show_json, table

app = App(name="keys", help="Keys of the native API (/api/v1): list, create, revoke.")


@app.command(name="list")
def list_keys(email: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """The keys of an account, without what makes them keys."""
    from ..store import api_keys

    async def go() -> None:
        async with opened(located(where)) as base:
            found = await api_keys.listing(base.db, await account_id(base, email))
            if json:
                show_json(found)
                return
            rows = [
                (
                    key.id,
                    key.name,
                    f"{key.prefix}...",
                    " ".join(key.scopes),
                    moment(key.last_used_at) if key.last_used_at else "never",
                    "revoked" if key.revoked_at else moment(key.expires_at) if key.expires_at else "",
                )
                for key in found
            ]
            columns = ("Id", "Name", "Key", "Scopes", "Last used", "Ends")
            console().print(
                table(columns, rows, right=frozenset({0}))
                if rows
                else f"none: `passerelle account keys create {email}`"
            )

    run(go())


@app.command
def create(
    email: str,
    /,
    *,
    name: str = "command line",
    scope: Annotated[list[str] | None, Parameter(negative="")] = None,
    days: int | None = None,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Make a key and print it. It is shown this once.

    Parameters
    ----------
    name
        For people: who uses it.
    scope
        What it may do, e.g. messages:send or contacts:*; several times for more; without it everything.
    days
        After how many days it ends; without it never.
    """
    from ..domain.scopes import ALL, SCOPES, is_scope
    from ..pipeline.api_keys import ApiKeys

    scopes = scope or [ALL]
    if unknown := [one for one in scopes if not is_scope(one)]:
        raise Problem(f"there is no scope {unknown[0]!r}; there are: {', '.join(SCOPES)}, family:* and *")
    if days is not None and days < 1:
        raise Problem("--days is at least 1")

    async def go() -> None:
        async with opened(located(where)) as base:
            account, now = await account_id(base, email), datetime.now(UTC)
            ends = None if days is None else now + timedelta(days=days)
            made, key = await ApiKeys(base.db, base.accounts.keyring).create(account, name, scopes, now, ends)
            if json:
                show_json({"id": made.id, "key": key, "scopes": made.scopes, "expires_at": ends})
            else:
                print(key)

    run(go())


@app.command
def revoke(email: str, key: int, /, *, where: Where = HERE) -> None:
    """Refuse a key from now on.

    Parameters
    ----------
    key
        Its id, as `list` shows it.
    """
    from ..store import api_keys

    async def go() -> None:
        async with opened(located(where)) as base:
            if not await api_keys.revoke(base.db, await account_id(base, email), key, datetime.now(UTC)):
                raise Problem(f"{email} has no valid key {key}: `passerelle account keys list {email}` shows them")
            print(f"key {key} is refused from now on")

    run(go())
