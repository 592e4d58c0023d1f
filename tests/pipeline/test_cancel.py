"""Taking back: all of a submission or nothing of it, its price once, and never what is on its way."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pipeline.world import PHONE, PRICE, PRIMOTEXTO, World

from passerelle.domain.message import Dialect, OutcomeKind, State, TrafficClass
from passerelle.pipeline.cancel import CancelVerdict, cancel
from passerelle.store import statistics
from passerelle.store.database import Database

V = CancelVerdict
LONG = "x" * 400  # three parts
HOUR = timedelta(hours=1)


async def scheduled(world: World, account, *phones: int, after: timedelta = HOUR, **more) -> int:
    """The number of a submission that is to leave later."""
    accepted = await world.send(account, *phones, due_at=world.clock.now() + after, **more)
    return accepted.number


async def taken_back(world: World, account, number: int, dialect: Dialect = Dialect.SMSPARTNER) -> CancelVerdict:
    return await cancel(world.db, account.id, dialect, number, world.clock.now())


async def test_all_of_it_is_taken_back_and_paid_back(world):
    account = await world.account()
    number = await scheduled(world, account, PHONE, PHONE + 1, text=LONG, tag="a", tag_key="a")
    assert await world.spent(account) == 6 * PRICE
    assert await taken_back(world, account, number) is V.CANCELLED
    assert await world.states() == [State.CANCELLED] * 2
    assert await world.spent(account) == 0 and not await world.queued()
    assert not await world.told(), "nobody is told of what its owner did"
    world.clock.move(2 * 3600)
    assert not await world.pump()
    assert await statistics.waiting_parts(world.db, account.id, Dialect.SMSPARTNER) == 0


async def test_twice_is_once(world):
    account = await world.account()
    number = await scheduled(world, account)
    verdicts = await asyncio.gather(*(taken_back(world, account, number) for _ in range(5)))
    assert sorted(verdict.value for verdict in verdicts) == ["already"] * 4 + ["cancelled"]
    assert await taken_back(world, account, number) is V.ALREADY
    assert await world.spent(account) == 0
    assert [row["amount"] for row in await world.rows("posting") if row["kind"] == 2] == [PRICE]


async def test_what_is_not_there_or_not_ours_is_unknown(world):
    account, other = await world.account(), await world.account("clinic@example.org")
    number = await scheduled(world, account)
    await world.send(account, profile=PRIMOTEXTO, due_at=world.clock.now() + HOUR)
    assert await taken_back(world, other, number) is V.UNKNOWN
    assert await taken_back(world, account, number + 1) is V.UNKNOWN
    assert await taken_back(world, account, 0) is V.UNKNOWN
    assert await taken_back(world, account, number, Dialect.PRIMOTEXTO) is V.UNKNOWN
    assert await world.states() == [State.ACCEPTED] * 2


@pytest.mark.parametrize(
    ("left", "verdict"), [(300, V.CANCELLED), (299, V.TOO_LATE), (0, V.TOO_LATE), (-60, V.TOO_LATE)]
)
async def test_five_minutes_before_the_sending_time_it_is_too_late(world, left, verdict):
    account = await world.account()
    number = await scheduled(world, account)
    world.clock.move(3600 - left)
    assert await taken_back(world, account, number) is verdict
    assert await world.spent(account) == (0 if verdict is V.CANCELLED else PRICE)


async def test_what_leaves_at_once_is_too_late_then_sent(world):
    account = await world.account()
    accepted = await world.send(account)
    assert await taken_back(world, account, accepted.number) is V.TOO_LATE
    (part,) = await world.pump()
    assert await taken_back(world, account, accepted.number) is V.SENT
    await world.record(part, OutcomeKind.SENT, "a")
    assert await taken_back(world, account, accepted.number) is V.SENT


@pytest.mark.parametrize("kind", [OutcomeKind.TEMPORARY, OutcomeKind.UNKNOWN, OutcomeKind.PERMANENT])
async def test_what_was_begun_is_sent_whatever_came_of_it(world, kind):
    account = await world.account()
    number = await scheduled(world, account, PHONE, PHONE + 1)
    await world.db.execute("update queue set due_at = $1 where part = 1", world.clock.now())
    world.operator.slots = 1
    (part,) = await world.pump()
    await world.record(part, kind)
    assert await taken_back(world, account, number) is V.SENT
    assert await world.spent(account) == 2 * PRICE


async def test_a_sandbox_send_is_delivered_at_once(world):
    account = await world.account()
    accepted = await world.send(account, sandbox=True)
    assert await taken_back(world, account, accepted.number) is V.SENT


async def test_what_is_held_for_the_morning_can_be_taken_back(world):
    account = await world.account()
    world.clock.move(9.5 * 3600)  # 20:30 in Paris
    accepted = await world.send(account, traffic=TrafficClass.MARKETING)
    assert await taken_back(world, account, accepted.number) is V.CANCELLED


# --- races ---------------------------------------------------------------------------------------------------------


async def until_blocked(db: Database, task: asyncio.Task) -> None:
    """Until the statement of `task` waits for a lock of ours, or it has ended."""
    while not task.done():
        if await db.fetchval(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        ):
            return
        await asyncio.sleep(0)


@pytest.mark.parametrize("committed", [True, False])
async def test_a_part_that_is_being_leased_decides_it(world, committed):
    """Our look saw it wait; the lease commits while we wait for its row: nothing is taken back. Or it does not."""
    account = await world.account()
    number = await scheduled(world, account, PHONE, PHONE + 1)
    async with world.db.connection() as leasing:
        transaction = leasing.transaction()
        await transaction.start()
        await leasing.execute(
            "update queue set lease_until = clock_timestamp() + interval '15 seconds', lease_owner = gen_random_uuid()"
            " where message_id = (select max(message_id) from queue)"
        )
        taking = asyncio.create_task(taken_back(world, account, number))
        await until_blocked(world.db, taking)
        assert not taking.done()
        await (transaction.commit() if committed else transaction.rollback())
    assert await taking is (V.SENT if committed else V.CANCELLED)
    assert await world.spent(account) == (2 * PRICE if committed else 0)
    assert await world.states() == [State.ACCEPTED if committed else State.CANCELLED] * 2
    assert len(await world.queued()) == (2 if committed else 0)


async def test_a_lease_that_meets_it_takes_nothing(world):
    """The other way round: what is being taken back is skipped, and never leaves."""
    account = await world.account()
    number = await scheduled(world, account)
    async with world.db.transaction() as connection:
        await connection.fetch("select from message where account_id = $1 for no key update", account.id)
        taking = asyncio.create_task(taken_back(world, account, number))
        await until_blocked(world.db, taking)
    assert await taking is V.CANCELLED
    world.clock.move(7200)
    assert not await world.pump()


async def test_many_leases_and_cancels_at_once_agree_about_every_message(world):
    account = await world.account()
    numbers = [await scheduled(world, account, PHONE + n) for n in range(20)]
    await world.db.execute("update queue set due_at = $1", world.clock.now())

    async def lease() -> int:
        return len(await world.pump())

    world.operator.slots = 3
    done = await asyncio.gather(
        *(taken_back(world, account, number) for number in numbers), *(lease() for _ in range(5))
    )
    verdicts = done[:20]
    assert set(verdicts) <= {V.CANCELLED, V.SENT}
    left = await world.db.fetchval("select count(*) from queue where lease_until is not null")
    assert verdicts.count(V.SENT) == left
    assert await world.spent(account) == PRICE * len(await world.queued())
