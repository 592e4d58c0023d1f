"""A request as the rules see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from surfaces.native.conftest import PHONE, TUESDAY, Desk

from passerelle.domain.account import Account, AccountState, Rules
from passerelle.domain.message import TrafficClass
from passerelle.domain.reasons import Reason
from passerelle.pipeline.batch import Denied
from passerelle.surfaces.native.sending import Send, Unicode, _denied, profile_of, wanted_of
from passerelle.surfaces.native.words import ClassWord

ACCOUNT = Account(7, 1, AccountState.ACTIVE, "a@b.c", "", "", Rules(), {})


def test_the_class_of_the_request_or_of_the_account() -> None:
    marketing = replace(ACCOUNT, rules=Rules(traffic_class=TrafficClass.MARKETING))
    assert wanted_of(Send(to=[PHONE]), ACCOUNT, TUESDAY).stop_mention is False
    assert wanted_of(Send(to=[PHONE]), marketing, TUESDAY).traffic is TrafficClass.MARKETING
    assert wanted_of(Send(to=[PHONE], traffic=ClassWord.MARKETING), ACCOUNT, TUESDAY).stop_mention is True
    assert wanted_of(Send(to=[PHONE], traffic=ClassWord.TRANSACTIONAL), marketing, TUESDAY).stop_mention is False


@pytest.mark.parametrize(
    ("policy", "rules", "characters"),
    [
        (Unicode.ALLOW, Rules(), "unicode"),
        (Unicode.ALLOW, Rules(unicode=False), "transliterate"),
        (Unicode.TRANSLITERATE, Rules(), "transliterate"),
        (Unicode.REFUSE, Rules(unicode=False), "reject"),
    ],
)
def test_the_policy_of_characters(policy: Unicode, rules: Rules, characters: str) -> None:
    assert profile_of(Send(to=[PHONE], unicode=policy), replace(ACCOUNT, rules=rules)).characters == characters


@pytest.mark.parametrize(
    ("after", "reasons"),
    [
        (timedelta(seconds=-1), [Reason.DATE_PAST]),
        (timedelta(0), []),
        (timedelta(days=366), []),
        (timedelta(days=367), [Reason.DATE_INVALID]),
    ],
)
def test_when_it_may_leave(after: timedelta, reasons: list[Reason]) -> None:
    wanted = wanted_of(Send(to=[PHONE], send_at=TUESDAY + after), ACCOUNT, TUESDAY)
    assert [fault.reason for fault in wanted.faults] == reasons


def test_an_account_that_changed_meanwhile() -> None:
    assert _denied(Denied(AccountState.BLOCKED)).slug == "account-blocked"
    assert _denied(Denied(None)).slug == "unavailable"


async def test_an_account_that_is_blocked_during_a_send(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    entered = type(desk.services.door).admit

    async def admit(*arguments: object) -> object:
        found = await entered(*arguments)  # type: ignore[arg-type]
        await desk.services.accounts.set_state(desk.account.id, AccountState.BLOCKED)
        return found

    monkeypatch.setattr(type(desk.services.door), "admit", admit)
    answer = await desk("POST", "/messages", {"to": [PHONE], "text": "x"})
    assert answer.status == 403 and await desk.db.fetchval("select count(*) from submission") == 0
