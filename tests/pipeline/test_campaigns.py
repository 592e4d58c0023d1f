"""Campaigns: who gets what, once; what is refused; where they are."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from pipeline.campaign import shop
from pipeline.world import PHONE, PRICE, TUESDAY

from passerelle.domain.campaigns import Fault, Page, Phase
from passerelle.domain.message import TESTS, Dialect, Lane, OutcomeKind, State, TrafficClass, campaign_key
from passerelle.domain.profile import PRIMOTEXTO
from passerelle.domain.reasons import Reason
from passerelle.pipeline.batch import Accepted, Idempotency, Refused, Replayed
from passerelle.pipeline.large import SLICE
from passerelle.store import campaigns as store
from passerelle.store import links as codes
from passerelle.store import lists, optouts, statistics


async def test_everybody_gets_a_text_of_their_own(world):
    at = await shop(world)
    await at.people("Ana", "", "Zoé", "Łukasz", "😀", "{{prénom}}")
    campaign = await at.draft("Bonjour {{ PRÉNOM |cher client}}{{nobody}} !")
    result = await at.launch(campaign)
    assert isinstance(result, Accepted) and (result.messages, result.cost) == (6, 6 * PRICE)
    assert await at.texts() == {
        0: "Bonjour Ana !",
        1: "Bonjour cher client !",
        2: "Bonjour Zoé !",
        3: "Bonjour Lukasz !",  # as near as GSM 03.38 comes
        4: "Bonjour cher client !",  # what cannot be written is missing
        5: "Bonjour {{prénom}} !",  # a value is no field
    }
    assert {row["lane"] for row in await world.queued()} == {Lane.BULK}
    assert await world.spent(at.account) == 6 * PRICE


async def test_who_is_on_a_list_is_left_out_with_the_reason(world):
    at = await shop(world)
    await at.people("Ana", "Bo", "Cy", "Di")
    await optouts.add(world.db, at.account.id, optouts.List.STOP, PHONE + 1, TUESDAY)
    await optouts.add(world.db, at.account.id, optouts.List.BOUNCE, PHONE + 2, TUESDAY)
    await at.people("Eva", first=33140000000)
    campaign = await at.launched()
    assert (campaign.contacts, campaign.messages) == (5, 2)
    assert campaign.left_out == {"opted_out": 1, "bounced": 1, "number_fixed": 1}
    skipped = await store.skipped(world.db, at.account.id, campaign.submission_id, -1, 9)
    assert [tuple(one) for one in skipped] == [
        (1, f"+{PHONE + 1}", "opted_out"),
        (2, f"+{PHONE + 2}", "bounced"),
        (4, "+33140000000", "number_fixed"),
    ]
    assert await at.texts() == {0: "Bonjour Ana !", 3: "Bonjour Di !"}


async def test_lists_of_blocked_numbers_may_be_passed_over(world):
    """For a notification, whose sender says so; never for marketing."""
    at = await shop(world)
    await at.people("Ana", "Bo")
    await optouts.add(world.db, at.account.id, optouts.List.STOP, PHONE, TUESDAY)
    await optouts.add(world.db, at.account.id, optouts.List.BOUNCE, PHONE + 1, TUESDAY)
    careless = {"clean_stops": False, "clean_bounces": False}
    campaign = await at.launched(traffic=TrafficClass.TRANSACTIONAL, **careless)
    assert campaign.messages == 2
    assert len(await at.all_leave()) == 2
    strict = await at.launched(traffic=TrafficClass.TRANSACTIONAL, clean_bounces=False)
    assert (strict.messages, strict.left_out) == (1, {"opted_out": 1})
    marketing = await at.launched(**careless)
    assert (marketing.messages, marketing.left_out) == (1, {"opted_out": 1})


async def test_it_is_launched_once_whoever_comes_together(world):
    at = await shop(world)
    await at.people("Ana", "Bo")
    campaign = await at.draft()
    results = await asyncio.gather(*(at.launch(campaign) for _ in range(4)))
    assert sorted(type(one).__name__ for one in results) == ["Accepted", "Fault", "Fault", "Fault"]
    assert await at.launch((await at.seen(campaign.token)).campaign) is Fault.NOT_DRAFT
    assert len(await world.rows("message")) == 2
    assert await world.spent(at.account) == 2 * PRICE


async def test_of_a_large_one_everybody_is_written_once(world):
    at = await shop(world)
    await world.accounts.credit(at.account.id, 900_000_000, TUESDAY)
    await at.people(*(f"N{n}" for n in range(2 * SLICE + 5)))
    await optouts.add(world.db, at.account.id, optouts.List.STOP, PHONE + SLICE, TUESDAY)
    campaign = await at.launched("{{prénom}}: https://shop.example/")
    assert campaign.messages == 2 * SLICE + 4
    rows = await world.rows("message")
    assert [row["id"] for row in rows] == list(range(campaign.submission_id, campaign.submission_id + 2 * SLICE + 4))
    assert len({row["number"] for row in rows} - {0}) == 2 * SLICE + 4
    links = await world.db.fetch("select code, place from tracked_link order by place")
    assert [row["place"] for row in links] == list(range(2 * SLICE + 4))
    texts = await at.texts()
    for row in rows[:3] + rows[-3:]:
        code = links[row["id"] - campaign.submission_id]["code"]
        name = f"N{row['phone'] - PHONE}"
        assert texts[row["phone"] - PHONE] == f"{name}: https://l.example/{code}"


async def test_a_code_that_is_taken_is_not_given_again(world, monkeypatch):
    at = await shop(world)
    await at.people("Ana")
    first = await at.launched("https://shop.example/")
    (code,) = [row["code"] for row in await world.rows("tracked_link")]
    dice = iter([[code], ["Afresh00"]])
    monkeypatch.setattr(codes, "new_tracked_codes", lambda count: next(dice))
    second = await at.launched("https://shop.example/")
    assert first.messages == second.messages == 1
    assert {row["code"] for row in await world.rows("tracked_link")} == {code, "Afresh00"}
    assert len(await world.rows("submission")) == 2


async def test_the_database_goes_away_while_links_are_written(world, monkeypatch):
    at = await shop(world)
    await at.people("Ana", "Bo")
    campaign = await at.draft("Bonjour https://a.example/")
    launch, lost = store.launch, iter([True, False])

    async def lose(connection, *more):
        if next(lost):
            await world.db.execute("select pg_terminate_backend($1)", connection.get_server_pid())
        return await launch(connection, *more)

    monkeypatch.setattr(store, "launch", lose)
    assert isinstance(await at.launch(campaign), Accepted)
    assert len(await world.rows("tracked_link")) == len(await world.rows("message")) == 2


async def test_contacts_that_are_added_while_they_are_counted(world, monkeypatch):
    """Ids are taken for as many as were counted; nobody else's are used."""
    at = await shop(world)
    await at.people(*map(str, range(SLICE + 9)))
    campaign = await at.draft()
    extent = lists.extent

    async def too_few(*asked):
        count, last = await extent(*asked)
        return count - 5, last

    monkeypatch.setattr(lists, "extent", too_few)
    result = await at.launch(campaign)
    assert isinstance(result, Accepted) and result.messages == SLICE + 9
    sent = await world.send(at.account, PHONE + 5_000)
    ids = [row["id"] for row in await world.db.fetch("select id from message")]
    assert len(set(ids)) == SLICE + 10 and not result.id <= sent.id < result.id + result.messages


