"""Messages are locked in one order, changed, and written back with the figures of the change."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from pipeline.world import PHONE, PRICE, World

from passerelle.domain.message import State
from passerelle.store import messages, receipts
from passerelle.store.messages import MessageRow, Settled
from passerelle.store.receipts import Awaiting
from passerelle.store.statistics import Delta


async def made(world: World, *phones: int, **more) -> list[tuple[int, int]]:
    account = await world.account()
    await world.send(account, *phones, **more)
    world.opened.clear()  # rows are changed here as no pipeline does: nothing is recounted
    return [(account.id, row["id"]) for row in await world.rows("message")]


async def test_a_row_is_the_message_with_what_its_submission_says(world: World) -> None:
    keys = await made(world, tag="A", tag_key="a", dlr_url="https://a.example/")
    async with world.db.transaction() as connection:
        (row,) = await messages.lock(connection, keys)
        assert (row.account_id, row.id) == keys[0] and row.submission_id == row.id
        assert (row.phone, row.country, row.parts, row.price, row.state) == (PHONE, "FR", 1, PRICE, State.ACCEPTED)
        assert (row.tag, row.tag_key, row.dlr_url, row.test) == ("A", "a", "https://a.example/", False)
        assert row.submission_number > 0 and row.number == 0 and row.due_at == world.clock.now()
        assert await messages.lock(connection, [(keys[0][0] + 1, keys[0][1])]) == []
        assert await messages.lock_parts(connection, []) == []


async def test_every_changing_column_comes_back_as_it_was_written(world: World) -> None:
    keys = await made(world, PHONE, PHONE + 1)
    at = world.clock.now() + timedelta(seconds=3)
    async with world.db.transaction() as connection:
        rows = await messages.lock(connection, keys)
        rows[0].state, rows[0].state_at, rows[0].error = State.BOUNCED, at, "UNDELIV 001"
        rows[0].uncertain, rows[0].carrier_id, rows[0].refunded, rows[0].refunded_parts = True, 3, 17, 1
        for number, name in enumerate(("sent", "submitted", "delivered", "failed", "bounced", "stopped")):
            setattr(rows[0], f"{name}_at", at + timedelta(seconds=number))
        await messages.save(connection, rows, [], 1, [])
        assert await messages.lock(connection, keys) == rows
    untouched = set(MessageRow.__struct_fields__) - set(messages._changing(rows[1]))
    assert untouched and (await world.message(PHONE + 1))["state"] == State.ACCEPTED


async def test_the_change_and_its_figures_are_written_together(world: World) -> None:
    keys = await made(world)
    delta = Delta(keys[0][0], 1, "a", world.clock.now(), sent=1, delivered=1, cost=-5)
    before = len(await world.rows("statistic_delta"))
    async with world.db.transaction() as connection:
        await messages.save(connection, [], [], 1, [])
        await messages.save(connection, [], [delta], 1, [])
    rows = await world.db.fetch("select * from statistic_delta where tag_key = 'a'")
    assert len(await world.rows("statistic_delta")) == before + 1
    assert (rows[0]["sent"], rows[0]["delivered"], rows[0]["cost"], rows[0]["waiting"]) == (1, 1, -5, 0)


async def test_parts(world: World) -> None:
    keys = await made(world, text="x" * 400)
    async with world.db.transaction() as connection:
        parts = await messages.lock_parts(connection, keys)
        assert [(part.part, part.state, part.begun, part.uncertain) for part in parts] == [
            (n, State.ACCEPTED, False, False) for n in (1, 2, 3)
        ]
        parts[1].state, parts[1].begun, parts[1].uncertain = State.DELIVERED, True, True
        await messages.save_parts(connection, parts)
        assert await messages.lock_parts(connection, keys) == parts
        await messages.save_parts(connection, [])


async def test_what_is_awaited_by_an_id_is_locked_with_it(world: World) -> None:
    keys = await made(world, PHONE, PHONE + 1)
    at = world.clock.now()
    rows = [Awaiting(id_, *key, 1, key[1], PHONE, at) for id_, key in zip(("a", ""), keys, strict=True)]
    async with world.db.transaction() as connection:
        await receipts.await_receipts(connection, 1, rows)
        (found,) = await messages.lock_awaited(connection, 1, ["a", "", "b"])
        assert (found.operator_id, found.part, found.at, found.message.id) == ("a", 1, at, keys[0][1])
        assert await messages.lock_awaited(connection, 2, ["a"]) == []
        assert await messages.lock_awaited(connection, 1, []) == []
        await messages.save(connection, [], [], 2, [Settled("a", *keys[0], 1)])
        await messages.save(connection, [], [], 1, [Settled("a", *keys[0], 2)])
        assert len(await messages.lock_awaited(connection, 1, ["a"])) == 1
        await messages.save(connection, [], [], 1, [Settled("a", *keys[0], 1)])
        assert await messages.lock_awaited(connection, 1, ["a"]) == []
    assert [row["operator_id"] for row in await world.rows("awaiting")] == [""]


async def test_batches_that_meet_lock_in_one_order(world: World) -> None:
    """Each names the same messages the other way round: neither is chosen as the victim of a deadlock."""
    keys = await made(world, *range(PHONE, PHONE + 30))

    async def touch(ordered: list[tuple[int, int]]) -> None:
        for _ in range(5):
            async with world.db.transaction() as connection:
                rows = await messages.lock(connection, ordered)
                await asyncio.sleep(0)
                await messages.save(connection, rows, [], 1, [])

    await asyncio.gather(touch(keys), touch(keys[::-1]), touch(keys[10:] + keys[:10]))
