"""Two callers that set the same number at once: the second sees what the first did."""

from __future__ import annotations

import asyncio

from pipeline.world import TUESDAY, World

from passerelle.domain.forwarding import Refusal, Rule
from passerelle.pipeline.forwarding import forward
from passerelle.store import virtual_numbers

LONG = 33644630001


async def test_of_two_equal_wishes_one_is_refused(world: World) -> None:
    account = await world.account()
    await virtual_numbers.add(world.db, LONG, account.id, TUESDAY)
    wishes = [forward(world.db, account, "0644630001", 1, "0639980009", TUESDAY) for _ in range(5)]
    done = await asyncio.gather(*wishes)
    assert [isinstance(one, Rule) for one in done].count(True) == 1
    assert done.count(Refusal.ALREADY_FORWARDED) == 4
    assert len(await virtual_numbers.changes(world.db, account.id, LONG)) == 1
    await virtual_numbers.remove(world.db, LONG)
    assert await forward(world.db, account, "0644630001", 0, "", TUESDAY) is Refusal.NUMBER_UNKNOWN
