"""Personal links of single messages."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pipeline.campaign import address
from pipeline.world import PHONE, PRIMOTEXTO, TUESDAY

from passerelle.domain.admission import Wanted
from passerelle.pipeline.linking import CodeTakenError, shorten
from passerelle.store import links


def link(code: str) -> str:
    return address(code, "")


async def test_an_address_becomes_a_short_link(world):
    account = await world.account()
    wanted = Wanted(items=[(f"+{PHONE}", None)], text="Suivi : https://shop.example/colis?id=7.")
    beside = shorten(wanted, link)
    await world.submitter.accept(account, wanted, PRIMOTEXTO, beside=beside)
    ((code, target),) = [(row["code"], row["target_id"]) for row in await world.rows("tracked_link")]
    (part,) = await world.pump()
    assert part.text == f"Suivi : https://l.example/{code}."
    (led,) = await world.rows("link_target")
    assert (led["id"], led["url"]) == (target, "https://shop.example/colis?id=7")


def test_a_text_without_addresses_stays_as_it_is():
    wanted = Wanted(items=[(f"+{PHONE}", None)], text="Bonjour {{link}}")
    assert shorten(wanted, link) is None and wanted.text == "Bonjour {{link}}"


async def test_a_code_that_is_taken_is_told(world, monkeypatch):
    account = await world.account()
    monkeypatch.setattr(links, "new_tracked_codes", lambda count: ["Taken000"])

    async def send():
        wanted = Wanted(items=[(f"+{PHONE}", None)], text="https://shop.example/")
        return await world.submitter.accept(account, wanted, PRIMOTEXTO, beside=shorten(wanted, link))

    await send()
    with pytest.raises(CodeTakenError):
        await asyncio.wait_for(send(), 10)
    assert len(await world.rows("message")) == 1


async def test_links_live_from_the_sending_time_on(world):
    account, due = await world.account(), TUESDAY + timedelta(days=300)
    wanted = Wanted(items=[(f"+{PHONE}", None)], text="https://shop.example/", due_at=due)
    await world.submitter.accept(account, wanted, PRIMOTEXTO, beside=shorten(wanted, link))
    assert [row["created_at"] for row in await world.rows("link_target")] == [due]
