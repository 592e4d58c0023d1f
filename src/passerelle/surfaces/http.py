"""The small ASGI application that serves every foreign dialect: finds the route, reads the body, answers.

One rule: whatever a client sends is answered in the words of its dialect, never with a 5xx and never with HTML.
What the paths mean, who may call and how errors are worded belongs to the surfaces.
"""

from __future__ import annotations

import asyncio
import enum
import re
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from .. import telemetry
from ..domain.profile import Profile
from . import addresses, values

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

R = TypeVar("R")

MAX_BODY = 4 * 1024 * 1024
PATIENCE = 10.0
"""Seconds that a body may stay short of its Content-Length without a byte."""
HELD = 256 * 1024 * 1024
"""Bytes of all bodies that are still coming; above it a large one is refused, so that nobody fills the memory."""
SMALL = 64 * 1024
LONGEST = 6 * PATIENCE
"""Seconds that a body may take in all."""


class HeaderName(bytes):
    """A header name that keeps its capitals through servers that lower them: a .NET client compares `Location`."""

    def lower(self) -> HeaderName:
        """Itself."""
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, bytes) and bytes.lower(self) == other.lower()

    def __hash__(self) -> int:
        return hash(bytes.lower(self))


CONTENT_TYPE = HeaderName(b"Content-Type")
CONTENT_LENGTH = HeaderName(b"Content-Length")
CONNECTION = HeaderName(b"Connection")
ALLOW = HeaderName(b"Allow")
LOCATION = HeaderName(b"Location")
RETRY_AFTER = HeaderName(b"Retry-After")

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. An empty `media` sends no Content-Type; `close` ends the connection after it."""

    status: int
    body: bytes = b""
    media: bytes = b"application/json"
    headers: tuple[Header, ...] = ()
    close: bool = False


class Fault(enum.Enum):
    """What can be wrong before a call is understood."""

    NOT_FOUND = 404
    METHOD = 405
    TOO_LARGE = 413
    MALFORMED = 400
    INTERNAL = 500


class Request:
    """One request: its method (HEAD reads as GET), the path below the dialect's root, and the body, whole."""

    __slots__ = ("_query", "body", "headers", "method", "path", "route", "scope", "trusted", "variables")

    def __init__(self, scope: Scope, method: str, path: str, trusted: tuple[addresses.Network, ...] = ()) -> None:
        self.scope = scope
        self.method = method
        self.path = path
        self.trusted = trusted
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.body = b""
        self.route: Route | None = None
        self.variables: Mapping[str, str] = {}
        self._query: dict[str, str] | None = None

    @property
    def query(self) -> dict[str, str]:
        """The query string read by `values.form`; of a repeated name the last."""
        if self._query is None:
            raw = self.scope.get("query_string") or b""
            self._query = values.form(raw) if raw else {}
        return self._query

    def header(self, name: bytes) -> str:
        """A header by its lower-case name, without surrounding blanks; '' where it is absent."""
        return self.headers.get(name, b"").decode("latin-1").strip()

    def json(self) -> Any:
        """The body as JSON, U+0000 removed from its texts. Raises values.Malformed."""
        return values.json(self.body)

    @property
    def address(self) -> str:
        """The address of the client: of the socket, or what a trusted proxy says."""
        client = self.scope.get("client")
        forwarded = [value for name, value in self.scope["headers"] if name == b"x-forwarded-for"]
        return addresses.client(client[0] if client else "", forwarded, self.trusted)


