"""Answers and callbacks of SMS Partner, to the letter."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from passerelle.domain.message import State
from passerelle.surfaces.smspartner import wire

AT = datetime(2026, 11, 12, 8, 15, 30, tzinfo=UTC)


def test_json_is_ascii_with_its_slashes():
    assert wire.encode({"message": "é/€"}, False) == b'{"message":"\\u00e9/\\u20ac"}'


@pytest.mark.parametrize(
    ("micro", "shown"),
    [
        (38_000, "0.038"),
        (50_000, "0.05"),
        (1_000_000, "1"),
        (0, "0"),
        (19_000_000, "19"),
        (123_456_789_000, "123456.789"),
    ],
)
def test_money_is_a_number_without_trailing_zeros(micro, shown):
    assert json.dumps(wire.money(micro)) == shown


@pytest.mark.parametrize(
    ("state", "word", "report"),
    [
        (State.ACCEPTED, "Waiting", None),
        (State.SUBMITTED, "Waiting", "waiting"),
        (State.UNCERTAIN, "Waiting", "waiting"),
        (State.DELIVERED, "Delivered", "delivered"),
        (State.UNDELIVERED, "Not delivered", "not delivered"),
        (State.BOUNCED, "Not delivered", "not delivered"),
        (State.UNCONFIRMED, "Not delivered", "not delivered"),
        (State.OPTED_OUT, "Not delivered", "not delivered"),
        (State.CANCELLED, "Not delivered", None),
        (State.REFUSED, "ko", "ko"),
        (State.EXPIRED, "ko", "ko"),
    ],
)
def test_words_of_states(state, word, report):
    assert wire.state_word(state) == word
    told = wire.delivery_report(state, message_id=70413, at=AT, phone=33639980001, cost=38_000)
    assert (told and told["status"]) == report


def test_a_delivery_report():
    told = wire.delivery_report(State.DELIVERED, message_id=70413, at=AT, phone=33639980001, cost=50_000, tag="colis")
    assert json.dumps(told) == (
        '{"status": "delivered", "msgId": "70413", "date": 1794471330, "phone": "+33639980001", "cost": "0.050", '
        '"currency": "EUR", "tag": "colis"}'
    )
    untagged = wire.delivery_report(State.REFUSED, message_id=1, at=AT, phone=33639980001, cost=0)
    assert untagged is not None and "tag" not in untagged


def test_replies():
    told = wire.reply(stop=False, phone=33639980001, text="Oui merci", message_id=70413)
    assert json.dumps(told) == (
        '{"type": "response", "phone_number": "+33639980001", "text": "Oui merci", "message_id": 70413}'
    )
    tapped = wire.reply(stop=True, phone=33639980001, text="STOP", message_id=1, postback="p")
    assert tapped["type"] == "stop" and list(tapped)[-1] == "postbackData"


def test_times_are_those_of_paris():
    assert (wire.local(AT), wire.epoch(AT)) == ("2026-11-12 09:15:30", "1794471330")


@pytest.mark.parametrize("text", ["a", "é"])
def test_what_is_written_is_json_whatever_was_echoed(text):
    assert json.loads(wire.encode({"messageId": float("inf"), "text": text}, False)) == {
        "messageId": None,
        "text": text,
    }
