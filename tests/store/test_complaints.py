"""Which message a complaint is about, and that it is marked once however many say so at the same time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from pipeline.world import PHONE, World

from passerelle.store import complaints
from passerelle.store.complaints import RECENT, Report


async def sent(world: World, *phones: int) -> tuple[int, list[int]]:
    account = await world.account()
    await world.submitted(account, *phones, sender="BAKERY")
    await world.db.execute("update message set sent_at = $1", world.clock.now())
    world.opened.clear()  # rows are changed here as no pipeline does: nothing is recounted
    return account.id, [row["id"] for row in await world.rows("message")]


async def test_the_message_is_told_with_what_its_submission_says(world: World) -> None:
    account, (first, second) = await sent(world, PHONE, PHONE + 1)
    now = world.clock.now()
    reports = [Report(PHONE + 1, now), Report(1, now), Report(PHONE, now + RECENT), Report(PHONE, now, account + 1)]
    found = await complaints.about(world.db, reports)
    assert [(one.position, one.account_id, one.message_id) for one in found] == [
        (1, account, second),
        (3, account, first),
    ]
    assert (found[0].sent_at, found[0].text, found[0].sender) == (now, "Bonjour", "BAKERY")
    assert found[0].email == "bakery@example.org"
    assert await complaints.about(world.db, [Report(PHONE, now - timedelta(seconds=1))]) == []
    assert await complaints.about(world.db, []) == []


async def test_a_message_is_marked_once(world: World) -> None:
    account, ids = await sent(world, *range(PHONE, PHONE + 10))
    keys = [(account, number) for number in ids]

    async def mark() -> set[tuple[int, int]]:
        async with world.db.transaction() as connection:
            await connection.fetch("select from message where account_id = $1 order by id for update", account)
            return await complaints.mark(connection, keys)

    marked = await asyncio.gather(*(mark() for _ in range(4)))
    assert sorted(map(len, marked)) == [0, 0, 0, 10]
    assert all(row["spam"] for row in await world.rows("message"))
    assert await complaints.mark(world.db, []) == set()
