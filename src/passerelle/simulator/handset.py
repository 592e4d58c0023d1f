"""The simulator in a browser: what each handset has on its screen, a box to reply, the magic numbers, the sink.

One rule: nothing that came over SMPP or HTTP is ever trusted: templates escape it, and the policy of the page runs no
script but its own.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from jinja2 import Environment, PackageLoader
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import ClientException, NotFoundException, PermissionDeniedException
from litestar.params import FromPath, FromQuery, JSONBody, URLEncodedBody
from litestar.response import Redirect
from markupsafe import Markup, escape

from passerelle.simulator.behaviours import ORDINARY, script_for, table
from passerelle.simulator.phone import correspondents
from passerelle.simulator.postbox import Postbox
from passerelle.simulator.rcs import ROOT, Rbm
from passerelle.simulator.rcs_behaviours import rcs_script_for, rcs_table
from passerelle.simulator.sink import Receive, Scope, Send, Sink
from passerelle.simulator.smsc import NobodyBound, Smsc

_NUMBER = re.compile(r"\+?\d{3,20}")
_LONGEST_REPLY = 1500  # characters


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pages show."""

    smsc: Smsc
    sink: Sink
    postbox: Postbox
    rbm: Rbm


class TapForm(msgspec.Struct):
    """A suggestion of an RCS message that is tapped: its messageId, and which of its suggestions."""

    name: str
    position: int


class ReplyForm(msgspec.Struct):
    """A text to send from a handset."""

    to: str
    text: str


# --- Templates ------------------------------------------------------------------------------------------------------


def pretty(number: str) -> str:
    """`+33 6 39 98 80 01` for 33639988001; other numbers with their plus only."""
    if len(number) == 11 and number.startswith("33"):
        return f"+33 {number[2]} " + " ".join(number[at : at + 2] for at in range(3, 11, 2))
    return f"+{number}" if number.isdecimal() and len(number) > 6 else number


def clock(at: float) -> str:
    """The hour of a moment, with its day unless that is today; in the zone of the machine."""
    moment = datetime.fromtimestamp(at)
    return moment.strftime("%H:%M" if moment.date() == datetime.now().date() else "%d/%m %H:%M")


def international(typed: str) -> str:
    """The digits of what a person typed, 0 and 00 prefixes as in France."""
    digits = re.sub(r"\D", "", typed)
    if digits.startswith("00"):
        return digits[2:]
    return "33" + digits[1:] if digits.startswith("0") else digits


_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")


def linked(text: str) -> Markup:
    """A plain text with its addresses to click on; everything else is escaped."""
    pieces, at = [], 0
    for found in _LINK.finditer(text):
        url = escape(found[0])
        pieces += [escape(text[at : found.start()]), Markup(f'<a href="{url}" rel="noreferrer">{url}</a>')]
        at = found.end()
    return Markup("").join([*pieces, escape(text[at:])])


