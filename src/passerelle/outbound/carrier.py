"""The contract of a carrier: it is given parts in batches, and hands outcomes, receipts and texts back in batches.

A carrier keeps nothing that must survive: what it was given is leased in the queue until its outcome is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..domain.message import DuePart, Inbound, Outcome, Receipt


@dataclass(slots=True)
class Arrived:
    """What came in from an operator; `acknowledge` after the commit, or it is sent again."""

    receipts: list[Receipt]
    texts: list[Inbound]
    acknowledge: Callable[[], None]


class Carrier(Protocol):
    """A way out."""

    id: int
    name: str

    def free_slots(self) -> int:
        """How many parts may be submitted now: window and pace together; 0 while nothing is bound."""

    def submit(self, parts: Sequence[DuePart]) -> None:
        """Write the parts; every one comes back exactly once in `outcomes`."""

    def take_outcomes(self) -> list[Outcome]:
        """Outcomes since the last call."""

    def take_arrived(self) -> list[Arrived]:
        """Receipts and texts since the last call."""


class Line(Carrier, Protocol):
    """A carrier as a worker runs it. `binds`: connections of which each lives in one process; 0: any may send."""

    @property
    def binds(self) -> int:
        """How many there are over all processes."""

    def open(self, number: int) -> None:
        """Connect a bind that this process holds, and keep it connected."""

    def drop(self, number: int) -> None:
        """Cut a bind that this process may hold no longer."""

    def state(self, number: int) -> tuple[bool, str]:
        """Whether a bind is up, and what it says of itself."""

    async def finish(self) -> None:
        """Let what is in flight come back, a moment, and close."""
