"""What was decided too long ago is decided again: a database that was away between a lease and its hand-over."""

from __future__ import annotations

import pytest
from pipeline.world import PHONE, World

from passerelle.domain.message import State, TrafficClass
from passerelle.pipeline import dispatch
from passerelle.store import optouts
from passerelle.store.optouts import List


async def test_marketing_that_was_looked_at_too_long_ago_is_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await world.account()
    await world.send(account, PHONE, PHONE + 1, traffic=TrafficClass.MARKETING)
    await world.send(account, PHONE + 2)
    monkeypatch.setattr(dispatch, "FRESH", -1.0)  # every moment is too long
    assert [part.phone for part in await world.pump()] == [PHONE + 2], "what is no marketing is not held up"
    assert [row["attempts"] for row in await world.queued()] == [0, 0, 0], "nothing of it was begun"
    await optouts.add(world.db, account.id, List.STOP, PHONE, world.clock.now())
    monkeypatch.undo()
    assert [part.phone for part in await world.pump()] == [PHONE + 1]
    assert (await world.states())[0] == State.OPTED_OUT
