"""The native API as an ASGI application: routes, who may come in, how answers and problems leave. Made by a factory.

One rule: whatever is asked under `/api/v1` is answered with JSON of ours, errors of any kind included.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec
from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from ... import telemetry
from ...domain.scopes import covers
from ...pipeline.submit import Unavailable
from ...store.database import is_transient
from .. import addresses
from ..door import Barrier, Stopped
from ..http import HELD, LONGEST, PATIENCE, SMALL, App, Message, Receive, Scope, Send, report
from . import (
    account,
    campaign_figures,
    campaign_runs,
    campaigns,
    checks,
    contacts,
    events,
    explain,
    group_sends,
    imports,
    keys,
    ledger,
    messages,
    numbers,
    openapi,
    rcs,
    reading,
    rental,
    replies,
    statistics,
    stop_list,
    subaccounts,
    submissions,
    surveys,
    webhooks,
)
from .calls import ROOT, Caller, Download, Endpoint, Raw, Services
from .problems import MEDIA, OF_BARRIER, Problem

FAMILIES = (
    messages,
    submissions,
    rcs,
    explain,
    replies,
    stop_list,
    contacts,
    imports,
    group_sends,
    campaigns,
    campaign_runs,
    campaign_figures,
    account,
    ledger,
    statistics,
    keys,
    webhooks,
    events,
    rental,
    numbers,
    checks,
    subaccounts,
    surveys,
)
"""Modules whose `HANDLERS` are served, in the order of the documentation."""

NAME = "native"
JSON = "application/json"
LONGEST_IDEMPOTENCY_KEY = 255
AT_ONCE = 64 * 1024  # bytes of a body that are read in a few milliseconds

Asked = Request[Any, Any, Any]


def application(services: Services) -> App:
    """Everything under `/api/v1`."""
    endpoints = [one for family in FAMILIES for one in family.HANDLERS]
    handlers = [_handler(one.method, one.path, _answered(services, one)) for one in endpoints]
    told = openapi.document({family.__name__: family.HANDLERS for family in FAMILIES}, _words(FAMILIES))
    handlers += [_handler("GET", path, _still(answer)) for path, answer in openapi.pages(told).items()]
    litestar = Litestar(
        handlers,
        exception_handlers={Exception: _failed},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=services.settings.max_body,
        debug=False,
    )
    return _Front(litestar, endpoints)


def _words(families: tuple[Any, ...]) -> Mapping[str, str]:
    return {family.__name__: family.__doc__ or "" for family in families}


def _handler(method: str, path: str, answer: Callable[[Asked], Any]) -> HTTPRouteHandler:
    typed = ROOT + path.replace("}", ":str}")
    return HTTPRouteHandler(typed, http_method=method, status_code=200)(answer)  # type: ignore[arg-type]


def _still(page: openapi.StillPage) -> Callable[[Asked], Any]:
    async def answer(request: Asked) -> Response[bytes]:
        return Response(page.content, media_type=page.media, headers=dict(page.headers))

    return answer


# --- a call ----------------------------------------------------------------------------------------------------------


def _answered(services: Services, endpoint: Endpoint) -> Callable[[Asked], Any]:
    """Who calls, what is asked, the work, the answer."""

    async def answer(request: Asked) -> Response[bytes]:
        request.state.path = endpoint.path
        caller = await _admitted(services, endpoint, request)
        arguments = await _arguments(services, endpoint, request, caller)
        return _worded(endpoint, await endpoint.work(**arguments), _headers(request))

    return answer


async def _admitted(services: Services, endpoint: Endpoint, request: Asked) -> Caller:
    """Key, account, address, state, rate, scope: in this order. Raises Problem."""
    scheme, _, whole = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not whole.strip():
        raise _stopped(Stopped(Barrier.KEY_MISSING))
    key = await services.keys.find(whole.strip(), services.clock.now())
    found = None if key is None else await services.accounts.by_id(key.account_id)
    if key is None or found is None:
        raise _stopped(Stopped(Barrier.KEY_UNKNOWN))
    entered = await services.door.admit(found, _address(services, request))
    if isinstance(entered, Stopped):
        raise _stopped(entered)
    request.state.limit = entered.headers
    if not covers(key.scopes, endpoint.scope):
        raise Problem("scope", f"This call needs the scope `{endpoint.scope}`: make a key that has it.")
    path = request.scope["path"] + (f"?{query}" if (query := request.scope["query_string"].decode("latin-1")) else "")
    return Caller(entered.account, key, path, _idempotency_key(endpoint, request))


def _stopped(stopped: Stopped) -> Problem:
    slug, detail = OF_BARRIER[stopped.barrier]
    told = [(name.decode(), value.decode()) for name, value in stopped.headers]
    if stopped.barrier in (Barrier.KEY_MISSING, Barrier.KEY_UNKNOWN):
        told.append(("WWW-Authenticate", 'Bearer realm="Passerelle"'))
    return Problem(slug, detail, headers=told)


def _address(services: Services, request: Asked) -> str:
    client = request.scope.get("client")
    forwarded = [value for name, value in request.scope["headers"] if name == b"x-forwarded-for"]
    trusted = addresses.networks(tuple(services.settings.trusted_proxies))
    return addresses.client(client[0] if client else "", forwarded, trusted)


def _idempotency_key(endpoint: Endpoint, request: Asked) -> str:
    given = request.headers.get("idempotency-key", "") if endpoint.idempotent else ""
    if len(given) > LONGEST_IDEMPOTENCY_KEY or not given.isprintable():
        raise Problem("invalid", f"An Idempotency-Key has at most {LONGEST_IDEMPOTENCY_KEY} printable characters.")
    return given


async def _arguments(services: Services, endpoint: Endpoint, request: Asked, caller: Caller) -> dict[str, Any]:
    given: dict[str, Any] = {"services": services, "caller": caller}
    given |= reading.variables(request.path_params, endpoint.variables)
    asked = [(name, value) for name, value in request.query_params.multi_items()]
    given["query"] = reading.query(asked, endpoint.query or reading.Nothing)
    if endpoint.body is not None:
        raw = await request.body()
        read = (request.headers.get("content-type", ""), raw, endpoint.body)
        large = len(raw) > AT_ONCE and endpoint.body is not bytes
        given["body"] = await asyncio.to_thread(reading.body, *read) if large else reading.body(*read)
        given["caller"] = replace(caller, raw=raw)
    return {name: given[name] for name in endpoint.arguments}


def _headers(request: Asked) -> dict[str, str]:
    """Of the rate limit, and what every answer has."""
    told = {name.decode(): value.decode() for name, value in getattr(request.state, "limit", ())}
    return told | {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def _worded(endpoint: Endpoint, result: Any, headers: dict[str, str]) -> Response[bytes]:
    if result is None:
        return Response(b"", status_code=204, media_type="", headers=headers)
    if isinstance(result, Raw):
        return Response(result.content, status_code=result.status, media_type=JSON, headers=headers)
    if isinstance(result, Download):
        headers["Content-Disposition"] = f'attachment; filename="{result.filename}"'
        return Response(result.content, media_type=result.media, headers=headers)
    return Response(msgspec.json.encode(result), status_code=endpoint.status, media_type=JSON, headers=headers)


# --- what goes wrong -------------------------------------------------------------------------------------------------

_OF_STATUS = {
    400: ("malformed", "The request cannot be read."),
    404: ("not-found", f"There is nothing at this path: {ROOT}/docs tells what there is."),
    405: ("method", "The header `Allow` says which methods there are."),
    413: ("too-large", "Send less at a time."),
}


def _failed(request: Asked, error: Exception) -> Response[bytes]:
    """The problem of an exception."""
    problem = error if isinstance(error, Problem) else _problem(request, error)
    headers = _headers(request) | dict(problem.headers)
    return Response(problem.encoded(), status_code=problem.status, media_type=MEDIA, headers=headers)


def _problem(request: Asked, error: Exception) -> Problem:
    if isinstance(error, HTTPException) and error.status_code in _OF_STATUS:
        return Problem(*_OF_STATUS[error.status_code], headers=list((error.headers or {}).items()))
    if isinstance(error, Unavailable) or is_transient(error):
        detail = "The database is away for a moment: repeat the request, with the same Idempotency-Key if it sends."
        return Problem("unavailable", detail, headers=[("Retry-After", "1")])
    report(NAME, request.method, getattr(request.state, "path", ""), error)
    return Problem("internal", "It is not your fault, and it is in the log: repeat it, and tell the operator.")


class _Front:
    """Before the framework: HEAD reads as GET, a body has to come in time and into the memory, answers are counted."""

    def __init__(self, inner: Any, endpoints: list[Endpoint]) -> None:
        self._inner = inner
        self._seconds = telemetry.REQUEST_SECONDS.labels(NAME)
        self._held = 0  # bytes of bodies that are not whole yet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        began, is_head = time.monotonic(), scope["method"] == "HEAD"
        own = 0

        async def bounded() -> Message:
            nonlocal own
            message = await _timely(receive, began + LONGEST - time.monotonic())
            size = len(message.get("body", b""))
            own, self._held = own + size, self._held + size
            if not message.get("more_body"):
                self._held, own = self._held - own, 0
            elif self._held > HELD and own > SMALL:
                told = "Too many large bodies are on their way: send less at a time, or repeat it in a moment."
                raise Problem("too-large", told, headers=[("Connection", "close")])
            return message

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                telemetry.REQUESTS.labels(NAME, str(message["status"])).inc()
                self._seconds.observe(time.monotonic() - began)
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._inner({**scope, "method": "GET"} if is_head else scope, bounded, counted)
        finally:
            self._held -= own


async def _timely(receive: Receive, left: float) -> Message:
    """The next piece of a body. Raises Problem."""
    try:
        async with asyncio.timeout(min(PATIENCE, left)):
            return await receive()
    except TimeoutError:
        late = "Send the whole body at once, and as long as its Content-Length says."
        raise Problem("timeout", late, headers=[("Connection", "close")]) from None
