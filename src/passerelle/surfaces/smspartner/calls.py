"""What every call of SMS Partner is given, and what it may need.

One rule: a call answers with the members of its reply; how they are written is decided once, in `routes.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ...clock import Clock
from ...domain import links
from ...domain.account import Account
from ...pipeline.accounts import Accounts
from ...pipeline.submit import Submitter
from ...store.database import Database
from ..door import Barrier, Door, Rate
from ..http import Answer, Request
from .reading import Members
from .wire import Reply

Shorten = Callable[[int, Sequence[str]], Awaitable[Sequence[str]]]
"""Short links for the links of an account, in their order."""


_BELOW = partial(links.address, host="", site="")


@dataclass(frozen=True, slots=True)
class Services:
    """What the calls work with. `shorten`: none where no host for short links is configured; `address`: the link of
    the code of a short link."""

    db: Database
    door: Door
    accounts: Accounts
    submitter: Submitter
    clock: Clock
    group_add_code: int = 200
    contact_page: int = 500
    shorten: Shorten | None = None
    address: Callable[[str], str] = _BELOW
    rcs: bool = False  # there is a provider


@dataclass(frozen=True, slots=True)
class Call:
    """One request of an account that came in."""

    request: Request
    members: Members
    account: Account
    is_xml: bool


Work = Callable[[Services, Call], Awaitable[Reply | Answer]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A path and its call. `cached`: the account may be a few seconds old, as the commit looks at it again.

    `barriers`: code and text where this call has its own for what keeps a caller out.
    """

    path: str
    work: Work
    methods: tuple[str, ...]
    cached: bool = False
    rate: Rate | None = None
    barriers: Mapping[Barrier, tuple[int, str]] = field(default_factory=dict)


GET = ("GET",)
POST = ("POST",)
GET_POST = ("GET", "POST")
REMOVALS = ("GET", "POST", "DELETE")
