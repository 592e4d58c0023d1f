"""Another text for those who wait; the difference is settled to the micro-euro."""

from __future__ import annotations

from pipeline.campaign import shop
from pipeline.world import PHONE, PRICE, TUESDAY

from passerelle.domain.campaigns import Fault
from passerelle.domain.message import OutcomeKind
from passerelle.domain.reasons import Reason
from passerelle.pipeline.editing import SLICE, Edited
from passerelle.store import lists, optouts

LONG = "Bonjour {{prénom|vous}} ! " + "x" * 200  # two parts


async def test_who_waits_gets_the_new_text_and_pays_the_difference(world):
    at = await shop(world)
    await at.people("Ana", "Bo", "")
    world.operator.slots = 1
    campaign = await at.launched()
    (gone,) = await world.pump()
    await world.record(gone, OutcomeKind.SENT, "a")
    await at.pause(campaign)
    assert await at.edit(campaign, LONG, "Soldes 2") == Edited(2, 2 * PRICE)
    assert await at.texts() == {
        0: "Bonjour Ana !",
        1: LONG.replace("{{prénom|vous}}", "Bo"),
        2: LONG.replace("{{prénom|vous}}", "vous"),
    }
    assert await world.spent(at.account) == 5 * PRICE
    now = (await at.seen(campaign.token)).campaign
    assert (now.text, now.name, now.cost) == (LONG, "Soldes 2", 5 * PRICE)
    await world.verify()
    assert await at.edit(campaign, "Court") == Edited(2, -2 * PRICE)
    assert await world.spent(at.account) == 3 * PRICE
    await at.resume(campaign)
    world.operator.slots = 9
    assert sorted(part.text for part in await at.all_leave()) == ["Court\nSTOP 36000"] * 2
    assert (await at.seen(campaign.token)).campaign.cost == 3 * PRICE


async def test_values_are_those_of_the_list_as_it_is_now(world):
    at = await shop(world)
    await at.people("Ana", "Bo")
    campaign = await at.launched()
    await at.pause(campaign)
    await lists.delete_phone(world.db, at.account.id, at.listed.id, PHONE)
    await at.edit(campaign, "Salut {{prénom|toi}}")
    assert await at.texts() == {0: "Salut toi", 1: "Salut Bo"}


async def test_links_of_the_new_text_are_personal_too(world):
    at = await shop(world)
    await at.people("Ana", "Bo")
    campaign = await at.launched("https://a.example/")
    await at.pause(campaign)
    await at.edit(campaign, "https://b.example/ {{prénom}}")
    links = await world.db.fetch(
        "select l.code, l.place, t.url from tracked_link l join link_target t on t.id = l.target_id order by t.id, place"
    )
    assert [row["url"] for row in links] == ["https://b.example/"] * 2
    assert await at.texts() == {
        0: f"https://l.example/{links[0]['code']} Ana",
        1: f"https://l.example/{links[1]['code']} Bo",
    }


async def test_what_may_not_be_changes_nothing(world):
    at = await shop(world)
    await at.people("Ana", "B" * 500)
    campaign = await at.launched()
    assert await at.edit(campaign, "Autre") is Fault.NOT_PAUSED
    await at.pause(campaign)
    before = await at.texts()
    for text, reason in (
        ("", Reason.TEXT_MISSING),
        ("ж", Reason.TEXT_CHARACTERS),
        ("{{prénom}}" * 3, Reason.TEXT_LONG),
    ):
        found = await at.edit(campaign, text)
        assert reason in {one.reason for one in found}, text
    await world.accounts.credit(
        at.account.id, PRICE // 2 - (await world.accounts.by_id(at.account.id)).balance, TUESDAY
    )
    (short,) = await at.edit(campaign, LONG)
    assert short.reason is Reason.CREDIT
    assert await at.texts() == before
    world.opened.clear()
    await at.stop(campaign)
    assert await at.edit(campaign, "Autre") is Fault.NOT_PAUSED


async def test_an_opt_out_after_it_gets_the_new_price_back(world):
    at = await shop(world)
    await at.people("Ana", "Bo")
    campaign = await at.launched()
    await at.pause(campaign)
    await at.edit(campaign, LONG)
    await optouts.add(world.db, at.account.id, optouts.List.STOP, PHONE, world.clock.now())
    await at.resume(campaign)
    assert {part.phone for part in await at.all_leave()} == {PHONE + 1}
    assert await world.spent(at.account) == 2 * PRICE


async def test_many_are_written_anew_in_slices(world):
    at = await shop(world)
    await at.people(*map(str, range(2 * SLICE + 3)))
    campaign = await at.launched()
    await at.pause(campaign)
    assert await at.edit(campaign, "Autre {{prénom}}") == Edited(2 * SLICE + 3, 0)
    texts = await at.texts()
    assert all(texts[n] == f"Autre {n}" for n in range(2 * SLICE + 3))


async def test_while_parts_are_handed_over_nobody_edits(world):
    """What comes back unsent would keep the old text."""
    at = await shop(world)
    await at.people("Ana", "Bo")
    campaign = await at.launched()
    gone = await world.pump()
    await at.pause(campaign)
    assert await at.edit(campaign, "Autre") is Fault.BUSY
    for part in gone:
        await world.record(part, OutcomeKind.UNSENT)
    assert await at.edit(campaign, "Autre") == Edited(2, 0)


async def test_links_that_nobody_was_told_are_gone(world):
    at = await shop(world)
    await at.people("Ana", "Bo")
    world.operator.slots = 1
    campaign = await at.launched("https://a.example/ {{prénom}}")
    (gone,) = await world.pump()
    await world.record(gone, OutcomeKind.SENT, "a")
    await at.pause(campaign)
    for text in ("https://b.example/", "https://c.example/", "Bonjour"):
        await at.edit(campaign, text)
    (left,) = await world.rows("tracked_link")
    assert gone.text.startswith(f"https://l.example/{left['code']} ")
