"""Surveys: made, sent, answered by SMS or on a page.

One rule: an invitation is a message, and is committed with it; an answer is committed before anybody is thanked.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..domain import links as short
from ..domain import surveys, tokens
from ..domain.admission import Wanted
from ..domain.message import EventKind, TrafficClass
from ..domain.reasons import Finding, Reason
from ..domain.surveys import Answer, Fault, Mode, State, Survey
from ..store import links as codes
from ..store import surveys as store
from ..store.database import Database
from ..store.optouts import new_token
from ..store.replies import NewReply
from ..store.submissions import Numbered
from ..store.surveys import Freely, Given, Invitation, Stored
from .batch import Beside
from .webhooks import Fact, announce

# --- making --------------------------------------------------------------------------------------------------------


async def create(
    db: Database, account_id: int, survey: Survey, stop_words: Sequence[str], now: datetime
) -> Stored | list[str]:
    """Keep a draft; or what is wrong with it, a sentence each."""
    if wrong := surveys.faults(survey, frozenset(stop_words)):
        return wrong
    return await store.insert(db, account_id, new_token(now), replace(survey, state=State.DRAFT), now)


async def find(db: Database, account_id: int, ident: str) -> Stored | None:
    """A survey of the account by its 20 characters."""
    token = tokens.read20(ident.strip())
    return None if token is None else await store.by_token(db, account_id, token)


async def set_state(db: Database, stored: Stored, state: State) -> Stored:
    """Open a survey, so that it may be sent and answered, or close it."""
    await store.set_state(db, stored.account_id, stored.id, state)
    return stored._replace(survey=replace(stored.survey, state=state))


# --- sending -------------------------------------------------------------------------------------------------------

Address = Callable[[str], str]
_NO_CODE = "-" * short.LENGTH


async def prepare(
    db: Database, address: Address, account_id: int, ident: str, wanted: Wanted, now: datetime
) -> Beside | None:
    """Fill in what a survey sends; returns what writes its invitations. What is wrong is in `wanted.faults`.

    `address`: the link of a code.
    """
    stored = await find(db, account_id, ident) if ident else None
    if stored is None or not stored.survey.is_open(wanted.due_at or now):
        wanted.faults.append(Finding(Reason.SURVEY_UNKNOWN if ident else Reason.SURVEY_MISSING, ident))
        wanted.text = "-"  # nothing is sent: this one has no fault of its own
        return None
    survey = stored.survey
    wanted.traffic = TrafficClass.MARKETING if survey.marketing else None
    wanted.stop_mention = survey.marketing
    if survey.mode is Mode.REPLY:
        wanted.text = surveys.reply_text(survey)
        return _inviting(stored, ())
    # Codes are of one length, so this text stands for all of them where its parts are counted.
    wanted.text = surveys.link_text(survey, address(_NO_CODE))
    own = [codes.new_code() for _ in wanted.items]
    wanted.items = [
        (phone, surveys.link_text(survey, address(code))) for (phone, _), code in zip(wanted.items, own, strict=True)
    ]
    return _inviting(stored, own)


def _inviting(stored: Stored, own: Sequence[str]) -> Beside:
    """Writes the invitations of those who were kept; `own`: codes by position, none where there are no links."""

    async def write(connection: Any, numbered: Numbered) -> None:
        sent = numbered.submission
        messages = [
            (numbered.id + numbered.place + offset, to.phone, own[to.position] if own else None)
            for offset, to in enumerate(sent.recipients)
        ]
        await store.invite(connection, stored, sent.sandbox, sent.accepted_at, messages)

    return write


# --- answers by SMS ------------------------------------------------------------------------------------------------


async def take_replies(connection: Any, replies: Sequence[NewReply], now: datetime) -> None:
    """Replies to invitations of open surveys are answers; in the transaction that keeps the replies."""
    asked = [reply for reply in replies if reply.message_id is not None and not reply.stop]
    found = await store.invited(connection, [(reply.account_id, reply.message_id or 0) for reply in asked])
    known = await store.by_keys(connection, {(one.account_id, one.survey_id) for one in found})
    given: list[Given] = []
    said: list[Freely] = []
    facts: list[Fact] = []
    for one in found:
        reply, stored = asked[one.position - 1], known.get((one.account_id, one.survey_id))
        if stored is None or stored.survey.mode is not Mode.REPLY or not stored.survey.is_open(reply.at):
            continue
        person = (one.account_id, one.survey_id, one.test, reply.phone)
        choice = surveys.chosen(reply.text, stored.survey.questions[0].choices)
        if not one.test:
            answer = Answer(1, (choice,)) if choice else Answer(0, text=reply.text)
            facts.append((one.account_id, reply.at, _fact(stored.token, reply.phone, reply.message_id or 0, [answer])))
        if choice:
            given.append(Given(*person, 1, (choice,), "", reply.message_id or 0, reply.at))
        else:
            said.append(Freely(*person, reply.text, reply.message_id or 0, reply.at))
    await store.answer(connection, given)
    await store.answer_freely(connection, said)
    await announce(connection, EventKind.SURVEY, facts, now)


async def _announce(connection: Any, invitation: Invitation, answers: Sequence[Answer], now: datetime) -> None:
    """What was answered on a page."""
    key = (invitation.account_id, invitation.survey_id)
    stored = (await store.by_keys(connection, [key]))[key]
    fact = _fact(stored.token, invitation.phone, invitation.message_id, answers)
    await announce(connection, EventKind.SURVEY, [(invitation.account_id, now, fact)], now)


def _fact(token: bytes, phone: int, message_id: int, answers: Sequence[Answer]) -> dict[str, Any]:
    """What an endpoint hears of somebody's answers; question 0 is a text that is no choice of a reply."""
    said = [{"question": one.question or None, "choices": one.choices, "text": one.text} for one in answers]
    return {"survey": tokens.text20(token), "phone": f"+{phone}", "message": str(message_id), "answers": said}


