"""One text to a group: whole, merged for each, and how far it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pipeline.world import CREDIT, PHONE, World

from passerelle.domain.admission import LONGEST_TEXT, Wanted
from passerelle.domain.campaigns import plain_copy
from passerelle.domain.contact import read
from passerelle.domain.message import OutcomeKind, State, TrafficClass
from passerelle.domain.profile import SMSPARTNER
from passerelle.domain.reasons import Reason
from passerelle.pipeline import contacts, group_send
from passerelle.pipeline.audience import Writer
from passerelle.pipeline.batch import Accepted, Idempotency, Refused, Replayed
from passerelle.pipeline.group_send import UnknownFields
from passerelle.pipeline.large import SLICE as PAGE
from passerelle.store import contacts as store
from passerelle.store import group_sends, optouts


async def a_group(world: World, account, rows):
    async with world.db.transaction() as connection:
        group = await store.add_group(connection, account.id, "Clients", world.clock.now())
        reads = [read({"phone": f"+{PHONE + n}", **row}) for n, row in enumerate(rows)]
        added = await contacts.add_many(connection, account.id, group.id, reads, world.clock.now())
    assert all(one.fault is None for one in added)
    return group


async def send(world, account, group, text, idempotency=None, **more):
    like = Wanted(items=[], text=text, **more)
    return await group_send.send(world.db, world.submitter, account, group, like, SMSPARTNER, idempotency)


async def texts(world):
    rows = await world.db.fetch(
        "select m.phone, coalesce(m.text, s.text) as text, m.text is null as shared from message m"
        " join submission s on s.account_id = m.account_id and s.id = m.submission_id order by m.id"
    )
    return [(row["phone"] - PHONE, row["text"], row["shared"]) for row in rows]


async def test_everybody_gets_a_text_of_their_own(world):
    account = await world.account()
    group = await a_group(world, account, [{"firstname": "Alix", "date": "1990-02-03"}, {}, {"firstname": "{{phone}}"}])
    result = await send(world, account, group, "Bonjour {{Firstname|cher client}} {{date}}")
    assert isinstance(result, Accepted) and result.messages == 3
    assert await texts(world) == [
        (0, "Bonjour Alix 03/02/1990", False),
        (1, "Bonjour cher client ", False),
        (2, "Bonjour ((phone)) ", False),  # a value is no template, and the table of the dialect knows no braces
    ]
    (sent,) = await group_sends.listing(world.db, account.id)
    assert (sent.group_id, sent.text, sent.contacts) == (group.id, "Bonjour {{Firstname|cher client}} {{date}}", 3)
    assert (sent.number, sent.messages, sent.cost) == (result.number, 3, 3 * 38_000)


async def test_a_text_that_grows_beyond_all_bounds_is_refused_and_never_kept(world):
    account = await world.account()
    group = await a_group(world, account, [{"custom1": "x" * 255}])
    written = Writer(plain_copy("{{custom1}}" * 900), str, "replace", str).write({"custom1": "x" * 255}, [])
    assert len(written) == LONGEST_TEXT + 1
    result = await send(world, account, group, "{{custom1}}" * 900)
    assert isinstance(result, Refused) and [one.reason for one in result.dropped] == [Reason.TEXT_LONG]
    result = await send(world, account, group, "{{custom1}}" * 1000)
    assert isinstance(result, Refused) and [one.reason for one in result.findings] == [Reason.TEXT_LONG]


async def test_a_text_without_fields_is_stored_once(world):
    account = await world.account()
    group = await a_group(world, account, [{}, {}])
    assert isinstance(await send(world, account, group, "Bonjour {firstname}"), Accepted)
    assert await texts(world) == [(0, "Bonjour (firstname)", True), (1, "Bonjour (firstname)", True)]


async def test_who_is_left_out_says_why(world):
    account = await world.account()
    group = await a_group(world, account, [{}, {}, {"phone": "+33142685300"}])
    await optouts.add(world.db, account.id, optouts.List.STOP, PHONE + 1, world.clock.now())
    result = await send(world, account, group, "Bonjour")
    assert isinstance(result, Accepted) and [to.phone for to in result.kept] == [PHONE]
    (sent,) = await group_sends.listing(world.db, account.id)
    assert sent.dropped == {"opted_out": 1, "not_mobile": 1} and sent.contacts == 3
    assert await world.spent(account) == 38_000


async def test_a_slip_of_the_pen_reaches_nobody(world):
    account = await world.account()
    group = await a_group(world, account, [{}])
    assert await send(world, account, group, "{{fristname}} {{custom5}} {{phone}}") == UnknownFields(
        ["fristname", "custom5"]
    )
    empty = await a_group(world, account, [])
    refused = await send(world, account, empty, "Bonjour")
    assert isinstance(refused, Refused) and refused.findings[0].reason is Reason.NO_RECIPIENT
    missing = await send(world, account, group, "{{custom1}}")
    assert isinstance(missing, Refused) and missing.dropped[0].reason is Reason.TEXT_MISSING
    assert await world.spent(account) == 0 and not await group_sends.listing(world.db, account.id)


async def test_the_same_key_sends_once(world):
    account = await world.account()
    group = await a_group(world, account, [{}])
    results = [
        await send(world, account, group, "A", Idempotency("/groups", "k", b"h", lambda one: (200, b"%d" % one.number)))
        for _ in range(2)
    ]
    assert isinstance(results[0], Accepted) and results[1] == Replayed(200, b"%d" % results[0].number)
    assert len(await group_sends.listing(world.db, account.id)) == 1


async def recorded(world, parts):
    for n, part in enumerate(parts):
        part.begun_at = world.clock.now()
        await world.record(part, OutcomeKind.SENT, f"{part.key.message_id}-{part.key.part}-{n}")


# --- how far ---------------------------------------------------------------------------------------------------------


async def test_progress_from_the_first_part_to_the_last(world):
    account = await world.account()
    group = await a_group(world, account, [{}] * 40)
    await world.send(account, PHONE + 900, PHONE + 901)  # two of the same lane, due a moment earlier
    world.clock.move(1)
    result = await send(world, account, group, "x" * 200)
    assert isinstance(result, Accepted)
    row_id = (await group_sends.listing(world.db, account.id))[0].submission_id

    async def look(**more):
        found = await group_send.progress(world.db, account, row_id, world.clock.now(), **more)
        assert found is not None and sum(found.states.values()) == found.messages == 40
        return found

    fresh = await look()
    assert fresh.states == {State.ACCEPTED: 40}
    assert (fresh.parts_sent, fresh.parts_waiting, fresh.parts_before) == (0, 80, 2)
    assert (fresh.pace, fresh.expected_end) == (0.0, None)
    agreed = await look(rates={1: 2})
    assert agreed.expected_end == world.clock.now() + timedelta(seconds=41)
    assert (agreed.group_id, agreed.contacts, agreed.cost) == (group.id, 40, 40 * 76_000)

    world.operator.slots = 42
    parts = await world.pump()
    left = 82 - len(parts)
    assert 40 < left < 50
    await recorded(world, parts)
    world.clock.move(10)
    half = await look()
    assert (half.parts_waiting, half.parts_before) == (left, 0)
    assert half.parts_sent >= 80 - left and half.pace == half.parts_sent / 10
    assert half.expected_end == world.clock.now() + timedelta(seconds=left / half.pace)
    world.clock.move(600)
    assert 0 < (await look()).pace <= half.parts_sent

    world.operator.slots = 1000
    rest = await world.pump()
    await recorded(world, rest)
    done = await look()
    assert (done.states, done.parts_waiting, done.expected_end) == ({State.SUBMITTED: 40}, 0, None)


async def test_marketing_ends_in_an_open_hour(world):
    account = await world.account()
    group = await a_group(world, account, [{}])
    world.clock.move(10 * 3600)  # Tuesday 21:00 in Paris, the eve of a holiday
    assert isinstance(await send(world, account, group, "Soldes", traffic=TrafficClass.MARKETING), Accepted)
    (sent,) = await group_sends.listing(world.db, account.id)
    found = await group_send.progress(world.db, account, sent.submission_id, world.clock.now(), {1: 1})
    assert found is not None and found.expected_end == sent.due_at + timedelta(seconds=1)


async def test_any_submission_of_the_account_and_no_others(world):
    account, other = await world.account(), await world.account("clinic@example.org")
    await world.send(account, PHONE)
    row_id = await world.db.fetchval("select id from submission")
    found = await group_send.progress(world.db, account, row_id, world.clock.now())
    assert found is not None and (found.group_id, found.contacts, found.dropped) == (None, 1, {})
    assert await group_send.progress(world.db, other, row_id, world.clock.now()) is None
    assert await group_send.progress(world.db, account, row_id + 1, world.clock.now()) is None
    assert await world.spent(other) == 0 and CREDIT


@pytest.mark.parametrize("count", [1, PAGE + 1])
async def test_every_page_of_a_group(world, count):
    account = await world.account()
    group = await a_group(world, account, [{"custom1": str(n)} for n in range(count)])
    result = await send(world, account, group, "{{custom1}}")
    assert isinstance(result, Accepted)
    assert [text for _, text, _ in await texts(world)] == [str(n) for n in range(count)]
