from __future__ import annotations

from datetime import timedelta

from pipeline.world import PHONE, TUESDAY, World

from passerelle.domain.message import Failover
from passerelle.domain.pricing import Service
from passerelle.domain.text import Encoding
from passerelle.store import rcs
from passerelle.store.rcs import NewEvent, Turned

DAY = timedelta(days=1)


async def test_an_event_is_taken_once_in_the_order_in_which_it_came(world: World) -> None:
    events = [NewEvent(bytes([n]), f'"{n}"', TUESDAY) for n in range(5)]
    await rcs.insert_events(world.db, events)
    await rcs.insert_events(world.db, [events[2], NewEvent(b"x", '"x"', TUESDAY)])
    async with world.db.transaction() as one, world.db.transaction() as other:
        assert await rcs.take_events(one, 3) == ['"0"', '"1"', '"2"']
        assert await rcs.take_events(other, 10) == ['"3"', '"4"', '"x"']
    async with world.db.transaction() as connection:
        assert await rcs.take_events(connection, 10) == []
    await rcs.insert_events(world.db, events)  # known still
    assert await rcs.forget_events(world.db, TUESDAY) == 6
    assert await rcs.forget_events(world.db, TUESDAY) == 0


async def test_what_was_not_taken_is_not_forgotten(world: World) -> None:
    await rcs.insert_events(world.db, [NewEvent(b"1", "1", TUESDAY)])
    assert await rcs.forget_events(world.db, TUESDAY + DAY) == 0


async def test_an_sms_is_kept_until_nobody_needs_it(world: World) -> None:
    async with world.db.transaction() as connection:
        await rcs.insert_failover(connection, 1, 2, Failover("Bonjour", Encoding.GSM, 1), TUESDAY + DAY)
    assert await rcs.forget_failovers(world.db, TUESDAY) == 0
    assert await rcs.forget_failovers(world.db, TUESDAY + DAY) == 1


async def test_a_message_that_became_an_sms_is_no_rcs_message(world: World) -> None:
    account = await world.account()
    await world.send(account, PHONE, PHONE + 1, text="{}", service=Service.RCS)
    await world.send(account, PHONE)
    first, second, sms = await world.db.fetch("select * from message order by id")
    keys = [(row["account_id"], row["id"]) for row in (first, second, sms)]
    async with world.db.transaction() as connection:
        rows = await rcs.fallen(connection, keys)
        assert [(row["id"], row["messages"], row["content"], row["text"], row["queued"]) for row in rows] == [
            (first["id"], 2, "{}", None, True), (second["id"], 2, "{}", None, True),
        ]  # fmt: skip
        assert [row["id"] for row in await rcs.named(connection, [(PHONE, first["id"]), (PHONE, second["id"])])] == [
            first["id"]
        ]
        await connection.execute("delete from queue where message_id = $1", first["id"])
        turned = Turned(account.id, first["id"], first["submission_id"], "x" * 200, 0, 2, 76_000, 1, 1, 0, True)
        await rcs.turn(connection, [turned], world.clock.now(), DAY)
        assert [row["id"] for row in await rcs.fallen(connection, keys)] == [second["id"]]
        assert await rcs.named(connection, [(PHONE, first["id"])]) == []
        queued = await connection.fetch(
            "select part, carrier_id, valid_until from queue where message_id = $1 order by 1", first["id"]
        )
        assert [tuple(row) for row in queued] == [(1, 1, TUESDAY + DAY), (2, 1, TUESDAY + DAY)]
        await connection.execute(
            "delete from part; delete from queue; delete from statistic_delta; delete from message; delete from submission; delete from posting; update wallet set balance = 0"
        )


async def test_the_first_time_that_a_message_was_read_stays(world: World) -> None:
    account = await world.account()
    await world.send(account, text="{}", service=Service.RCS)
    row = await world.message()
    async with world.db.transaction() as connection:
        for at in (TUESDAY, TUESDAY + DAY):
            await rcs.opened(connection, [(account.id, row["id"], at)])
    assert (await world.message())["opened_at"] == TUESDAY


async def test_a_stop_looks_further_back_than_an_answer(world: World) -> None:
    account = await world.account()
    await world.send(account, text="{}", service=Service.RCS)
    later = TUESDAY + timedelta(days=31)
    async with world.db.transaction() as connection:
        asked = [(PHONE, False), (PHONE, True), (PHONE + 1, True)]
        assert [one.position for one in await rcs.answered(connection, asked, TUESDAY + DAY)] == [1, 2]
        assert [one.position for one in await rcs.answered(connection, asked, later)] == [2]


async def test_nothing_asks_for_nothing(world: World) -> None:
    async with world.db.transaction() as connection:
        assert not await rcs.fallen(connection, []) and not await rcs.named(connection, [])
        assert not await rcs.answered(connection, [], TUESDAY)
        await rcs.turn(connection, [], TUESDAY, DAY)
        await rcs.forget(connection, [])
        await rcs.opened(connection, [])
