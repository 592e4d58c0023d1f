from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest
from pipeline.rcs_town import HELLO, RCS_PRICE, K, Town, town
from pipeline.world import CREDIT, PHONE, PRICE, World

from passerelle.domain.message import DuePart, State, TrafficClass
from passerelle.domain.rcs_names import CARRIER, name_of
from passerelle.store import ledger, optouts

__all__ = ["town"]

# --- the SMS that follows ------------------------------------------------------------------------------------------


async def test_who_has_no_rcs_gets_the_sms(town: Town, world: World) -> None:
    account = await world.account()
    accepted = await town.send(
        account, PHONE, PHONE + 2, failover="Bonjour par SMS", sender="MaBoutique", tag_key="t", tag="T"
    )
    assert await world.spent(account) == 2 * RCS_PRICE
    first, second = await town.pump()
    await town.record(second, K.SENT)
    await town.record(first, K.UNREACHABLE, error="HTTP 404")
    assert await world.spent(account) == RCS_PRICE + PRICE
    await world.verify()
    (sms,) = await world.pump()
    assert (sms.key, sms.text, sms.sender, sms.parts) == (first.key, "Bonjour par SMS", "MaBoutique", 1)
    await world.record(sms, K.SENT, "77")
    await world.receipt("77")
    assert await world.states() == [State.DELIVERED, State.SUBMITTED]
    told = (await town.bodies())[-1]
    assert told == {
        "status": "delivered", "msgId": str(accepted.number), "date": told["date"], "phone": f"+{PHONE}",
        "cost": "0.038", "currency": "EUR", "tag": "T",
    }  # fmt: skip
    kinds = [(row["kind"], row["amount"], row["message_id"]) for row in await world.rows("posting")]
    assert kinds[-2:] == [(2, RCS_PRICE, first.key.message_id), (8, PRICE, first.key.message_id)]


async def test_a_long_sms_counts_all_its_parts(town: Town, world: World) -> None:
    account = await world.account()
    await town.send(account, failover="x" * 200)
    (part,) = await town.pump()
    await town.record(part, K.UNREACHABLE)
    assert await world.spent(account) == 2 * PRICE
    parts = await world.pump()
    assert [p.parts for p in parts] == [2, 2]
    await world.verify()
    for n, one in enumerate(parts):
        await world.record(one, K.SENT, f"id{n}")
    await world.verify()
    for n in range(2):
        await world.receipt(f"id{n}")
    assert await world.states() == [State.DELIVERED]


async def test_without_an_sms_nothing_follows_and_the_price_goes_back(town: Town, world: World) -> None:
    account = await world.account()
    await town.send(account)
    (part,) = await town.pump()
    await town.record(part, K.UNREACHABLE, error="HTTP 404")
    assert await world.states() == [State.UNDELIVERED] and await world.spent(account) == 0
    assert (await world.message())["error"] == "HTTP 404" and await world.told() == ["not delivered"]
    assert not await world.queued()


@pytest.mark.parametrize(
    ("left", "state"), [(6 * PRICE - RCS_PRICE - 1, State.UNDELIVERED), (6 * PRICE - RCS_PRICE, State.ACCEPTED)]
)
async def test_credit_for_the_sms_is_needed_and_what_goes_back_counts(
    town: Town, world: World, left: int, state: State
) -> None:
    account = await world.account()
    await town.send(account, failover="x" * 900)  # 6 parts
    (part,) = await town.pump()
    await world.accounts.credit(account.id, left - CREDIT + RCS_PRICE, world.clock.now())
    await town.record(part, K.UNREACHABLE)
    assert await world.states() == [state]
    balance = await ledger.balance(world.db, account.id)
    assert balance == (0 if state is State.ACCEPTED else left + RCS_PRICE)


async def test_two_messages_and_credit_for_one_sms(town: Town, world: World) -> None:
    account = await world.account()
    await town.send(account, PHONE, PHONE + 1, failover="x" * 900)
    parts = await town.pump()
    await world.accounts.credit(account.id, 6 * PRICE - RCS_PRICE - CREDIT + 2 * RCS_PRICE, world.clock.now())
    await world.dispatcher.record(CARRIER, [world.outcome(part, K.UNREACHABLE) for part in parts])
    assert await world.states() == [State.ACCEPTED, State.UNDELIVERED]
    assert await ledger.balance(world.db, account.id) == RCS_PRICE


async def test_a_refused_content_falls_back_like_a_missing_handset(town: Town, world: World) -> None:
    await town.send(await world.account(), failover="Bonjour")
    (part,) = await town.pump()
    await town.record(part, K.PERMANENT)
    assert await world.states() == [State.ACCEPTED] and len(await world.pump()) == 1


@pytest.mark.parametrize("failover", ["Bonjour", None])
async def test_what_is_not_delivered_in_time_is_revoked_and_the_sms_follows(
    town: Town, world: World, failover: str | None
) -> None:
    account = await world.account()
    (part,) = await town.with_provider(account, failover=failover)
    world.clock.move(299)
    assert await town.rcs.expire() == 0
    world.clock.move(2)
    assert await town.rcs.expire() == 1 and await town.rcs.expire() == 0
    assert town.revoked == [(PHONE, name_of(part.key.message_id, PHONE, HELLO))]
    if failover:
        assert await world.states() == [State.ACCEPTED] and await world.spent(account) == PRICE
    else:  # the provider had taken it
        assert await world.states() == [State.UNDELIVERED] and await world.spent(account) == RCS_PRICE
    assert not await world.rows("awaiting")


