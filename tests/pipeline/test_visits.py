"""Visits, counted: figures that equal a recount, the first open told once, receipt proved."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pipeline.world import PHONE, PRIMOTEXTO, TUESDAY, World

from passerelle.domain.links import Robot
from passerelle.domain.message import TESTS, Dialect, OutcomeKind, State
from passerelle.domain.tracking import Target
from passerelle.pipeline.following import Following
from passerelle.pipeline.visits import Visits
from passerelle.store import statistics, tracking
from passerelle.surfaces.primotexto import wire

SHOP = Target("https://shop.example/")
PAGE = Target(None, "Soldes", "<p>-20%</p>", ("https://a.example/", "https://b.example/"))
PHONES = [PHONE + n for n in range(3)]


class Shop:
    """One submission of three messages, each with a link to the shop (S) and one to a page (P)."""

    def __init__(self, world: World, account):
        self.world, self.account = world, account
        self.following = Following(world.db, world.clock)
        self.visits = Visits(world.db, world.teller, world.clock)

    async def link(self, tag: str = "soldes", tag_key: str = "soldes", prefix: str = "") -> None:
        first = await self.world.db.fetchval("select max(id) from submission")
        ids = await tracking.add_targets(
            self.world.db, self.account.id, first, Dialect.PRIMOTEXTO, tag_key, [SHOP, PAGE], TUESDAY
        )
        codes = [[f"{kind}{prefix or 'aaaaaa'}{n}" for kind in "SP"] for n in range(3)]
        assert await self.world.link(ids, codes)

    async def come(self, code: str, link: int = 0, robot: Robot = Robot.PERSON) -> int:
        led = await self.following.follow(f"{code[0]}aaaaaa{code[1]}", link, robot)
        assert led is not None and led.visit_id is not None
        return led.visit_id

    async def figures(self, tag: str = "soldes") -> tuple[int, ...]:
        """Opens, openers, clicks, clickers, visits, seconds."""
        c = await statistics.counters(self.world.db, self.account.id, Dialect.PRIMOTEXTO, tag)
        return c.opens, c.openers, c.clicks, c.clickers, c.visits, c.seconds


@pytest.fixture
async def shop(world):
    account = await world.account()
    made = Shop(world, account)
    await world.send(account, *PHONES, profile=PRIMOTEXTO, tag="soldes", tag_key="soldes")
    await made.link()
    for part in await world.pump():
        await world.record(part, OutcomeKind.SENT, f"id{part.phone}")
    return made


async def test_an_address_is_opened_and_clicked_at_once(shop):
    await shop.come("S0")
    assert await shop.visits.count() == 1
    assert await shop.figures() == await shop.figures("") == (1, 1, 1, 1, 0, 0)
    await shop.come("S0")
    await shop.come("S1")
    assert await shop.visits.count() == 2
    assert await shop.figures() == (3, 2, 3, 2, 0, 0)
    assert await shop.visits.count() == 0
    assert await shop.figures() == (3, 2, 3, 2, 0, 0)


async def test_a_page_is_opened_and_its_links_are_clicked(shop):
    await shop.come("P0")
    await shop.come("P0")
    await shop.come("P1")
    await shop.come("P1", 1)
    await shop.come("P1", 2)
    await shop.come("S1")
    await shop.visits.count()
    assert await shop.figures() == (4, 2, 3, 1, 3, 0)


async def test_robots_move_nothing(shop):
    for robot in list(Robot)[1:]:
        await shop.come("S0", robot=robot)
        await shop.come("P0", 1, robot=robot)
    assert await shop.visits.count() == 0
    assert await shop.figures() == (0,) * 6
    assert (await shop.world.message(PHONES[0]))["opened_at"] is None
    written = await shop.world.db.fetch("select robot, count(*) from visit group by 1 order by 1")
    assert [tuple(row) for row in written] == [(n, 2) for n in range(1, 6)]


async def test_the_first_open_is_told_and_proves_receipt(shop):
    world = shop.world
    await world.db.execute("delete from event")
    world.clock.move(60)
    await shop.come("P0")
    world.clock.move(1)
    await shop.visits.count()
    row = await world.message(PHONES[0])
    at = TUESDAY + timedelta(seconds=60)
    assert (row["opened_at"], row["delivered_at"], row["state"], row["state_at"]) == (at, at, State.DELIVERED, at)
    await shop.come("P0")
    await shop.visits.count()
    assert await world.told() == ["delivered", "opened"]
    assert (await world.message(PHONES[0]))["opened_at"] == at
    found = await wire_status(shop)
    assert (found["state"], found["opened"]) == ("opened", round(at.timestamp() * 1000))
    await world.receipt(f"id{PHONES[0]}", phone=PHONES[0])  # late, and nothing new
    assert await world.told() == ["delivered", "opened"]


async def wire_status(shop):
    from passerelle.store import snapshots
    from passerelle.surfaces.values import json

    snapshot = await snapshots.latest(shop.world.db, shop.account.id, Dialect.PRIMOTEXTO, PHONES[0])
    return json(wire.status(snapshot))


@pytest.mark.parametrize("state", [State.UNDELIVERED, State.BOUNCED])
async def test_who_follows_a_link_has_received_whatever_was_said(shop, state):
    world = shop.world
    await world.receipt(f"id{PHONES[0]}", phone=PHONES[0], state=state)
    counted = await statistics.counters(world.db, shop.account.id, Dialect.PRIMOTEXTO)
    assert (counted.errors + counted.bounced, counted.delivered) == (1, 0)
    await shop.come("P0", 2)  # a click without an open: the link on the page was kept
    await shop.visits.count()
    counted = await statistics.counters(world.db, shop.account.id, Dialect.PRIMOTEXTO)
    assert (counted.errors + counted.bounced, counted.delivered, counted.openers) == (0, 1, 0)
    assert (await world.message(PHONES[0]))["opened_at"] is None


async def test_time_on_a_page(shop):
    first, second = await shop.come("P0"), await shop.come("P1")
    shop.world.clock.move(30)
    await shop.following.stay("Paaaaaa0", first, 10)
    await shop.visits.count()
    assert await shop.figures() == (2, 2, 0, 0, 2, 10)
    await shop.following.stay("Paaaaaa0", first, 13)
    await shop.following.stay("Paaaaaa1", second, 2)
    assert await shop.figures() == (2, 2, 0, 0, 2, 15)
    counters = await statistics.counters(shop.world.db, shop.account.id, Dialect.PRIMOTEXTO)
    assert b'"timespent":8' in wire.statistics(counters)  # 7.5, half up


async def test_workers_count_every_visit_once(shop):
    for n in range(40):
        await shop.come(f"{'SP'[n % 2]}{n % 3}", n % 4 // 3 * (n % 2))
    others = [Visits(shop.world.db, shop.world.teller, shop.world.clock) for _ in range(4)]
    assert sum(await asyncio.gather(*(one.count() for one in others))) == 40
    opens, openers, _, clickers, *_ = await shop.figures()
    assert (opens, openers, clickers) == (30, 3, 3)
    told = await shop.world.told()
    assert told.count("opened") == told.count("delivered") == 3


async def test_more_than_one_batch(shop, monkeypatch):
    monkeypatch.setattr("passerelle.pipeline.visits.BATCH", 3)
    for _ in range(7):
        await shop.come("S0")
    assert await shop.visits.count() == 7
    assert await shop.figures() == (7, 1, 7, 1, 0, 0)


async def test_tests_are_counted_apart(world):
    account = await world.account()
    shop = Shop(world, account)
    await world.send(account, *PHONES, profile=PRIMOTEXTO)
    await world.db.execute("update submission set tag_key = $1, test = true", TESTS)
    await world.db.execute("update statistic_delta set tag_key = $1", TESTS)
    await shop.link(tag_key=TESTS)
    await shop.come("S0")
    await shop.visits.count()
    assert await shop.figures("") == (0,) * 6
    assert await shop.figures(TESTS) == (1, 1, 1, 1, 0, 0)


async def test_visits_of_what_was_forgotten(shop):
    await shop.come("S0")
    await shop.come("P0")
    await shop.world.db.execute("delete from message; delete from queue; delete from awaiting; delete from submission")
    await shop.world.db.execute("delete from link_target where url is not null")
    assert await shop.visits.count() == 2
    assert await shop.figures() == (1, 0, 0, 0, 1, 0)  # nobody knows any more whose it was
    shop.world.opened.clear()
    await shop.world.db.execute("delete from posting; delete from wallet")
