"""What the public pages share: templates, headers, and an answer in words to whatever goes wrong.

One rule: a page loads nothing but itself, and its style is allowed by its hash; what people wrote is escaped always.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader
from litestar import Litestar, MediaType, Request, Response
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from ..http import App, report

LARGEST = 64 * 1024  # octets of a form

_templates = Environment(
    loader=PackageLoader("passerelle.surfaces.pages"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_STYLE = _templates.get_template("style.css").render()
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_templates.globals.update(style_css=_STYLE)
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with none at all a browser hides the origin of our own form
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}


def page(name: str, status: int = 200, **values: Any) -> Response[str]:
    """A template as an answer."""
    html = _templates.get_template(name).render(**values)
    return Response(html, media_type=MediaType.HTML, status_code=status, headers=HEADERS)


def ready(root: str, handlers: Sequence[HTTPRouteHandler], dependencies: Mapping[str, Provide]) -> App:
    """The ASGI application of the pages below `root`."""
    return Litestar(  # type: ignore[return-value]
        handlers,
        path=root,
        dependencies=dict(dependencies),
        exception_handlers={Exception: _failed},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=LARGEST,
        debug=False,
    )


def _failed(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status >= 500:
        report("pages", request.method, request.url.path.rpartition("/")[0], error)  # what is last may be a secret
        return page("said.html", 500, title="Une erreur est survenue", text="Réessayez dans un moment.")
    if status in (404, 405):
        return page("said.html", 404, title="Cette page n'existe pas", text="Vérifiez l'adresse.")
    return page("said.html", status, title="Cette demande n'est pas valable", text="Revenez en arrière et réessayez.")
