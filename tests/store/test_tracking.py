"""Tracked links as rows."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pipeline.world import TUESDAY

from passerelle.domain.message import Dialect
from passerelle.domain.tracking import Target
from passerelle.store import links, retention, statistics, tracking
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


async def test_links_are_written_for_every_place(world, account):
    ids = await targets(world, account, SHOP, PAGE, PAGE)
    assert [(row["id"], row["url"], list(row["urls"])) for row in await world.rows("link_target", "id")] == [
        (ids[0], SHOP.url, []), (ids[1], None, list(PAGE.urls)), (ids[2], None, list(PAGE.urls)),
    ]  # fmt: skip
    ids, codes = ids[:2], new_tracked_codes(6)
    assert await world.link(ids, [codes[:2], codes[2:4], codes[4:]])
    rows = await world.db.fetch("select code, target_id, place from tracked_link order by place, target_id")
    assert [tuple(row) for row in rows] == [(code, ids[n % 2], n // 2) for n, code in enumerate(codes)]
    assert await world.link(ids, [])


async def test_a_code_that_is_taken_is_noticed(world, account):
    ids = await targets(world, account, SHOP)
    assert await world.link(ids, [["Abcdefgh"]])
    others = await targets(world, account, SHOP, submission=8)
    assert not await world.link(others, [["Bbcdefgh"], ["Abcdefgh"]])


def test_codes_of_tracked_links_begin_with_a_letter():
    codes = new_tracked_codes(10_000)
    assert len(set(codes)) == 10_000
    assert all(len(code) == 8 and code.isascii() and code.isalnum() and code[0].isalpha() for code in codes)
    assert len({code[place] for code in codes for place in (0,)}) == 52 and len({code[7] for code in codes}) == 62


@pytest.mark.parametrize("wrong", [Target("javascript:alert(1)"), Target(None, urls=("https://a.example/", "/b"))])
async def test_links_lead_to_web_pages_alone(world, account, wrong):
    with pytest.raises(ValueError, match="no link may lead"):
        await targets(world, account, SHOP, wrong)
    assert await world.rows("link_target") == []


@pytest.fixture
async def sent(world, account):
    """Two messages with a link to the shop (S...) and one to the page (P...) each."""
    ids = await targets(world, account)
    assert await world.link(ids, [["Saaaaaaa", "Paaaaaaa"], ["Sbbbbbbb", "Pbbbbbbb"]])
    return ids


async def test_who_comes_is_written_and_led(world, account, sent):
    shop, page = sent
    short = await links.make(world.db, account.id, "https://short.example/", TUESDAY)
    over = await links.make(world.db, account.id, "https://over.example/", TUESDAY, TUESDAY)
    asked = [
        ("Saaaaaaa", 0, 0), ("Pbbbbbbb", 0, 0), ("Pbbbbbbb", 2, 0), ("Pbbbbbbb", 3, 0), ("Saaaaaaa", 1, 0),
        ("Saaaaaaa", 0, 4), ("nobody00", 0, 0), (short, 0, 0), (short, 0, 1), (short, 0, 0), (short, 1, 0), (over, 0, 0),
    ]  # fmt: skip
    led = await tracking.visit(world.db, [tracking.Asked(*one) for one in asked], TUESDAY)
    assert [one and (one.target_id, one.url) for one in led] == [
        (shop, SHOP.url), (page, None), (page, PAGE.urls[1]), None, None,
        (shop, SHOP.url), None, *[(None, "https://short.example/")] * 3, None, None,
    ]  # fmt: skip
    rows = {row["id"]: row for row in await world.rows("visit", "id")}
    written = [rows.pop(one.visit_id) for one in led if one and one.target_id]
    assert [(v["target_id"], v["place"], v["link"], v["robot"], v["counted"], v["at"]) for v in written] == [
        (shop, 0, 0, 0, False, TUESDAY), (page, 1, 0, 0, False, TUESDAY), (page, 1, 2, 0, False, TUESDAY),
        (shop, 0, 0, 4, True, TUESDAY),
    ]  # fmt: skip
    assert not rows
    assert await links.clicks(world.db, account.id, [short]) == [(short, "https://short.example/", 2, TUESDAY, TUESDAY)]


async def test_a_link_lives_for_a_year(world, sent):
    last = TUESDAY + timedelta(days=365) - timedelta(microseconds=1)
    for now, there in ((last, True), (TUESDAY + timedelta(days=365), False)):
        [led] = await tracking.visit(world.db, [tracking.Asked("Saaaaaaa", 0, 0)], now)
        assert (led is not None) is there
        assert await tracking.whose(world.db, "Saaaaaaa", now) is None  # there is no such message


async def test_many_at_once_come_through_one_link(world, account, sent):
    short = await links.make(world.db, account.id, "https://short.example/", TUESDAY)
    batch = [tracking.Asked("Saaaaaaa", 0, 0), tracking.Asked(short, 0, 0)] * 50
    await asyncio.gather(*(tracking.visit(world.db, batch if n % 2 else batch[::-1], TUESDAY) for n in range(6)))
    assert await world.db.fetchval("select count(*) from visit") == 300
    assert (await links.clicks(world.db, account.id, [short]))[0].clicks == 300


async def stay(world, code, visit_id, seconds, after=3600):
    now = TUESDAY + timedelta(seconds=after)
    await tracking.spend(world.db, [tracking.Stay(code, visit_id, seconds)], now)
    counted = await statistics.counters(world.db, world.opened[0], Dialect.PRIMOTEXTO, "soldes")
    return await world.db.fetchval("select seconds from visit where id = $1", visit_id), counted.seconds


async def came(world, code, link=0, robot=0):
    [led] = await tracking.visit(world.db, [tracking.Asked(code, link, robot)], TUESDAY)
    return led.visit_id


async def test_a_stay_grows_and_has_an_end(world, sent):
    visit_id = await came(world, "Paaaaaaa")
    assert await stay(world, "Paaaaaaa", visit_id, 5) == (5, 0)  # counted with its visit
    await tracking.mark_counted(world.db, [visit_id])
    assert await stay(world, "Paaaaaaa", visit_id, 9) == (9, 4)
    assert await stay(world, "Paaaaaaa", visit_id, 7) == (9, 4)
    assert await stay(world, "Paaaaaaa", visit_id, 999, after=60) == (60, 55)  # it began a minute ago
    assert await stay(world, "Paaaaaaa", visit_id, 100_000, after=9000) == (1800, 1795)
    many = [tracking.Stay("Paaaaaaa", visit_id, n) for n in (1, 2, 3)]
    await tracking.spend(world.db, many, TUESDAY)
    await world.db.execute("delete from statistic_delta")


async def test_a_stay_names_its_visit(world, sent):
    visit_id, robot, inside = (
        await came(world, "Paaaaaaa"),
        await came(world, "Paaaaaaa", 0, 4),
        await came(world, "Paaaaaaa", 1),
    )
    for code in ("Pbbbbbbb", "Saaaaaaa", "nobody00"):
        assert await stay(world, code, visit_id, 5) == (0, 0)
    for other in (robot, inside):
        assert await stay(world, "Paaaaaaa", other, 5) == (0, 0)
    assert await stay(world, "Paaaaaaa", 0, 5) == (None, 0)


async def test_a_page_is_read_as_it_was_written(world, sent):
    assert [await tracking.page(world.db, one) for one in (*sent, 0)] == [SHOP, PAGE, None]


async def test_visits_are_taken_by_one_and_counted_once(world, account, sent):
    ids = [await came(world, code) for code in ("Saaaaaaa", "Paaaaaaa", "Pbbbbbbb")]
    await came(world, "Saaaaaaa", 0, 1)
    async with world.db.transaction() as mine, world.db.transaction() as theirs:
        first = await tracking.take_uncounted(mine, 2)
        second = await tracking.take_uncounted(theirs, 2)
        assert [one.id for one in first + second] == ids
        assert [(one.is_page, one.tag_key, one.message_id) for one in first] == [
            (False, "soldes", None),
            (True, "soldes", None),
        ]
        await tracking.mark_counted(mine, [one.id for one in first])
        await tracking.mark_counted(theirs, [one.id for one in second])
    assert await tracking.take_uncounted(world.db, 2) == []
    await world.db.execute("delete from visit")


async def test_visits_of_a_submission_are_read_page_by_page(world, account, sent):
    for code, link in (("Saaaaaaa", 0), ("Pbbbbbbb", 0), ("Paaaaaaa", 0), ("Pbbbbbbb", 1), ("Saaaaaaa", 0)):
        await came(world, code, link)
    shop, page = sent
    found, after = [], (0, 0, 0)
    while step := await tracking.visits(world.db, account.id, 7, after, 2):
        found, after = found + step, tuple(step[-1][:3])
    assert [(one.target_id, one.place, one.link) for one in found] == [
        (shop, 0, 0), (shop, 0, 0), (page, 0, 0), (page, 1, 0), (page, 1, 1),
    ]  # fmt: skip
    assert await tracking.visits(world.db, account.id, 8) == []
    await world.db.execute("delete from visit")


async def test_old_targets_are_forgotten_in_steps(world, account, sent):
    await came(world, "Saaaaaaa")
    young = await tracking.add_targets(world.db, account.id, 8, 2, "", [SHOP], TUESDAY + timedelta(days=1))
    assert await world.link(young, [["Syoungaa"]])
    steps = []
    while gone := await retention.forget_targets(world.db, TUESDAY + timedelta(seconds=1), 3):
        steps.append(gone)
    assert steps == [4, 2, 1] or sum(steps) == 7
    assert [row["id"] for row in await world.rows("link_target")] == young
    assert [row["code"] for row in await world.rows("tracked_link", "code")] == ["Syoungaa"]
    assert await world.rows("visit") == []
