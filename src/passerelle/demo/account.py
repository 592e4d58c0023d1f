"""The account of the demo: made at the first start, never without credit to play with."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag

from ..app import Ground, ground
from ..pipeline.accounts import Accounts
from ..pipeline.api_keys import ApiKeys
from ..pipeline.rental_import import fill_with_examples
from ..settings import Settings
from ..store import accounts as account_rows
from ..store import ledger, virtual_numbers
from . import EMAIL
from .places import CannotStart, private

CREDIT = 2_000_000_000  # micro-euros
LONG_NUMBER = 33644630001  # may send, and be answered
PEOPLE = 2_000  # of the contact base, none of whom exists


async def demo_account(settings: Settings) -> tuple[int, str, str]:
    """The demo account, its key and one of the native API, made at the first start with credit to play with."""
    async with ground(settings, size=2) as base:
        account, key = await _account(base, settings, now := datetime.now(UTC))
        await fill_with_examples(base.db, PEOPLE, now)
        if not await virtual_numbers.of_account(base.db, account):
            await virtual_numbers.add(base.db, LONG_NUMBER, account, now)
        return account, key, await native_key(base, account, settings.data, now)


async def native_key(base: Ground, account: int, data: Path, now: datetime) -> str:
    """A key of the native API that may do everything; the database does not know it whole, so a file keeps it."""
    keys, file = ApiKeys(base.db, base.accounts.keyring), data / "native_key"
    with contextlib.suppress(FileNotFoundError):
        known = await keys.find(kept := file.read_text().strip(), now)
        if known is not None and known.account_id == account:
            return kept
    _, made = await keys.create(account, "demo", ["*"], now)
    file.unlink(missing_ok=True)
    with open(file, "x", opener=private) as out:
        out.write(made)
    return made


async def _account(base: Ground, settings: Settings, now: datetime) -> tuple[int, str]:
    found = await account_rows.id_of(base.db, EMAIL)
    if found is None:
        account, key = await base.accounts.create(
            EMAIL, now=now, firstname="Alix", lastname="Martin", key=settings.demo_key or None
        )
        await base.accounts.credit(account.id, CREDIT, now, "demo")
        return account.id, key
    key = await _unsealed(base.accounts, found, settings)
    if await ledger.balance(base.db, found) < CREDIT // 10:
        await base.accounts.credit(found, CREDIT, now, "demo, again")
    return found, key


async def _unsealed(accounts: Accounts, account: int, settings: Settings) -> str:
    try:
        return await accounts.key(account) or await accounts.new_key(account)
    except InvalidTag:
        raise CannotStart(
            f"the keys in this database were sealed with another master secret: unset PASSERELLE_SECRET, or put the "
            f"file {settings.data / 'secret'} back"
        ) from None
