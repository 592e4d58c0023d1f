"""Short links as rows."""

from __future__ import annotations

import pytest
from pipeline.world import TUESDAY

from passerelle.store import links, tracking

URL = "https://example.org/"


@pytest.fixture
async def account(world):
    return await world.account()


async def found(world, code, now=TUESDAY):
    [led] = await tracking.visit(world.db, [tracking.Asked(code, 0, 1)], now)
    return led and led.url


async def test_a_link_is_found_by_its_code(world, account):
    code = await links.make(world.db, account.id, URL, TUESDAY)
    assert await found(world, code) == URL
    assert await found(world, "00000000") is None


@pytest.mark.parametrize("url", ["javascript:alert(1)", "", "/a", "https://example.org/\n"])
async def test_a_link_leads_to_web_pages_alone(world, account, url):
    with pytest.raises(ValueError, match="no link may lead"):
        await links.make_many(world.db, account.id, [URL, url], TUESDAY)
    assert await world.rows("link") == []


async def test_a_code_that_is_taken_stays_whose_it_is(world, account, monkeypatch):
    taken = await links.make(world.db, account.id, URL, TUESDAY)
    codes = iter(["aaaaaaaa", taken, "cccccccc", "dddddddd", "eeeeeeee"])
    monkeypatch.setattr(links, "new_code", lambda: next(codes))
    urls = [f"{URL}{n}" for n in range(3)]
    assert await links.make_many(world.db, account.id, urls, TUESDAY) == ["aaaaaaaa", "dddddddd", "eeeeeeee"]
    assert [await found(world, code) for code in ("aaaaaaaa", "dddddddd", "eeeeeeee", taken)] == [*urls, URL]


async def test_clicks_are_of_the_account(world, account):
    other = await world.account("other@example.org")
    code = await links.make(world.db, account.id, URL, TUESDAY)
    assert await links.clicks(world.db, account.id, [code, "00000000"]) == [(code, URL, 0, None, None)]
    assert await links.clicks(world.db, other.id, [code]) == []


def test_codes_differ_and_begin_with_a_digit():
    codes = {links.new_code() for _ in range(1000)}
    assert len(codes) == 1000 and all(code[0].isdigit() for code in codes)
