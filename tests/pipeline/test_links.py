"""Short links: made for the addresses of an account."""

from __future__ import annotations

import pytest

from passerelle.domain.links import is_code
from passerelle.pipeline.links import Links
from passerelle.store import links as store

URLS = ["https://example.org/a", "https://example.org/a", "ftp://no", "https://example.org/é"]


@pytest.fixture
async def account(world):
    return await world.account()


async def test_links_are_shortened_in_their_order(world, account):
    links = Links(world.db, world.clock, host="go.example", site="https://sms.example.org")
    made = await links.shorten(account.id, URLS)
    assert made[2:] == URLS[2:]  # where no link may lead: as it was
    assert made[0] != made[1] and all(link.startswith("https://go.example/") for link in made[:2])
    codes = [link.rpartition("/")[2] for link in made[:2]]
    assert all(is_code(code) for code in codes)
    assert [one.url for one in await store.clicks(world.db, account.id, codes)] == URLS[:2]
    assert await links.shorten(account.id, []) == []


def test_a_link_stands_on_the_host_that_was_chosen():
    links = Links(None, None, host="go.example", hosts=["go.bakery.example"], site="https://sms.example.org")
    assert links.address("Ab12cd34") == "https://go.example/Ab12cd34"
    assert links.address("Ab12cd34", "go.bakery.example") == "https://go.bakery.example/Ab12cd34"
    assert links.address("Ab12cd34", "gone.example") == "https://go.example/Ab12cd34"
    assert Links(None, None, site="https://sms.example.org").address("Ab12cd34") == "https://sms.example.org/l/Ab12cd34"
