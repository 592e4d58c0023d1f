"""Where an event goes, who words it, and what is told to nobody."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from passerelle.domain.account import Rules
from passerelle.domain.message import Dialect, EventKind, State
from passerelle.pipeline.wording import Told, Wording, event_of, notification, url_for
from passerelle.store.events import NewEvent

AT = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
ACCOUNT = Rules(dlr_url="http://a/dlr", reply_url="http://a/reply", webhook_url="http://a/hook")
SECOND = Rules(webhook_url="http://a/hook", webhook_reply_url="http://a/hook-replies")
K = EventKind


@pytest.mark.parametrize(
    ("kind", "dialect", "dlr_url", "reply_url", "rules", "url"),
    [
        (K.DELIVERED, Dialect.SMSPARTNER, "http://s/dlr", "http://s/reply", ACCOUNT, "http://s/dlr"),
        (K.FAILED, Dialect.SMSPARTNER, "", "http://s/reply", ACCOUNT, "http://a/dlr"),
        (K.REPLY, Dialect.SMSPARTNER, "http://s/dlr", "http://s/reply", ACCOUNT, "http://s/reply"),
        (K.UNSUBSCRIBED, Dialect.SMSPARTNER, "http://s/dlr", "", ACCOUNT, "http://a/reply"),
        (K.REPLY, Dialect.SMSPARTNER, "http://s/dlr", "", Rules(dlr_url="http://a/dlr"), ""),
        (K.DELIVERED, Dialect.PRIMOTEXTO, "http://s/dlr", "", ACCOUNT, "http://a/hook"),
        (K.REPLY, Dialect.PRIMOTEXTO, "", "http://s/reply", ACCOUNT, "http://a/hook"),
        (K.REPLY, Dialect.PRIMOTEXTO, "", "", SECOND, "http://a/hook-replies"),
        (K.UNSUBSCRIBED, Dialect.PRIMOTEXTO, "", "", SECOND, "http://a/hook"),
        (K.DELIVERED, Dialect.PRIMOTEXTO, "http://s/dlr", "", Rules(), ""),
    ],
)
def test_where_an_event_goes(
    kind: EventKind, dialect: Dialect, dlr_url: str, reply_url: str, rules: Rules, url: str
) -> None:
    assert url_for(kind, dialect, dlr_url, reply_url, rules) == url


@pytest.mark.parametrize("state", [state for state in State if state >= State.DELIVERED])
def test_every_end_is_an_event(state: State) -> None:
    expected = {State.DELIVERED: K.DELIVERED, State.BOUNCED: K.BOUNCED}.get(state, K.FAILED)
    assert event_of(state, Dialect.SMSPARTNER) is expected
    assert event_of(state, Dialect.PRIMOTEXTO) is (K.UNSUBSCRIBED if state is State.OPTED_OUT else expected)


def told(event: EventKind) -> Told:
    return Told(event, Dialect.SMSPARTNER, 1000, 7, State.DELIVERED, 70413, 0, 33639980001, AT)


def test_reports_and_replies_are_worded_apart() -> None:
    wordings = {
        Dialect.SMSPARTNER: Wording(
            lambda told, rules: ("a", f"report {told.message_id}"), lambda told, rules: ("b", "r")
        ),
    }
    assert notification(wordings, told(K.DELIVERED), ACCOUNT) == NewEvent(
        1000, 7, K.DELIVERED, AT, "http://a/dlr", "a", "report 70413"
    )
    reply = notification(wordings, told(K.UNSUBSCRIBED), ACCOUNT)
    assert reply is not None
    assert (reply.url, reply.body) == ("http://a/reply", "r")


def test_what_nobody_wants_is_not_stored() -> None:
    silent = {Dialect.SMSPARTNER: Wording(lambda told, rules: None, lambda told, rules: None)}
    assert notification(silent, told(K.DELIVERED), ACCOUNT) is None
    assert notification({}, told(K.DELIVERED), ACCOUNT) is None
    speaking = {Dialect.SMSPARTNER: Wording(lambda told, rules: ("a", "b"), lambda told, rules: ("a", "b"))}
    assert notification(speaking, told(K.DELIVERED), Rules()) is None
