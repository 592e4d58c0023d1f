"""Receipts find their part in any spelling, order and number, and say each thing once."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from pipeline.world import PHONE, PRICE, PRIMOTEXTO, World

from passerelle.domain.message import DuePart, Inbound, OutcomeKind, Receipt, State
from passerelle.pipeline.inbound import Inbound as Texts
from passerelle.pipeline.receipts import PARKED_FOR, Receipts
from passerelle.settings import Settings
from passerelle.smpp.receipt import id_forms
from passerelle.store import optouts
from passerelle.store.optouts import List

K = OutcomeKind
LONG = "x" * 400
TWO_DAYS = 48 * 3600


async def with_operator(world: World, account=None, operator_id: str = "a1", **more) -> DuePart:
    """A part that the operator took."""
    (part,) = await world.submitted(account or await world.account(), **more)
    await world.record(part, K.SENT, operator_id)
    return part


@pytest.mark.parametrize(
    ("answered", "reported"),
    [
        ("0A1F", "0a1f"), ("a1f", "A1F"), ("0000000A1F", "a1f"), ("2591", "A1F"), ("A1F", "2591"), ("2591", "0x"),
        ("10", "16"), ("16", "10"), ("MSG-7", "MSG-7"), ("7B2C-AA01", "7b2c-aa01"),
        ("0a1b2c3d-0000-4000-8000-00000000000F", "0A1B2C3D-0000-4000-8000-00000000000f"),
    ],
)  # fmt: skip
async def test_any_spelling_of_the_id_finds_the_part(world, answered, reported):
    """`0x` stands for nothing that any spelling of the answer has."""
    await with_operator(world, operator_id=answered)
    await world.receipt(*id_forms(reported))
    known = set(id_forms(reported)) & {id_forms(answered)[0]}
    assert await world.states() == [State.DELIVERED if known else State.SUBMITTED]
    assert bool(known) is (reported != "0x")


async def test_of_two_readings_of_an_id_the_exact_one_counts(world):
    account = await world.account()
    await with_operator(world, account, "16")
    await with_operator(world, account, "10")
    await world.receipt(*id_forms("10"))
    assert await world.states() == [State.SUBMITTED, State.DELIVERED]


async def test_what_names_the_case_is_not_found_by_another(world):
    await with_operator(world, operator_id="Msg-7")
    await world.receipt(*id_forms("MSG-7"))
    assert await world.states() == [State.SUBMITTED]


async def test_the_ids_of_one_operator_are_not_those_of_another(world):
    await with_operator(world)
    await world.receipt("a1", carrier=2)
    assert await world.states() == [State.SUBMITTED]
    await world.receipt("a1")
    assert await world.states() == [State.DELIVERED]


async def test_an_id_that_an_operator_uses_again_is_that_of_the_newest(world):
    account = await world.account()
    await with_operator(world, account)
    world.clock.move(60)
    await with_operator(world, account)
    await world.receipt("a1")
    assert await world.states() == [State.SUBMITTED, State.DELIVERED]
    await world.receipt("a1", state=State.UNDELIVERED)
    assert await world.states() == [State.UNDELIVERED, State.DELIVERED]


# --- what they say -------------------------------------------------------------------------------------------------


async def test_delivered_is_dated_told_and_awaited_no_more(world):
    account = await world.account()
    await with_operator(world, account)
    world.clock.move(7)
    await world.receipt("a1")
    row = await world.message()
    assert (row["state"], row["delivered_at"], row["state_at"]) == (
        State.DELIVERED,
        world.clock.now(),
        world.clock.now(),
    )
    assert await world.told() == ["delivered"] and len(world.offered) == 1
    assert not await world.rows("awaiting") and await world.spent(account) == PRICE


async def test_the_same_receipt_twice_is_told_once(world):
    await with_operator(world)
    for _ in range(2):
        await world.receipt("a1")
    assert await world.told() == ["delivered"]
    now = world.clock.now()
    await with_operator(world, (await world.accounts.by_id(world.opened[0])), "b1")
    await world.receipts.settle(1, [Receipt(("b1",), PHONE, State.DELIVERED, "", now)] * 3)
    assert await world.told() == ["delivered"] * 2


async def test_progress_is_told_where_it_is_wanted_and_ends_nothing(world):
    await with_operator(world, await world.account(dlr_waiting=True))
    await world.receipt("a1", state=State.SUBMITTED)
    assert await world.states() == [State.SUBMITTED] and await world.told() == ["waiting"]
    assert len(await world.rows("awaiting")) == 1


@pytest.mark.parametrize(
    ("state", "listed", "word"), [(State.UNDELIVERED, False, "not delivered"), (State.BOUNCED, True, "not delivered")]
)
async def test_not_delivered(world, state, listed, word):
    account = await world.account()
    await with_operator(world, account)
    await world.receipt("a1", state=state, error="UNDELIV 027")
    row = await world.message()
    assert (row["state"], row["error"], row["failed_at"]) == (state, "UNDELIV 027", world.clock.now())
    assert (await optouts.find(world.db, account.id, List.BOUNCE, PHONE) is not None) is listed
    assert await world.told() == [word] and await world.spent(account) == PRICE


@pytest.mark.parametrize("text", ["Bonjour", LONG])
async def test_delivered_after_all_corrects_primotexto_but_not_the_first_end(world, text):
    """SMS Partner shows the first final state, Primotexto the best-ranked."""
    account = await world.account()
    sent = []
    for profile in (None, PRIMOTEXTO):
        for part in await world.submitted(account, text=text, **({"profile": profile} if profile else {})):
            sent.append(f"{part.key.message_id}-{part.key.part}")
            await world.record(part, K.SENT, sent[-1])
    for state in (State.UNDELIVERED, State.DELIVERED):
        world.clock.move(60)
        for operator_id in sent:
            await world.receipt(operator_id, state=state)
    assert await world.states() == [State.UNDELIVERED] * 2
    for row in await world.rows("message"):
        assert (row["delivered_at"], row["failed_at"]) == (world.clock.now(), world.clock.now() - timedelta(seconds=60))
    assert sorted(set(await world.told()) - {"sent", "submitted"}) == ["delivered", "error", "not delivered"]
    assert len(await world.told()) <= 5
    assert not await world.rows("awaiting")


async def test_not_delivered_after_delivered_changes_no_state(world):
    await with_operator(world, profile=PRIMOTEXTO)
    now = world.clock.now()
    both = [Receipt(("a1",), PHONE, state, "", now) for state in (State.DELIVERED, State.UNDELIVERED)]
    await world.receipts.settle(1, both)
    row = await world.message()
    assert (row["state"], row["delivered_at"]) == (State.DELIVERED, now)


# --- too early, too late, of nobody --------------------------------------------------------------------------------


async def test_what_nothing_awaits_is_parked_and_matched_by_the_sweep(world):
    """Two hosts that did not see each other's transaction: the answer is recorded without a look at the receipt."""
    (part,) = await world.submitted(await world.account())
    await world.receipt(*id_forms("0A1F"))
    (parked,) = await world.rows("parked_receipt")
    assert parked["forms"][0] == "a1f"
    await world.db.execute("update parked_receipt set carrier_id = 9")
    await world.record(part, K.SENT, "a1f")
    await world.db.execute("update parked_receipt set carrier_id = 1")
    assert await world.states() == [State.SUBMITTED]
    assert await world.receipts.sweep() == 1
    assert await world.states() == [State.DELIVERED] and not await world.rows("parked_receipt")
    assert await world.receipts.sweep() == 0


