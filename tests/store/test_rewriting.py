"""Messages written anew while their campaign is paused."""

from __future__ import annotations

from pipeline.world import PHONE

from passerelle.domain.message import Lane
from passerelle.store import campaigns, rewriting
from passerelle.store.rewriting import Rewritten

FEW = [PHONE, PHONE + 1, PHONE + 2]


async def parts(world):
    return [tuple(row) for row in await world.db.fetch("select message_id, part from part order by 1, 2")]


async def test_what_is_written_anew_waits_where_it_waited(world):
    account = await world.account()
    sent = await world.send(account, *FEW, text="x" * 200)
    first, second, third = range(sent.id, sent.id + 3)
    [before, *_] = await world.queued()
    anew = [Rewritten(first, "court", 0, 1, 38_000), Rewritten(third, "y" * 400, 0, 3, 114_000)]
    async with world.db.transaction() as connection:
        found = await campaigns.lock_submission(connection, account.id, sent.id)
        waiting = await rewriting.lock_waiting(connection, account.id, [first, third])
        assert [(one.message_id, one.part) for one in waiting] == [(first, 1), (first, 2), (third, 1), (third, 2)]
        some = await rewriting.unsent(connection, account.id, [first, third])
        assert [(one.id, one.phone, one.parts) for one in some] == [(first, FEW[0], 2), (third, FEW[2], 2)]
        was = {one.message_id: one for one in waiting}
        await rewriting.rewrite(connection, account.id, found, anew, was, False, world.clock.now())
    assert await parts(world) == [(second, 1), (second, 2), (third, 1), (third, 2), (third, 3)]
    rows = [row for row in await world.queued() if row["message_id"] != second]
    assert [(row["message_id"], row["part"]) for row in rows] == [(first, 1), (third, 1), (third, 2), (third, 3)]
    kept = ("submission_id", "carrier_id", "class", "due_at", "valid_until", "region", "attempts", "lease_until")
    for row in rows:
        assert [row[name] for name in kept] == [before[name] for name in kept]
        assert (row["lane"], row["stop_applies"]) == (Lane.PAUSED, False)
    texts = await world.db.fetch(
        "select text, parts, price from message where id = any($1) order by id", [first, third]
    )
    assert [tuple(row) for row in texts] == [("court", 1, 38_000), ("y" * 400, 3, 114_000)]


async def test_what_somebody_holds_is_not_for_it(world):
    account = await world.account()
    sent = await world.send(account, *FEW)
    await world.pump()
    async with world.db.transaction() as connection:
        assert await rewriting.lock_waiting(connection, account.id, range(sent.id, sent.id + 3)) == []
