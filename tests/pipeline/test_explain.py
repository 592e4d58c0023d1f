"""An explanation says what the send would do, and why."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.clock import ManualClock
from passerelle.domain.account import Account, AccountState, Rules
from passerelle.domain.admission import Wanted
from passerelle.domain.message import Lane, TrafficClass
from passerelle.domain.pricing import Service
from passerelle.domain.profile import PRIMOTEXTO, SMSPARTNER
from passerelle.domain.reasons import Reason
from passerelle.domain.routing import Route
from passerelle.domain.text import Encoding, segment
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.explain import RULES, Choice, Verdict, choices, explain, explain_stored
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.submit import Accepted, Refused, Submitter
from passerelle.settings import Settings
from passerelle.store import optouts

TUESDAY = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
SUNDAY = datetime(2026, 11, 15, 10, 0, tzinfo=UTC)
ROUTES = [Route(1, frozenset({1})), Route(2, frozenset({2})), Route(3, frozenset({1}), frozenset({"BE"}))]
PRICES = {(1, "FR"): 38_000, (2, "FR"): 23_000, (1, "DE"): 70_000}
ACCOUNT = Account(1000, 1, AccountState.ACTIVE, "a@b.c", "", "", Rules(), PRICES, balance=100_000)


def wanted(*numbers, text="Bonjour", **more):
    return Wanted(items=[(number, None) for number in numbers or ["0639980001"]], text=text, **more)


def told(request, account=ACCOUNT, profile=SMSPARTNER, now=TUESDAY, **more):
    return explain(account, request, profile, ROUTES, now, **more)


def ruling(found, rule):
    return next(one for one in found.rulings if one.rule == rule)


def test_every_reason_belongs_to_one_rule() -> None:
    assert sorted(r.value for reasons in RULES.values() for r in reasons) == sorted(r.value for r in Reason)


def test_a_plain_text_is_admitted_with_its_price_and_way() -> None:
    found = told(wanted())
    assert (found.verdict, found.cost, found.balance_after, found.lane) == (
        Verdict.ADMITTED,
        38_000,
        62_000,
        Lane.CODES,
    )
    to = found.destinations[0]
    assert (to.phone, to.country, to.parts, to.price_part, to.price) == (33639980001, "FR", 1, 38_000, 38_000)
    assert to.choices == (
        Choice(1, True, "preferred"),
        Choice(2, False, "does not take premium"),
        Choice(3, False, "does not go to FR"),
    )


def test_carriers_in_reserve_are_named_in_their_order() -> None:
    two = [Route(5, frozenset({1})), Route(6, frozenset({1}))]
    assert [(c.carrier_id, c.taken, c.why) for c in choices(Service.PREMIUM, "FR", two)] == [
        (5, True, "preferred"),
        (6, False, "in reserve, place 2"),
    ]


def test_characters_to_blame_are_named_with_their_places() -> None:
    found = told(wanted(text="œuf 😀 [x] œ", unicode=True))
    assert found.copy.encoding is Encoding.UCS2
    assert [(c.char, c.positions, c.foreign, c.becomes) for c in found.copy.characters] == [
        ("œ", (1, 11), True, "œ"),
        ("😀", (5,), True, "😀"),
    ]
    assert found.copy.characters[0].name == "latin small ligature oe"
    replaced = told(wanted(text="œuf 😀 [x]"))
    assert (replaced.copy.encoding, replaced.copy.text) == (Encoding.GSM, "oeuf  (x)")
    assert [(c.char, c.foreign, c.becomes) for c in replaced.copy.characters] == [
        ("œ", True, "oe"),
        ("😀", True, ""),
        ("[", False, "("),
        ("]", False, ")"),
    ]


def test_parts_and_double_characters_are_those_that_are_billed() -> None:
    found = told(wanted(text="€" * 81))
    assert (found.copy.units, len(found.copy.parts), found.copy.doubled) == (162, 2, "€")
    assert "".join(found.copy.parts) == "€" * 81
    assert found.cost == 76_000


def test_the_mention_of_marketing_is_shown_as_added() -> None:
    found = told(wanted(text="Soldes", traffic=TrafficClass.MARKETING, stop_mention=True))
    assert (found.copy.stop_added, found.copy.text) == ("\nSTOP 36000", "Soldes\nSTOP 36000")
    assert not told(wanted(text="Soldes\nSTOP 36000", stop_mention=True)).copy.stop_added


def test_marketing_on_a_sunday_is_held_with_the_rule_and_the_time() -> None:
    found = told(wanted(traffic=TrafficClass.MARKETING), now=SUNDAY)
    opening = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)
    assert (found.verdict, found.due_at, found.lane) == (Verdict.HELD, opening, Lane.BULK)
    held = ruling(found, "hours for marketing")
    assert (held.verdict, held.until, held.why) == (Verdict.HELD, opening, "Sunday or public holiday")
    asked = told(wanted(traffic=TrafficClass.MARKETING, due_at=SUNDAY), now=TUESDAY)
    assert ruling(asked, "hours for marketing").findings[0].reason is Reason.CLOSED_DAY


@pytest.mark.parametrize(
    ("request_", "account", "rule", "reason"),
    [
        (wanted(sender="x"), ACCOUNT, "sender", Reason.SENDER_SHORT),
        (wanted(text=""), ACCOUNT, "text", Reason.TEXT_MISSING),
        (wanted(text="x" * 2000), ACCOUNT, "text", Reason.TEXT_LONG),
        (wanted(text="x" * 161, service=Service.ECO), ACCOUNT, "economic range", Reason.ECO_LONG),
        (wanted(service=Service.ECO), replace(ACCOUNT, rules=Rules(eco=False)), "economic range", Reason.ECO_FORBIDDEN),
        (wanted("0139980001"), ACCOUNT, "numbers", Reason.NOT_MOBILE),
        (wanted("+4915112345678", text="a"), replace(ACCOUNT, prices={}), "price and route", Reason.NO_PRICE),
        (wanted(), replace(ACCOUNT, balance=37_999), "credit", Reason.CREDIT),
    ],
)
def test_a_refusal_names_its_rule_and_still_shows_the_text(request_, account, rule, reason) -> None:
    found = told(request_, account)
    refused = [(one.rule, f.reason) for one in found.rulings if one.verdict is Verdict.REFUSED for f in one.findings]
    assert (found.verdict, refused) == (Verdict.REFUSED, [(rule, reason)])
    assert found.copy.text == request_.text


def test_a_stopped_account_is_refused() -> None:
    found = told(wanted(), replace(ACCOUNT, state=AccountState.BLOCKED))
    assert found.verdict is Verdict.REFUSED and ruling(found, "account").why == "its state is blocked"


def test_recipients_left_out_do_not_refuse_the_others() -> None:
    blocked = {(1000, int(optouts.List.STOP), 33639980002)}
    found = told(wanted("0639980001", "0639980002", "12"), blocked=blocked)
    assert found.verdict is Verdict.ADMITTED
    assert [(f.subject, f.reason) for f in found.dropped] == [
        ("12", Reason.NUMBER_INVALID),
        ("+33639980002", Reason.OPTED_OUT),
    ]
    assert [to.phone for to in found.destinations] == [33639980001] and found.cost == 38_000
    alone = told(wanted("0639980002"), blocked=blocked)
    assert alone.verdict is Verdict.REFUSED


def test_what_primotexto_does_not_send_is_told_with_its_characters() -> None:
    found = told(wanted(text="Ça coûte 😀"), profile=PRIMOTEXTO)
    assert ruling(found, "text").findings[0].reason is Reason.TEXT_CHARACTERS
    assert [c.char for c in found.copy.characters] == ["û", "😀"]


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=200),
    st.sampled_from(["", "Bakery", "no", "longer than eleven"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([SMSPARTNER, PRIMOTEXTO]),
    st.sampled_from([0, 38_000, 10_000_000]),
)
def test_any_request_is_explained(raw, sender, unicode, eco, profile, balance) -> None:
    request = wanted(text=raw, sender=sender, unicode=unicode, service=Service.ECO if eco else Service.PREMIUM)
    found = told(request, replace(ACCOUNT, balance=balance), profile)
    assert found.copy.parts == segment(found.copy.text, found.copy.encoding).parts
    refused = [one for one in found.rulings if one.verdict is Verdict.REFUSED]
    assert bool(refused) == (found.verdict is Verdict.REFUSED)
    if found.verdict is not Verdict.REFUSED:
        assert found.balance_after >= 0 and found.cost == sum(to.price for to in found.destinations)


async def test_the_send_does_what_was_explained(db) -> None:
    clock = ManualClock(TUESDAY)
    accounts = Accounts(db, Keyring("test"), Settings())
    made, _ = await accounts.create("bakery@example.org", now=TUESDAY, rules={"daily_quota": 2})
    await accounts.credit(made.id, 200_000, TUESDAY)
    await optouts.add(db, made.id, optouts.List.STOP, 33639980002, TUESDAY)
    account = await accounts.by_id(made.id)
    submitter = Submitter(db, accounts, ROUTES, clock)
    running = asyncio.create_task(submitter.run())
    seen = []
    for request in (
        wanted("0639980001", "0639980002", text="x" * 170),
        wanted("0639980002"),
        wanted(sender="a"),
        wanted(text="y" * 500),
        wanted("0639980003", text="z"),
        wanted("0639980004"),
    ):
        account = await accounts.by_id(made.id)
        found = await explain_stored(db, account, request, SMSPARTNER, ROUTES, clock.now())
        result = await submitter.accept(account, request, SMSPARTNER)
        assert isinstance(result, Refused if found.verdict is Verdict.REFUSED else Accepted)
        assert list(found.dropped) == result.dropped
        seen.append(found)
        if isinstance(result, Accepted):
            assert found.cost == result.cost
            assert found.balance_after == (await accounts.by_id(made.id)).balance
    running.cancel()
    refusals = [[f.reason for r in found.rulings if r.verdict is Verdict.REFUSED for f in r.findings] for found in seen]
    assert refusals == [[], [Reason.OPTED_OUT], [Reason.SENDER_SHORT], [Reason.CREDIT], [], [Reason.QUOTA]]
