"""Numbers of enumerations are in the database: they never change."""

from __future__ import annotations

import enum

import pytest

from passerelle.domain.lifecycle import FINAL
from passerelle.domain.message import Dialect, EventKind, Lane, OutcomeKind, State, TrafficClass

STORED: dict[type[enum.IntEnum], dict[str, int]] = {
    Dialect: {"SMSPARTNER": 1, "PRIMOTEXTO": 2, "VOICEPARTNER": 3, "MAILPARTNER": 4, "NATIVE": 5},
    TrafficClass: {"TRANSACTIONAL": 0, "MARKETING": 1},
    Lane: {"CODES": 0, "TRANSACTIONAL": 1, "BULK": 2},
    State: {
        "ACCEPTED": 0, "SUBMITTED": 1, "UNCERTAIN": 2, "DELIVERED": 10, "UNDELIVERED": 11, "BOUNCED": 12, "REFUSED": 13,
        "EXPIRED": 14, "CANCELLED": 15, "OPTED_OUT": 16, "UNCONFIRMED": 17,
    },
    EventKind: {
        "SENT": 1, "SUBMITTED": 2, "DELIVERED": 3, "FAILED": 4, "BOUNCED": 5, "UNSUBSCRIBED": 6, "REPLY": 7, "OPENED": 8,
    },
}  # fmt: skip


@pytest.mark.parametrize("stored", STORED, ids=lambda stored: stored.__name__)
def test_stored_numbers_stay_what_they_are(stored: type[enum.IntEnum]) -> None:
    now = {member.name: member.value for member in stored}
    assert {name: now.get(name) for name in STORED[stored]} == STORED[stored]
    assert len(set(now.values())) == len(now)


def test_queries_tell_an_end_by_its_number() -> None:
    """`state < 10` in SQL is "not final"."""
    assert {state for state in State if state >= 10} == FINAL


def test_lanes_leave_in_the_order_of_their_numbers() -> None:
    assert list(Lane) == sorted(Lane) == [Lane.CODES, Lane.TRANSACTIONAL, Lane.BULK, Lane.PAUSED]


def test_every_outcome_is_sent_failed_unknown_or_unsent() -> None:
    assert set(OutcomeKind) == {
        OutcomeKind.SENT, OutcomeKind.THROTTLED, OutcomeKind.TEMPORARY, OutcomeKind.PERMANENT, OutcomeKind.UNKNOWN,
        OutcomeKind.UNSENT, OutcomeKind.UNREACHABLE,
    }  # fmt: skip
