"""Turns: every endpoint gets its share, and neither a slow nor a dead one takes that of another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from passerelle.pipeline.endpoints import DOWN, FRESH, SPARE, Endpoint, Endpoints
from passerelle.store.events import Leased

T0 = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
NOW = 1000.0  # monotonic
_ids = count(1)


def event(endpoint: str, deadline: float = NOW + 60) -> Leased:
    return Leased(next(_ids), "", 1000, 0, 3, T0, endpoint, endpoint + "/", "", "", 0, deadline)


def fill(endpoints: Endpoints, name: str, number: int) -> None:
    for _ in range(number):
        assert endpoints.add(event(name), T0)


def take_all(endpoints: Endpoints) -> list[Endpoint]:
    taken = []
    while (turn := endpoints.take(NOW)) is not None:
        taken.append(turn[0])
    return taken


def warm(endpoints: Endpoints, name: str) -> Endpoint:
    """An endpoint that answers fast, with all its slots."""
    fill(endpoints, name, 10)
    endpoint = take_all(endpoints)[0]
    while endpoint.running:
        endpoints.answered(endpoint, 0.01)
    return endpoint


def counts(taken: list[Endpoint]) -> dict[str, int]:
    return {name: sum(endpoint.name == name for endpoint in taken) for name in {e.name for e in taken}}


def test_endpoints_take_turns() -> None:
    endpoints = Endpoints(total=8, each=4)
    fill(endpoints, "a", 100)
    fill(endpoints, "b", 2)
    assert [endpoint.name for endpoint in take_all(endpoints)] == ["a", "b", "a", "b", "a", "a"]


def test_slots_are_bounded_for_one_and_for_all() -> None:
    endpoints = Endpoints(total=100, each=30)
    for name in "abcde":
        warm(endpoints, name)
    for name in "abcde":
        fill(endpoints, name, 200)
    taken = counts(take_all(endpoints))
    assert sum(taken.values()) == 100
    assert max(taken.values()) <= 30


def test_an_endpoint_that_answers_gets_more_slots_and_a_silent_one_loses_them() -> None:
    endpoints = Endpoints(total=256, each=64)
    endpoint = warm(endpoints, "a")
    assert endpoint.slots == 64
    fill(endpoints, "a", 4)
    for _ in take_all(endpoints):
        endpoints.failed(endpoint, 10.0, T0)
    assert endpoint.slots == 4


def known_slow(endpoints: Endpoints, number: int) -> list[Endpoint]:
    """So many endpoints whose last answer took nine seconds."""
    slow = [warm(endpoints, f"slow{n}") for n in range(number)]
    for endpoint in slow:
        fill(endpoints, endpoint.name, 1)
    while taken := take_all(endpoints):
        for endpoint in taken:
            endpoints.answered(endpoint, 9.0)
    return slow


def test_slow_endpoints_share_half_and_the_fast_keep_the_rest() -> None:
    endpoints = Endpoints(total=40, each=20)
    for endpoint in known_slow(endpoints, 50):
        fill(endpoints, endpoint.name, 20)
    assert len(take_all(endpoints)) == 20
    warm(endpoints, "fast")
    fill(endpoints, "fast", 100)
    assert counts(take_all(endpoints)) == {"fast": 20}


def test_one_slow_endpoint_alone_keeps_its_slots() -> None:
    endpoints = Endpoints(total=40, each=20)
    (endpoint,) = known_slow(endpoints, 1)
    fill(endpoints, endpoint.name, 100)
    assert len(take_all(endpoints)) == 20


def test_all_slow_endpoints_have_their_turn() -> None:
    endpoints = Endpoints(total=4, each=4)
    slow = known_slow(endpoints, 6)
    for endpoint in slow:
        fill(endpoints, endpoint.name, 10)
    served = take_all(endpoints)
    for turn in range(12):
        endpoints.answered(served[turn], 9.0)
        served += take_all(endpoints)
    assert {endpoint.name for endpoint in served} == {endpoint.name for endpoint in slow}


def test_a_dead_endpoint_keeps_one_probe_and_the_rest_fails_with_it() -> None:
    endpoints = Endpoints(total=256, each=64)
    fill(endpoints, "dead", 100)
    endpoint, *_ = take_all(endpoints)
    lost = []
    while endpoint.running:
        lost += endpoints.failed(endpoint, 10.0, T0)
    assert len(lost) == 100 - 16 - 1
    assert endpoint.slots == 1
    assert len(take_all(endpoints)) == 1
    assert not endpoints.add(event("dead"), T0)
    assert endpoints.waiting == 0
    endpoints.failed(endpoint, 10.0, T0)
    assert endpoints.add(event("dead"), T0)
    assert not endpoints.add(event("dead"), T0)


def test_an_old_failure_says_nothing_of_now_and_an_answer_ends_it() -> None:
    endpoints = Endpoints()
    fill(endpoints, "dead", DOWN)
    taken = take_all(endpoints)
    for endpoint in taken:
        endpoints.failed(endpoint, 0.0, T0)
    later = T0 + FRESH
    assert all(endpoints.add(event("dead"), later) for _ in range(3))
    (probe,) = take_all(endpoints)
    endpoints.answered(probe, 0.01)
    assert all(endpoints.add(event("dead"), T0 + timedelta(seconds=1)) for _ in range(3))
    assert len(take_all(endpoints)) == 2


def test_an_event_whose_lease_is_nearly_over_is_left_to_others() -> None:
    endpoints = Endpoints()
    endpoints.add(event("a", NOW + SPARE), T0)
    endpoints.add(event("a", NOW + SPARE + 1), T0)
    assert len(take_all(endpoints)) == 1
    assert endpoints.waiting == 0


def test_enough_in_memory_is_told_and_then_that_there_is_room() -> None:
    endpoints = Endpoints(total=8, each=2)
    fill(endpoints, "a", 9)
    fill(endpoints, "b", 1)
    endpoint = next(e for e in take_all(endpoints) if e.name == "a")
    assert endpoints.busy(T0) == []
    fill(endpoints, "a", 1)
    assert endpoints.busy(T0) == ["a"]
    rooms = []
    while endpoint.running:
        rooms.append(endpoints.answered(endpoint, 0.01))
        take_all(endpoints)
    assert rooms.count(True) == 1
    assert endpoints.busy(T0) == []


def test_after_closing_nobody_has_a_turn() -> None:
    endpoints = Endpoints()
    fill(endpoints, "a", 3)
    endpoints.close()
    assert take_all(endpoints) == []