async def test_what_is_launched_is_what_it_says_then(world):
    """Somebody has changed it since it was read."""
    at = await shop(world)
    await at.people("Ana")
    campaign = await at.draft("Hier")
    async with world.db.transaction() as connection:
        assert await store.change(connection, at.account.id, campaign.id, replace(campaign.draft, text="Demain"))
    assert isinstance(await at.launch(campaign), Accepted)
    assert await at.texts() == {0: "Demain"}


async def test_a_page_has_its_link(world):
    at = await shop(world)
    await at.people("Ana")
    await at.launched("Soldes !", page=Page.EXTERNAL, url="https://shop.example/soldes")
    ((code, target),) = [(row["code"], row["target_id"]) for row in await world.rows("tracked_link")]
    assert await at.texts() == {0: f"Soldes ! https://l.example/{code}"}
    (led,) = await world.rows("link_target")
    assert (led["id"], led["url"], led["tag_key"]) == (target, "https://shop.example/soldes", led["tag_key"])


async def test_a_text_too_long_for_one_is_too_long_for_all(world):
    at = await shop(world)
    await at.people("Ana", "B" * 600)
    result = await at.launch(await at.draft("{{prénom}} {{prénom}}"))
    assert isinstance(result, Refused) and [one.reason for one in result.findings] == [Reason.TEXT_LONG]
    assert not await world.rows("message")
    assert await world.spent(at.account) == 0


