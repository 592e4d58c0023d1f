"""Sub-accounts: made, given credit, removed; somebody invited to sign up for one.

The one rule: money between a main account and its sub-accounts moves with both sides in one transaction, so what they
have together changes by charges and top-ups alone. A removed sub-account keeps nothing: what comes back to it later,
as the price of a message that never left, goes on to its main account.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .. import telemetry
from ..domain.account import Account
from ..domain.calendar import PARIS
from ..domain.subaccounts import Fault, Type, Wanted, inherited
from ..domain.tokens import text20
from ..settings import Settings
from ..store import accounts as account_rows
from ..store import ledger, mails, virtual_numbers
from ..store import subaccounts as store
from ..store.accounts import EmailTaken
from ..store.database import Database, is_transient
from ..store.ledger import Kind
from ..store.optouts import new_token
from ..store.subaccounts import CLOSING_DAYS, Figures
from .accounts import Accounts
from .cancel import cancel_waiting
from .mails import may_write, write
from .once import Repeatable, keep, look

PAGE = 20
PATIENCE = 3.0  # seconds that a removal takes itself; the rest of a long list is left to the workers
INVITED = timedelta(days=7)
NOTE = "sub-account"


@dataclass(frozen=True, slots=True)
class Created:
    """A new sub-account; `token`: 12 bytes; `mailed`: its invitation is in the outbox."""

    account_id: int
    email: str
    token: bytes
    mailed: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """Credit went over; both balances after, in micro-euros."""

    parent: int
    child: int


class TooManyMails(Exception):
    """To this address or by this account, within the hour: nothing was done."""


class _Short(Exception):
    """The main account cannot give what a new one was to have."""


def may_make(account: Account) -> bool:
    """Whether an account may have sub-accounts: a main account that nobody took the right from."""
    return account.rules.subaccounts and not account.parent_id


def may_make_more(account: Account) -> bool:
    """Whether it may make another: a daily quota would be got round by sub-accounts, which count for themselves."""
    return may_make(account) and not account.rules.daily_quota


# --- made ------------------------------------------------------------------------------------------------------------


async def create(
    db: Database, accounts: Accounts, parent: Account, wanted: Wanted, now: datetime, once: Repeatable | None = None
) -> Created | Fault:
    """Make a sub-account with its credit and, for an advanced one, its invitation: all of it or nothing.

    Beyond the limits of mails it is made without an invitation. Raises Repeated.
    """
    own = inherited((await account_rows.by_id(db, parent.id))["settings"])
    while True:
        email = wanted.email or f"{secrets.randbelow(10**8):08}@{accounts.settings.subaccount_domain}"
        try:
            async with db.transaction() as connection:
                await ledger.lock_wallets(connection, [parent.id])  # a twin waits here
                await look(connection, once, now)
                if wanted.email and await store.email_is_used(connection, wanted.email):
                    return Fault.EMAIL_TAKEN
                if wanted.credit is not None and wanted.credit <= 0:
                    return Fault.AMOUNT
                created = await _create(connection, accounts, parent, wanted, email, own, now)
                await keep(connection, once, created, now)
                return created
        except EmailTaken:
            if wanted.email:
                return Fault.EMAIL_TAKEN
        except _Short:
            return Fault.EMPTY


async def _create(
    connection: Any,
    accounts: Accounts,
    parent: Account,
    wanted: Wanted,
    email: str,
    own: dict[str, object],
    now: datetime,
) -> Created:
    account_id, _ = await accounts.create_in(
        connection,
        email,
        now=now,
        firstname=wanted.firstname,
        lastname=wanted.lastname,
        rules=own,
        parent_id=parent.id,
    )
    token = new_token(now)
    await store.insert(connection, parent.id, account_id, token, wanted.type, wanted.is_buyer, wanted.title, now)
    if wanted.credit is not None:
        given = await ledger.move(connection, parent.id, account_id, wanted.credit, Kind.TRANSFER, now, NOTE)
        if given is None:
            raise _Short
    mailed = wanted.type is Type.ADVANCED and await may_write(connection, parent.id, email, now)
    if mailed:
        await _invite(connection, accounts, parent, account_id, email, now)
    return Created(account_id, email, token, mailed)


# --- credit ----------------------------------------------------------------------------------------------------------


async def give(
    db: Database, parent_id: int, token: bytes, amount: int, now: datetime, once: Repeatable | None = None
) -> Moved | Fault:
    """Move `amount` micro-euros from a main account to one of its sub-accounts. Raises Repeated."""
    return await _move(db, parent_id, token, amount, now, once, back=False)


async def take(
    db: Database, parent_id: int, token: bytes, amount: int, now: datetime, once: Repeatable | None = None
) -> Moved | Fault:
    """Move `amount` micro-euros from a sub-account back to its main account. Raises Repeated."""
    return await _move(db, parent_id, token, amount, now, once, back=True)


async def _move(
    db: Database, parent_id: int, token: bytes, amount: int, now: datetime, once: Repeatable | None, *, back: bool
) -> Moved | Fault:
    async with db.transaction() as connection:
        await ledger.lock_wallets(connection, [parent_id])  # before that of its sub-account, whose id is higher
        await look(connection, once, now)
        child_id = await store.find(connection, parent_id, token)
        if child_id is None:
            return Fault.UNKNOWN
        if amount <= 0:
            return Fault.AMOUNT
        source, target = (child_id, parent_id) if back else (parent_id, child_id)
        wallets = await ledger.lock_wallets(connection, [parent_id, child_id])
        if not await store.is_open(connection, child_id):
            return Fault.UNKNOWN
        after = await ledger.move(connection, source, target, amount, Kind.TRANSFER, now, NOTE)
        if after is None:
            return Fault.SHORT if wallets[source]["balance"] else Fault.EMPTY
        moved = Moved(after[parent_id], after[child_id])
        await keep(connection, once, moved, now)
    return moved


# --- removal ---------------------------------------------------------------------------------------------------------


async def remove(db: Database, parent_id: int, token: bytes, now: datetime) -> bool:
    """Remove a sub-account: its key is refused from the commit on, what waits is taken back, its money returns.

    False: there is none with this token. A very long list of scheduled messages is finished by the workers.
    """
    child_id = await store.find(db, parent_id, token)
    if child_id is None or not await _close(db, parent_id, child_id, now):
        return False
    telemetry.log(telemetry.Event.KEY_REVOKED, account=child_id)
    end = time.monotonic() + PATIENCE
    try:
        while await give_back(db, parent_id, child_id, now) and time.monotonic() < end:
            pass
    except Exception as error:
        if not is_transient(error):
            raise
    return True


async def _close(db: Database, parent_id: int, child_id: int, now: datetime) -> bool:
    """From here on nothing more can be sent or moved: every send looks at the version of its wallet under this lock."""
    async with db.transaction() as connection:
        numbers = await virtual_numbers.hand_over(connection, child_id, parent_id)
        wallets = await ledger.lock_wallets(connection, [parent_id, child_id])
        if numbers:
            await account_rows.touch(connection, parent_id)
        await mails.drop_of_account(connection, child_id)  # before its invitations, as `invite_again` does
        if not await store.close(connection, child_id, now):
            return False
        await _return_balance(connection, parent_id, child_id, wallets[child_id]["balance"], now)
    return True


async def give_back(db: Database, parent_id: int, child_id: int, now: datetime) -> int:
    """Take back a batch of what a removed sub-account had scheduled, and pass on what is on it; how many messages."""
    # Two transactions: a refund locks a wallet behind its messages, passing on locks both wallets in their order.
    cancelled = await cancel_waiting(db, child_id, now)
    async with db.transaction() as connection:
        wallets = await ledger.lock_wallets(connection, [parent_id, child_id])
        await _return_balance(connection, parent_id, child_id, wallets[child_id]["balance"], now)
    return cancelled


async def _return_balance(connection: Any, parent_id: int, child_id: int, balance: int, now: datetime) -> None:
    if balance:
        await ledger.move(connection, child_id, parent_id, balance, Kind.TRANSFER, now, "sub-account removed")


async def settle_removed(db: Database, now: datetime) -> int:
    """Finish removals, and pass on what came back since to their main accounts; how many there were. A chore."""
    pending = await store.unsettled(db, now - timedelta(days=CLOSING_DAYS), now)
    for parent_id, child_id in pending:
        while await give_back(db, parent_id, child_id, now):
            pass
    return len(pending)


# --- figures ---------------------------------------------------------------------------------------------------------


async def figures(
    db: Database, children: Sequence[int], since: datetime, until: datetime, now: datetime
) -> dict[int, Figures]:
    """What each of these accounts has sent, and what that cost from `since` to `until` (full hours)."""
    return await store.figures(db, children, since, until, now) if children else {}


# --- signing up ------------------------------------------------------------------------------------------------------


async def invite_again(db: Database, accounts: Accounts, email: str, now: datetime) -> bool:
    """A new link for an advanced sub-account; the one before ends. False: there is none, or it signed up already.

    Raises TooManyMails.
    """
    row = await store.of_email(db, email)
    if row is None or row["type"] != Type.ADVANCED or row["signed_up_at"] is not None:
        return False
    parent = await accounts.by_id(row["parent_id"])
    assert parent is not None
    async with db.transaction() as connection:
        await ledger.lock_wallets(connection, [parent.id])  # the limits are those of one who counts at a time
        if not await may_write(connection, parent.id, email, now):
            raise TooManyMails
        await mails.drop_of_account(connection, row["account_id"])
        await _invite(connection, accounts, parent, row["account_id"], email, now)
    return True


async def _invite(
    connection: Any, accounts: Accounts, parent: Account, account_id: int, email: str, now: datetime
) -> None:
    token, until = secrets.token_urlsafe(24), now + INVITED
    await store.invite(connection, account_id, hash_of(token), now, until)
    text = _letter(accounts.settings, parent, token, until)
    await write(connection, accounts.keyring, account_id, email, "Votre compte d'envoi de SMS", text, now, until)


def hash_of(token: str) -> bytes:
    """What the database knows the token of a link by: it is long and random, so no salt is needed."""
    return hashlib.sha256(token.encode()).digest()


def _letter(settings: Settings, parent: Account, token: str, until: datetime) -> str:
    return f"""Bonjour,

{name_of(parent.firstname, parent.lastname, parent.email)} vous ouvre un compte d'envoi de SMS.

Pour l'activer, suivez ce lien avant le {until.astimezone(PARIS):%d/%m/%Y} :

{settings.site}/signup/{token}

Si vous n'attendiez pas ce message, ignorez-le : rien ne sera fait sans vous.
"""


def name_of(firstname: str, lastname: str, email: str) -> str:
    """What people call an account."""
    return f"{firstname} {lastname}".strip() or email


def shown_token(token: bytes) -> str:
    """The 20 characters that stand for a sub-account."""
    return text20(bytes(token))
