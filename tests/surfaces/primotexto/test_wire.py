"""How requests are read and answers shaped, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.domain import numbers
from passerelle.domain.account import Rules
from passerelle.domain.message import Dialect, EventKind, State, TrafficClass
from passerelle.domain.reasons import Reason
from passerelle.pipeline.wording import Told
from passerelle.store.optouts import Blocked
from passerelle.store.snapshots import Reply, Snapshot
from passerelle.store.statistics import Counters
from passerelle.surfaces.primotexto import wire
from passerelle.surfaces.values import Malformed

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
MS = 1794304800000
NOTIFICATION, MARKETING = TrafficClass.TRANSACTIONAL, TrafficClass.MARKETING


def decoded(body: bytes) -> Any:
    return msgspec.json.decode(body)


def parsed(**members: Any) -> Any:
    return wire.parse_send({"number": "+33639980001", "message": "Bonjour", **members}, NOTIFICATION, NOW)


# --- reading -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, {"items": [("+33639980001", None)], "text": "Bonjour", "sender": "", "due_at": None, "tag": "", "faults": []}),
        ({"number": 33639980001}, {"items": [("33639980001", None)]}),
        ({"number": None}, {"items": [("", None)]}),
        ({"sender": "Mairie", "from": "Autre"}, {"sender": "Mairie"}),
        ({"from": "Autre"}, {"sender": "Autre"}),
        ({"sender": "", "from": "Autre"}, {"sender": "Autre"}),
        ({"sender": None, "from": None}, {"sender": ""}),
        ({"sender": 12345}, {"sender": "12345", "faults": []}),
        ({"category": "codes 2-fa_.", "campaignName": "Été 2026"}, {"tag": "codes 2-fa_.", "tag_key": "codes 2-fa_.", "campaign_name": "Été 2026"}),
        ({"category": "", "campaignName": None}, {"tag": "", "campaign_name": "", "faults": []}),
        ({"date": MS}, {"due_at": None, "faults": []}),
        ({"date": MS - 300_000}, {"due_at": None, "faults": []}),
        ({"date": None}, {"due_at": None, "faults": []}),
        ({"date": ""}, {"due_at": None, "faults": []}),
        ({"date": MS + 60_001}, {"due_at": NOW + timedelta(milliseconds=60_001)}),
        ({"date": str(MS + 60_000)}, {"due_at": NOW + timedelta(minutes=1)}),
        ({"date": MS + 365 * 86_400_000}, {"due_at": NOW + timedelta(days=365), "faults": []}),
    ],
)  # fmt: skip
def test_members_of_a_send(members: dict[str, Any], expected: dict[str, Any]) -> None:
    wanted = parsed(**members)
    assert {name: getattr(wanted, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        *(({"date": date}, Reason.DATE_INVALID) for date in (MS - 300_001, MS + 365 * 86_400_000 + 1, "demain", 10**30, True, [], 0, -1, 1.5)),
        *(({"category": tag}, Reason.TAG_INVALID) for tag in ("a" * 51, "a/b", "a\n", 7, {}, False)),
        *(({"campaignName": name}, Reason.CAMPAIGN_NAME_INVALID) for name in ("a" * 101, " ", 7, [])),
        *(({"sender": sender}, Reason.SENDER_CHARACTERS) for sender in ([], {}, True)),
    ],
)  # fmt: skip
def test_members_that_are_wrong(members: dict[str, Any], reason: Reason) -> None:
    assert [finding.reason for finding in parsed(**members).faults] == [reason]


def test_only_marketing_in_france_needs_a_mention() -> None:
    cases = [(MARKETING, "+33639980001", True), (MARKETING, "0690000001", True), (MARKETING, "+32470000001", False),
             (NOTIFICATION, "+33639980001", False)]  # fmt: skip
    for traffic, number, needed in cases:
        wanted = wire.parse_send({"number": number}, traffic, NOW)
        assert (wanted.stop_mention, wanted.traffic) == (needed, traffic), number


@pytest.mark.parametrize("body", [None, [], "SEND", 7, True])
def test_a_body_that_is_no_object(body: Any) -> None:
    with pytest.raises(Malformed):
        wire.parse_send(body, NOTIFICATION, NOW)
    with pytest.raises(Malformed):
        wire.posted_identifier(body)


@pytest.mark.parametrize(
    ("query", "expected"),
    [({}, ""), ({"identifier": " "}, ""), ({"identifier": " 33600000000"}, "+33600000000"), ({"identifier": " 0600000000"}, " 0600000000"),
     ({"identifier": "+33600000000"}, "+33600000000"), ({"identifier": "06 00 00 00 00"}, "06 00 00 00 00")],
)  # fmt: skip
def test_a_number_in_a_query(query: dict[str, str], expected: str) -> None:
    assert wire.identifier(query) == expected


@pytest.mark.parametrize(
    ("raw", "phone"),
    [
        ("0600000000", 33600000000),
        ("+33142278186", 33142278186),
        ("+32470123456", 32470123456),
        ("+33836656565", None),
        ("x", None),
    ],
)
def test_numbers_that_a_list_may_hold(raw: str, phone: int | None) -> None:
    assert wire.phone(raw) == phone


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("2147483647", 2**31 - 1), ("2147483648", None), ("0", None), ("-1", None), ("x", None), ("٣", None)],
)
def test_a_snapshot_number(text: str, number: int | None) -> None:
    assert wire.snapshot_number(text) == number


def test_a_token_is_24_lower_case_hexadecimal_characters() -> None:
    assert wire.token("533e9f59e4b05d2efeb6f1b4") == bytes.fromhex("533e9f59e4b05d2efeb6f1b4")
    assert [wire.token(text) for text in ("533E9F59E4B05D2EFEB6F1B4", "", "533e", "533e9f59e4b05d2efeb6f1b4 ")] == [
        None
    ] * 4


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = ("number", "message", "sender", "from", "campaignName", "category", "date", "identifier")


@given(st.dictionaries(st.sampled_from(MEMBERS), json_values))
def test_no_object_breaks_the_reader(body: dict[str, Any]) -> None:
    wanted = wire.parse_send(body, MARKETING, NOW)
    assert isinstance(wanted.text, str)
    assert isinstance(wire.posted_identifier(body), str)


# --- writing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cost", "unit", "text"),
    [(38_000, 38_000, b"1.0"), (76_000, 38_000, b"2.0"), (26146 * 38_000, 38_000, b"26146.0"), (28_500, 38_000, b"0.75"),
     (50_000, 38_000, b"1.32"), (1, 200, b"0.01"), (38_000, 0, b"0.0")],
)  # fmt: skip
def test_credits_have_a_decimal_point_and_two_decimals_at_most(cost: int, unit: int, text: bytes) -> None:
    assert wire.sent(cost, unit, 386479) == b'{"creditsUsed":' + text + b',"snapshotId":"386479"}'


STEPS = ("sent_at", "submitted_at", "failed_at", "bounced_at", "delivered_at", "opened_at", "reply_at", "stopped_at")
WORDS = ("sent", "submitted", "error", "bounced", "delivered", "opened", "reply", "unsubscribed")


def message(**times: datetime | None) -> Snapshot:
    return Snapshot(**dict.fromkeys(STEPS, None) | {"number": 362891, "accepted_at": NOW, "test": False} | times)  # type: ignore[arg-type]


def test_what_has_not_left_reads_waiting() -> None:
    assert wire.status(message()) == b'{"id":362891,"state":"submitted","stateDate":%d,"test":false}' % MS


def test_the_sample_of_the_contract() -> None:
    later = {
        "sent_at": NOW,
        "submitted_at": NOW + timedelta(milliseconds=494),
        "delivered_at": NOW + timedelta(seconds=31),
    }
    assert wire.status(message(**later)) == (
        b'{"delivered":%d,"id":362891,"sent":%d,"state":"delivered","stateDate":%d,"submitted":%d,"test":false}'
        % (MS + 31_000, MS, MS + 31_000, MS + 494)
    )


def test_the_state_is_the_step_of_the_highest_rank_whenever_it_came() -> None:
    for chosen in (set(c) for n in range(1, 9) for c in combinations(range(8), n)):
        times = {STEPS[n]: NOW + timedelta(seconds=(n * 5) % 8) for n in chosen}
        best = max(chosen)
        if best == 3 and 2 in chosen:  # of one rank: the later
            best = max((2, 3), key=lambda n: times[STEPS[n]])
        shown = decoded(wire.status(message(**times)))
        assert shown["state"] == WORDS[best], chosen
        assert shown["stateDate"] == MS + ((best * 5) % 8) * 1000
        assert set(shown) - {"id", "state", "stateDate", "test"} == {WORDS[n] for n in chosen} - {"error"}
        assert list(shown) == sorted(shown)


def test_a_bounce_that_is_also_its_failure_is_a_bounce() -> None:
    assert wire.state_of(message(sent_at=NOW, failed_at=NOW, bounced_at=NOW))[0] == "bounced"


def test_statistics_have_thirteen_members_in_order() -> None:
    counted = Counters(
        5, 0, 4, 3, 2, 1, 1, 6, 7, opens=9, clicks=10, visits=2, seconds=25, unsubscribers=8, openers=3, clickers=4
    )
    assert list(decoded(wire.statistics(counted)).items()) == [
        ("sent", 4), ("submitted", 3), ("delivered", 2), ("openers", 3), ("clickers", 4), ("clicks", 10), ("opens", 9),
        ("replies", 6), ("unsubscribers", 8), ("errors", 1), ("bounced", 1), ("complaint", 7), ("timespent", 13),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "visits", "told"), [(0, 0, 0), (7, 0, 0), (0, 3, 0), (4, 3, 1), (5, 3, 2), (3, 2, 2)]
)
def test_time_is_of_a_visit_and_rounded_half_up(seconds, visits, told) -> None:
    assert wire.timespent(Counters(seconds=seconds, visits=visits)) == told


def test_account_statistics_are_seven_integers() -> None:
    counted = [
        Counters(sent=7, delivered=3, submitted=6, bounced=2, unsubscribers=1),
        Counters(sent=2, delivered=1, submitted=2),
    ]
    assert wire.account_statistics(counted, 1, 379_999, 38_000) == (
        b'{"bounces":2,"credits":9,"delivered":4,"sent":9,"submitted":8,"undelivered":5,"unsubscribers":1}'
    )


def test_blacklists_show_french_numbers_as_they_are_dialled() -> None:
    phones = [33600000000, 590690000001]
    shown = decoded(wire.blacklists(phones, [], national=True))
    assert shown == {
        "bounces": {"number": 2, "identifiers": ["0600000000", "+590690000001"]},
        "unsubscribers": {"number": 0, "identifiers": []},
    }
    assert decoded(wire.blacklists([], phones, national=False))["unsubscribers"]["identifiers"] == [
        "+33600000000",
        "+590690000001",
    ]


def test_entries_and_replies() -> None:
    token, history = bytes(range(12)), [{"date": MS, "campaignId": "0b" * 12}]
    shown = decoded(wire.entries([Blocked(7, token, 33600000000, NOW, history)], "52f0a1b2c3d4e5f601234567"))
    assert shown == [
        {
            "id": token.hex(),
            "deleted": False,
            "identifier": "+33600000000",
            "blacklistId": "52f0a1b2c3d4e5f601234567",
            "history": history,
        }
    ]
    assert decoded(wire.replies([Reply(token, 33600000000, "Réponse 1")])) == [
        {"id": token.hex(), "identifier": "+33600000000", "message": "Réponse 1"}
    ]


def test_a_list_id_is_of_its_account_and_list() -> None:
    ids = {wire.list_id(account, list_) for account in (1000, 1001) for list_ in (1, 2)}
    assert len(ids) == 4
    assert all(wire.token(one) for one in ids)
    assert wire.list_id(1000, 1) in ids


@pytest.mark.parametrize(
    ("raw", "bounce", "stop", "expected"),
    [
        ("0600000000", False, False, (False, "+33600000000", "OK")),
        ("0690000001", False, False, (False, "+590690000001", "OK")),
        ("+32470123456", False, False, (True, "+32470123456", "OK")),
        ("0600000000", True, True, (False, "+33600000000", "BOUNCED")),
        ("0600000000", False, True, (False, "+33600000000", "UNSUBSCRIBED")),
        ("0142278186", True, True, (False, "+33142278186", "FIXED_LINE")),
        ("0836656565", True, True, (False, None, "INVALID")),
        ("coucou", False, False, (False, None, "INVALID")),
    ],
)
def test_the_check_says_the_first_that_fits(raw: str, bounce: bool, stop: bool, expected: tuple[object, ...]) -> None:
    shown = decoded(wire.check(raw, numbers.normalise(raw, False), bounce, stop))
    assert list(shown) == ["international", "rawIdentifier", "formattedIdentifier", "status"]
    assert (shown["international"], shown["formattedIdentifier"], shown["status"]) == expected
    assert shown["rawIdentifier"] == raw


# --- notifications -------------------------------------------------------------------------------------------------


def told(event: EventKind, **facts: Any) -> Any:
    given = {"dialect": Dialect.PRIMOTEXTO, "account_id": 1001, "row_id": 1, "state": State.SUBMITTED, "message_id": 0, "snapshot": 386479,
             "phone": 33600000000, "at": NOW}  # fmt: skip
    media, body = wire.webhook(Told(event, **given | facts), Rules())
    assert media == "application/json;charset=UTF-8"
    return body


def test_a_notification_of_a_reply_in_full() -> None:
    campaign = bytes.fromhex("56fa3cd56004e52d55333d87")
    assert told(EventKind.REPLY, text="OK", tag="codes-2fa", campaign_name="Codes", campaign_id=campaign) == (
        '{"event":"reply","snapshotId":"386479","contact":{"identifier":"+33600000000"},"replyMessage":"OK","date":1794304800000,'
        '"category":"codes-2fa","campaignName":"Codes","campaignId":"56fa3cd56004e52d55333d87","test":false}'
    )


def test_members_that_a_notification_has_only_when_there_is_something_to_say() -> None:
    assert list(decoded(told(EventKind.UNSUBSCRIBED, text="STOP"))) == [
        "event",
        "snapshotId",
        "contact",
        "date",
        "test",
    ]
    stray = decoded(told(EventKind.REPLY, snapshot=0))
    assert "snapshotId" not in stray
    assert stray["replyMessage"] != ""


def test_every_event_has_its_word() -> None:
    """Those of numbers, rentals, surveys and RCS belong to the other dialects."""
    assert {decoded(told(kind))["event"] for kind in wire.EVENTS} == {
        "sent", "submitted", "delivered", "bounced", "unsubscribed", "error", "opened", "reply",
    }  # fmt: skip