async def test_what_keeps_it_from_being_launched(world):
    at = await shop(world, free_campaigns=1)
    assert await at.launch(await at.draft()) is Fault.NO_AUDIENCE
    await at.people("Ana")
    late = await at.launch(await at.draft(due_at=TUESDAY - timedelta(minutes=6)))
    assert isinstance(late, Refused) and late.findings[0].reason is Reason.DATE_PAST
    await at.launched(due_at=TUESDAY - timedelta(minutes=4))
    second = await at.draft()
    over = await at.launch(second)
    assert isinstance(over, Refused) and over.findings[0].reason is Reason.CAMPAIGN_LIMIT
    world.clock.move(31 * 86_400)
    assert isinstance(await at.launch(second), Accepted)
    third = await at.draft()
    await lists.delete(world.db, at.account.id, at.listed.token)
    assert await at.launch(third) is Fault.NO_AUDIENCE


async def test_the_balance_decides_for_all(world):
    at = await shop(world)
    await at.people(*map(str, range(5)))
    await world.accounts.credit(at.account.id, 4 * PRICE - 100_000_000, TUESDAY)
    campaign = await at.draft()
    result = await at.launch(campaign)
    assert isinstance(result, Refused) and result.findings[0].reason is Reason.CREDIT
    assert await at.phase(campaign) is Phase.DRAFT
    await world.accounts.credit(at.account.id, PRICE, TUESDAY)
    assert isinstance(await at.launch(campaign), Accepted)
    world.opened.clear()  # `spent` and `verify` count from another credit
    assert not (await world.accounts.by_id(at.account.id)).balance


async def test_a_launch_under_a_key_is_answered_again(world):
    at = await shop(world)
    await at.people("Ana")
    campaign = await at.draft()
    key = Idempotency("/send", "k1", b"hash", lambda done: (200, b"%d" % done.cost))
    assert isinstance(await at.launch(campaign, idempotency=key), Accepted)
    again = (await at.seen(campaign.token)).campaign
    assert await at.launch(again, idempotency=key) == Replayed(200, b"%d" % PRICE)


async def test_a_twin_waits_for_the_launch_that_is_under_way(world):
    at = await shop(world)
    await at.people("Ana")
    campaign = await at.draft()
    keys = [Idempotency("/send", key, b"hash", lambda done: (200, b"%d" % done.cost)) for key in ("k1", "k1", "k2")]
    results = await asyncio.gather(*(at.launch(campaign, idempotency=key) for key in keys))
    told = [one if isinstance(one, Fault | Replayed) else type(one) for one in results]
    assert told in (
        [Accepted, Replayed(200, b"%d" % PRICE), Fault.NOT_DRAFT],
        [Replayed(200, b"%d" % PRICE), Accepted, Fault.NOT_DRAFT],
        [Fault.NOT_DRAFT, Fault.NOT_DRAFT, Accepted],
    )
    assert await world.spent(at.account) == PRICE


