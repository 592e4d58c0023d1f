"""Endpoints hear of every dialect, in order, signed with their own secret; a dead one delays and costs nobody."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from outbound.receiver import answer, receiving

from passerelle.app import WORDINGS
from passerelle.clock import ManualClock
from passerelle.domain.account import Account
from passerelle.domain.message import Dialect, EventKind, State
from passerelle.outbound.webhook import Poster, signature
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.callbacks import Callbacks
from passerelle.pipeline.housekeeping import Housekeeping
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.teller import Teller
from passerelle.pipeline.webhooks import Webhooks, announce
from passerelle.pipeline.wording import Told
from passerelle.settings import Settings
from passerelle.store import events, webhooks
from passerelle.store.database import Database
from passerelle.store.events import NewEvent
from passerelle.store.webhooks import DeliveryState

T0 = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
K = EventKind


@dataclass
class Post:
    """One process that delivers."""

    db: Database
    clock: ManualClock
    accounts: Accounts
    account: Account
    webhooks: Webhooks
    callbacks: Callbacks
    teller: Teller

    async def endpoint(self, url: str, *filters: str) -> int:
        made, _ = await self.webhooks.create(self.account.id, url, filters or ("*",), T0)
        return made.id

    def told(self, kind: EventKind = K.DELIVERED, state: State = State.DELIVERED, row: int = 8) -> Told:
        return Told(
            event=kind, dialect=Dialect.SMSPARTNER, account_id=self.account.id, row_id=row, state=state, message_id=9,
            snapshot=0, phone=33639980001, at=T0, cost=38_000, tag="T", text="Merci" if kind is K.REPLY else "",
        )  # fmt: skip

    async def tell(self, *told: Told, dlr_url: str = "") -> None:
        """As the pipeline does: the rules, the words, the commit, the post."""
        rules = await self.teller.rules([self.account.id])
        new = [event for one in told for event in self.teller.word(one, rules[self.account.id], dlr_url)]
        async with self.db.transaction() as connection:
            leased = await events.insert(connection, new, self.clock.now())
        self.teller.post(leased)
        await self.callbacks.idle()

    async def work(self) -> None:
        while True:
            await self.callbacks.poll()
            if not self.callbacks._workers:
                return
            await self.callbacks.idle()

    async def listed(self, endpoint: int) -> list[webhooks.Delivery]:
        return await webhooks.deliveries(self.db, self.account.id, endpoint, list(DeliveryState))


@pytest.fixture
async def post(db: Database) -> AsyncIterator[Post]:
    clock, keyring = ManualClock(T0), Keyring("test")
    accounts = Accounts(db, keyring, Settings())
    account, _ = await accounts.create("bakery@example.org", now=T0)
    poster = Poster(allow_private=True, timeout=0.3)
    hooks = Webhooks(db, keyring)
    callbacks = Callbacks(db, poster, accounts, clock, webhooks=hooks)
    teller = Teller(accounts, WORDINGS, callbacks.offer, accounts.listeners)
    yield Post(db, clock, accounts, account, hooks, callbacks, teller)
    await poster.close()


async def test_endpoints_hear_of_a_message_of_any_dialect_beside_its_own_callback(post: Post) -> None:
    async with receiving() as receiver:
        endpoint = await post.endpoint(receiver.url("/hook"))
        await post.tell(post.told(), dlr_url=receiver.url("/dlr"))
        own, hook = sorted(receiver.requests, key=lambda request: request.target)
    assert (own.target, hook.target) == ("/dlr", "/hook")
    told = json.loads(hook.body)
    assert (told["type"], told["timestamp"]) == ("message.delivered", "2026-11-12T09:00:00Z")
    assert told["data"] == {
        "id": "8", "dialect": "smspartner", "number": "9", "to": "+33639980001", "state": "delivered", "price": "0.038",
        "tag": "T", "campaign": None, "test": False,
    }  # fmt: skip
    (secret,) = await post.webhooks.secrets(endpoint, T0)
    assert hook.headers["webhook-signature"] == signature(
        [secret], hook.headers["webhook-id"], int(T0.timestamp()), hook.body
    )
    assert secret not in post.account.secrets
    (delivery,) = await post.listed(endpoint)
    assert (delivery.state, delivery.status, delivery.attempts) == (DeliveryState.DELIVERED, 200, 1)
    assert delivery.uuid == hook.headers["webhook-id"] and delivery.body == hook.body.decode()
    assert await post.db.fetchval("select count(*) from event") == 0


@pytest.mark.parametrize(
    ("filters", "kind", "state", "heard"),
    [
        (("message.*",), K.DELIVERED, State.DELIVERED, "message.delivered"),
        (("message.bounced",), K.FAILED, State.BOUNCED, "message.bounced"),
        (("message.failed",), K.FAILED, State.BOUNCED, None),
        (("message.delivered",), K.REPLY, State.DELIVERED, None),
        (("reply.received",), K.REPLY, State.DELIVERED, "reply.received"),
        (("*",), K.SUBMITTED, State.SUBMITTED, "message.submitted"),
        (("message.delivered",), K.SUBMITTED, State.SUBMITTED, None),
        (("recipient.*",), K.UNSUBSCRIBED, State.DELIVERED, "recipient.unsubscribed"),
    ],
)
async def test_an_endpoint_hears_what_it_asked_for(post: Post, filters, kind, state, heard) -> None:
    await post.endpoint("https://a.example/", *filters)
    rules = await post.teller.rules([post.account.id])
    told = post.teller.word(post.told(kind, state), rules[post.account.id])
    assert [json.loads(event.body)["type"] for event in told] == ([heard] if heard else [])
    wants_steps = any(one in ("*", "message.*") for one in filters)
    assert post.teller.tells_progress(post.account.id, Dialect.SMSPARTNER) is wants_steps


async def test_accounts_without_endpoints_pay_nothing(post: Post) -> None:
    asked: list[object] = []

    async def listeners(ids: object) -> dict[int, tuple[()]]:
        asked.append(ids)
        return {}

    teller = Teller(post.accounts, WORDINGS, lambda leased: None, listeners)
    for _ in range(3):
        rules = await teller.rules([post.account.id])
        assert teller.word(post.told(), rules[post.account.id]) == []
        assert not teller.tells_progress(post.account.id, Dialect.SMSPARTNER)
    assert len(asked) == 1


async def test_a_dead_callback_delays_no_endpoint(post: Post) -> None:
    async with receiving(lambda request: answer(500 if request.target == "/dlr" else 200)) as receiver:
        await post.endpoint(receiver.url("/hook"))
        await post.tell(post.told(), dlr_url=receiver.url("/dlr"))
        await post.tell(replace(post.told(), event=K.REPLY, text="Oui"), dlr_url=receiver.url("/dlr"))
        assert sorted(request.target for request in receiver.requests) == ["/dlr", "/hook", "/hook"]
        assert [json.loads(r.body)["type"] for r in receiver.requests if r.target == "/hook"] == [
            "message.delivered", "reply.received",
        ]  # fmt: skip


async def test_attempts_are_logged_and_the_end_of_them(post: Post) -> None:
    async with receiving(lambda request: answer(503)) as receiver:
        endpoint = await post.endpoint(receiver.url())
        await post.tell(post.told())
        (one,) = await post.listed(endpoint)
        assert (one.state, one.status, one.error, one.attempts) == (DeliveryState.WAITING, 503, "HTTP 503", 1)
        assert one.next_at == T0 + timedelta(minutes=1)
        post.clock.move(60)
        await post.work()
        assert [(d.id, d.attempts) for d in await post.listed(endpoint)] == [(one.id, 2)]
        receiver.reply = lambda request: answer(200)
        known = await webhooks.find(post.db, post.account.id, endpoint)
        assert known is not None
        assert await webhooks.replay(post.db, known, post.clock.now(), ids=[one.id]) == 1
        await post.work()
        (one,) = await post.listed(endpoint)
        assert (one.state, one.attempts) == (DeliveryState.DELIVERED, 1)
        assert await webhooks.replay(post.db, known, post.clock.now(), ids=[one.id]) == 1  # what arrived, once more
        await post.work()
        assert len(receiver.requests) == 4
        assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1


async def test_gone_ends_the_endpoint_and_what_waits_for_it(post: Post) -> None:
    async with receiving(lambda request: answer(503)) as receiver:
        endpoint, other = await post.endpoint(receiver.url("/gone")), await post.endpoint(receiver.url("/other"))
        await post.tell(post.told(row=1))
        receiver.reply = lambda request: answer(410 if request.target == "/gone" else 200)
        await post.tell(post.told(row=2))
        known = await webhooks.find(post.db, post.account.id, endpoint)
        assert known is not None and known.disabled_at == T0 and "410" in known.disabled_why
        assert (await post.webhooks.listeners([post.account.id]))[post.account.id][0].id == other
        assert {d.state for d in await post.listed(endpoint)} == {DeliveryState.GIVEN_UP}
        count = len(receiver.requests)
        post.clock.move(60)
        await post.work()
        assert [request.target for request in receiver.requests[count:]] == ["/other"]


async def test_other_news_is_announced_in_the_transaction_of_its_fact(post: Post) -> None:
    async with receiving() as receiver:
        await post.endpoint(receiver.url("/checks"), "check.completed")
        await post.endpoint(receiver.url("/messages"), "message.*")
        async with post.db.transaction() as connection:
            await announce(connection, EventKind.HLR, [(post.account.id, T0, {"phone": "+33639980001"})], T0)
        with pytest.raises(RuntimeError):
            async with post.db.transaction() as connection:
                await announce(connection, EventKind.HLR, [(post.account.id, T0, {})], T0)
                raise RuntimeError
        await post.work()
        (request,) = receiver.requests
    assert request.target == "/checks"
    assert json.loads(request.body) == {
        "type": "check.completed", "timestamp": "2026-11-12T09:00:00Z", "data": {"phone": "+33639980001"},
    }  # fmt: skip


async def test_a_rotated_secret_signs_beside_the_new_one_for_a_day(post: Post) -> None:
    endpoint = await post.endpoint("https://a.example/")
    (first,) = await post.webhooks.secrets(endpoint, T0)
    await post.webhooks.rotate(post.account.id, endpoint, T0)
    new, old = await post.webhooks.secrets(endpoint, T0 + timedelta(hours=23))
    assert old == first != new
    assert await post.webhooks.secrets(endpoint, T0 + timedelta(hours=24)) == (new,)
    assert await post.webhooks.rotate(post.account.id + 1, endpoint, T0) is None
    assert await post.webhooks.secrets(endpoint + 1, T0) == ()


async def test_a_removed_endpoint_gets_nothing_more(post: Post) -> None:
    async with receiving(lambda request: answer(500)) as receiver:
        endpoint = await post.endpoint(receiver.url())
        await post.tell(post.told())
        assert await webhooks.remove(post.db, post.account.id, endpoint, T0)
        post.clock.move(600)
        await post.work()
        assert len(receiver.requests) == 1
    event = NewEvent(post.account.id, 0, K.DELIVERED, T0, "https://a.example/", "", "")
    assert event.endpoint_id == 0


async def test_deliveries_are_forgotten_after_some_days(post: Post) -> None:
    async with receiving() as receiver:
        endpoint = await post.endpoint(receiver.url())
        await post.tell(post.told())
    keeper = Housekeeping(post.db, Settings(delivery_days=14), post.clock)
    assert await keeper.forget_deliveries(T0 + timedelta(days=14)) == 0
    assert await keeper.forget_deliveries(T0 + timedelta(days=14, seconds=1)) == 1
    assert await post.listed(endpoint) == []
