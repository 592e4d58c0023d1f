"""Figures of surveys and their tables."""

from __future__ import annotations

import csv
import io
import json
import threading

import pytest
from domain.test_surveys import PAGE
from pipeline.test_surveys import OTHER, Bakery
from pipeline.world import PHONE

from passerelle.domain.message import OutcomeKind
from passerelle.pipeline import survey_results, surveys
from passerelle.pipeline.inbound import Inbound
from passerelle.settings import Settings

THIRD = OTHER + 1


@pytest.fixture
async def bakery(world):
    return Bakery(world, await world.account(), Inbound(world.db, world.teller, Settings(), world.clock))


@pytest.fixture
async def by_sms(bakery):
    stored = await bakery.survey()
    await bakery.send(stored, PHONE, OTHER, THIRD)
    await bakery.hears("1", "un peu, beaucoup")
    await bakery.hears("oui", "=1+1", phone=OTHER)
    return stored


@pytest.fixture
async def by_link(bakery, world):
    stored = await bakery.survey(PAGE)
    await bakery.send(stored, PHONE, OTHER, THIRD)
    first, second, _ = [row["code"] for row in await world.rows("invitation", "message_id")]
    await surveys.visit(world.db, second, world.clock.now())
    await surveys.submit(
        world.db, first, {"q1": ["3"], "q2": ["1", "3"], "q3": ["8"], "q4": ['"bon", dit-il\nici']}, world.clock.now()
    )
    return stored


async def test_figures_of_replies(by_sms, world):
    found = await survey_results.results(world.db, by_sms)
    assert (found.invited, found.delivered, found.opened, found.answered) == (3, 0, 0, 2)
    [asked] = found.questions
    assert [(c.number, c.label, c.count, c.share) for c in asked.choices] == [
        (1, "Oui", 2, 100.0),
        (2, "Non", 0, 0.0),
        (3, "Peut-être", 0, 0.0),
    ]
    assert [(said.phone, said.text) for said in found.texts] == [(OTHER, "=1+1"), (PHONE, "un peu, beaucoup")]
    assert len((await survey_results.results(world.db, by_sms, texts=1)).texts) == 1


async def test_figures_are_live(by_sms, bakery, world):
    await bakery.hears("2", phone=OTHER)
    last = next(part for part in bakery.parts if part.phone == THIRD)
    await world.record(last, OutcomeKind.SENT, "17")
    await world.receipt("17", phone=THIRD)
    found = await survey_results.results(world.db, by_sms)
    assert [choice.share for choice in found.questions[0].choices] == [50.0, 50.0, 0.0]
    assert (found.delivered, found.answered) == (1, 2)


async def test_figures_of_pages(by_link, world):
    found = await survey_results.results(world.db, by_link)
    assert (found.invited, found.opened, found.answered) == (3, 2, 1)
    single, multiple, scale, free = found.questions
    assert [choice.count for choice in single.choices] == [0, 0, 1]
    assert [choice.count for choice in multiple.choices] == [1, 0, 1]
    assert (len(scale.choices), scale.choices[8].label, scale.mean) == (11, "8", 8.0)
    assert (free.answers, free.choices) == (1, ())
    [said] = found.texts
    assert (said.phone, said.question, said.text) == (PHONE, 4, '"bon", dit-il\nici')


async def test_a_survey_that_nobody_has_seen(bakery, world):
    found = await survey_results.results(world.db, await bakery.survey(PAGE))
    assert (found.invited, found.answered, found.texts) == (0, 0, [])
    assert found.questions[2].mean is None


async def test_a_table_of_replies(by_sms, world):
    text = await survey_results.as_csv(world.db, by_sms)
    heads, *rows = csv.reader(io.StringIO(text))
    assert heads == ["phone", "invited_at", "delivered", "opened_at", "answered_at", "Aimez-vous ?", "free_answers"]
    assert rows[0] == [str(PHONE), "2026-11-10T10:00:00+00:00", "no", "", "2026-11-10T10:00:01+00:00", "Oui",
                       "un peu, beaucoup"]  # fmt: skip
    assert rows[1][5:] == ["Oui", "'=1+1"] and rows[2][4:] == ["", "", ""]
    assert text.count("\r\n") == 4


async def test_a_table_of_pages(by_link, world):
    text = await survey_results.as_csv(world.db, by_link, bom=True)
    assert text.encode().startswith(b"\xef\xbb\xbfphone,")
    heads, *rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert heads[5:] == ["Le pain ?", "Lesquels ?", "Combien ?", "Un mot ?"]
    assert rows[0][5:] == ["Peut-être", "Baguette | Brioche", "8", '"bon", dit-il\nici']


async def test_for_other_programs(by_link, by_sms, world):
    first, *_ = json.loads(await survey_results.as_json(world.db, by_link))
    assert (first["phone"], first["free_answers"]) == (f"+{PHONE}", [])
    assert first["answers"][1] == {"question": 2, "choices": [1, 3], "labels": ["Baguette", "Brioche"], "text": ""}
    assert json.loads(await survey_results.as_json(world.db, by_sms))[1]["free_answers"] == ["=1+1"]


async def test_somebody_who_was_invited_twice_has_one_row(bakery, world):
    stored = await bakery.survey()
    await bakery.send(stored)
    await bakery.send(stored)
    await bakery.hears("1")
    assert len(json.loads(await survey_results.as_json(world.db, stored))) == 1
    found = await survey_results.results(world.db, stored)
    assert (found.invited, found.answered) == (2, 1)


@pytest.mark.parametrize(("longest", "is_aside"), [(2, True), (3, False)])
async def test_many_people_are_worded_in_a_thread(by_sms, world, monkeypatch, longest, is_aside):
    monkeypatch.setattr(survey_results, "LONG", longest)
    here, worded_in = threading.get_ident(), []
    cell = survey_results.surveys.cell
    monkeypatch.setattr(
        survey_results.surveys, "cell", lambda text: worded_in.append(threading.get_ident()) or cell(text)
    )
    await survey_results.as_csv(world.db, by_sms)
    assert {one != here for one in worded_in} == {is_aside}
    assert len(json.loads(await survey_results.as_json(world.db, by_sms))) == 3
