"""Surveys from the first draft to the last answer, by SMS through the whole pipeline."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from domain.test_surveys import BREAD, PAGE
from pipeline.world import PHONE, TUESDAY, World

from passerelle.domain import tokens
from passerelle.domain.account import Account
from passerelle.domain.admission import Wanted
from passerelle.domain.message import DuePart
from passerelle.domain.message import Inbound as Text
from passerelle.domain.profile import SMSPARTNER
from passerelle.domain.reasons import Reason
from passerelle.domain.surveys import State
from passerelle.pipeline import surveys
from passerelle.pipeline.inbound import Inbound
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.submit import Accepted
from passerelle.pipeline.webhooks import Webhooks
from passerelle.settings import Settings
from passerelle.store import surveys as store
from passerelle.store.surveys import Stored

OTHER = PHONE + 1


def address(code: str) -> str:
    return f"https://go.example/{code}"


@dataclass
class Bakery:
    """An account that asks."""

    world: World
    account: Account
    inbound: Inbound
    parts: list[DuePart] = field(default_factory=list)

    async def survey(self, survey=BREAD, state: State = State.OPEN, **changes: Any) -> Stored:
        now = self.world.clock.now()
        made = await surveys.create(self.world.db, self.account.id, replace(survey, **changes), ["STOP"], now)
        assert isinstance(made, Stored), made
        return await surveys.set_state(self.world.db, made, state)

    async def send(self, stored: Stored, *phones: int, sandbox: bool = False) -> Accepted:
        wanted = Wanted(items=[(f"+{phone}", None) for phone in phones or [PHONE]], sandbox=sandbox)
        ident = tokens.text20(stored.token)
        now = self.world.clock.now()
        beside = await surveys.prepare(self.world.db, address, self.account.id, ident, wanted, now)
        accepted = await self.world.submitter.accept(self.account, wanted, SMSPARTNER, beside=beside)
        assert isinstance(accepted, Accepted), accepted
        self.parts = await self.world.pump()
        return accepted

    async def hears(self, *texts: str, phone: int = PHONE) -> None:
        for text in texts:
            self.world.clock.move(1)
            await self.inbound.receive([Text(phone, "36000", text, self.world.clock.now())], 1)

    async def answers(self) -> list[tuple[int, list[int], bool]]:
        rows = await self.world.db.fetch("select phone, choices, test from answer order by phone, test")
        return [(row[0], list(row[1]), row[2]) for row in rows]

    async def texts(self) -> list[str]:
        return [row[0] for row in await self.world.db.fetch("select text from free_answer order by id")]


@pytest.fixture
async def bakery(world: World) -> Bakery:
    account = await world.account(reply_url="http://a.example/reply")
    return Bakery(world, account, Inbound(world.db, world.teller, Settings(), world.clock))


async def test_a_draft_with_faults_is_not_kept(bakery, world):
    wrong = await surveys.create(world.db, bakery.account.id, replace(BREAD, title=""), ["STOP"], TUESDAY)
    assert wrong == ["the title is missing"]
    assert await world.rows("survey") == []


async def test_a_survey_is_found_by_its_identifier_and_only_by_its_account(bakery, world):
    stored = await bakery.survey(PAGE, State.DRAFT)
    ident = tokens.text20(stored.token)
    assert await surveys.find(world.db, bakery.account.id, f" {ident} ") == stored
    other = await world.account("other@example.org")
    assert await surveys.find(world.db, other.id, ident) is None
    for wrong in ("", "x", "x" * 20, ident.swapcase()):
        assert await surveys.find(world.db, bakery.account.id, wrong) is None


async def test_the_last_valid_answer_counts_and_free_ones_are_kept(bakery, world):
    await bakery.send(await bakery.survey(), PHONE, OTHER)
    await bakery.hears("OUI !", "non", "je ne sais pas", "Merci")
    await bakery.hears("3", phone=OTHER)
    assert await bakery.answers() == [(PHONE, [2], False), (OTHER, [3], False)]
    assert await bakery.texts() == ["je ne sais pas", "Merci"]
    told = [row["kind"] for row in await world.rows("event", "id")]
    assert len(told) == 5  # each is a reply like any other
    assert len(await world.rows("reply")) == 5


async def test_answers_in_one_batch_count_in_their_order(bakery, world):
    await bakery.send(await bakery.survey())
    now = world.clock.now()
    texts = [Text(PHONE, "36000", text, now + timedelta(seconds=n)) for n, text in ((2, "2"), (3, "3"), (1, "1"))]
    await bakery.inbound.receive(texts, 1)
    assert await bakery.answers() == [(PHONE, [3], False)]
    await bakery.inbound.receive([Text(PHONE, "36000", "1", now)], 1)  # an older one that comes late
    assert await bakery.answers() == [(PHONE, [3], False)]


async def test_a_stop_is_no_answer(bakery, world):
    await bakery.send(await bakery.survey())
    await bakery.hears("STOP")
    assert await bakery.answers() == [] == await bakery.texts()
    assert await world.db.fetchval("select count(*) from blocked") == 1


async def test_after_the_end_replies_are_replies(bakery, world):
    stored = await bakery.survey(closes_at=TUESDAY + timedelta(minutes=1))
    await bakery.send(stored)
    await bakery.hears("1")
    world.clock.move(60)
    await bakery.hears("2", "trop tard")
    assert await bakery.answers() == [(PHONE, [1], False)]
    assert await bakery.texts() == []
    by_hand = await bakery.survey()
    await bakery.send(by_hand, OTHER)
    await surveys.set_state(world.db, by_hand, State.CLOSED)
    await bakery.hears("1", phone=OTHER)
    assert len(await bakery.answers()) == 1
    assert len(await world.rows("reply")) == 4


async def test_only_the_message_that_is_answered_counts(bakery, world):
    await bakery.send(await bakery.survey())
    world.clock.move(60)
    await world.submitted(bakery.account, text="Votre colis est là")
    await bakery.hears("1")
    assert await bakery.answers() == []


async def test_two_surveys_at_once(bakery, world):
    first, second = await bakery.survey(), await bakery.survey(title="Autre")
    await bakery.send(first)
    await bakery.hears("1")
    world.clock.move(60)
    await bakery.send(second)
    await bakery.hears("2")
    rows = await world.db.fetch("select survey_id, choices from answer order by 1")
    assert [(row[0], list(row[1])) for row in rows] == [(first.id, [1]), (second.id, [2])]


async def test_a_reply_to_a_link_is_a_reply(bakery, world):
    await bakery.send(await bakery.survey(PAGE))
    await bakery.hears("1", "bonjour")
    assert await bakery.answers() == [] == await bakery.texts()


async def test_a_page_is_answered_once_and_a_newer_link_replaces_it(bakery, world):
    stored = await bakery.survey(PAGE)
    await bakery.send(stored)
    world.clock.move(1)
    await bakery.send(stored)
    first, second = [row["code"] for row in await world.rows("invitation", "message_id")]
    fields = {"q1": ["1"], "q2": ["2"], "q3": ["5"], "q4": ["un mot"]}
    seen = await surveys.submit(world.db, first, fields, world.clock.now())
    assert seen.page is surveys.Page.ANSWERED
    world.clock.move(1)
    await surveys.submit(world.db, second, {"q1": ["3"], "q3": ["6"]}, world.clock.now())
    rows = await world.db.fetch("select question, choices, text from answer order by 1")
    assert [(row[0], list(row[1]), row[2]) for row in rows] == [(1, [3], ""), (3, [6], "")]
    again = await surveys.visit(world.db, first, world.clock.now())
    assert (again.page, list(again.answers)) == (surveys.Page.ANSWERED, [])  # what is counted is told elsewhere


async def test_a_sandbox_is_kept_apart(bakery, world):
    stored = await bakery.survey(PAGE)
    await bakery.send(stored)
    await bakery.send(stored, sandbox=True)
    for row in await world.rows("invitation", "message_id"):
        choice = "2" if row["test"] else "1"
        await surveys.submit(world.db, row["code"], {"q1": [choice], "q3": ["5"]}, world.clock.now())
    rows = await world.db.fetch("select test, choices from answer where question = 1 order by 1")
    assert [(row[0], list(row[1])) for row in rows] == [(False, [1]), (True, [2])]
    counts = await store.counts(world.db, stored)
    assert (counts.invited, counts.answered, counts.picked[1]) == (1, 1, {1: 1})


async def test_endpoints_hear_of_answers_by_sms_and_on_the_page(bakery, world):
    hooks = Webhooks(world.db, Keyring("test"))
    await hooks.create(bakery.account.id, "https://b.example/", ["survey.answered"], TUESDAY)
    asked, page = await bakery.survey(), await bakery.survey(PAGE)
    await bakery.send(asked)
    await bakery.send(asked, sandbox=True)
    await bakery.hears("OUI", "je ne sais pas")
    await bakery.send(page)
    (code,) = [row["code"] for row in await world.rows("invitation", "message_id") if row["code"]]
    for _ in range(2):  # the second time nothing is taken
        await surveys.submit(world.db, code, {"q1": ["3"], "q3": ["6"]}, world.clock.now())
    rows = await world.db.fetch("select body from event where endpoint_id > 0 order by id")
    told = [json.loads(row["body"]) for row in rows]
    assert {one["type"] for one in told} == {"survey.answered"}
    assert [(one["data"]["survey"], one["data"]["phone"], one["data"]["answers"]) for one in told] == [
        (tokens.text20(asked.token), f"+{PHONE}", [{"question": 1, "choices": [1], "text": ""}]),
        (tokens.text20(asked.token), f"+{PHONE}", [{"question": None, "choices": [], "text": "je ne sais pas"}]),
        (tokens.text20(page.token), f"+{PHONE}", [
            {"question": 1, "choices": [3], "text": ""}, {"question": 3, "choices": [6], "text": ""},
        ]),
    ]  # fmt: skip


@pytest.mark.parametrize(("ident", "reason"), [("", Reason.SURVEY_MISSING), ("x" * 20, Reason.SURVEY_UNKNOWN)])
async def test_what_names_no_survey_has_one_fault(bakery, world, ident, reason):
    wanted = Wanted(items=[(f"+{PHONE}", None)])
    assert await surveys.prepare(world.db, address, bakery.account.id, ident, wanted, TUESDAY) is None
    assert [fault.reason for fault in wanted.faults] == [reason]


async def test_every_link_is_of_one_length_so_that_all_texts_count_alike(bakery):
    accepted = await bakery.send(await bakery.survey(PAGE, introduction="x" * 140), PHONE, OTHER)
    texts = {to.text for to in accepted.kept}
    assert len(texts) == 2 and {len(text) for text in texts} == {140 + len("\nhttps://go.example/12345678")}
    assert {to.parts for to in accepted.kept} == {2}
