"""Texts from handsets: whom they answer, what a STOP does, and that nothing is lost on the way in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from passerelle.clock import ManualClock
from passerelle.domain.account import Account, Rules
from passerelle.domain.admission import Wanted
from passerelle.domain.message import Dialect, EventKind, State, TrafficClass
from passerelle.domain.message import Inbound as Text
from passerelle.domain.profile import PRIMOTEXTO, SMSPARTNER, Profile
from passerelle.domain.routing import Route
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.inbound import Inbound
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.settle import Settlement
from passerelle.pipeline.submit import Accepted, Submitter
from passerelle.pipeline.teller import Teller
from passerelle.pipeline.wording import Told, Wording
from passerelle.settings import Settings
from passerelle.store import optouts, statistics
from passerelle.store.database import Database
from passerelle.store.events import Leased
from passerelle.store.optouts import List

TUESDAY = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
PHONE = 33639980001
CARRIER = 3
K = EventKind


def words(kind: str) -> Any:
    def worded(told: Told, _: Rules) -> tuple[str, str]:
        return "application/json", json.dumps([kind, told.event.name, told.message_id or told.snapshot, told.text])

    return worded


SPOKEN = Wording(words("report"), words("reply"))


@dataclass
class House:
    db: Database
    clock: ManualClock
    accounts: Accounts
    submitter: Submitter
    inbound: Inbound
    teller: Teller
    offered: list[Leased] = field(default_factory=list)

    async def account(self, email: str, **rules: object) -> Account:
        urls = {
            "dlr_url": "http://a.example/dlr",
            "reply_url": "http://a.example/reply",
            "webhook_url": "http://a.example/hook",
        }
        account, _ = await self.accounts.create(email, now=self.clock.now(), rules=urls | rules)
        await self.accounts.credit(account.id, 10_000_000, self.clock.now())
        fresh = await self.accounts.by_id(account.id)
        assert fresh is not None
        return fresh

    async def send(
        self, account: Account, profile: Profile = SMSPARTNER, ended: State | None = None, **more: Any
    ) -> tuple[int, int]:
        """A message that an operator took, and perhaps reported on; (account, message)."""
        fresh = await self.accounts.by_id(account.id)
        assert fresh is not None
        wanted = Wanted(items=[("+33639980001", None)], text="Bonjour", tag_key=more.get("tag", ""), **more)
        accepted = await self.submitter.accept(fresh, wanted, profile)
        assert isinstance(accepted, Accepted), accepted
        key = account.id, await self.db.fetchval("SELECT max(id) FROM message WHERE account_id = $1", account.id)
        now = self.clock.now()
        async with self.db.transaction() as connection:
            settlement = Settlement(connection, now, None)
            await settlement.load([key])
            settlement.begun(key, 1, now, 0)
            settlement.moved(key, 1, State.SUBMITTED, now, carrier_id=CARRIER)
            if ended is not None:
                settlement.moved(key, 1, ended, now)
            await connection.execute("DELETE FROM queue WHERE account_id = $1 AND message_id = $2", *key)
            await settlement.save()
        self.clock.move(60)
        return key

    async def say(self, text: str, recipient: str = "36000", phone: int = PHONE, **more: Any) -> None:
        await self.inbound.receive([Text(phone, recipient, text, self.clock.now(), **more)], CARRIER)

    async def message(self, key: tuple[int, int]) -> Any:
        return await self.db.fetchrow("SELECT * FROM message WHERE account_id = $1 AND id = $2", *key)

    async def replies(self) -> list[Any]:
        return [
            tuple(row)
            for row in await self.db.fetch("SELECT account_id, text, stop, message_id FROM reply ORDER BY id")
        ]

    async def events(self) -> list[Any]:
        rows = await self.db.fetch("SELECT url, body FROM event ORDER BY id")
        return [(row["url"].rpartition("/")[2], *json.loads(row["body"])) for row in rows]

    async def stopped(self, account: Account) -> bool:
        return await optouts.find(self.db, account.id, List.STOP, PHONE) is not None

    async def recounted(self, account: Account, dialect: Dialect, tag: str = "") -> statistics.Counters:
        """The figures, which must equal those counted again from the rows."""
        figures = await statistics.counters(self.db, account.id, dialect, tag)
        counted = await statistics.recount(self.db, account.id, dialect, tag, self.clock.now())
        assert figures == counted.counters
        return figures


@pytest.fixture
async def house(db: Database) -> AsyncIterator[House]:
    clock = ManualClock(TUESDAY)
    settings = Settings()
    accounts = Accounts(db, Keyring("test"), settings)
    submitter = Submitter(db, accounts, [Route(CARRIER, frozenset({1, 2}))], clock)
    offered: list[Leased] = []
    teller = Teller(accounts, {Dialect.SMSPARTNER: SPOKEN, Dialect.PRIMOTEXTO: SPOKEN}, offered.extend)
    running = asyncio.create_task(submitter.run())
    yield House(db, clock, accounts, submitter, Inbound(db, teller, settings, clock), teller, offered)
    running.cancel()


# --- whom a text answers -----------------------------------------------------------------------------------------


async def test_a_reply_is_of_the_account_that_wrote_last(house: House) -> None:
    bakery, clinic = await house.account("bakery@example.org"), await house.account("clinic@example.org")
    await house.send(clinic)
    await house.send(bakery)
    last = await house.send(clinic)
    await house.say("Oui merci")
    assert await house.replies() == [(clinic.id, "Oui merci", False, last[1])]
    assert (await house.message(last))["reply_at"] == house.clock.now()
    assert not await house.stopped(clinic)


async def test_a_reply_answers_the_sender_it_was_sent_to(house: House) -> None:
    bakery, clinic = await house.account("bakery@example.org"), await house.account("clinic@example.org")
    named = await house.send(bakery, sender="MyNumber")
    await house.db.execute("UPDATE submission SET sender = $1", "+33644630001")  # what a rented number sends as
    short = await house.send(clinic)
    await house.say("au numéro", recipient="+33644630001")
    await house.say("au code court")
    assert await house.replies() == [
        (bakery.id, "au numéro", False, named[1]),
        (clinic.id, "au code court", False, short[1]),
    ]


async def test_the_short_code_of_an_account_is_its_own(house: House) -> None:
    bakery, clinic = (
        await house.account("bakery@example.org", short_code="38000"),
        await house.account("clinic@example.org"),
    )
    first = await house.send(bakery)
    await house.send(clinic)
    await house.say("ici", recipient="38000")
    assert await house.replies() == [(bakery.id, "ici", False, first[1])]


async def test_after_thirty_days_only_a_stop_is_understood(house: House) -> None:
    bakery = await house.account("bakery@example.org")
    key = await house.send(bakery)
    house.clock.move(31 * 86400)
    await house.say("Bonjour ?")
    assert await house.replies() == []
    await house.say("stop")
    assert await house.replies() == [(bakery.id, "stop", True, key[1])]
    assert await house.stopped(bakery)


async def test_a_message_that_has_not_left_is_not_answered(house: House) -> None:
    bakery, clinic = await house.account("bakery@example.org"), await house.account("clinic@example.org")
    key = await house.send(bakery)
    later = Wanted(items=[("+33639980001", None)], text="Demain", due_at=house.clock.now() + timedelta(days=1))
    fresh = await house.accounts.by_id(clinic.id)
    assert fresh is not None
    assert isinstance(await house.submitter.accept(fresh, later, SMSPARTNER), Accepted)
    await house.say("STOP")
    assert await house.replies() == [(bakery.id, "STOP", True, key[1])]
    assert not await house.stopped(clinic)


async def test_what_is_due_and_held_is_not_answered_but_what_is_leaving_is(house: House) -> None:
    """A campaign that was paused for two months: it is due since then, and a phone may be quicker than the operator."""
    bakery, clinic = await house.account("bakery@example.org"), await house.account("clinic@example.org")
    sent = await house.send(bakery)
    fresh = await house.accounts.by_id(clinic.id)
    assert fresh is not None
    held = await house.submitter.accept(fresh, Wanted(items=[("+33639980001", None)], text="Soldes"), SMSPARTNER)
    assert isinstance(held, Accepted)
    await house.say("Oui")
    house.clock.move(60 * 86400)
    await house.db.execute("UPDATE queue SET lease_until = clock_timestamp() + interval '15 seconds'")
    await house.say("Oui merci")
    assert await house.replies() == [(bakery.id, "Oui", False, sent[1]), (clinic.id, "Oui merci", False, held.id)]


async def test_a_text_that_answers_nobody_is_dropped_and_counted(house: House) -> None:
    await house.account("bakery@example.org")
    await house.say("Bonjour ?")
    assert await house.replies() == []
    assert await house.events() == []


async def test_a_stop_for_marketing_under_a_name_finds_its_sender(house: House) -> None:
    bakery, clinic = await house.account("bakery@example.org"), await house.account("clinic@example.org")
    await house.send(bakery, sender="Bakery", traffic=TrafficClass.MARKETING)
    await house.send(clinic, sender="Clinic")
    await house.say("STOP")
    assert await house.stopped(bakery)
    assert not await house.stopped(clinic)


# --- STOP --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["STOP", "stop", " Stop !", "S.T.O.P", "stop, merci", "STOP 36000"])
async def test_a_stop_is_obeyed_and_told(house: House, text: str) -> None:
    bakery = await house.account("bakery@example.org")
    key = await house.send(bakery, tag="promo")
    await house.say(text)
    await house.say(text)
    row = await house.message(key)
    assert row["stopped_at"] is not None
    assert row["reply_at"] is None
    assert await house.stopped(bakery)
    told = [event for event in await house.events() if event[0] == "reply"]
    number = await house.db.fetchval("SELECT number FROM submission")
    assert told == [("reply", "reply", "UNSUBSCRIBED", number, text)] * 2
    for tag in ("", "promo"):
        counted = await house.recounted(bakery, Dialect.SMSPARTNER, tag)
        assert (counted.unsubscribers, counted.replies) == (1, 0)


@pytest.mark.parametrize("text", ["Je dis stop", "Stopper", "non", "", "Oui"])
async def test_other_texts_are_no_stop(house: House, text: str) -> None:
    bakery = await house.account("bakery@example.org")
    await house.send(bakery)
    await house.say(text)
    assert not await house.stopped(bakery)
    assert [row[1] for row in await house.replies()] == [text]


async def test_primotexto_hears_of_a_stop_once(house: House) -> None:
    clinic = await house.account("clinic@example.org")
    key = await house.send(clinic, PRIMOTEXTO, State.DELIVERED)
    await house.say("STOP")
    await house.say("STOP")
    assert [event[:3] for event in await house.events()] == [("hook", "reply", "UNSUBSCRIBED")]
    assert (await house.message(key))["stopped_at"] == house.clock.now()
    assert (await house.recounted(clinic, Dialect.PRIMOTEXTO)).unsubscribers == 1


# --- replies -----------------------------------------------------------------------------------------------------


async def test_a_reply_goes_to_the_url_of_its_message_before_that_of_the_account(house: House) -> None:
    bakery = await house.account("bakery@example.org")
    await house.send(bakery, ended=State.DELIVERED, reply_url="http://s.example/own?k=1")
    await house.say("Oui")
    (event,) = await house.events()
    assert event[0] == "own?k=1"
    assert event[2:] == ("REPLY", await house.db.fetchval("SELECT number FROM submission"), "Oui")
    assert [leased.kind for leased in house.offered] == [K.REPLY]


async def test_replies_of_primotexto_may_have_a_url_of_their_own(house: House) -> None:
    clinic = await house.account("clinic@example.org", webhook_reply_url="http://a.example/answers")
    await house.send(clinic, PRIMOTEXTO, State.DELIVERED, tag="rdv")
    await house.say("Oui")
    assert [event[:3] for event in await house.events()] == [("answers", "reply", "REPLY")]
    assert (await house.recounted(clinic, Dialect.PRIMOTEXTO, "rdv")).replies == 1


@pytest.mark.parametrize("said", ["Oui", "STOP"])
@pytest.mark.parametrize(
    ("ended", "state"),
    [
        (None, State.DELIVERED),
        (State.UNDELIVERED, State.UNDELIVERED),
        (State.BOUNCED, State.BOUNCED),
        (State.UNCONFIRMED, State.UNCONFIRMED),
        (State.DELIVERED, State.DELIVERED),
    ],
)
async def test_an_answer_proves_receipt(house: House, ended: State | None, state: State, said: str) -> None:
    bakery = await house.account("bakery@example.org")
    key = await house.send(bakery, ended=ended)
    sent_at = house.clock.now() - timedelta(seconds=60)
    await house.say(said)
    row = await house.message(key)
    assert row["state"] == state
    assert row["delivered_at"] == (sent_at if ended is State.DELIVERED else house.clock.now())
    counted = await house.recounted(bakery, Dialect.SMSPARTNER)
    assert (counted.sent, counted.delivered, counted.errors, counted.bounced) == (1, 1, 0, 0)
    reports = [event[2] for event in await house.events() if event[1] == "report"]
    assert reports == (["DELIVERED"] if ended is None else [])


async def test_a_proof_is_told_before_the_reply_and_in_order(house: House) -> None:
    bakery = await house.account("bakery@example.org")
    await house.send(bakery)
    await house.say("Oui")
    assert [event[2] for event in await house.events()] == ["DELIVERED", "REPLY"]
    assert [leased.kind for leased in house.offered] == [K.DELIVERED]  # the reply waits for it


async def test_several_texts_of_one_phone_in_one_batch(house: House) -> None:
    bakery = await house.account("bakery@example.org")
    key = await house.send(bakery, tag="promo")
    at = house.clock.now()
    texts = ["un", "deux", "STOP", "trois"]
    await house.inbound.receive(
        [Text(PHONE, "36000", text, at + timedelta(seconds=n)) for n, text in enumerate(texts)], CARRIER
    )
    assert [row[1] for row in await house.replies()] == texts
    row = await house.message(key)
    assert (row["reply_at"], row["stopped_at"], row["delivered_at"]) == (
        at + timedelta(seconds=3), at + timedelta(seconds=2), at,
    )  # fmt: skip
    counted = await house.recounted(bakery, Dialect.SMSPARTNER, "promo")
    assert (counted.replies, counted.unsubscribers, counted.delivered) == (3, 1, 1)


@pytest.mark.parametrize("odd", ["nul \0 byte", "half \ud83d emoji", "\ufffe", "x" * 5000])
async def test_an_odd_text_does_not_hold_up_its_neighbours(house: House, odd: str) -> None:
    bakery = await house.account("bakery@example.org")
    await house.send(bakery)
    batch = [
        Text(PHONE, "36000", odd, house.clock.now()),
        Text(10**30, "36000", "impossible", house.clock.now()),
        Text(PHONE, "", "nowhere", house.clock.now()),
        Text(PHONE, "36000", "part of nothing", house.clock.now(), 1, 2, 7),
        Text(PHONE, "36000", "Oui", house.clock.now()),
    ]
    await house.inbound.receive(batch, CARRIER)
    assert [row[1] for row in await house.replies()][1:] == ["part of nothing", "Oui"]


# --- long texts --------------------------------------------------------------------------------------------------


async def test_parts_in_any_order_and_twice_make_one_text(house: House) -> None:
    bakery = await house.account("bakery@example.org")
    await house.send(bakery)
    for number, text in ((3, "trois"), (1, "un "), (3, "trois"), (1, "un ")):
        await house.say(text, reference=77, total=3, part=number)
        assert await house.replies() == []
    await house.say("deux ", reference=77, total=3, part=2)
    assert [row[1] for row in await house.replies()] == ["un deux trois"]
    assert await house.db.fetchval("SELECT count(*) FROM inbound_part") == 0


async def test_a_stop_in_parts_is_a_stop(house: House) -> None:
    bakery = await house.account("bakery@example.org")
    await house.send(bakery)
    await house.inbound.receive(
        [Text(PHONE, "36000", text, house.clock.now(), 5, 2, n) for n, text in ((2, "OP merci"), (1, "ST"))], CARRIER
    )
    assert await house.stopped(bakery)


async def test_texts_with_the_same_reference_from_two_phones_are_two(house: House) -> None:
    bakery = await house.account("bakery@example.org")
    await house.send(bakery)
    await house.say("un ", reference=9, total=2, part=1)
    await house.say("deux", reference=9, total=2, part=2, phone=PHONE + 1)
    assert await house.replies() == []


async def test_halves_that_come_to_two_processes_at_once_are_joined(house: House) -> None:
    bakery = await house.account("bakery@example.org")
    await house.send(bakery)
    for round_ in range(10):
        await asyncio.gather(
            house.say("un ", reference=round_, total=2, part=1), house.say("deux", reference=round_, total=2, part=2)
        )
    assert [row[1] for row in await house.replies()] == ["un deux"] * 10


async def test_what_is_there_of_a_text_is_taken_after_an_hour(house: House) -> None:
    bakery = await house.account("bakery@example.org")
    await house.send(bakery)
    await house.say("STOP ", reference=7, total=3, part=1)
    await house.say("tout", reference=7, total=3, part=3)
    house.clock.move(3599)
    assert await house.inbound.sweep() == 0
    house.clock.move(1)
    assert await house.inbound.sweep() == 1
    assert [row[1:3] for row in await house.replies()] == [("STOP tout", True)]
    assert await house.stopped(bakery)
    assert await house.inbound.sweep() == 0


async def test_it_returns_after_the_commit(house: House) -> None:
    bakery = await house.account("bakery@example.org")
    await house.send(bakery)
    await house.say("Oui")
    async with house.db.transaction() as connection:  # another connection sees it
        assert await connection.fetchval("SELECT count(*) FROM reply") == 1
    assert [leased.id for leased in house.offered] == [await house.db.fetchval("SELECT min(id) FROM event")]
