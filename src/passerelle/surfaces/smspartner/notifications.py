"""The outgoing calls of this dialect as bytes: JSON, or a form where the account wants one (contract 2.11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec

from ...domain.account import Rules
from ...domain.message import EventKind, State
from ...domain.rental import State as RentalState
from ...pipeline.verifications import Checked
from ...pipeline.wording import Told, Worded
from . import wire

JSON, FORM = "application/json", "application/x-www-form-urlencoded"

RENTAL_WORDS = {
    RentalState.REQUESTED: "File requested",
    RentalState.GENERATING: "File being generated",
    RentalState.READY: "File ready",
    RentalState.FAILED: "File generation failed",
    RentalState.DOWNLOADED: "File downloaded by user from api",
}


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
    """O1: what the receiver of a message wrote; O2 where it was written to a long number, an opt-out excepted."""
    if told.long is not None:
        return _encoded(wire.long_reply(told.long, phone=told.phone, text=told.text, at=told.at), rules)
    stop = told.event is EventKind.UNSUBSCRIBED
    words = wire.reply(stop=stop, phone=told.phone, text=told.text, message_id=told.message_id, postback=told.postback)
    return _encoded(words, rules)


def rental(token: str, state: RentalState, rules: Rules) -> Worded:
    """O5: the file of a contact rental is ready, or failed."""
    return _encoded({"token": token, "status": int(state), "message": RENTAL_WORDS[state]}, rules)


def check(as_group: bool) -> Callable[[Checked, Rules], Worded]:
    """O4, the result of a number check; `as_group`: `errorGrpId` is the group of the error, not its id."""

    def worded(checked: Checked, rules: Rules) -> Worded:
        return _encoded(wire.check(checked, as_group=as_group), rules)

    return worded


def _encoded(words: dict[str, Any], rules: Rules) -> Worded:
    if rules.callback_form:
        return FORM, urlencode(words)
    return JSON, msgspec.json.encode(words).decode()
