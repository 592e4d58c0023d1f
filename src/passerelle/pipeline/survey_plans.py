"""A survey as people and programs write it down: in a file for the command line, in the body of a call.

One rule: what is misspelt is said, never left out; a time without a zone is that of Paris.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from ..domain.calendar import PARIS
from ..domain.surveys import Kind, Mode, Question, Survey
from ..domain.tokens import text20
from ..store.surveys import Stored
from .survey_results import Results


class QuestionPlan(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One question. `required`: by itself all but those of kind `free`."""

    text: str
    kind: Literal["single", "multiple", "scale", "free"] = "single"
    choices: list[str] = []
    low: int = 1
    high: int = 5
    low_label: str = ""
    high_label: str = ""
    required: bool | None = None


class SurveyPlan(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A survey to be. Mode `reply` is answered by SMS, `link` on a page; `{{link}}` in the introduction stands for the
    personal link, which else follows it."""

    title: str
    introduction: str
    questions: list[QuestionPlan]
    mode: Literal["reply", "link"] = "reply"
    marketing: bool = False
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    thanks: str = ""


class PlanError(ValueError):
    """A plan that cannot be read: where, and what is allowed there."""


def read(written: Mapping[str, Any]) -> Survey:
    """The survey that is written down. Raises PlanError; whether it can be sent is for `domain.surveys.faults`."""
    try:
        return survey(msgspec.convert(written, SurveyPlan))
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        raise PlanError(f"{place.strip('`').removeprefix('$.')}: {what}" if place else what) from None


def survey(plan: SurveyPlan) -> Survey:
    """The survey of a plan."""
    return Survey(
        title=plan.title,
        introduction=plan.introduction,
        mode=Mode[plan.mode.upper()],
        questions=tuple(_question(one) for one in plan.questions),
        marketing=plan.marketing,
        opens_at=_zoned(plan.opens_at),
        closes_at=_zoned(plan.closes_at),
        thanks=plan.thanks,
    )


def _question(plan: QuestionPlan) -> Question:
    kind = Kind[plan.kind.upper()]
    required = kind is not Kind.FREE if plan.required is None else plan.required
    low, high = (plan.low, plan.high) if kind is Kind.SCALE else (1, 1)
    return Question(plan.text, kind, tuple(plan.choices), low, high, plan.low_label, plan.high_label, required)


def _zoned(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=PARIS) if at is not None and at.tzinfo is None else at


# --- told again ----------------------------------------------------------------------------------------------------


def facts(stored: Stored) -> dict[str, Any]:
    """A survey for other programs: what a plan has, and what has become of it."""
    s = stored.survey
    return {
        "id": text20(stored.token),
        "title": s.title,
        "introduction": s.introduction,
        "mode": s.mode.name.lower(),
        "marketing": s.marketing,
        "state": s.state.name.lower(),
        "opens_at": s.opens_at,
        "closes_at": s.closes_at,
        "thanks": s.thanks,
        "created_at": stored.created_at,
        "questions": [_asked(number, question) for number, question in enumerate(s.questions, 1)],
    }


def _asked(number: int, question: Question) -> dict[str, Any]:
    told: dict[str, Any] = {
        "number": number,
        "text": question.text,
        "kind": question.kind.name.lower(),
        "required": question.required,
    }
    if question.kind in (Kind.SINGLE, Kind.MULTIPLE):
        return told | {"choices": list(question.choices)}
    if question.kind is Kind.SCALE:
        ends = {"low_label": question.low_label, "high_label": question.high_label}
        return told | {"low": question.low, "high": question.high} | ends
    return told


def figures(found: Results) -> dict[str, Any]:
    """Results for other programs."""
    return {
        "invited": found.invited,
        "delivered": found.delivered,
        "opened": found.opened,
        "answered": found.answered,
        "questions": [
            {
                "number": asked.number,
                "text": asked.text,
                "kind": asked.kind.name.lower(),
                "answers": asked.answers,
                "mean": asked.mean,
                "choices": [
                    {"number": one.number, "label": one.label, "count": one.count, "share": one.share}
                    for one in asked.choices
                ],
            }
            for asked in found.questions
        ],
        "free_answers": [
            {"phone": f"+{said.phone}", "question": said.question or None, "text": said.text, "at": said.at}
            for said in found.texts
        ],
    }