async def test_two_sweeps_at_once_settle_it_once(world):
    (part,) = await world.submitted(await world.account(), profile=PRIMOTEXTO)
    await world.receipt("a1")
    await world.db.execute("update parked_receipt set carrier_id = 9")
    await world.record(part, K.SENT, "a1")
    await world.db.execute("update parked_receipt set carrier_id = 1")
    others = [Receipts(world.db, world.clock, world.teller) for _ in range(3)]
    await asyncio.gather(*(one.sweep() for one in others))
    assert (await world.told()).count("delivered") == 1


async def test_an_old_parked_receipt_is_looked_at_once_a_minute(world):
    """An operator that answers late."""
    (part,) = await world.submitted(await world.account())
    await world.receipt("a1")
    world.clock.move(300)
    await world.db.execute("update parked_receipt set carrier_id = 9")
    await world.record(part, K.SENT, "a1")
    await world.db.execute("update parked_receipt set carrier_id = 1")
    await world.receipts.sweep()
    assert await world.states() == [State.DELIVERED]


async def test_the_receipt_of_nobody_is_kept_for_three_days(world):
    await world.receipt("nobody")
    world.clock.move(PARKED_FOR.total_seconds() - 1)
    await world.receipts.sweep()
    assert len(await world.rows("parked_receipt")) == 1
    world.clock.move(61)
    await world.receipts.sweep()
    assert not await world.rows("parked_receipt")


async def test_a_bad_neighbour_spoils_nothing(world):
    """Receipts without an id, without a number, of nobody, in one batch with a good one."""
    await with_operator(world)
    now = world.clock.now()
    odd = [
        Receipt(("",), 0, State.DELIVERED, "", now),
        Receipt(("é" * 70, ""), 10**14, State.UNDELIVERED, "?" * 300, now),
    ]
    await world.receipts.settle(1, [*odd, Receipt(("a1",), PHONE, State.DELIVERED, "", now), *odd])
    assert await world.states() == [State.DELIVERED]


async def test_an_empty_id_never_finds_a_lost_answer(world):
    (part,) = await world.submitted(await world.account())
    await world.record(part, K.UNKNOWN)
    await world.receipts.settle(1, [Receipt(("",), PHONE + 1, State.DELIVERED, "", world.clock.now())])
    assert await world.states() == [State.UNCERTAIN]


