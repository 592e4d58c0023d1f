"""Pause, resume, stop: nothing leaves that was leased later, nobody is forgotten, the money is right."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pipeline.campaign import VALIDITY, shop
from pipeline.world import LEASE, PHONE, PRICE, TUESDAY

from passerelle.domain.campaigns import PAUSE_DAYS, Fault, Phase
from passerelle.domain.message import Lane, OutcomeKind, State
from passerelle.pipeline import halting
from passerelle.pipeline.cancel import CancelVerdict, cancel_submission, cancel_waiting
from passerelle.pipeline.dispatch import Dispatcher
from passerelle.pipeline.large import SLICE
from passerelle.store import campaigns as store


async def test_what_is_paused_does_not_leave(world):
    at = await shop(world)
    await at.people("Ana", "Bo", "Cy")
    campaign = await at.launched()
    assert await at.pause(campaign) is None
    assert await at.phase(campaign) is Phase.PAUSED
    assert not await at.all_leave()  # before any row was moved
    assert {row["lane"] for row in await world.queued()} == {Lane.PAUSED}
    await at.carry_on()
    assert not await world.rows("halt")
    assert await at.pause(campaign) is Fault.NOT_RUNNING
    world.clock.move(3600)
    assert await at.resume(campaign) is None
    assert len(await at.all_leave()) == 3
    assert await at.resume(campaign) is Fault.NOT_PAUSED


async def test_rows_are_moved_by_workers_too(world):
    at = await shop(world)
    await at.people("Ana", "Bo")
    campaign = await at.launched()
    await at.pause(campaign)
    await at.carry_on()
    assert {row["lane"] for row in await world.queued()} == {Lane.PAUSED}
    async with world.db.transaction() as connection:  # resumed by somebody who died at once
        await connection.execute("update submission set paused_at = null")
        await connection.execute("insert into halt select account_id, id from submission")
    assert not await world.pump()
    await at.carry_on()
    assert {row["lane"] for row in await world.queued()} == {Lane.BULK}
    assert len(await world.pump()) == 2


async def test_a_part_that_was_leased_when_it_was_resumed_is_not_lost(world):
    """The pump has seen the pause, and parks when the pause is over."""
    at = await shop(world)
    await at.people("Ana")
    campaign = await at.launched()
    await at.pause(campaign)
    dispatcher: Dispatcher = world.dispatcher
    parked = dispatcher._halt

    async def too_late(connection, parts):
        assert await at.resume(campaign) is None
        await parked(connection, parts)

    dispatcher._halt = too_late
    assert not await world.pump()
    dispatcher._halt = parked
    await at.carry_on()
    assert len(await world.pump()) == 1


async def test_what_is_with_the_operator_stays_there(world):
    at = await shop(world)
    await at.people("Ana", "Bo")
    world.operator.slots = 1
    campaign = await at.launched()
    (gone,) = await world.pump()
    await at.pause(campaign)
    await world.record(gone, OutcomeKind.SENT, "a")
    assert not await at.all_leave()
    assert await world.states() == [State.SUBMITTED, State.ACCEPTED]


async def test_paused_past_its_time_it_leaves_when_it_is_resumed(world):
    """And is valid from then on, however long the pause was."""
    at = await shop(world)
    await at.people("Ana")
    campaign = await at.launched(due_at=TUESDAY + timedelta(hours=1))
    assert await at.phase(campaign) is Phase.SCHEDULED
    await at.pause(campaign)
    await at.carry_on()
    world.clock.move(9 * 86_400)  # Thursday, 11:00 in Paris
    await world.dispatcher.expire([1])
    await at.resume(campaign)
    (row,) = await world.queued()
    assert (row["due_at"], row["valid_until"]) == (world.clock.now(), world.clock.now() + VALIDITY)
    assert len(await world.pump()) == 1


async def test_resumed_at_night_it_waits_for_the_morning(world):
    at = await shop(world)
    await at.people("Ana")
    campaign = await at.launched()
    await at.pause(campaign)
    world.clock.move(9.5 * 3600)
    await at.resume(campaign)
    assert not await at.all_leave()
    (row,) = await world.queued()
    assert row["due_at"].isoformat() == "2026-11-12T07:00:00+00:00"  # the 11th is a holiday


async def test_what_was_stopped_goes_back_to_the_micro_euro(world):
    at = await shop(world)
    await at.people("Ana", "Bo", "Cy")
    world.operator.slots = 1
    campaign = await at.launched()
    (gone,) = await world.pump()
    await world.record(gone, OutcomeKind.SENT, "a")
    assert await at.stop(campaign) is None
    assert await at.phase(campaign) is Phase.STOPPED
    assert not await at.all_leave()
    assert await world.states() == [State.SUBMITTED, State.CANCELLED, State.CANCELLED]
    assert await world.spent(at.account) == PRICE
    assert await at.stop(campaign) is Fault.NOT_RUNNING
    assert await at.resume(campaign) is Fault.NOT_PAUSED
    assert not await world.rows("halt")


async def test_stopped_while_it_is_paused(world):
    at = await shop(world)
    await at.people("Ana", "Bo")
    campaign = await at.launched()
    await at.pause(campaign)
    await at.carry_on()
    assert await at.stop(campaign) is None
    assert await at.phase(campaign) is Phase.CANCELLED  # nothing had left
    assert await world.spent(at.account) == 0
    assert not await world.queued()


async def test_a_part_that_was_leased_while_it_was_paused_and_then_stopped_ends(world):
    """The pump has seen the pause, and would park when nobody looks for it any more."""
    at = await shop(world)
    await at.people("Ana")
    campaign = await at.launched()
    await at.pause(campaign)
    dispatcher: Dispatcher = world.dispatcher
    parked = dispatcher._halt

    async def too_late(connection, parts):
        assert await at.stop(campaign) is None
        await parked(connection, parts)

    dispatcher._halt = too_late
    assert not await world.pump()
    dispatcher._halt = parked
    await at.carry_on()
    assert not await world.pump()
    assert await world.states() == [State.CANCELLED]
    assert await world.spent(at.account) == 0


async def test_a_part_that_comes_back_to_a_stopped_campaign_ends(world):
    """Refused for now, so not given back: a submit was begun."""
    at = await shop(world)
    await at.people("Ana")
    campaign = await at.launched()
    (part,) = await world.pump()
    assert await at.stop(campaign) is None
    await world.record(part, OutcomeKind.THROTTLED)
    world.clock.move(3600)
    assert not await world.pump()
    assert await world.states() == [State.CANCELLED]
    assert await world.spent(at.account) == PRICE


async def test_a_worker_that_dies_with_a_paused_part(world):
    at = await shop(world)
    await at.people("Ana", "Bo")
    campaign = await at.launched()
    assert len(await world.pump()) == 2
    await at.pause(campaign)
    await world.dispatcher_dies()
    await world.dispatcher.rescue([1])
    assert await world.states() == [State.UNCERTAIN, State.UNCERTAIN]  # a campaign is never sent twice
    assert not await world.queued()
    assert LEASE  # its lease is over


async def test_nobody_pauses_for_ever(world):
    at = await shop(world)
    await at.people("Ana")
    campaign = await at.launched()
    await at.pause(campaign)
    world.clock.move((PAUSE_DAYS - 1) * 86_400)
    await at.carry_on()
    assert await at.phase(campaign) is Phase.PAUSED
    world.clock.move(2 * 86_400)
    await at.carry_on()
    assert await world.states() == [State.CANCELLED]
    assert await world.spent(at.account) == 0
    assert not await store.paused_before(world.db, world.clock.now(), 9)  # it is not looked at for ever


async def test_what_is_paused_is_given_back_when_its_sub_account_is_removed(world):
    """Nobody can resume it, and money that came back after 90 days would reach nobody."""
    at = await shop(world)
    await at.people("Ana", "Bo")
    campaign = await at.launched()
    await at.pause(campaign)
    await at.carry_on()
    world.clock.move(3600)
    assert await cancel_waiting(world.db, at.account.id, world.clock.now()) == 2
    assert await world.states() == [State.CANCELLED] * 2
    assert await world.spent(at.account) == 0
    assert await cancel_waiting(world.db, at.account.id, world.clock.now()) == 0


async def test_a_large_one_is_paused_and_stopped_in_slices(world):
    at = await shop(world)
    count = halting.SLICE * halting.FEW + 50
    await world.accounts.credit(at.account.id, 900_000_000, TUESDAY)
    await at.people(*map(str, range(count)))
    campaign = await at.launched()
    await at.pause(campaign)
    await at.carry_on()
    assert await world.db.fetchval("select count(*) from queue where lane = 3") == count
    await at.resume(campaign)
    assert await world.db.fetchval("select count(*) from queue where lane = 3") == 50  # the rest is for the workers
    await at.carry_on()
    assert await world.db.fetchval("select count(*) from queue where lane = 2") == count
    await at.stop(campaign)
    assert await world.db.fetchval("select count(*) from queue") == 50
    await at.carry_on()
    assert not await world.queued()
    assert await world.spent(at.account) == -900_000_000
    assert count > SLICE


async def test_two_who_pause_and_resume_at_once(world):
    at = await shop(world)
    await at.people(*map(str, range(50)))
    campaign = await at.launched()
    for _ in range(3):
        await asyncio.gather(at.pause(campaign), at.resume(campaign), at.carry_on(), world.pump(), at.resume(campaign))
    await at.resume(campaign)
    await at.carry_on()
    assert await world.db.fetchval("select count(*) from queue where lane = 3") == 0


@pytest.mark.parametrize("way", ["stop", "resume"])
async def test_two_who_carry_it_out_at_once_leave_nobody_parked(world, monkeypatch, way):
    """Its owner and workers: of two who meet at a slice only one moves anything."""
    monkeypatch.setattr(halting, "SLICE", 2)
    monkeypatch.setattr(halting, "FEW", 0)
    at = await shop(world)
    await at.people(*map(str, range(12)))
    campaign = await at.launched()
    await at.pause(campaign)
    await at.carry_on()
    assert await (at.stop(campaign) if way == "stop" else at.resume(campaign)) is None
    span = (world.db, at.account.id, campaign.submission_id, world.clock.now(), VALIDITY)
    await asyncio.gather(*(halting.carry_out(*span) for _ in range(4)))
    await at.carry_on()
    assert Lane.PAUSED not in {row["lane"] for row in await world.queued()}
    assert not await world.rows("halt")


async def test_any_submission_can_be_halted(world):
    """A send to one number, through another dialect."""
    account = await world.account("clinic@example.org")
    accepted = await world.send(account, PHONE)
    assert await halting.pause(world.db, account.id, accepted.id, world.clock.now()) is None
    assert not await world.pump()
    assert await halting.resume(world.db, account.id, accepted.id, world.clock.now(), VALIDITY) is None
    (row,) = await world.queued()
    assert row["lane"] == Lane.CODES
    assert await halting.pause(world.db, account.id, accepted.id + 999, world.clock.now()) is Fault.NOT_RUNNING


async def test_a_scheduled_one_is_cancelled_whole(world):
    at = await shop(world)
    await at.people("Ana", "Bo")
    campaign = await at.launched(due_at=TUESDAY + timedelta(hours=1))
    await at.pause(campaign)
    await at.carry_on()
    verdict = await cancel_submission(world.db, at.account.id, campaign.submission_id, world.clock.now())
    assert verdict is CancelVerdict.CANCELLED
    assert await at.phase(campaign) is Phase.CANCELLED
    assert await world.spent(at.account) == 0
    await at.carry_on()


async def test_what_runs_is_stopped_not_cancelled(world):
    """A part of it may be leased at that very moment."""
    at = await shop(world)
    await at.people("Ana")
    campaign = await at.launched()
    assert await at.stop(campaign) is None
    assert await at.phase(campaign) is Phase.STOPPED
    assert await world.spent(at.account) == 0


async def test_one_that_fails_does_not_keep_the_others(world, monkeypatch):
    at = await shop(world)
    await at.people("Ana")
    first, second = await at.launched(), await at.launched()
    for campaign in (first, second):
        await at.pause(campaign)
    move = halting._move_some

    async def fail(connection, account_id, found, now, validity):
        if found.id == first.submission_id:
            raise ValueError("this one cannot be moved")
        return await move(connection, account_id, found, now, validity)

    monkeypatch.setattr(halting, "_move_some", fail)
    await at.carry_on()
    assert {row["submission_id"]: row["lane"] for row in await world.queued()} == {
        first.submission_id: Lane.BULK, second.submission_id: Lane.PAUSED,
    }  # fmt: skip
