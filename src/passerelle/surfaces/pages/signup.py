"""The page behind the link of an invitation: who invites, a form, and what became of it.

One rule: the link is the right to use it, so it leaves this page for nowhere: no referrer, no foreign content, nothing
kept by the browser; looking at it changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, URLEncodedBody

from ...clock import Clock
from ...pipeline import signup
from ...pipeline.signup import LONGEST, SHORTEST, Field, Given, Invited, Standing
from ...store.database import Database
from ..http import App
from .page import is_own, page, ready

ROOT = "/signup"
TEXTS = {
    Field.FIRSTNAME: "Indiquez votre prénom.",
    Field.LASTNAME: "Indiquez votre nom.",
    Field.MOBILE: "Ce numéro n'est pas celui d'un mobile.",
    Field.PASSWORD: f"Le mot de passe doit compter de {SHORTEST} à {LONGEST} caractères.",
}
ENDED = {
    Standing.USED: (410, "Ce lien a déjà servi", "Le compte est activé : il n'y a plus rien à faire ici."),
    Standing.OVER: (
        410,
        "Ce lien n'est plus valable",
        "Demandez une nouvelle invitation à la personne qui vous l'a envoyé.",
    ),
    Standing.UNKNOWN: (
        404,
        "Ce lien ne mène nulle part",
        "Vérifiez qu'il est complet, tel qu'il figure dans le message.",
    ),
}


@dataclass(frozen=True, slots=True)
class Desk:
    """What the page works with. `hosts`: under which names a form of ours may be sent."""

    db: Database
    clock: Clock
    hosts: frozenset[str]


class Form(msgspec.Struct):
    """What is filled in."""

    firstname: str = ""
    lastname: str = ""
    mobile: str = ""
    password: str = ""

    def given(self) -> Given:
        """Without what no database keeps."""
        return Given(*(text.replace("\0", "") for text in (self.firstname, self.lastname, self.mobile, self.password)))


@get("/{token:str}")
async def show(desk: NamedDependency[Desk], token: FromPath[str]) -> Response[str]:
    """The invitation."""
    invited = await signup.look(desk.db, token, desk.clock.now())
    if invited.standing is not Standing.OPEN:
        return _ended(invited.standing)
    return _form(invited, Given(invited.firstname, invited.lastname, "", ""), set())


@post("/{token:str}")
async def accept(
    request: Request[Any, Any, Any],
    desk: NamedDependency[Desk],
    token: FromPath[str],
    data: URLEncodedBody[Form],
) -> Response[str]:
    """The form, filled in."""
    if not is_own(request, desk.hosts):
        return page("said.html", 403, title="Refusé", text="Ce formulaire n'a pas été envoyé depuis cette page.")
    given, now = data.given(), desk.clock.now()
    invited = await signup.look(desk.db, token, now)
    if invited.standing is not Standing.OPEN:
        return _ended(invited.standing)
    if wrong := signup.faults(given):
        return _form(invited, given, wrong, 422)
    standing = await signup.accept(desk.db, token, given, now)
    if standing is not Standing.OPEN:
        return _ended(standing)
    return page("said.html", title="Votre compte est activé", text=f"Bienvenue, {given.firstname.strip()}.")


def _form(invited: Invited, given: Given, wrong: set[Field], status: int = 200) -> Response[str]:
    said = {field.value: TEXTS[field] for field in wrong}
    return page("signup.html", status, invited=invited, given=given, wrong=said, shortest=SHORTEST, longest=LONGEST)


def _ended(standing: Standing) -> Response[str]:
    status, title, text = ENDED[standing]
    return page("said.html", status, title=title, text=text)


def application(db: Database, clock: Clock, site: str) -> App:
    """The ASGI application of these pages; `site`: what the links begin with."""
    desk = Desk(db, clock, frozenset({urlsplit(site).netloc}))
    return ready(ROOT, [show, accept], {"desk": Provide(lambda: desk, sync_to_thread=False)})
