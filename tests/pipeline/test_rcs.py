from __future__ import annotations

import json
from datetime import timedelta

from pipeline.rcs_town import AGENT, HELLO, RCS_PRICE, K, Town, town
from pipeline.world import PHONE, World

from passerelle.domain.message import Dialect, State, TrafficClass
from passerelle.domain.rcs_names import CARRIER
from passerelle.pipeline.cancel import CancelVerdict, cancel
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.webhooks import Webhooks

__all__ = ["town"]

# --- delivered -----------------------------------------------------------------------------------------------------


async def test_sent_taken_delivered_read(town: Town, world: World) -> None:
    account = await world.account()
    (part,) = await town.with_provider(account)
    assert part.text == HELLO and part.parts == 1
    assert await world.states() == [State.SUBMITTED]
    await town.event("DELIVERED", part)
    assert await world.states() == [State.DELIVERED] and await world.spent(account) == RCS_PRICE
    await town.event("READ", part)
    row = await world.message()
    assert row["opened_at"] is not None
    assert not await world.rows("awaiting") and not await world.rows("parked_receipt")
    assert await world.told() == ["delivered"]


async def test_an_event_that_comes_before_the_answer_is_kept_for_it(town: Town, world: World) -> None:
    account = await world.account()
    await town.send(account)
    (part,) = await town.pump()
    await town.event("DELIVERED", part)
    assert await world.states() == [State.ACCEPTED]
    await town.record(part, K.SENT)
    assert await world.states() == [State.DELIVERED]


async def test_endpoints_hear_once_that_a_message_was_read(town: Town, world: World) -> None:
    account = await world.account()
    await Webhooks(world.db, Keyring("test")).create(
        account.id, "https://b.example/", ["message.read"], world.clock.now()
    )
    (part,) = await town.with_provider(account)
    await town.event("DELIVERED", part)
    await town.event("READ", part)
    world.clock.move(1)
    await town.event("READ", part)
    (row,) = await world.db.fetch("select body from event where endpoint_id > 0")
    told = json.loads(row["body"])
    assert (told["type"], told["data"]) == ("message.read", {"message": str(part.key.message_id), "phone": f"+{PHONE}"})


async def test_read_proves_a_delivery_that_nobody_told_of(town: Town, world: World) -> None:
    (part,) = await town.with_provider(await world.account())
    await town.event("READ", part)
    assert await world.states() == [State.DELIVERED]


async def test_copies_of_an_event_count_once(town: Town, world: World) -> None:
    account = await world.account(reply_url="http://a.example/reply")
    (part,) = await town.with_provider(account)
    for _ in range(3):
        await town.told({"senderPhoneNumber": f"+{PHONE}", "messageId": "m1", "text": "Merci"})
        await town.event("DELIVERED", part)
    assert len(await world.rows("reply")) == 1
    assert [body.get("text") for body in await town.bodies()] == [None, "Merci"]  # who answers has received


async def test_a_lost_answer_is_asked_for_again_under_the_same_name(town: Town, world: World) -> None:
    for traffic in TrafficClass:
        await town.send(await world.account(f"{traffic}@example.org"), traffic=traffic)
        (part,) = await town.pump()
        await town.record(part, K.UNKNOWN)
        world.clock.move(16)
        (again,) = await town.pump()
        assert again.key == part.key and again.attempts == 1
        await town.record(again, K.SENT)
        await town.event("DELIVERED", part)
    assert await world.states() == [State.DELIVERED] * 2
    assert not await world.rows("awaiting")


async def test_a_process_that_dies_leaves_its_messages_to_others(town: Town, world: World) -> None:
    await town.send(await world.account(), traffic=TrafficClass.MARKETING)
    (part,) = await town.pump()
    await world.dispatcher_dies()
    assert await world.dispatcher.rescue([CARRIER]) == 1
    await town.event("DELIVERED", part)
    assert await world.states() == [State.DELIVERED] and not await world.queued()


# --- answers -------------------------------------------------------------------------------------------------------


async def test_a_tap_is_an_answer_with_the_data_behind_it(town: Town, world: World) -> None:
    account = await world.account()
    accepted = await town.send(account, reply_url="http://a.example/reply")
    (part,) = await town.pump()
    await town.record(part, K.SENT)
    tap = {"text": "Oui", "postbackData": "yes", "type": "REPLY"}
    await town.told({"senderPhoneNumber": f"+{PHONE}", "messageId": "x", "suggestionResponse": tap, "agentId": AGENT})
    assert (await town.bodies())[-1] == {
        "type": "response", "phone_number": f"+{PHONE}", "text": "Oui", "message_id": accepted.number,
        "postbackData": "yes",
    }  # fmt: skip
    assert await world.states() == [State.DELIVERED]


async def test_stop_is_obeyed(town: Town, world: World) -> None:
    account = await world.account(reply_url="http://a.example/reply")
    await town.with_provider(account)
    await town.told({"senderPhoneNumber": f"+{PHONE}", "messageId": "x", "text": "stop."})
    assert [row["phone"] for row in await world.rows("blocked")] == [PHONE]
    assert (await town.bodies())[-1]["type"] == "stop"


async def test_an_answer_is_to_the_last_message_that_is_still_rcs(town: Town, world: World) -> None:
    bakery, clinic = await world.account(), await world.account("clinic@example.org")
    await town.with_provider(bakery)
    world.clock.move(60)
    await town.send(clinic, failover="Bonjour")
    (part,) = await town.pump()
    await town.record(part, K.UNREACHABLE)  # became an SMS
    await town.told({"senderPhoneNumber": f"+{PHONE}", "messageId": "x", "text": "Merci"})
    assert [row["account_id"] for row in await world.rows("reply")] == [bakery.id]


async def test_nobody_is_answered(town: Town, world: World) -> None:
    await town.told({"senderPhoneNumber": f"+{PHONE}", "messageId": "x", "text": "Merci"})
    assert not await world.rows("reply")


async def test_a_scheduled_message_can_be_taken_back(town: Town, world: World) -> None:
    account = await world.account()
    accepted = await town.send(account, failover="Bonjour", due_at=world.clock.now() + timedelta(hours=1))
    verdict = await cancel(world.db, account.id, Dialect.SMSPARTNER, accepted.number, world.clock.now())
    assert verdict is CancelVerdict.CANCELLED and await world.spent(account) == 0


async def test_a_sandbox_send_keeps_no_sms(town: Town, world: World) -> None:
    await town.send(await world.account(), failover="Bonjour", sandbox=True)
    assert not await world.rows("rcs_failover") and len(await world.rows("sandbox")) == 1


async def test_what_nothing_needs_any_more_is_forgotten(town: Town, world: World) -> None:
    (part,) = await town.with_provider(await world.account(), failover="Bonjour")
    await town.event("DELIVERED", part)
    await town.rcs.forget()
    assert len(await world.rows("rcs_failover")) == len(await world.rows("rcs_event")) == 1
    world.clock.move(31 * 86400)
    await town.rcs.forget()
    assert not await world.rows("rcs_failover") and not await world.rows("rcs_event")
