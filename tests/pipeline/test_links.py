"""Short links: made, followed, and every click written down once, whatever becomes of the database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from pipeline.world import TUESDAY

from passerelle.domain.links import is_code
from passerelle.pipeline import links as pipeline
from passerelle.pipeline.links import Links
from passerelle.store import links as store

URLS = ["https://example.org/a", "https://example.org/a", "ftp://no", "https://example.org/é"]


@pytest.fixture
async def account(world):
    return await world.account()


async def clicks(world, account, *codes):
    counted = {one.code: one for one in await store.clicks(world.db, account.id, codes)}
    return [(counted[code].clicks, counted[code].first_at, counted[code].last_at) for code in codes]


async def test_links_are_shortened_in_their_order(world, account):
    links = Links(world.db, world.clock, host="go.example", site="https://sms.example.org")
    made = await links.shorten(account.id, URLS)
    assert made[2:] == URLS[2:]  # where no link may lead: as it was
    assert made[0] != made[1] and all(link.startswith("https://go.example/") for link in made[:2])
    codes = [link.rpartition("/")[2] for link in made[:2]]
    assert all(is_code(code) for code in codes)
    assert [await links.follow(code) for code in codes] == URLS[:2]
    assert await links.shorten(account.id, []) == []


async def test_nothing_else_is_followed(world, account):
    links = Links(world.db, world.clock)
    code = await store.make(world.db, account.id, URLS[0], TUESDAY, TUESDAY + timedelta(hours=1))
    assert await links.follow(code) == URLS[0]
    for wrong in (code.swapcase(), code[:-1], "", "x" * 8, code + "\0"):
        assert await links.follow(wrong) is None or wrong == code
    world.clock.move(3600)
    assert await links.follow(code) is None


async def test_clicks_are_written_together(world, account):
    links = Links(world.db, world.clock)
    one, two = await store.make_many(world.db, account.id, URLS[:2], TUESDAY)
    links.count(one)
    world.clock.move(10)
    links.count(one)
    links.count(two)
    links.count("nobodys0")
    await links.flush()
    late = TUESDAY + timedelta(seconds=10)
    assert await clicks(world, account, one, two) == [(2, TUESDAY, late), (1, late, late)]
    world.clock.move(10)
    links.count(one)
    await links.flush()
    await links.flush()
    assert await clicks(world, account, one) == [(3, TUESDAY, late + timedelta(seconds=10))]


async def test_two_processes_count_the_same_links(world, account):
    codes = await store.make_many(world.db, account.id, [URLS[0]] * 50, TUESDAY)
    programs = [Links(world.db, world.clock) for _ in range(4)]
    for round_ in range(5):
        for n, links in enumerate(programs):
            for code in codes if (n + round_) % 2 else reversed(codes):
                links.count(code)
        await asyncio.gather(*(links.flush() for links in programs))
    assert await clicks(world, account, *codes) == [(20, TUESDAY, TUESDAY)] * 50


class Away:
    """A database that is away for the first calls."""

    def __init__(self, db, failures):
        self.db, self.failures = db, failures

    async def execute(self, *arguments):
        if self.failures:
            self.failures -= 1
            raise asyncpg.ConnectionDoesNotExistError("away")
        return await self.db.execute(*arguments)


async def test_clicks_outlive_a_database_that_is_away(world, account):
    code = await store.make(world.db, account.id, URLS[0], TUESDAY)
    links = Links(Away(world.db, 1), world.clock)
    links.count(code)
    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await links.flush()
    links.count(code)
    await links.flush()
    assert await clicks(world, account, code) == [(2, TUESDAY, TUESDAY)]


async def test_they_are_written_by_themselves(world, account, monkeypatch):
    monkeypatch.setattr(pipeline, "EVERY", 0.01)
    code = await store.make(world.db, account.id, URLS[0], TUESDAY)
    links = Links(Away(world.db, 2), world.clock)
    links.count(code)
    running = asyncio.create_task(links.run())
    async with asyncio.timeout(10):
        while (await clicks(world, account, code))[0][0] == 0:
            await asyncio.sleep(0.01)
    running.cancel()
