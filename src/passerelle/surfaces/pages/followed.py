"""The way of whoever follows a link, kept short: thousands a second pass here and never see the framework.

One rule: an answer leaves after the commit that holds its visit, and leads only where the sender wrote: nothing of the
request has a say in it. What this does not know goes on to the pages behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re

from ...domain.links import PATH, Robots
from ...pipeline.following import Away, Following
from ...store.tracking import Led
from ..http import PATIENCE, App, Header, Receive, Scope, Send, report
from . import words
from .landing import LANDING_HEADERS, Frames
from .page import HEADERS, saying

_LINK = re.compile(rf"{PATH}/([0-9A-Za-z]{{8}})(?:/([1-9][0-9]{{0,2}}))?")
_STAY = re.compile(rf"{PATH}/([0-9A-Za-z]{{8}})/t")
_STAYED = re.compile(rb"([0-9]{1,18}) ([0-9]{1,6})")
_LONGEST = 64  # bytes of what a page says of itself


def _headers(named: dict[str, str]) -> tuple[Header, ...]:
    return tuple((name.lower().encode(), value.encode()) for name, value in named.items())


_HTML = (b"content-type", b"text/html; charset=utf-8")
_REDIRECT = (
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),  # a personal link is told to nobody
    (b"x-robots-tag", b"noindex"),
    (b"content-length", b"0"),
)
_PAGE = (_HTML, *_headers(LANDING_HEADERS))
_SAID = (_HTML, *_headers(HEADERS))
_AWAY = (*_SAID, (b"retry-after", b"30"))


class Followed:
    """The ASGI application before the pages of links; `behind`: those pages."""

    def __init__(self, following: Following, robots: Robots, behind: App) -> None:
        self._following = following
        self._robots = robots
        self._frames = Frames(following.page)
        self._behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method = scope["method"] if scope["type"] == "http" else ""
        try:
            if method in ("GET", "HEAD") and (link := _LINK.fullmatch(scope["path"])):
                done = await self._follow(scope, send, link[1], int(link[2] or 0))
            elif method == "POST" and (stay := _STAY.fullmatch(scope["path"])):
                done = await self._stay(receive, send, stay[1])
            else:
                done = False
        except Away:
            await _answer(scope, send, 503, _AWAY, saying("away", _language(scope)).encode())
        except Exception as error:
            report("pages", method, PATH, error)
            await _answer(scope, send, 500, _SAID, saying("failed", _language(scope)).encode())
        else:
            if not done:
                await self._behind(scope, receive, send)

    async def _follow(self, scope: Scope, send: Send, code: str, link: int) -> bool:
        """False: nothing of ours has this code."""
        led = await self._following.follow(code, link, self._robots.look(scope["method"], scope["headers"]))
        if led is None:
            return False
        if led.url is None:
            return await self._show(scope, send, code, led)
        await send(
            {
                "type": "http.response.start",
                "status": 302,
                "headers": [(b"location", led.url.encode("ascii")), *_REDIRECT],
            }
        )
        await send({"type": "http.response.body", "body": b""})
        return True

    async def _show(self, scope: Scope, send: Send, code: str, led: Led) -> bool:
        frame = await self._frames.frame(led.target_id or 0, _language(scope))
        if frame is None:
            return False
        await _answer(scope, send, 200, _PAGE, frame.shown(code, led.visit_id or 0))
        return True

    async def _stay(self, receive: Receive, send: Send, code: str) -> bool:
        """How long a page was seen, which it says by itself, and nobody waits for the answer."""
        body = await _short_body(receive)
        if said := _STAYED.fullmatch(body):
            await self._following.stay(code, int(said[1]), int(said[2]))
        await send({"type": "http.response.start", "status": 204, "headers": [(b"cache-control", b"no-store")]})
        await send({"type": "http.response.body", "body": b""})
        return True


async def _short_body(receive: Receive) -> bytes:
    body = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while len(body) <= _LONGEST:
                message = await receive()
                body += message.get("body", b"")
                if message["type"] != "http.request" or not message.get("more_body"):
                    break
    return body


def _language(scope: Scope) -> str:
    accepted = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
    return words.language(accepted.decode("latin-1"))


async def _answer(scope: Scope, send: Send, status: int, headers: tuple[Header, ...], body: bytes) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
