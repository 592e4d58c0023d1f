"""A list of lines: in order, once, and to the last euro."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.clock import ManualClock
from passerelle.domain.account import Account, AccountState
from passerelle.domain.admission import Wanted
from passerelle.domain.profile import SMSPARTNER
from passerelle.domain.reasons import Finding, Reason
from passerelle.domain.routing import Route
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.batch import Denied
from passerelle.pipeline.bulk import GROUP, Line, Run, groups
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.submit import Submitter
from passerelle.settings import Settings
from passerelle.store.database import Database

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


@dataclass
class Desk:
    db: Database
    accounts: Accounts
    submitter: Submitter
    account: Account

    def run(self, name="run", account=None, **like):
        return Run(self.submitter, account or self.account, Wanted(items=[], **like), SMSPARTNER, name)

    async def sent(self):
        rows = await self.db.fetch("select phone, text from message order by phone, id")
        return [tuple(row) for row in rows]


@pytest.fixture
async def desk(db: Database) -> AsyncIterator[Desk]:
    accounts = Accounts(db, Keyring("test"), Settings())
    submitter = Submitter(db, accounts, [Route(1, frozenset({1}))], ManualClock(NOW))
    made, _ = await accounts.create("bakery@example.org", now=NOW)
    await accounts.credit(made.id, 100_000_000, NOW)
    running = asyncio.create_task(submitter.run())
    account = await accounts.by_id(made.id)
    assert account is not None
    yield Desk(db, accounts, submitter, account)
    running.cancel()


def lines(count, start=0):
    return [Line(n, f"06120{n:05}", f"Bonjour {n}") for n in range(start + 1, start + count + 1)]


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("xy")), max_size=60), st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_groups_rejoin_and_hold_a_number_with_one_text(pairs, size):
    made = [Line(n, phone, text) for n, (phone, text) in enumerate(pairs)]
    cut = list(groups(made, size))
    assert [line for group in cut for line in group] == made
    for group in cut:
        assert 1 <= len(group) <= size
        assert len({line.phone for line in group}) == len({(line.phone, line.text) for line in group})


async def test_every_line_is_sent_once_with_its_text(desk):
    wanted = lines(3 * GROUP + 1)
    done = [group async for group in desk.run().send(wanted)]
    assert [len(group.lines) for group in done] == [GROUP, GROUP, GROUP, 1]
    assert sum(group.accepted for group in done) == len(wanted)
    assert await desk.sent() == [(33612000000 + line.number, line.text) for line in wanted]


async def test_refused_lines_come_back_with_their_reasons(desk):
    bad = [Line(1, "0139980001", "a"), Line(2, "0639980001", "b"), Line(3, "", "c"), Line(4, "0639980002", " ")]
    (done,) = [group async for group in desk.run().send(bad)]
    assert (done.accepted, done.cost, done.stopped) == (1, 38_000, None)
    assert [(line.number, reason) for line, reason in done.refused] == [
        (1, Reason.NOT_MOBILE),
        (3, Reason.NUMBER_MISSING),
        (4, Reason.TEXT_MISSING),
    ]
    (none,) = [group async for group in desk.run().send([Line(1, "12", "a")])]
    assert (none.accepted, none.stopped, [reason for _, reason in none.refused]) == (0, None, [Reason.NUMBER_INVALID])


async def test_a_run_made_again_sends_nothing_twice_and_answers_the_same(desk):
    wanted = [*lines(GROUP + 5), Line(900, "12", "bad"), Line(901, "0639999999", "last")]
    broken = desk.run().send(wanted)
    first = await anext(broken)
    await broken.aclose()  # the program is gone
    again = [group async for group in desk.run().send(wanted)]
    assert again[0] == first
    assert sum(group.accepted for group in again) == GROUP + 6
    assert [line.number for group in again for line, _ in group.refused] == [900]
    assert len(await desk.sent()) == len(set(await desk.sent())) == GROUP + 6
    other = [group async for group in desk.run("another run").send(wanted)]
    assert sum(group.accepted for group in other) == GROUP + 6
    assert len(await desk.sent()) == 2 * (GROUP + 6)


async def test_it_stops_where_the_credit_ends_and_goes_on_from_there(desk):
    await desk.accounts.credit(desk.account.id, -100_000_000 + 38_000 * (GROUP + 10), NOW)
    wanted = lines(20 * GROUP)
    done = [group async for group in desk.run().send(wanted)]
    assert (done[0].accepted, done[0].stopped) == (GROUP, None)
    assert done[1].stopped == Finding(Reason.CREDIT) and len(done) < 20
    await desk.accounts.credit(desk.account.id, 100_000_000, NOW)
    assert sum([group.accepted async for group in desk.run().send(wanted)]) == len(wanted)
    assert [phone for phone, _ in await desk.sent()] == [33612000000 + line.number for line in wanted]


async def test_a_fault_of_the_request_or_a_stopped_account_ends_the_run(desk):
    (done,) = [group async for group in desk.run(sender="x").send(lines(3))]
    assert done.stopped == Finding(Reason.SENDER_SHORT, "x")
    await desk.accounts.set_state(desk.account.id, AccountState.BLOCKED)
    (done,) = [group async for group in desk.run().send(lines(3))]
    assert done.stopped == Denied(AccountState.BLOCKED)
    assert await desk.sent() == []
