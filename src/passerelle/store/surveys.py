"""Surveys as rows: themselves, whom they were sent to, what was answered.

One rule: what a sandbox invited is kept apart by `test`, and no figure knows of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from ..domain.surveys import Answer, Kind, Mode, Question, State, Survey
from .database import Database, columns, queries

_SQL = queries("surveys")

NEWEST = 2**63 - 1
"""Above every id: where a list begins."""


class Stored(NamedTuple):
    """A survey and its names; `token`: 12 bytes, the `sondageIdent` of SMS Partner."""

    account_id: int
    id: int
    token: bytes
    created_at: datetime
    survey: Survey


class Invitation(NamedTuple):
    """A personal link. `opened_at`, `answered_at`: None until it is."""

    account_id: int
    survey_id: int
    message_id: int
    phone: int
    code: str
    test: bool
    opened_at: datetime | None
    answered_at: datetime | None


class Invited(NamedTuple):
    """Message `position` (from 1) of those asked about is an invitation."""

    position: int
    account_id: int
    survey_id: int
    test: bool


class Given(NamedTuple):
    """What a person answered to one question, as `domain.surveys.Answer` says it."""

    account_id: int
    survey_id: int
    test: bool
    phone: int
    question: int
    choices: tuple[int, ...]
    text: str
    message_id: int
    at: datetime


class Freely(NamedTuple):
    """A reply that is no choice."""

    account_id: int
    survey_id: int
    test: bool
    phone: int
    text: str
    message_id: int
    at: datetime


class Counts(NamedTuple):
    """Figures of a survey; `answered`: persons."""

    invited: int
    delivered: int
    opened: int
    answered: int
    answers: Mapping[int, int]  # question -> persons who answered it
    picked: Mapping[int, Mapping[int, int]]  # question -> choice or value -> how often


class Said(NamedTuple):
    """A free answer; question 0: a reply that is no choice."""

    phone: int
    question: int
    text: str
    at: datetime


class Person(NamedTuple):
    """Somebody who was invited. `answers`: question -> what was said last; `texts`: replies that are no choice."""

    phone: int
    invited_at: datetime
    delivered: bool
    opened_at: datetime | None
    answered_at: datetime | None
    answers: Mapping[int, Answer]
    texts: Sequence[str]


# --- surveys -------------------------------------------------------------------------------------------------------


async def insert(db: Database, account_id: int, token: bytes, survey: Survey, now: datetime) -> Stored:
    """Keep a draft."""
    async with db.transaction() as connection:
        s = survey
        key = await connection.fetchval(
            _SQL.insert, account_id, token, s.title, s.introduction, s.thanks, s.mode, s.marketing, s.opens_at,
            s.closes_at, now,
        )  # fmt: skip
        questions = [{"number": n} | asdict(question) for n, question in enumerate(survey.questions, 1)]
        await connection.execute(_SQL.insert_questions, account_id, key, questions)
    return Stored(account_id, key, token, now, survey)


async def by_token(db: Database, account_id: int, token: bytes) -> Stored | None:
    """A survey of the account."""
    row = await db.fetchrow(_SQL.by_token, account_id, token)
    return (await _whole(db, [row]))[0] if row is not None else None


async def by_keys(connection: Any, keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Stored]:
    """The surveys of pairs (account, id)."""
    wanted = sorted(set(keys))
    rows = await connection.fetch(_SQL.by_keys, *columns(wanted)) if wanted else []
    return {(one.account_id, one.id): one for one in await _whole(connection, rows)}


async def page(db: Database, account_id: int, before: int = NEWEST, limit: int = 100) -> list[Stored]:
    """Surveys of the account, the newest first, those of a smaller id than `before`."""
    return await _whole(db, await db.fetch(_SQL.page, account_id, before, limit))


async def _whole(connection: Any, rows: Sequence[Any]) -> list[Stored]:
    keys = [(row["account_id"], row["id"]) for row in rows]
    asked: dict[tuple[int, int], list[Question]] = {key: [] for key in keys}
    for account_id, survey_id, text, kind, choices, *scale in (
        await connection.fetch(_SQL.questions, *columns(keys)) if keys else ()
    ):
        asked[account_id, survey_id].append(Question(text, Kind(kind), tuple(choices), *scale))
    return [_stored(row, asked[row["account_id"], row["id"]]) for row in rows]


def _stored(row: Any, questions: Sequence[Question]) -> Stored:
    account_id, key, token, created_at, title, introduction, mode, marketing, opens_at, closes_at, thanks, state = row
    survey = Survey(
        title, introduction, Mode(mode), tuple(questions), marketing, opens_at, closes_at, thanks, State(state)
    )
    return Stored(account_id, key, token, created_at, survey)


async def set_state(db: Database, account_id: int, survey_id: int, state: State) -> None:
    """Open or close a survey."""
    await db.execute(_SQL.set_state, account_id, survey_id, state)


async def remove(db: Database, account_id: int, survey_id: int) -> None:
    """A survey with all that was answered; its messages stay."""
    await db.execute(_SQL.remove, account_id, survey_id)


# --- invitations ---------------------------------------------------------------------------------------------------


async def invite(
    connection: Any, stored: Stored, test: bool, now: datetime, messages: Sequence[tuple[int, int, str | None]]
) -> None:
    """Note messages as invitations: (id of the message, phone, code of the personal link)."""
    await connection.execute(_SQL.invite, stored.account_id, stored.id, test, now, *columns(messages))


async def invited(connection: Any, messages: Sequence[tuple[int, int]]) -> list[Invited]:
    """Which of the messages, as (account, id), are invitations."""
    return [Invited(*row) for row in await connection.fetch(_SQL.invited, *columns(messages))] if messages else []


async def by_code(db: Database, code: str) -> Invitation | None:
    """Whose personal link this is."""
    row = await db.fetchrow(_SQL.by_code, code)
    return None if row is None else Invitation(*row)


async def mark_opened(db: Database, code: str, now: datetime) -> None:
    """Somebody looked at the page; the first time counts."""
    await db.execute(_SQL.mark_opened, code, now)


# --- answers -------------------------------------------------------------------------------------------------------


async def use(connection: Any, invitation: Invitation, answers: Sequence[Answer], now: datetime) -> bool:
    """Take the answers of a personal link, in place of what the person said before; False: it was used already."""
    i = invitation
    if not await connection.fetchval(_SQL.mark_answered, i.code, now):
        return False
    await connection.execute(_SQL.forget, i.account_id, i.survey_id, i.test, i.phone)
    await answer(
        connection,
        [
            Given(i.account_id, i.survey_id, i.test, i.phone, a.question, a.choices, a.text, i.message_id, now)
            for a in answers
        ],
    )
    return True


async def answer(connection: Any, given: Iterable[Given]) -> None:
    """Keep answers; of one person's to one question the last counts."""
    last = {one[:5]: one for one in sorted(given, key=lambda one: one.at)}
    rows = [one._replace(choices=f"{{{','.join(map(str, one.choices))}}}") for one in last.values()]  # type: ignore[arg-type]
    if rows:
        await connection.execute(_SQL.answer, *columns(rows))


