"""Surveys as rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from domain.test_surveys import BREAD, PAGE
from pipeline.world import PHONE, TUESDAY

from passerelle.domain.surveys import Answer, State
from passerelle.store import surveys
from passerelle.store.surveys import Freely, Given

TOKEN = bytes(range(12))
LATER = TUESDAY + timedelta(minutes=1)


@pytest.fixture
async def account(world):
    return await world.account()


@pytest.fixture
async def stored(world, account):
    return await surveys.insert(world.db, account.id, TOKEN, PAGE, TUESDAY)


async def invite(world, stored, test=False, code="Ab12cd34", message_id=7):
    async with world.db.transaction() as connection:
        await surveys.invite(connection, stored, test, TUESDAY, [(message_id, PHONE, code)])
    return await surveys.by_code(world.db, code)


async def test_a_survey_comes_back_as_it_was(world, account, stored):
    dated = replace(BREAD, marketing=True, opens_at=TUESDAY, closes_at=LATER, thanks="merci")
    other = await surveys.insert(world.db, account.id, TOKEN[::-1], dated, LATER)
    assert await surveys.by_token(world.db, account.id, TOKEN) == stored
    assert (await surveys.by_token(world.db, account.id, TOKEN[::-1])) == other == other._replace(survey=dated)
    assert await surveys.by_token(world.db, account.id + 1, TOKEN) is None
    keys = [(account.id, stored.id), (account.id, other.id), (account.id + 1, stored.id), (account.id, 0)]
    assert await surveys.by_keys(world.db, keys) == {(one.account_id, one.id): one for one in (stored, other)}
    assert await surveys.by_keys(world.db, []) == {}


async def test_a_list_has_pages(world, account):
    made = [await surveys.insert(world.db, account.id, bytes([n]) * 12, BREAD, TUESDAY) for n in range(5)]
    assert await surveys.page(world.db, account.id, limit=2) == [made[4], made[3]]
    assert await surveys.page(world.db, account.id, before=made[3].id) == [made[2], made[1], made[0]]
    assert await surveys.page(world.db, account.id + 1) == []


async def test_the_state_changes(world, stored):
    await surveys.set_state(world.db, stored.account_id, stored.id, State.OPEN)
    found = await surveys.by_token(world.db, stored.account_id, TOKEN)
    assert found.survey.state is State.OPEN


async def test_a_removed_survey_takes_all_with_it(world, stored):
    invitation = await invite(world, stored)
    await surveys.use(world.db, invitation, [Answer(1, (1,))], TUESDAY)
    async with world.db.transaction() as connection:
        await surveys.answer_freely(connection, [Freely(stored.account_id, stored.id, False, PHONE, "x", 7, TUESDAY)])
    await surveys.remove(world.db, stored.account_id, stored.id)
    for table in ("survey", "question", "invitation", "answer", "free_answer"):
        assert await world.rows(table) == []


async def test_invitations_are_found_among_messages(world, stored):
    await invite(world, stored)
    keys = [(stored.account_id, 8), (stored.account_id, 7), (stored.account_id + 1, 7)]
    assert await surveys.invited(world.db, keys) == [(2, stored.account_id, stored.id, False)]
    assert await surveys.invited(world.db, []) == []


async def test_a_link_is_used_once(world, stored):
    invitation = await invite(world, stored)
    await surveys.mark_opened(world.db, invitation.code, TUESDAY)
    await surveys.mark_opened(world.db, invitation.code, LATER)
    assert await surveys.use(world.db, invitation, [Answer(1, (2,)), Answer(4, text="mot")], LATER)
    assert not await surveys.use(world.db, invitation, [Answer(1, (3,))], LATER)
    found = await surveys.by_code(world.db, invitation.code)
    assert (found.opened_at, found.answered_at) == (TUESDAY, LATER)
    assert await surveys.answers_of(world.db, invitation) == [Answer(1, (2,)), Answer(4, text="mot")]


async def test_the_last_answer_counts(world, stored):
    def given(at, *choices, phone=PHONE):
        return Given(stored.account_id, stored.id, False, phone, 1, choices, "", 7, at)

    for batch in ([given(LATER, 2), given(TUESDAY, 1)], [given(TUESDAY, 3), given(TUESDAY, 3, phone=PHONE + 1)], []):
        async with world.db.transaction() as connection:
            await surveys.answer(connection, batch)
    counts = await surveys.counts(world.db, stored)
    assert (counts.answered, counts.answers, counts.picked) == (2, {1: 2}, {1: {2: 1, 3: 1}})


async def test_the_sandbox_is_emptied(world, stored):
    for n, (test, at) in enumerate([(True, TUESDAY), (True, LATER), (False, TUESDAY)]):
        async with world.db.transaction() as connection:
            await surveys.invite(connection, stored, test, at, [(n, PHONE + n, f"{n:08}")])
            await surveys.answer(connection, [Given(stored.account_id, stored.id, test, PHONE + n, 1, (1,), "", n, at)])
            freely = Freely(stored.account_id, stored.id, test, PHONE + n, "x", n, at)
            await surveys.answer_freely(connection, [freely])
    async with world.db.transaction() as connection:
        await surveys.empty_sandbox(connection, LATER)
    for table in ("invitation", "answer", "free_answer"):
        assert sorted(row["phone"] for row in await world.rows(table)) == [PHONE + 1, PHONE + 2]


async def test_figures_know_nothing_of_the_sandbox(world, stored):
    for test, code, message_id in ((True, "aaaaaaaa", 7), (False, "bbbbbbbb", 8)):
        invitation = await invite(world, stored, test, code, message_id)
        await surveys.use(world.db, invitation, [Answer(4, text=code)], TUESDAY)
    counts = await surveys.counts(world.db, stored)
    assert (counts.invited, counts.delivered, counts.opened, counts.answered) == (1, 0, 1, 1)
    assert await surveys.texts(world.db, stored, 10) == [(PHONE, 4, "bbbbbbbb", TUESDAY)]
    [person] = await surveys.table(world.db, stored)
    assert person == (PHONE, TUESDAY, False, TUESDAY, TUESDAY, {4: Answer(4, text="bbbbbbbb")}, [])