# --- no receipt at all ---------------------------------------------------------------------------------------------


async def test_after_two_days_without_a_receipt_it_is_unconfirmed(world):
    account = await world.account()
    await with_operator(world, account)
    world.clock.move(TWO_DAYS)
    assert await world.receipts.give_up() == 0
    world.clock.move(1)
    assert await world.receipts.give_up() == 1
    row = await world.message()
    assert (row["state"], row["uncertain"], row["failed_at"]) == (State.UNCONFIRMED, False, world.clock.now())
    assert await world.told() == ["not delivered"] and await world.spent(account) == PRICE
    assert await world.receipts.give_up() == 0


@pytest.mark.parametrize("text", ["Bonjour", LONG])
async def test_a_receipt_after_that_still_corrects_primotexto(world, text):
    account = await world.account()
    sent = []
    for profile in (None, PRIMOTEXTO):
        for part in await world.submitted(account, text=text, **({"profile": profile} if profile else {})):
            sent.append(f"{part.key.message_id}-{part.key.part}")
            await world.record(part, K.SENT, sent[-1])
    world.clock.move(TWO_DAYS + 1)
    await world.receipts.give_up()
    world.clock.move(3600)
    for operator_id in sent:
        await world.receipt(operator_id)
    assert await world.states() == [State.UNCONFIRMED] * 2
    assert [row["delivered_at"] for row in await world.rows("message")] == [world.clock.now()] * 2
    assert sorted(set(await world.told()) - {"sent", "submitted"}) == ["delivered", "error", "not delivered"]
    assert len(await world.told()) <= 5
    assert not await world.rows("awaiting")


async def test_an_unconfirmed_part_is_forgotten_some_days_later(world):
    await with_operator(world)
    for days in (2, 3):
        world.clock.move(days * 86_400 + 1)
        assert await world.receipts.give_up() == 1
    assert not await world.rows("awaiting") and await world.told() == ["not delivered"]


async def test_an_id_used_again_meanwhile_is_that_of_the_newest(world):
    account = await world.account()
    await with_operator(world, account)
    world.clock.move(TWO_DAYS + 1)
    await world.receipts.give_up()
    await with_operator(world, account)
    await world.receipt("a1")
    assert await world.states() == [State.UNCONFIRMED, State.DELIVERED]


async def test_a_part_that_failed_is_forgotten_with_its_wait(world):
    await with_operator(world)
    await world.receipt("a1", state=State.UNDELIVERED)
    world.clock.move(TWO_DAYS + 1)
    assert await world.receipts.give_up() == 1
    assert await world.states() == [State.UNDELIVERED] and not await world.rows("awaiting")
    assert await world.told() == ["not delivered"]


async def test_giving_up_twice_at_once_ends_and_tells_once(world):
    await with_operator(world)
    world.clock.move(TWO_DAYS + 1)
    await asyncio.gather(*(Receipts(world.db, world.clock, world.teller).give_up() for _ in range(3)))
    assert await world.told() == ["not delivered"] and len(await world.rows("awaiting")) <= 1


# --- with others at the same time ----------------------------------------------------------------------------------


async def test_an_answer_and_its_receipt_on_two_hosts_always_meet(world):
    """Both transactions at once, many times: whoever loses is found by the sweep."""
    account = await world.account()
    parts = await world.submitted(account, *range(PHONE, PHONE + 20))

    async def one(n: int, part: DuePart) -> None:
        await asyncio.gather(world.record(part, K.SENT, f"n{n}"), world.receipt(f"n{n}", phone=part.phone))

    for n, part in enumerate(parts):
        await one(n, part)
    await world.receipts.sweep()
    assert set(await world.states()) == {State.DELIVERED}
    assert await world.told() == ["delivered"] * 20


async def test_receipts_of_parts_of_one_message_may_come_together(world):
    parts = await world.submitted(await world.account(), text="x" * 1500)
    for part in parts:
        await world.record(part, K.SENT, f"p{part.key.part}")
    await asyncio.gather(*(world.receipt(f"p{part.key.part}") for part in parts))
    assert await world.states() == [State.DELIVERED] and await world.told() == ["delivered"]


async def test_a_reply_before_the_receipt_proves_the_delivery_once(world):
    account = await world.account(reply_url="http://a.example/reply")
    await with_operator(world, account)
    texts = Texts(world.db, world.teller, Settings(), world.clock)
    await texts.receive([Inbound(PHONE, "36000", "Merci", world.clock.now())], 1)
    await world.receipt("a1")
    assert await world.states() == [State.DELIVERED]
    bodies = [json.loads(row["body"]) for row in await world.rows("event")]
    assert [body.get("status", body.get("type")) for body in bodies].count("delivered") == 1
