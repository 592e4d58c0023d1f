"""Surveys: what makes one that can be answered, when it is open, and what an answer says.

One rule: whatever a person writes is kept; it counts only where it can mean one thing alone.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from .optout import is_stop

LINK = "{{link}}"
MOST_QUESTIONS = 50
MOST_CHOICES = 50
LONGEST_TEXT = 1_000  # characters of an introduction or a question
LONGEST_TITLE = 200
LONGEST_LABEL = 200
LONGEST_ANSWER = 2_000
LONGEST_SCALE = 11  # points, as 0 to 10
FARTHEST = 100  # from zero that a scale begins


class Mode(enum.IntEnum):
    """How a survey is answered; the numbers are stored."""

    REPLY = 0  # by an SMS to the short code
    LINK = 1  # on a page


class State(enum.IntEnum):
    """The numbers are stored."""

    DRAFT = 0
    OPEN = 1
    CLOSED = 2


class Kind(enum.IntEnum):
    """What a question asks for; the numbers are stored."""

    SINGLE = 0
    MULTIPLE = 1
    SCALE = 2
    FREE = 3


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `choices` are numbered from 1; `low` to `high` are the points of a scale."""

    text: str
    kind: Kind = Kind.SINGLE
    choices: tuple[str, ...] = ()
    low: int = 1
    high: int = 5
    low_label: str = ""
    high_label: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey with its questions; `opens_at` and `closes_at` bound the time in which it is answered, None: at will."""

    title: str
    introduction: str
    mode: Mode
    questions: tuple[Question, ...]
    marketing: bool = False
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    thanks: str = ""
    state: State = State.DRAFT

    def is_open(self, at: datetime) -> bool:
        """Whether it is sent and answered at this instant."""
        begun = self.opens_at is None or self.opens_at <= at
        return self.state is State.OPEN and begun and not self.is_over(at)

    def is_over(self, at: datetime) -> bool:
        """Whether it was closed by hand or by its date."""
        return self.state is State.CLOSED or (self.closes_at is not None and self.closes_at <= at)


# --- making one ----------------------------------------------------------------------------------------------------


def faults(survey: Survey, stop_words: frozenset[str]) -> list[str]:
    """Why a survey cannot be sent, each a sentence for whoever made it; none: it can."""
    found = [
        *_long("title", survey.title, LONGEST_TITLE),
        *_long("introduction", survey.introduction, LONGEST_TEXT),
        *_long("thanks", survey.thanks, LONGEST_TEXT, empty=True),
    ]
    if survey.opens_at and survey.closes_at and survey.opens_at >= survey.closes_at:
        found.append("it closes before it opens")
    if not 1 <= len(survey.questions) <= MOST_QUESTIONS:
        found.append(f"it has {len(survey.questions)} questions; 1 to {MOST_QUESTIONS} are possible")
    if survey.mode is Mode.REPLY:
        found += _reply_faults(survey)
    for number, question in enumerate(survey.questions, 1):
        found += [f"question {number}: {fault}" for fault in _question_faults(question, survey.mode, stop_words)]
    return found


def _long(name: str, text: str, most: int, *, empty: bool = False) -> list[str]:
    if not empty and not text.strip():
        return [f"the {name} is missing"]
    if "\0" in text or not _is_whole(text):
        return [f"the {name} holds characters that cannot be kept"]
    return [f"the {name} is longer than {most} characters"] if len(text) > most else []


def _is_whole(text: str) -> bool:
    """Whether no character is half of one."""
    return text.encode("utf-8", "replace").decode() == text


def _reply_faults(survey: Survey) -> list[str]:
    found = []
    if len(survey.questions) > 1:
        found.append("a survey that is answered by SMS has one question; mode `link` takes more")
    if any(question.kind is not Kind.SINGLE for question in survey.questions):
        found.append("a survey that is answered by SMS asks for one of its choices; mode `link` takes other kinds")
    if LINK in survey.introduction:
        found.append(f"{LINK} is for mode `link`")
    return found


def _question_faults(question: Question, mode: Mode, stop_words: frozenset[str]) -> list[str]:
    found = _long("text", question.text, LONGEST_TEXT)
    found += _long("low_label", question.low_label, LONGEST_LABEL, empty=True)
    found += _long("high_label", question.high_label, LONGEST_LABEL, empty=True)
    if question.kind is Kind.SCALE and not 1 <= question.high - question.low < LONGEST_SCALE:
        found.append(f"a scale has 2 to {LONGEST_SCALE} points")
    if question.kind is Kind.SCALE and not -FARTHEST <= question.low <= FARTHEST:
        found.append(f"a scale begins between -{FARTHEST} and {FARTHEST}")
    if question.kind in (Kind.SINGLE, Kind.MULTIPLE):
        found += _choice_faults(question.choices, mode, stop_words)
    elif question.choices:
        found.append("only questions of kind `single` and `multiple` have choices")
    return found


def _choice_faults(choices: Sequence[str], mode: Mode, stop_words: frozenset[str]) -> list[str]:
    found = []
    if not 2 <= len(choices) <= MOST_CHOICES:
        found.append(f"it has {len(choices)} choices; 2 to {MOST_CHOICES} are possible")
    labels = [plain(choice) for choice in choices]
    for number, (choice, label) in enumerate(zip(choices, labels, strict=True), 1):
        found += [f"choice {number}: {fault}" for fault in _long("label", choice, LONGEST_LABEL)]
        if mode is Mode.REPLY:
            found += _ambiguities(number, choice, labels, stop_words)
        elif label and label in labels[: number - 1]:
            found.append(f"choice {number}: {choice!r} is there already")
    return found


def _ambiguities(number: int, choice: str, labels: Sequence[str], stop_words: frozenset[str]) -> list[str]:
    """Why nobody could choose this by writing it."""
    label = labels[number - 1]
    if not label:
        return [f"choice {number}: {choice!r} has neither a letter nor a digit that somebody could write"]
    if label in labels[: number - 1]:
        return [f"choice {number}: {choice!r} reads like another choice"]
    if label.isdecimal() and int(label) != number:
        return [f"choice {number}: {choice!r} reads like the number of another choice"]
    if is_stop(choice, stop_words):
        return [f"choice {number}: {choice!r} would put whoever writes it on the stop list"]
    return []


# --- sending it ----------------------------------------------------------------------------------------------------


def reply_text(survey: Survey) -> str:
    """What is sent in reply mode: introduction, question, a line for each choice."""
    (question,) = survey.questions
    choices = (f"{number} {choice}" for number, choice in enumerate(question.choices, 1))
    return "\n".join([survey.introduction, question.text, *choices])


def link_text(survey: Survey, address: str) -> str:
    """What is sent in link mode: the introduction with the personal link in its place, or at its end."""
    if LINK in survey.introduction:
        return survey.introduction.replace(LINK, address)
    return f"{survey.introduction.rstrip()}\n{address}"


# --- reading answers -----------------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\W_]+")


def plain(text: str) -> str:
    """A text as it is compared: no case, accents, punctuation or pictures; words one blank apart."""
    folded = unicodedata.normalize("NFKD", text).casefold().replace("œ", "oe")
    parted = unicodedata.normalize("NFKD", folded)  # what was folded may be put together again
    bare = "".join(char for char in parted if not unicodedata.combining(char))
    return " ".join(_WORD.findall(bare))


def chosen(text: str, choices: Sequence[str]) -> int:
    """The number of the choice that a reply means: its number, its label, or both; 0: none of them."""
    said = plain(text[:LONGEST_ANSWER])
    first, _, rest = said.partition(" ")
    labels = [plain(choice) for choice in choices]
    if first.isdecimal() and 1 <= (number := int(first[:9])) <= len(labels) and rest in ("", labels[number - 1]):
        return number
    return labels.index(said) + 1 if said and said in labels else 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says to one question: numbers of choices, or the value of a scale; or a text."""

    question: int
    choices: tuple[int, ...] = ()
    text: str = ""


