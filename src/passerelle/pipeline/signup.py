"""Signing up for an advanced sub-account: who was invited, by whom, and what is kept of who comes.

The one rule: a link works once; what stands in it is known to the database by its hash alone, and a password by its
argon2id hash.
"""

from __future__ import annotations

import asyncio
import enum
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from argon2 import PasswordHasher

from ..domain import numbers
from ..domain.numbers import Kind
from ..domain.subaccounts import LONGEST_NAME
from ..store import subaccounts as store
from ..store.database import Database
from .subaccounts import hash_of, name_of

SHORTEST, LONGEST = 10, 200  # characters of a password

_hasher = PasswordHasher()
_aside = ThreadPoolExecutor(1, thread_name_prefix="password")
"""One at a time: a hash takes 64 MiB and a processor for a while."""


class Standing(enum.Enum):
    """What an invitation is worth."""

    OPEN = "open"
    USED = "used"
    OVER = "over"
    UNKNOWN = "unknown"


class Field(enum.Enum):
    """What is asked for."""

    FIRSTNAME = "firstname"
    LASTNAME = "lastname"
    MOBILE = "mobile"
    PASSWORD = "password"


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation: for which address, from whom; the names that are known already."""

    standing: Standing
    email: str = ""
    by: str = ""
    firstname: str = ""
    lastname: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody wrote into the form."""

    firstname: str
    lastname: str
    mobile: str
    password: str


async def look(db: Database, token: str, now: datetime) -> Invited:
    """What a link leads to."""
    row = await store.invitation(db, hash_of(token))
    if row is None:
        return Invited(Standing.UNKNOWN)
    by = name_of(row["parent_firstname"], row["parent_lastname"], row["parent_email"])
    standing = Standing.USED if row["used_at"] else Standing.OVER if row["expires_at"] <= now else Standing.OPEN
    return Invited(standing, row["email"], by, row["firstname"], row["lastname"])


def faults(given: Given) -> set[Field]:
    """What cannot be taken as it is."""
    found = {
        field
        for field, name in ((Field.FIRSTNAME, given.firstname), (Field.LASTNAME, given.lastname))
        if not 0 < len(name.strip()) <= LONGEST_NAME
    }
    if _mobile(given.mobile) is None:
        found.add(Field.MOBILE)
    if not SHORTEST <= len(given.password) <= LONGEST:
        found.add(Field.PASSWORD)
    return found


def _mobile(written: str) -> int | None:
    read = numbers.normalise(written)
    return int(read.e164[1:]) if read is not None and read.kind is Kind.MOBILE else None


async def accept(db: Database, token: str, given: Given, now: datetime) -> Standing:
    """Sign up with a form that has no faults; OPEN: it is done. Otherwise the link is worth nothing any more."""
    invited = await look(db, token, now)
    mobile = _mobile(given.mobile)
    if invited.standing is not Standing.OPEN or mobile is None:
        return invited.standing
    hashed = await asyncio.get_running_loop().run_in_executor(_aside, _hasher.hash, given.password)
    async with db.transaction() as connection:
        done = await store.sign_up(
            connection, hash_of(token), mobile, given.firstname.strip(), given.lastname.strip(), hashed, now
        )
    return Standing.OPEN if done else Standing.USED
