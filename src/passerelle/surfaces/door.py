"""Who may come in: the key, the state of the account, its allowed addresses, its rate limits; and the idempotency key.

One rule: the order of the checks is that of the contracts (key, address, state, rate), and only a call that passed
all of them is counted.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass

from ..clock import Clock
from ..domain.account import Account, AccountState
from ..pipeline.accounts import Accounts
from ..store import limits
from ..store.database import Database
from . import addresses
from .http import RETRY_AFTER, Header, HeaderName, Request

IDEMPOTENCY_KEY = b"idempotency-key"
LONGEST_IDEMPOTENCY_KEY = 255

_LIMIT = HeaderName(b"X-RateLimit-Limit")
_REMAINING = HeaderName(b"X-RateLimit-Remaining")
_RESET = HeaderName(b"X-RateLimit-Reset")


class Barrier(enum.Enum):
    """Why nobody comes in."""

    KEY_MISSING = "key_missing"
    KEY_UNKNOWN = "key_unknown"
    ADDRESS = "address"
    DISABLED = "disabled"
    BLOCKED = "blocked"
    API_DENIED = "api_denied"
    RATE = "rate"


_OF_STATE = {
    AccountState.DISABLED: Barrier.DISABLED,
    AccountState.BLOCKED: Barrier.BLOCKED,
    AccountState.API_DENIED: Barrier.API_DENIED,
}


def of_state(state: AccountState | None) -> Barrier | None:
    """What the state of an account says; None (no account any more) is an unknown key."""
    return Barrier.KEY_UNKNOWN if state is None else _OF_STATE.get(state)


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nobody came in; `headers` go with the answer."""

    barrier: Barrier
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, slots=True)
class Entered:
    """An account came in; `headers` go with every answer to a limited call."""

    account: Account
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit of its own for one call: `calls` a minute."""

    call: str
    calls: int


class Door:
    """The checks before every call."""

    def __init__(self, db: Database, accounts: Accounts, clock: Clock) -> None:
        self._db = db
        self._accounts = accounts
        self._clock = clock

    async def enter(
        self, request: Request, key: str, *, cached: bool = False, rate: Rate | None = None
    ) -> Entered | Stopped:
        """Check key, address, state and rate. `cached`: the commit verifies the account again."""
        key = key.strip()
        if not key:
            return Stopped(Barrier.KEY_MISSING)
        account, barrier = await self._known(request, key, cached=cached)
        if barrier is not None and cached:
            account, barrier = await self._known(request, key, cached=False)
        if account is None or barrier is not None:
            return Stopped(barrier or Barrier.KEY_UNKNOWN)
        return await self._limited(account, rate)

    async def admit(self, account: Account, address: str, rate: Rate | None = None) -> Entered | Stopped:
        """The checks behind the key, for a door with keys of its own: address, state and rate."""
        barrier = _kept_out(account, address)
        return Stopped(barrier) if barrier is not None else await self._limited(account, rate)

    async def _limited(self, account: Account, rate: Rate | None) -> Entered | Stopped:
        if rate is None and not account.rules.rate_default:
            return Entered(account)
        return await self._counted(account, rate or Rate("*", account.rules.rate_default))

    async def _known(self, request: Request, key: str, *, cached: bool) -> tuple[Account | None, Barrier | None]:
        """The account of a key, and what keeps it out."""
        account = await self._accounts.find(key, cached=cached)
        if account is None:
            return None, Barrier.KEY_UNKNOWN
        return account, _kept_out(account, request.address)

    async def _counted(self, account: Account, rate: Rate) -> Entered | Stopped:
        now = self._clock.now()
        tally = await limits.count(self._db, account.id, rate.call, rate.calls, now)
        reset = int(tally.reset.timestamp())
        headers: tuple[Header, ...] = (
            (_LIMIT, b"%d" % rate.calls),
            (_REMAINING, b"%d" % tally.remaining),
            (_RESET, b"%d" % reset),
        )
        if tally.allowed:
            return Entered(account, headers)
        wait = max(1, reset - int(now.timestamp()))
        return Stopped(Barrier.RATE, (*headers, (RETRY_AFTER, b"%d" % wait)))


def _kept_out(account: Account, address: str) -> Barrier | None:
    """What keeps an account out that calls from an address."""
    allowed = account.rules.allowed_addresses
    if allowed and not addresses.is_listed(address, addresses.networks(tuple(allowed))):
        return Barrier.ADDRESS
    return of_state(account.state)


def idempotency_key(request: Request) -> str:
    """The client's Idempotency-Key; '' where there is none, or none that could be stored."""
    key = request.header(IDEMPOTENCY_KEY).replace("\0", "")
    return key if len(key) <= LONGEST_IDEMPOTENCY_KEY else ""


def body_hash(request: Request, *extra: str) -> bytes:
    """SHA-256 over the path, what else shapes the answer (such as `_format`) and the bytes of the body."""
    digest = hashlib.sha256("\0".join((request.path, *extra, "")).encode("utf-8", "replace"))
    digest.update(request.body)
    return digest.digest()
