"""`sondage/to/send`: every code in its order, what is sent, whom it invites."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from domain.test_surveys import BREAD, PAGE

from passerelle.domain import tokens
from passerelle.domain.surveys import State
from passerelle.pipeline import surveys

ONE, TWO, THREE = "+33639980001", "+33639980002", "+33639980003"
CALL = "sondage/to/send"
BREAD_TEXT = "La boulangerie vous demande :\nAimez-vous ?\n1 Oui\n2 Non\n3 Peut-etre"


async def made(shop, survey=BREAD, state=State.OPEN, **changes):
    from dataclasses import replace

    stored = await surveys.create(shop.db, shop.account.id, replace(survey, **changes), ["STOP"], shop.clock.now())
    stored = await surveys.set_state(shop.db, stored, state)
    return stored, tokens.text20(stored.token)


async def send(shop, ident, phones=ONE, **members):
    return await shop.post(CALL, sondageIdent=ident, phoneNumbers=phones, **members)


async def test_a_survey_that_is_answered_by_sms(shop):
    stored, ident = await made(shop)
    answer = await send(shop, ident, f"{ONE},{TWO}")
    assert list(answer) == ["success", "code", "message_id", "nb_sms", "cost", "currency"]
    assert (answer["nb_sms"], answer["cost"]) == (2, 0.076)
    assert await shop.balance() == 10_000_000 - 76_000
    (submission,) = await shop.rows("submission")
    assert (submission["text"], submission["sender"], submission["class"]) == (BREAD_TEXT, "", 0)
    invitations = await shop.rows("invitation")
    messages = await shop.rows("message")
    assert [row["message_id"] for row in invitations] == [row["id"] for row in messages]
    assert [(row["survey_id"], row["phone"], row["code"], row["test"]) for row in invitations] == [
        (stored.id, 33639980001, None, False),
        (stored.id, 33639980002, None, False),
    ]


async def test_everybody_has_a_link(shop):
    _, ident = await made(shop, PAGE)
    answer = await send(shop, ident, f"{ONE},{TWO},0639980001")
    assert (answer["nb_sms"], answer["cost"]) == (2, 0.076)
    texts = [row["text"] for row in await shop.rows("message")]
    codes = [row["code"] for row in await shop.rows("invitation")]
    assert texts == [f"Votre avis ?\n/l/{code}" for code in codes]
    assert len(set(codes)) == 2


async def test_those_left_out_are_not_invited(shop):
    _, ident = await made(shop, PAGE)
    await shop.post("stop-sms/add", phoneNumber=TWO)
    assert (await send(shop, ident, f"{ONE},{TWO},{THREE},123"))["nb_sms"] == 2
    invited = {row["phone"]: row["code"] for row in await shop.rows("invitation")}
    assert set(invited) == {33639980001, 33639980003}
    for row in await shop.rows("message"):
        assert row["text"].endswith(invited[row["phone"]])


async def test_in_the_sandbox(shop):
    _, ident = await made(shop, PAGE)
    answer = await send(shop, ident, sandbox=1)
    assert answer["success"] and await shop.balance() == 10_000_000
    (invitation,) = await shop.rows("invitation")
    (sandboxed,) = await shop.rows("sandbox")
    assert invitation["test"] and invitation["message_id"] == sandboxed["id"]


async def test_what_other_sends_know_is_ignored(shop):
    _, ident = await made(shop)
    answer = await send(shop, ident, message="Autre", sender="Moi", gamme=2, isUnicode=1, virtualNumber="x")
    assert answer["cost"] == 0.038
    (submission,) = await shop.rows("submission")
    assert (submission["text"], submission["sender"], submission["service"]) == (BREAD_TEXT, "", 1)


async def test_a_marketing_survey_is_held_at_night_and_tells_of_stop(shop):
    _, ident = await made(shop, marketing=True)
    shop.clock.move(10 * 3600)
    answer = await send(shop, ident)
    assert answer["scheduledDeliveryDate"] == "2026-11-12 08:00:00"
    (submission,) = await shop.rows("submission")
    assert submission["class"] == 1 and submission["text"].endswith("\nSTOP 36000")
    late = {"scheduledDeliveryDate": "13/11/2026", "time": 22, "minute": 0}
    assert (await send(shop, ident, **late))["code"] == 22
    sunday = {"scheduledDeliveryDate": "15/11/2026", "time": 12, "minute": 0}
    assert (await send(shop, ident, **sunday))["code"] == 23


async def test_a_replay_invites_nobody_twice(shop):
    _, ident = await made(shop, PAGE)
    body = {"apiKey": shop.key, "sondageIdent": ident, "phoneNumbers": ONE}
    first, again = [await shop.raw("POST", f"/v1/{CALL}", body, idempotency_key="once") for _ in range(2)]
    assert first.body == again.body
    assert len(await shop.rows("invitation")) == 1


IDENT_MISSING = {
    "elementId": "children[sondageIdent].data",
    "message": "L'identifiant du sondage est requis",
}


def unreadable(number):
    return {
        "elementId": "children[phoneNumber].data",
        "message": f"Ce numero de telephone n'est pas valide ({number})",
    }


@pytest.mark.parametrize("survey", [BREAD, PAGE])
async def test_every_code_in_its_order(shop, survey):
    _, ident = await made(shop, survey)
    past = {"scheduledDeliveryDate": "01/01/2020", "time": 10, "minute": 0}
    crowd = ",".join(f"+3363998{n:04}" for n in range(501))
    assert (await send(shop, None, ""))["code"] == 2
    assert (await send(shop, None, crowd, tag="x" * 21))["code"] == 50
    listed = await send(shop, None, "123,45", tag="x" * 21)
    assert listed["code"] == 9 and listed["errors"] == listed["error"]
    assert listed["errors"] == [
        unreadable("123"),
        unreadable("45"),
        IDENT_MISSING,
        {"elementId": "children[tag].data", "message": "Le tag ne peut pas etre plus long que 20 caracteres"},
    ]
    assert (await send(shop, " ", ONE))["errors"] == [IDENT_MISSING]
    assert (await send(shop, "x" * 20, "123"))["errors"] == [unreadable("123")]
    assert (await send(shop, ident, ONE, **past))["code"] == 9
    assert (await send(shop, ident, ONE, urlDlr="x"))["code"] == 9
    unknown = await send(shop, "x" * 20, ONE, time=10)
    assert unknown == {"success": False, "code": 4, "message": "Sondage introuvable"}
    date = {"scheduledDeliveryDate": "12/11/2026", "time": 12, "minute": 0}
    for code, members in ((45, {"time": 10}), (49, date | {"scheduledDeliveryDate": "x"}), (46, date | {"time": 25}),
                          (47, date | {"minute": 61}), (48, date | {"minute": 7})):  # fmt: skip
        assert (await send(shop, ident, ONE, **members))["code"] == code
    assert (await send(shop, ident, "0123456789"))["code"] == 55
    assert (await send(shop, ident, "+14155550123"))["code"] == 55
    await shop.post("stop-sms/add", phoneNumber=TWO)
    nobody = await send(shop, ident, f"{TWO},0639980002")
    assert nobody == {
        "success": False,
        "code": 55,
        "message": f"Aucun numéro à qui envoyer ({TWO})",
        "errors": [
            {"success": False, "code": "14", "message": f"Ce numéro est dans la liste STOP ({TWO})", "phoneNumber": TWO}
        ],
    }
    poor = await shop.open("poor@example.org", euros=0.01)
    _, theirs = await made(poor, survey)
    assert (await send(poor, theirs))["code"] == 11
    assert not await shop.rows("invitation") and await shop.balance() == 10_000_000


async def test_a_survey_that_is_too_long(shop):
    for survey in (BREAD, PAGE):
        _, ident = await made(shop, survey, introduction="x" * 1000, title="a")
        long, _ = await made(shop, survey, introduction="é" * 1000)
        await shop.db.execute("update survey set introduction = $2 where id = $1", long.id, "x" * 1600)
        assert (await send(shop, tokens.text20(long.token)))["code"] == 52
        assert (await send(shop, ident))["nb_sms"] == 7


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": State.DRAFT}, 4),
        ({"state": State.CLOSED}, 4),
        ({"closes_at": datetime(2026, 11, 10, 10, tzinfo=UTC)}, 4),
        ({"opens_at": datetime(2026, 11, 12, tzinfo=UTC)}, 4),
        ({"closes_at": datetime(2026, 11, 10, 11, tzinfo=UTC)}, 200),
    ],
)
async def test_only_an_open_survey_is_sent(shop, changes, code):
    _, ident = await made(shop, **changes)
    assert (await send(shop, ident))["code"] == code


async def test_a_survey_may_be_open_when_it_is_to_be_sent(shop):
    now = shop.clock.now()
    _, ident = await made(shop, opens_at=now + timedelta(days=1), closes_at=now + timedelta(days=3))
    day = {"time": 12, "minute": 0}
    assert (await send(shop, ident, scheduledDeliveryDate="12/11/2026", **day))["success"]
    assert (await send(shop, ident, scheduledDeliveryDate="16/11/2026", **day))["code"] == 4


async def test_a_survey_is_of_its_account(shop):
    _, ident = await made(shop)
    stranger = await shop.open("other@example.org")
    assert (await send(stranger, ident))["code"] == 4


async def test_in_xml(shop):
    _, ident = await made(shop)
    answer = await shop.raw(
        "POST", f"/v1/{CALL}", {"apiKey": shop.key, "sondageIdent": ident, "phoneNumbers": ONE, "_format": "xml"}
    )
    assert answer.text.startswith("<?xml version='1.0' encoding='UTF-8'?><result><entry>true</entry><entry>200</entry>")
    unknown = await shop.raw(
        "POST", f"/v1/{CALL}", {"apiKey": shop.key, "sondageIdent": "x", "phoneNumbers": ONE, "_format": "xml"}
    )
    assert unknown.text.endswith("<entry>4</entry><entry><![CDATA[Sondage introuvable]]></entry></result>")
