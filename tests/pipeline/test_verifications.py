"""Number checks: charged once, asked until answered, refunded once where nobody could be asked, told each once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from pipeline.world import CREDIT, World

from passerelle.domain import numbers
from passerelle.domain.account import Account
from passerelle.domain.hlr import Found
from passerelle.domain.message import EventKind
from passerelle.outbound.lookup import WORST
from passerelle.pipeline.batch import KeyReused, Replayed
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.teller import Teller
from passerelle.pipeline.verifications import (
    LEASE,
    LIMIT,
    Check,
    Once,
    Short,
    Unpriced,
    Verifications,
    accept,
    campaign_id,
)
from passerelle.pipeline.webhooks import Webhooks
from passerelle.store import accounts, ledger
from passerelle.store import verifications as store
from passerelle.store.verifications import Verification
from passerelle.surfaces.smspartner.notifications import check as wording

FIRST = 33639980000
URL = "https://a.example/hlr"


class Asked:
    """A provider that answers as a test says; `down`: it cannot be reached."""

    def __init__(self, answers: Mapping[int, Found] | None = None, *, down: bool = False) -> None:
        self.delay = timedelta(0)
        self.answers = dict(answers or {})
        self.down = down
        self.heard: list[int] = []
        self.hold: asyncio.Event | None = None

    async def ask(self, phone: int, country: str, reference: str) -> Found | None:
        self.heard.append(phone)
        if self.hold is not None:
            await self.hold.wait()
        return None if self.down else self.answers.get(phone, Found("20801", False))

    async def close(self) -> None:
        pass


def wanted(*phones: int) -> list[numbers.Number]:
    found = [numbers.normalise(f"+{phone}") for phone in phones]
    assert None not in found
    return [one for one in found if one is not None]


async def asked_for(world: World, account: Account, *phones: int, url: str = URL, tag: str = "") -> Verification:
    done = await accept(world.db, account, Check(wanted(*phones), tag, url), world.clock.now())
    assert isinstance(done, Verification)
    return done


def worker(world: World, provider: Asked, *, group: bool = False) -> Verifications:
    return Verifications(world.db, provider, world.teller, wording(group), world.clock)


async def told(world: World) -> list[dict[str, Any]]:
    rows = await world.db.fetch("select body from event where kind = $1 order by id", int(EventKind.HLR))
    return sorted((json.loads(row["body"]) for row in rows), key=lambda body: body["phone"])


async def dead(world: World, account: Account) -> Sequence[int]:
    rows = await world.db.fetch("select phone from dead_subscriber where account_id = $1 order by 1", account.id)
    return [row["phone"] for row in rows]


async def leases_end(world: World) -> None:
    await world.db.execute("update verified_number set lease_until = clock_timestamp() - interval '1 second'")


# --- accepted ------------------------------------------------------------------------------------------------------


async def test_a_request_is_charged_and_kept(world: World) -> None:
    account = await world.account()
    done = await asked_for(world, account, FIRST, FIRST + 1, 32470123456, tag="base")
    assert (done.numbers, done.cost, done.tag) == (3, 15_000, "base")
    assert await world.spent(account) == 15_000
    (posting,) = [row for row in await world.rows("posting") if row["kind"] == ledger.Kind.CHECK]
    assert (posting["from_account"], posting["to_account"], posting["amount"], posting["note"]) == (
        account.id, ledger.SALES, 15_000, campaign_id(done.number),
    )  # fmt: skip
    kept = await store.results(world.db, account.id, done.number)
    assert [(one.position, one.phone, one.price, one.error) for one in kept] == [
        (1, FIRST, 5000, None), (2, FIRST + 1, 5000, None), (3, 32470123456, 5000, None),
    ]  # fmt: skip
    assert len({one.reference for one in kept}) == 3
    assert await store.find(world.db, account.id, done.number) == done
    assert await store.listing(world.db, account.id) == [done]
    assert await store.find(world.db, account.id + 1, done.number) is None


async def test_the_price_is_that_of_the_country(world: World) -> None:
    account = await world.account()
    await accounts.set_price(world.db, account.id, 3, "BE", 7_400)  # rounded to 7 thousandths before the debit
    await accounts.set_price(world.db, account.id, 3, "FR", 0)
    account = await world.accounts.by_id(account.id) or account
    assert (await asked_for(world, account, FIRST, 32470123456)).cost == 7_000
    assert (await asked_for(world, account, FIRST)).cost == 0
    assert await world.spent(account) == 7_000


async def test_what_has_no_price_or_no_cover_changes_nothing(world: World) -> None:
    account = await world.account()
    await world.db.execute("delete from price where account_id = 0 and service = 3")
    bare = await world.accounts.by_id(account.id)
    assert bare is not None
    now = world.clock.now()
    assert await accept(world.db, bare, Check(wanted(FIRST)), now) == Unpriced(f"+{FIRST}")
    await accounts.set_price(world.db, 0, 3, "*", 5_000)
    priced = await world.accounts.by_id(account.id)
    assert priced is not None
    await world.accounts.credit(account.id, 4_999 - CREDIT, now)
    assert await accept(world.db, priced, Check(wanted(FIRST)), now) == Short()
    assert await world.rows("verification") == []
    await world.accounts.credit(account.id, CREDIT - 4_999, now)


def once(key: str, body: bytes = b"body") -> Once:
    return Once("/hlr", key, body, lambda done: (200, campaign_id(done.number).encode()))


async def test_a_key_is_good_for_one_request(world: World) -> None:
    account = await world.account()
    check, now = Check(wanted(FIRST)), world.clock.now()
    twins = await asyncio.gather(*(accept(world.db, account, check, now, once("k")) for _ in range(5)))
    made = [one for one in twins if isinstance(one, Verification)]
    assert len(made) == 1
    answer = Replayed(200, campaign_id(made[0].number).encode())
    assert [one for one in twins if one is not made[0]] == [answer] * 4
    assert await accept(world.db, account, check, now, once("k", b"other")) == KeyReused()
    assert isinstance(await accept(world.db, account, check, now, once("k2")), Verification)
    assert await world.spent(account) == 10_000


# --- asked ---------------------------------------------------------------------------------------------------------


async def test_results_are_kept_and_told(world: World) -> None:
    account = await world.account()
    done = await asked_for(world, account, FIRST, FIRST + 1)
    provider = Asked({FIRST: Found("20815", True, 0), FIRST + 1: Found("", False, 13)})
    world.clock.move(1.355)
    await worker(world, provider).run()
    kept = await store.results(world.db, account.id, done.number)
    assert [(one.mcc_mnc, one.ported, one.error, one.refunded) for one in kept] == [
        ("20815", True, 0, False), ("", False, 13, False),
    ]  # fmt: skip
    assert await told(world) == [
        {
            "phone": f"+{FIRST}", "messageId": kept[0].reference, "mccMnc": "20815", "ported": 1, "errorGrpId": 0,
            "errorName": "NO_ERROR", "errorDesc": "No Error", "date": "2026-11-10T10:00:01.355+0000",
        },
        {
            "phone": f"+{FIRST + 1}", "messageId": kept[1].reference, "mccMnc": "", "ported": 0, "errorGrpId": 13,
            "errorName": "EC_CALL_BARRED", "errorDesc": "Call Barred", "date": "2026-11-10T10:00:01.355+0000",
        },
    ]  # fmt: skip
    assert list((await told(world))[0]) == [
        "phone", "messageId", "mccMnc", "ported", "errorGrpId", "errorName", "errorDesc", "date",
    ]  # fmt: skip
    assert [leased.kind for leased in world.offered] == [EventKind.HLR] * 2
    assert await worker(world, provider).tick() == 0
    assert await world.spent(account) == 10_000


async def test_the_group_instead_of_the_id_and_a_form_instead_of_json(world: World) -> None:
    account = await world.account(callback_form=True)
    await asked_for(world, account, FIRST)
    await worker(world, Asked({FIRST: Found("", False, 2048)}), group=True).run()
    (event,) = await world.rows("event")
    assert event["content_type"] == "application/x-www-form-urlencoded"
    assert "&errorGrpId=3&errorName=EC_TIME_OUT&errorDesc=Time+Out&" in event["body"]


async def test_without_a_url_nobody_is_told(world: World) -> None:
    account = await world.account()
    done = await asked_for(world, account, FIRST, url="")
    await worker(world, Asked()).run()
    assert await told(world) == []
    assert [one.error for one in await store.results(world.db, account.id, done.number)] == [0]


async def test_it_waits_as_long_as_its_provider_takes(world: World) -> None:
    account = await world.account()
    await asked_for(world, account, FIRST)
    provider = Asked()
    provider.delay = timedelta(seconds=1)
    world.clock.move(0.9)
    assert await worker(world, provider).tick() == 0
    world.clock.move(0.1)
    assert await worker(world, provider).tick() == 1


async def test_a_number_that_nobody_could_be_asked_about_is_given_back(world: World) -> None:
    first, second = await world.account(), await world.account("clinic@example.org")
    await asked_for(world, second, FIRST)
    await asked_for(world, first, FIRST + 1, FIRST + 2)
    done = await asked_for(world, first, FIRST + 3)
    await worker(world, Asked(down=True)).run()
    assert (await world.spent(first), await world.spent(second)) == (0, 0)
    assert [(body["errorGrpId"], body["errorName"]) for body in await told(world)] == [
        (500, "EC_PROVIDER_GENERAL_ERROR")
    ] * 4
    refunds = [row for row in await world.rows("posting") if row["kind"] == ledger.Kind.REFUND]
    assert sorted(row["amount"] for row in refunds) == [5_000, 5_000, 10_000]
    assert campaign_id(done.number) in {row["note"] for row in refunds}
    (kept,) = await store.results(world.db, first.id, done.number)
    assert (kept.refunded, kept.error) == (True, 500)
    await leases_end(world)
    assert await worker(world, Asked(down=True)).tick() == 0


async def test_an_error_that_the_provider_told_is_no_refund(world: World) -> None:
    account = await world.account()
    await asked_for(world, account, FIRST)
    await worker(world, Asked({FIRST: Found("", False, 500)})).run()
    assert await world.spent(account) == 5_000


@pytest.mark.parametrize("down", [False, True])
async def test_a_worker_killed_between_answer_and_commit_asks_again_and_charges_once(world: World, down: bool) -> None:
    account = await world.account()
    done = await asked_for(world, account, FIRST)
    killed = Asked(down=down)
    killed.hold = asyncio.Event()
    dying = asyncio.create_task(worker(world, killed).tick())
    while not killed.heard:
        await asyncio.sleep(0)
    heir = Asked(down=down)
    assert await worker(world, heir).tick() == 0  # leased
    await leases_end(world)
    await worker(world, heir).run()
    assert heir.heard == [FIRST]
    killed.hold.set()  # not dead after all: what it says comes too late
    await dying
    assert await world.spent(account) == (0 if down else 5_000)
    assert len(await told(world)) == 1
    assert [one.refunded for one in await store.results(world.db, account.id, done.number)] == [down]
    assert len(await world.rows("posting")) == (3 if down else 2)  # credit, charge, refund


async def test_several_workers_ask_about_each_number_once(world: World) -> None:
    account = await world.account()
    phones = range(FIRST, FIRST + 2 * LIMIT + 7)
    await asked_for(world, account, *phones)
    provider = Asked()
    await asyncio.gather(*(worker(world, provider).run() for _ in range(3)))
    assert sorted(provider.heard) == list(phones)
    assert len(await told(world)) == len(phones)


async def test_a_dead_number_is_remembered_until_somebody_has_it(world: World) -> None:
    account, other = await world.account(), await world.account("clinic@example.org")
    gone, absent = Found("", False, 1), Found("", False, 27)
    for answers, left in (
        ({FIRST: gone, FIRST + 1: gone}, [FIRST, FIRST + 1]),
        ({FIRST: absent}, [FIRST]),
        ({FIRST: gone}, [FIRST]),
        ({}, []),
    ):
        await asked_for(world, account, FIRST, FIRST + 1)
        await worker(world, Asked(answers)).run()
        assert await dead(world, account) == left
    await asked_for(world, account, FIRST)
    await worker(world, Asked({FIRST: gone})).run()
    await asked_for(world, account, FIRST)
    await worker(world, Asked(down=True)).run()  # says nothing of the number
    assert await dead(world, account) == [FIRST]
    assert await dead(world, other) == []


def test_a_lease_outlives_the_slowest_provider() -> None:
    assert timedelta(seconds=WORST) < LEASE


def test_a_request_has_six_digits_at_least() -> None:
    assert [campaign_id(number) for number in (271, 1234567)] == ["HLR000271", "HLR1234567"]


# --- endpoints -----------------------------------------------------------------------------------------------------


async def test_endpoints_that_want_it_hear_of_each_number(world: World) -> None:
    account, quiet = await world.account(), await world.account("clinic@example.org")
    hooks = Webhooks(world.db, Keyring("test"))
    wanted_by, _ = await hooks.create(account.id, "https://a.example/", ["check.*"], world.clock.now())
    await hooks.create(account.id, "https://b.example/", ["message.*"], world.clock.now())
    done = await asked_for(world, account, FIRST, FIRST + 1, url="")
    await asked_for(world, quiet, FIRST, url="")
    teller = Teller(world.accounts, {}, lambda leased: None, world.accounts.listeners)
    provider = Asked({FIRST: Found("20810", True)}, down=False)
    await Verifications(world.db, provider, teller, wording(False), world.clock).run()
    rows = await world.db.fetch("select account_id, url, endpoint_id, body from event order by body")
    assert {(row["account_id"], row["url"], row["endpoint_id"]) for row in rows} == {
        (account.id, "https://a.example/", wanted_by.id)
    }
    bodies = {body["data"]["phone"]: body for body in (json.loads(row["body"]) for row in rows)}
    assert bodies.keys() == {f"+{FIRST}", f"+{FIRST + 1}"}
    told = bodies[f"+{FIRST}"]
    references = {one.phone: one.reference for one in await store.results(world.db, account.id, done.number)}
    assert told["type"] == "check.completed"
    assert told["data"] == {
        "check": str(done.number), "reference": references[FIRST], "phone": f"+{FIRST}", "network": "20810", "ported": True,
        "error": 0, "error_name": "NO_ERROR", "permanent": False, "refunded": False,
    }  # fmt: skip
    await world.db.execute("delete from event")


async def test_who_has_an_endpoint_and_a_url_hears_at_both(world: World) -> None:
    account = await world.account()
    await Webhooks(world.db, Keyring("test")).create(account.id, "https://a.example/", ["*"], world.clock.now())
    await asked_for(world, account, FIRST)
    teller = Teller(world.accounts, {}, lambda leased: None, world.accounts.listeners)
    await Verifications(world.db, Asked(down=True), teller, wording(False), world.clock).run()
    rows = await world.db.fetch("select url, body from event order by url")
    assert [row["url"] for row in rows] == sorted([URL, "https://a.example/"])
    ours = next(json.loads(row["body"]) for row in rows if row["url"] == "https://a.example/")
    assert ours["data"]["refunded"] is True and ours["data"]["error_name"].startswith("EC_")
    await world.db.execute("delete from event")
