"""The life of a part and of a message as one table.

The state of a message only moves forward, and the first final state stays; what came later is kept as a time beside it.
"""

from __future__ import annotations

from collections.abc import Iterable

from .message import State

FINAL = frozenset(s for s in State if s >= State.DELIVERED)

ADVANCE: dict[State, frozenset[State]] = {
    State.ACCEPTED: frozenset(State) - {State.ACCEPTED},
    State.SUBMITTED: FINAL,  # every end: of a long message one part may be with the operator, and another never leave
    State.UNCERTAIN: frozenset(State) - {State.ACCEPTED, State.UNCERTAIN},
}


def advance(state: State, event: State) -> State:
    """The state of a part after `event`; the same state where the event comes too late to count."""
    return event if event in ADVANCE.get(state, ()) else state


# Which end of a part explains the end of its message, worst first.
WORST = (
    State.CANCELLED,
    State.OPTED_OUT,
    State.BOUNCED,
    State.REFUSED,
    State.UNDELIVERED,
    State.EXPIRED,
    State.UNCONFIRMED,
)


def of_message(parts: Iterable[State]) -> State:
    """The state of a message from those of its parts: failed as soon as one has failed, delivered when all are."""
    states = set(parts)
    for end in WORST:
        if end in states:
            return end
    if states == {State.DELIVERED}:
        return State.DELIVERED
    if State.UNCERTAIN in states:
        return State.UNCERTAIN
    return State.SUBMITTED if states - {State.ACCEPTED} else State.ACCEPTED