async def test_an_event_of_the_provider_and_the_clock_let_one_sms_follow(town: Town, world: World) -> None:
    account = await world.account()
    (part,) = await town.with_provider(account, failover="Bonjour")
    world.clock.move(301)
    await asyncio.gather(town.event("TTL_EXPIRATION_REVOKED", part), town.rcs.expire(), town.rcs.expire())
    await town.event("TTL_EXPIRATION_REVOKED", part, eventId="again")
    assert await world.spent(account) == PRICE
    assert len(await world.pump()) == 1 and not await world.queued_of(PHONE + 1)
    assert [row["kind"] for row in await world.rows("posting")] == [3, 2, 8]


async def test_late_news_of_an_rcs_message_do_not_touch_the_sms(town: Town, world: World) -> None:
    account = await world.account()
    await town.send(account, failover="Bonjour")
    (part,) = await town.pump()
    await town.record(part, K.UNREACHABLE)
    for word in ("DELIVERED", "READ", "TTL_EXPIRATION_REVOKED"):
        await town.event(word, part)
    await town.record(part, K.SENT)  # an answer that comes when its lease was long over
    assert await world.states() == [State.ACCEPTED]
    await world.receipts.sweep()
    assert await world.states() == [State.ACCEPTED] and len(await world.pump()) == 1
    assert await world.spent(account) == PRICE


async def test_a_provider_that_is_away_is_tried_until_the_time_is_over(town: Town, world: World) -> None:
    account = await world.account()
    await town.send(account, failover="Bonjour")
    began, tried = world.clock.now(), []
    while world.clock.now() < began + timedelta(seconds=600) and await world.spent(account) == RCS_PRICE:
        for part in await town.pump():
            tried.append(round((world.clock.now() - began).total_seconds()))
            await town.record(part, K.TEMPORARY)
        world.clock.move(1)
    assert tried == [0, 5, 20, 80, 200, 300]
    assert len(await world.pump()) == 1 and await world.spent(account) == PRICE


async def test_what_is_in_flight_when_its_time_is_over_stays_a_moment(town: Town, world: World) -> None:
    account = await world.account()
    await town.send(account, failover="Bonjour")
    (part,) = await town.pump()
    await town.record(part, K.UNKNOWN)
    world.clock.move(301)
    (again,) = await town.pump()
    assert await town.rcs.expire() == 0 and await world.states() == [State.UNCERTAIN]
    await town.record(again, K.UNKNOWN)
    assert await world.states() == [State.ACCEPTED] and await world.spent(account) == PRICE
    assert len(await world.pump()) == 1


async def test_the_stop_list_is_looked_at_before_the_sms_leaves(town: Town, world: World) -> None:
    account = await world.account()
    await town.send(account, failover="Bonjour")
    (part,) = await town.pump()
    await town.record(part, K.UNREACHABLE)
    await optouts.add(world.db, account.id, optouts.List.STOP, PHONE, world.clock.now())
    assert not await world.pump()
    assert await world.states() == [State.OPTED_OUT] and await world.spent(account) == 0


async def test_a_country_without_a_price_for_sms_gets_none(town: Town, world: World) -> None:
    account = await world.account()
    await town.send(account, 447400123456, failover="Hello")
    (part,) = await town.pump()
    await town.record(part, K.UNREACHABLE)
    assert await world.states() == [State.UNDELIVERED] and await world.spent(account) == 0


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_in_any_order_money_and_figures_hold(town: Town, world: World, seed: int) -> None:
    rng = random.Random(seed)
    account = await world.account()
    out: list[DuePart] = []
    for turn in range(30):
        sms = rng.choice([None, "Bonjour", "x" * 400])
        await town.send(
            account, PHONE + turn, failover=sms, traffic=rng.choice(list(TrafficClass)), tag_key="t", tag="t"
        )
        for part in await town.pump():
            out.append(part)
            await town.record(
                part, rng.choice([K.SENT] * 4 + [K.UNKNOWN, K.TEMPORARY, K.THROTTLED, K.UNREACHABLE, K.UNSENT])
            )
        for part in rng.sample(out, min(3, len(out))):
            await town.event(rng.choice(["DELIVERED", "READ", "TTL_EXPIRATION_REVOKED"]), part, eventId=str(turn))
        for part in await world.pump():
            await world.record(part, rng.choice([K.SENT, K.SENT, K.PERMANENT, K.TEMPORARY, K.UNKNOWN]), f"i{turn}")
        world.clock.move(rng.choice([1, 30, 200]))
        await town.rcs.expire()
        await world.verify()
    for row in await world.db.fetch("select message_id, count(*) from posting where kind = 8 group by 1"):
        assert row["count"] == 1


async def test_an_sms_is_there_as_long_as_it_may_have_to_follow(town: Town, world: World) -> None:
    account, longest = await world.account(), timedelta(days=15)
    town.rcs._failover.ttl = longest
    await town.with_provider(account, failover="Bonjour par SMS")
    world.clock.move((longest - timedelta(minutes=1)).total_seconds())
    await town.rcs.forget()
    assert await town.rcs.expire() == 0
    world.clock.move(120)
    assert await town.rcs.expire() == 1
    assert [part.text for part in await world.pump()] == ["Bonjour par SMS"]
    assert await world.spent(account) == PRICE
