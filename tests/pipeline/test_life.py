"""The life of a message from its rows, and why it is not over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from passerelle.domain.message import Dialect, EventKind, State
from passerelle.pipeline.life import DIALECTS, ENDS, of_message, tell, why_waiting
from passerelle.store.inspection import Traces

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


def seconds(count: float) -> datetime:
    return NOW + timedelta(seconds=count)


def message(**changes: Any) -> dict[str, Any]:
    row = dict.fromkeys(
        ("sent_at", "submitted_at", "delivered_at", "failed_at", "bounced_at", "opened_at", "reply_at", "stopped_at",
         "cancelled_at", "carrier")
    )  # fmt: skip
    row |= {
        "account_id": 1000, "id": 7, "number": 0, "submission_number": 12, "phone": 33639980001, "country": "FR",
        "text": "Bonjour", "parts": 1, "price": 38_000, "refunded": 0, "state": 0, "state_at": NOW, "uncertain": False,
        "error": "", "dialect": 1, "accepted_at": NOW, "due_at": NOW, "sender": "", "tag": "", "class": 0, "service": 1,
        "messages": 1, "email": "a@b.c", "encoding": 0,
    }  # fmt: skip
    return row | changes


def queued(**changes: Any) -> dict[str, Any]:
    return {
        "part": 1, "carrier": "orange", "lane": 0, "class": 0, "due_at": NOW, "valid_until": seconds(9e4),
        "attempts": 0, "uncertain": False, "leased": False, "binds": 1, "note": None, "ahead": 0,
    } | changes  # fmt: skip


def traces(row=None, queue=(), awaiting=(), events=(), replies=(), refunds=()) -> Traces:
    return Traces(row or message(), list(queue), list(awaiting), list(events), list(replies), list(refunds))


def test_every_end_and_every_dialect_has_its_words() -> None:
    assert set(ENDS) == {state for state in State if state > State.DELIVERED}
    assert set(DIALECTS) == set(Dialect)


def test_moments_stand_in_order_of_time() -> None:
    row = message(
        state=State.DELIVERED, sent_at=seconds(1), submitted_at=seconds(2), delivered_at=seconds(5), carrier="orange"
    )
    told = tell(traces(row, replies=[{"at": seconds(9), "text": "STOP", "stop": True}]), seconds(10))
    assert [(m.at, m.what, m.detail) for m in told.moments] == [
        (NOW, "accepted", "through SMS Partner"),
        (NOW, "priced", "1 part, premium: 0.038 EUR"),
        (seconds(1), "first attempt", "to orange"),
        (seconds(2), "taken by the operator", "to orange"),
        (seconds(5), "delivered", ""),
        (seconds(9), "answered STOP", "STOP"),
    ]
    assert (told.number, told.waiting) == (12, "")


def test_a_failure_tells_the_word_of_the_operator_and_the_money() -> None:
    row = message(
        state=State.REFUSED, failed_at=seconds(3), state_at=seconds(3), error="ESME_RINVDSTADR", refunded=38_000
    )
    told = tell(traces(row, refunds=[{"at": seconds(3), "amount": 38_000}]), seconds(9))
    assert [(m.what, m.detail) for m in told.moments[2:]] == [
        ("not taken by the operator", "the operator says ESME_RINVDSTADR"),
        ("money given back", "0.038 EUR"),
    ]


def test_notifications_that_wait_or_were_given_up_are_told() -> None:
    event = {"kind": EventKind.DELIVERED, "at": NOW, "url": "https://a/x", "attempts": 1, "error": "500", "state": 0}
    told = tell(traces(message(state=10), events=[event, event | {"state": 1, "attempts": 9}]), NOW)
    assert [(m.what, m.detail) for m in told.moments[2:]] == [
        ("notification (delivered) to be delivered", "https://a/x, 1 attempt, last: 500"),
        ("notification (delivered) given up", "https://a/x after 9 attempts, last: 500"),
    ]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (traces(queue=[queued()]), "it is next on orange"),
        (traces(queue=[queued(ahead=12)]), "12 parts go before it on orange"),
        (traces(queue=[queued(leased=True)]), "being handed to orange right now"),
        (traces(queue=[queued(binds=0, note="bind refused")]), "no bind to orange is up (bind refused)"),
        (traces(queue=[queued(due_at=seconds(90))]), "scheduled: it leaves in 90 s"),
        (traces(queue=[queued(due_at=seconds(9e4), **{"class": 1})]), "it may leave in 25 h: scheduled, or held"),
        (
            traces(message(error="ESME_RSYSERR"), queue=[queued(due_at=seconds(600), attempts=2)]),
            "attempt 2 failed for now (ESME_RSYSERR): the next one is in 10 min",
        ),
        (
            traces(queue=[queued(due_at=seconds(60), attempts=1, uncertain=True)]),
            "attempt 1 failed for now with an unknown outcome",
        ),
        (
            traces(
                message(state=1), awaiting=[{"carrier": "orange", "at": seconds(-300), "part": 1, "operator_id": "x"}]
            ),
            "orange has it since 5 min: its receipt is yet to come",
        ),
        (traces(message(state=1)), "its receipt is yet to come"),
        (traces(message(state=10), queue=[queued()]), ""),
    ],
)
def test_why_it_is_not_over(rows: Traces, words: str) -> None:
    said = why_waiting(rows, NOW)
    assert words in said and bool(words) == bool(said)


async def test_a_message_that_is_not_there_has_no_life(db) -> None:
    assert await of_message(db, 1, 2, NOW) is None
