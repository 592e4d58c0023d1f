"""The checks before every call, in their order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from passerelle.clock import ManualClock
from passerelle.domain.account import AccountState
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.keys import Keyring
from passerelle.settings import Settings
from passerelle.surfaces.door import Barrier, Door, Entered, Rate, Stopped, body_hash, idempotency_key
from passerelle.surfaces.http import Request


def request(address="192.0.2.7", path="/send", body=b"", **headers):
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    made = Request({"headers": named, "client": (address, 1), "query_string": b""}, "POST", path)
    made.body = body
    return made


class Entrance:
    def __init__(self, db, rules):
        self.clock = ManualClock(datetime(2026, 11, 10, 10, 0, tzinfo=UTC))
        self.accounts = Accounts(db, Keyring("test"), Settings())
        self.door = Door(db, self.accounts, self.clock)
        self.rules = rules

    async def open(self):
        self.account, self.key = await self.accounts.create("a@example.org", now=self.clock.now(), rules=self.rules)
        return self

    async def barrier(self, key=None, address="192.0.2.7", **more):
        entered = await self.door.enter(request(address), self.key if key is None else key, **more)
        return entered.barrier if isinstance(entered, Stopped) else None


@pytest.fixture
def entrance(db):
    return lambda **rules: Entrance(db, rules).open()


async def test_keys(entrance):
    door = await entrance()
    assert await door.barrier() is None
    assert await door.barrier(f"  {door.key}\n") is None
    assert await door.barrier("") is await door.barrier("  ") is Barrier.KEY_MISSING
    for wrong in ("x", door.key.upper(), door.key[:-1], door.key + "0", "é" * 5000):
        assert await door.barrier(wrong) is Barrier.KEY_UNKNOWN


async def test_a_revoked_key_is_unknown_at_once(entrance):
    door = await entrance()
    assert await door.barrier() is None
    new = await door.accounts.new_key(door.account.id)
    assert await door.barrier() is Barrier.KEY_UNKNOWN
    assert await door.barrier(new) is None


@pytest.mark.parametrize(
    ("state", "barrier"),
    [
        (AccountState.DISABLED, Barrier.DISABLED),
        (AccountState.BLOCKED, Barrier.BLOCKED),
        (AccountState.API_DENIED, Barrier.API_DENIED),
        (AccountState.ACTIVE, None),
    ],
)
async def test_states(entrance, state, barrier):
    door = await entrance()
    await door.accounts.set_state(door.account.id, state)
    assert await door.barrier() is barrier


async def test_a_stale_copy_keeps_nobody_out(entrance):
    door = await entrance()
    await door.accounts.set_state(door.account.id, AccountState.BLOCKED)
    assert await door.barrier(cached=True) is Barrier.BLOCKED
    await door.accounts.set_state(door.account.id, AccountState.ACTIVE)
    assert await door.barrier(cached=True) is None


async def test_the_address_comes_before_the_state(entrance):
    door = await entrance(allowed_addresses=["192.0.2.0/28", "2001:db8::1"])
    await door.accounts.set_state(door.account.id, AccountState.BLOCKED)
    assert await door.barrier(address="192.0.2.16") is Barrier.ADDRESS
    assert await door.barrier(address="192.0.2.15") is await door.barrier(address="2001:db8::1") is Barrier.BLOCKED


async def test_a_limited_call_tells_what_is_left(entrance):
    door = await entrance()
    entered = await door.door.enter(request(), door.key, rate=Rate("call", 2))
    assert isinstance(entered, Entered)
    told = {bytes(name).decode(): value for name, value in entered.headers}
    reset = int(door.clock.now().timestamp()) + 60
    expected = {"X-RateLimit-Limit": b"2", "X-RateLimit-Remaining": b"1", "X-RateLimit-Reset": b"%d" % reset}
    assert told == expected
    door.clock.move(20)
    assert await door.barrier(rate=Rate("call", 2)) is None
    stopped = await door.door.enter(request(), door.key, rate=Rate("call", 2))
    assert isinstance(stopped, Stopped) and stopped.barrier is Barrier.RATE
    assert dict(stopped.headers)[b"retry-after"] == b"40"
    door.clock.move(40)
    assert await door.barrier(rate=Rate("call", 2)) is None


async def test_who_is_refused_is_not_counted(entrance):
    door = await entrance(rate_default=1)
    await door.accounts.set_state(door.account.id, AccountState.BLOCKED)
    assert await door.barrier() is Barrier.BLOCKED
    await door.accounts.set_state(door.account.id, AccountState.ACTIVE)
    assert [await door.barrier(), await door.barrier()] == [None, Barrier.RATE]


def test_idempotency_keys():
    assert idempotency_key(request(idempotency_key=" abc ")) == "abc"
    assert idempotency_key(request(idempotency_key="x" * 255)) == "x" * 255
    assert idempotency_key(request(idempotency_key="x" * 256)) == idempotency_key(request()) == ""


def test_the_hash_of_a_request_tells_paths_formats_and_bodies_apart():
    hashes = [
        body_hash(request()),
        body_hash(request(path="/bulk-send")),
        body_hash(request(), "xml"),
        body_hash(request(), "x", "ml"),
        body_hash(request(body=b"x")),
    ]
    assert len(set(hashes)) == len(hashes)
    assert body_hash(request(body=b"x"), "a") == body_hash(request(body=b"x"), "a")