# --- answers on the page -------------------------------------------------------------------------------------------


class Page(enum.Enum):
    """What a personal link shows."""

    EARLY = "early"
    OPEN = "open"
    CLOSED = "closed"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Visit:
    """What a personal link shows, and of whom. `answers`: what was said; `wrong`: why it was not taken."""

    page: Page
    survey: Survey
    invitation: Invitation
    answers: Sequence[Answer] = ()
    wrong: Mapping[int, Fault] | None = None


async def visit(db: Database, code: str, now: datetime, *, robot: bool = False) -> Visit | None:
    """Look at a personal link; None: there is none. Nothing that a robot does changes anything."""
    invitation = await store.by_code(db, code) if short.is_code(code) else None
    if invitation is None:
        return None
    survey = await _survey_of(db, invitation)
    if survey is None:  # removed since
        return None
    if invitation.answered_at is not None:
        return Visit(Page.ANSWERED, survey, invitation, await store.answers_of(db, invitation))
    if survey.is_over(now):
        return Visit(Page.CLOSED, survey, invitation)
    if not survey.is_open(now):
        return Visit(Page.EARLY, survey, invitation)
    if invitation.opened_at is None and not robot:
        await store.mark_opened(db, code, now)
    return Visit(Page.OPEN, survey, invitation)


async def _survey_of(db: Database, invitation: Invitation) -> Survey | None:
    key = (invitation.account_id, invitation.survey_id)
    stored = (await store.by_keys(db, [key])).get(key)
    return None if stored is None else stored.survey


async def submit(db: Database, code: str, fields: Mapping[str, Sequence[str]], now: datetime) -> Visit | None:
    """Take the answers of the page, once; what the link shows then."""
    seen = await visit(db, code, now)
    if seen is None or seen.page is not Page.OPEN:
        return seen
    answers, wrong = surveys.read(seen.survey, fields)
    if wrong:
        return replace(seen, answers=answers, wrong=wrong)
    async with db.transaction() as connection:
        taken = await store.use(connection, seen.invitation, answers, now)
        if taken and not seen.invitation.test:
            await _announce(connection, seen.invitation, answers, now)
    if not taken:  # somebody was quicker: theirs stand
        return await visit(db, code, now)
    return Visit(Page.ANSWERED, seen.survey, seen.invitation, answers)
