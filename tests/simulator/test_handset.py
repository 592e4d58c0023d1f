"""The pages over a real socket: see test_run for how they are served."""

from __future__ import annotations

import contextlib
import html
import re

import aiohttp
import aiosmtplib
import pytest
from simulator.peer import bound
from simulator.test_run import running

from passerelle.domain.text import encode, segment, udh
from passerelle.simulator.handset import international, pretty

NUMBER = "33612345678"


@pytest.fixture
async def house(tmp_path):
    """(HTTP session, SMPP port) of a running simulator."""
    async with running(tmp_path) as where, aiohttp.ClientSession(f"http://127.0.0.1:{where.http_port}") as http:
        yield http, where.smpp_port


async def page(http, path, status=200):
    async with http.get(path) as answer:
        assert answer.status == status
        return await answer.text()


async def settled(http, texts, number=NUMBER):
    """The texts of a handset once there are so many."""
    while True:
        async with http.get(f"/api/phones/{number}") as answer:
            found = (await answer.json())["texts"]
        if len(found) >= texts:
            return found


async def test_an_empty_house_says_what_to_do(house):
    http, port = house
    assert "No program is connected" in await page(http, "/")
    assert "Nothing on the screen" in await page(http, f"/{NUMBER}")
    assert "Nothing came yet" in await page(http, "/sink")
    async with bound(port):
        assert "Connected, and nothing sent yet" in await page(http, "/")


async def test_the_home_page_lists_handsets_and_every_magic_number(house):
    http, port = house
    async with bound(port) as bakery:
        bakery.submit(NUMBER, b"Votre pain est cuit")
        bakery.submit("33639988033", b"Autre")
        await settled(http, 1, "33639988033")
        home = await page(http, "/")
        assert home.index("+33 6 39 98 80 33") < home.index("+33 6 12 34 56 78")
        assert "Votre pain est cuit" in home
        assert all(f'href="/{number}"' in home for number in ("33639988000", "33639988020", "33639988042"))
        assert "Votre pain est cuit" not in await page(http, "/?q=06+39+98")
        assert "Votre pain est cuit" in await page(http, "/?q=06+12")
        assert 'href="/33699887766"' in await page(http, "/?q=0699887766")


async def test_nothing_that_comes_in_is_taken_for_markup(house):
    http, port = house
    evil = "<script>alert(1)</script>\"'&"
    async with bound(port) as bakery:
        bakery.submit(NUMBER, evil.encode(), source_addr="<b>X</b>")
        await settled(http, 1)
    await http.post("/sink/<img>?<i>", data=evil, headers={"X-Evil": "<u>"})
    for path in ("/", f"/{NUMBER}", "/sink", "/?q=<i>"):
        text = await page(http, path)
        assert not re.search(r"<script>alert|<b>X|<img>|<i>|<u>", text)
    assert evil in html.unescape(await page(http, f"/{NUMBER}"))


