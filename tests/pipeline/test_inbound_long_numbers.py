"""What is written to a long number is its owner's: told part by part, an answer or not, and a STOP is obeyed."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from outbound.receiver import receiving
from pipeline.test_inbound import CARRIER, PHONE, TUESDAY, House

from passerelle.app import WORDINGS
from passerelle.clock import ManualClock
from passerelle.domain.account import Account
from passerelle.domain.message import Dialect, State
from passerelle.domain.message import Inbound as Text
from passerelle.domain.profile import PRIMOTEXTO
from passerelle.domain.routing import Route
from passerelle.outbound.webhook import Poster
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.callbacks import Callbacks
from passerelle.pipeline.inbound import Inbound
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.submit import Submitter
from passerelle.pipeline.teller import Teller
from passerelle.settings import Settings
from passerelle.store import virtual_numbers
from passerelle.store.database import Database

LONG = "33644630001"


@pytest.fixture
async def house(db: Database) -> AsyncIterator[House]:
    clock, offered = ManualClock(TUESDAY), []
    accounts = Accounts(db, Keyring("test"), Settings())
    submitter = Submitter(db, accounts, [Route(CARRIER, frozenset({1, 2}))], clock)
    teller = Teller(accounts, WORDINGS, offered.extend)
    running = asyncio.create_task(submitter.run())
    yield House(db, clock, accounts, submitter, Inbound(db, teller, Settings(), clock), teller, offered)
    running.cancel()


async def bakery_of(house: House, url: str = "", **rules: object) -> Account:
    account = await house.account("bakery@example.org", **rules)
    assert await virtual_numbers.add(house.db, int(LONG), account.id, TUESDAY, url)
    return account


async def told(house: House) -> list[tuple[str, dict[str, Any]]]:
    rows = await house.db.fetch("SELECT url, body FROM event WHERE kind IN (6, 7) ORDER BY id")
    return [(row["url"], json.loads(row["body"])) for row in rows]


async def test_a_reply_to_a_long_number_is_told_in_its_own_shape(house: House) -> None:
    bakery = await bakery_of(house)
    key = await house.send(bakery, ended=State.DELIVERED, sender=LONG)
    await house.say("Oui merci", recipient=LONG)
    assert await house.replies() == [(bakery.id, "Oui merci", False, key[1])]
    ((url, body),) = await told(house)
    assert url == "http://a.example/reply"
    assert list(body) == ["msisdn", "to", "messageId", "text", "type", "keyword", "message-timestamp"]
    assert str(uuid.UUID(body.pop("messageId"))) != ""
    assert body == {
        "msisdn": "33639980001",
        "to": LONG,
        "text": "Oui merci",
        "type": "text",
        "keyword": "Oui",
        "message-timestamp": "2026-11-10 11:01:00",
    }


@pytest.mark.parametrize("written", [LONG, f"+{LONG}", "0644630001", f"00{LONG}"])
async def test_however_the_operator_writes_the_number(house: House, written: str) -> None:
    bakery = await bakery_of(house)
    key = await house.send(bakery, ended=State.DELIVERED, sender=LONG)
    await house.say("Oui", recipient=written)
    assert await house.replies() == [(bakery.id, "Oui", False, key[1])]
    assert [body["to"] for _, body in await told(house)] == [LONG]


@pytest.mark.parametrize(("text", "kind"), [("Déjà 10€ ?", "text"), ("Ça marche 👍", "unicode"), ("", "text")])
async def test_the_type_says_whether_it_fits_gsm(house: House, text: str, kind: str) -> None:
    await bakery_of(house)
    await house.say(text, recipient=LONG)
    ((_, body),) = await told(house)
    assert (body["text"], body["type"], body["keyword"]) == (text, kind, (text.split() or [""])[0])


async def test_the_url_of_the_message_then_of_the_number_then_of_the_account(house: House) -> None:
    bakery = await bakery_of(house, "http://n.example/number")
    await house.say("un", recipient=LONG)
    await house.send(bakery, ended=State.DELIVERED, sender=LONG)
    await house.say("deux", recipient=LONG)
    await house.send(bakery, ended=State.DELIVERED, sender=LONG, reply_url="http://m.example/?k=1")
    await house.say("trois", recipient=LONG)
    await house.send(bakery, ended=State.DELIVERED)  # from the short code: no answer to the long number
    await house.say("quatre", recipient=LONG)
    await virtual_numbers.set_reply_url(house.db, bakery.id, int(LONG), "")
    await house.say("cinq", recipient=LONG, phone=PHONE + 1)
    assert [(url, body["text"]) for url, body in await told(house)] == [
        ("http://n.example/number", "un"),
        ("http://n.example/number", "deux"),
        ("http://m.example/?k=1", "trois"),
        ("http://m.example/?k=1", "quatre"),
        ("http://a.example/reply", "cinq"),
    ]


async def test_a_text_out_of_the_blue_is_the_owners(house: House) -> None:
    bakery, clinic = await bakery_of(house), await house.account("clinic@example.org")
    await house.send(clinic, ended=State.DELIVERED)
    await house.db.execute("UPDATE submission SET sender = $1", LONG)  # sent before the number changed hands
    await house.say("Bonjour", recipient=LONG)
    await house.say("stop", recipient=LONG)
    assert await house.replies() == [(bakery.id, "Bonjour", False, None), (bakery.id, "stop", True, None)]
    assert (await house.stopped(bakery), await house.stopped(clinic)) == (True, False)
    assert [(body["text"], body["keyword"]) for _, body in await told(house)] == [
        ("Bonjour", "Bonjour"),
        ("stop", "stop"),
    ]


async def test_a_stop_to_a_long_number_is_told_as_an_opt_out(house: House) -> None:
    bakery = await bakery_of(house, "http://n.example/number")
    key = await house.send(bakery, ended=State.DELIVERED, sender=LONG)
    number = await house.db.fetchval("SELECT number FROM submission")
    await house.say("Stop !", recipient=LONG)
    assert await house.stopped(bakery)
    assert (await house.message(key))["stopped_at"] == house.clock.now()
    assert await told(house) == [
        (
            "http://n.example/number",
            {"type": "stop", "phone_number": "+33639980001", "text": "Stop !", "message_id": number},
        )
    ]
    assert (await house.recounted(bakery, Dialect.SMSPARTNER)).unsubscribers == 1


async def test_the_number_of_nobody_is_nothing(house: House) -> None:
    bakery = await bakery_of(house)
    await virtual_numbers.remove(house.db, int(LONG))
    await house.say("Bonjour", recipient=LONG)
    assert await house.replies() == []
    assert not await house.stopped(bakery)


async def test_an_answer_to_primotexto_is_told_as_primotexto(house: House) -> None:
    bakery = await bakery_of(house)
    await house.send(bakery, PRIMOTEXTO, State.DELIVERED, sender=LONG)
    await house.inbound.receive(
        [Text(PHONE, LONG, text, house.clock.now(), 5, 2, n) for n, text in ((2, "deux"), (1, "un "))], CARRIER
    )
    ((url, body),) = await told(house)
    assert url == "http://a.example/hook"
    assert body["replyMessage"] == "un deux"


@pytest.mark.parametrize("form", [False, True])
async def test_a_longer_text_is_one_call_for_each_part(house: House, form: bool) -> None:
    bakery = await bakery_of(house, callback_form=form)
    poster = Poster(allow_private=True, timeout=5)
    callbacks = Callbacks(house.db, poster, house.accounts, house.clock)
    async with receiving() as receiver:
        await house.send(bakery, ended=State.DELIVERED, sender=LONG, reply_url=receiver.url("/o2"))
        at = house.clock.now()
        pieces = ["oui, je viens ", "dès que poss", "ible 👍"]
        parts = [Text(PHONE, LONG, piece, at, 77, 3, n) for n, piece in enumerate(pieces, 1)]
        await house.inbound.receive(parts[1:], CARRIER)
        assert house.offered == []
        await house.inbound.receive(parts[:1] + parts[2:], CARRIER)
        callbacks.offer(house.offered)
        await callbacks.idle()
        await callbacks.poll()
        while len(receiver.requests) < 3:
            await callbacks.poll()
            await callbacks.idle()
    await poster.close()
    bodies = [dict(parse_qsl(body)) if form else json.loads(body) for body in receiver.bodies()]
    assert [list(body) for body in bodies] == [
        [
            "msisdn", "to", "messageId", "concat", "concat-ref", "concat-total", "concat-part", "text", "type",
            "keyword", "message-timestamp",
        ]
    ] * 3  # fmt: skip
    assert len({body["messageId"] for body in bodies}) == 3
    assert [(body["concat-part"], body["text"].strip()) for body in bodies] == [
        (str(n), piece.strip()) for n, piece in enumerate(pieces, 1)
    ]
    assert {(b["concat"], b["concat-ref"], b["concat-total"], b["type"], b["keyword"]) for b in bodies} == {
        ("true", "77", "3", "unicode", "OUI,")
    }
    assert await house.db.fetchval("SELECT count(*) FROM reply") == 1


async def test_what_is_there_of_a_long_text_is_told_after_an_hour(house: House) -> None:
    await bakery_of(house)
    await house.say("deux", recipient=LONG, reference=9, total=3, part=2)
    house.clock.move(timedelta(hours=1, seconds=1).total_seconds())
    await house.inbound.sweep()
    ((_, body),) = await told(house)
    assert (body["concat-total"], body["concat-part"], body["text"]) == ("3", "2", "deux")
