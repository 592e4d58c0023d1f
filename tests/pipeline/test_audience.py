"""To whom: all contacts once, page by page; who comes later is not meant."""

from __future__ import annotations

import pytest
from pipeline.campaign import address, shop
from pipeline.test_group_send import a_group
from pipeline.world import PHONE

from passerelle.domain import campaigns
from passerelle.domain.message import Recipient
from passerelle.domain.text import Encoding
from passerelle.pipeline.audience import Writer, of_group, of_list
from passerelle.pipeline.large import SLICE


async def phones(db, audience, until):
    return [row["phone"] - PHONE async for page in audience.pages(db, until) for row in page]


@pytest.mark.parametrize("count", [0, 1, SLICE, SLICE + 1])
async def test_everybody_once_in_the_order_they_came(world, count):
    at = await shop(world)
    await at.people(*map(str, range(count)))
    audience = await of_list(world.db, at.account.id, at.listed.id)
    most, until = await audience.extent(world.db)
    assert most == count
    assert await phones(world.db, audience, until) == list(range(count))


async def test_who_comes_later_is_not_meant(world):
    at = await shop(world)
    await at.people("Ana", "Bo")
    audience = await of_list(world.db, at.account.id, at.listed.id)
    _, until = await audience.extent(world.db)
    await at.people("Cy", first=PHONE + 9)
    assert await phones(world.db, audience, until) == [0, 1]
    assert await of_list(world.db, at.account.id, at.listed.id + 1) is None


async def test_a_group_has_its_own_words(world):
    account = await world.account()
    group = await a_group(world, account, [{"firstname": "Ana"}, {"firstname": "Bo"}])
    audience = of_group(account.id, group.id)
    most, until = await audience.extent(world.db)
    rows = [row async for page in audience.pages(world.db, until) for row in page]
    assert most == 2 and [audience.values(row)["firstname"] for row in rows] == ["Ana", "Bo"]
    found = await audience.of_phones(world.db, [PHONE + 1, PHONE + 5])
    assert {phone: values["firstname"] for phone, values in found.items()} == {PHONE + 1: "Bo"}


async def test_the_codes_of_a_page_are_those_of_its_texts(world):
    at = await shop(world)
    await at.people(*map(str, range(SLICE + 2)))
    audience = await of_list(world.db, at.account.id, at.listed.id)
    ready = campaigns.copy("https://a.example/ {{prénom}}", None)
    writer = Writer(ready, audience.key, "reject", lambda code: address(code, ""))
    _, until = await audience.extent(world.db)
    base = 0
    async for make in writer.pages(world.db, audience, until)():
        page = make()
        places = [base, base + len(page.items) - 1]
        kept = [Recipient(1, "FR", None, Encoding.GSM, 1, 0, position=place) for place in places]
        codes = writer.codes_of(kept)
        assert writer.codes_of(kept) == codes  # of a batch that is done again
        for place, (code,) in zip(places, codes, strict=True):
            assert page.items[place - base][1] == f"https://l.example/{code} {place}"
        base += len(page.items)
    assert base == SLICE + 2