async def test_of_those_that_come_together_one_is_the_last_of_the_month(world):
    at = await shop(world, free_campaigns=1)
    await at.people("Ana")
    drafts = [await at.draft() for _ in range(3)]
    results = await asyncio.gather(*(at.launch(one) for one in drafts))
    assert sorted(type(one).__name__ for one in results) == ["Accepted", "Refused", "Refused"]
    assert {one.findings[0].reason for one in results if isinstance(one, Refused)} == {Reason.CAMPAIGN_LIMIT}
    assert await world.spent(at.account) == PRICE


async def test_its_phases(world):
    at = await shop(world)
    await at.people("Ana", "Bo")
    campaign = await at.draft(due_at=TUESDAY + timedelta(hours=2))
    assert await at.phase(campaign) is Phase.DRAFT
    await at.launch(campaign)
    assert await at.phase(campaign) is Phase.SCHEDULED
    assert not await world.pump()
    world.clock.move(2 * 3600)
    assert await at.phase(campaign) is Phase.SCHEDULED  # nothing was handed over yet
    first, second = await world.pump()
    await world.record(first, OutcomeKind.SENT, "a")
    assert await at.phase(campaign) is Phase.SENDING
    await world.record(second, OutcomeKind.PERMANENT)
    assert await at.phase(campaign) is Phase.SENT
    await at.carry_on()
    assert (await at.seen(campaign.token)).campaign.ended_at == world.clock.now()
    assert await at.phase(campaign) is Phase.SENT


async def test_at_night_it_waits_and_in_the_morning_it_leaves(world):
    """20:00 in Paris; the next day is a holiday."""
    at = await shop(world)
    await at.people("Ana")
    world.clock.move(9 * 3600)
    campaign = await at.launched()
    assert await at.phase(campaign) is Phase.SCHEDULED
    assert campaign.due_at.isoformat() == "2026-11-12T07:00:00+00:00"
    world.clock.move(36 * 3600)
    assert await world.pump()


async def test_in_the_evening_all_that_is_left_waits_at_once(world):
    """Not part by part: others stand behind it."""
    at = await shop(world)
    await at.people(*map(str, range(40)))
    await at.people("Eva", first=262692000001)
    await at.people("Als", first=PHONE + 50, **{"cp": "67000"})
    await at.launched()
    world.operator.slots = 10
    assert len(await world.pump()) == 9  # one is kept for codes
    world.clock.move(9 * 3600)
    assert not await world.pump()
    waiting = await world.db.fetch("select due_at, count(*) as parts from queue where lease_until is null group by 1")
    assert {row["due_at"].isoformat(): row["parts"] for row in waiting}["2026-11-12T07:00:00+00:00"] >= 30
    assert not await at.all_leave()
    world.clock.move(36 * 3600)
    world.operator.slots = 100
    assert len(await at.all_leave()) == 33


async def test_a_postcode_says_whose_holidays_count(world):
    """26 December 2026, a Saturday: closed in Alsace-Moselle alone."""
    at = await shop(world)
    await at.people("Ana", **{"Code postal": "67000"})
    await at.people("Bo", first=PHONE + 1, **{"Code postal": "75001"})
    await at.people("Cy", first=PHONE + 2)
    await lists.set_region(world.db, at.account.id, at.listed.id, "57")
    await at.launched(due_at=TUESDAY.replace(month=12, day=26))
    world.clock.move((TUESDAY.replace(month=12, day=26) - TUESDAY).total_seconds())
    assert {part.phone - PHONE for part in await world.pump()} == {1}
    assert {row["due_at"].isoformat() for row in await world.queued_of(PHONE)} == {"2026-12-28T07:00:00+00:00"}
    assert {row["due_at"].isoformat() for row in await world.queued_of(PHONE + 2)} == {"2026-12-28T07:00:00+00:00"}


async def test_its_parts_never_leave_twice_whatever_its_class(world):
    at = await shop(world)
    await at.people("Ana")
    await at.launched(traffic=TrafficClass.TRANSACTIONAL)
    (part,) = await world.pump()
    await world.record(part, OutcomeKind.UNKNOWN)
    assert not await world.queued()
    assert (await world.message())["uncertain"]


