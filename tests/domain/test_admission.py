"""The rules of sending: every fault of a request is found, and what is kept is exactly what was asked for and allowed."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.domain.account import Account, AccountState, Rules
from passerelle.domain.admission import Judged, Wanted, judge, judge_number, sender_findings
from passerelle.domain.message import TrafficClass
from passerelle.domain.pricing import Service
from passerelle.domain.profile import PRIMOTEXTO, SMSPARTNER, Profile
from passerelle.domain.reasons import Finding, Reason
from passerelle.domain.text import Encoding

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)  # a Tuesday, 11:00 in Paris; the 11th is a public holiday
EVENING = datetime(2026, 11, 12, 19, 30, tzinfo=UTC)  # Thursday, 20:30
SUNDAY = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)  # 08:00 in Paris

BAKERY = Account(
    id=1000,
    version=4,
    state=AccountState.ACTIVE,
    email="bakery@example.org",
    firstname="",
    lastname="",
    rules=Rules(),
    prices={(1, "FR"): 38_000, (1, "RE"): 40_500, (2, "FR"): 23_000, (1, "BE"): 60_000},
    refused_senders=frozenset({"BANQUE"}),
    numbers=frozenset({"33600000000"}),
)


def bakery(**rules: object) -> Account:
    return replace(BAKERY, rules=replace(Rules(), **rules))


def judged(
    *numbers: str, account: Account = BAKERY, profile: Profile = SMSPARTNER, now: datetime = NOW, **wish: object
) -> Judged:
    """The verdict on one text to some numbers."""
    wish.setdefault("text", "Bonjour")
    return judge(Wanted(items=[(n, None) for n in numbers or ["0639980001"]], **wish), account, profile, now)


def reasons(findings: list[Finding]) -> list[Reason]:
    return [finding.reason for finding in findings]


# --- the whole -----------------------------------------------------------------------------------------------------


def test_a_plain_request_becomes_a_submission() -> None:
    verdict = judged("0639980001", "+33 6 39 98 00 02", text="Bonjour", sender="Boutique", tag="Colis", tag_key="colis")
    submission = verdict.submission
    assert submission is not None and not verdict.findings and not verdict.dropped
    assert [(to.phone, to.country, to.parts, to.price, to.text) for to in submission.recipients] == [
        (33639980001, "FR", 1, 38_000, None),
        (33639980002, "FR", 1, 38_000, None),
    ]
    assert (submission.account_id, submission.account_version) == (1000, 4)
    assert (submission.text, submission.sender, submission.tag, submission.tag_key) == (
        "Bonjour", "Boutique", "Colis", "colis",
    )  # fmt: skip
    assert submission.accepted_at == submission.due_at == NOW and not submission.scheduled


def test_all_faults_are_found_at_once() -> None:
    verdict = judged(
        "0639980001",
        text=" ",
        sender="x!",
        service=Service.ECO,
        account=bakery(eco=False),
        faults=[Finding(Reason.TAG_LONG, "tag")],
    )
    assert verdict.submission is None
    assert set(reasons(verdict.findings)) == {
        Reason.TAG_LONG, Reason.SENDER_SHORT, Reason.SENDER_CHARACTERS, Reason.ECO_FORBIDDEN, Reason.TEXT_MISSING,
    }  # fmt: skip


def test_nobody_left_is_no_fault_of_the_request() -> None:
    verdict = judged("nonsense")
    assert verdict.submission is None and not verdict.findings
    assert verdict.dropped == [Finding(Reason.NUMBER_INVALID, "nonsense", 0)]


@pytest.mark.parametrize(
    ("profile", "traffic", "scopes", "applies"),
    [
        (SMSPARTNER, TrafficClass.TRANSACTIONAL, {}, True),
        (SMSPARTNER, TrafficClass.TRANSACTIONAL, {"stop_scope_smspartner": "marketing"}, False),
        (SMSPARTNER, TrafficClass.MARKETING, {"stop_scope_smspartner": "marketing"}, True),
        (PRIMOTEXTO, TrafficClass.TRANSACTIONAL, {}, False),
        (PRIMOTEXTO, TrafficClass.TRANSACTIONAL, {"stop_scope_primotexto": "all"}, True),
        (PRIMOTEXTO, TrafficClass.MARKETING, {}, True),
    ],
)
def test_where_the_stop_list_applies(
    profile: Profile, traffic: TrafficClass, scopes: dict[str, str], applies: bool
) -> None:
    verdict = judged("+33639980001", profile=profile, traffic=traffic, account=bakery(**scopes))
    assert verdict.submission is not None and verdict.submission.stop_applies is applies
    assert verdict.submission.bounce_applies is (profile is PRIMOTEXTO)


# --- the sender ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "profile", "found"),
    [
        ("", SMSPARTNER, []),
        ("Boutique", SMSPARTNER, []),
        ("Ma Boutique", SMSPARTNER, []),
        ("Ma Boutique", PRIMOTEXTO, [Reason.SENDER_CHARACTERS]),
        ("ab", SMSPARTNER, [Reason.SENDER_SHORT]),
        ("abcdefghijkl", SMSPARTNER, [Reason.SENDER_LONG]),
        ("Crème", SMSPARTNER, [Reason.SENDER_CHARACTERS]),
        ("a-b", PRIMOTEXTO, [Reason.SENDER_CHARACTERS]),
        ("12345", SMSPARTNER, [Reason.SENDER_DIGITS]),
        ("33600000000", SMSPARTNER, []),  # its own
        ("banque", SMSPARTNER, [Reason.SENDER_PROTECTED]),
        ("Ban Que", SMSPARTNER, [Reason.SENDER_PROTECTED]),
        ("Banque", PRIMOTEXTO, [Reason.SENDER_PROTECTED]),
        ("   ", SMSPARTNER, [Reason.SENDER_CHARACTERS]),
    ],
)
def test_senders(sender: str, profile: Profile, found: list[Reason]) -> None:
    assert reasons(sender_findings(sender, BAKERY, profile)) == found


# --- the time ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("now", [NOW, EVENING, SUNDAY])
def test_what_is_no_marketing_leaves_at_any_hour(now: datetime) -> None:
    verdict = judged(now=now)
    assert verdict.submission is not None and verdict.submission.due_at == now


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (NOW, NOW),
        (EVENING, EVENING.replace(day=13, hour=7, minute=0)),
        (SUNDAY, MONDAY),
        (NOW.replace(day=11), NOW.replace(day=12, hour=7)),  # the 11th of November
    ],
)
def test_marketing_in_a_closed_hour_is_held_to_the_next_open_one(now: datetime, due: datetime) -> None:
    verdict = judged(now=now, traffic=TrafficClass.MARKETING)
    assert verdict.submission is not None and verdict.submission.due_at == due
    assert verdict.submission.scheduled is (due > now)


@pytest.mark.parametrize(
    ("profile", "quiet_dates", "due", "found"),
    [
        (SMSPARTNER, "hold", EVENING, [Reason.CLOSED_HOUR]),  # the dialect says it, not the account
        (SMSPARTNER, "hold", SUNDAY, [Reason.CLOSED_DAY]),
        (PRIMOTEXTO, "refuse", EVENING, [Reason.CLOSED_HOUR]),
        (PRIMOTEXTO, "hold", SUNDAY, []),
        (SMSPARTNER, "hold", MONDAY, []),
    ],
)
def test_a_date_in_a_closed_hour(profile: Profile, quiet_dates: str, due: datetime, found: list[Reason]) -> None:
    account = bakery(quiet_dates=quiet_dates)
    verdict = judged("+33639980001", due_at=due, traffic=TrafficClass.MARKETING, profile=profile, account=account)
    assert reasons(verdict.findings) == found
    if not found:
        assert verdict.submission is not None and verdict.submission.due_at == MONDAY and verdict.submission.scheduled


def test_a_request_without_a_class_of_its_own_has_that_of_its_account() -> None:
    marketing = bakery(traffic_class=TrafficClass.MARKETING)
    one = judged(account=marketing, now=EVENING, traffic=None).submission
    assert one is not None
    assert (one.traffic, one.scheduled) == (TrafficClass.MARKETING, True)
    other = judged(account=bakery(), now=EVENING, traffic=None).submission
    assert other is not None
    assert (other.traffic, other.scheduled) == (TrafficClass.TRANSACTIONAL, False)


def test_an_exempt_account_may_send_marketing_at_night() -> None:
    verdict = judged(now=EVENING, traffic=TrafficClass.MARKETING, account=bakery(quiet_exempt=True))
    assert verdict.submission is not None and verdict.submission.due_at == EVENING


@given(st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)), st.sampled_from(["hold", "refuse"]))
@settings(max_examples=50)
def test_marketing_never_leaves_in_a_closed_hour(moment: datetime, quiet_dates: str) -> None:
    now = moment.replace(tzinfo=UTC)
    account = bakery(quiet_dates=quiet_dates)
    held = judged("+33639980001", now=now, traffic=TrafficClass.MARKETING, profile=PRIMOTEXTO, account=account)
    assert held.submission is not None and held.submission.due_at >= now
    again = judged("+33639980001", now=held.submission.due_at, traffic=TrafficClass.MARKETING, account=account)
    assert again.submission is not None and again.submission.due_at == held.submission.due_at


# --- the text ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wish", "profile", "rules", "found"),
    [
        ("", {}, SMSPARTNER, {}, Reason.TEXT_MISSING),
        ("\n ", {}, PRIMOTEXTO, {}, Reason.TEXT_MISSING),
        ("x" * 1531, {}, SMSPARTNER, {}, Reason.TEXT_LONG),  # 10 parts of 153
        ("x" * 919, {}, PRIMOTEXTO, {}, Reason.TEXT_LONG),  # 6 parts
        ("x" * 161, {"service": Service.ECO}, SMSPARTNER, {}, Reason.ECO_LONG),
        ("Bravo ✓", {}, PRIMOTEXTO, {}, Reason.TEXT_CHARACTERS),
        ("Bravo ✓", {}, PRIMOTEXTO, {"characters": "transliterate"}, Reason.TEXT_CHARACTERS),
        ("Promo", {"stop_mention": True}, PRIMOTEXTO, {"stop_missing": "refuse"}, Reason.STOP_MENTION_MISSING),
    ],
)
def test_texts_that_cannot_leave(text: str, wish: dict, profile: Profile, rules: dict, found: Reason) -> None:
    verdict = judged("+33639980001", text=text, profile=profile, account=bakery(**rules), **wish)
    assert verdict.submission is None and reasons(verdict.findings) == [found]


def test_the_characters_that_stand_in_the_way_are_named() -> None:
    assert judged(text="Ça ✓", profile=PRIMOTEXTO).findings == [Finding(Reason.TEXT_CHARACTERS, "✓")]


@pytest.mark.parametrize(
    ("text", "wish", "profile", "rules", "sent", "encoding", "parts"),
    [
        ("x" * 1530, {}, SMSPARTNER, {}, "x" * 1530, Encoding.GSM, 10),
        ("x" * 918, {}, PRIMOTEXTO, {}, "x" * 918, Encoding.GSM, 6),
        ("Là:br:bas", {}, SMSPARTNER, {}, "Là\r\nbas", Encoding.GSM, 1),
        ("Ça — œuf", {}, SMSPARTNER, {}, "Ça - oeuf", Encoding.GSM, 1),
        ("Bravo ✓", {"unicode": True}, SMSPARTNER, {}, "Bravo ✓", Encoding.UCS2, 1),
        ("Bravo ✓", {}, PRIMOTEXTO, {"characters": "unicode"}, "Bravo ✓", Encoding.UCS2, 1),
        ("Bravo", {}, PRIMOTEXTO, {"characters": "unicode"}, "Bravo", Encoding.GSM, 1),
        ("Ça — œuf", {}, PRIMOTEXTO, {"characters": "transliterate"}, "Ça - oeuf", Encoding.GSM, 1),
        ("Promo", {"stop_mention": True}, SMSPARTNER, {}, "Promo\nSTOP 36000", Encoding.GSM, 1),
        ("Promo STOP 36000", {"stop_mention": True}, SMSPARTNER, {}, "Promo STOP 36000", Encoding.GSM, 1),
        ("Promo STOP 12345", {"stop_mention": True}, PRIMOTEXTO, {}, "Promo STOP 12345", Encoding.GSM, 1),
        ("Promo", {"stop_mention": True, "service": Service.ECO}, SMSPARTNER, {}, "Promo", Encoding.GSM, 1),
        ("x" * 155, {"stop_mention": True}, SMSPARTNER, {}, "x" * 155 + "\nSTOP 36000", Encoding.GSM, 2),
    ],
)
def test_what_is_sent_and_what_it_is_billed_as(
    text: str, wish: dict, profile: Profile, rules: dict, sent: str, encoding: Encoding, parts: int
) -> None:
    submission = judged("+33639980001", text=text, profile=profile, account=bakery(**rules), **wish).submission
    assert submission is not None
    to = submission.recipients[0]
    assert (submission.text, to.encoding, to.parts) == (sent, encoding, parts)
    assert to.price == parts * (23_000 if wish.get("service") is Service.ECO else 38_000)


def test_unicode_is_for_accounts_that_may() -> None:
    submission = judged(text="Bravo ✓", unicode=True, account=bakery(unicode=False)).submission
    assert submission is not None and submission.recipients[0].encoding is Encoding.GSM


# --- the recipients ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "profile", "found"),
    [
        ("", SMSPARTNER, Reason.NUMBER_MISSING),
        ("  ", PRIMOTEXTO, Reason.NUMBER_MISSING),
        ("abc", SMSPARTNER, Reason.NUMBER_INVALID),
        ("0140205050", SMSPARTNER, Reason.NOT_MOBILE),
        ("0140205050", PRIMOTEXTO, Reason.NUMBER_FIXED),
        ("0899123456", PRIMOTEXTO, Reason.NUMBER_INVALID),
        ("447911123456", PRIMOTEXTO, Reason.NUMBER_INVALID),  # digits without + are national there
        ("+32470123456", PRIMOTEXTO, Reason.INTERNATIONAL_OFF),
        ("+14155552671", SMSPARTNER, Reason.NO_PRICE),  # fixed and mobile look alike there
        ("+447911123456", SMSPARTNER, Reason.NO_PRICE),
    ],
)
def test_numbers_that_are_left_out(raw: str, profile: Profile, found: Reason) -> None:
    verdict = judged("+33639980001", raw, profile=profile)
    assert reasons(verdict.dropped) == [found] and verdict.dropped[0].position == 1
    assert verdict.submission is not None and len(verdict.submission.recipients) == 1


def test_a_number_counts_once_however_it_is_written() -> None:
    verdict = judged("0639980001", "+33639980001", "33639980001", "0033 6 39 98 00 01")
    assert verdict.submission is not None and len(verdict.submission.recipients) == 1
    assert [(f.reason, f.position) for f in verdict.dropped] == [(Reason.DUPLICATE, n) for n in (1, 2, 3)]


def test_each_country_has_its_price_rounded_before_the_debit() -> None:
    verdict = judged("+262692123456", "+32470123456", text="x" * 161)
    assert verdict.submission is not None
    assert [(to.country, to.price) for to in verdict.submission.recipients] == [("RE", 81_000), ("BE", 120_000)]
    assert judged("+262692123456").submission.recipients[0].price == 41_000


def test_abroad_is_open_to_whom_it_was_opened() -> None:
    verdict = judged("+32470123456", profile=PRIMOTEXTO, account=bakery(international=True))
    assert verdict.submission is not None and verdict.submission.recipients[0].price == 60_000


def test_each_message_of_a_list_is_judged_by_itself() -> None:
    items = [
        ("0639980001", "court"),
        ("0639980002", "x" * 200),
        ("0639980003", " "),
        ("", "y"),
        ("0639980004", "z" * 1600),
    ]
    verdict = judge(Wanted(items=items), BAKERY, SMSPARTNER, NOW)
    assert verdict.submission is not None and not verdict.findings
    assert [(to.text, to.parts, to.position, to.index) for to in verdict.submission.recipients] == [
        ("court", 1, 0, 0),
        ("x" * 200, 2, 1, 1),
    ]
    assert [(f.reason, f.position) for f in verdict.dropped] == [
        (Reason.TEXT_MISSING, 2), (Reason.NUMBER_MISSING, 3), (Reason.TEXT_LONG, 4),
    ]  # fmt: skip


anything = st.one_of(
    st.text(max_size=15),
    st.from_regex(r"(\+33|0033|33|0)6399800[0-9]{2}", fullmatch=True),
    st.sampled_from(["+32470123456", "0140205050", "+447911123456"]),
)


@given(st.lists(anything, max_size=12), st.sampled_from([SMSPARTNER, PRIMOTEXTO]))
@settings(max_examples=50)
def test_every_item_is_kept_once_or_dropped_once(raws: list[str], profile: Profile) -> None:
    verdict = judge(Wanted(items=[(raw, None) for raw in raws], text="Bonjour"), BAKERY, profile, NOW)
    kept = verdict.submission.recipients if verdict.submission else []
    positions = [to.position for to in kept] + [finding.position for finding in verdict.dropped]
    assert sorted(positions) == list(range(len(raws)))
    assert [to.index for to in kept] == list(range(len(kept)))
    assert len({to.phone for to in kept}) == len(kept)
    assert all(to.price == BAKERY.price(1, to.country) or to.country == "RE" for to in kept)
    assert (verdict.submission is None) is not bool(kept)


@given(st.text(max_size=30), st.text(max_size=14), st.sampled_from([SMSPARTNER, PRIMOTEXTO]), st.booleans())
@settings(max_examples=100)
def test_whatever_is_typed_gives_a_verdict_and_never_an_error(
    text: str, sender: str, profile: Profile, mention: bool
) -> None:
    verdict = judged("+33639980001", text, text=text, sender=sender, profile=profile, stop_mention=mention)
    assert (verdict.submission is None) is bool(verdict.findings)
    assert isinstance(judge_number(sender, profile), Reason) or judge_number(sender, profile)


def test_due_now_is_not_scheduled() -> None:
    assert judged(due_at=NOW).submission.scheduled is False
    assert judged(due_at=NOW + timedelta(seconds=1)).submission.scheduled is True


@pytest.mark.parametrize(
    "text", ["a" * 4_000_000, "一" * 1_000_000, "a" + "\u0301\u0316" * 1_000_000, ":br:" * 1_000_000]
)
def test_a_text_of_any_length_takes_no_time(text: str) -> None:
    began = time.process_time()
    for profile in (SMSPARTNER, PRIMOTEXTO):
        verdict = judge(Wanted([("+33639980001", None)], text=text), BAKERY, profile, NOW)
        assert reasons(verdict.findings) == [Reason.TEXT_LONG]
    assert time.process_time() - began < 0.5
