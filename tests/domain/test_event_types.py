"""Types of events, and which of them a filter lets through."""

from __future__ import annotations

import pytest

from passerelle.domain.event_types import ENDS, PING, PROGRESS, TYPES, is_filter, type_of, wants
from passerelle.domain.message import EventKind


def test_every_kind_has_a_type_of_its_own() -> None:
    assert set(EventKind) <= set(TYPES)
    assert len(set(TYPES.values())) == len(TYPES)
    assert type_of(0) == PING and set(TYPES.values()) > PROGRESS and PROGRESS.isdisjoint(ENDS)


@pytest.mark.parametrize(
    ("filters", "name", "wanted"),
    [
        (["*"], "message.sent", True),
        (["message.*"], "message.sent", True),
        (["message.*"], "reply.received", False),
        (["message.delivered"], "message.delivered", True),
        (["message.delivered"], "message.failed", False),
        ([], "message.failed", False),
        ([], PING, True),
    ],
)
def test_what_an_endpoint_wants(filters: list[str], name: str, wanted: bool) -> None:
    assert wants(filters, name) is wanted


@pytest.mark.parametrize(("text", "good"), [("*", True), ("message.*", True), ("reply.received", True), ("message", False),
                                            ("", False), ("message.eaten", False), ("*.*", False)])  # fmt: skip
def test_what_may_be_asked_for(text: str, good: bool) -> None:
    assert is_filter(text) is good