async def test_the_policy_allows_the_page_its_own_style_and_script_only(house):
    http, _ = house
    import base64
    import hashlib

    for path in ("/", f"/{NUMBER}", "/33639988001", "/sink"):
        async with http.get(path) as answer:
            policy, text = answer.headers["Content-Security-Policy"], await answer.text()
        for tag in ("style", "script"):
            (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy
        assert "default-src 'none'" in policy


async def test_stop_by_hand(house):
    http, port = house
    async with bound(port) as bakery:
        bakery.submit(NUMBER, b"Promo ! STOP au 36180", registered_delivery=0)
        await settled(http, 1)
        assert 'value="36180"' in await page(http, f"/{NUMBER}")
        async with http.post(f"/{NUMBER}/reply", data={"to": "36180", "text": "STOP"}) as answer:
            assert (answer.status, answer.url.path) == (200, f"/{NUMBER}")  # redirected
            assert "to 36180" in await answer.text()
        text = await bakery.delivered()
        assert (text.source_addr, text.destination_addr, text.short_message) == (NUMBER.encode(), b"36180", b"STOP")


async def test_a_reply_by_program_and_what_the_screen_says(house):
    http, port = house
    parts = segment("é" * 200, 0).parts
    async with bound(port) as bakery:
        for n, piece in enumerate(parts, 1):
            bakery.submit(NUMBER, udh(1, 2, n) + encode(piece, 0), esm_class=0x40, registered_delivery=0)
        await settled(http, 1)
        async with http.post(f"/api/phones/{NUMBER}/reply", json={"to": "BAKERY", "text": "à " * 100}) as answer:
            assert (answer.status, await answer.json()) == (201, {"parts": 2})
        sent, answered = await settled(http, 2)
        assert (sent["mine"], sent["party"], sent["text"], sent["parts"]) == (False, "BAKERY", "é" * 200, 2)
        assert (answered["mine"], answered["text"]) == (True, "à " * 100)
        await bakery.delivered(), await bakery.delivered()
        async with http.get("/api/stats") as answer:
            stats = await answer.json()
        assert (stats["accepted"], stats["texts_typed"], stats["binds"]) == (2, 1, 1)


@pytest.mark.parametrize(
    ("form", "bound_once", "status", "word"),
    [
        ({"to": "36180", "text": "STOP"}, False, 409, "No program is connected"),
        ({"to": "", "text": "STOP"}, True, 400, "needs a recipient"),
        ({"to": "36180", "text": " "}, True, 400, "needs a recipient"),
        ({"to": "36180", "text": "x" * 1501}, True, 400, "needs a recipient"),
        ({"to": "日本", "text": "STOP"}, True, 400, "cannot carry"),
        ({"to": "36180"}, True, 400, ""),
    ],
)
async def test_a_reply_that_cannot_go_says_why(house, form, bound_once, status, word):
    http, port = house
    async with contextlib.AsyncExitStack() as stack:
        if bound_once:
            await stack.enter_async_context(bound(port))
        for path, kind in ((f"/{NUMBER}/reply", "data"), (f"/api/phones/{NUMBER}/reply", "json")):
            async with http.post(path, **{kind: form}) as answer:
                assert answer.status == status
                assert word in await answer.text()


async def test_other_sites_may_look_but_not_write(house):
    http, port = house
    form = {"to": "36180", "text": "STOP"}
    async with bound(port):
        for path in (f"/{NUMBER}/reply", f"/api/phones/{NUMBER}/reply"):
            async with http.post(path, data=form, headers={"Sec-Fetch-Site": "cross-site"}) as answer:
                assert answer.status == 403
    for path in ("/favicon.ico", "/api", "/36", "/api/phones/x"):
        await page(http, path, 404)


def test_numbers_are_written_as_people_do():
    assert pretty("33639988001") == "+33 6 39 98 80 01"
    assert pretty("262692123456") == "+262692123456"
    assert pretty("36180") == "36180"
    assert international("06 39.98-80 01") == "33639988001"
    assert international("0033639988001") == international("+33 639988001") == "33639988001"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:2776", 200),
        ("127.0.0.1", 200),
        ("[::1]:2776", 200),
        ("handsets", 200),
        ("a.localhost", 200),
        ("evil.example:2776", 403),
        ("127.0.0.1.evil.example", 403),
        ("192.0.2.1", 403),
        ("[::1.evil", 403),
    ],
)
async def test_a_foreign_name_that_leads_to_this_machine_reads_nothing(house, host, status):
    http, _ = house
    for path in ("/", "/api/stats", f"/{NUMBER}", "/sink/received"):
        async with http.get(path, headers={"Host": host}) as answer:
            assert answer.status in ({status} if status == 200 else {403, 404}), path
    async with http.post("/sink/x", headers={"Host": host}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("headers", "is_refused"),
    [
        ({}, False),
        ({"Origin": "http://localhost:1"}, False),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "http://localhost:3000"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "https://evil.example"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
    ],
)
async def test_only_the_pages_themselves_write(house, headers, is_refused):
    http, _ = house
    form = {"to": "36000", "text": "STOP"}
    for place, body in ((f"/{NUMBER}/reply", {"data": form}), (f"/api/phones/{NUMBER}/reply", {"json": form})):
        async with http.post(place, headers={"Host": "localhost:1"} | headers, **body) as answer:
            assert (answer.status == 403) is is_refused


async def test_mails_are_shown_with_links_to_follow_and_nothing_else(tmp_path):
    async with running(tmp_path) as where, aiohttp.ClientSession(f"http://127.0.0.1:{where.http_port}") as http:
        assert "No mail came yet" in await page(http, "/mails")
        text = "Suivez http://127.0.0.1:8080/signup/abc-_9.\n<script>alert(1)</script> \"http://a.example/?q='x'"
        await aiosmtplib.send(
            f"From: a@example.org\r\nTo: b@example.org\r\nSubject: <b>Compte</b>\r\n\r\n{text}\r\n",
            sender="a@example.org", recipients=["b@example.org"], hostname="127.0.0.1", port=where.smtp_port,
        )  # fmt: skip
        listed, shown = await page(http, "/mails"), await page(http, "/mails/1")
        assert 'href="/mails/1"' in listed and "&lt;b&gt;Compte&lt;/b&gt;" in listed
        assert '<a href="http://127.0.0.1:8080/signup/abc-_9" rel="noreferrer">' in shown
        assert "<script>alert" not in shown and 'href="http://a.example/?q=" rel' in shown
        await page(http, "/mails/2", 404)
        async with http.get("/api/mails") as answer:
            assert [(one["recipients"], one["text"][:6]) for one in await answer.json()] == [
                (["b@example.org"], "Suivez")
            ]
