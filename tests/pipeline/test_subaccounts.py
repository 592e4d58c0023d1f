"""Sub-accounts at work: what removal takes back and leaves, and that money never comes from nowhere.

The one rule of this file: `sound` holds at every moment, whatever was done.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipeline.world import CREDIT, PRICE, World, opened

from passerelle.domain.account import Account
from passerelle.domain.admission import Wanted
from passerelle.domain.message import Dialect, OutcomeKind, State, TrafficClass
from passerelle.domain.profile import PRIMOTEXTO, SMSPARTNER
from passerelle.domain.subaccounts import Fault, Type
from passerelle.domain.subaccounts import Wanted as Branch
from passerelle.pipeline import subaccounts
from passerelle.pipeline.cancel import cancel, cancel_waiting
from passerelle.pipeline.subaccounts import Created, Moved
from passerelle.pipeline.submit import Accepted, Denied
from passerelle.store import ledger, mails, messages, submissions, virtual_numbers
from passerelle.store import subaccounts as store

EURO = 1_000_000
TOMORROW = timedelta(days=1)


@dataclass
class House:
    """A main account and its sub-accounts."""

    world: World
    parent: Account
    tokens: list[bytes] = field(default_factory=list)
    children: list[Account] = field(default_factory=list)

    async def open(self, credit: int | None = EURO, type_: Type = Type.SIMPLE, email: str = "") -> Account | Fault:
        wanted = Branch(type_, email, credit=credit)
        made = await subaccounts.create(self.world.db, self.world.accounts, self.parent, wanted, self.now)
        if isinstance(made, Fault):
            return made
        account = await self.world.accounts.by_id(made.account_id)
        assert account is not None
        self.tokens.append(made.token)
        self.children.append(account)
        self.world.opened.append(account.id)
        return account

    @property
    def now(self):
        return self.world.clock.now()

    async def remove(self, index: int) -> bool:
        return await subaccounts.remove(self.world.db, self.parent.id, self.tokens[index], self.now)

    async def balances(self) -> tuple[int, ...]:
        return tuple([await ledger.balance(self.world.db, one.id) for one in (self.parent, *self.children)])

    async def sound(self) -> None:
        """Nothing below zero, wallets equal their ledger, and all of it is there but for what was charged."""
        db = self.world.db
        assert not await ledger.wrong_wallets(db)
        rows = await db.fetch("select account_id, balance from wallet")
        assert all(row["balance"] >= 0 for row in rows)
        charged = await db.fetchval("select coalesce(sum(cost), 0)::bigint from submission")
        refunded = await db.fetchval("select coalesce(sum(amount), 0)::bigint from posting where kind = 2")
        assert sum(row["balance"] for row in rows) == CREDIT - charged + refunded


@pytest.fixture
async def house(world):
    made = House(world, await world.account())
    yield made
    await made.sound()


# --- removal ---------------------------------------------------------------------------------------------------------


async def test_scheduled_and_held_messages_are_taken_back_and_the_rest_leaves(house):
    world, branch = house.world, await house.open()
    due = house.now + TOMORROW
    await world.send(branch, 33639980001, 33639980002, text="x" * 200, due_at=due)
    await world.send(branch, 33639980003, profile=PRIMOTEXTO, due_at=due)
    await world.send(branch, 33639980004)
    world.clock.move(10 * 3600)
    await world.send(branch, 33639980005, traffic=TrafficClass.MARKETING)  # held until the morning
    assert await house.remove(0)
    assert await world.states() == [State.CANCELLED] * 3 + [State.ACCEPTED, State.CANCELLED]
    assert await house.balances() == (CREDIT - PRICE, 0)
    assert [part.key.account_id for part in await world.pump()] == [branch.id]
    assert not await world.queued() or {row["account_id"] for row in await world.queued()} == {branch.id}
    cancelled = await world.db.fetch("select cancelled_at from submission where cancelled_at is not null")
    assert len(cancelled) == 3


async def test_a_list_longer_than_a_batch_is_taken_back_whole(house):
    world, branch = house.world, await house.open(60 * EURO)
    phones = [33600000000 + n for n in range(500)]
    for _ in range(3):
        await world.send(branch, *phones, due_at=house.now + TOMORROW)
    assert await house.remove(0)
    assert await world.queued() == []
    assert await house.balances() == (CREDIT, 0)


async def test_a_cancellation_beside_a_removal_waits_and_neither_for_the_other(house):
    world, branch = house.world, await house.open()
    sent = await world.send(branch, due_at=house.now + TOMORROW)
    async with world.db.transaction() as connection:  # as far as a cancellation is when it has found its submission
        await submissions.lock_by_number(connection, branch.id, Dialect.SMSPARTNER, sent.number)
        removal = asyncio.create_task(cancel_waiting(world.db, branch.id, house.now))
        while not await world.db.fetchval("select exists (select from pg_locks where not granted)"):
            assert not removal.done()
        assert await messages.lock(connection, [(branch.id, sent.id)])
    assert await removal == 1
    assert await world.states() == [State.CANCELLED]


async def test_an_invitation_beside_a_removal_waits_and_neither_for_the_other(house):
    world, email = house.world, "branch@example.org"
    branch = await house.open(type_=Type.ADVANCED, email=email)
    async with world.db.transaction() as connection:  # as far as `invite_again` is when it has dropped the old mail
        await mails.drop_of_account(connection, branch.id)
        removal = asyncio.create_task(house.remove(0))
        while not await world.db.fetchval("select exists (select from pg_locks where not granted)"):
            assert not removal.done()
        await store.invite(connection, branch.id, b"hash", house.now, house.now + TOMORROW)
    assert await removal
    assert not await world.rows("mail")


async def test_what_is_in_flight_stays_and_ends_as_it_does(house):
    world, branch = house.world, await house.open()
    [part] = await world.submitted(branch)
    await world.send(branch, 33639980002, due_at=house.now + TOMORROW)
    assert await house.remove(0)
    await world.record(part, OutcomeKind.SENT, "op-1")
    await world.receipt("op-1")
    assert await world.states() == [State.DELIVERED, State.CANCELLED]
    assert await house.balances() == (CREDIT - PRICE, 0)


async def test_a_refund_that_comes_later_goes_on_to_the_main_account(house):
    world, branch = house.world, await house.open()
    await world.send(branch)
    assert await house.remove(0)
    world.clock.move(timedelta(hours=49).total_seconds())
    await world.dispatcher.expire([1])
    assert await house.balances() == (CREDIT - PRICE, PRICE)
    assert await subaccounts.settle_removed(world.db, house.now) == 1
    assert await house.balances() == (CREDIT, 0)
    assert await subaccounts.settle_removed(world.db, house.now) == 0


async def test_a_removal_that_was_interrupted_is_finished_by_a_worker(house):
    """What another process held while it was removed, and gave back when it had to."""
    world, branch = house.world, await house.open()
    await world.send(branch, due_at=house.now + TOMORROW)
    await world.db.execute("update queue set lease_until = clock_timestamp() + interval '15 seconds'")
    assert await house.remove(0)
    assert await world.states() == [State.ACCEPTED]
    await world.db.execute("update queue set lease_until = null")
    assert await subaccounts.settle_removed(world.db, house.now) == 1
    assert await world.states() == [State.CANCELLED]
    assert await house.balances() == (CREDIT, 0)


async def test_nobody_sends_while_and_after_an_account_is_removed(house):
    """Every send is either there with its charge, or refused as of an unknown key."""
    world, branch = house.world, await house.open(10 * EURO)
    wanted = [Wanted(items=[(f"+{33639980000 + n}", None)], text="Bonjour") for n in range(40)]
    later = [Wanted(items=one.items, text="Bonjour", due_at=house.now + TOMORROW) for one in wanted]
    sends = [world.submitter.accept(branch, one, SMSPARTNER) for one in wanted[:20] + later[:20]]
    first = asyncio.gather(*sends)
    removed, results = await asyncio.gather(house.remove(0), first)
    assert removed
    late = await asyncio.gather(*(world.submitter.accept(branch, one, SMSPARTNER) for one in wanted[20:] + later[20:]))
    assert all(isinstance(result, Accepted | Denied) for result in results)
    assert all(isinstance(result, Denied) and result.state is None for result in late)
    await subaccounts.settle_removed(world.db, house.now)
    assert not [row for row in await world.queued() if row["due_at"] > house.now]
    assert (await house.balances())[1] == 0


async def test_a_removed_account_is_disabled_and_without_a_key(house):
    branch = await house.open(email="agence@example.org")
    assert await house.remove(0)
    row = await house.world.db.fetchrow("select a.*, w.state from account a join wallet w on w.account_id = a.id"
                                        " where a.id = $1", branch.id)  # fmt: skip
    assert (row["key_hash"], row["key_sealed"], row["state"]) == (None, None, 1)
    assert row["email"] == f"agence@example.org (removed {branch.id})"
    assert not await house.remove(0)
    assert await subaccounts.give(house.world.db, house.parent.id, house.tokens[0], EURO, house.now) is Fault.UNKNOWN


# --- figures ---------------------------------------------------------------------------------------------------------


async def test_a_main_account_sees_the_figures_of_each(house):
    world = house.world
    busy, idle = await house.open(), await house.open()
    [part] = await world.submitted(busy)
    await world.record(part, OutcomeKind.SENT, "op-1")
    await world.receipt("op-1")
    await world.send(busy, 33639980002, text="x" * 200, profile=PRIMOTEXTO)
    await world.send(busy, 33639980003, due_at=house.now + TOMORROW)
    hour = house.now.replace(minute=0, second=0, microsecond=0)
    for _ in range(2):
        found = await subaccounts.figures(
            world.db, [busy.id, idle.id], hour - TOMORROW, hour + timedelta(hours=1), house.now
        )
        assert found[busy.id] == store.Figures(busy.id, 3, 3, 1, 0, 3, 3 * PRICE)
        assert found[idle.id] == store.Figures(idle.id, 0, 0, 0, 0, 0, 0)
        from passerelle.store import statistics

        while await statistics.fold(world.db, house.now):
            pass
    assert (await subaccounts.figures(world.db, [busy.id], hour - TOMORROW, hour, house.now))[busy.id].cost == 0
    assert await subaccounts.figures(world.db, [], hour, hour, house.now) == {}


async def test_long_numbers_of_a_removed_one_are_its_main_accounts(house):
    world = house.world
    child, _ = await house.open(), await house.open()
    for number, owner in ((33_600_000_001, child), (33_600_000_002, house.children[1])):
        await virtual_numbers.add(world.db, number, owner.id, house.now, "https://a.example/")
    known = await world.accounts.by_id(house.parent.id)
    assert await house.remove(0)
    [back] = await virtual_numbers.of_account(world.db, house.parent.id)
    assert (back.number.phone, back.reply_url, back.number.enabled) == (33_600_000_001, "", True)
    assert not await virtual_numbers.of_account(world.db, child.id)
    assert len(await virtual_numbers.of_account(world.db, house.children[1].id)) == 1
    parent = await world.accounts.by_id(house.parent.id)
    assert parent.version > known.version, "whoever has it cached reads anew which numbers it may send as"


# --- any sequence ----------------------------------------------------------------------------------------------------

WHO = st.integers(0, 4)
AMOUNTS = st.sampled_from([1_000, PRICE, EURO, 50 * EURO, CREDIT, 2 * CREDIT])
STEPS = st.one_of(
    st.tuples(st.just("open"), st.sampled_from([None, PRICE, EURO, 60 * EURO])),
    st.tuples(st.just("give"), WHO, AMOUNTS),
    st.tuples(st.just("take"), WHO, AMOUNTS),
    st.tuples(st.just("send"), WHO, st.sampled_from([0, 30, 1500]), st.integers(1, 3)),
    st.tuples(st.just("cancel"), WHO),
    st.tuples(st.just("remove"), WHO),
    st.tuples(st.just("pump"), st.sampled_from(list(OutcomeKind))),
    st.tuples(st.just("wait"), st.sampled_from([60, 7200, 50 * 3600])),
    st.tuples(st.just("settle")),
)


class Steps:
    """What may be done, to whichever accounts there are."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.sent: list[tuple[int, int]] = []

    async def do(self, step: tuple) -> None:
        await getattr(self, step[0])(*step[1:])

    async def open(self, credit: int | None) -> None:
        before = (await self.house.balances())[0]
        made = await self.house.open(credit)
        assert isinstance(made, Account) == (credit is None or credit <= before)

    async def give(self, who: int, amount: int) -> None:
        await self._move(who, amount, back=False)

    async def take(self, who: int, amount: int) -> None:
        await self._move(who, amount, back=True)

    async def _move(self, who: int, amount: int, *, back: bool) -> None:
        house = self.house
        if who >= len(house.tokens):
            return
        before = await house.balances()
        move = subaccounts.take if back else subaccounts.give
        result = await move(house.world.db, house.parent.id, house.tokens[who], amount, house.now)
        after = await house.balances()
        assert sum(before) == sum(after)
        assert isinstance(result, Moved) or after == before

    async def send(self, who: int, minutes: int, phones: int) -> None:
        house = self.house
        account = ([house.parent, *house.children] * 5)[who]
        fresh = await house.world.accounts.by_id(account.id)
        items = [(f"+{33639980000 + n}", None) for n in range(phones)]
        due_at = house.now + timedelta(minutes=minutes) if minutes else None
        result = await house.world.submitter.accept(
            fresh, Wanted(items=items, text="Bonjour", due_at=due_at), SMSPARTNER
        )
        if isinstance(result, Accepted):
            self.sent.append((account.id, result.number))

    async def cancel(self, who: int) -> None:
        if self.sent:
            account, number = self.sent[who % len(self.sent)]
            await cancel(self.house.world.db, account, Dialect.SMSPARTNER, number, self.house.now)

    async def remove(self, who: int) -> None:
        if who < len(self.house.tokens):
            before = sum(await self.house.balances())
            await self.house.remove(who)
            assert (await self.house.balances())[who + 1] == 0
            assert sum(await self.house.balances()) >= before

    async def pump(self, kind: OutcomeKind) -> None:
        for n, part in enumerate(await self.house.world.pump()):
            name = f"{part.key.message_id}-{n}" if kind is OutcomeKind.SENT else ""
            await self.house.world.record(part, kind, name)

    async def wait(self, seconds: int) -> None:
        self.house.world.clock.move(seconds)
        await self.house.world.dispatcher.expire([1])

    async def settle(self) -> None:
        await subaccounts.settle_removed(self.house.world.db, self.house.now)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, min_size=5, max_size=25))
