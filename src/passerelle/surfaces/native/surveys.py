"""Surveys: made, opened, sent, closed; what was answered, as figures and as tables.

One rule: figures are counted when they are asked for, from the last answer of each person.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ...domain import links
from ...domain.surveys import State
from ...domain.tokens import text20
from ...pipeline import survey_plans as plans
from ...pipeline import survey_results
from ...pipeline import surveys as use_case
from ...pipeline.survey_plans import SurveyPlan
from ...store import surveys as store
from ...store.surveys import Stored
from . import shapes
from .calls import Caller, Download, Raw, Services, endpoint
from .messages import SendAnswer, accepted
from .problems import Fault, Problem, missing
from .sending import MOST_RECIPIENTS, Manner, Number, profile_of, submitted, wanted_like

Token = Annotated[
    str, Meta(description="An opaque text; SMS Partner's `sondageIdent`.", examples=["q7TzB2mVx0LkR9sWcE4a"])
]
KindWord = Literal["single", "multiple", "scale", "free"]


class Question(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A question; `choices` of `single` and `multiple`, the rest of a `scale`."""

    number: int
    text: str
    kind: KindWord
    required: bool
    choices: Annotated[list[str] | None, Meta(description="Numbered from 1.")] = None
    low: int | None = None
    high: int | None = None
    low_label: str | None = None
    high_label: str | None = None


class Survey(msgspec.Struct, kw_only=True):
    """A survey."""

    id: Token
    title: str
    introduction: str
    mode: Annotated[Literal["reply", "link"], Meta(description="Answered by SMS, or on a page behind a link.")]
    marketing: bool
    state: Annotated[Literal["draft", "open", "closed"], Meta(description="As set by hand.")]
    opens_at: datetime | None
    closes_at: datetime | None
    thanks: str
    created_at: datetime
    questions: list[Question]


class Choice(msgspec.Struct, kw_only=True):
    """How often something was chosen."""

    number: Annotated[int, Meta(description="Of the choice, or the value of a scale.")]
    label: str
    count: int
    share: Annotated[float, Meta(description="Of a hundred who answered the question.")]


class Answered(msgspec.Struct, kw_only=True):
    """What was answered to a question."""

    number: int
    text: str
    kind: KindWord
    answers: Annotated[int, Meta(description="Persons.")]
    mean: Annotated[float | None, Meta(description="Of a scale that somebody answered.")]
    choices: list[Choice]


class FreeAnswer(msgspec.Struct, kw_only=True):
    """What somebody wrote."""

    phone: shapes.Phone
    question: Annotated[int | None, Meta(description="Null: an SMS that is none of the choices.")]
    text: str
    at: datetime


class Results(msgspec.Struct, kw_only=True):
    """What was answered by now. Sandbox sends do not count."""

    invited: Annotated[int, Meta(description="Messages.")]
    delivered: int
    opened: Annotated[int, Meta(description="Links that a person has looked at.")]
    answered: Annotated[int, Meta(description="Persons.")]
    questions: list[Answered]
    free_answers: Annotated[list[FreeAnswer], Meta(description="The newest thousand.")]


class Said(msgspec.Struct, kw_only=True):
    """The last answer of a person to a question."""

    question: int
    choices: list[int]
    labels: list[str]
    text: str


class Person(msgspec.Struct, kw_only=True):
    """Somebody who was invited."""

    phone: shapes.Phone
    invited_at: datetime
    delivered: bool
    opened_at: datetime | None
    answered_at: datetime | None
    answers: list[Said]
    free_answers: list[str]


