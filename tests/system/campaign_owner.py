"""The owner of the campaign, over HTTP: what a program of his asks for, again and again until it is answered.

One rule: an answer that a killed process kept to itself is asked for once more; what was done twice by that is no fault.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import aiohttp
from system.campaign_people import SHORT_CODE

AT_ONCE = 8  # requests


class Refused(Exception):
    """An answer that says no."""


class Owner:
    """Speaks to any of the APIs. `faults`: what went wrong on the way, counted."""

    def __init__(self, bases: list[str], key: str, native_key: str, chance: random.Random) -> None:
        self._bases = bases
        self._headers = {"X-Primotexto-ApiKey": key}
        self._native = {"Authorization": f"Bearer {native_key}"}
        self._chance = chance
        self.faults: Counter[str] = Counter()

    async def __aenter__(self) -> Owner:
        timeout = aiohttp.ClientTimeout(total=90)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=32))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def call(
        self, method: str, path: str, body: Any = None, *, done: tuple[int, ...] = (), **headers: str
    ) -> Any:
        """The answer; `done`: codes that say that it was done already. Raises Refused."""
        pause = 0.1
        given = self._native if path.startswith("/api/") else self._headers
        while True:
            try:
                url = self._chance.choice(self._bases) + path
                async with self._session.request(
                    method,
                    url,
                    json=body,
                    headers=given | {name.replace("_", "-"): value for name, value in headers.items()},
                ) as answer:
                    text, status = await answer.text(), answer.status
                    location = answer.headers.get("Location", "")
                if status < 500:
                    break
                self.faults[f"HTTP {status}"] += 1
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self.faults[type(error).__name__] += 1
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)
        told = json.loads(text) if text else location
        if status >= 300 and not (isinstance(told, dict) and told.get("code") in done):
            raise Refused(f"{method} {path}: {status} {text[:300]}")
        return told

    # --- the list ------------------------------------------------------------------------------------------------

    async def new_list(self, name: str) -> str:
        """Its id."""
        made: str = (await self.call("POST", "/v2/lists", {"name": name}))["id"]
        return made

    async def import_rows(
        self, list_id: str, rows: list[list[str]], posted: asyncio.Event | None = None
    ) -> dict[str, Any]:
        """The operation, when it is over. `posted`: set as soon as it is under way."""
        where = await self.call("POST", f"/v2/lists/{list_id}/import", rows)
        if posted is not None:
            posted.set()
        while True:
            told: dict[str, Any] = await self.call("GET", f"/v2{where}")
            if told["state"] != "RUNNING":
                return told
            await asyncio.sleep(0.1)

    async def add(self, list_id: str, number: str) -> None:
        """A contact more."""
        await self.call("POST", f"/v2/lists/{list_id}/contacts", {"identifier": number}, done=(15,))

    async def remove(self, list_id: str, number: str) -> None:
        """A contact less."""
        await self.call("DELETE", f"/v2/lists/{list_id}/contacts?identifier={quote(number, safe='')}", done=(16,))

    async def block(self, word: str, numbers: list[str]) -> None:
        """Put numbers on a list of the account, `unsubscribers` or `bounces`."""
        await self.each(
            lambda number: self.call("POST", f"/v2/{word}/default/contacts", {"identifier": number}, done=(15,)),
            numbers,
        )

    async def each(self, ask: Callable[[str], Awaitable[Any]], numbers: list[str]) -> None:
        """Ask for each of many, some at once."""
        left = iter(numbers)

        async def one_after_another() -> None:
            for number in left:
                await ask(number)

        await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))

    # --- the campaign, over the native API -----------------------------------------------------------------------

    async def halt(self, path: str, word: str, phase: str) -> None:
        """Pause or resume it. A conflict may only mean that it was done by a request whose answer was lost."""
        try:
            told = await self.call("POST", f"{path}/{word}")
        except Refused:
            told = await self.call("GET", path)
        if told["phase"] != phase:
            raise Refused(f"{word}: it is {told['phase']}")

    async def skipped(self, path: str) -> dict[str, str]:
        """Who was left out at the launch, phone -> reason."""
        found: dict[str, str] = {}
        where: str | None = f"{path}/skipped?limit=500"
        while where is not None:
            told = await self.call("GET", where)
            found |= {one["phone"].lstrip("+"): one["reason"] for one in told["items"]}
            where = told["next"]
        return found

    # --- people --------------------------------------------------------------------------------------------------

    async def handset(self, operator: str, phone: str, text: str) -> None:
        """Somebody writes to the short code; a phone tries again while its operator is down."""
        while True:
            try:
                where = f"{operator}/api/phones/{phone}/reply"
                async with self._session.post(where, json={"to": SHORT_CODE, "text": text}) as answer:
                    if answer.status < 400:
                        return
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            await asyncio.sleep(0.2)

    async def owed(self, operator: str) -> str:
        """What the operator has that we did not take yet; '' where that is nothing."""
        try:
            async with self._session.get(f"{operator}/api/stats") as answer:
                told = await answer.json()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return f"the operator is away ({error!r})"
        return f"the operator owes {told}" if told["owed"] or not told["binds"] else ""
