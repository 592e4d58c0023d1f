"""The page of an invitation: a link that works once, a form that forgives nothing of importance, and no way around it."""

from __future__ import annotations

import asyncio
import hashlib
import html
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from argon2 import PasswordHasher
from surfaces.asgi import Client, Response
from surfaces.smspartner.conftest import Shop, on

from passerelle.pipeline import subaccounts
from passerelle.pipeline.keys import Keyring
from passerelle.surfaces.pages.signup import application

SITE = "http://127.0.0.1:8080"
GOOD = {"firstname": "Léa", "lastname": "Roy", "mobile": "06 39 98 00 07", "password": "un long secret"}


@dataclass
class Guest:
    """Somebody who was invited."""

    shop: Shop
    app: Any
    path: str
    account_id: int

    async def looks(self, path: str = "") -> Response:
        return await Client(self.app)("GET", path or self.path)

    async def fills(self, path: str = "", headers: dict[str, str] | None = None, **form: str) -> Response:
        sent = {"content-type": "application/x-www-form-urlencoded", **(headers or {})}
        return await Client(self.app)("POST", path or self.path, urlencode(GOOD | form).encode(), sent)

    async def login(self) -> Any:
        return await self.shop.db.fetchrow("select * from login")


async def letter(shop: Shop) -> str:
    """The text of the newest mail."""
    sealed = await shop.db.fetchval("select text_sealed from mail order by id desc limit 1")
    return Keyring("test").open(bytes(sealed)).decode()


def path_in(text: str) -> str:
    found = re.search(rf"{SITE}(/signup/\S+)", text)
    assert found
    return found[1]


@pytest.fixture
async def guest(db):
    async with on(db) as shop:
        parameters = {"email": "agence@example.org", "isBuyer": 1, "firstname": "L<é>a"}
        await shop.post("subaccount/create", type="advanced", parameters=parameters)
        account = await shop.db.fetchval("select account_id from subaccount")
        yield Guest(shop, application(db, shop.clock, SITE), path_in(await letter(shop)), account)


async def test_the_invitation_is_shown_and_escaped(guest):
    shown = await guest.looks()
    assert shown.status == 200
    assert "Alix Martin vous invite" in shown.text and "agence@example.org" in shown.text
    assert 'value="L&lt;é&gt;a"' in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert shown.headers["cache-control"] == "no-store" and shown.headers["referrer-policy"] == "same-origin"
    assert (await guest.looks()).status == 200  # looking uses nothing up


async def test_signing_up_keeps_a_mobile_and_a_hash(guest):
    done = await guest.fills()
    assert done.status == 200 and "Bienvenue, Léa." in done.text
    login = await guest.login()
    assert (login["account_id"], login["mobile"]) == (guest.account_id, 33639980007)
    assert PasswordHasher().verify(login["password_hash"], GOOD["password"])
    account = await guest.shop.accounts.by_id(guest.account_id)
    assert (account.firstname, account.lastname) == ("Léa", "Roy")
    assert await guest.shop.db.fetchval("select signed_up_at from subaccount") == guest.shop.clock.now()
    [kept] = await guest.shop.db.fetch("select token_hash from signup")
    assert kept[0] == hashlib.sha256(guest.path.removeprefix("/signup/").encode()).digest()


async def test_a_link_works_once(guest):
    await guest.fills()
    assert (await guest.looks()).status == 410
    again = await guest.fills(password="ein anderes Geheimnis")
    assert again.status == 410 and "déjà servi" in again.text
    assert PasswordHasher().verify((await guest.login())["password_hash"], GOOD["password"])


async def test_two_who_sign_up_at_once(guest):
    answers = await asyncio.gather(guest.fills(firstname="A"), guest.fills(firstname="B"))
    assert sorted(answer.status for answer in answers) == [200, 410]


async def test_a_link_ends_after_a_week(guest):
    guest.shop.clock.move(timedelta(days=7).total_seconds() - 1)
    assert (await guest.looks()).status == 200
    guest.shop.clock.move(1)
    for answer in (await guest.looks(), await guest.fills()):
        assert answer.status == 410 and "plus valable" in answer.text
    assert await guest.login() is None


async def test_a_new_invitation_ends_the_one_before(guest):
    assert await subaccounts.invite_again(
        guest.shop.db, guest.shop.accounts, "agence@example.org", guest.shop.clock.now()
    )
    assert (await guest.looks()).status == 410
    assert (await guest.fills(path_in(await letter(guest.shop)))).status == 200
    assert not await subaccounts.invite_again(
        guest.shop.db, guest.shop.accounts, "agence@example.org", guest.shop.clock.now()
    )


async def test_a_link_that_nobody_sent(guest):
    for token in ("x", "a" * 32, "'; drop table signup; --", "é", "../signup", "%00"):
        for answer in (await guest.looks(f"/signup/{token}"), await guest.fills(f"/signup/{token}")):
            assert answer.status == 404, token
    assert (await guest.looks()).status == 200


async def test_the_link_of_a_removed_account_is_over(guest):
    token = subaccounts.shown_token(await guest.shop.db.fetchval("select token from subaccount"))
    assert (await guest.shop.post("subaccount/remove", token=token))["code"] == 200
    assert (await guest.fills()).status == 410
    assert await guest.login() is None
    assert await guest.shop.db.fetchval("select count(*) from mail") == 0


WRONG = [
    ({"firstname": " "}, "firstname"),
    ({"firstname": "x" * 256}, "firstname"),
    ({"lastname": "\0"}, "lastname"),
    ({"mobile": ""}, "mobile"),
    ({"mobile": "0140506070"}, "mobile"),
    ({"mobile": "bonjour"}, "mobile"),
    ({"password": "court"}, "password"),
    ({"password": "x" * 201}, "password"),
]


async def test_what_cannot_be_taken_is_said_beside_its_field(guest):
    for form, field in WRONG:
        answer = await guest.fills(**form)
        assert answer.status == 422
        assert re.findall(r'id="(\w+)-fault"', answer.text) == [field]
        assert GOOD["password"] not in answer.text
    assert await guest.login() is None


async def test_a_form_comes_from_this_page(guest):
    for name, value in (("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "http://evil.example"),
                        ("origin", "null")):  # fmt: skip
        assert (await guest.fills(headers={name: value})).status == 403, value
    assert await guest.login() is None
    for name, value in (("sec-fetch-site", "same-origin"), ("origin", "http://api.example.org"), ("origin", SITE)):
        assert (await guest.fills(headers={name: value}, mobile="")).status == 422, value


async def test_what_is_no_form_breaks_nothing(guest):
    for body, kind in ((b"\xff\0=", "application/x-www-form-urlencoded"), (b"{}", "application/json"), (b"", "")):
        answer = await Client(guest.app)("POST", guest.path, body, {"content-type": kind})
        assert answer.status in (400, 415, 422), html.unescape(answer.text)
    big = await guest.fills(firstname="x" * 100_000)
    assert big.status == 413
    assert (await guest.looks("/signup")).status == 404
