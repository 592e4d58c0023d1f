"""The simulated provider of RCS: Google's RBM REST API (v1) below `/rcs`, and its events to a webhook.

One rule: a messageId is taken once; the second time it is answered with 409, as the provider does. What it knows dies
with the process.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import re
import time
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

import aiohttp
import msgspec

from passerelle.simulator.phone import PhoneBook, Rich
from passerelle.simulator.rcs_behaviours import SAY, TAP, RcsScript, rcs_script_for
from passerelle.simulator.rich import Content, read
from passerelle.simulator.sink import Receive, Scope, Send, body_of, respond

ROOT = "/rcs"
KEPT = 10_000  # messages whose ids are known
TRIES = (1, 2, 5, 10, 30, 60)  # seconds between posts of an event that was not taken
_MESSAGES = re.compile(r"/v1/phones/\+(\d{3,20})/agentMessages(?:/([^/]{1,100}))?")
_CAPABILITIES = re.compile(r"/v1/phones/\+(\d{3,20})/capabilities")
_FEATURES = ["RICHCARD_STANDALONE", "RICHCARD_CAROUSEL", "ACTION_OPEN_URL", "ACTION_DIAL", "ACTION_VIEW_LOCATION"]

Answer = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where events go: the URL, and the token that signs them. `pause`: seconds from one step to the next."""

    url: str = ""
    token: str = ""
    pause: float = 2.0


@dataclass(slots=True)
class Held:
    """A message that was taken."""

    number: str
    name: str
    agent: str
    content: Content
    script: RcsScript
    delivered: bool = False
    revoked: bool = False


@dataclass(slots=True)
class _Refusals:
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def next(self, number: str, script: RcsScript) -> bool:
        """Whether this message is refused."""
        if script.refused < 0 or self.counts[number] < script.refused:
            self.counts[number] += 1
            return True
        self.counts.pop(number, None)
        return False


