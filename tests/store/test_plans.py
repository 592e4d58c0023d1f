"""The plans of all statements, with a history and without: no table is read from end to end, and no cost grows with it.

The plans are those that were really run, under the settings of `Database`, heard from the server while the pipeline and
the reads of the dialects do their work on 20,000 and on 200,000 messages.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from unittest import mock
from uuid import UUID

import pytest
from conftest import command, named
from filling import CARRIER, FIRST_ACCOUNT, FIRST_PHONE, History, key_of
from store.campaign_day import campaign_day
from store.link_day import link_day, links_of_old
from store.list_day import list_day
from store.watching import MODULES, Plans, Watched, watched

from passerelle.app import WORDINGS
from passerelle.clock import ManualClock
from passerelle.domain import numbers
from passerelle.domain.admission import Wanted
from passerelle.domain.forwarding import Forwarding, Rule
from passerelle.domain.hlr import Found
from passerelle.domain.message import Dialect, DuePart, Inbound, Outcome, OutcomeKind, Receipt, State
from passerelle.domain.pricing import Service
from passerelle.domain.profile import NATIVE, PRIMOTEXTO, SMSPARTNER
from passerelle.domain.rcs_names import CARRIER as CARRIER_OF_RCS
from passerelle.domain.rcs_names import name_of
from passerelle.domain.rental import Criteria, Volume
from passerelle.domain.routing import Route
from passerelle.domain.surveys import Mode, Survey
from passerelle.domain.surveys import Question as Asked
from passerelle.domain.surveys import State as SurveyState
from passerelle.domain.tokens import text20
from passerelle.pipeline import contact_import, group_send, rental_import, subaccounts, survey_results, surveys
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.api_keys import ApiKeys
from passerelle.pipeline.cancel import cancel, cancel_submission
from passerelle.pipeline.complaints import record_many
from passerelle.pipeline.dispatch import Dispatcher
from passerelle.pipeline.failover import Failover, keep_failover
from passerelle.pipeline.forwarding import forward
from passerelle.pipeline.housekeeping import Housekeeping
from passerelle.pipeline.inbound import Inbound as Texts
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.rcs import Rcs
from passerelle.pipeline.receipts import Receipts
from passerelle.pipeline.rental import Builder, Offer, Rented, download, offer, rent
from passerelle.pipeline.submit import Accepted, Idempotency, Submitter
from passerelle.pipeline.teller import Teller
from passerelle.pipeline.verifications import Check, Once, Verifications
from passerelle.pipeline.verifications import accept as accept_check
from passerelle.pipeline.webhooks import Webhooks
from passerelle.settings import Settings
from passerelle.store import (
    api_keys,
    carriers,
    complaints,
    contacts,
    events,
    group_sends,
    imports,
    ledger,
    limits,
    links,
    listings,
    mails,
    optouts,
    queue,
    receipts,
    rental,
    snapshots,
    statistics,
    status,
    submissions,
    verifications,
    virtual_numbers,
    webhooks,
)
from passerelle.store import subaccounts as subaccount_rows
from passerelle.store import surveys as survey_rows
from passerelle.store.database import queries
from passerelle.store.numbering import MESSAGE_BLOCK, Numbering
from passerelle.store.replies import NewReply
from passerelle.store.verifications import Verification
from passerelle.surfaces.rcs_events import RcsEvents

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday, by day: marketing leaves at once
SECRET = "test"
GROWING = (
    "submission", "message", "part", "queue", "awaiting", "event", "parked_receipt", "reply", "blocked", "posting",
    "sandbox", "idempotency", "rental", "statistic_total", "statistic_hour", "statistic_distinct", "wallet", "account",
    "contact", "group_send", "dead_subscriber", "link", "survey", "question", "invitation", "answer", "free_answer",
    "virtual_number", "forwarding_change", "verification", "verified_number", "dead_subscriber", "rcs_failover", "rcs_event",
    "campaign", "left_out", "list_", "contact_list", "link_target", "tracked_link", "visit",
)  # fmt: skip

# What reads much on purpose, or is asked by people once in a while.
EXEMPT = {
    "ledger.wrong_wallets": "doctor: all there is",
    "ledger.account_sum": "doctor: all postings of an account",
    "statistics.recount": "doctor: all messages of an account",
    "accounts.all_accounts": "command line: a list of all",
    "accounts.touch_all": "a price or a protected sender of the installation changed: every cached account is stale",
    "queue.depth": "gauges: counts what is due",
    "queue.move": "command line: a route is moved",
    "snapshots.bounces": "Primotexto blacklists: answers with the whole list",
    "snapshots.replies": "Primotexto replies: answers with all of them",
    "snapshots.unsubscribers": "Primotexto blacklists: answers with the whole list",
    "optouts.listing": "the whole list",
    "rental.lock_optouts": "an import: locks a table, reads nothing",
    "rental.settle_down": "after an import: vacuum",
    "rental.settle_people": "after an import: vacuum",
    "rental.overview": "command line: counts all people",
    "rental.overview_interests": "command line: counts all people of each interest",
    "rental.is_empty": "demo: is there anybody",
    "virtual_numbers.listing": "command line: a list of all",
    "subaccounts.every": "command line: a list of all",
    "mails.listing": "command line: what has not left",
    "mails.again": "command line: what has not left",
    "mails.tally": "doctor: what has not left",
    "replies.take_old": "what waits for its rest: a handful of rows",
}
BOUNDS = {
    "statistics.cost_rows": 400,  # every hour of a year, from the index
    "listings.messages_tagged": 2500,  # a page looks at 500 rows here, if there are so many
    "listings.replies": 600,
}
RARE = {
    "retention",
    "accounts",
    "installation_facts",
    "carriers",
    "inspection",
}  # at night, or by people; the reads are run all the same


@pytest.fixture(scope="module")
async def histories(database_server: str, database_template: str) -> AsyncIterator[dict[int, str]]:
    """Databases with 20,000 and 200,000 messages of 20 accounts, everything else in proportion."""
    urls = {}
    for size in (20_000, 200_000):
        await command(database_server, f"CREATE DATABASE history_{size} TEMPLATE {database_template}")
        urls[size] = named(database_server, f"history_{size}")
        history = History(accounts=20, messages=size, now=NOW, scheduled=size // 40)
        await history.write(urls[size], Keyring(SECRET))
        await command(urls[size], _surroundings())
        await command(urls[size], _surveys())
        async with watched(urls[size]) as db:
            while await statistics.fold(db, NOW):
                pass
        await command(urls[size], "VACUUM ANALYZE")
    yield urls
    for size in urls:
        await command(database_server, f"DROP DATABASE history_{size} WITH (FORCE)")


def _surroundings(count: int = 300) -> str:
    """Rows of the tables that do not grow with the history: what comes is soon gone."""
    at = f"timestamptz '{NOW.isoformat()}'"
    return f"""
    insert into event (uuid, account_id, message_id, kind, at, endpoint, url, content_type, body, next_at, state)
    select gen_random_uuid(), account_id, id, 3, {at}, 'https://a.example:443', 'https://a.example/', 'text/plain', 'x',
           {at} + interval '1 hour', (id % 2)::smallint
    from message order by id desc limit {count};
    insert into parked_receipt (carrier_id, operator_id, forms, phone, state, error, at, parked_at)
    select 1, 'p' || n, array['p' || n], n, 10, '', {at}, {at} - interval '1 day' from generate_series(1, {count}) n;
    insert into idempotency (account_id, path, key, body_hash, status, answer, submission_id, at)
    select {FIRST_ACCOUNT}, '/v1/send', 'key-' || n, '', 200, '', 0, {at} from generate_series(1, {count}) n;
    insert into rate_call (account_id, call, at)
    select {FIRST_ACCOUNT} + n % 20, 'cost-resume', {at} - interval '30 seconds' from generate_series(1, {count}) n;
    insert into sandbox (account_id, id, submission_id, dialect, number, tag, tag_key, phone, country, text, parts, price, at)
    select {FIRST_ACCOUNT} + n % 20, {1 << 39} + n, {1 << 39} + n, 1 + n % 2, {1 << 30} + n, 'Tag-1', 'tag-1',
           {FIRST_PHONE} + n, 'FR', '', 1, 0, {at} from generate_series(1, {count}) n;
    insert into queue (account_id, message_id, submission_id, carrier_id, lane, class, due_at, valid_until, stop_applies,
                       lease_until, lease_owner)
    select account_id, id, submission_id, 1, 1, 0, {at} - interval '1 minute', {at} + interval '1 day', true,
           clock_timestamp() - interval '1 minute', gen_random_uuid()
    from message where state = 1 order by id desc limit 30;
    insert into awaiting (carrier_id, operator_id, account_id, message_id, part, submission_id, phone, at)
    select 1, '', account_id, id, 1, submission_id, phone, {at} - interval '3 days'
    from message where state = 11 order by id desc limit 30;
    insert into virtual_number (phone, account_id, created_at)
    select 33700000000 + n, {FIRST_ACCOUNT} + n % 20, {at} from generate_series(1, {count}) n;
    insert into forwarding_change (account_id, phone, at, forwarding, forward_to)
    select {FIRST_ACCOUNT} + n % 20, 33700000000 + n, {at}, 0, '' from generate_series(1, {count}) n;
    insert into verification (account_id, at, numbers, cost)
    select {FIRST_ACCOUNT} + n % 20, {at}, 1, 0 from generate_series(1, {count}) n;
    insert into verified_number (account_id, number, position, reference, phone, country, price, due_at, error)
    select account_id, number, 1, gen_random_uuid(), {FIRST_PHONE} + number, 'FR', 0, {at}, case when number > 30 then 0 end
    from verification;
    insert into dead_subscriber (account_id, phone)
    select {FIRST_ACCOUNT} + n % 20, {FIRST_PHONE} + n from generate_series(1, {count}) n;
    """


def _surveys() -> str:
    """Surveys of old, to which every tenth message belongs, and links, in proportion to the messages."""
    at = f"timestamptz '{NOW.isoformat()}'"
    return f"""
    insert into survey (account_id, token, title, introduction, mode, marketing, state, created_at)
    select {FIRST_ACCOUNT} + n % 20, int8send(n) || int4send(0), 'Old', 'Old', 0, false, 2, {at} from generate_series(1, 200) n;
    insert into question (account_id, survey_id, number, kind, text, choices, required)
    select account_id, id, 1, 0, '?', array['a', 'b'], true from survey;
    insert into invitation (account_id, message_id, survey_id, phone, code, test, at)
    select m.account_id, m.id, s.id, m.phone, 'c' || m.id, false, {at}
    from message m join (select account_id, min(id) as id from survey group by 1) s using (account_id) where m.id % 10 = 0;
    insert into answer (account_id, survey_id, test, phone, question, choices, message_id, at)
    select account_id, survey_id, test, phone, 1, '{{1}}', message_id, at from invitation on conflict do nothing;
    insert into free_answer (account_id, survey_id, test, phone, text, message_id, at)
    select account_id, survey_id, test, phone, 'x', message_id, at from invitation;
    insert into link (code, account_id, url, created_at)
    select 'l' || id, account_id, 'https://a.example/', {at} from message where id % 10 = 0;
    {links_of_old(at)}
    """


# --- a day's work --------------------------------------------------------------------------------------------------


class Operator:
    """A carrier that is told what to answer."""

    id, name = 1, CARRIER

    def __init__(self) -> None:
        self.taken: list[DuePart] = []

    def free_slots(self) -> int:
        return 500

    def submit(self, parts: Sequence[DuePart]) -> None:
        self.taken += parts

    def take_outcomes(self) -> list[Outcome]:
        return []

    def take_arrived(self) -> list[object]:
        return []


class Oracle:
    """Knows some numbers, calls some dead, and of some nothing."""

    delay = timedelta(0)

    async def ask(self, phone: int, country: str, reference: str) -> Found | None:
        return None if phone % 3 == 0 else Found("20801", False, phone % 3 - 1)

    async def close(self) -> None:
        pass


class Day:
    """What the platform does, with everything it has; `db` hears the plans."""

    def __init__(self, db: Watched) -> None:
        self.db = db
        self.clock = ManualClock(NOW)
        self.accounts = Accounts(db, Keyring(SECRET), Settings())
        self.teller = Teller(self.accounts, WORDINGS, lambda leased: None)
        self.receipts = Receipts(db, self.clock, self.teller)
        self.dispatcher = Dispatcher(db, self.clock, self.teller, UUID(int=1))
        self.submitter = Submitter(db, self.accounts, [Route(1, frozenset({1, 2}))], self.clock)

    async def work(self) -> None:
        writing = asyncio.create_task(self.submitter.run())
        try:
            await self.accept()
        finally:
            writing.cancel()
        await self.send()
        await self.settle()
        await self.answer()
        await self.survey()
        await self.notify()
        await self.chores()
        await self.read()
        await self.block()
        await self.pay()
        await self.resell()
        await self.rent()
        await self.own()
        await self.check()
        await self.group()
        await self.rich()
        await self.native()
        await list_day(self.db, self.accounts, FIRST_ACCOUNT + 6, NOW)
        await link_day(self.db, self.teller, NOW)
        await campaign_day(self.db, self.accounts, self.submitter, FIRST_ACCOUNT + 5, self.clock)

    async def accept(self) -> None:
        """Single messages, long ones, a list; with and without an Idempotency-Key; one at a sending time, taken back."""
        await self.accounts.update_rules(FIRST_ACCOUNT + 2, daily_quota=1000)
        found = [await self.accounts.find(key_of(FIRST_ACCOUNT + n)) for n in range(20)]
        sends = []
        for n, account in zip(range(120), cycle(found), strict=False):
            profile = PRIMOTEXTO if n % 3 == 0 else SMSPARTNER
            items = [(f"+{33_600_000_000 + n * 100 + k}", None) for k in range(60 if n == 7 else 1)]
            text = "x" * 300 if n % 10 == 0 else "Bonjour"
            wanted = Wanted(items=items, text=text, tag="Tag-0", dlr_url="https://a.example/dlr")
            once = Idempotency("/v1/send", f"new-{n}", b"", lambda accepted: (200, b"")) if n % 4 == 0 else None
            sends.append(self.submitter.accept(account, wanted, profile, once))
        results = await asyncio.gather(*sends)
        assert all(isinstance(result, Accepted) for result in results), results
        later = Wanted(items=[("+33600000001", None)] * 3, text="Demain", due_at=NOW + timedelta(days=1))
        in_sandbox = Wanted(items=[("+33600000001", None)], text="Bonjour", tag="Tag-0", tag_key="tag-0", sandbox=True)
        for wanted in (later, in_sandbox):
            result = await self.submitter.accept(found[1], wanted, SMSPARTNER)
            assert isinstance(result, Accepted)
            await cancel(self.db, found[1].id, Dialect.SMSPARTNER, result.number, NOW)
        await submissions.present(self.db, [(FIRST_ACCOUNT, 1), (FIRST_ACCOUNT, 2)])

    async def send(self) -> None:
        operator = Operator()
        while await self.dispatcher.pump(operator):
            pass
        kinds = [OutcomeKind.SENT] * 12 + [
            OutcomeKind.TEMPORARY, OutcomeKind.PERMANENT, OutcomeKind.UNKNOWN, OutcomeKind.UNSENT, OutcomeKind.THROTTLED,
        ]  # fmt: skip
        self.outcomes = []
        for n, (part, kind) in enumerate(zip(operator.taken, cycle(kinds), strict=False)):
            part.begun_at = NOW
            operator_id = f"1{n:07}" if kind is OutcomeKind.SENT else ""
            self.outcomes.append(Outcome(part, kind, operator_id, bounced=n % 2 == 0, at=NOW))
        assert len(self.outcomes) > 100
        await self.receipts.settle(1, [Receipt(("10000001",), 1, State.DELIVERED, "", NOW)])  # before its answer
        for _ in range(2):  # again, as after a commit of unknown outcome
            await self.dispatcher.record(1, self.outcomes)

    async def settle(self) -> None:
        sent = [outcome for outcome in self.outcomes if outcome.operator_id]
        states = cycle([State.DELIVERED, State.DELIVERED, State.UNDELIVERED, State.BOUNCED])
        batch = [
            Receipt((outcome.operator_id,), outcome.part.phone, state, "", NOW)
            for outcome, state in zip(sent[5:], states, strict=False)
        ]
        batch.append(Receipt(("nobody", "knows"), FIRST_PHONE, State.DELIVERED, "", NOW))
        await self.receipts.settle(1, batch)
        waiting = await self.db.fetch("select operator_id, phone from awaiting where operator_id like 'h%' limit 100")
        await self.receipts.settle(1, [Receipt((row[0],), row[1], State.DELIVERED, "", NOW) for row in waiting])
        async with self.db.transaction() as connection:
            keys = [outcome.part.key for outcome in self.outcomes]
            await queue.remove_uncertain(connection, [queue.Part(k.account_id, k.message_id, k.part) for k in keys])
            assert await receipts.awaited_by_phone(connection, 1, [outcome.part.phone for outcome in self.outcomes])
        await self.db.execute("update parked_receipt set forms = array['10000002'], parked_at = $1 where id = 7", NOW)

    async def answer(self) -> None:
        """Replies, opt-outs, and the two halves of a long text."""
        phones = await self.db.fetch(
            "select phone from message where account_id = $1 order by id desc limit 40", FIRST_ACCOUNT
        )
        texts = Texts(self.db, self.teller, Settings(), self.clock)
        words = cycle(["Merci", "STOP", "Oui"])
        batch = [Inbound(row[0], "36000", word, NOW) for row, word in zip(phones, words, strict=False)]
        batch += [Inbound(phones[0][0], "36000", "half", NOW, 5, 2, part) for part in (1, 2)]
        batch += [Inbound(row[0], "33700000020", "Bonjour", NOW) for row in phones]
        await texts.receive(batch, 1)
        await texts.sweep()

    async def native(self) -> None:
        """Keys, lists page by page, endpoints and their deliveries, a submission taken back."""
        db, account, keys = self.db, FIRST_ACCOUNT, ApiKeys(self.db, Keyring(SECRET))
        key, whole = await keys.create(account, "shop", ["*"], NOW)
        assert await keys.find(whole, NOW)
        await api_keys.listing(db, account, limit=50)
        await api_keys.revoke(db, account, key.id, NOW)
        with mock.patch.object(listings, "LOOKED_AT", 500):
            await self._lists()
        await self._hooks()
        found = await self.accounts.find(key_of(account))
        assert found is not None
        later = Wanted(items=[("+33600000009", None)] * 2, text="Demain", due_at=NOW + timedelta(days=1))
        writing = asyncio.create_task(self.submitter.run())
        accepted = await self.submitter.accept(found, later, NATIVE)
        writing.cancel()
        assert isinstance(accepted, Accepted)
        await cancel_submission(db, account, accepted.id, NOW)
        await listings.progress(db, account, accepted.id, 1)
        await listings.waiting(db, account, accepted.id, 1)
        assert await listings.submission(db, account, accepted.id) and await listings.message(db, account, accepted.id)
        await listings.submission_of(db, account, accepted.id)

    async def _lists(self) -> None:
        db, account = self.db, FIRST_ACCOUNT
        ever = listings.Filter(list(State), list(Dialect), NOW - timedelta(days=400), NOW)
        for asked in (ever, replace(ever, phone=FIRST_PHONE), replace(ever, tag_keys=["tag-0", "Tag-0"])):
            part = await listings.messages(db, account, asked, listings.NEWEST, 50)
            await listings.messages(db, account, asked, part.more or listings.NEWEST, 50)
        await listings.replies(db, account, list(Dialect), [True, False], None, listings.NEWEST, 50)
        await listings.replies_tagged(db, account, Dialect.SMSPARTNER, "tag-0", listings.NEWEST, 50)
        await listings.postings(db, account, listings.NEWEST, 50)
        await listings.charges(db, account, listings.NEWEST, 50)
        await listings.blocked(db, account, optouts.List.STOP, 0, 50)
        await listings.tags(db, account, 0, "", 50)
        await listings.sandboxed(db, account, 1 << 39)
        await listings.sandboxed_submission(db, account, 1 << 39)

    async def _hooks(self) -> None:
        db, account, hooks = self.db, FIRST_ACCOUNT, Webhooks(self.db, Keyring(SECRET))
        made, _ = await hooks.create(account, "https://a.example/", ["*"], NOW)
        gone, _ = await hooks.create(account, "https://b.example/", ["*"], NOW)
        await hooks.ping(made, NOW)
        await hooks.rotate(account, made.id, NOW)
        await hooks.secrets(made.id, NOW)
        assert await hooks.listeners([account, account + 1])
        tried = [
            webhooks.Tried(account, made.id, str(UUID(int=n)), 0, 3, NOW, "x", 1, 500, "", webhooks.DeliveryState.WAITING, NOW, None)
            for n in range(50)
        ]  # fmt: skip
        await webhooks.log(db, tried)
        await webhooks.deliveries(db, account, made.id, [0, 1], limit=20)
        await webhooks.replay(db, made, NOW, since=NOW, states=[0], limit=20)
        await webhooks.update(db, account, made.id, made.url, "", ["*"], True, NOW)
        await webhooks.disable(db, gone.id, "gone", NOW)
        await webhooks.remove(db, account, gone.id, NOW)
        await webhooks.listing(db, account, limit=20)
        await webhooks.find(db, account, made.id)
        await webhooks.count(db, account)
        await webhooks.forget_deliveries(db, NOW + timedelta(seconds=1))

    async def rich(self) -> None:
        """RCS: taken, delivered, read, answered, revoked; followed by an SMS."""
        routes = [Route(CARRIER_OF_RCS, frozenset({4})), Route(1, frozenset({1, 2}))]
        submitter = Submitter(self.db, self.accounts, routes, self.clock)
        failover = Failover(self.accounts, routes)
        dispatcher = Dispatcher(self.db, self.clock, self.teller, UUID(int=1), failover=failover)

        async def revoke(phone: int, name: str) -> bool:
            return True

        texts = Texts(self.db, self.teller, Settings(), self.clock)
        rcs = Rcs(self.db, self.clock, self.teller, texts, failover, revoke, "agent")
        door = RcsEvents(self.db, self.clock, "agent", "token")
        writing = asyncio.create_task(submitter.run())
        account = await self.accounts.find(key_of(FIRST_ACCOUNT + 5))
        items = [(f"+{33_600_900_000 + n}", None) for n in range(40)]
        wanted = Wanted(items=items, text='{"text":"Bonjour"}', service=Service.RCS, failover="x" * 200)
        assert isinstance(await submitter.accept(account, wanted, SMSPARTNER, beside=keep_failover), Accepted)
        writing.cancel()
        provider = Operator()
        provider.id = CARRIER_OF_RCS  # type: ignore[misc]
        await dispatcher.pump(provider)
        names = {part.phone: name_of(part.key.message_id, part.phone, part.text) for part in provider.taken}
        kinds = cycle([OutcomeKind.SENT] * 7 + [OutcomeKind.UNREACHABLE])
        outcomes = []
        for part, kind in zip(provider.taken, kinds, strict=False):
            part.begun_at = self.clock.now()
            outcomes.append(
                Outcome(part, kind, names[part.phone] if kind is OutcomeKind.SENT else "", at=part.begun_at)
            )
        await dispatcher.record(CARRIER_OF_RCS, outcomes)
        words = ["DELIVERED", "READ", "TTL_EXPIRATION_REVOKED"]
        for (phone, name), word in zip(list(names.items())[:15], cycle(words), strict=False):
            told = {"senderPhoneNumber": f"+{phone}", "eventType": word, "messageId": name}
            said = {"senderPhoneNumber": f"+{phone}", "text": "Merci", "messageId": name[::-1]}
            for event in (told, said):
                await door.take(json.dumps(event).encode())
        assert await rcs.take() == 30
        self.clock.move(400)
        assert await rcs.expire()
        self.clock.move(40 * 86400)
        await rcs.forget()
        self.clock.move(-40 * 86400 - 400)

    async def survey(self) -> None:
        """Surveys by SMS and by link, their answers and figures; short links and their clicks."""
        db, account = self.db, FIRST_ACCOUNT + 4
        for mode in Mode:
            asked = Survey("Pain", "Aimez-vous ?", mode, (Asked("?", choices=("Oui", "Non")),))
            made = await surveys.create(db, account, asked, [], NOW)
            assert isinstance(made, survey_rows.Stored)
            stored = await surveys.set_state(db, made, SurveyState.OPEN)
            rows = await db.fetch(
                "select id, phone from message where account_id = $1 and id % 10 = $2 order by id desc limit 20",
                account, 5 + mode,
            )  # fmt: skip
            codes = [links.new_code() for _ in rows]
            messages = [(row["id"], row["phone"], code) for row, code in zip(rows, codes, strict=True)]
            async with db.transaction() as connection:
                await survey_rows.invite(connection, stored, False, NOW, messages)
                replies = [
                    NewReply(account, b"", 1, phone, "36000", text, NOW, False, message, 1, "", "")
                    for (message, phone, _), text in zip(messages, cycle(["1", "x"]), strict=False)
                ]
                await surveys.take_replies(connection, replies, NOW)
            assert await surveys.visit(db, codes[0], NOW)
            for _ in range(2):
                await surveys.submit(db, codes[0], {"q1": ["1"]}, NOW)
            await surveys.visit(db, codes[0], NOW)
            assert await surveys.find(db, account, text20(stored.token))
            await survey_results.results(db, stored)
            await survey_results.as_csv(db, stored)
            await survey_rows.page(db, account, limit=5)
            await survey_rows.remove(db, account, stored.id)
        made_links = await links.make_many(db, account, ["https://a.example/"] * 50, NOW)
        await links.clicks(db, account, made_links)

    async def notify(self) -> None:
        leased = await events.lease(self.db, NOW + timedelta(hours=2), 100)
        assert len(leased) > 70
        await events.delivered(self.db, [event.id for event in leased[:40]])
        await events.failed(self.db, [events.Failed(e.id, 1, NOW, "500") for e in leased[40:60]])
        await events.failed(self.db, [events.Failed(e.id, 9, None, "500") for e in leased[60:]])
        given_up = await events.given_up(self.db, FIRST_ACCOUNT)
        await events.replay(self.db, FIRST_ACCOUNT, [event.id for event in given_up], NOW)

    async def chores(self) -> None:
        used = await queue.carriers_in_use(self.db)
        await self.dispatcher.rescue(used)
        self.clock.move(61)
        await self.receipts.sweep()
        late = [outcome.operator_id for outcome in self.outcomes[:5]]
        await self.db.execute("update awaiting set at = $1 where operator_id = any($2)", NOW - timedelta(days=3), late)
        await self.receipts.give_up()
        await statistics.fold(self.db, self.clock.now())
        await Housekeeping(self.db, Settings(), self.clock).tick()
        await carriers.hold_bind(self.db, 1, 0, UUID(int=1), timedelta(seconds=9), True, "")
        await self.db.execute(
            "update queue set due_at = $1, valid_until = $1 where message_id in (select max(message_id) from queue)",
            NOW,
        )
        await self.dispatcher.expire(used)

    async def read(self) -> None:
        db, account, pairs = self.db, FIRST_ACCOUNT, await self._pairs()
        hours = [NOW.replace(month=month, day=1, hour=0) for month in range(1, 12)]
        for dialect, tag in ((1, "tag-0"), (2, "Tag-0")):
            for asked in ("", tag):
                await statistics.counters(db, account, dialect, asked)
                await snapshots.replies(db, account, dialect, asked)
                await snapshots.unsubscribers(db, account, dialect, asked)
                await snapshots.bounces(db, account, dialect, asked)
            await statistics.waiting_parts(db, account, dialect)
            await statistics.cost_rows(db, account, dialect, hours, NOW)
            await status.tag_messages(db, account, dialect, tag)
            await status.of_tag(db, account, dialect, tag, skip=0, limit=50)
            await statistics.distinct(db, account, dialect, statistics.Figure.OPENERS)
        for number, phone in pairs[:3]:
            await status.of_submission(db, account, 1, number)
            await snapshots.latest(db, account, 2, phone)
        await status.of_pairs(db, account, 1, pairs)
        await snapshots.by_number(db, account, 2, 17)
        await limits.count(db, account, "cost-resume", 5, NOW)
        numbering = Numbering(db)
        await asyncio.gather(numbering.submission_number(), numbering.snapshot_number())
        await numbering.messages(2 * MESSAGE_BLOCK, NOW)

    async def _pairs(self) -> list[tuple[int, int]]:
        rows = await self.db.fetch(
            "select s.number, m.phone from submission s join message m on m.account_id = s.account_id and m.id = s.id"
            " where s.account_id = $1 and s.number > 0 order by s.id desc limit 200",
            FIRST_ACCOUNT,
        )
        return [(row[0], row[1]) for row in rows]

    async def block(self) -> None:
        db, account = self.db, FIRST_ACCOUNT
        for list_ in optouts.List:
            entry = await optouts.add(db, account, list_, FIRST_PHONE - 1, NOW)
            assert entry is not None
            await optouts.find(db, account, list_, entry.phone)
            await optouts.remove_by_number(db, account, list_, entry.number)
            await optouts.remove_by_token(db, account, list_, entry.token)
            await optouts.remove_by_phone(db, account, list_, entry.phone)
            await optouts.listing(db, account, list_)
        await events.drop_progress(db, [(account, 1)])
        await optouts.blocked_pairs(db, [account] * 100, list(range(FIRST_PHONE, FIRST_PHONE + 100)))
        reports = [complaints.Report(one.part.phone, NOW) for one in self.outcomes[:50]]
        assert any(await record_many(db, self.teller, reports, NOW))

    async def pay(self) -> None:
        await ledger.top_up(self.db, FIRST_ACCOUNT, 1000, NOW)
        assert await ledger.balance(self.db, FIRST_ACCOUNT)
        async with self.db.transaction() as connection:
            await ledger.lock_wallets(connection, [FIRST_ACCOUNT, FIRST_ACCOUNT + 1])
            await ledger.add_to_wallets(connection, {FIRST_ACCOUNT: 5})
            await ledger.refund(connection, [ledger.Refund(FIRST_ACCOUNT, 5, 1, 1)], NOW)

    async def resell(self) -> None:
        """A sub-account from its invitation to its removal."""
        db, parent = self.db, await self.accounts.by_id(FIRST_ACCOUNT + 3)
        assert parent is not None
        wanted = subaccounts.Wanted(subaccounts.Type.ADVANCED, "branch@example.org", credit=1_000_000)
        made = await subaccounts.create(db, self.accounts, parent, wanted, NOW)
        assert isinstance(made, subaccounts.Created)
        await subaccounts.give(db, parent.id, made.token, 1000, NOW)
        await subaccounts.take(db, parent.id, made.token, 1000, NOW)
        assert await subaccount_rows.page(db, parent.id, 0, 20) and await subaccount_rows.total(db, parent.id)
        assert await subaccount_rows.one(db, parent.id, made.token)
        await subaccounts.figures(db, [made.account_id, FIRST_ACCOUNT], NOW - timedelta(days=30), NOW, NOW)
        assert await subaccounts.invite_again(db, self.accounts, "branch@example.org", NOW)
        [due] = await mails.lease(db, NOW, 10)
        await mails.failed(db, due.id, 1, "450 later", NOW)
        await mails.sent(db, due.id)
        async with db.transaction() as connection:
            await subaccount_rows.invite(connection, made.account_id, b"hash", NOW, NOW + timedelta(days=7))
            assert await subaccount_rows.sign_up(connection, b"hash", 33_600_000_001, "A", "B", "", NOW)
        assert await subaccount_rows.invitation(db, b"hash")
        await self._schedule(made.account_id)
        assert await subaccounts.remove(db, parent.id, made.token, NOW)
        await subaccounts.settle_removed(db, NOW)

    async def _schedule(self, account_id: int) -> None:
        account, writing = await self.accounts.by_id(account_id), asyncio.create_task(self.submitter.run())
        assert account is not None
        later = Wanted(items=[("+33600000001", None)], text="Demain", due_at=NOW + timedelta(days=1))
        assert isinstance(await self.submitter.accept(account, later, SMSPARTNER), Accepted)
        writing.cancel()

    async def own(self) -> None:
        """A long number from its first owner to its last."""
        db, phone = self.db, 33_600_000_001
        account = await self.accounts.by_id(FIRST_ACCOUNT)
        assert account is not None
        await virtual_numbers.add(db, phone, account.id, NOW)
        assert await forward(db, account, f"+{phone}", 1, "+33639980001", NOW) == Rule(Forwarding(1), "+33639980001")
        await virtual_numbers.set_reply_url(db, account.id, phone, "https://a.example/")
        assert len(await virtual_numbers.of_account(db, account.id)) > 1
        assert len(await virtual_numbers.changes(db, account.id, phone)) == 1
        await virtual_numbers.set_enabled(db, phone, False)
        await virtual_numbers.assign(db, phone, account.id + 1)
        await virtual_numbers.remove(db, phone)

    async def check(self) -> None:
        """Numbers asked about: found, dead, and those that nobody could be asked about."""
        account = await self.accounts.by_id(FIRST_ACCOUNT)
        assert account is not None
        read = [numbers.normalise(f"+{FIRST_PHONE + n}") for n in range(200)]
        check = Check([one for one in read if one is not None], "base", "https://a.example/hlr")
        self.clock.move(10)
        once = Once("/hlr/notify", "new", b"", lambda done: (200, b""))
        done = await accept_check(self.db, account, check, self.clock.now(), once)
        assert isinstance(done, Verification)
        await Verifications(self.db, Oracle(), self.teller, lambda checked, rules: ("", ""), self.clock).run()
        assert (await verifications.find(self.db, account.id, done.number)) == done
        assert len(await verifications.results(self.db, account.id, done.number)) == 200
        assert await verifications.listing(self.db, account.id)

    async def rent(self) -> None:
        """A base is imported, counted, rented twice, drawn from, handed over; people leave it."""
        db, account = self.db, await self.accounts.by_id(FIRST_ACCOUNT)
        assert account is not None
        await rental.name_interest(db, rental.Interest(20, 0, "Voyages"))
        await rental.name_category(db, 104, "Retraités")
        assert len(await rental.interests(db)) + len(await rental.categories(db)) == 6
        await rental_import.fill_with_examples(db, 300, NOW)
        builder = Builder(db, self.accounts, self.clock, lambda token, state, rules: ("", ""))
        for criteria in (
            Criteria(18, 98, interest=14, sub_interest=35),
            Criteria(18, 98, interest=20, sub_interest=35),
        ):
            found = await offer(db, account, criteria, None, NOW)
            assert isinstance(found, Offer) is (criteria.interest == 14)
        volumes = [Volume("", "60200", 2), Volume("", "02200", 3)]
        for _ in range(2):
            rented = await rent(db, account, Criteria(18, 98, interest=14, zipcodes=("60200", "02200")), volumes, NOW)
            assert isinstance(rented, Rented), rented
        assert await builder.run() == 2
        for one in await rental.listing(db, FIRST_ACCOUNT):
            assert isinstance(await download(db, one, NOW), list)
        async with db.transaction() as connection:
            assert await rental.find(connection, FIRST_ACCOUNT, one.token)
            phones = await rental.numbers(connection, one)
            await rental.opt_out_rented(connection, [(FIRST_ACCOUNT, 1, phone) for phone in phones], NOW)
            assert await rental.opted_out(connection, phones)

    async def group(self) -> None:
        """A file into a group of an account that has others, its contacts read, changed, written to, deleted."""
        db, account = self.db, FIRST_ACCOUNT + 3
        await db.execute(_groups(account))
        async with db.transaction() as connection:
            group = await contacts.add_group(connection, account, "Bread", NOW)
        file = io.BytesIO(b"phone,custom1\n" + b"".join(b"+336%08d,x\n" % n for n in range(3_000)) + b"145,x\n")
        one = await contact_import.begin(db, account, group, file, "a.csv", NOW)
        one = await contact_import.run(db, one, file, self.clock)
        assert one.added > 2_900
        assert await imports.refusals(db, one, 0, 100)
        await contact_import.deposit(db, account, group, file.getvalue(), "b.csv", NOW)
        assert await contact_import.take_up(db, self.clock)
        await self._members(account, group)
        await self._write_to(account, group)
        assert await contacts.rename_group(db, account, group.id, "Cake")
        assert await contacts.delete_group(db, account, group.id)

    async def _members(self, account: int, group: contacts.Group) -> None:
        db = self.db
        for key in (group.id, group.token):
            assert await contacts.group(db, account, key) == group
        assert await contacts.groups_of(db, account, [group.id]) == [group]
        assert await contacts.groups(db, account, 0, 50) and await contacts.groups_named(db, account, "Bread")
        page = await contacts.page(db, account, group.id, 500, 500)
        assert len(page) == 500 and await contacts.after(db, account, group.id, page[-1].id, 100)
        assert await contacts.find(db, account, page[0].token)
        async with db.transaction() as connection:
            locked = await contacts.lock(connection, account, page[0].token)
            assert locked is not None
            await contacts.write(connection, account, locked, {"custom2": "y"})
        for _ in range(2):
            assert await contacts.keep_links(db, account, page[:50], ["l"] * 50)
        assert await contacts.delete(db, account, page[0].token)
        assert await contacts.count(db, account, group.id)

    async def _write_to(self, account_id: int, group: contacts.Group) -> None:
        """As one large submission, which is written in slices."""
        await ledger.top_up(self.db, account_id, 1_000_000_000, NOW)
        account = await self.accounts.find(key_of(account_id))
        assert account is not None
        like = Wanted(items=[], text="Bonjour {{custom1}}")
        sent = await group_send.send(self.db, self.submitter, account, group, like, SMSPARTNER)
        assert isinstance(sent, Accepted) and sent.messages > 2_500
        assert await group_send.progress(self.db, account, sent.id, NOW)
        assert await group_sends.listing(self.db, account_id, limit=20)


def _groups(account: int, groups: int = 40, members: int = 50) -> str:
    """Other groups of an account, and of its neighbours."""
    at = f"timestamptz '{NOW.isoformat()}'"
    return f"""
    insert into contact_group (account_id, token, name, created_at)
    select {account} + n % 5, uuid_send(gen_random_uuid()), 'Group ' || n, {at} from generate_series(1, {groups}) n;
    insert into contact (account_id, group_id, token, phone, created_at)
    select g.account_id, g.id, uuid_send(gen_random_uuid()), {FIRST_PHONE} + n, {at}
    from contact_group g, generate_series(1, {members}) n;
    insert into dead_subscriber (account_id, phone) select {account}, {FIRST_PHONE} + n from generate_series(1, 500) n
    on conflict do nothing;
    """


@pytest.fixture(scope="module")
async def days(histories: dict[int, str]) -> dict[int, Plans]:
    """The plans of one day on each history."""
    heard = {}
    for size, url in histories.items():
        async with watched(url) as db:
            await Day(db).work()
            heard[size] = db.plans
    return heard


@pytest.fixture(scope="module")
async def first_day(database_server: str, database_template: str) -> AsyncIterator[Plans]:
    """The plans of a day on a database that was empty when they were made: a fresh installation, a new month."""
    await command(database_server, f"CREATE DATABASE first_day TEMPLATE {database_template}")
    url = named(database_server, "first_day")
    await History(accounts=20, messages=300, now=NOW, scheduled=0).write(url, Keyring(SECRET))
    await command(url, _surroundings())
    await command(url, _surveys())
    async with watched(url) as db:
        await Day(db).work()
        yield db.plans
    await command(database_server, "DROP DATABASE first_day WITH (FORCE)")


def listed(found: Iterable[object]) -> str:
    """One a line."""
    return "\n".join(sorted(map(str, found)))


def scans(plans: Plans) -> set[tuple[str, str]]:
    """Queries with the growing tables that they read from end to end."""
    return {
        (name, table)
        for name, executions in plans.by_name.items()
        for plan in executions
        for table in plan.scanned()
        if table.startswith(GROWING) and name not in EXEMPT and name.split(".")[0] not in RARE
    }


def allowed(small: Plans, name: str) -> float:
    """Pages with ten times the history: one more for each look into an index, which is deeper, written ones included."""
    deeper = small.searches(name) + (200 if small.writes(name) else 50)
    return 1.2 * small.most_buffers(name) + deeper


def test_every_query_was_run(days):
    """A new query comes with its place in the day, or is named among those that may be dear."""
    known = {f"{module}.{name}" for module in MODULES if module not in RARE for name, _ in queries(module)}
    missing = known - days[200_000].by_name.keys() - EXEMPT.keys()
    assert not missing, listed(missing)


def test_no_table_is_read_from_end_to_end(days):
    found = scans(days[200_000])
    assert not found, listed(found)


def test_a_plan_made_while_tables_are_empty_is_good_when_they_are_not(first_day):
    """Plans are kept: one that reads an empty table from end to end would go on doing so while it fills."""
    found = scans(first_day)
    assert not found, listed(found)


def test_no_cost_grows_with_the_history(days):
    small, big = days[20_000], days[200_000]
    grown = {
        name: (small.most_buffers(name), big.most_buffers(name))
        for name in small.by_name.keys() & big.by_name.keys() - EXEMPT.keys()
        if name.split(".")[0] not in RARE
        if big.most_buffers(name) > BOUNDS.get(name, allowed(small, name))
    }
    assert not grown, listed(grown.items())