_templates = Environment(
    loader=PackageLoader("passerelle.simulator", "pages"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_templates.filters.update(pretty=pretty, clock=clock, linked=linked)


def _inline(name: str) -> tuple[str, str]:
    """A file of the pages and its hash for the content security policy."""
    source = _templates.get_template(name).render()
    return source, "'sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode() + "'"


_STYLE, _STYLE_HASH = _inline("style.css")
_SCRIPT, _SCRIPT_HASH = _inline("live.js")
_templates.globals.update(style_css=_STYLE, live_js=_SCRIPT)
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src {_STYLE_HASH}; script-src {_SCRIPT_HASH}; "
    "img-src http: https:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with none at all a browser hides the origin of our own form
    "Cache-Control": "no-store",
}


def _page(name: str, status: int = 200, **values: Any) -> Response[str]:
    html = _templates.get_template(name).render(**values)
    return Response(html, media_type=MediaType.HTML, status_code=status, headers=HEADERS)


def _number(number: str) -> str:
    """The digits of a path segment; NotFoundException when it is no number."""
    if not _NUMBER.fullmatch(number):
        raise NotFoundException("no such number")
    return number.lstrip("+")


# --- Pages ----------------------------------------------------------------------------------------------------------


@get("/")
async def home(desk: NamedDependency[Desk], q: FromQuery[str] = "") -> Response[str]:
    """All handsets, and the magic numbers."""
    wanted = international(q)
    numbers = [(number, bubble, script_for(number)) for number, bubble in desk.smsc.phones.latest(wanted)]
    return _page(
        "home.html",
        numbers=numbers,
        search=q,
        wanted=wanted,
        stats=desk.smsc.stats(),
        magic=table(),
        rcs=rcs_table(),
        ordinary=ORDINARY,
    )


@get("/sink")
async def received(desk: NamedDependency[Desk]) -> Response[str]:
    """The requests that the sink got, newest first."""
    return _page("sink.html", hits=list(desk.sink.hits)[:-101:-1])


@get("/mails")
async def mails(desk: NamedDependency[Desk]) -> Response[str]:
    """The mails that were caught, newest first."""
    return _page("mails.html", letters=list(desk.postbox.letters)[::-1])


@get("/mails/{which:int}")
async def mail(desk: NamedDependency[Desk], which: FromPath[int]) -> Response[str]:
    """One of them."""
    letter = desk.postbox.find(which)
    if letter is None:
        raise NotFoundException("no such mail")
    return _page("mail.html", letter=letter)


@get("/{number:str}")
async def screen(desk: NamedDependency[Desk], number: FromPath[str]) -> Response[str]:
    """One handset."""
    return _screen(desk, _number(number))


@post("/{number:str}/reply")
async def reply(desk: NamedDependency[Desk], number: FromPath[str], data: URLEncodedBody[ReplyForm]) -> Response[Any]:
    """The box of a handset."""
    number = _number(number)
    try:
        _send(desk, number, data)
    except ClientException as error:
        return _screen(desk, number, error.detail, error.status_code, data)
    return Redirect(f"/{number}", status_code=303)


@post("/{number:str}/tap")
async def tap(desk: NamedDependency[Desk], number: FromPath[str], data: URLEncodedBody[TapForm]) -> Response[Any]:
    """A suggestion of an RCS message."""
    number = _number(number)
    if not desk.rbm.tap(number, data.name, data.position):
        return _screen(desk, number, "That message is forgotten: the simulator has been started anew.", 404)
    return Redirect(f"/{number}", status_code=303)


def _screen(
    desk: Desk, number: str, error: str = "", status: int = 200, draft: ReplyForm | None = None
) -> Response[str]:
    bubbles = desk.smsc.phones.bubbles(number)
    return _page(
        "phone.html",
        status,
        number=number,
        bubbles=bubbles,
        parties=correspondents(bubbles),
        script=script_for(number),
        rcs=rcs_script_for(number),
        ordinary=ORDINARY,
        error=error,
        draft=draft,
    )


def _send(desk: Desk, number: str, form: ReplyForm) -> int:
    """Text back; ClientException says why not."""
    to, text = form.to.strip(), form.text.replace("\r\n", "\n")
    if not 1 <= len(to) <= 64 or not len(text.strip()) >= 1 or len(text) > _LONGEST_REPLY:
        raise ClientException(f"A reply needs a recipient and a text of at most {_LONGEST_REPLY} characters.")
    if desk.rbm.say(number, to, text):
        return 1
    try:
        return desk.smsc.inject(number, to, text)
    except NobodyBound as error:
        raise ClientException("No program is connected to the simulator yet.", status_code=409) from error
    except ValueError as error:
        raise ClientException("SMPP cannot carry that recipient.") from error


# --- For programs ---------------------------------------------------------------------------------------------------


@get("/api/phones/{number:str}")
async def api_phone(desk: NamedDependency[Desk], number: FromPath[str]) -> dict[str, Any]:
    """The screen of a handset: `{number, script, texts: [{at, mine, party, text, parts, total}]}`, oldest first."""
    number = _number(number)
    return {"number": number, "script": script_for(number).name, "texts": desk.smsc.phones.bubbles(number)}


@post("/api/phones/{number:str}/reply")
async def api_reply(desk: NamedDependency[Desk], number: FromPath[str], data: JSONBody[ReplyForm]) -> dict[str, int]:
    """Send a text from a handset: `{parts}`."""
    return {"parts": _send(desk, _number(number), data)}


@get("/api/stats")
async def api_stats(desk: NamedDependency[Desk]) -> dict[str, int]:
    """The counts of the operator."""
    return desk.smsc.stats()


def _ours(request: Request[Any, Any, Any]) -> None:
    """Other sites may not write in the name of whoever looks at them, nor read what stands on a phone of ours."""
    if not _names_us(request.scope):
        raise PermissionDeniedException("unknown host")
    if request.method == "POST" and not _is_own(request):
        raise PermissionDeniedException("cross-site request")


def _is_own(request: Request[Any, Any, Any]) -> bool:
    """Whether a page of ours, or no page at all, sends it."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


def _names_us(scope: Any) -> bool:
    """A request over loopback names this machine; a name that somebody else's DNS leads to us is not ours."""
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").lower()
    name = urlsplit(f"//{host}").hostname or "" if host.count("[") == host.count("]") else host
    if not _is_loopback(str((scope.get("server") or ("",))[0])) or "." not in name or name.endswith(_LOCAL):
        return True
    return _is_loopback(name)


_LOCAL = (".localhost", ".local", ".internal", ".test")


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


@get("/api/mails")
async def api_mails(desk: NamedDependency[Desk]) -> list[dict[str, Any]]:
    """The mails, oldest first: `[{number, at, sender, recipients, subject, text}]`."""
    return [
        {name: getattr(one, name) for name in ("number", "at", "sender", "recipients", "subject", "text")}
        for one in desk.postbox.letters
    ]


def application(smsc: Smsc, sink: Sink, postbox: Postbox, rbm: Rbm) -> Callable[[Scope, Receive, Send], Any]:
    """The ASGI application: the pages, the sink under `/sink/...`, the provider of RCS under `/rcs/...`."""
    desk = Desk(smsc, sink, postbox, rbm)
    pages = Litestar(
        [home, received, mails, mail, screen, reply, tap, api_phone, api_reply, api_stats, api_mails],
        dependencies={"desk": Provide(lambda: desk, sync_to_thread=False)},
        before_request=_ours,
        openapi_config=None,
    )

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        is_sink = path.startswith("/sink/")
        if path.startswith(f"{ROOT}/"):
            await rbm(scope, receive, send)
        elif is_sink and (scope["method"] != "GET" or _names_us(scope)):
            await sink(scope, receive, send)
        else:
            await pages(scope, receive, send)  # type: ignore[arg-type]

    return route
