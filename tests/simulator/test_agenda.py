from __future__ import annotations

import asyncio

import uvloop

from passerelle.simulator.agenda import Agenda


async def test_items_come_when_due_in_order_of_time_and_the_timer_goes_to_the_first():
    loop = asyncio.get_running_loop()
    taken: asyncio.Queue[str] = asyncio.Queue()

    def take(now):
        while (item := agenda.take(now)) is not None:
            taken.put_nowait(item)
        agenda.arm(now)

    agenda: Agenda[str] = Agenda(loop, take)
    now = loop.time()
    for delay, item in ((60, "never"), (0.06, "third"), (0.03, "first"), (0.03, "second")):
        agenda.put(now + delay, item)
        agenda.arm(now)
    assert agenda.take(now) is None
    assert [await asyncio.wait_for(taken.get(), 5) for _ in range(3)] == ["first", "second", "third"]
    assert loop.time() >= now + 0.06
    assert len(agenda) == 1
    agenda.stop()


def test_an_item_whose_time_has_come_may_be_armed_again_under_uvloop():
    async def late():
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        agenda: Agenda[str] = Agenda(loop, ended.set_result)
        for _ in range(2):
            agenda.put(loop.time() - 1, "late")
            agenda.arm(loop.time() - 1)
        await asyncio.wait_for(ended, 5)

    uvloop.run(late())
