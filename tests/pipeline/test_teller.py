"""Who is told what, and by which rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pipeline.world import World

from passerelle.app import WORDINGS
from passerelle.domain.account import Rules
from passerelle.domain.message import Dialect, EventKind, State
from passerelle.pipeline.teller import FRESH, Teller
from passerelle.pipeline.wording import Told

K = EventKind
TOLD = Told(
    event=K.DELIVERED, dialect=Dialect.SMSPARTNER, account_id=7, row_id=8, state=State.DELIVERED, message_id=9, snapshot=0,
    phone=33639980001, at=datetime(2026, 11, 10, 10, 0, tzinfo=UTC), cost=38_000,
)  # fmt: skip
URL = "https://a.example/dlr"


class Asked:
    """Accounts that count how often they are asked."""

    def __init__(self, accounts) -> None:
        self.accounts, self.count = accounts, 0

    async def by_id(self, account_id):
        self.count += 1
        return await self.accounts.by_id(account_id)


async def test_rules_are_read_once_for_many_batches(world: World):
    account, other = await world.account(dlr_waiting=True), await world.account("clinic@example.org")
    asked = Asked(world.accounts)
    teller = Teller(asked, WORDINGS, lambda leased: None)
    for _ in range(5):
        rules = await teller.rules([account.id, other.id, account.id])
    assert asked.count == 2 and FRESH <= 1
    assert (rules[account.id].dlr_waiting, rules[other.id].dlr_waiting) == (True, False)


async def test_an_account_that_is_gone_has_the_rules_of_nobody(world: World):
    assert await world.teller.rules([99]) == {99: Rules()}
    assert world.teller.tells_progress(99, Dialect.SMSPARTNER) is False


@pytest.mark.parametrize(
    ("rules", "dialect", "tells"),
    [
        ({"dlr_waiting": True}, Dialect.SMSPARTNER, True),
        ({"webhook_url": ""}, Dialect.PRIMOTEXTO, False),
        ({"webhook_url": URL}, Dialect.PRIMOTEXTO, True),
        ({"webhook_url": URL}, Dialect.SMSPARTNER, False),
        ({"dlr_waiting": True, "webhook_url": ""}, Dialect.PRIMOTEXTO, False),
    ],
)
async def test_who_wants_to_hear_of_steps(world: World, rules, dialect, tells):
    account = await world.account(**rules)
    await world.teller.rules([account.id])
    assert world.teller.tells_progress(account.id, dialect) is tells


def teller() -> Teller:
    return Teller(None, WORDINGS, lambda leased: None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "rules", "dlr_url", "posted"),
    [
        (TOLD, Rules(), URL, True),
        (TOLD, Rules(dlr_url=URL), "", True),
        (TOLD, Rules(), "", False),
        (replace(TOLD, event=K.SUBMITTED, state=State.SUBMITTED), Rules(), URL, False),
        (replace(TOLD, event=K.SUBMITTED, state=State.SUBMITTED), Rules(dlr_waiting=True), URL, True),
        (replace(TOLD, dialect=Dialect.PRIMOTEXTO), Rules(), URL, False),
        (replace(TOLD, dialect=Dialect.PRIMOTEXTO, event=K.SENT), Rules(webhook_url=URL), "", True),
        (replace(TOLD, dialect=Dialect.VOICEPARTNER), Rules(dlr_url=URL), URL, False),
    ],
)
def test_an_event_is_stored_where_somebody_wants_it(told, rules, dlr_url, posted):
    events = teller().word(told, rules, dlr_url)
    assert [(event.url, event.account_id, event.message_id, event.at) for event in events] == (
        [(URL, 7, 8, TOLD.at)] if posted else []
    )


def test_the_url_of_the_request_wins_over_that_of_the_account():
    (event,) = teller().word(TOLD, Rules(dlr_url="https://b.example/"), URL)
    assert event.url == URL


def test_nothing_is_offered_where_nothing_was_leased(world: World):
    offers: list[object] = []
    one = Teller(world.accounts, WORDINGS, offers.append)
    one.post([])
    assert offers == []
