"""Notifications in the words of the native API: one JSON object each, as Standard Webhooks recommends. Pure.

`{"type": "message.delivered", "timestamp": "2026-11-10T10:00:00Z", "data": {"id": ..., "to": ..., "state": ...}}`; the
id of the event is the header `webhook-id`.
"""

from __future__ import annotations

from typing import Any

from ...domain.account import Rules
from ...domain.event_types import type_of
from ...domain.message import Dialect
from ...pipeline.webhooks import envelope
from ...pipeline.wording import Told, Worded, Wording, kind_of
from .money import money


def report(told: Told, rules: Rules) -> Worded:
    """What became of a message, of any dialect."""
    return envelope(type_of(kind_of(told)), told.at, _message(told))


def reply(told: Told, rules: Rules) -> Worded:
    """What the receiver of a message wrote."""
    facts: dict[str, Any] = {"from": f"+{told.phone}", "text": told.text or None, "message": _message(told)}
    return envelope(type_of(told.event), told.at, facts)


def _message(told: Told) -> dict[str, Any]:
    number = told.message_id or told.snapshot
    return {
        "id": str(told.row_id),
        "dialect": dialect(told.dialect),
        "number": str(number) if number else None,
        "to": f"+{told.phone}",
        "state": told.state.name.lower(),
        "price": money(told.cost),
        "tag": told.tag or None,
        "campaign": told.campaign_name or None,
        "test": told.test,
    }


def dialect(one: Dialect) -> str:
    """Its name."""
    return one.name.lower()


WORDING = Wording(report, reply)
