"""What a launch would do, and that it does so."""

from __future__ import annotations

from datetime import timedelta

from pipeline.campaign import shop
from pipeline.world import PHONE, PRICE, TUESDAY

from passerelle.domain.campaigns import Fault
from passerelle.domain.profile import PRIMOTEXTO
from passerelle.domain.reasons import Reason
from passerelle.domain.routing import Route
from passerelle.pipeline.forecast import forecast
from passerelle.store import optouts

ROUTES = [Route(1, frozenset({1, 2}))]


async def foreseen(at, campaign, rate=10):
    fresh = await at.world.accounts.by_id(at.account.id)
    return await forecast(at.campaigns, fresh, campaign, PRIMOTEXTO, ROUTES, {1: rate})


async def test_it_says_what_the_launch_does(world):
    at = await shop(world)
    await at.people("Ana", "B" * 160, "", "Di")
    await at.people("Eva", first=262692000001)  # La Réunion: 14:00 there
    await optouts.add(world.db, at.account.id, optouts.List.STOP, PHONE + 3, TUESDAY)
    campaign = await at.draft("Bonjour {{prénom|vous}} {{nom}}")
    told = await foreseen(at, campaign)
    assert (told.contacts, told.recipients, dict(told.left_out)) == (5, 4, {"opted_out": 1})
    assert (told.parts, dict(told.by_parts), told.cost) == (5, {1: 3, 2: 1}, 5 * PRICE)
    assert (told.due_at, told.held, list(told.findings)) == (TUESDAY, 0, [])
    assert told.expected_end == TUESDAY + timedelta(seconds=0.5)
    assert told.unknown_fields == ["nom"]
    assert told.example == "Bonjour Ana \nSTOP 36000"
    assert not await world.rows("message")
    launched = await at.launched("Bonjour {{prénom|vous}} {{nom}}")
    assert (launched.messages, launched.cost, launched.left_out) == (told.recipients, told.cost, dict(told.left_out))


async def test_who_sleeps_already_is_held(world):
    """18:00 in Paris, 21:00 in La Réunion."""
    at = await shop(world)
    await at.people("Ana")
    await at.people("Eva", first=262692000001)
    world.clock.move(7 * 3600)
    told = await foreseen(at, await at.draft())
    assert (told.recipients, told.held) == (2, 1)


async def test_what_speaks_against_it(world):
    at = await shop(world)
    assert await foreseen(at, await at.draft()) is Fault.NO_AUDIENCE
    await at.people("B" * 999)
    late = await foreseen(at, await at.draft("Bonjour", due_at=TUESDAY - timedelta(hours=1)))
    assert [one.reason for one in late.findings] == [Reason.DATE_PAST]
    told = await foreseen(at, await at.draft("{{prénom}}"))
    assert ([one.reason for one in told.findings], told.recipients) == ([Reason.TEXT_LONG], 0)


async def test_without_an_agreed_rate_no_end_is_promised(world):
    at = await shop(world)
    await at.people("Ana")
    assert (await foreseen(at, await at.draft(), rate=0)).expected_end is None
