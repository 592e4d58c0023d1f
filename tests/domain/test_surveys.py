"""What makes a survey that can be answered, and what an answer says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.domain import surveys
from passerelle.domain.surveys import Answer, Fault, Kind, Mode, Question, State, Survey

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
STOPS = frozenset({"STOP"})
CHOICES = ("Oui", "Non", "Peut-être")
BREAD = Survey("Pain", "La boulangerie vous demande :", Mode.REPLY, (Question("Aimez-vous ?", choices=CHOICES),))
PAGE = Survey(
    "Avis",
    "Votre avis ?",
    Mode.LINK,
    (
        Question("Le pain ?", choices=CHOICES),
        Question("Lesquels ?", Kind.MULTIPLE, ("Baguette", "Seigle", "Brioche"), required=False),
        Question("Combien ?", Kind.SCALE, low=0, high=10),
        Question("Un mot ?", Kind.FREE, required=False),
    ),
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("2", 2),
        ("3", 3),
        (" 1. ", 1),
        ("1)", 1),
        ("n° 1", 0),
        ("1️⃣", 1),
        ("١", 1),
        ("oui", 1),
        ("OUI !!!", 1),
        ("Öui", 1),
        ("1 Oui", 1),
        ("1: oui.", 1),
        ("1 non", 0),
        ("peut etre", 3),
        ("PEUT-ÊTRE", 3),
        ("peut—être 🙂", 3),
        ("oui oui", 0),
        ("oui, mais non", 0),
        ("0", 0),
        ("4", 0),
        ("11", 0),
        ("1 2", 0),
        ("99999999999999999999", 0),
        ("", 0),
        ("🙂", 0),
        ("je ne sais pas", 0),
    ],
)
def test_what_a_reply_means(text, number):
    assert surveys.chosen(text, CHOICES) == number


@given(st.text(max_size=60))
def test_no_text_is_more_than_one_choice_or_breaks_anything(text):
    assert surveys.chosen(text, CHOICES) in range(4)
    assert surveys.plain(surveys.plain(text)) == surveys.plain(text)


def test_ligatures_are_read_as_they_are_written_on_a_telephone():
    assert surveys.chosen("coeur", ("Cœur", "Main")) == 1
    assert surveys.chosen("CŒUR", ("Coeur", "Main")) == 1


def test_surveys_that_can_be_sent():
    assert surveys.faults(BREAD, STOPS) == [] == surveys.faults(PAGE, STOPS)


def asked(*choices: str, mode: Mode = Mode.REPLY) -> Survey:
    return replace(BREAD, mode=mode, questions=(Question("?", choices=choices),))


@pytest.mark.parametrize(
    ("survey", "fault"),
    [
        (replace(BREAD, title=" "), "the title is missing"),
        (replace(BREAD, title="x" * 201), "the title is longer"),
        (replace(BREAD, introduction=""), "the introduction is missing"),
        (replace(BREAD, title="a\0b"), "cannot be kept"),
        (replace(BREAD, thanks="a\ud83d"), "cannot be kept"),
        (replace(BREAD, opens_at=NOW, closes_at=NOW), "closes before it opens"),
        (replace(BREAD, questions=()), "has 0 questions"),
        (replace(BREAD, questions=BREAD.questions * 2), "has one question"),
        (replace(BREAD, introduction="ici {{link}}"), "is for mode `link`"),
        (replace(BREAD, questions=(Question("?", Kind.FREE),)), "asks for one of its choices"),
        (asked("Oui"), "has 1 choices"),
        (asked("Oui", ""), "choice 2: the label is missing"),
        (asked("Oui", "oui !"), "choice 2: 'oui !' reads like another choice"),
        (asked("🙂", "🙁"), "neither a letter nor a digit"),
        (asked("2", "1"), "choice 1: '2' reads like the number of another choice"),
        (asked("Oui", "Stop"), "choice 2: 'Stop' would put whoever writes it on the stop list"),
        (asked("Oui", "Oui", mode=Mode.LINK), "choice 2: 'Oui' is there already"),
        (replace(PAGE, questions=(Question("?", Kind.SCALE, low=5, high=5),)), "2 to 11 points"),
        (replace(PAGE, questions=(Question("?", Kind.SCALE, low=0, high=11),)), "2 to 11 points"),
        (replace(PAGE, questions=(Question("?", Kind.SCALE, low=4000, high=4001),)), "between -100 and 100"),
        (replace(PAGE, questions=(Question("?", Kind.FREE, ("a", "b")),)), "have choices"),
        (replace(PAGE, questions=(Question(" ", Kind.FREE),)), "question 1: the text is missing"),
        (replace(PAGE, questions=PAGE.questions * 13), "has 52 questions"),
    ],
)
def test_surveys_that_cannot(survey, fault):
    assert any(fault in found for found in surveys.faults(survey, STOPS)), surveys.faults(survey, STOPS)


def test_numbers_as_choices_and_smileys_on_a_page():
    assert surveys.faults(asked("1", "2", "3"), STOPS) == []
    assert surveys.faults(asked("🙂", "🙁", mode=Mode.LINK), STOPS) == []


@pytest.mark.parametrize(
    ("state", "opens", "closes", "is_open", "is_over"),
    [
        (State.DRAFT, None, None, False, False),
        (State.OPEN, None, None, True, False),
        (State.CLOSED, None, None, False, True),
        (State.OPEN, NOW, NOW + HOUR, True, False),
        (State.OPEN, NOW + HOUR, None, False, False),
        (State.OPEN, None, NOW, False, True),
        (State.DRAFT, None, NOW - HOUR, False, True),
    ],
)
def test_when_it_is_open(state, opens, closes, is_open, is_over):
    survey = replace(BREAD, state=state, opens_at=opens, closes_at=closes)
    assert (survey.is_open(NOW), survey.is_over(NOW)) == (is_open, is_over)


def test_the_texts_that_are_sent():
    assert surveys.reply_text(BREAD) == "La boulangerie vous demande :\nAimez-vous ?\n1 Oui\n2 Non\n3 Peut-être"
    assert surveys.link_text(PAGE, "https://a.b/x") == "Votre avis ?\nhttps://a.b/x"
    inside = replace(PAGE, introduction="Ici {{link}} merci")
    assert surveys.link_text(inside, "https://a.b/x") == "Ici https://a.b/x merci"


@pytest.mark.parametrize(
    ("fields", "answers", "wrong"),
    [
        (
            {"q1": ["2"], "q2": ["3", "1"], "q3": ["0"], "q4": [" bon\r\npain "]},
            [Answer(1, (2,)), Answer(2, (1, 3)), Answer(3, (0,)), Answer(4, text="bon\npain")],
            {},
        ),
        ({"q1": ["1"], "q3": ["10"]}, [Answer(1, (1,)), Answer(3, (10,))], {}),
        ({}, [], {1: Fault.MISSING, 3: Fault.MISSING}),
        ({"q1": ["1", "2"], "q3": ["11"]}, [], {1: Fault.INVALID, 3: Fault.INVALID}),
        ({"q1": ["x"], "q3": ["-1"]}, [], {1: Fault.INVALID, 3: Fault.INVALID}),
        ({"q1": [""], "q3": ["5"], "q4": ["x" * 2001]}, [Answer(3, (5,))], {1: Fault.MISSING, 4: Fault.LONG}),
        ({"q1": ["1"], "q3": ["5"], "q9": ["5"]}, [Answer(1, (1,)), Answer(3, (5,))], {}),
    ],
)
def test_what_the_page_says(fields, answers, wrong):
    assert surveys.read(PAGE, fields) == (answers, wrong)


@given(st.dictionaries(st.sampled_from(["q1", "q2", "q3", "q4"]), st.lists(st.text(max_size=6), max_size=3)))
def test_no_field_breaks_the_page(fields):
    answers, wrong = surveys.read(PAGE, fields)
    assert not {answer.question for answer in answers} & set(wrong)
    for answer in answers:
        question = PAGE.questions[answer.question - 1]
        assert all(surveys.label(question, value) for value in answer.choices)


def test_figures():
    assert (surveys.share(1, 3), surveys.share(0, 0)) == (33.3, 0.0)
    assert (surveys.mean({1: 1, 4: 2}), surveys.mean({})) == (3.0, None)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("Bonjour", "Bonjour"),
        ("=1+1", "'=1+1"),
        ("+33639980001", "'+33639980001"),
        ("-1+2", "'-1+2"),
        ("-3", "-3"),
        ("@x", "'@x"),
        ("\t=1", "'\t=1"),
        ("", ""),
    ],
)
def test_a_cell_is_no_formula(text, cell):
    assert surveys.cell(text) == cell
