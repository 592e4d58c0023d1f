"""STOP by a link: what a STOP by SMS does, once."""

from __future__ import annotations

import asyncio
import json

import pytest
from pipeline.world import PHONE, PRIMOTEXTO, TUESDAY

from passerelle.app import WORDINGS
from passerelle.domain.message import TESTS, Dialect, OutcomeKind, State
from passerelle.domain.tracking import Target
from passerelle.pipeline.inbound import Inbound
from passerelle.pipeline.stop_links import StopLinks
from passerelle.pipeline.teller import Teller
from passerelle.settings import Settings
from passerelle.store import optouts, statistics, tracking
from passerelle.store.optouts import List

CODE = "Saaaaaa0"
CAMPAIGN = bytes(range(12))


class Shop:
    def __init__(self, world, account):
        self.world, self.account = world, account
        teller = Teller(world.accounts, WORDINGS, None, world.accounts.listeners)
        settings = Settings(stop_words=["ARRET"])  # what is said by SMS; the link says STOP
        self.stops = StopLinks(world.db, Inbound(world.db, teller, settings, world.clock), teller, world.clock)

    async def unsubscribers(self, tag=""):
        return (await statistics.counters(self.world.db, self.account.id, Dialect.PRIMOTEXTO, tag)).unsubscribers


@pytest.fixture
async def shop(world):
    account = await world.account()
    made = Shop(world, account)
    await world.send(account, PHONE, profile=PRIMOTEXTO, tag="soldes", tag_key="soldes")
    await world.db.execute("update submission set campaign_id = $1", CAMPAIGN)
    first = await world.db.fetchval("select id from submission")
    ids = await tracking.add_targets(world.db, account.id, first, 2, "soldes", [Target("https://a.example/")], TUESDAY)
    assert await world.link(ids, [[CODE]])
    [part] = await world.pump()
    await world.record(part, OutcomeKind.SENT, "id1")
    await world.db.execute("delete from event")
    return made


async def test_it_is_a_stop(shop):
    world = shop.world
    world.clock.move(60)
    now = world.clock.now()
    before = await shop.stops.look(CODE)
    assert (before.phone, before.stopped, before.listed) == (PHONE, False, False)
    assert (await shop.stops.stop(CODE)).phone == PHONE
    assert (await shop.stops.look(CODE))[3:] == (True, True)
    listed = await optouts.find(world.db, shop.account.id, List.STOP, PHONE)
    assert listed.history == [{"date": round(now.timestamp() * 1000), "campaignId": CAMPAIGN.hex()}]
    row = await world.message()
    assert (row["stopped_at"], row["delivered_at"], row["state"]) == (
        now,
        now,
        State.DELIVERED,
    )  # who says STOP has received
    [reply] = await world.rows("reply")
    assert (reply["recipient"], reply["text"], reply["stop"], reply["carrier_id"], reply["message_id"]) == (
        "link", "STOP", True, None, row["id"],
    )  # fmt: skip
    assert (await shop.unsubscribers(), await shop.unsubscribers("soldes")) == (1, 1)
    assert await world.told() == ["delivered", "unsubscribed"]
    events = await world.rows("event", "id")
    assert json.loads(events[-1]["body"])["campaignId"] == CAMPAIGN.hex()
    leased = "select count(*) from event where lease_until > clock_timestamp()"
    assert await world.db.fetchval(leased) == 0  # they are for the workers to post


async def test_again_it_changes_nothing(shop):
    world = shop.world
    await asyncio.gather(*(shop.stops.stop(CODE) for _ in range(4)))
    world.clock.move(60)
    await shop.stops.stop(CODE)
    assert len(await world.rows("reply")) == 1
    assert len((await optouts.find(world.db, shop.account.id, List.STOP, PHONE)).history) == 1
    assert await world.told() == ["delivered", "unsubscribed"]
    assert await shop.unsubscribers() == 1


async def test_who_was_taken_off_the_list_can_say_it_again(shop):
    world = shop.world
    await shop.stops.stop(CODE)
    await optouts.remove_by_phone(world.db, shop.account.id, List.STOP, PHONE)
    assert (await shop.stops.look(CODE))[3:] == (True, False)
    await shop.stops.stop(CODE)
    assert (await shop.stops.look(CODE))[3:] == (True, True)
    assert await shop.unsubscribers() == 1
    assert await world.told() == ["delivered", "unsubscribed"]


async def test_two_programs_hear_one_stop(shop):
    other = Shop(shop.world, shop.account)
    await asyncio.gather(*(one.stop(CODE) for one in (shop.stops, other.stops) * 3))
    assert len(await shop.world.rows("reply")) == 1


async def test_a_link_of_nobody(shop):
    assert await shop.stops.stop("nobody00") is await shop.stops.look("nobody00") is None
    await shop.world.db.execute("update link_target set created_at = created_at - interval '366 days'")
    assert await shop.stops.stop(CODE) is await shop.stops.look(CODE) is None
    assert await shop.world.rows("reply") == []


async def test_a_test_can_say_stop(shop):
    world = shop.world
    await world.db.execute("update submission set tag_key = $1, test = true", TESTS)
    await world.db.execute("update statistic_delta set tag_key = $1", TESTS)
    await shop.stops.stop(CODE)
    assert await optouts.find(world.db, shop.account.id, List.STOP, PHONE) is not None
    assert await shop.unsubscribers() == 0
    assert await statistics.unsubscribers_of_all(world.db, shop.account.id, Dialect.PRIMOTEXTO) == 1
