"""Asks who serves a number: a provider of HLR requests over HTTP, or a made-up one that needs nobody.

The one rule: whatever a provider does, it has answered, or it could not be asked: None.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from ..domain.countries import MOBILE_CODES
from ..domain.hlr import FINE, Found, error_of
from ..settings import HlrSettings

if TYPE_CHECKING:  # loaded by the first question: every program starts with this module, and few ask
    import aiohttp

TIMEOUT = 30.0  # seconds of one try
TRIES = 3
PAUSE = 1.0  # seconds before the second try, twice as many before the third
WORST = TRIES * (TIMEOUT + PAUSE)
"""Seconds that one question may take."""


class Provider(Protocol):
    """Somebody who can be asked. `delay`: how old a request has to be."""

    delay: timedelta

    async def ask(self, phone: int, country: str, reference: str) -> Found | None:
        """What is known of a number (E.164 without +); None where nobody could be asked."""

    async def close(self) -> None:
        """Close the connections."""


class Simulated:
    """Answers by the digits of the number (SMS Partner section 11), as fast as a real one."""

    delay = timedelta(seconds=1)

    async def ask(self, phone: int, country: str, reference: str) -> Found | None:
        """Last digit 7 absent, 8 barred, 9 unknown; tens digit odd: ported; the network by the number."""
        error = {7: 27, 8: 13, 9: 1}.get(phone % 10, FINE)
        networks = ("20801", "20810", "20815", "20820")
        network = networks[phone % 4] if country == "FR" else MOBILE_CODES.get(country, "901") + "01"
        return Found(network, bool(phone // 10 % 2), error)

    async def close(self) -> None:
        """Nothing is open."""


class Malformed(ValueError):
    """An answer that says nothing of a number."""


class HttpProvider:
    """A provider with one URL: `{"number", "reference"}` -> `{"mccMnc", "ported", "error"}`; settings rename them."""

    delay = timedelta(0)

    def __init__(self, settings: HlrSettings, *, timeout: float = TIMEOUT, pause: float = PAUSE) -> None:
        self._url = settings.url
        self._headers = settings.headers
        self._fields: Mapping[str, str] = {str(ours): theirs for ours, theirs in settings.fields.items()}
        self._timeout = timeout
        self._pause = pause
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, phone: int, country: str, reference: str) -> Found | None:
        """Ask at most three times."""
        import aiohttp

        question = {self._field("number"): f"+{phone}", self._field("reference"): reference}
        for turn in range(TRIES):
            await asyncio.sleep(self._pause * turn)
            try:
                return self._read(await self._post(question))
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError, msgspec.DecodeError):
                continue
        return None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, question: Mapping[str, str]) -> Any:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                headers={"User-Agent": "Passerelle", "Accept": "application/json", **self._headers},
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        async with self._session.post(self._url, json=question, allow_redirects=False) as response:
            if not 200 <= response.status < 300:
                raise Malformed(f"HTTP {response.status}")
            return msgspec.json.decode(await response.read())

    def _read(self, answer: Any) -> Found:
        network, ported, error = (_member(answer, self._field(name)) for name in ("mccMnc", "ported", "error"))
        if network is None and error is None:
            raise Malformed("neither a network nor an error")
        return Found(
            mcc_mnc="" if network is None else _network(network),
            ported=ported in (True, 1, "1", "true"),
            error=_error(error),
        )

    def _field(self, name: str) -> str:
        return self._fields.get(name, name)


def _network(given: Any) -> str:
    """As it can be stored: one odd answer must not hold up those that came with it, again and again."""
    text = str(given)[:16]
    if not (text.isascii() and text.isprintable()):
        raise Malformed("the network is no code")
    return text


def _error(given: Any) -> int:
    if given is True or not isinstance(given, int | str | None):
        raise Malformed("the error is no number")
    return error_of(int(given or FINE)).id


def _member(answer: Any, path: str) -> Any:
    """A member by its name, `data.network.code` for one inside others."""
    for name in path.split("."):
        if not isinstance(answer, Mapping):
            return None
        answer = answer.get(name)
    return answer


def provider(settings: HlrSettings) -> Provider:
    """The provider of an installation."""
    return HttpProvider(settings) if settings.url else Simulated()
