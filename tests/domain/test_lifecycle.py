"""States only move forward: the first end stays, and whatever happens to the parts, their message comes to an end."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.domain.lifecycle import ADVANCE, FINAL, WORST, advance, of_message
from passerelle.domain.message import State

states = st.sampled_from(State)
A, S, U, D = State.ACCEPTED, State.SUBMITTED, State.UNCERTAIN, State.DELIVERED


@pytest.mark.parametrize("end", sorted(FINAL))
@pytest.mark.parametrize("event", State)
def test_an_end_stays(end: State, event: State) -> None:
    assert advance(end, event) is end


@pytest.mark.parametrize(
    ("state", "event", "after"),
    [
        (A, S, S),
        (A, U, U),
        (A, D, D),  # the receipt overtook the answer
        (A, State.CANCELLED, State.CANCELLED),
        (S, A, S),
        (S, U, S),  # the answer is known
        (S, D, D),
        (S, State.UNCONFIRMED, State.UNCONFIRMED),
        (U, S, S),  # the second submit was answered
        (U, D, D),
        (U, A, U),
        (U, State.EXPIRED, State.EXPIRED),
    ],
)
def test_how_a_state_advances(state: State, event: State, after: State) -> None:
    assert advance(state, event) is after


def test_nothing_ever_goes_back_to_the_queue() -> None:
    assert all(State.ACCEPTED not in events for events in ADVANCE.values())
    assert all(set(events) >= FINAL for events in ADVANCE.values()), "there is a way out of every state"
    assert set(ADVANCE) == set(State) - FINAL


@given(st.lists(states, min_size=1, max_size=20))
def test_of_all_that_happens_the_first_end_counts(events: list[State]) -> None:
    state = A
    for event in events:
        state = advance(state, event)
    ends = [event for event in events if event in FINAL]
    assert state is ends[0] if ends else state not in FINAL


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([A, A], A),
        ([S, A], S),
        ([S, S], S),
        ([S, D], S),
        ([A, D], S),
        ([U, S, D], U),
        ([D, D], D),
        ([D, State.UNDELIVERED], State.UNDELIVERED),
        ([S, State.BOUNCED], State.BOUNCED),  # failed as soon as one has failed
        ([State.UNCONFIRMED, State.UNDELIVERED], State.UNDELIVERED),
        ([State.REFUSED, State.BOUNCED], State.BOUNCED),
        ([D, State.OPTED_OUT], State.OPTED_OUT),
    ],
)
def test_the_state_of_a_message_of_many_parts(parts: list[State], message: State) -> None:
    assert {of_message(order) for order in permutations(parts)} == {message}


@given(states)
def test_a_single_part_is_its_message(state: State) -> None:
    assert of_message([state]) is state


def test_every_bad_end_has_its_rank() -> None:
    assert set(WORST) == FINAL - {D} and len(set(WORST)) == len(WORST)


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 3), states), max_size=30),
    st.lists(st.sampled_from(sorted(FINAL)), min_size=4, max_size=4),
)
def test_when_all_parts_have_ended_so_has_their_message(
    count: int, events: list[tuple[int, State]], ends: list[State]
) -> None:
    parts, message = [A] * count, A
    for which, event in [*events, *enumerate(ends)]:
        if which < count:
            before = message
            parts[which] = advance(parts[which], event)
            message = advance(message, of_message(parts))
            assert before not in FINAL or message is before
    assert message in FINAL
    assert (message is D) <= (set(parts) == {D})
