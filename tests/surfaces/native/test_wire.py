"""Notifications as JSON, of any dialect."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from passerelle.domain.account import Rules
from passerelle.domain.message import Dialect, EventKind, State
from passerelle.pipeline.wording import Told, url_for
from passerelle.surfaces.native.wire import WORDING

TOLD = Told(
    event=EventKind.FAILED, dialect=Dialect.SMSPARTNER, account_id=7, row_id=8, state=State.BOUNCED, message_id=9, snapshot=0,
    phone=33639980001, at=datetime(2026, 11, 10, 10, 0, tzinfo=UTC), cost=38_000, tag="",
)  # fmt: skip


def test_what_became_of_a_message() -> None:
    worded = WORDING.report(TOLD, Rules())
    assert worded is not None and worded[0] == "application/json"
    told = json.loads(worded[1])
    assert (told["type"], told["timestamp"], told["data"]["state"]) == (
        "message.bounced",
        "2026-11-10T10:00:00Z",
        "bounced",
    )
    assert (told["data"]["id"], told["data"]["number"], told["data"]["price"], told["data"]["tag"]) == (
        "8",
        "9",
        "0.038",
        None,
    )


def test_what_was_answered() -> None:
    worded = WORDING.reply(replace(TOLD, event=EventKind.REPLY, text="Oui"), Rules())
    assert worded is not None
    told = json.loads(worded[1])
    assert told["type"] == "reply.received"
    assert (told["data"]["from"], told["data"]["text"], told["data"]["message"]["id"]) == ("+33639980001", "Oui", "8")


def test_only_the_url_of_the_request_hears_of_a_native_message() -> None:
    rules = Rules(dlr_url="https://old.example/", reply_url="https://old.example/", webhook_url="https://old.example/")
    for kind in EventKind:
        assert url_for(kind, Dialect.NATIVE, "", "", rules) == ""
        assert url_for(kind, Dialect.NATIVE, "https://a.example/", "", rules) == "https://a.example/"
        assert url_for(kind, Dialect.NATIVE, "", "https://a.example/", rules) == "https://a.example/"
