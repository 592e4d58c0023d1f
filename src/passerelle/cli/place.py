"""Where a command works: the settings, the database they name or that of a running `up`, and the room it all needs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter

from .. import settings as settings_module
from ..settings import SettingError, Settings
from .screen import Problem

if TYPE_CHECKING:
    from ..app import Ground
    from ..domain.account import Account, AccountState
    from ..pipeline.submit import Submitter

Switch = Parameter(negative="", show_default=False)
Json = Annotated[bool, Switch, Parameter(name="--json", help="JSON, for scripts.")]


@Parameter(name="*")
@dataclass(frozen=True)
class Where:
    """Which platform a command is about."""

    config: Annotated[
        Path | None, Parameter(help="Settings file (TOML); PASSERELLE_NAME in the environment wins over it.")
    ] = None
    data: Annotated[Path | None, Parameter(help="Data folder of `up`: its database and all that it keeps.")] = None


HERE = Where()


def load(where: Where, **changes: Any) -> Settings:
    """The settings, with what the command line says over them."""
    found = settings_module.load(where.config)
    told = {name: value for name, value in (changes | {"data": where.data}).items() if value is not None}
    return msgspec.structs.replace(found, **told) if told else found


def located(where: Where) -> Settings:
    """The settings with a database: the one they name, else that of the `up` that runs here. Raises NotUp."""
    settings = load(where)
    if settings.database_url:
        return settings
    from ..demo.places import running

    return running(settings)


def production(where: Where, **changes: Any) -> Settings:
    """The settings of a program of its own, which guesses nothing. Raises SettingError."""
    settings = load(where, **changes)
    if not settings.database_url:
        raise SettingError(
            "database_url",
            "it is missing: set PASSERELLE_DATABASE_URL to postgresql://user:password@host/database "
            "(to try Passerelle out, `passerelle up` brings a database of its own)",
        )
    return settings


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop."""
    import uvloop

    uvloop.run(coroutine)


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Ground]:
    """The ground of a command: a database that is seen to answer first, so that nobody waits for one that does not."""
    from ..app import ground
    from ..store.inspection import reach

    await reach(settings.database_url)
    async with ground(settings, size=4) as base:
        yield base


@contextlib.asynccontextmanager
async def submitting(base: Ground) -> AsyncIterator[Submitter]:
    """The way into the database that the doors use."""
    from ..pipeline.submit import Submitter

    validity = timedelta(hours=base.settings.validity_hours)
    submitter = Submitter(base.db, base.accounts, base.routes(), base.clock, validity=validity)
    writing = asyncio.create_task(submitter.run())
    try:
        yield submitter
    finally:
        writing.cancel()


async def account_id(base: Ground, email: str) -> int:
    """The account of an e-mail address. Raises Problem."""
    from ..store import accounts

    found = await accounts.id_of(base.db, email)
    if found is None:
        known = [row["email"] for row in await accounts.listing(base.db)]
        shown = ", ".join(known[:8]) + (" ..." if len(known) > 8 else "")
        raise Problem(f"there is no account {email}; " + (f"there are: {shown}" if known else "there is none yet"))
    return found


async def sending_account(base: Ground, email: str | None) -> Account:
    """The account to send for. Raises Problem where it may not send."""
    from ..domain.account import AccountState

    account = await account_of(base, email)
    if account.state is not AccountState.ACTIVE:
        raise Problem(stopped(account.state))
    return account


def stopped(state: AccountState) -> str:
    """Why an account sends nothing, and what to do."""
    return f"the account is {state.name.lower()}: `passerelle account state EMAIL active` lets it send again"


async def account_of(base: Ground, email: str | None) -> Account:
    """The account that a command is for: the one named, that of the demo, or the only one. Raises Problem."""
    from ..demo import EMAIL
    from ..store import accounts

    if email is None:
        known = [row["email"] for row in await accounts.listing(base.db)]
        if len(known) != 1 and EMAIL not in known:
            raise Problem("say for which account: --account EMAIL (`passerelle account list` shows them)")
        email = EMAIL if EMAIL in known else known[0]
    account = await base.accounts.by_id(await account_id(base, email))
    assert account is not None
    return account
