"""What every call of SMS Partner is given, and what it may need.

One rule: a call answers with the members of its reply; how they are written is decided once, in `routes.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...clock import Clock
from ...domain.account import Account
from ...pipeline.accounts import Accounts
from ...pipeline.submit import Submitter
from ...store.database import Database
from ..door import Door
from ..http import Request
from .reading import Members


@dataclass(frozen=True, slots=True)
class Services:
    """What the calls work with."""

    db: Database
    door: Door
    accounts: Accounts
    submitter: Submitter
    clock: Clock


@dataclass(frozen=True, slots=True)
class Call:
    """One request of an account that came in."""

    request: Request
    members: Members
    account: Account
    is_xml: bool