Handler = Callable[[Request], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """A path below the root of a dialect with a handler for each method.

    A variable is `{name}` (one segment) or `{name:regular expression}`. `max_body` in bytes, 0 = the setting.
    """

    path: str
    handlers: Mapping[str, Handler]
    max_body: int = 0

    @property
    def allow(self) -> str:
        """The value of the header `Allow`."""
        extra = {"HEAD"} if "GET" in self.handlers else set()
        return ", ".join(sorted(set(self.handlers) | extra))


LONG = 1_000  # entries of a list that are worded in a few milliseconds


async def worded(words: Callable[..., R], *lists: Any) -> R:
    """`words(*lists)`, of a long one in a thread: nobody else waits for it."""
    is_long = any(isinstance(one, list) and len(one) > LONG for one in lists)
    return await asyncio.to_thread(words, *lists) if is_long else words(*lists)


class Surface(Protocol):
    """What a dialect offers to be served. `mounts`: public prefix -> what it stands for before the routes' paths."""

    name: str
    profile: Profile
    mounts: Mapping[str, str]
    routes: Iterable[Route]

    def fault(self, request: Request, fault: Fault) -> Answer:
        """The dialect's words for a fault."""
        ...


_VARIABLE = re.compile(r"\{(\w+)(?::([^{}]+))?\}")
_SLASHES = re.compile("//+")


class _Table:
    """The routes of one surface: a dictionary of the plain paths, then the few with variables in order."""

    def __init__(self, surface: Surface) -> None:
        self.surface = surface
        self.counters: dict[int, Any] = {}
        self.seconds = telemetry.REQUEST_SECONDS.labels(surface.name)
        self.plain: dict[str, Route] = {}
        self.patterns: list[tuple[re.Pattern[str], Route]] = []
        for route in surface.routes:
            if "{" in route.path:
                self.patterns.append((_pattern(route.path), route))
            else:
                self.plain[route.path] = route

    def find(self, path: str) -> tuple[Route | None, Mapping[str, str]]:
        route = self.plain.get(path)
        if route is not None:
            return route, {}
        for pattern, candidate in self.patterns:
            match = pattern.fullmatch(path)
            if match:
                return candidate, match.groupdict()
        return None, {}

    def count(self, status: int, seconds: float) -> None:
        counter = self.counters.get(status)
        if counter is None:
            counter = self.counters[status] = telemetry.REQUESTS.labels(self.surface.name, str(status))
        counter.inc()
        self.seconds.observe(seconds)


def _pattern(path: str) -> re.Pattern[str]:
    pieces, at = [], 0
    for match in _VARIABLE.finditer(path):
        pieces += [re.escape(path[at : match.start()]), f"(?P<{match[1]}>{match[2] or '[^/]+'})"]
        at = match.end()
    return re.compile("".join(pieces) + re.escape(path[at:]))


@dataclass(frozen=True, slots=True)
class Limits:
    """Settings of the doors. `hosts`: host name -> surface name, for `/v1`; times in seconds, sizes in bytes."""

    hosts: Mapping[str, str] = field(default_factory=dict)
    trusted_proxies: tuple[str, ...] = ()
    max_body: int = MAX_BODY
    patience: float = PATIENCE
    longest: float = LONGEST
    held: int = HELD


class _Gone(Exception):
    """The client left before its request was whole."""


class _TooLarge(Exception):
    """The body is over the limit."""


class Dialects:
    """The ASGI application. The first surface has `/v1` on every host not named; other paths go to `fallback`.

    Order of routing: the prefixes of the surfaces, the longest first, then `/v1` by host.
    """

    def __init__(self, surfaces: Iterable[Surface], fallback: App, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._held = 0  # bytes of bodies that are not whole yet
        self._fallback = fallback
        self._trusted = addresses.networks(self._limits.trusted_proxies)
        tables = {surface.name: _Table(surface) for surface in surfaces}
        self._default = next(iter(tables.values()))
        self._hosts = {host.lower(): tables[name] for host, name in self._limits.hosts.items() if name in tables}
        mounts = [(prefix, own, table) for table in tables.values() for prefix, own in table.surface.mounts.items()]
        self._mounts = sorted(mounts, key=lambda mount: len(mount[0]), reverse=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, in the words of its dialect."""
        found = self._locate(scope) if scope["type"] == "http" else None
        if found is None:
            await self._fallback(scope, receive, send)
            return
        began = time.perf_counter()
        table, path = found
        method = scope["method"]
        request = Request(scope, "GET" if method == "HEAD" else method, path, self._trusted)
        try:
            answer = await self._answer(table, request, receive)
        except _Gone:
            return
        await _respond(send, answer)
        table.count(answer.status, time.perf_counter() - began)

    def _locate(self, scope: Scope) -> tuple[_Table, str] | None:
        """The surface that a path belongs to, and the path below its root."""
        path: str = scope["path"].replace("\0", "")
        if "//" in path:
            path = _SLASHES.sub("/", path)
        if path.endswith("/"):
            path = path[:-1]
        if path.startswith("/v1/") or path == "/v1":
            return self._of_host(scope), path[3:]
        for prefix, own, table in self._mounts:
            if path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/"):
                return table, own + path[len(prefix) :]
        return None

    def _of_host(self, scope: Scope) -> _Table:
        if not self._hosts:
            return self._default
        host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1").lower()
        return self._hosts.get(re.sub(r":\d*$", "", host).rstrip("."), self._default)

    async def _answer(self, table: _Table, request: Request, receive: Receive) -> Answer:
        surface = table.surface
        route, request.variables = table.find(request.path)
        if route is None:
            return surface.fault(request, Fault.NOT_FOUND)
        request.route = route
        handler = route.handlers.get(request.method)
        if handler is None:
            return _with(surface.fault(request, Fault.METHOD), (ALLOW, route.allow.encode()))
        try:
            await self._read(request, receive, route.max_body or self._limits.max_body)
            return await handler(request)
        except values.Malformed:
            # A client that counts characters instead of bytes has left the end of its body in the connection.
            return _with(surface.fault(request, Fault.MALFORMED), close=True)
        except _TooLarge:
            return _with(surface.fault(request, Fault.TOO_LARGE), close=True)
        except _Gone:
            raise
        except Exception as error:
            report(surface.name, request.method, request.route.path if request.route else "", error)
            return surface.fault(request, Fault.INTERNAL)

    async def _read(self, request: Request, receive: Receive, limit: int) -> None:
        """Read the whole body. Raises Malformed for one cut short, _TooLarge, _Gone."""
        length = request.headers.get(b"content-length", b"")
        if length in {b"", b"0"} and b"transfer-encoding" not in request.headers:
            return
        if length.isdigit() and int(length) > limit:
            if b"expect" not in request.headers:
                await self._drain(receive, limit)
            raise _TooLarge
        chunks: list[bytes] = []
        try:
            async for chunk in self._chunks(receive, limit):
                chunks.append(chunk)
                self._held += len(chunk)
                if self._held > self._limits.held and sum(map(len, chunks)) > SMALL:
                    raise _TooLarge
        finally:
            self._held -= sum(map(len, chunks))
        request.body = b"".join(chunks)

    async def _chunks(self, receive: Receive, limit: int) -> Any:
        size, more = 0, True
        end = time.monotonic() + self._limits.longest
        while more:
            try:
                async with asyncio.timeout(min(self._limits.patience, end - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                raise values.Malformed from None
            if message["type"] == "http.disconnect":
                raise _Gone
            chunk, more = message.get("body", b""), message.get("more_body", False)
            size += len(chunk)
            if size > limit:
                raise _TooLarge
            yield chunk

    async def _drain(self, receive: Receive, limit: int) -> None:
        """Let most of a body pass: closing on unread bytes would reset the connection before the answer is read."""
        try:
            async for _ in self._chunks(receive, 8 * limit):
                pass
        except (_TooLarge, values.Malformed):
            return


def _with(answer: Answer, *headers: Header, close: bool = False) -> Answer:
    return Answer(answer.status, answer.body, answer.media, (*answer.headers, *headers), close)


async def _respond(send: Send, answer: Answer) -> None:
    headers: list[Header] = []
    if answer.media:
        headers.append((CONTENT_TYPE, answer.media))
    if answer.status != 204:
        headers.append((CONTENT_LENGTH, b"%d" % len(answer.body)))
    headers += answer.headers
    if answer.close:
        headers.append((CONNECTION, b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def report(surface: str, method: str, path: str, error: Exception) -> None:
    """Log where it broke and with which exception; neither its message nor the request: they hold texts and keys.

    `path`: of the route, with the names of its variables.
    """
    where = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-6:]]
    kind = type(error).__name__
    telemetry.log(telemetry.Event.REQUEST_FAILED, dialect=surface, path=path, method=method, error=kind, where=where)
