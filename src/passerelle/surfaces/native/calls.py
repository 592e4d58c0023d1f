"""What every call of the native API is given, and how a function becomes a call. Without the web framework.

One rule: a call is a function of plain values; who calls, what the body holds and how the answer is written is settled
around it, once.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from ...clock import Clock
from ...domain.account import Account
from ...domain.routing import Route
from ...domain.scopes import SCOPES
from ...pipeline.accounts import Accounts
from ...pipeline.api_keys import ApiKeys
from ...pipeline.campaigns import Campaigns
from ...pipeline.submit import Submitter
from ...pipeline.webhooks import Webhooks
from ...settings import Settings
from ...store.api_keys import ApiKey
from ...store.database import Database
from ..door import Door

ROOT = "/api/v1"


@dataclass(frozen=True, slots=True)
class Services:
    """What the calls work with. `carriers`: id -> name."""

    db: Database
    door: Door
    accounts: Accounts
    keys: ApiKeys
    webhooks: Webhooks
    submitter: Submitter
    campaigns: Campaigns
    clock: Clock
    settings: Settings
    routes: Sequence[Route] = ()
    carriers: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what came with it. `path`: with its query; `idempotency_key`: '' for none."""

    account: Account
    key: ApiKey
    path: str
    idempotency_key: str = ""
    raw: bytes = b""

    @property
    def id(self) -> int:
        """Of the account."""
        return self.account.id


@dataclass(frozen=True, slots=True)
class Download:
    """A file as an answer."""

    content: bytes
    media: str
    filename: str


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer that is worded already, as JSON."""

    status: int
    content: bytes


Work = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A call: where it is, what it needs, what it takes and gives."""

    method: str
    path: str
    scope: str
    status: int
    work: Work
    query: type | None
    body: type | None
    answer: Any
    variables: Mapping[str, type]
    problems: tuple[str, ...]
    idempotent: bool  # takes an Idempotency-Key

    @property
    def name(self) -> str:
        """Unique among all: `messages_send`."""
        return f"{self.work.__module__.rpartition('.')[2]}_{self.work.__name__}"

    @property
    def arguments(self) -> list[str]:
        """The names of what the function is given."""
        return list(inspect.signature(self.work).parameters)

    @property
    def title(self) -> str:
        """The first sentence of its documentation."""
        return self._words[0]

    @property
    def description(self) -> str:
        """The rest of it."""
        return self._words[2]

    @property
    def _words(self) -> tuple[str, str, str]:
        first, dot, rest = re.sub(r"\s+", " ", inspect.getdoc(self.work) or "").partition(". ")
        return first.removesuffix("."), dot, rest


def endpoint(
    method: str,
    path: str,
    scope: str,
    *,
    status: int = 200,
    problems: tuple[str, ...] = (),
    idempotent: bool = False,
) -> Callable[[Work], Endpoint]:
    """Make a call of a function; `problems`: slugs beside those that every call may answer."""
    assert scope in SCOPES, scope

    def made(work: Work) -> Endpoint:
        hints = get_type_hints(work, include_extras=True)
        variables = {name: hints[name] for name in re.findall(r"\{(\w+)\}", path)}
        answer = hints["return"]
        ends = 204 if answer is type(None) else status
        query, body = hints.get("query"), hints.get("body")
        return Endpoint(method, path, scope, ends, work, query, body, answer, variables, problems, idempotent)

    return made
