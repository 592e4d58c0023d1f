"""What was sent to groups, and what still waits of it."""

from __future__ import annotations

from datetime import timedelta

from pipeline.world import PHONE, World

from passerelle.domain.message import Lane
from passerelle.store import group_sends


async def note(world: World, account, accepted, group_id=7):
    async with world.db.transaction() as connection:
        await group_sends.add(connection, account.id, accepted.id, group_id, "Bonjour", 3, {"opted_out": 1})


async def test_the_newest_come_first_and_in_pages(world):
    account = await world.account()
    sent = [await world.send(account, PHONE, PHONE + n) for n in (1, 2, 3)]
    for one in sent:
        await note(world, account, one)
    listed = await group_sends.listing(world.db, account.id)
    assert [one.submission_id for one in listed] == [one.id for one in reversed(sent)]
    first = listed[0]
    assert (first.group_id, first.text, first.contacts, first.dropped) == (7, "Bonjour", 3, {"opted_out": 1})
    assert (first.number, first.messages, first.cost) == (sent[2].number, 2, 76_000)
    assert await group_sends.listing(world.db, account.id, before=first.submission_id, limit=1) == listed[1:2]
    assert not await group_sends.listing(world.db, account.id + 1)


async def test_a_submission_with_and_without_a_group(world):
    account = await world.account()
    plain, grouped = await world.send(account), await world.send(account)
    await note(world, account, grouped)
    assert (await group_sends.submission(world.db, account.id, plain.id))["group_id"] is None
    row = await group_sends.submission(world.db, account.id, grouped.id)
    assert (row["group_id"], row["dropped"], row["messages"]) == (7, {"opted_out": 1}, 1)
    assert await group_sends.submission(world.db, account.id + 1, plain.id) is None


async def test_what_waits_and_what_leaves_before_it(world):
    account = await world.account()
    now = world.clock.now()
    await world.send(account)  # a code
    await world.send(account, PHONE, PHONE + 1)
    world.clock.move(60)
    ours = await world.send(account, PHONE, PHONE + 1, PHONE + 2, text="x" * 200)
    await world.send(account, due_at=now + timedelta(hours=1))
    (waiting,) = await group_sends.waiting(world.db, account.id, ours.id, 3)
    assert (waiting["carrier_id"], waiting["lane"], waiting["parts"]) == (1, Lane.TRANSACTIONAL, 6)
    assert await group_sends.before(world.db, 1, waiting["lane"], waiting["due_at"], world.clock.now()) == 3
    assert await group_sends.before(world.db, 1, waiting["lane"], waiting["due_at"], now + timedelta(hours=2)) == 4
    assert await group_sends.before(world.db, 2, waiting["lane"], waiting["due_at"], now) == 0
    (state,) = await group_sends.states(world.db, account.id, ours.id, 3, now)
    assert (state["messages"], state["first_sent"], state["parts_sent"], state["parts_lately"]) == (3, None, 0, 0)
