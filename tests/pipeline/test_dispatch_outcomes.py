"""What comes back from carriers, written down once whatever happens: retries, refusals, lost answers, lost leases."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from pipeline.world import LEASE, PHONE, PRICE, PRIMOTEXTO, THEIRS, World

from passerelle.domain.message import DuePart, OutcomeKind, Receipt, State, TrafficClass
from passerelle.pipeline.cancel import CancelVerdict, cancel
from passerelle.pipeline.dispatch import Dispatcher
from passerelle.store import optouts
from passerelle.store.optouts import List

K = OutcomeKind
LONG = "x" * 400  # three parts
MARKETING = {"traffic": TrafficClass.MARKETING}


async def everything(world: World) -> list[list[tuple]]:
    """All that recording may change."""
    tables = ["message", "part", "queue", "posting", "event", "blocked"]
    kept = [[tuple(row) for row in await world.rows(table, "1, 2, 3")] for table in tables]
    awaited = await world.db.fetch("select distinct * from awaiting order by 1, 2, 3, 4, 5")
    return [*kept, [tuple(row) for row in awaited]]


# --- taken ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rules", [{}, {"dlr_waiting": True}])
async def test_what_was_taken_waits_for_its_receipt(world, rules):
    """With `dlr_waiting` somebody is told, and another statement writes it down."""
    account = await world.account(**rules)
    (part,) = await world.submitted(account)
    world.clock.move(0.5)
    await world.record(part, K.SENT, "0A1F")
    row = await world.message()
    assert (row["state"], row["carrier_id"], row["uncertain"]) == (State.SUBMITTED, 1, False)
    assert (row["sent_at"], row["submitted_at"]) == (part.begun_at, world.clock.now())
    assert not await world.queued()
    (awaited,) = await world.rows("awaiting")
    assert (awaited["operator_id"], awaited["phone"], awaited["at"]) == ("a1f", PHONE, part.begun_at)
    assert await world.told() == (["waiting"] if rules else [])


async def test_primotexto_tells_every_step(world):
    (part,) = await world.submitted(await world.account(), profile=PRIMOTEXTO)
    await world.record(part, K.SENT, "a")
    assert await world.told() == ["sent", "submitted"]


@pytest.mark.parametrize("text", ["Bonjour", LONG])
@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (K.SENT, {"operator_id": "a1"}), (K.THROTTLED, {}), (K.TEMPORARY, {}), (K.PERMANENT, {}), (K.UNKNOWN, {}),
        (K.UNSENT, {}), (K.PERMANENT, {"bounced": True, "error": "ESME_RINVDSTADR"}),
    ],
)  # fmt: skip
async def test_the_same_outcomes_twice_change_nothing_more(world, kind, more, text):
    """A commit of which nobody knows whether it took place is done again."""
    parts = await world.submitted(await world.account(), text=text)
    outcomes = [world.outcome(part, kind, **more) for part in parts[:2]]
    await world.dispatcher.record(1, outcomes)
    once = await everything(world)
    world.clock.move(1)
    await world.dispatcher.record(1, outcomes)
    assert await everything(world) == once


async def test_an_outcome_of_an_earlier_lease_does_not_touch_a_later_one(world):
    """Given back, and leased again before the commit of unknown outcome was repeated: it is on its way."""
    (part,) = await world.submitted(await world.account())
    again = [world.outcome(part, K.UNSENT)]
    await world.dispatcher.record(1, again)
    (later,) = await world.pump()
    await world.dispatcher.record(1, again)
    assert not await world.pump(), "it would be submitted twice"
    await world.record(later, K.SENT, "a")
    assert await world.states() == [State.SUBMITTED]


async def test_one_batch_may_bring_every_kind_of_outcome(world):
    account = await world.account()
    phones = range(PHONE, PHONE + 6)
    parts = {part.phone - PHONE: part for part in await world.submitted(account, *phones)}
    kinds = [K.SENT, K.THROTTLED, K.TEMPORARY, K.PERMANENT, K.UNKNOWN, K.UNSENT]
    await world.dispatcher.record(
        1, [world.outcome(parts[n], kind, "a" if n == 0 else "") for n, kind in enumerate(kinds)]
    )
    assert [(await world.message(phone))["state"] for phone in phones] == [
        State.SUBMITTED, State.ACCEPTED, State.ACCEPTED, State.REFUSED, State.UNCERTAIN, State.ACCEPTED,
    ]  # fmt: skip
    assert len(await world.queued()) == 4


# --- refused -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [(K.THROTTLED, [1, 2, 5, 10, 20, 30, 30, 30]), (K.TEMPORARY, [5, 15, 60, 120, 300, 600, 900, 900])],
)
async def test_refused_for_now_is_submitted_again_at_its_time(world, kind, seconds):
    account = await world.account()
    parts = await world.submitted(account)
    first = parts[0].begun_at
    for tries, wait in enumerate(seconds, 1):
        await world.record(parts[0], kind, error="no")
        (row,) = await world.queued()
        assert (row["attempts"], row["due_at"]) == (tries, world.clock.now() + timedelta(seconds=wait))
        world.clock.move(wait - 0.001)
        assert not await world.pump()
        world.clock.move(0.001)
        parts = await world.pump()
        assert parts[0].attempts == tries
    await world.record(parts[0], K.SENT, "a")
    row = await world.message()
    assert (row["state"], row["sent_at"]) == (State.SUBMITTED, first)
    assert await world.spent(account) == PRICE


async def test_it_is_never_given_up_before_its_validity_ends(world):
    account = await world.account()
    await world.send(account)
    tries = 0
    while world.clock.now() < world.clock._start + timedelta(hours=48):
        for part in await world.pump():
            tries += 1
            await world.record(part, K.TEMPORARY)
        assert await world.dispatcher.expire([1]) == 0
        assert len(await world.queued()) == 1
        world.clock.move(600)
    assert tries > 100
    world.clock.move(900)
    assert not await world.pump()
    assert await world.states() == [State.EXPIRED] and await world.told() == ["ko"]


async def test_refused_for_ever_ends_the_message_and_costs(world):
    account = await world.account()
    (part,) = await world.submitted(account)
    await world.record(part, K.PERMANENT, error="ESME_RINVSRCADR")
    row = await world.message()
    assert (row["state"], row["error"], row["failed_at"]) == (State.REFUSED, "ESME_RINVSRCADR", world.clock.now())
    assert await world.spent(account) == PRICE and await world.told() == ["ko"]
    assert not await world.rows("awaiting") and not await world.queued()


async def test_a_number_that_does_not_exist_is_listed(world):
    account, other = await world.account(), await world.account("clinic@example.org")
    (part,) = await world.submitted(account)
    await world.record(part, K.PERMANENT, error="ESME_RINVDSTADR", bounced=True)
    row = await world.message()
    assert (row["state"], row["bounced_at"]) == (State.BOUNCED, world.clock.now())
    assert await optouts.find(world.db, account.id, List.BOUNCE, PHONE) is not None
    assert await optouts.find(world.db, other.id, List.BOUNCE, PHONE) is None
    assert await world.told() == ["not delivered"]


# --- unknown -------------------------------------------------------------------------------------------------------


async def test_a_transactional_part_without_an_answer_is_submitted_once_more_after_its_lease(world):
    account = await world.account()
    (part,) = await world.submitted(account)
    await world.record(part, K.UNKNOWN, error="no answer")
    row = await world.message()
    assert (row["state"], row["uncertain"]) == (State.UNCERTAIN, True)
    world.clock.move(LEASE.total_seconds() - 0.001)
    assert not await world.pump()
    world.clock.move(0.001)
    (again,) = await world.pump()
    assert (again.attempts, again.uncertain) == (1, True)
    await world.record(again, K.UNKNOWN)
    assert not await world.queued(), "never a third time"
    assert await world.states() == [State.UNCERTAIN] and await world.spent(account) == PRICE


async def test_the_second_attempt_may_be_taken(world):
    (part,) = await world.submitted(await world.account())
    await world.record(part, K.UNKNOWN)
    world.clock.move(LEASE.total_seconds())
    (again,) = await world.pump()
    await world.record(again, K.SENT, "b")
    await world.receipt("b")
    row = await world.message()
    assert (row["state"], row["uncertain"]) == (State.DELIVERED, True)


async def test_marketing_without_an_answer_is_never_submitted_again(world):
    account = await world.account()
    (part,) = await world.submitted(account, **MARKETING)
    await world.record(part, K.UNKNOWN)
    assert await world.states() == [State.UNCERTAIN] and not await world.queued()
    world.clock.move(48 * 3600 + 1)
    await world.receipts.give_up()
    row = await world.message()
    assert (row["state"], row["uncertain"]) == (State.UNCONFIRMED, True)
    assert await world.spent(account) == PRICE


@pytest.mark.parametrize("traffic", TrafficClass)
async def test_parts_of_a_process_that_died_are_unknown(world, traffic):
    account = await world.account()
    (part,) = await world.submitted(account, traffic=traffic)
    assert await world.dispatcher.rescue([1]) == 0, "its lease holds"
    await world.dispatcher_dies()
    other = Dispatcher(world.db, world.clock, world.teller, THEIRS)
    assert await other.rescue([1]) == 1
    row = await world.message()
    assert (row["state"], row["uncertain"]) == (State.UNCERTAIN, True)
    assert abs(row["sent_at"] - part.begun_at) < timedelta(seconds=2)
    assert len(await world.queued()) == (1 if traffic is TrafficClass.TRANSACTIONAL else 0)
    world.clock.move(LEASE.total_seconds())
    assert [again.uncertain for again in await world.pump(other)] == [True] * (1 - traffic)


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("traffic", TrafficClass)
async def test_an_answer_after_the_rescue_is_still_worth_something(world, traffic, plain):
    """The process stood still, it was not dead: what it knows is known, and nothing is sent twice."""
    account = await world.account(dlr_waiting=not plain)
    (part,) = await world.submitted(account, traffic=traffic)
    await world.dispatcher_dies()
    other = Dispatcher(world.db, world.clock, world.teller, THEIRS)
    await other.rescue([1])
    for _ in range(2):
        await world.record(part, K.SENT, "a1")
    world.clock.move(60)
    assert not await world.pump(other), "it would be submitted twice"
    row = await world.message()
    assert (row["state"], row["uncertain"], row["submitted_at"] is not None) == (State.SUBMITTED, True, True)
    await world.receipt("a1")
    assert await world.states() == [State.DELIVERED] and not await world.rows("awaiting")


async def test_an_answer_after_the_second_attempt_left_waits_for_both_receipts(world):
    (part,) = await world.submitted(await world.account())
    await world.dispatcher_dies()
    other = Dispatcher(world.db, world.clock, world.teller, THEIRS)
    await other.rescue([1])
    world.clock.move(LEASE.total_seconds())
    (again,) = await world.pump(other)
    await world.record(part, K.SENT, "first")
    await other.record(1, [world.outcome(again, K.SENT, "second")])
    await world.receipt("first")
    assert await world.states() == [State.DELIVERED]
    await world.receipt("second")
    assert not await world.rows("awaiting") and not await world.rows("parked_receipt")


@pytest.mark.parametrize("kind", [K.TEMPORARY, K.THROTTLED, K.PERMANENT, K.UNKNOWN, K.UNSENT])
async def test_other_outcomes_after_the_rescue_say_nothing(world, kind):
    (part,) = await world.submitted(await world.account())
    await world.dispatcher_dies()
    other = Dispatcher(world.db, world.clock, world.teller, THEIRS)
    await other.rescue([1])
    before = await everything(world)
    await world.record(part, kind)
    assert await everything(world) == before


# --- nothing left --------------------------------------------------------------------------------------------------


async def test_what_was_not_written_goes_back_as_it_was(world):
    await world.send(await world.account())
    (before,) = await world.queued()
    (part,) = await world.pump()
    await world.record(part, K.UNSENT)
    assert await world.queued() == [before]
    row = await world.message()
    assert (row["state"], row["sent_at"], row["uncertain"]) == (State.ACCEPTED, None, False)


# --- receipts that were here first ---------------------------------------------------------------------------------


@pytest.mark.parametrize("rules", [{}, {"dlr_waiting": True}])
@pytest.mark.parametrize("spelling", ["0010", "0xno"])
async def test_a_receipt_before_its_answer_counts_at_once(world, rules, spelling):
    account = await world.account(**rules)
    (part,) = await world.submitted(account)
    await world.receipt(spelling.lstrip("0"), spelling)
    assert await world.states() == [State.ACCEPTED]
    await world.record(part, K.SENT, spelling.lstrip("0"))
    assert await world.states() == [State.DELIVERED]
    assert not await world.rows("awaiting") and not await world.rows("parked_receipt")
    assert (await world.told())[-1] == "delivered"


# --- messages of several parts -------------------------------------------------------------------------------------


async def test_a_long_message_is_delivered_when_all_its_parts_are(world):
    account = await world.account()
    parts = await world.submitted(account, text=LONG)
    for part in parts:
        await world.record(part, K.SENT, f"p{part.key.part}")
        assert await world.states() == [State.SUBMITTED]
    for number in (2, 3, 1):
        assert await world.states() == [State.SUBMITTED]
        await world.receipt(f"p{number}")
    assert await world.states() == [State.DELIVERED]
    assert await world.spent(account) == 3 * PRICE and await world.told() == ["delivered"]


async def one_part(world: World, account, **more) -> DuePart:
    """The first part of a long message; the others stay in the queue."""
    await world.send(account, text=LONG, **more)
    world.operator.slots = 1
    (part,) = await world.pump()
    world.operator.slots = 10
    return part


async def test_one_refused_part_ends_the_message_and_the_rest_is_paid_back(world):
    account = await world.account()
    part = await one_part(world, account)
    await world.record(part, K.PERMANENT, error="no")
    row = await world.message()
    assert (row["state"], row["refunded_parts"], row["refunded"]) == (State.REFUSED, 2, 2 * PRICE)
    assert await world.spent(account) == PRICE
    assert not await world.queued() and not await world.pump()


async def test_parts_on_their_way_are_not_paid_back(world):
    account = await world.account()
    first, second, third = await world.submitted(account, text=LONG)
    await world.record(first, K.PERMANENT, error="no")
    assert await world.spent(account) == 3 * PRICE
    await world.dispatcher.record(1, [world.outcome(second, K.SENT, "b"), world.outcome(third, K.TEMPORARY)])
    assert await world.spent(account) == 3 * PRICE
    assert not await world.queued(), "a message that has failed sends nothing more"
    assert await world.states() == [State.REFUSED]


@pytest.mark.parametrize("together", [True, False])
async def test_a_part_that_comes_back_unsent_to_an_ended_message_is_paid_back(world, together):
    account = await world.account()
    first, second, third = await world.submitted(account, text=LONG)
    outcomes = [world.outcome(second, K.UNSENT), world.outcome(first, K.PERMANENT)]
    for batch in [outcomes] if together else [outcomes[1:], outcomes[:1]]:
        await world.dispatcher.record(1, batch)
    assert not await world.pump(), "of a failed message"
    assert await world.spent(account) == 2 * PRICE
    await world.record(third, K.SENT, "c")
    assert await world.spent(account) == 2 * PRICE and not await world.queued()


async def test_a_lost_answer_of_an_ended_message_is_not_tried_again(world):
    first, second, _ = await world.submitted(await world.account(), text=LONG)
    await world.record(first, K.PERMANENT)
    await world.record(second, K.UNKNOWN)
    world.clock.move(3600)
    assert not await world.pump()


async def test_a_receipt_that_fails_one_part_holds_the_rest_back(world):
    account = await world.account()
    part = await one_part(world, account)
    await world.record(part, K.SENT, "a")
    await world.receipt("a", state=State.BOUNCED, error="UNDELIV 001")
    row = await world.message()
    assert (row["state"], row["refunded_parts"], row["error"]) == (State.BOUNCED, 2, "UNDELIV 001")
    assert not await world.queued() and await world.spent(account) == PRICE


async def test_a_price_that_does_not_divide_is_never_paid_back_beyond_itself(world):
    account = await world.account()
    await world.db.execute("update price set price = 33333 where service = 1 and account_id = 0")
    try:
        await world.db.execute("update wallet set version = version + 1")
        part = await one_part(world, account)  # 3 x 0.033333 = 0.100
        assert await world.spent(account) == 100_000
        await world.record(part, K.PERMANENT)
        assert await world.spent(account) == 33_000
        row = await world.message()
        assert (row["refunded"], row["refunded_parts"]) == (67_000, 2)
    finally:
        await world.db.execute("update price set price = 38000 where service = 1 and account_id = 0")


# --- whole lives ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
async def test_whole_lives_in_any_order_keep_the_figures_and_the_money(world, seed):
    """Two processes, one of which dies now and then; at the end every message has one end and its right price."""
    rng = random.Random(seed)
    account = await world.account()
    other = Dispatcher(world.db, world.clock, world.teller, THEIRS)
    taken: list[tuple[str, int]] = []
    for turn in range(25):
        await a_turn(world, rng, account, [world.dispatcher, other], taken, turn)
        await world.verify()
    world.clock.move(3600 * 24 * 3)
    for _ in range(30):
        await world.dispatcher_dies()
        await world.dispatcher.rescue([1])
        await world.dispatcher.expire([1])
        world.clock.move(3600 * 12)
        await world.pump()
        await world.receipts.give_up()
    assert not await world.queued()
    for row in await world.rows("message"):
        assert row["state"] >= State.DELIVERED
        if row["parts"] > 1:
            begun = await world.db.fetchval("select count(*) from part where message_id = $1 and begun", row["id"])
        else:
            begun = int(row["sent_at"] is not None)
        negative = row["state"] != State.DELIVERED
        assert row["refunded_parts"] == (row["parts"] - begun if negative else 0)


async def a_turn(world, rng, account, dispatchers, taken, turn) -> None:
    for n in range(rng.randrange(4)):
        text = rng.choice(["Bonjour", LONG])
        when = rng.choice([None, world.clock.now() + timedelta(minutes=rng.randrange(1, 90))])
        await world.send(account, PHONE + 4 * turn + n, text=text, due_at=when, traffic=rng.choice(list(TrafficClass)))
    if rng.random() < 0.2:
        await optouts.add(world.db, account.id, List.STOP, PHONE + rng.randrange(4 * turn + 4), world.clock.now())
    if rng.random() < 0.2:
        number = await world.db.fetchval("select number from submission order by random() limit 1")
        verdict = number and await cancel(world.db, account.id, 1, number, world.clock.now())
        assert verdict is None or isinstance(verdict, CancelVerdict)
    world.operator.slots = rng.randrange(1, 8)
    dispatcher = rng.choice(dispatchers)
    outcomes = []
    for part in await world.pump(dispatcher):
        kind = rng.choice([K.SENT] * 5 + list(K))
        operator_id = f"id-{turn}-{len(outcomes)}" if kind is K.SENT else ""
        if operator_id:
            taken.append((operator_id, part.phone))
        outcomes.append(world.outcome(part, kind, operator_id, bounced=rng.random() < 0.3))
    if rng.random() < 0.15:
        await world.dispatcher_dies()
        await rng.choice(dispatchers).rescue([1])
    rng.shuffle(outcomes)
    for _ in range(rng.choice([1, 1, 2])):
        await dispatcher.record(1, outcomes)
    ends = [State.DELIVERED] * 3 + [State.UNDELIVERED, State.BOUNCED, State.SUBMITTED]
    told = [
        Receipt((id_,), phone, rng.choice(ends), "", world.clock.now()) for id_, phone in taken if rng.random() < 0.3
    ]
    await world.receipts.settle(1, told)
    await world.receipts.sweep()
    world.clock.move(rng.choice([1, 20, 600]))
