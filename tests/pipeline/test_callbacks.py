"""Notifications reach their receiver at least once, in order, on schedule, and one receiver delays no other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from outbound.receiver import answer, receiving

from passerelle.clock import ManualClock
from passerelle.domain.account import Account
from passerelle.domain.message import EventKind
from passerelle.outbound.webhook import Poster, signature
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.callbacks import DELAYS, Callbacks
from passerelle.pipeline.keys import Keyring
from passerelle.settings import Settings
from passerelle.store import events
from passerelle.store.database import Database
from passerelle.store.events import Leased, NewEvent

T0 = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
MINUTE = 60.0
K = EventKind


@dataclass
class Post:
    """One process that delivers, and the account that it delivers for."""

    db: Database
    clock: ManualClock
    accounts: Accounts
    account: Account
    poster: Poster
    callbacks: Callbacks

    async def store(self, *new: NewEvent) -> list[Leased]:
        async with self.db.transaction() as connection:
            return await events.insert(connection, new, self.clock.now())

    async def tell(self, *new: NewEvent) -> None:
        """Commit, offer, and wait for the outcomes."""
        self.callbacks.offer(await self.store(*new))
        await self.callbacks.idle()

    async def work(self) -> None:
        """Deliver whatever is due now."""
        while True:
            await self.callbacks.poll()
            if not self.callbacks._workers:
                return
            await self.callbacks.idle()

    def event(self, url: str, message_id: int = 0, kind: EventKind = K.DELIVERED, body: str = "{}") -> NewEvent:
        return NewEvent(self.account.id, message_id, kind, self.clock.now(), url, "application/json", body)

    def second(self) -> Callbacks:
        """Another process."""
        return Callbacks(self.db, self.poster, self.accounts, self.clock)

    async def left(self) -> list[tuple[int, int, str]]:
        return [tuple(row) for row in await self.db.fetch("SELECT state, attempts, error FROM event ORDER BY id")]


@pytest.fixture
async def post(db: Database) -> AsyncIterator[Post]:
    clock = ManualClock(T0)
    accounts = Accounts(db, Keyring("test"), Settings())
    account, _ = await accounts.create("bakery@example.org", now=T0)
    poster = Poster(allow_private=True, timeout=0.3)
    yield Post(db, clock, accounts, account, poster, Callbacks(db, poster, accounts, clock))
    await poster.close()


async def expire_leases(db: Database) -> None:
    await db.execute(
        "UPDATE event SET lease_until = clock_timestamp() - interval '1 second' WHERE lease_until IS NOT NULL"
    )


async def test_what_was_committed_is_posted_signed_and_forgotten(post: Post) -> None:
    async with receiving() as receiver:
        await post.tell(post.event(receiver.url("/dlr?key=a%20b"), body='{"tag": "é"}'))
    (request,) = receiver.requests
    assert request.target == "/dlr?key=a%20b"
    assert json.loads(request.body) == {"tag": "é"}
    head = request.headers
    assert head["webhook-signature"] == signature(
        post.account.secrets, head["webhook-id"], int(T0.timestamp()), request.body
    )
    assert await post.left() == []


async def test_the_schedule_of_eight_attempts_then_the_list_for_replay(post: Post) -> None:
    async with receiving(lambda request: answer(500)) as receiver:
        await post.tell(post.event(receiver.url()))
        for number, delay in enumerate((1, 5, 30, 120, 360, 720, 1440), start=2):
            post.clock.move(delay * MINUTE - 1)
            await post.work()
            assert len(receiver.requests) == number - 1
            post.clock.move(1)
            await post.work()
            assert len(receiver.requests) == number
        assert await post.left() == [(1, 8, "HTTP 500")]
        post.clock.move(10 * 1440 * MINUTE)
        await post.work()
        assert len(receiver.requests) == 8
        assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
        assert len({request.headers["webhook-timestamp"] for request in receiver.requests}) == 8

        receiver.reply = lambda request: answer(200)
        (kept,) = await events.given_up(post.db, post.account.id)
        assert await events.replay(post.db, post.account.id, [kept.id], post.clock.now()) == 1
        await post.work()
        assert len(receiver.requests) == 9
    assert await post.left() == []


async def test_an_endpoint_that_cannot_be_reached_keeps_the_same_schedule(post: Post) -> None:
    async with receiving() as receiver:
        url = receiver.url()
    await post.tell(post.event(url))
    for number, delay in enumerate(DELAYS, start=1):
        assert await post.left() == [(0, number, "Connection refused")]
        post.clock.move(delay.total_seconds())
        await post.work()
    assert await post.left() == [(1, 8, "Connection refused")]


async def test_events_of_a_message_keep_their_order_while_others_pass(post: Post) -> None:
    broken = [True]
    async with receiving(lambda request: answer(500 if broken[0] and request.body == b"1-sent" else 200)) as receiver:
        url = receiver.url()
        await post.tell(
            post.event(url, 1, K.SENT, "1-sent"),
            post.event(url, 1, K.SUBMITTED, "1-submitted"),
            post.event(url, 2, K.SENT, "2-sent"),
        )
        await post.tell(post.event(url, 1, K.DELIVERED, "1-delivered"), post.event(url, 2, K.DELIVERED, "2-delivered"))
        await post.work()
        assert sorted(receiver.bodies()) == ["1-sent", "2-delivered", "2-sent"]
        broken[0] = False
        post.clock.move(MINUTE)
        await post.work()
        assert receiver.bodies()[3:] == ["1-sent", "1-submitted", "1-delivered"]
    assert await post.left() == []


async def test_giving_up_lets_the_next_event_of_the_message_go(post: Post) -> None:
    async with receiving(lambda request: answer(500 if request.body == b"first" else 200)) as receiver:
        await post.tell(post.event(receiver.url(), 1, K.SENT, "first"), post.event(receiver.url(), 1, body="second"))
        for delay in DELAYS:
            assert "second" not in receiver.bodies()
            post.clock.move(delay.total_seconds())
            await post.work()
        assert receiver.bodies() == ["first"] * 8 + ["second"]


async def test_a_lease_that_ended_with_its_process_is_posted_by_another(post: Post) -> None:
    async with receiving() as receiver:
        await post.store(post.event(receiver.url()))  # and killed before it could post
        await post.work()
        assert receiver.requests == []
        await expire_leases(post.db)
        other = post.second()
        await other.poll()
        await other.idle()
        assert len(receiver.requests) == 1
    assert await post.left() == []


async def test_killed_between_the_answer_and_the_deletion_the_same_id_comes_again(post: Post) -> None:
    async with receiving() as receiver:
        post.callbacks.offer(await post.store(post.event(receiver.url())))
        await receiver.received(1)
        while post.callbacks._workers:
            await asyncio.wait(post.callbacks._workers)
        post.callbacks._delivered.clear()  # killed here
        await expire_leases(post.db)
        other = post.second()
        await other.poll()
        await other.idle()
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert await post.left() == []


async def test_a_dead_endpoint_delays_no_other(post: Post) -> None:
    patient = Poster(allow_private=True, timeout=60)
    callbacks = Callbacks(post.db, patient, post.accounts, post.clock)
    async with receiving(lambda request: None) as dead, receiving() as alive:
        to_both = [post.event(one.url(f"/{n}")) for n in range(400) for one in (dead, alive)]
        callbacks.offer(await post.store(*to_both))
        await alive.received(400)  # while not one post to the dead one has ended
        assert 0 < len(dead.requests) <= 64
        dead.hang_up()
        await callbacks.idle()
        assert len(dead.requests) <= 64  # the rest failed with the probes
    rows = await post.db.fetch("SELECT state, attempts, next_at FROM event")
    assert {tuple(row) for row in rows} == {(0, 1, T0 + timedelta(minutes=1))}
    assert len(rows) == 400
    await patient.close()


async def test_a_receiver_that_comes_back_gets_everything(post: Post) -> None:
    async with receiving(lambda request: b"") as receiver:
        await post.tell(*(post.event(receiver.url(), body=str(n)) for n in range(200)))
        assert len(await post.left()) == 200
        receiver.reply = lambda request: answer(200)
        receiver.requests.clear()
        post.clock.move(MINUTE)
        await post.work()
        assert sorted(map(int, receiver.bodies())) == list(range(200))
    assert await post.left() == []


async def test_410_ends_the_event_and_disables_the_url_of_the_account(post: Post) -> None:
    async with receiving(lambda request: answer(410)) as receiver:
        url = receiver.url()
        other = receiver.url("/reply")
        await post.accounts.update_rules(post.account.id, dlr_url=url, webhook_url=url, reply_url=other)
        await post.tell(post.event(url, 1, K.SENT, "a"), post.event(url, 1, K.DELIVERED, "b"))
        await post.work()
    account = await post.accounts.by_id(post.account.id)
    assert account is not None
    assert (account.rules.dlr_url, account.rules.webhook_url, account.rules.reply_url) == ("", "", other)
    assert account.version > post.account.version
    assert await post.left() == [(1, 1, "HTTP 410"), (1, 1, "HTTP 410")]


async def test_a_new_secret_signs_within_a_minute(post: Post) -> None:
    async with receiving() as receiver:
        await post.tell(post.event(receiver.url()))
        sealed = Keyring("test").seal(b"fresh-secret")
        await post.db.execute(
            "UPDATE account SET previous_secret_sealed = secret_sealed, secret_sealed = $1 WHERE id = $2",
            sealed,
            post.account.id,
        )
        post.clock.move(MINUTE)
        await post.tell(post.event(receiver.url()))
    last = receiver.requests[-1]
    secrets = (b"fresh-secret", *post.account.secrets)
    assert last.headers["webhook-signature"] == signature(
        secrets, last.headers["webhook-id"], int(post.clock.now().timestamp()), last.body
    )


async def test_it_runs_by_itself_and_stops_with_its_outcomes_on_disk(post: Post) -> None:
    async with receiving() as receiver:
        running = asyncio.create_task(post.callbacks.run())
        await post.store(post.event(receiver.url(), 1, K.SENT, "sent"), post.event(receiver.url(), 1, body="delivered"))
        await expire_leases(post.db)
        while len(receiver.requests) < 2:
            post.clock.move(1)
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert receiver.bodies() == ["sent", "delivered"]
    assert await post.left() == []


async def test_thousands_are_posted_by_a_bounded_number_of_tasks(post: Post) -> None:
    most = 0
    patient = Poster(allow_private=True, timeout=60)
    post.callbacks = Callbacks(post.db, patient, post.accounts, post.clock)

    async with receiving() as receiver:

        def reply(_: object) -> bytes:
            nonlocal most
            most = max(most, len(post.callbacks._workers))
            return answer(200)

        receiver.reply = reply
        await post.tell(*(post.event(receiver.url()) for _ in range(3000)))
        left = await post.left()
        assert (len(receiver.requests), left[:3]) == (3000, [])
    await patient.close()
    assert 0 < most <= 256
    assert await post.left() == []
