"""Campaigns over HTTP: every answer to the letter, every code in its order, junk at every call."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from surfaces.primotexto.conftest import PHONE, TUESDAY, Client
from surfaces.primotexto.test_lists import NOBODY, a_column, a_contact, a_list, code

from passerelle.domain.message import Dialect
from passerelle.pipeline import halting
from passerelle.pipeline.settle import Settlement
from passerelle.store import campaigns, optouts, statistics
from passerelle.store.optouts import List

MARKETING = "/v2/marketing/campaigns"
HOUR = 3_600_000
NOW = round(TUESDAY.timestamp() * 1000)


async def people(client: Client, *identifiers: str) -> str:
    """A list of these numbers."""
    list_id = await a_list(client)
    for identifier in identifiers or (PHONE,):
        await a_contact(client, list_id, identifier)
    return list_id


async def a_campaign(client: Client, list_id: str, message: str = "Soldes -20%", **more: Any) -> str:
    body = {"name": "Soldes 2016", "message": message, "sendList": {"id": list_id}, **more}
    answer = await client.call("POST", MARKETING, body)
    assert answer.status == 200, answer.body
    assert list(answer.json) == ["id", "campaignId"] and answer.json["id"] == answer.json["campaignId"]
    return str(answer.json["id"])


async def launched(client: Client, list_id: str, message: str = "Soldes -20%", **more: Any) -> str:
    one = await a_campaign(client, list_id, message, **more)
    answer = await client.call("POST", f"{MARKETING}/{one}/send", b"SEND")
    assert answer.status == 200, answer.body
    return one


async def submissions(client: Client) -> list[Any]:
    return await client.db.fetch("select * from submission order by id")


async def happened(client: Client, campaign: str, phone: str = PHONE, **times: Any) -> None:
    """A message of a campaign reached these steps, as the pipeline writes it."""
    async with client.db.transaction() as connection:
        row = await connection.fetchrow(
            "select m.account_id, m.id from message m join submission s on s.account_id = m.account_id and"
            " s.id = m.submission_id where s.campaign_id = decode($1, 'hex') and m.phone = $2 and not s.test",
            campaign, int(phone[1:]),
        )  # fmt: skip
        settlement = Settlement(connection, client.clock.now(), None)
        key = (row["account_id"], row["id"])
        await settlement.load([key])
        for name, at in times.items():
            setattr(settlement.row(key), name, at)
        await settlement.save()


# --- creating --------------------------------------------------------------------------------------------------------


async def test_a_campaign_from_its_making_to_its_end(client):
    list_id = await people(client, PHONE, "+33639980002")
    one = await a_campaign(client, list_id, sourceAddress="Boutique", date=NOW + 2 * HOUR)
    told = {
        "id": one, "campaignId": one, "message": "Soldes -20%", "sendList": {"id": list_id}, "state": "DRAFT",
        "name": "Soldes 2016", "type": "STANDARD", "sourceAddress": "Boutique", "date": NOW + 2 * HOUR, "flash": False,
        "cleanBounces": True, "cleanUnsubscribers": True, "keepList": True,
    }  # fmt: skip
    answer = await client.get(f"/v2/campaigns/{one}")
    assert answer.json == told and list(answer.json) == list(told)
    assert await client.balance() == 10_000_000 and not await submissions(client)
    sent = await client.call("POST", f"{MARKETING}/{one}/send", b"SEND")
    assert (sent.status, sent.body) == (200, b'{"creditsUsed":2.0}')
    assert await client.balance() == 10_000_000 - 76_000
    programmed = told | {"state": "PROGRAMMED", "totalCredits": 2.0}
    assert (await client.get("/v2/campaigns")).json == [programmed]
    cancelled = await client.call("POST", f"/v2/campaigns/{one}/cancel")
    assert cancelled.json == {"id": one, "state": "CANCELLED", "creditsRefunded": 2.0}
    assert list(cancelled.json) == ["id", "state", "creditsRefunded"]
    assert await client.balance() == 10_000_000
    assert (await client.get(f"{MARKETING}/{one}")).json == programmed | {"state": "CANCELLED", "totalCredits": 0.0}
    gone = await client.call("DELETE", f"/v2/campaigns/{one}")
    assert (gone.status, gone.body, "content-type" in gone.headers) == (204, b"", False)
    assert await code(client, "GET", f"/v2/campaigns/{one}") == (404, 47)


@pytest.mark.parametrize("sdk", ["sarbacane-sdk-java/1.0.7", "sarbacane-sdk-java;2.0", "sarbacane-sdk-java"])
async def test_the_strict_client_gets_what_it_knows(client, sdk):
    list_id = await people(client)
    body = {"name": "n", "message": "m", "sendList": list_id, "sender": ""}
    made = await client.call("POST", MARKETING, body, x_sarbacane_sdk=sdk)
    assert list(made.json) == ["id"]
    (one,) = (await client.get("/v2/campaigns/", x_sarbacane_sdk=sdk)).json
    assert one["sendList"] == list_id
    old = await client.call("POST", MARKETING, body, x_sarbacane_sdk="sarbacane-sdk-java/1.0.6")
    assert list(old.json) == ["id", "campaignId"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"name": None}, 40),
        ({"name": "x" * 101}, 40),
        ({"name": 7}, 40),
        ({"message": None}, 30),
        ({"message": " \n"}, 30),
        ({"message": "жук"}, 31),
        ({"message": "x" * 918}, 32),
        ({"message": "x" * 20_000}, 32),
        ({"sendList": None}, 48),
        ({"sendList": {"id": NOBODY}}, 48),
        ({"sendList": {}}, 48),
        ({"sendList": 7}, 48),
        ({"sourceAddress": "é!"}, 20),
        ({"sourceAddress": "AB"}, 21),
        ({"sourceAddress": "ABCDEFGHIJKL"}, 22),
        ({"sourceAddress": "12345"}, 23),
        ({"date": NOW - 6 * 60_000}, 41),
        ({"date": "tomorrow"}, 41),
        ({"date": NOW + 366 * 24 * HOUR}, 41),
        ({"flash": "yes"}, 73),
        ({"type": "x" * 21}, 73),
        ({"externalUrl": "javascript:alert(1)"}, 73),
        ({"landingPageType": "OTHER"}, 73),
        ({"landingPageType": "EXTERNAL"}, 73),
        ({"landingPageType": "HOSTED"}, 73),
        ({"landingPage": "x" * 102_401}, 73),
        ({"landingPageTitle": "x" * 101, "landingPage": "x"}, 73),
        # the first in the order of the contract
        ({"name": "", "message": "", "sendList": None, "sender": "1", "date": "x", "flash": 1}, 73),
        ({"name": "", "message": "", "sendList": None, "sender": "1", "date": "x"}, 40),
        ({"message": "", "sendList": None, "sender": "1", "date": "x"}, 30),
        ({"sendList": None, "sender": "1", "date": "x"}, 48),
        ({"sender": "!", "date": "x"}, 20),
    ],
)
async def test_what_is_wrong_with_a_creation(client, members, expected):
    list_id = await people(client)
    body = {"name": "n", "message": "m", "sendList": list_id} | members
    answer = await client.call("POST", MARKETING, body)
    assert (answer.status, answer.code) == (400, expected)
    assert (await client.get("/v2/campaigns")).json == []


@pytest.mark.parametrize("body", [b"", b"SEND", b"[]", b'"x"', b"{", b"7"])
async def test_a_creation_is_an_object(client, body):
    assert await code(client, "POST", MARKETING, body) == (400, 73)


async def test_a_date_in_a_closed_hour_may_be_refused(client):
    list_id = await people(client)
    night = NOW + 10 * HOUR
    one = await launched(client, list_id, date=night)
    assert (await client.get(f"/v2/campaigns/{one}")).json["date"] > night  # moved to the next opening
    await client.rules(quiet_dates="refuse")
    body = {"name": "n", "message": "m", "sendList": list_id, "date": night}
    assert await code(client, "POST", MARKETING, body) == (400, 41)
    assert (await client.call("POST", "/v2/notification/campaigns", body)).status == 200


async def test_what_is_set_is_shown(client):
    list_id = await people(client)
    given = {
        "type": "AUTOMATION", "flash": True, "externalUrl": "https://shop.example/", "testIdentifier": "0639980009",
        "cleanBounces": False, "cleanUnsubscribers": False, "keepList": False,
    }  # fmt: skip
    one = (await client.get(f"/v2/campaigns/{await a_campaign(client, list_id, **given)}")).json
    assert {name: one[name] for name in given} == given | {"cleanUnsubscribers": True}  # always of marketing
    assert one["landingPageType"] == "EXTERNAL"
    hosted = await a_campaign(client, list_id, landingPage="<p>Oui</p>", landingPageTitle="Soldes")
    one = (await client.get(f"/v2/campaigns/{hosted}")).json
    assert (one["landingPageType"], one["landingPage"], one["landingPageTitle"]) == ("HOSTED", "<p>Oui</p>", "Soldes")


# --- tests -----------------------------------------------------------------------------------------------------------


async def test_a_test_costs_and_is_sent_at_once(client):
    list_id = await people(client)
    column = await a_column(client, list_id, "Prénom")
    await a_contact(client, list_id, "+33639980003", **{column: "Bo"})
    one = await a_campaign(client, list_id, "Bonjour {{prénom|toi}}", testIdentifier="0639980008")
    client.clock.move(12 * 3600)
    answer = await client.call("POST", f"{MARKETING}/{one}/test", {"identifier": "+33639980009"})
    assert (answer.status, answer.body) == (200, b'{"creditsUsed":1.0}')
    assert (await client.call("POST", f"/v2/campaigns/{one}/test", b"")).status == 200
    rows = await client.db.fetch("select m.phone, m.text, s.test, s.due_at from message m join submission s"
                                 " on s.account_id = m.account_id and s.id = m.submission_id order by m.id")  # fmt: skip
    assert [tuple(row)[:3] for row in rows] == [
        (33639980009, "Bonjour toi\nSTOP 36000", True),
        (33639980008, "Bonjour toi\nSTOP 36000", True),
    ]
    assert {row["due_at"] for row in rows} == {client.clock.now()}
    shown = await client.get("/v2/messages/status?identifier=%2B33639980009")
    assert shown.json["test"] is True
    assert (await client.get("/v2/messages/stats")).json["sent"] == 0
    assert (await client.get("/v2/account/stats")).json["credits"] == 261


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        (None, 10), ("", 10), ("nobody", 11), ("0140000000", 19), ("+4915112345678", 91), ("+33639980001", 12),
        ("+33639980002", 13), ("+33639980003", 14),
    ],
)  # fmt: skip
async def test_numbers_that_no_test_goes_to(client, identifier, expected):
    list_id = await people(client, "+33639980007")
    one = await a_campaign(client, list_id)
    await optouts.add(client.db, client.account.id, List.STOP, 33639980001, TUESDAY)
    await optouts.add(client.db, client.account.id, List.BOUNCE, 33639980002, TUESDAY)
    await optouts.add(client.db, optouts.PLATFORM, List.BOUNCE, 33639980003, TUESDAY)
    body = {} if identifier is None else {"identifier": identifier}
    assert await code(client, "POST", f"{MARKETING}/{one}/test", body) == (400, expected)
    if expected == 91:
        await client.rules(international=True)
        assert await code(client, "POST", f"{MARKETING}/{one}/test", body) == (400, 90)
    assert not await submissions(client)


async def test_what_else_keeps_a_test_back(client):
    list_id = await people(client)
    column = await a_column(client, list_id, "x")
    long = await people(client)
    assert await code(client, "POST", f"{MARKETING}/{NOBODY}/test", {"identifier": PHONE}) == (404, 47)
    one = await a_campaign(client, list_id, "{{x}}{{x}}")
    assert await code(client, "POST", f"{MARKETING}/{one}/test", b"{") == (400, 73)
    await client.call("POST", f"/v2/lists/{list_id}/empty")
    await a_contact(client, list_id, PHONE, **{column: "x" * 500})
    assert await code(client, "POST", f"{MARKETING}/{one}/test", {"identifier": PHONE}) == (400, 32)
    await client.accounts.credit(client.account.id, -10_000_000, TUESDAY)
    other = await a_campaign(client, long)
    assert await code(client, "POST", f"{MARKETING}/{other}/test", {"identifier": PHONE}) == (400, 71)


# --- launches --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"SEND", b'"SEND"', b'""', b"{", b"\xff"])
async def test_a_launch_never_reads_its_body(client, body):
    one = await a_campaign(client, await people(client))
    answer = await client.call("POST", f"/v2/campaigns/{one}/send", body)
    assert (answer.status, answer.body) == (200, b'{"creditsUsed":1.0}')
    assert (await client.get(f"/v2/campaigns/{one}")).json["state"] == "SENDING"
    assert await code(client, "POST", f"/v2/campaigns/{one}/send", body) == (409, 41)


async def test_a_launch_that_may_not_be_changes_nothing(client):
    assert await code(client, "POST", f"{MARKETING}/{NOBODY}/send") == (404, 47)
    empty = await a_campaign(client, await a_list(client))
    assert await code(client, "POST", f"{MARKETING}/{empty}/send") == (400, 48)
    stopped = await people(client)
    await optouts.add(client.db, client.account.id, List.STOP, 33639980001, TUESDAY)
    nobody = await a_campaign(client, stopped)
    assert await code(client, "POST", f"{MARKETING}/{nobody}/send") == (400, 48)
    list_id = await people(client, "+33639980002")
    column = await a_column(client, list_id, "x")
    late = await a_campaign(client, list_id, date=NOW + 60_000)
    client.clock.move(400)
    assert await code(client, "POST", f"{MARKETING}/{late}/send") == (400, 41)
    long = await a_campaign(client, list_id, "{{x}}{{x}}{{x}}")
    await a_contact(client, list_id, "+33639980003", **{column: "x" * 400})
    assert await code(client, "POST", f"{MARKETING}/{long}/send") == (400, 32)
    await client.accounts.credit(client.account.id, -9_930_000, TUESDAY)
    dear = await a_campaign(client, list_id)
    assert await code(client, "POST", f"{MARKETING}/{dear}/send") == (400, 71)
    await client.rules(free_campaigns=1)
    await client.accounts.credit(client.account.id, 10_000_000, TUESDAY)
    assert (await client.call("POST", f"{MARKETING}/{dear}/send")).status == 200
    assert await code(client, "POST", f"{MARKETING}/{await a_campaign(client, list_id)}/send") == (400, 44)
    await client.call("DELETE", f"/v2/lists/{list_id}")
    assert await code(client, "POST", f"{MARKETING}/{long}/send") == (400, 48)
    assert len(await submissions(client)) == 1


async def test_drafts_are_not_kept_without_end(client, monkeypatch):
    monkeypatch.setattr(campaigns, "MOST_DRAFTS", 1)
    list_id = await people(client)
    one = await a_campaign(client, list_id)
    body = {"name": "Soldes", "message": "Bonjour", "sendList": list_id}
    assert await code(client, "POST", MARKETING, body) == (400, 44)
    await client.call("DELETE", f"/v2/campaigns/{one}")
    assert (await client.call("POST", MARKETING, body)).status == 200


async def test_two_launches_at_once_are_one(client):
    one = await a_campaign(client, await people(client))
    answers = await asyncio.gather(*(client.call("POST", f"{MARKETING}/{one}/send") for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409]
    assert len(await submissions(client)) == 1


async def test_the_same_key_launches_once_and_answers_twice(client):
    one = await a_campaign(client, await people(client))
    first = await client.call("POST", f"{MARKETING}/{one}/send", b"", idempotency_key="k")
    again = await client.call("POST", f"{MARKETING}/{one}/send", b"", idempotency_key="k")
    assert (first.status, first.body) == (again.status, again.body) == (200, b'{"creditsUsed":1.0}')
    other = await client.call("POST", f"{MARKETING}/{one}/send", b"SEND", idempotency_key="k")
    assert (other.status, other.code) == (409, 73)


async def test_a_list_that_is_changed_or_deleted_later_does_not_matter(client):
    list_id = await people(client, PHONE, "06 39 98 00 02")
    one = await launched(client, list_id, date=NOW + HOUR)
    await client.call("DELETE", f"/v2/lists/{list_id}/contacts?identifier=%2B33639980001")
    await client.call("DELETE", f"/v2/lists/{list_id}")
    assert [row["phone"] for row in await client.db.fetch("select phone from message order by id")] == [
        33639980001, 33639980002,
    ]  # fmt: skip
    assert (await client.get(f"/v2/campaigns/{one}")).json["sendList"] == {"id": list_id}


# --- taken back ------------------------------------------------------------------------------------------------------


async def test_only_what_is_programmed_is_cancelled_and_only_drafts_are_deleted(client):
    list_id = await people(client)
    draft, sending = await a_campaign(client, list_id), await launched(client, list_id)
    for one in (draft, sending):
        assert await code(client, "POST", f"/v2/campaigns/{one}/cancel") == (409, 43)
    assert await code(client, "DELETE", f"/v2/campaigns/{sending}") == (409, 42)
    programmed = await launched(client, list_id, date=NOW + HOUR)
    assert await code(client, "DELETE", f"{MARKETING}/{programmed}") == (409, 42)
    answers = await asyncio.gather(*(client.call("POST", f"/v2/campaigns/{programmed}/cancel") for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 409, 409]
    assert (await client.call("DELETE", f"/v2/campaigns/{draft}")).status == 204
    for method, call in (("POST", "cancel"), ("DELETE", "")):
        assert await code(client, method, f"/v2/campaigns/{NOBODY}/{call}".rstrip("/")) == (404, 47)
    assert await client.balance() == 10_000_000 - 38_000


async def test_a_paused_one_that_has_not_begun_can_be_cancelled(client):
    one = await launched(client, await people(client), date=NOW + HOUR)
    (row,) = await submissions(client)
    await halting.pause(client.db, client.account.id, row["id"], TUESDAY)
    assert (await client.get(f"/v2/campaigns/{one}")).json["state"] == "SENDING"
    assert (await client.call("POST", f"/v2/campaigns/{one}/cancel")).status == 200


# --- figures ---------------------------------------------------------------------------------------------------------


async def test_the_figures_of_a_draft_are_zeros(client):
    one = await a_campaign(client, await people(client))
    answer = await client.get(f"/v2/campaigns/{one}/status")
    assert list(answer.json) == [
        "bounces", "creditsUsed", "delivered", "errors", "id", "name", "replies", "sent", "state", "submitted", "undelivered",
    ]  # fmt: skip
    zeros = dict.fromkeys(
        ("bounces", "creditsUsed", "delivered", "errors", "replies", "sent", "submitted", "undelivered"), 0
    )
    assert answer.json == zeros | {"id": one, "name": "Soldes 2016", "state": "DRAFT"}
    linked = await a_campaign(client, await people(client), "https://shop.example/")
    shown = (await client.get(f"{MARKETING}/{linked}/status")).json
    assert {name: shown[name] for name in ("clickers", "clicks", "openers", "opens", "timespent")} == dict.fromkeys(
        ("clickers", "clicks", "openers", "opens", "timespent"), 0
    )
    assert list(shown) == sorted(shown)


async def test_figures_are_those_of_its_messages(client):
    phones = [f"+3363998000{n}" for n in range(1, 5)]
    one = await launched(client, await people(client, *phones))
    other = await launched(client, await people(client, phones[0]))
    await happened(client, one, phones[0], sent_at=TUESDAY, submitted_at=TUESDAY, delivered_at=TUESDAY)
    await happened(client, one, phones[1], sent_at=TUESDAY, submitted_at=TUESDAY, failed_at=TUESDAY)
    await happened(client, one, phones[2], sent_at=TUESDAY, failed_at=TUESDAY, bounced_at=TUESDAY)
    shown = (await client.get(f"/v2/campaigns/{one}/status")).json
    counts = {"sent": 3, "submitted": 2, "delivered": 1, "errors": 1, "bounces": 1, "undelivered": 2, "creditsUsed": 4}
    assert {name: shown[name] for name in counts} == counts
    assert (await client.get(f"/v2/campaigns/{other}/status")).json["sent"] == 0
    assert (await client.get("/v2/messages/stats")).json["sent"] == 3
    seven = (await client.get("/v2/account/stats")).json
    assert (seven["sent"], seven["bounces"]) == (3, 1)
    lost = (await client.get(f"/v2/campaigns/{one}/blacklists")).json
    assert lost["bounces"] == {"number": 1, "identifiers": ["0639980003"]}
    counted = await statistics.recount(
        client.db, client.account.id, Dialect.PRIMOTEXTO, "", TUESDAY + timedelta(days=1)
    )
    assert await statistics.counters(client.db, client.account.id, Dialect.PRIMOTEXTO) == counted.counters


async def test_replies_reach_their_campaign(client):
    one, other = [await launched(client, await people(client)) for _ in range(2)]
    key = f"\x1fcampaign {one}"
    reply = await client.replied("Oui", key)
    await client.replied("STOP", key, stop=True)
    assert (await client.get(f"/v2/campaigns/{one}/replies")).json == [
        {"id": reply, "identifier": PHONE, "message": "Oui"}
    ]
    assert (await client.get(f"{MARKETING}/{other}/replies")).json == []
    lost = (await client.get(f"{MARKETING}/{one}/blacklists")).json
    assert lost == {
        "bounces": {"number": 0, "identifiers": []},
        "unsubscribers": {"number": 1, "identifiers": ["0639980001"]},
    }


@pytest.mark.parametrize("call", ["", "/status", "/replies", "/blacklists"])
@pytest.mark.parametrize("one", [NOBODY, "x", "Z" * 24, "0" * 23])
async def test_a_campaign_of_nobody(client, call, one):
    for start in ("/v2/campaigns", "/v2/notification/campaigns"):
        assert await code(client, "GET", f"{start}/{one}{call}") == (404, 47)


async def test_the_type_in_the_path_is_not_compared(client):
    one = await a_campaign(client, await people(client))
    for start in ("/v2/campaigns", "/v2/marketing/campaigns", "/v2/notification/campaigns"):
        assert (await client.get(f"{start}/{one}")).json["id"] == one
    assert (await client.get("/v2/other/campaigns")).status == 404
    assert (await client.get("/v2/notification/campaigns")).json == (await client.get("/v2/campaigns/")).json
    assert (await client.call("POST", "/v2/campaigns", {})).status == 405


async def test_a_notification_has_no_mention_and_no_hours(client):
    list_id = await people(client)
    client.clock.move(12 * 3600)
    body = {"name": "n", "message": "Coupure d'eau", "sendList": list_id}
    one = (await client.call("POST", "/v2/notification/campaigns", body)).json["id"]
    await client.call("POST", f"/v2/notification/campaigns/{one}/send")
    (row,) = await submissions(client)
    assert (row["text"], row["due_at"]) == ("Coupure d'eau", client.clock.now())


async def test_single_messages_have_tracked_links_where_the_account_wants_them(client):
    text = "Suivi : https://shop.example/colis"
    plain = await client.snapshot(message=text)
    await client.rules(track_links=True)
    await client.get("/v2/account/stats")  # this process has seen the change; a send alone sees it within seconds
    tracked = await client.snapshot(message=text)
    rows = await client.db.fetch("select m.number, s.text from message m join submission s on s.id = m.submission_id")
    texts = {row["number"]: row["text"] for row in rows}
    (code_,) = [row["code"] for row in await client.db.fetch("select code from tracked_link")]
    assert texts == {plain: text, tracked: f"Suivi : https://l.example/{code_}"}
