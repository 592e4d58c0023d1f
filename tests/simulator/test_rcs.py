from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import html
import json
import socket
from pathlib import Path

import aiohttp
import pytest
from outbound.receiver import Receiver, answer, receiving
from simulator.test_rich import CAROUSEL

from passerelle.simulator.handset import application
from passerelle.simulator.phone import PhoneBook
from passerelle.simulator.postbox import Postbox
from passerelle.simulator.rcs import Rbm, Webhook
from passerelle.simulator.run import _serve
from passerelle.simulator.sink import Sink
from passerelle.simulator.smsc import Smsc

TOKEN = "t0ken"
TEXT = {"text": "Bonjour", "suggestions": [{"reply": {"text": "Oui <b>", "postbackData": "yes"}}]}
HEADERS = {"Authorization": "Bearer x"}


class House:
    """A provider with its handsets on a real socket, and the webhook of a platform."""

    def __init__(self, http: aiohttp.ClientSession, platform: Receiver, phones: PhoneBook) -> None:
        self.http = http
        self.platform = platform
        self.phones = phones

    async def send(
        self, number: str, name: str = "n1", content: object = TEXT, headers: object = HEADERS, **query: str
    ) -> tuple[int, object]:
        asked = {"messageId": name, "agentId": "agent"} | query
        body = {"contentMessage": content, "messageTrafficType": "TRANSACTION", "ttl": "300s"}
        url = f"/rcs/v1/phones/+{number}/agentMessages"
        async with self.http.post(url, params=asked, json=body, headers=headers) as got:
            return got.status, await got.json()

    async def events(self, count: int) -> list[dict[str, object]]:
        await self.platform.received(count)
        found = []
        for request in self.platform.requests:
            data = base64.b64decode(json.loads(request.body)["message"]["data"])
            signed = base64.b64encode(hmac.digest(TOKEN.encode(), data, "sha512")).decode()
            assert request.headers["x-goog-signature"] == signed
            found.append(json.loads(data))
        return found

    async def page(self, number: str) -> str:
        async with self.http.get(f"/{number}") as got:
            return await got.text()

    async def tap(self, number: str, name: str, position: int) -> int:
        form = {"name": name, "position": str(position)}
        async with self.http.post(f"/{number}/tap", data=form, allow_redirects=False) as got:
            return got.status


@pytest.fixture
async def house(tmp_path: Path):
    async with contextlib.AsyncExitStack() as ending:
        platform = await ending.enter_async_context(receiving(lambda request: answer(200)))
        smsc = Smsc(journal=tmp_path / "journal")
        rbm = Rbm(smsc.phones, Webhook(platform.url("/rcs/events"), TOKEN, pause=0.0))
        ending.push_async_callback(rbm.stop)
        listening = socket.create_server(("127.0.0.1", 0))
        app = application(smsc, Sink(), Postbox(), rbm)
        serving = asyncio.create_task(_serve(app, listening))
        http = aiohttp.ClientSession(f"http://127.0.0.1:{listening.getsockname()[1]}")
        yield House(http, platform, smsc.phones)
        await http.close()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_a_message_is_delivered_and_shown(house):
    status, body = await house.send("33639980002")
    assert status == 200 and body["name"] == "phones/+33639980002/agentMessages/n1"
    (event,) = await house.events(1)
    assert (event["senderPhoneNumber"], event["eventType"], event["messageId"], event["agentId"]) == (
        "+33639980002",
        "DELIVERED",
        "n1",
        "agent",
    )
    shown = await house.page("33639980002")
    assert "Bonjour" in shown and "Oui &lt;b&gt;" in shown and "<b>" not in shown.split("Oui")[1][:5]


async def test_a_name_is_taken_once(house):
    assert [(await house.send("33639980002"))[0] for _ in range(2)] == [200, 409]
    assert len(house.phones.bubbles("33639980002")) <= 1


async def test_who_has_no_rcs(house):
    assert (await house.send("33639980001"))[0] == 404
    async with house.http.get("/rcs/v1/phones/+33639980001/capabilities", headers=HEADERS) as got:
        assert got.status == 404
    async with house.http.get("/rcs/v1/phones/+33639980002/capabilities", headers=HEADERS) as got:
        assert got.status == 200 and (await got.json())["features"]


