"""What is decided under the lock of a wallet, item by item: no database needed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from passerelle.domain.account import Account, AccountState, Rules
from passerelle.domain.admission import Wanted, judge
from passerelle.domain.profile import PRIMOTEXTO, SMSPARTNER
from passerelle.domain.reasons import Finding, Reason
from passerelle.domain.routing import Route
from passerelle.pipeline.batch import (
    Accepted,
    Idempotency,
    Item,
    KeyReused,
    Refused,
    Replayed,
    Verdicts,
    decide,
    deltas,
    pairs,
    replay,
)
from passerelle.store.optouts import List

NOW = datetime(2026, 11, 10, 10, 25, tzinfo=UTC)
ROUTES = [Route(7, frozenset({1, 2}))]
A, B = 33639980001, 33639980002


def item(profile=SMSPARTNER, idempotency=None, **wish):
    account = Account(
        id=1000,
        version=3,
        state=AccountState.ACTIVE,
        email="bakery@example.org",
        firstname="",
        lastname="",
        rules=Rules(),
        prices={(1, "FR"): 38_000},
    )
    wanted = Wanted(items=[("+33639980001", None), ("+33639980002", None)], text="Bonjour", **wish)
    judged = judge(wanted, account, profile, NOW)
    made = Item(account, wanted, profile, idempotency, asyncio.Future(), judged.submission, judged.dropped, id=5)
    made.answer_key = (1000, idempotency.path, idempotency.key) if idempotency else None
    return made


def wallet(version=3):
    return version


async def test_each_item_sees_what_those_before_it_have_spent() -> None:
    verdicts = Verdicts({1000: 100_000})
    first, second = (decide(item(), wallet(), set(), verdicts, ROUTES, NOW) for _ in range(2))
    assert isinstance(first, Accepted) and first.cost == 76_000
    assert second == Refused([Finding(Reason.CREDIT)], [])
    assert (verdicts.balances, verdicts.debits, len(verdicts.stored)) == ({1000: 24_000}, {1000: -76_000}, 1)


@pytest.mark.parametrize("found", [None, {"version": 4}])
async def test_an_account_that_changed_is_judged_again(found) -> None:
    verdicts = Verdicts({1000: 100_000})
    assert decide(item(), found, set(), verdicts, ROUTES, NOW) is None
    assert not verdicts.stored and not verdicts.debits


@pytest.mark.parametrize(
    ("profile", "blocked", "reasons"),
    [
        (SMSPARTNER, {(1000, List.STOP, A)}, [Reason.OPTED_OUT]),
        (SMSPARTNER, {(1000, List.BOUNCE, A), (0, List.BOUNCE, A)}, []),
        (SMSPARTNER, {(1001, List.STOP, A)}, []),
        (PRIMOTEXTO, {(1000, List.STOP, A)}, []),  # transactional, and its scope is marketing
        (PRIMOTEXTO, {(1000, List.BOUNCE, A)}, [Reason.BOUNCED]),
        (PRIMOTEXTO, {(0, List.BOUNCE, A)}, [Reason.BOUNCED_PLATFORM]),
    ],
)
async def test_who_is_left_out(profile, blocked, reasons) -> None:
    made = item(profile)
    verdicts = Verdicts({1000: 100_000})
    for _ in range(2):  # a second try after a lost commit decides the same
        result = decide(made, wallet(), blocked, verdicts, ROUTES, NOW)
        verdicts = Verdicts({1000: 100_000})
        assert isinstance(result, Accepted)
        assert [finding.reason for finding in result.dropped] == reasons
        assert result.cost == 38_000 * (2 - len(reasons))


async def test_nobody_left_is_no_fault_of_the_request() -> None:
    verdicts = Verdicts({1000: 100_000})
    result = decide(item(), wallet(), {(1000, List.STOP, A), (1000, List.STOP, B)}, verdicts, ROUTES, NOW)
    assert isinstance(result, Refused) and not result.findings and len(result.dropped) == 2


async def test_a_number_that_no_carrier_takes_has_no_price() -> None:
    verdicts = Verdicts({1000: 100_000})
    result = decide(item(), wallet(), set(), verdicts, [Route(7, frozenset({2}))], NOW)
    assert isinstance(result, Refused) and {f.reason for f in result.dropped} == {Reason.NO_PRICE}


async def test_the_answer_that_is_kept_is_worded_with_what_was_stored() -> None:
    key = Idempotency("/send", "k", b"hash", lambda accepted: (200, b"%d" % len(accepted.kept)))
    verdicts = Verdicts({1000: 100_000})
    decide(item(idempotency=key), wallet(), {(1000, List.STOP, A)}, verdicts, ROUTES, NOW)
    answer = verdicts.answers[0]
    assert (answer.account_id, answer.path, answer.key, answer.status, answer.body) == (1000, "/send", "k", 200, b"1")
    row = {"status": 200, "answer": b"1", "body_hash": b"hash"}
    assert replay({(1000, "/send", "k"): row}, (1000, "/send", "k"), key) == Replayed(200, b"1")
    other = Idempotency("/send", "k", b"other", key.render)
    assert replay({(1000, "/send", "k"): row}, (1000, "/send", "k"), other) == KeyReused()
    assert replay({}, (1000, "/send", "k"), key) is None and replay({}, None, None) is None


async def test_the_sandbox_is_free_and_in_no_figure() -> None:
    verdicts = Verdicts({1000: 0})
    result = decide(item(sandbox=True), wallet(), set(), verdicts, [], NOW)
    assert isinstance(result, Accepted) and result.cost == 76_000 and verdicts.stored[0].cost == 0
    assert not verdicts.debits and not deltas(verdicts.stored)


async def test_lists_are_asked_only_where_one_may_apply() -> None:
    assert pairs([item()]) == ([1000, 1000], [A, B])
    assert pairs([item(sandbox=True), item(PRIMOTEXTO)])[1] == [A, B, A, B]


async def test_what_is_to_come_counts_its_cost_at_the_sending_time() -> None:
    verdicts = Verdicts({1000: 1_000_000})
    due = NOW + timedelta(days=2)
    for one in (item(), item(), item(due_at=due)):
        decide(one, wallet(), set(), verdicts, ROUTES, NOW)
    counted = {d.at: (d.messages, d.waiting, d.parts, d.cost) for d in deltas(verdicts.stored)}
    assert counted == {NOW.replace(minute=0): (6, 6, 4, 152_000), due: (0, 0, 2, 76_000)}