async def test_whatever_is_done_money_only_moves(shared, steps):
    async with opened(shared) as world:
        house = House(world, await world.account())
        doing = Steps(house)
        for step in steps:
            await doing.do(step)
            await house.sound()
        world.clock.move(100 * 3600)
        await world.dispatcher.expire([1])
        await doing.settle()
        gone = {
            bytes(row[0]) for row in await world.db.fetch("select token from subaccount where removed_at is not null")
        }
        for token, balance in zip(house.tokens, (await house.balances())[1:], strict=True):
            assert token not in gone or balance == 0
        await house.sound()


async def test_what_is_made_says_who_it_is(house):
    made = await subaccounts.create(
        house.world.db, house.world.accounts, house.parent, Branch(Type.ADVANCED, "a@example.org"), house.now
    )
    assert isinstance(made, Created)
    assert (made.email, len(made.token)) == ("a@example.org", 12)
    row = await store.one(house.world.db, house.parent.id, made.token)
    assert (row["account_id"], row["balance"], row["type"]) == (made.account_id, 0, Type.ADVANCED)
    assert await store.one(house.world.db, made.account_id, made.token) is None


@pytest.mark.parametrize(
    ("rules", "more"), [({}, True), ({"daily_quota": 5}, False), ({"subaccounts": False}, False)], ids=str
)
async def test_an_account_with_a_quota_makes_no_more(world, rules, more):
    made, _ = await world.accounts.create("quota@example.org", rules=rules, now=world.clock.now())
    assert subaccounts.may_make_more(made) is more
    assert subaccounts.may_make(made) is (rules != {"subaccounts": False})