class Rbm:
    """The provider; an ASGI application for paths below `/rcs`. Fills the handsets of `phones`."""

    def __init__(self, phones: PhoneBook, webhook: Webhook | None = None) -> None:
        self._phones = phones
        self._webhook = webhook or Webhook()
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._refusals = _Refusals()
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def stop(self) -> None:
        """Nothing more happens."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    # --- the API ---------------------------------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        body = await body_of(receive)
        status, answer = (413, _error(413, "too large")) if body is None else await self._answer(scope, body)
        await respond(send, status, msgspec.json.encode(answer), b"application/json")

    async def _answer(self, scope: Scope, body: bytes) -> Answer:
        path, method = unquote(scope["path"])[len(ROOT) :], scope["method"]
        if not dict(scope["headers"]).get(b"authorization", b"").startswith(b"Bearer "):
            return 401, _error(401, "no access token")
        if (found := _CAPABILITIES.fullmatch(path)) and method == "GET":
            return self._capabilities(found[1])
        found = _MESSAGES.fullmatch(path)
        if found is None:
            return 404, _error(404, "no such method")
        asked = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
        if method == "DELETE" and found[2]:
            return self._revoke(found[2])
        if method != "POST" or found[2]:
            return 404, _error(404, "no such method")
        return await self._take(found[1], asked, body)

    def _capabilities(self, number: str) -> Answer:
        has_rcs = rcs_script_for(number).status != 404
        return (200, {"features": _FEATURES}) if has_rcs else (404, _error(404, "the phone has no RCS"))

    async def _take(self, number: str, asked: Mapping[str, str], body: bytes) -> Answer:
        """POST agentMessages."""
        name, agent = asked.get("messageId", ""), asked.get("agentId", "")
        try:
            message = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError:
            message = {}
        content = read(message.get("contentMessage"))
        if not name or not agent or content is None:
            return 400, _error(400, "messageId, agentId and a contentMessage that can be shown are required")
        if name in self._held:
            return 409, _error(409, "the messageId is taken")
        script = rcs_script_for(number)
        if self._refusals.next(number, script):
            return script.status, _error(script.status, script.story)
        held = self._hold(Held(number, name, agent, content, script))
        if script.early:
            await self._step(held, script.events[0])
        self._later(self._play(held, script.events[int(script.early) :]))
        return 200, {
            "name": f"phones/+{number}/agentMessages/{name}",
            "sendTime": _now(),
            "contentMessage": message["contentMessage"],
        }

    def _hold(self, held: Held) -> Held:
        self._held[held.name] = held
        if len(self._held) > KEPT:
            self._held.popitem(last=False)
        return held

    def _revoke(self, name: str) -> Answer:
        """DELETE agentMessages: best effort, as with the provider."""
        held = self._held.get(name)
        if held is None:
            return 404, _error(404, "no such message")
        held.revoked = True
        return 200, {}

    # --- what happens ----------------------------------------------------------------------------------------------

    def tap(self, number: str, name: str, position: int) -> bool:
        """A person taps a suggestion of a message, counted over all of it; whether there is one."""
        held = self._held.get(name)
        buttons = held.content.buttons if held is not None and held.number == number else []
        if held is None or not 0 <= position < len(buttons):
            return False
        chosen = buttons[position][1]
        self._write(number, held.agent, chosen.text)
        kind = "ACTION" if chosen.icon else "REPLY"
        told = {"text": chosen.text, "postbackData": chosen.postback_data, "type": kind}
        self._later(self._tell(number, held.agent, {"messageId": str(uuid.uuid4()), "suggestionResponse": told}))
        return True

    def say(self, number: str, agent: str, text: str) -> bool:
        """A person writes to an agent; whether that agent has ever written to it."""
        if not any(held.number == number and held.agent == agent for held in self._held.values()):
            return False
        self._write(number, agent, text)
        self._later(self._tell(number, agent, {"messageId": str(uuid.uuid4()), "text": text}))
        return True

    def _write(self, number: str, agent: str, text: str) -> None:
        self._phones.show(number, Rich(time.time(), True, agent, Content(text)))

    async def _play(self, held: Held, events: tuple[str, ...]) -> None:
        for event in events:
            await asyncio.sleep(self._webhook.pause)
            if held.revoked:
                return
            await self._step(held, event)

    async def _step(self, held: Held, event: str) -> None:
        """One step of a script."""
        if event == TAP:
            self.tap(held.number, held.name, 0)
        elif event == SAY:
            self.say(held.number, held.agent, held.script.text)
        else:
            if event == "DELIVERED":
                held.delivered = True
                self._phones.show(held.number, Rich(time.time(), False, held.agent, held.content, held.name))
            whose = "phoneNumber" if event.startswith("TTL") else "senderPhoneNumber"
            told = {"eventType": event, "messageId": held.name, "eventId": str(uuid.uuid4())}
            await self._tell(held.number, held.agent, told, whose=whose)

    async def _tell(self, number: str, agent: str, event: dict[str, Any], whose: str = "senderPhoneNumber") -> None:
        """Post an event until it is taken, some minutes long."""
        if not self._webhook.url:
            return
        event = {whose: f"+{number}"} | event | {"sendTime": _now(), "agentId": agent}
        data = msgspec.json.encode(event)
        signature = base64.b64encode(hmac.digest(self._webhook.token.encode(), data, "sha512")).decode()
        body = {"message": {"data": base64.b64encode(data).decode(), "messageId": str(uuid.uuid4())}}
        for pause in (*TRIES, 0):
            if await self._post(msgspec.json.encode(body), signature):
                return
            await asyncio.sleep(pause)

    async def _post(self, body: bytes, signature: str) -> bool:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        headers = {"Content-Type": "application/json", "X-Goog-Signature": signature}
        try:
            async with self._session.post(self._webhook.url, data=body, headers=headers) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _error(status: int, words: str) -> dict[str, Any]:
    """As Google words errors."""
    return {"error": {"code": status, "message": words}}
