"""The Idempotency-Key of calls that move money without sending: what is kept under it, and what a repeat answers.

One rule: the answer kept is, byte for byte, the one that the first request got.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from ...pipeline.once import Repeatable, Repeated
from .calls import Caller, Raw
from .problems import Problem

Done = TypeVar("Done")


def repeatable(caller: Caller, word: Callable[[Any, Any], Awaitable[Any]], status: int) -> Repeatable | None:
    """What keeps the answer under the key of the request, where it has one; `word`: connection, what was done."""
    if not caller.idempotency_key:
        return None

    async def render(connection: Any, done: Any) -> tuple[int, bytes]:
        return status, msgspec.json.encode(await word(connection, done))

    path, hashed = caller.path.partition("?")[0], hashlib.sha256(caller.raw).digest()
    return Repeatable(caller.id, path, caller.idempotency_key, hashed, render)


async def first(work: Awaitable[Done]) -> Done | Raw:
    """What was done, or the answer of the first time. Raises Problem."""
    try:
        return await work
    except Repeated as repeated:
        if repeated.answer is not None:
            return Raw(*repeated.answer)
        told = "Another request was made under this Idempotency-Key: take a new one for a new request."
        raise Problem("idempotency-key-reused", told) from None
