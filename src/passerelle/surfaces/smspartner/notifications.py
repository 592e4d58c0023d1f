"""The outgoing calls of this dialect as bytes: JSON, or a form where the account wants one (contract 2.11)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec

from ...domain.account import Rules
from ...domain.message import EventKind, State
from ...pipeline.wording import Told, Worded
from . import wire

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


def report(told: Told, rules: Rules) -> Worded | None:
    """O3: what became of a message."""
    state = State.SUBMITTED if told.event is EventKind.SUBMITTED else told.state
    if told.event is EventKind.SENT:
        return None
    words = wire.delivery_report(
        state, message_id=told.message_id, at=told.at, phone=told.phone, cost=told.cost, tag=told.tag
    )
    return None if words is None else _encoded(words, rules)


def answer(told: Told, rules: Rules) -> Worded | None:
    """O1: what the receiver of a message wrote."""
    stop = told.event is EventKind.UNSUBSCRIBED
    return _encoded(wire.reply(stop=stop, phone=told.phone, text=told.text, message_id=told.message_id), rules)


def _encoded(words: dict[str, Any], rules: Rules) -> Worded:
    if rules.callback_form:
        return FORM, urlencode(words)
    return JSON, msgspec.json.encode(words).decode()
