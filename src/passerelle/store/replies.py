"""Texts from handsets as rows: parts until a text is whole, the message that a text answers, replies.

The one rule: a part is kept once, however often it comes, and leaves with all of its text or after an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from .database import columns, queries

_SQL = queries("replies")

RECENT = timedelta(days=30)
"""How old a message may be that a reply answers; a STOP looks further back."""


class TextPart(NamedTuple):
    """A part of a long text; all but `part`, `text` and `at` say which text."""

    carrier_id: int
    phone: int
    recipient: str
    reference: int
    total: int
    part: int
    text: str
    at: datetime


class WholeText(NamedTuple):
    """A text with the parts it came in: (number, text) each, from 1, those that there are."""

    carrier_id: int
    phone: int
    recipient: str
    reference: int
    total: int
    parts: tuple[tuple[int, str], ...]
    at: datetime

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(text for _, text in self.parts)


class Question(NamedTuple):
    """Whom does a text answer? `recipient`: short code or number without +; `national`: how else it may be written.

    `owner`: the account that alone can be answered, 0 for any.
    """

    phone: int
    recipient: str
    national: str
    stop: bool
    owner: int = 0


class Answered(NamedTuple):
    """The message that question `position` (from 1) is about."""

    position: int
    account_id: int
    message_id: int
    reply_url: str


class NewReply(NamedTuple):
    """A whole text from a phone, and the message that it answers. `token`: 12 bytes; no carrier: it was no SMS."""

    account_id: int
    token: bytes
    carrier_id: int | None
    phone: int
    recipient: str
    text: str
    at: datetime
    stop: bool
    message_id: int | None
    dialect: int
    tag: str
    tag_key: str


async def assemble(conn: Any, parts: Sequence[TextPart]) -> list[WholeText]:
    """Keep parts, in the caller's transaction; returns the texts that are whole now."""
    if not parts:
        return []
    await conn.fetch(_SQL.lock_texts, ["/".join(map(str, ("inbound", *part[:5]))) for part in parts])
    await conn.execute(_SQL.insert_parts, *columns(parts))
    return _joined(await conn.fetch(_SQL.take_whole, *columns([part[:5] for part in parts])))


async def take_old(conn: Any, before: datetime, limit: int = 500) -> list[WholeText]:
    """The texts whose first part came before `before`: what there is of them."""
    return _joined(await conn.fetch(_SQL.take_old, before, limit))


def _joined(rows: Sequence[Any]) -> list[WholeText]:
    texts: dict[tuple[Any, ...], list[TextPart]] = {}
    for row in rows:
        part = TextPart(*row)
        texts.setdefault(part[:5], []).append(part)
    return [whole(parts) for parts in texts.values()]


def whole(parts: Sequence[TextPart]) -> WholeText:
    """The parts of one text, be it a single one, as a text; it came when the last of them did."""
    pieces = tuple(sorted((part.part, part.text) for part in parts))
    return WholeText(*parts[0][:5], pieces, max(part.at for part in parts))


async def answered(conn: Any, questions: Sequence[Question], short_code: str, now: datetime) -> list[Answered]:
    """Those of the questions that have an answer. `short_code`: of accounts that have none of their own."""
    if not questions:
        return []
    rows = await conn.fetch(_SQL.answered, *columns(questions), short_code, now, now - RECENT)
    return [Answered(*row) for row in rows]


async def insert(conn: Any, replies: Sequence[NewReply]) -> None:
    """Write replies."""
    if replies:
        await conn.execute(_SQL.insert, *columns(replies))


async def replied(conn: Any, messages: Sequence[tuple[int, int, datetime]]) -> None:
    """Note the time of the latest reply at (account, message), each once; their rows are locked."""
    if messages:
        await conn.execute(_SQL.replied, *columns(messages))
