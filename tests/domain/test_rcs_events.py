from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.domain.rcs_events import Happened, Kind, parse

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
FROM = {"senderPhoneNumber": "+33639980001", "agentId": "agent", "messageId": "m1"}


def read(**event: Any) -> Happened | None:
    return parse(json.dumps(FROM | event), "agent", NOW)


@pytest.mark.parametrize("kind", [Kind.DELIVERED, Kind.READ, Kind.EXPIRED])
def test_events_of_a_message(kind: Kind) -> None:
    found = read(eventType=kind.value, sendTime="2026-11-20T09:59:58.123456789Z")
    assert found is not None and (found.kind, found.phone, found.name) == (kind, 33639980001, "m1")
    assert found.at == datetime(2026, 11, 20, 9, 59, 58, 123456, tzinfo=UTC)


def test_those_of_the_server_name_the_phone_otherwise() -> None:
    found = read(senderPhoneNumber=None, phoneNumber="+33639980001", eventType="TTL_EXPIRATION_REVOKED")
    assert found is not None and found.phone == 33639980001


def test_a_text_and_a_tap() -> None:
    said, tapped = read(text="Merci"), read(suggestionResponse={"text": "Oui", "postbackData": "yes", "type": "REPLY"})
    assert said is not None and (said.kind, said.text, said.postback) == (Kind.ANSWERED, "Merci", None)
    assert tapped is not None and (tapped.text, tapped.postback) == ("Oui", "yes")


def test_copies_have_the_same_key_and_nothing_else_has() -> None:
    events = [
        read(eventType="DELIVERED"), read(eventType="READ"), read(eventType="DELIVERED", messageId="m2"),
        read(eventType="DELIVERED", senderPhoneNumber="+33639980002"), read(text="a"), read(text="a", messageId="m2"),
        read(text="a", messageId=None), read(text="b", messageId=None),
    ]  # fmt: skip
    assert len({one.key for one in events if one}) == len(events)
    assert read(eventType="DELIVERED", eventId="x").key == read(eventType="DELIVERED", eventId="y").key  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "sent", ["", "yesterday", "2026-11-20T09:00:00", "2026-11-20T10:00:01Z", "2026-11-10T10:00:00Z"]
)
def test_a_time_that_is_not_to_be_believed_is_the_present(sent: str) -> None:
    found = read(eventType="DELIVERED", sendTime=sent)
    assert found is not None and found.at == NOW
    assert NOW - timedelta(days=3) <= found.at


@pytest.mark.parametrize(
    "event",
    [
        {"eventType": "IS_TYPING"}, {"eventType": "DELIVERED", "messageId": ""}, {"eventType": "DELIVERED", "agentId": "other"},
        {"eventType": "DELIVERED", "senderPhoneNumber": "33639980001"}, {"eventType": "DELIVERED", "senderPhoneNumber": 5},
        {"location": {"latitude": 1}}, {"suggestionResponse": {}}, {},
    ],
)  # fmt: skip
def test_what_says_nothing_to_us(event: dict[str, Any]) -> None:
    assert read(**event) is None


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"5", b"\xff", b"null", b"[" * 100_000])
def test_junk(body: bytes) -> None:
    assert parse(body, "agent", NOW) is None


VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one), max_leaves=5
)
NAMES = st.sampled_from(
    ["senderPhoneNumber", "phoneNumber", "eventType", "messageId", "text", "suggestionResponse", "sendTime", "agentId"]
)


@given(st.dictionaries(NAMES, VALUES | st.sampled_from(["+33639980001", "DELIVERED", "agent"])))
@settings(max_examples=200, deadline=None)
def test_any_json_is_read(event: dict[str, Any]) -> None:
    found = parse(json.dumps(event), "agent", NOW)
    assert found is None or (found.text + found.name).encode().count(b"\0") == 0
