"""Many lines, each with a number and a text, as submissions of up to a hundred: in order, in a flat amount of memory.

The one rule: a group has a key made of its lines and of the run it belongs to, so that a run that broke off and is made
again sends nothing twice. What was answered is answered again: accepted and refused lines are the same.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from ..domain.account import Account
from ..domain.admission import Wanted
from ..domain.profile import Profile
from ..domain.reasons import Finding, Reason
from .batch import Accepted, Denied, Idempotency, Refused, Replayed, Result
from .submit import Submitter

GROUP = 100  # lines a submission: one is refused as a whole where the credit does not cover it
IN_FLIGHT = 8  # submissions
PATH = "lines"  # of the idempotency keys


@dataclass(frozen=True, slots=True)
class Line:
    """A number as written and its text; `number` counts from 1."""

    number: int
    phone: str
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """What became of a group: refused lines with their reasons. `stopped`: why none of it is sent, nor what follows."""

    lines: Sequence[Line]
    accepted: int
    cost: int  # micro-euros
    refused: Sequence[tuple[Line, Reason]]
    stopped: Finding | Denied | None = None


class _Kept(msgspec.Struct):
    """The answer that is kept with a key: accepted lines, their cost, (position, reason) of the others."""

    accepted: int
    cost: int
    refused: list[tuple[int, str]]


class Run:
    """One run of a list. `name` is the same when the run is made again, and of no other run."""

    def __init__(self, submitter: Submitter, account: Account, like: Wanted, profile: Profile, name: str) -> None:
        self._submitter = submitter
        self._account = account
        self._like = like
        self._profile = profile
        self._name = name

    async def send(self, lines: Iterable[Line]) -> AsyncIterator[Group]:
        """Send, and yield what became of each group in order; after one that is stopped only those under way."""
        under_way: deque[asyncio.Task[Group]] = deque()
        try:
            for group in groups(lines):
                under_way.append(asyncio.create_task(self._send(group)))
                if len(under_way) >= IN_FLIGHT:
                    yield (done := await under_way.popleft())
                    if done.stopped is not None:
                        break
            while under_way:
                yield await under_way.popleft()
        finally:
            for task in under_way:
                task.cancel()

    async def _send(self, lines: Sequence[Line]) -> Group:
        digest = self._digest(lines)
        wanted = replace(self._like, items=[(line.phone, line.text) for line in lines])
        idempotency = Idempotency(PATH, digest.hex(), digest, _render)
        return _group(lines, await self._submitter.accept(self._account, wanted, self._profile, idempotency))

    def _digest(self, lines: Sequence[Line]) -> bytes:
        told = [self._name, *((line.number, line.phone, line.text) for line in lines)]
        return hashlib.sha256(msgspec.json.encode(told)).digest()


def groups(lines: Iterable[Line], size: int = GROUP) -> Iterator[list[Line]]:
    """Cut into groups; a number that comes again with another text begins a new one (twice in one is a duplicate)."""
    group: list[Line] = []
    texts: dict[str, str] = {}
    for line in lines:
        if len(group) == size or texts.get(line.phone, line.text) != line.text:
            yield group
            group, texts = [], {}
        group.append(line)
        texts[line.phone] = line.text
    if group:
        yield group


def _render(accepted: Accepted) -> tuple[int, bytes]:
    refused = [(finding.position, finding.reason.value) for finding in accepted.dropped]
    return 200, msgspec.json.encode(_Kept(accepted.messages, accepted.cost, refused))


def _group(lines: Sequence[Line], result: Result) -> Group:
    if isinstance(result, Accepted):
        return _group(lines, Replayed(*_render(result)))
    if isinstance(result, Replayed):
        kept = msgspec.json.decode(result.answer, type=_Kept)
        return Group(lines, kept.accepted, kept.cost, _lines(lines, kept.refused))
    if isinstance(result, Refused):
        if result.findings:
            return Group(lines, 0, 0, [], result.findings[0])
        refused = [(finding.position, finding.reason.value) for finding in result.dropped]
        return Group(lines, 0, 0, _lines(lines, refused))
    return Group(lines, 0, 0, [], result if isinstance(result, Denied) else Finding(Reason.MALFORMED))


def _lines(lines: Sequence[Line], refused: Iterable[tuple[int, str]]) -> list[tuple[Line, Reason]]:
    return [(lines[position], Reason(reason)) for position, reason in sorted(refused)]
