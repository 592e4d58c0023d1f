"""Customers: requests of every kind at a steady rate, each tried again with its Idempotency-Key until it is answered."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

PREFIX = "33639988"
# Ending of a magic number -> seconds between two messages to it: those that are refused for now come back late.
MAGIC = {
    "001": 1,
    "002": 3,
    "003": 3,
    "010": 3,
    "011": 90,
    "012": 90,
    "013": 30,
    "030": 2,
    "032": 1,
    "034": 1,
    "035": 1,
}
STATES = {"001": {11}, "002": {12}, "003": {11}, "010": {12}}
"""The final state that each must have; all others: delivered."""
MOST = 2_000  # requests that wait for their answer: a customer has so many connections, too
FOR_NOW = frozenset({"011", "012", "013"})
"""Refused twice, then taken: a count of the number, so for texts of one part."""
NOT_FOR_PRIMOTEXTO = frozenset({"002", "010"})  # it refuses numbers that proved dead


def whole(lines: list[str], token: str, size: int) -> str:
    """A long text of which every part of `size` characters, the last one too, holds the token once uncut."""
    text = " ".join(lines)
    while 0 < len(text) % size < 3 * len(token):
        text += f" {token}"
    return text


@dataclass
class Wish:
    """One request: what is asked, and what came back."""

    token: str
    account: str
    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    texts: dict[str, str]  # phone -> text
    marketing: bool = False
    asked_at: float = 0.0
    tries: int = 0
    status: int = 0
    answer: bytes = b""

    @property
    def told(self) -> Any:
        return json.loads(self.answer)

    @property
    def accepted(self) -> bool:
        return self.status == 200

    @property
    def primotexto(self) -> bool:
        return self.account == "clinic"


@dataclass
class Customer:
    """Who asks."""

    name: str
    key: str
    account_id: int = 0


@dataclass
class Load:
    """`rate` messages a second to any of `bases`; `run` until `stop` is set, then wait for all answers."""

    bases: list[str]
    customers: dict[str, Customer]
    dlr_url: str
    chance: random.Random
    rate: float
    wishes: list[Wish] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    mismatched: list[str] = field(default_factory=list)
    _asking: set[asyncio.Task[None]] = field(default_factory=set)
    _phones: int = 0
    _used: dict[str, float] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Ask at the rate, whatever the answers take."""
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as self._session:
            began, sent = time.monotonic(), 0
            while not stop.is_set():
                if len(self._asking) >= MOST:
                    began, sent = time.monotonic(), 0  # nobody makes up for it later
                while sent < (time.monotonic() - began) * self.rate:
                    wish = self._wish()
                    self.wishes.append(wish)
                    sent += len(wish.texts)
                    self._spawn(self._ask(wish))
                await asyncio.sleep(0.01)
            while self._asking:
                await asyncio.wait(self._asking)

    async def replay(self, count: int) -> None:
        """Ask again what was answered: the answer must be the same, byte for byte."""
        accepted = [wish for wish in self.wishes if wish.accepted]
        async with aiohttp.ClientSession() as self._session:
            for wish in self.chance.sample(accepted, min(count, len(accepted))):
                status, answer = await self._once(wish)
                if (status, answer) != (wish.status, wish.answer):
                    self.mismatched.append(f"{wish.token}: {wish.answer!r}, then {status} {answer!r}")

    # --- asking ----------------------------------------------------------------------------------------------------

    def _spawn(self, asking: Any) -> None:
        task = asyncio.create_task(asking)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(self, wish: Wish) -> None:
        wish.asked_at = time.time()
        twins = 2 if self.chance.random() < 0.05 else 1  # an impatient client asks twice at once
        answers = await asyncio.gather(*(self._until_answered(wish) for _ in range(twins)))
        wish.status, wish.answer = answers[0]
        if answers[0] != answers[-1]:
            self.mismatched.append(f"{wish.token}: twins were told {answers}")

    async def _until_answered(self, wish: Wish) -> tuple[int, bytes]:
        pause = 0.1
        while True:
            wish.tries += 1
            try:
                status, answer = await self._once(wish)
                if status < 500:
                    return status, answer
                self.faults[f"HTTP {status}"] += 1
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self.faults[type(error).__name__] += 1
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)

    async def _once(self, wish: Wish) -> tuple[int, bytes]:
        url = self.chance.choice(self.bases) + wish.path
        async with self._session.post(url, json=wish.body, headers=wish.headers) as answer:
            return answer.status, await answer.read()

    # --- what is asked ---------------------------------------------------------------------------------------------

    def _wish(self) -> Wish:
        token = f"q{len(self.wishes):06x}z"
        kinds: dict[Callable[[str], Wish], int] = {
            self._single: 46, self._eco: 9, self._long: 9, self._unicode: 3, self._poor: 3, self._marketing: 8,
            self._many: 1, self._bulk: 1, self._notification: 13, self._primotexto_marketing: 7,
        }  # fmt: skip
        return self.chance.choices(list(kinds), list(kinds.values()))[0](token)

    def _phone(self, *, magic: bool = True, but: frozenset[str] = frozenset()) -> str:
        if magic and self.chance.random() < 0.08:
            now = time.monotonic()
            free = [end for end, gap in MAGIC.items() if end not in but and self._used.get(end, -1e9) + gap < now]
            if free:
                end = self.chance.choice(free)
                self._used[end] = now
                return PREFIX + end
        self._phones += 1
        return str(33612000000 + self._phones)

    def _smspartner(self, account: str, token: str, texts: dict[str, str], **more: Any) -> Wish:
        body = {
            "apiKey": self.customers[account].key,
            "phoneNumbers": ",".join(f"+{phone}" for phone in texts),
            "message": next(iter(texts.values())),
            "sender": "BAKERY",
            "urlDlr": f"{self.dlr_url}/dlr/{token}",
            "tag": f"tag{self.chance.randrange(3)}",
            **more,
        }
        return Wish(token, account, "/v1/send", body, {"Idempotency-Key": f"key-{token}"}, texts)

    def _single(self, token: str) -> Wish:
        return self._smspartner("bakery", token, {self._phone(): f"Bonjour {token}, votre colis est arrivé."})

    def _poor(self, token: str) -> Wish:
        """This one runs out of money in the middle."""
        texts = {self._phone(magic=False): f"Bonjour {token}, dernier rappel."}
        return self._smspartner("poor", token, texts)

    def _eco(self, token: str) -> Wish:
        return self._smspartner("bakery", token, {self._phone(): f"Eco {token}"}, gamme=2)

    def _long(self, token: str) -> Wish:
        lines = self.chance.randint(8, 22)
        text = whole([f"{token} ligne {n}" for n in range(lines)], token, 153)
        return self._smspartner("bakery", token, {self._phone(but=FOR_NOW): text})

    def _unicode(self, token: str) -> Wish:
        text = whole([f"{token} жук"] * self.chance.randint(6, 14), token, 67)
        return self._smspartner("bakery", token, {self._phone(but=FOR_NOW): text}, isUnicode=1)

    def _marketing(self, token: str) -> Wish:
        phones = [self._phone(magic=False) for _ in range(self.chance.randint(1, 3))]
        text = f"Soldes {token}"
        wish = self._smspartner("bakery", token, dict.fromkeys(phones, text), isStopSms=1)
        wish.marketing = True
        return wish

    def _many(self, token: str) -> Wish:
        phones = [self._phone(magic=False) for _ in range(self.chance.randint(10, 60))]
        return self._smspartner("bakery", token, dict.fromkeys(phones, f"Info {token}"))

    def _bulk(self, token: str) -> Wish:
        texts = {self._phone(magic=False): f"Cher {n} {token}" for n in range(self.chance.randint(3, 30))}
        wish = self._smspartner("bakery", token, texts)
        wish.path = "/v1/bulk-send"
        wish.body["SMSList"] = [{"phoneNumber": f"+{phone}", "message": text} for phone, text in texts.items()]
        del wish.body["phoneNumbers"], wish.body["message"]
        return wish

    def _notification(self, token: str) -> Wish:
        if self.chance.random() < 0.15:
            text = whole([f"{token} rdv {n}" for n in range(14)], token, 153)
            return self._primotexto("notification", token, text, but=FOR_NOW)
        return self._primotexto("notification", token, f"Rendez-vous {token} demain.")

    def _primotexto_marketing(self, token: str) -> Wish:
        wish = self._primotexto("marketing", token, f"Bilan {token} offert")
        wish.marketing = True
        return wish

    def _primotexto(self, kind: str, token: str, text: str, but: frozenset[str] = frozenset()) -> Wish:
        phone = self._phone(but=NOT_FOR_PRIMOTEXTO | but)
        body = {
            "number": f"+{phone}",
            "message": text,
            "sender": "CLINIC",
            "category": f"cat{self.chance.randrange(2)}",
        }
        headers = {"X-Primotexto-ApiKey": self.customers["clinic"].key, "Idempotency-Key": f"key-{token}"}
        return Wish(token, "clinic", f"/v2/{kind}/messages/send", body, headers, {phone: text})
