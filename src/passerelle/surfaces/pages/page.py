"""What the public pages share: templates, headers, and an answer in words to whatever goes wrong.

One rule: a page loads nothing but itself, and its style is allowed by its hash; what people wrote is escaped always.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader
from litestar import Litestar, MediaType, Request, Response
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from ..http import PATIENCE, App, Message, Receive, Scope, Send, report
from . import words

LARGEST = 64 * 1024  # octets of a form

_templates = Environment(
    loader=PackageLoader("passerelle.surfaces.pages"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_templates.filters.update(typeset=words.typeset)


def inline(name: str) -> tuple[str, str]:
    """A style or a script that stands in a page: its text, and the source that allows it."""
    text = _templates.get_template(name).render()
    return text, f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_STYLE, _STYLE_SOURCE = inline("style.css")
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src {_STYLE_SOURCE}; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with none at all a browser hides the origin of our own form
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}


def language(request: Request[Any, Any, Any]) -> str:
    """What the visitor reads."""
    return words.language(request.headers.get("accept-language", ""))


def rendered(name: str, language: str, **values: Any) -> str:
    """A template as HTML."""
    told = words.WORDS[language]
    return _templates.get_template(name).render(language=language, words=told, style_css=_STYLE, **values)


def page(name: str, status: int = 200, language: str = words.PREFERRED, **values: Any) -> Response[str]:
    """A template as an answer."""
    html = rendered(name, language, **values)
    return Response(html, media_type=MediaType.HTML, status_code=status, headers=HEADERS)


def saying(what: str, language: str) -> str:
    """The HTML of a page that says one thing: the words `what` and `what_text`."""
    told = words.WORDS[language]
    return rendered("said.html", language, title=told[what], text=told[f"{what}_text"])


def said(what: str, status: int, language: str) -> Response[str]:
    """The same as an answer."""
    return Response(saying(what, language), media_type=MediaType.HTML, status_code=status, headers=HEADERS)


def is_own(request: Request[Any, Any, Any], hosts: frozenset[str] = frozenset()) -> bool:
    """Whether a page of ours sends this form, or no page at all; `hosts`: under which other names ours are known."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    if origin is None:
        return True
    try:
        named = urlsplit(origin).netloc
    except ValueError:
        return False
    return bool(named) and named in hosts | {request.headers.get("host", "")}


def ready(root: str, handlers: Sequence[HTTPRouteHandler], dependencies: Mapping[str, Provide]) -> App:
    """The ASGI application of the pages below `root`."""
    litestar = Litestar(
        handlers,
        path=root,
        dependencies=dict(dependencies),
        exception_handlers={Exception: _failed},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=LARGEST,
        debug=False,
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def soon() -> Message:
            try:
                async with asyncio.timeout(PATIENCE):
                    return await receive()
            except TimeoutError:  # a body that does not come
                return {"type": "http.disconnect"}

        await litestar(scope, soon, send)  # type: ignore[arg-type]

    return app


def _failed(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status >= 500:
        report("pages", request.method, request.url.path.rpartition("/")[0], error)  # what is last may be a secret
        return said("failed", 500, language(request))
    if status in (404, 405):
        return said("nowhere", 404, language(request))
    return said("invalid_request", status, language(request))
