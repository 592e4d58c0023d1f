"""What stands behind a link and is no address: the page of a survey, the page that says STOP, a friendly word.

One rule: whoever has the link answers, once, and from the page itself; looking at it uses nothing up and ends nothing,
so that no program that follows links unsubscribes anybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from litestar import Request, Response, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from ...clock import Clock
from ...domain import surveys as domain
from ...domain.links import PATH, Robot, Robots, is_code
from ...domain.surveys import Kind
from ...pipeline import surveys
from ...pipeline.following import Following
from ...pipeline.stop_links import StopLinks
from ...pipeline.surveys import Page, Visit
from ...store.database import Database
from ..http import App
from . import words
from .followed import Followed
from .page import HEADERS, is_own, language, page, ready, said

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 1_000
MOST_COLUMNS = 6


@dataclass(frozen=True, slots=True)
class Shelf:
    """What these pages work with."""

    db: Database
    clock: Clock
    robots: Robots
    stops: StopLinks


Asked = Request[Any, Any, Any]


async def look(request: Asked, shelf: NamedDependency[Shelf], code: FromPath[str]) -> Response[Any]:
    """The page of a survey."""
    robot = shelf.robots.look(request.method, request.scope["headers"]) is not Robot.PERSON
    return _shown(await surveys.visit(shelf.db, code, shelf.clock.now(), robot=robot), request)


@post("/{code:str}", status_code=200)
async def answer(request: Asked, shelf: NamedDependency[Shelf], code: FromPath[str]) -> Response[Any]:
    """The page of a survey, filled in."""
    if not is_own(request):
        return said("foreign", 403, language(request))
    fields = await _fields(request)
    visit = await surveys.submit(shelf.db, code, fields, shelf.clock.now())
    if visit is not None and visit.page is Page.ANSWERED:  # so that loading the page again sends nothing
        return Response(b"", status_code=303, headers=HEADERS | {"Location": code})
    return _shown(visit, request, fields)


async def ask_stop(request: Asked, shelf: NamedDependency[Shelf], code: FromPath[str]) -> Response[Any]:
    """Whether somebody wants no more messages, or that it is so already."""
    tongue = language(request)
    holder = await shelf.stops.look(code) if is_code(code) else None
    if holder is None:
        return said("lost", 404, tongue)
    name = "stopped.html" if holder.listed else "stop.html"
    return page(name, 200, tongue, digits=f"{holder.phone % 100:02}")


@post("/{code:str}/stop", status_code=200)
async def stop(request: Asked, shelf: NamedDependency[Shelf], code: FromPath[str]) -> Response[Any]:
    """STOP."""
    if not is_own(request):
        return said("foreign", 403, language(request))
    if not is_code(code) or await shelf.stops.stop(code) is None:
        return said("lost", 404, language(request))
    return Response(b"", status_code=303, headers=HEADERS | {"Location": "stop"})


async def _fields(request: Asked) -> dict[str, list[str]]:
    """A form as browsers send it. Raises HTTPException."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise HTTPException(status_code=415)
    try:
        return parse_qs((await request.body()).decode(), max_num_fields=MOST_FIELDS)
    except ValueError:
        raise HTTPException(status_code=400) from None


# --- what is shown -------------------------------------------------------------------------------------------------


def _shown(visit: Visit | None, request: Asked, fields: Mapping[str, Sequence[str]] | None = None) -> Response[Any]:
    tongue = language(request)
    if visit is None:
        return said("lost", 404, tongue)
    if visit.page is Page.CLOSED:
        return said("closed", 410, tongue)
    if visit.page is Page.EARLY:
        return _early(visit, tongue)
    if visit.page is Page.ANSWERED:
        return page(
            "answered.html", 200, tongue, survey=visit.survey, test=visit.invitation.test, rows=_answered(visit)
        )
    return _form(visit, tongue, fields or {})


def _early(visit: Visit, tongue: str) -> Response[str]:
    told, opens_at = words.WORDS[tongue], visit.survey.opens_at
    text = told["early_date"].format(date=words.date(opens_at, tongue)) if opens_at else told["early_text"]
    return page("said.html", 200, tongue, title=told["early"], text=text)


def _form(visit: Visit, tongue: str, fields: Mapping[str, Sequence[str]]) -> Response[str]:
    questions = visit.survey.questions
    told = words.WORDS[tongue]
    count = told["questions_one"] if len(questions) == 1 else told["questions_many"].format(n=len(questions))
    wrong = visit.wrong or {}
    return page(
        "survey.html",
        422 if wrong else 200,
        tongue,
        survey=visit.survey,
        code=visit.invitation.code,
        test=visit.invitation.test,
        count=count,
        wrong=wrong,
        picked={given.question: given.choices for given in visit.answers},
        texts={number: "\n".join(fields.get(f"q{number}", ())) for number in range(1, len(questions) + 1)},
        longest=domain.LONGEST_ANSWER,
        columns=_columns,
    )


def _columns(points: int) -> int:
    """Of a scale on a phone: one row, or two that are nearly equal."""
    return points if points <= MOST_COLUMNS else (points + 1) // 2


def _answered(visit: Visit) -> list[tuple[str, str]]:
    """Each question with what was said to it; nothing where the person has answered through another link since."""
    given = {one.question: one for one in visit.answers}
    rows = []
    for number, question in enumerate(visit.survey.questions, 1):
        one = given.get(number)
        picked = ", ".join(domain.label(question, value) for value in one.choices) if one else ""
        rows.append((question.text, one.text if one and question.kind is Kind.FREE else picked))
    return rows if given else []


def application(db: Database, clock: Clock, robots: Robots, stops: StopLinks) -> App:
    """The ASGI application of everything below `/l`."""
    shelf = Shelf(db, clock, robots, stops)
    looking = HTTPRouteHandler("/{code:str}", http_method=["GET", "HEAD"])(look)
    asking = HTTPRouteHandler("/{code:str}/stop", http_method=["GET", "HEAD"])(ask_stop)
    behind = ready(PATH, [looking, answer, asking, stop], {"shelf": Provide(lambda: shelf, sync_to_thread=False)})
    return Followed(Following(db, clock), robots, behind)