@pytest.mark.parametrize(
    ("number", "statuses"),
    [("33639988058", [429, 429, 200]), ("33639988060", [503, 503, 200]), ("33639988068", [400] * 3)],
)
async def test_refusals(house, number, statuses):
    assert [(await house.send(number))[0] for _ in statuses] == statuses


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("33639988050", ["DELIVERED", "READ"]),
        ("33639988052", ["DELIVERED", "READ", {"text": "Oui <b>", "postbackData": "yes", "type": "REPLY"}]),
        ("33639988054", ["DELIVERED", "Oui merci"]),
        ("33639988062", ["DELIVERED", "STOP"]),
        ("33639988064", ["DELIVERED"]),
        ("33639988066", ["TTL_EXPIRATION_REVOKED"]),
    ],
)
async def test_what_happens_by_itself(house, number, told):
    assert (await house.send(number))[0] == 200
    events = await house.events(len(told))
    assert [one.get("eventType") or one.get("text") or one["suggestionResponse"] for one in events] == told


async def test_the_early_event_comes_before_the_answer(house):
    await house.send("33639988064")
    assert house.platform.requests


async def test_a_tap_on_the_page_tells_the_platform(house):
    await house.send("33639980002", content=CAROUSEL)
    await house.events(1)
    assert await house.tap("33639980002", "n1", 3) == 303
    tapped = (await house.events(2))[1]["suggestionResponse"]
    assert tapped == {"text": "Voir", "postbackData": "see", "type": "ACTION"}
    assert house.phones.bubbles("33639980002")[-1].mine
    assert [
        await house.tap(*wrong)
        for wrong in (("33639980002", "n1", 4), ("33639980002", "n2", 0), ("33639980004", "n1", 0))
    ] == [404] * 3


async def test_an_agent_can_be_answered_from_the_box(house):
    await house.send("33639980002")
    await house.events(1)
    async with house.http.post("/api/phones/33639980002/reply", json={"to": "agent", "text": "Merci"}) as got:
        assert got.status == 201
    assert (await house.events(2))[1]["text"] == "Merci"
    assert 'value="agent"' in await house.page("33639980002")


async def test_what_was_revoked_does_not_arrive(house):
    async with house.http.delete("/rcs/v1/phones/+33639980002/agentMessages/n1", headers=HEADERS) as got:
        assert got.status == 404
    await house.send("33639988056")
    async with house.http.delete("/rcs/v1/phones/+33639988056/agentMessages/n1", headers=HEADERS) as got:
        assert got.status == 200
    assert not house.phones.bubbles("33639988056")


async def test_every_form_is_shown(house):
    card = {
        "richCard": {
            "standaloneCard": {
                "cardOrientation": "HORIZONTAL",
                "cardContent": {"title": "Carte <i>", "description": "Dix"},
            }
        }
    }
    for n, content in enumerate((TEXT, {"contentInfo": {"fileUrl": "javascript:alert(1)"}}, card, CAROUSEL)):
        await house.send("33639980002", f"n{n}", content)
        await house.events(n + 1)
    shown = await house.page("33639980002")
    assert (
        "Carte &lt;i&gt;" in shown
        and 'class="carousel' in shown
        and "javascript:" not in html.unescape(shown).split("<script")[0].replace("FILE", "")
    )


@pytest.mark.parametrize("content", [None, {}, {"text": 5}, "x"])
async def test_what_is_no_message_is_refused(house, content):
    assert (await house.send("33639980002", content=content))[0] == 400


async def test_without_names_or_a_token(house):
    assert (await house.send("33639980002", messageId=""))[0] == 400
    assert (await house.send("33639980002", agentId=""))[0] == 400
    assert (await house.send("33639980002", headers={}))[0] == 401
    async with house.http.get("/rcs/v1/nothing", headers=HEADERS) as got:
        assert got.status == 404


async def test_an_event_that_is_not_taken_is_told_again(house):
    answers = iter([answer(503), answer(200)])
    house.platform.reply = lambda request: next(answers)
    await house.send("33639980002")
    events = await house.events(2)
    assert events[0] == events[1]
