"""What leaves, in which order and when; what must not leave any more, and who gets its price back."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pipeline.world import PHONE, PRICE, PRIMOTEXTO, THEIRS, World

from passerelle.domain.message import OutcomeKind, State, TrafficClass
from passerelle.pipeline.dispatch import Dispatcher
from passerelle.store import optouts
from passerelle.store.database import Database
from passerelle.store.optouts import List

K = OutcomeKind
LONG = "x" * 400  # three parts
REUNION, GUADELOUPE = 262692123456, 590690123456
MARKETING = {"traffic": TrafficClass.MARKETING}


def phones(count: int, first: int = PHONE) -> range:
    return range(first, first + count)


# --- order and room ------------------------------------------------------------------------------------------------


async def test_what_leaves_is_what_was_accepted(world):
    account = await world.account()
    accepted = await world.send(account, text="Votre code : 1234 €", sender="BAKERY", tag="a", tag_key="a")
    (part,) = await world.pump()
    assert (part.phone, part.sender, part.text, part.tag_key) == (PHONE, "BAKERY", "Votre code : 1234 €", "a")
    assert (part.key.part, part.parts, part.attempts, part.uncertain) == (1, 1, 0, False)
    assert part.valid_until == accepted.submission.due_at + timedelta(hours=48)
    assert not await world.pump(), "it is leased"


async def test_parts_of_a_long_text_join_to_it_again(world):
    words = "".join(f"{n:03} " for n in range(150)).strip()
    parts = await world.submitted(await world.account(), text=words)
    assert "".join(part.text for part in sorted(parts, key=lambda part: part.key.part)) == words
    assert {part.parts for part in parts} == {4}


async def test_codes_go_first_then_transactional_then_bulk_the_oldest_first(world):
    account = await world.account()
    await world.send(account, *phones(3, 33612000000), **MARKETING)
    await world.send(account, *phones(3, 33613000000))
    world.clock.move(1)
    for phone in phones(3, 33614000000):
        await world.send(account, phone)
        world.clock.move(1)
    left = [part.phone // 1_000_000 for part in await world.pump()]
    assert left == [33614] * 3 + [33613] * 3 + [33612] * 3
    assert [part.phone for part in await world.pump()] == []


async def test_never_more_is_leased_than_there_are_free_slots(world):
    account = await world.account()
    await world.send(account, *phones(40, 33612000000), **MARKETING)
    await world.send(account, *phones(40, 33613000000))
    for phone in phones(40, 33614000000):
        await world.send(account, phone)
    world.operator.slots = 10
    for _ in range(15):
        given = len(await world.pump())
        assert given <= 10
        assert len(await world.db.fetch("select from queue where lease_until is not null")) <= 10
        await world.db.execute("delete from queue where lease_until is not null")
    await world.db.execute("delete from statistic_delta")  # rows were torn out
    world.opened.clear()


async def test_bulk_leaves_as_fast_as_the_operator_takes_it_where_nothing_goes_before(world):
    await world.send(await world.account(), *phones(30), **MARKETING)
    world.operator.slots = 20
    assert [len(await world.pump()) for _ in range(2)] == [18, 12]


async def test_the_last_slots_are_kept_for_codes(world):
    account = await world.account()
    await world.send(account, *phones(60), **MARKETING)
    await world.send(account, *phones(60, 33613000000))
    world.operator.slots = 20
    for _ in range(3):
        assert len(await world.pump()) == 18
        await world.db.execute("update queue set lease_until = null")
    for phone in phones(40, 33614000000):
        await world.send(account, phone)
    assert Counter(part.phone // 1_000_000 for part in await world.pump())[33614] == 20


async def test_nothing_is_leased_where_nothing_may_be_submitted(world):
    await world.send(await world.account())
    world.operator.slots = 0
    assert not await world.pump()
    assert (await world.queued())[0]["lease_until"] is None


async def test_what_is_scheduled_waits_for_its_time(world):
    await world.send(await world.account(), due_at=world.clock.now() + timedelta(hours=1))
    assert not await world.pump()
    world.clock.move(3600)
    assert len(await world.pump()) == 1


async def test_two_workers_share_the_queue_without_a_part_in_both(world):
    await world.send(await world.account(), *phones(30))
    other = Dispatcher(world.db, world.clock, world.teller, THEIRS)
    world.operator.slots = 15
    both = [*await world.pump(), *await world.pump(other), *await world.pump(), *await world.pump(other)]
    assert len({part.key for part in both}) == len(both) > 15


# --- what must not leave any more ----------------------------------------------------------------------------------


async def test_an_opt_out_after_the_acceptance_stops_the_message(world):
    account = await world.account()
    await world.send(account)
    await optouts.add(world.db, account.id, List.STOP, PHONE, world.clock.now())
    world.clock.move(1)
    assert not await world.pump()
    row = await world.message()
    assert (row["state"], row["sent_at"], row["stopped_at"]) == (State.OPTED_OUT, None, world.clock.now())
    assert (row["refunded"], row["refunded_parts"]) == (PRICE, 1)
    assert await world.spent(account) == 0
    assert await world.told() == ["not delivered"] and len(world.offered) == 1
    assert not await world.queued()


async def test_primotexto_calls_that_unsubscribed(world):
    account = await world.account()
    await world.send(account, profile=PRIMOTEXTO, **MARKETING)
    await optouts.add(world.db, account.id, List.STOP, PHONE, world.clock.now())
    await world.pump()
    assert await world.told() == ["unsubscribed"]


async def test_an_opt_out_stops_only_what_it_is_about(world):
    account, other = await world.account(), await world.account("clinic@example.org")
    await world.send(account, profile=PRIMOTEXTO)  # transactional: out of the scope there
    await world.send(account, PHONE + 1)
    await world.send(other)
    await optouts.add(world.db, account.id, List.STOP, PHONE, world.clock.now())
    assert len(await world.pump()) == 3


async def test_an_opt_out_taken_back_stops_nothing(world):
    account = await world.account()
    await world.send(account)
    entry = await optouts.add(world.db, account.id, List.STOP, PHONE, world.clock.now())
    assert entry is not None
    await optouts.remove_by_number(world.db, account.id, List.STOP, entry.number)
    assert len(await world.pump()) == 1


@pytest.mark.parametrize("found_by", ["pump", "expire"])
async def test_what_is_valid_no_longer_never_leaves_and_is_paid_back_once(world, found_by):
    account = await world.account()
    await world.send(account)
    world.clock.move(48 * 3600)
    for _ in range(2):
        if found_by == "pump":
            assert not await world.pump()
        else:
            await world.dispatcher.expire([1])
    assert await world.states() == [State.EXPIRED]
    assert await world.spent(account) == 0 and len(await world.rows("posting")) == 2  # the credit, and one refund
    assert await world.told() == ["ko"]
    assert not await world.queued()


async def test_what_is_still_valid_does_not_expire(world):
    await world.send(await world.account())
    world.clock.move(48 * 3600 - 1)
    assert await world.dispatcher.expire([1]) == 0
    assert len(await world.pump()) == 1


async def test_what_is_leased_is_left_to_its_outcome(world):
    await world.submitted(await world.account())
    world.clock.move(49 * 3600)
    assert await world.dispatcher.expire([1]) == 0
    assert len(await world.queued()) == 1


@pytest.mark.parametrize("found_by", ["pump", "expire"])
async def test_what_was_begun_expires_without_a_refund(world, found_by):
    account = await world.account()
    (part,) = await world.submitted(account)
    await world.record(part, K.TEMPORARY, error="ESME_RSYSERR")
    world.clock.move(48 * 3600)
    await (world.pump() if found_by == "pump" else world.dispatcher.expire([1]))
    assert await world.states() == [State.EXPIRED]
    assert await world.spent(account) == PRICE


async def test_of_a_long_message_only_the_parts_that_never_began_are_paid_back(world):
    account = await world.account()
    await world.send(account, text=LONG)
    world.operator.slots = 1
    (part,) = await world.pump()
    await world.record(part, K.SENT, "a")
    world.clock.move(48 * 3600)
    world.operator.slots = 10
    await world.pump()
    row = await world.message()
    assert (row["state"], row["refunded_parts"], row["refunded"]) == (State.EXPIRED, 2, 2 * PRICE)
    assert await world.spent(account) == PRICE and not await world.queued()


# --- hours ---------------------------------------------------------------------------------------------------------

NIGHT = datetime(2026, 11, 12, 19, 30, tzinfo=UTC)  # a Thursday, 20:30 in Paris
MORNING = datetime(2026, 11, 13, 7, 0, tzinfo=UTC)


async def held_over_night(world: World, account, **more) -> None:
    """A marketing message that was due by day and could not be handed over before the night."""
    world.clock.move((NIGHT - timedelta(hours=1) - world.clock.now()).total_seconds())
    await world.send(account, **MARKETING, **more)
    world.clock.move(3600)


async def test_marketing_that_could_not_leave_by_day_waits_for_the_morning_and_stays_valid(world):
    await held_over_night(world, await world.account())
    assert not await world.pump()
    (row,) = await world.queued()
    assert (row["due_at"], row["valid_until"]) == (MORNING, MORNING + timedelta(hours=48))
    assert (row["lease_until"], row["attempts"]) == (None, 0)
    world.clock.move((MORNING - world.clock.now()).total_seconds() - 1)
    assert not await world.pump()
    world.clock.move(1)
    assert len(await world.pump()) == 1


async def test_nights_do_not_keep_a_message_for_ever(world):
    """Only the first hand-over may be put off; what was begun ends with its validity, whatever the hours."""
    account = await world.account()
    await held_over_night(world, account)
    end = MORNING + timedelta(hours=48 + 1)
    while world.clock.now() < end:
        for part in await world.pump():
            await world.record(part, K.TEMPORARY)
        await world.dispatcher.expire([1])
        world.clock.move(900)
    assert await world.states() == [State.EXPIRED]
    assert await world.spent(account) == PRICE


async def test_transactional_messages_and_exempt_accounts_know_no_night(world):
    account, exempt = await world.account(), await world.account("clinic@example.org", quiet_exempt=True)
    await held_over_night(world, exempt)
    await world.send(account, PHONE + 1)
    assert len(await world.pump()) == 2


async def test_the_zone_of_the_recipient_may_hold_longer_than_that_of_paris(world):
    account = await world.account()
    world.clock.move(3 * 3600)  # 14:00 in Paris, 17:00 in Réunion, 9:00 in Guadeloupe
    await world.send(account, PHONE, REUNION, GUADELOUPE, **MARKETING)
    world.clock.move(4 * 3600)  # 18:00, 21:00, 13:00
    assert {part.phone for part in await world.pump()} == {PHONE, GUADELOUPE}
    (row,) = await world.queued_of(REUNION)
    assert row["due_at"] == datetime(2026, 11, 12, 7, 0, tzinfo=UTC)  # Paris opens after the holiday, it is 11:00 there


# --- leases --------------------------------------------------------------------------------------------------------


async def test_a_lease_that_was_lost_meanwhile_decides_nothing(world):
    """Between the lease and the look at the stop list this process stood still, and another took over."""
    account = await world.account()
    await world.send(account)
    await optouts.add(world.db, account.id, List.STOP, PHONE, world.clock.now())
    rows = await leased_and_frozen(world)
    await world.dispatcher_dies()
    other = Dispatcher(world.db, world.clock, world.teller, THEIRS)
    assert await other.rescue([1]) == 1
    await rows()
    assert await world.states() == [State.UNCERTAIN]
    assert await world.spent(account) == PRICE and len(await world.queued()) == 1


async def leased_and_frozen(world: World):
    """A dispatcher that has leased, and whose next transaction waits until it is told to go on."""
    go, reached = asyncio.Event(), asyncio.Event()

    class Slow(Database):
        def transaction(self):
            @contextlib.asynccontextmanager
            async def later():
                reached.set()
                await go.wait()
                async with world.db.transaction() as connection:
                    yield connection

            return later()

    slow = Slow.__new__(Slow)
    slow.__dict__ = world.db.__dict__
    pumping = asyncio.create_task(Dispatcher(slow, world.clock, world.teller, UUID(int=7)).pump(world.operator))
    await reached.wait()

    async def go_on() -> None:
        go.set()
        await pumping

    return go_on
