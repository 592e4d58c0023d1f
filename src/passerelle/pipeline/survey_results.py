"""What was answered to a survey: figures, and a table for other programs.

One rule: every figure is counted when it is asked for, from the last answer of each person.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from ..domain import surveys
from ..domain.surveys import Kind, Mode, Question
from ..store import surveys as store
from ..store.database import Database
from ..store.surveys import Person, Said, Stored

R = TypeVar("R")

LONG = 500  # people that are worded in a few milliseconds
TEXTS = 1_000  # free answers that are told beside the figures


@dataclass(frozen=True, slots=True)
class Picked:
    """A choice, or a point of a scale. `share`: of a hundred who answered the question."""

    number: int
    label: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what was answered. `mean`: of a scale."""

    number: int
    text: str
    kind: Kind
    answers: int
    choices: Sequence[Picked]
    mean: float | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """Persons invited count once for each message, persons who answered once."""

    invited: int
    delivered: int
    opened: int
    answered: int
    questions: Sequence[Asked]
    texts: Sequence[Said]


async def results(db: Database, stored: Stored, texts: int = TEXTS) -> Results:
    """The figures of a survey as they are now, with its newest free answers."""
    counts = await store.counts(db, stored)
    asked = [
        _asked(number, question, counts.answers.get(number, 0), counts.picked.get(number, {}))
        for number, question in enumerate(stored.survey.questions, 1)
    ]
    said = await store.texts(db, stored, texts)
    return Results(counts.invited, counts.delivered, counts.opened, counts.answered, asked, said)


def _asked(number: int, question: Question, answers: int, picked: Any) -> Asked:
    if question.kind is Kind.FREE:
        return Asked(number, question.text, question.kind, answers, ())
    choices = [
        Picked(value, surveys.label(question, value), count := picked.get(value, 0), surveys.share(count, answers))
        for value in surveys.points(question)
    ]
    mean = surveys.mean(picked) if question.kind is Kind.SCALE else None
    return Asked(number, question.text, question.kind, answers, choices, mean)


# --- tables --------------------------------------------------------------------------------------------------------

BOM = "\ufeff"


async def as_csv(db: Database, stored: Stored, *, bom: bool = False) -> str:
    """A row for each person, UTF-8, RFC 4180; `bom` for spreadsheets that read nothing else as UTF-8.

    Whatever a person wrote is a text there, never a formula.
    """
    return await _worded(_csv, stored, await store.table(db, stored), bom)


def _csv(stored: Stored, people: Sequence[Person], bom: bool) -> str:
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(map(surveys.cell, _heads(stored)))
    for person in people:
        rows.writerow(map(surveys.cell, _cells(stored, person)))
    return (BOM if bom else "") + written.getvalue()


def _heads(stored: Stored) -> list[str]:
    heads = ["phone", "invited_at", "delivered", "opened_at", "answered_at"]
    heads += [question.text for question in stored.survey.questions]
    return [*heads, "free_answers"] if stored.survey.mode is Mode.REPLY else heads


def _cells(stored: Stored, person: Person) -> Iterable[str]:
    yield str(person.phone)
    yield _moment(person.invited_at)
    yield "yes" if person.delivered else "no"
    yield _moment(person.opened_at)
    yield _moment(person.answered_at)
    for number, question in enumerate(stored.survey.questions, 1):
        said = person.answers.get(number)
        yield "" if said is None else said.text or " | ".join(surveys.label(question, value) for value in said.choices)
    if stored.survey.mode is Mode.REPLY:
        yield " | ".join(person.texts)


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="seconds")


async def as_json(db: Database, stored: Stored) -> bytes:
    """JSON: a value for each person; answers by the number of their question."""
    return await _worded(_json, stored, await store.table(db, stored))


def _json(stored: Stored, people: Sequence[Person]) -> bytes:
    return msgspec.json.encode([_facts(stored, person) for person in people])


async def _worded(words: Callable[..., R], stored: Stored, people: Sequence[Person], *more: Any) -> R:
    """Many people are worded in a thread: nobody else waits for it."""
    if len(people) > LONG:
        return await asyncio.to_thread(words, stored, people, *more)
    return words(stored, people, *more)


def _facts(stored: Stored, person: Person) -> dict[str, Any]:
    return {
        "phone": f"+{person.phone}",
        "invited_at": person.invited_at,
        "delivered": person.delivered,
        "opened_at": person.opened_at,
        "answered_at": person.answered_at,
        "answers": [
            {
                "question": number,
                "choices": list(said.choices),
                "labels": [surveys.label(stored.survey.questions[number - 1], value) for value in said.choices],
                "text": said.text,
            }
            for number, said in sorted(person.answers.items())
        ],
        "free_answers": list(person.texts),
    }