async def answer_freely(connection: Any, said: Sequence[Freely]) -> None:
    """Keep replies that are no choice."""
    if said:
        await connection.execute(_SQL.answer_freely, *columns(said))


async def answers_of(db: Database, invitation: Invitation) -> list[Answer]:
    """What was answered through a personal link; nothing where the person has answered another since."""
    i = invitation
    rows = await db.fetch(_SQL.answers_of, i.account_id, i.survey_id, i.test, i.phone, i.message_id)
    return [Answer(question, tuple(choices), text) for question, choices, text in rows]


async def empty_sandbox(connection: Any, before: datetime) -> None:
    """Forget what sandboxes sent and what was answered to it."""
    await connection.execute(_SQL.empty_sandbox, before)


# --- results -------------------------------------------------------------------------------------------------------


async def counts(db: Database, stored: Stored) -> Counts:
    """The figures as they are now."""
    key = (stored.account_id, stored.id)
    figures = await db.fetchrow(_SQL.counts, *key)
    picked: dict[int, dict[int, int]] = {}
    for question, choice, count in await db.fetch(_SQL.picked, *key):
        picked.setdefault(question, {})[choice] = count
    answers = {question: count for question, count in await db.fetch(_SQL.answered, *key)}
    invited, delivered, opened = figures
    return Counts(invited, delivered, opened, await db.fetchval(_SQL.persons, *key), answers, picked)


async def texts(db: Database, stored: Stored, limit: int) -> list[Said]:
    """Free answers, the newest first."""
    return [Said(*row) for row in await db.fetch(_SQL.texts, stored.account_id, stored.id, limit)]


async def table(db: Database, stored: Stored) -> list[Person]:
    """Everybody who was invited."""
    return [_person(*row) for row in await db.fetch_long(_SQL.table, stored.account_id, stored.id)]


def _person(
    phone: int,
    invited_at: datetime,
    delivered: bool,
    opened_at: datetime | None,
    answered_at: datetime | None,
    said: Mapping[str, Any],
    texts: Sequence[str],
) -> Person:
    answers = {int(n): Answer(int(n), tuple(one["choices"]), one["text"]) for n, one in said.items()}
    return Person(phone, invited_at, delivered, opened_at, answered_at, answers, texts)