class Fault(enum.Enum):
    """What is wrong with an answer on the page."""

    MISSING = "missing"
    INVALID = "invalid"
    LONG = "long"


def read(survey: Survey, fields: Mapping[str, Sequence[str]]) -> tuple[list[Answer], dict[int, Fault]]:
    """The fields `q1`, `q2`... of the page: what was answered, and by number of the question what is wrong."""
    answers, wrong = [], {}
    for number, question in enumerate(survey.questions, 1):
        said = _said(question, number, fields.get(f"q{number}", ()))
        if isinstance(said, Fault):
            wrong[number] = said
        elif said is not None:
            answers.append(said)
        elif question.required:
            wrong[number] = Fault.MISSING
    return answers, wrong


def _said(question: Question, number: int, given: Sequence[str]) -> Answer | Fault | None:
    if question.kind is Kind.FREE:
        text = "\n".join(given).replace("\r\n", "\n").replace("\0", "").strip()
        text = text.encode("utf-8", "replace").decode()
        if len(text) > LONGEST_ANSWER:
            return Fault.LONG
        return Answer(number, text=text) if text else None
    allowed = points(question)
    picked = {int(value) for value in given if re.fullmatch(r"-?[0-9]{1,4}", value)}
    if len(picked) < len(set(filter(None, given))) or not picked.issubset(allowed):
        return Fault.INVALID
    if len(picked) > 1 and question.kind is not Kind.MULTIPLE:
        return Fault.INVALID
    return Answer(number, choices=tuple(sorted(picked))) if picked else None


def points(question: Question) -> range:
    """What may be picked: the numbers of the choices, or the values of the scale."""
    if question.kind is Kind.SCALE:
        return range(question.low, question.high + 1)
    return range(1, len(question.choices) + 1)


def label(question: Question, value: int) -> str:
    """What stands beside a number that was picked."""
    return str(value) if question.kind is Kind.SCALE else question.choices[value - 1]


# --- results -------------------------------------------------------------------------------------------------------


def share(count: int, total: int) -> float:
    """Of a hundred, to one decimal."""
    return round(100 * count / total, 1) if total else 0.0


def mean(counts: Mapping[int, int]) -> float | None:
    """Of the values of a scale, to two decimals."""
    total = sum(counts.values())
    return round(sum(value * count for value, count in counts.items()) / total, 2) if total else None


def cell(text: str) -> str:
    """A cell of a table that a spreadsheet takes for a text, never for a formula."""
    return f"'{text}" if text[:1] in tuple("=+-@\t\r\n") and not re.fullmatch(r"-?[0-9]+", text) else text