async def test_the_list_goes_when_everything_has_left(world):
    at = await shop(world)
    await at.people("Ana")
    await at.launched(keep_list=False)
    await at.carry_on()
    assert await lists.find(world.db, at.account.id, at.listed.token)
    (part,) = await world.pump()
    await world.record(part, OutcomeKind.SENT, "a")
    await at.carry_on()
    assert await lists.find(world.db, at.account.id, at.listed.token) is None


async def test_a_test_is_sent_at_once_and_counted_apart(world):
    at = await shop(world)
    await at.people("Ana")
    campaign = await at.draft("Bonjour {{prénom}} https://shop.example/", page=Page.NONE)
    world.clock.move(12 * 3600)  # 23:00 in Paris
    fresh = await world.accounts.by_id(at.account.id)
    result = await at.campaigns.test(fresh, campaign, "0639980009", PRIMOTEXTO)
    assert isinstance(result, Accepted) and result.cost == PRICE
    (part,) = await world.pump()
    (code,) = [row["code"] for row in await world.rows("tracked_link")]
    assert (part.phone, part.text) == (33639980009, f"Bonjour Ana https://l.example/{code}\nSTOP 36000")
    await world.record(part, OutcomeKind.SENT, "a")
    await world.receipt("a", phone=33639980009)
    counted = {
        key: (await statistics.counters(world.db, at.account.id, Dialect.PRIMOTEXTO, key)).delivered
        for key in ("", TESTS, campaign_key(campaign.token))
    }
    assert counted == {"": 0, TESTS: 1, campaign_key(campaign.token): 0}
    await optouts.add(world.db, at.account.id, optouts.List.STOP, 33639980009, TUESDAY)
    refused = await at.campaigns.test(fresh, campaign, "0639980009", PRIMOTEXTO)
    assert isinstance(refused, Refused) and refused.dropped[0].reason is Reason.OPTED_OUT
    assert await at.phase(campaign) is Phase.DRAFT


async def test_an_opt_out_is_honoured_while_it_runs(world):
    at = await shop(world)
    await at.people("Ana", "Bo")
    campaign = await at.launched()
    await optouts.add(world.db, at.account.id, optouts.List.STOP, PHONE + 1, world.clock.now())
    (part,) = await at.all_leave()
    assert part.phone == PHONE
    assert (await world.message(PHONE + 1))["state"] == State.OPTED_OUT
    assert await world.spent(at.account) == PRICE
    counted = await statistics.counters(world.db, at.account.id, Dialect.PRIMOTEXTO, campaign_key(campaign.token))
    assert counted.refunded == PRICE


@pytest.mark.parametrize(
    ("draft", "reasons"),
    [
        ({"text": " \n"}, [Reason.TEXT_MISSING]),
        ({"text": "x" * 10_001}, [Reason.TEXT_LONG]),
        ({"text": "x" * 918}, [Reason.TEXT_LONG]),  # with its STOP mention
        ({"text": "ж"}, [Reason.TEXT_CHARACTERS]),
        ({"text": "{{жук}}"}, []),  # the name of a column is not sent
        ({"text": "{{prénom}}"}, []),
        ({"text": "x", "sender": "AB"}, [Reason.SENDER_SHORT]),
    ],
)
async def test_what_is_wrong_with_a_draft(world, draft, reasons):
    at = await shop(world)
    campaign = await at.draft(**draft)
    found = await at.campaigns.faults(at.account, campaign.draft, PRIMOTEXTO)
    assert [one.reason for one in found] == reasons


async def test_a_flash_message_is_shown_at_once(world):
    at = await shop(world)
    await at.people("Ana")
    await at.launched(flash=True)
    (part,) = await world.pump()
    assert part.flash


async def test_strangers_see_nothing(world):
    at = await shop(world)
    campaign = await at.draft()
    other = await world.account("clinic@example.org")
    assert await at.campaigns.find(other.id, campaign.token) is None
    assert await at.campaigns.find(at.account.id, None) is None
