"""The outgoing calls of SMS Partner as they stand on the wire: JSON, or a form where the account wants one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest

from passerelle.domain.account import Rules
from passerelle.domain.message import Dialect, EventKind, State
from passerelle.pipeline.wording import Told
from passerelle.surfaces.smspartner.notifications import answer, report

TOLD = Told(
    event=EventKind.DELIVERED, dialect=Dialect.SMSPARTNER, account_id=7, row_id=8, state=State.DELIVERED, message_id=70413,
    snapshot=0, phone=33639980001, at=datetime(2026, 11, 12, 8, 15, 30, tzinfo=UTC), cost=38_000, tag="colis",
)  # fmt: skip
REPLY = replace(TOLD, event=EventKind.REPLY, text="Oui & merci, 100 % d'accord é€")


def test_a_report_as_json() -> None:
    worded = report(TOLD, Rules())
    assert worded is not None and worded[0] == "application/json"
    assert json.loads(worded[1]) == {
        "status": "delivered", "msgId": "70413", "date": 1794471330, "phone": "+33639980001", "cost": "0.038",
        "currency": "EUR", "tag": "colis",
    }  # fmt: skip


def test_a_report_as_a_form_has_the_same_members() -> None:
    as_json, as_form = report(TOLD, Rules()), report(TOLD, Rules(callback_form=True))
    assert as_json is not None and as_form is not None
    assert as_form[0] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(as_form[1])) == {name: str(value) for name, value in json.loads(as_json[1]).items()}
    assert as_form[1].isascii() and "%2B33639980001" in as_form[1]


@pytest.mark.parametrize(
    ("event", "state", "status"),
    [
        (EventKind.SENT, State.SUBMITTED, None),
        (EventKind.SUBMITTED, State.SUBMITTED, "waiting"),
        (EventKind.SUBMITTED, State.DELIVERED, "waiting"),  # told late: it says what it was about
        (EventKind.DELIVERED, State.DELIVERED, "delivered"),
        (EventKind.FAILED, State.UNDELIVERED, "not delivered"),
        (EventKind.FAILED, State.UNCONFIRMED, "not delivered"),
        (EventKind.FAILED, State.OPTED_OUT, "not delivered"),
        (EventKind.FAILED, State.REFUSED, "ko"),
        (EventKind.FAILED, State.EXPIRED, "ko"),
        (EventKind.FAILED, State.CANCELLED, None),
    ],
)
def test_the_word_of_each_event(event, state, status) -> None:
    worded = report(replace(TOLD, event=event, state=state), Rules())
    assert (worded and json.loads(worded[1])["status"]) == status


@pytest.mark.parametrize("form", [False, True])
def test_what_a_receiver_wrote_arrives_as_it_was(form) -> None:
    worded = answer(REPLY, Rules(callback_form=form))
    assert worded is not None
    told = dict(parse_qsl(worded[1])) if form else json.loads(worded[1])
    assert (told["type"], told["text"], told["phone_number"]) == ("response", REPLY.text, "+33639980001")
    assert str(told["message_id"]) == "70413"


def test_an_opt_out_is_told_as_one() -> None:
    worded = answer(replace(REPLY, event=EventKind.UNSUBSCRIBED, text="STOP"), Rules())
    assert worded is not None and json.loads(worded[1])["type"] == "stop"