class Invite(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """To whom a survey is sent."""

    to: Annotated[list[Number], Meta(min_length=1, max_length=MOST_RECIPIENTS, examples=[["+33639980001"]])]
    send_at: Annotated[shapes.When | None, Meta(description="When to send, at most a year ahead; null: at once.")] = (
        None
    )
    tag: Annotated[str, Meta(max_length=64)] = ""
    callback_url: str = ""
    sandbox: Annotated[bool, Meta(description="Try only: nothing leaves, nothing counts.")] = False


class Changes(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a survey becomes."""

    state: Literal["open", "closed"]


class Layout(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How a table is written."""

    bom: Annotated[bool, Meta(description="Begin with a byte order mark, for spreadsheets that want one.")] = False


@endpoint("GET", "/surveys", "surveys:read")
async def listing(services: Services, caller: Caller, query: shapes.Paging) -> shapes.Page[Survey]:
    """List surveys, the newest first."""
    rows = await store.page(services.db, caller.id, shapes.before(query), query.limit + 1)
    return shapes.page(caller, query, rows, _worded, lambda row: row.id)


@endpoint("POST", "/surveys", "surveys:write", status=201)
async def make(services: Services, caller: Caller, body: SurveyPlan) -> Survey:
    """Make a survey. It is a draft until it is opened."""
    stop_words = services.settings.stop_words
    made = await use_case.create(services.db, caller.id, plans.survey(body), stop_words, services.clock.now())
    if isinstance(made, list):
        told = [Fault(detail=f"{fault[0].upper()}{fault[1:]}.") for fault in made]
        raise Problem("invalid", "This survey could not be answered.", told)
    return _worded(made)


@endpoint("GET", "/surveys/{id}", "surveys:read")
async def one(services: Services, caller: Caller, id: Token) -> Survey:
    """See a survey."""
    return _worded(await _find(services, caller, id))


@endpoint("PATCH", "/surveys/{id}", "surveys:write")
async def change(services: Services, caller: Caller, id: Token, body: Changes) -> Survey:
    """Open a survey, so that it may be sent and answered, or close it. What comes later does not count."""
    stored = await _find(services, caller, id)
    return _worded(await use_case.set_state(services.db, stored, State[body.state.upper()]))


@endpoint("DELETE", "/surveys/{id}", "surveys:write")
async def remove(services: Services, caller: Caller, id: Token) -> None:
    """Delete a survey with all its answers. Its messages stay."""
    stored = await _find(services, caller, id)
    await store.remove(services.db, caller.id, stored.id)


@endpoint(
    "POST",
    "/surveys/{id}/messages",
    "messages:send",
    status=201,
    problems=("refused", "credit", "quota"),
    idempotent=True,
)
async def send(services: Services, caller: Caller, id: Token, body: Invite) -> SendAnswer | Raw:
    """Send a survey. It has to be open at the time of sending."""
    await _find(services, caller, id)
    now, settings = services.clock.now(), services.settings
    manner = Manner(send_at=body.send_at, tag=body.tag, callback_url=body.callback_url)
    wanted = wanted_like(manner, "", [(phone, None) for phone in body.to], caller.account, now)
    wanted.sandbox = body.sandbox
    address = partial(links.address, host=settings.short_link_host, site=settings.site)
    beside = await use_case.prepare(services.db, address, caller.id, id, wanted, now)
    profile = profile_of(manner, caller.account)
    return await submitted(services, caller, wanted, profile, accepted, beside=beside)  # type: ignore[no-any-return]


@endpoint("GET", "/surveys/{id}/results", "surveys:read")
async def results(services: Services, caller: Caller, id: Token) -> Results:
    """See what was answered by now."""
    found = await survey_results.results(services.db, await _find(services, caller, id))
    return msgspec.convert(plans.figures(found), Results)


@endpoint("GET", "/surveys/{id}/answers", "surveys:read")
async def answers(services: Services, caller: Caller, id: Token) -> list[Person] | Raw:
    """Export everybody who was invited, with the last answers."""
    return Raw(200, await survey_results.as_json(services.db, await _find(services, caller, id)))


@endpoint("GET", "/surveys/{id}/answers.csv", "surveys:read")
async def answers_file(services: Services, caller: Caller, id: Token, query: Layout) -> Download:
    """Export the same as CSV. RFC 4180, UTF-8; what people wrote is never a formula."""
    stored = await _find(services, caller, id)
    written = await survey_results.as_csv(services.db, stored, bom=query.bom)
    return Download(written.encode(), "text/csv", f"survey-{text20(stored.token)}.csv")


async def _find(services: Services, caller: Caller, id: str) -> Stored:
    """Raises Problem."""
    found = await use_case.find(services.db, caller.id, id)
    if found is None:
        raise missing("survey")
    return found


def _worded(stored: Stored) -> Survey:
    return msgspec.convert(plans.facts(stored), Survey)


HANDLERS = [listing, make, one, change, remove, send, results, answers, answers_file]
