"""Tracked links as rows."""

from __future__ import annotations

import pytest
from pipeline.world import TUESDAY

from passerelle.domain.message import Dialect
from passerelle.domain.tracking import Target
from passerelle.store import tracking
from passerelle.store.links import new_tracked_codes

PAGE = Target(None, "Soldes", "<p>-20%</p>", ("https://a.example/", "https://b.example/"))
SHOP = Target("https://shop.example/")


@pytest.fixture
async def account(world):
    return await world.account()


async def targets(world, account, *wanted, submission=7):
    return await tracking.add_targets(
        world.db, account.id, submission, Dialect.PRIMOTEXTO, "soldes", wanted or (SHOP, PAGE), TUESDAY
    )


async def test_links_are_written_for_every_place(world, account, monkeypatch):
    monkeypatch.setattr(tracking, "STEP", 3)
    ids = await targets(world, account)
    assert [(row["id"], row["url"], list(row["urls"])) for row in await world.rows("link_target", "id")] == [
        (ids[0], SHOP.url, []), (ids[1], None, list(PAGE.urls)),
    ]  # fmt: skip
    codes = new_tracked_codes(6)
    assert await tracking.add_links(world.db, ids, [codes[:2], codes[2:4], codes[4:]])
    rows = await world.db.fetch("select code, target_id, place from tracked_link order by place, target_id")
    assert [tuple(row) for row in rows] == [(code, ids[n % 2], n // 2) for n, code in enumerate(codes)]
    assert await tracking.add_links(world.db, ids, [])


async def test_a_code_that_is_taken_is_noticed(world, account):
    ids = await targets(world, account, SHOP)
    assert await tracking.add_links(world.db, ids, [["Abcdefgh"]])
    others = await targets(world, account, SHOP, submission=8)
    assert not await tracking.add_links(world.db, others, [["Bbcdefgh"], ["Abcdefgh"]])


def test_codes_of_tracked_links_begin_with_a_letter():
    codes = new_tracked_codes(10_000)
    assert len(set(codes)) == 10_000
    assert all(len(code) == 8 and code.isascii() and code.isalnum() and code[0].isalpha() for code in codes)
    assert len({code[place] for code in codes for place in (0,)}) == 52 and len({code[7] for code in codes}) == 62
