"""Requests with an Idempotency-Key that change something beside messages: done once, answered the same ever after.

One rule: whoever looks for the answer holds a lock that its twin waits for, and keeps the answer with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..store import submissions
from ..store.submissions import Answer


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A key with what it stands for; `render`, given a connection and what was done, words the answer: status, body."""

    account_id: int
    path: str
    key: str
    body_hash: bytes
    render: Callable[[Any, Any], Awaitable[tuple[int, bytes]]]


class Repeated(Exception):
    """It was done before; `answer`: status and body, None where the key stands for another request."""

    def __init__(self, answer: tuple[int, bytes] | None) -> None:
        super().__init__()
        self.answer = answer


async def look(connection: Any, request: Repeatable | None, now: datetime) -> None:
    """Raises Repeated."""
    if request is None:
        return
    key = (request.account_id, request.path, request.key)
    row = (await submissions.known_answers(connection, [key], now)).get(key)
    if row is not None:
        same = bytes(row["body_hash"]) == request.body_hash
        raise Repeated((row["status"], bytes(row["answer"])) if same else None)


async def keep(connection: Any, request: Repeatable | None, done: Any, now: datetime) -> None:
    """The answer, for a day."""
    if request is None:
        return
    status, body = await request.render(connection, done)
    answer = Answer(request.account_id, request.path, request.key, request.body_hash, status, body, 0, now)
    await submissions.insert_answers(connection, [answer], now)
