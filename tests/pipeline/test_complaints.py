"""Complaints find the message that they are about, count once, and keep the number from being written to again."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from pipeline.world import PHONE, PRIMOTEXTO, World

from passerelle.domain.admission import Belonging, Wanted
from passerelle.domain.message import Dialect, OutcomeKind, State, TrafficClass, campaign_key
from passerelle.domain.reasons import Reason
from passerelle.pipeline.batch import Refused
from passerelle.pipeline.complaints import record, record_many
from passerelle.store import optouts, statistics
from passerelle.store.complaints import Report
from passerelle.store.optouts import List
from passerelle.surfaces.primotexto import wire

TOKEN = bytes(range(12))
OTHER = PHONE + 1


async def campaign(world: World, account, *phones: int):
    """Messages of a campaign of Primotexto, handed over."""
    belonging = Belonging(TOKEN)
    more = {"traffic": TrafficClass.MARKETING, "campaign": belonging, "tag_key": campaign_key(TOKEN)}
    parts = await world.submitted(account, *phones, profile=PRIMOTEXTO, campaign_name="Soldes", **more)
    for part in parts:
        await world.record(part, OutcomeKind.SENT, f"op-{part.key.message_id}")


async def counted(world: World, account, dialect: Dialect = Dialect.PRIMOTEXTO, tag_key: str = ""):
    return await statistics.counters(world.db, account.id, dialect, tag_key)


async def test_it_is_counted_listed_and_told_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    account = await world.account()
    await campaign(world, account, PHONE, OTHER)
    world.clock.move(3600)
    now = world.clock.now()
    first = await record(world.db, world.teller, PHONE, now, now)
    assert first is not None
    assert (first.email, first.phone, first.campaign_name, first.known) == (account.email, PHONE, "Soldes", False)
    assert first.text.startswith("Bonjour") and first.dialect is Dialect.PRIMOTEXTO
    again = await record(world.db, world.teller, PHONE, now, now)
    assert again is not None and again.known and again.message_id == first.message_id
    assert [row["spam"] for row in await world.rows("message")] == [True, False]
    for tag_key in ("", campaign_key(TOKEN)):
        assert (await counted(world, account, tag_key=tag_key)).complaints == 1
    assert msgspec.json.decode(wire.statistics(await counted(world, account)))["complaint"] == 1
    entry = await optouts.find(world.db, account.id, List.STOP, PHONE)
    assert entry is not None
    assert entry.history == [{"date": round(now.timestamp() * 1000), "campaignId": TOKEN.hex()}]
    assert (await world.told()).count("unsubscribed") == 1
    lines = [msgspec.json.decode(line) for line in capsys.readouterr().err.splitlines()]
    assert [(one["account"], one["count"]) for one in lines if one["event"] == "complaint"] == [(account.id, 1)]


async def test_the_next_marketing_to_the_number_is_refused(world: World) -> None:
    account = await world.account()
    await campaign(world, account)
    await record(world.db, None, PHONE, world.clock.now(), world.clock.now())
    wanted = Wanted(items=[(f"+{PHONE}", None)], text="Soldes", traffic=TrafficClass.MARKETING)
    fresh = await world.accounts.by_id(account.id)
    assert fresh is not None
    result = await world.submitter.accept(fresh, wanted, PRIMOTEXTO)
    assert isinstance(result, Refused) and result.dropped[0].reason is Reason.OPTED_OUT
    assert "unsubscribed" not in await world.told(), "without a teller nobody is told"


async def test_it_is_about_the_last_message_whoevers_it_was(world: World) -> None:
    bakery, shop = await world.account(), await world.account("shop@example.org")
    sent = []
    for account in (bakery, shop, bakery):
        (part,) = await world.submitted(account)
        await world.record(part, OutcomeKind.SENT, f"op-{part.key.message_id}")
        sent.append(world.clock.now())
        world.clock.move(60)
    now = world.clock.now()
    emails = []
    for at in (sent[0] - timedelta(seconds=1), sent[0], sent[1], now):
        found = await record(world.db, None, PHONE, at, now)
        emails.append(found and found.email)
    assert emails == [None, bakery.email, shop.email, bakery.email]
    of_shop = await record(world.db, None, PHONE, now, now, account=shop.id)
    assert of_shop is not None and of_shop.email == shop.email and of_shop.known
    assert [(await counted(world, one, Dialect.SMSPARTNER)).complaints for one in (bakery, shop)] == [2, 1]


async def test_only_what_may_have_reached_the_phone_within_thirty_days(world: World) -> None:
    account = await world.account()
    (part,) = await world.submitted(account)
    await world.record(part, OutcomeKind.PERMANENT, error="ESME_RINVDSTADR")
    await world.send(account, OTHER, due_at=world.clock.now() + timedelta(days=1))
    now = world.clock.now()
    assert State.REFUSED in await world.states()
    for phone in (PHONE, OTHER, PHONE + 2):
        assert await record(world.db, None, phone, now, now) is None
    (part,) = await world.submitted(account)
    await world.record(part, OutcomeKind.UNKNOWN)
    left, late = now + timedelta(days=30), now + timedelta(days=30, seconds=1)
    assert await record(world.db, None, PHONE, late, late) is None
    assert await record(world.db, None, PHONE, left, left) is not None
    assert (await counted(world, account, Dialect.SMSPARTNER)).complaints == 1


async def test_many_at_once_in_their_order(world: World) -> None:
    account = await world.account()
    await campaign(world, account, PHONE, OTHER)
    await optouts.add(world.db, account.id, List.STOP, OTHER, world.clock.now())
    now = world.clock.now()
    asked = [Report(phone, now) for phone in (OTHER, 33600000000, PHONE, OTHER)]
    found = await record_many(world.db, world.teller, asked, now)
    assert [one and (one.phone, one.known) for one in found] == [(OTHER, False), None, (PHONE, False), (OTHER, True)]
    assert (await counted(world, account)).complaints == 2
    assert (await world.told()).count("unsubscribed") == 1, "the other number was on the list"
    assert await record_many(world.db, world.teller, [], now) == []
