"""Surveys as people and programs write them down."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime

import pytest
from domain.test_surveys import BREAD, PAGE

from passerelle.domain.surveys import Kind, Mode, Question, faults
from passerelle.pipeline.survey_plans import PlanError, facts, figures, read
from passerelle.pipeline.survey_results import Asked, Picked, Results
from passerelle.store.surveys import Said, Stored

AT = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
FILE = """
title = "Avis"
introduction = "Votre avis ? {{link}}"
mode = "link"
marketing = true
opens_at = 2026-11-12T09:00:00
closes_at = 2026-11-30T23:00:00Z
thanks = "À bientôt"

[[questions]]
text = "Le pain ?"
choices = ["Bon", "Mauvais"]

[[questions]]
text = "Lesquels ?"
kind = "multiple"
choices = ["Seigle", "Blé"]
required = false

[[questions]]
text = "Combien ?"
kind = "scale"
high = 10
low_label = "peu"

[[questions]]
text = "Un mot ?"
kind = "free"
"""


def test_a_file():
    survey = read(tomllib.loads(FILE))
    assert (survey.mode, survey.marketing, survey.thanks) == (Mode.LINK, True, "À bientôt")
    assert survey.opens_at == datetime(2026, 11, 12, 8, 0, tzinfo=UTC)  # nine in Paris
    assert survey.closes_at == datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    assert [question.kind for question in survey.questions] == list(Kind)
    assert [question.required for question in survey.questions] == [True, False, True, False]
    assert survey.questions[2].high == 10 and survey.questions[2].low_label == "peu"
    assert faults(survey, frozenset({"STOP"})) == []


def test_what_was_told_can_be_read_again():
    for survey in (BREAD, PAGE):
        told = json.loads(json.dumps(facts(Stored(1, 1, bytes(12), AT, survey)), default=str))
        kept = {name: told[name] for name in ("title", "introduction", "mode", "marketing", "thanks")}
        questions = [{name: one[name] for name in one if name != "number"} for one in told["questions"]]
        assert read(kept | {"questions": questions}).title == survey.title
        assert told["state"] == "draft" and len(told["id"]) == 20


@pytest.mark.parametrize(
    ("change", "place", "said"),
    [
        ({"titel": "x"}, "", "unknown field `titel`"),
        ({"title": 7}, "title", "Expected `str`"),
        ({"mode": "mail"}, "mode", "mail"),
        ({"questions": [{"text": "?", "kind": "x"}]}, "questions[0].kind", "x"),
        ({"questions": [{"choices": []}]}, "questions[0]", "missing required field `text`"),
        ({"closes_at": "tomorrow"}, "closes_at", "RFC3339"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change, place, said):
    with pytest.raises(PlanError) as error:
        read({"title": "t", "introduction": "i", "questions": []} | change)
    assert place in str(error.value) and said in str(error.value)


def test_numbers_that_are_no_scale_reach_no_database():
    question = {"text": "?", "choices": ["a", "b"], "low": 10**30, "high": -(10**30)}
    survey = read({"title": "t", "introduction": "i", "questions": [question]})
    assert (survey.questions[0].low, survey.questions[0].high) == (1, 1)
    scale = {"text": "?", "kind": "scale", "low": 10**30, "high": 10**30 + 1}
    survey = read({"title": "t", "introduction": "i", "mode": "link", "questions": [scale]})
    assert faults(survey, frozenset()) == ["question 1: a scale begins between -100 and 100"]


def test_results():
    asked = Asked(1, "?", Kind.SINGLE, 3, [Picked(1, "Oui", 2, 66.7), Picked(2, "Non", 1, 33.3)])
    told = figures(Results(5, 4, 0, 3, [asked], [Said(33639980001, 0, "bof", AT), Said(33639980002, 2, "x", AT)]))
    assert told["questions"][0]["choices"][1] == {"number": 2, "label": "Non", "count": 1, "share": 33.3}
    assert [said["question"] for said in told["free_answers"]] == [None, 2]
    assert told["free_answers"][0]["phone"] == "+33639980001"


def test_a_question_by_itself():
    assert read({"title": "t", "introduction": "i", "questions": [{"text": "?", "choices": ["a", "b"]}]}).questions == (
        Question("?", Kind.SINGLE, ("a", "b"), 1, 1),
    )
