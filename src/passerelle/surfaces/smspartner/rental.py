"""Renting contacts (contract 12): target, price, rent; status; the file.

One rule: an empty `interest`, `subInterest` or `category` counts as present here, and is a fault of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ...domain import pricing
from ...domain.rental import OLDEST, YOUNGEST, Criteria, Fault, Sex, Share, State, Volume, names, volumes_of
from ...domain.tokens import read20, text20
from ...domain.urls import is_http
from ...pipeline import rental
from ...pipeline.rental import Busy, Offer
from ...store import rental as store
from ...store.rental import Rental
from .. import values
from ..http import worded
from . import wire
from .calls import GET, POST, Call, Entry, Services
from .notifications import RENTAL_WORDS
from .reading import Members
from .wire import Reply

TEXTS = {
    3: "Les paramètres sont requis",
    4: "op est requis",
    5: "urlNotification n'est pas une URL valide",
    6: "op n'est pas autorisé",
    7: "sexe est requis",
    8: "sexe doit valoir m, h ou f",
    9: "minAge est requis",
    11: "Crédit insuffisant",
    12: "minAge doit être supérieur à 17",
    13: "maxAge est requis",
    14: "maxAge doit être inférieur à 99",
    15: "interest doit être supérieur à 0",
    16: "interest est vide",
    17: "subInterest est vide",
    18: "subInterest doit être supérieur à 0",
    19: "interest ou subInterest est requis",
    22: "category est vide",
    23: "category doit être supérieur à 0",
    24: "Type est requis",
    25: "Localite est requis",
    26: "Volume est requis",
    27: "Le volume demandé dépasse le volume disponible",
    28: "Le volume demandé dépasse le total",
    31: "token est requis",
    32: "Location introuvable",
    33: "Fichier introuvable",
    34: "Fichier déjà utilisé",
    35: "Fichier en cours de téléchargement",
    36: "La location a échoué",
    61: "Requête invalide ou sans résultat",
}
_OPS = frozenset({"calcul", "price", "rent"})
MOST_PLACES = 10_000
_SEXES = {"m": tuple(Sex), "h": (Sex.MAN,), "f": (Sex.WOMAN,)}
_SEX_WORDS = {tuple(Sex): "mixte", (Sex.MAN,): "homme", (Sex.WOMAN,): "femme"}
_CODES = {
    Fault.NOBODY: 61,
    Fault.TYPE_MISSING: 24,
    Fault.PLACE_MISSING: 25,
    Fault.VOLUME_MISSING: 26,
    Fault.MORE_THAN_THERE: 27,
    Fault.MORE_THAN_ALL: 28,
    Fault.CREDIT: 11,
}


def _fault(code: int) -> Reply:
    return wire.simple(code, TEXTS[code])


# --- what is asked for ---------------------------------------------------------------------------------------------


class _Parameters:
    """The members of `parameters`, where '' is a value."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._exact = given
        self._loose = {name.lower(): value for name, value in given.items()}

    def get(self, name: str) -> Any:
        """A scalar as written; None where it is absent."""
        value = self._exact[name] if self._exact.get(name) is not None else self._loose.get(name.lower())
        return None if isinstance(value, list | dict) else value

    def number(self, name: str) -> int | None:
        """A whole number; None for what is none."""
        return values.integer(self.get(name))

    def listed(self, name: str) -> tuple[str, ...]:
        """Names separated by commas, or as an array."""
        value = self._loose.get(name.lower())
        return names(",".join(map(values.text, value)) if isinstance(value, list) else values.text(value))


def parse(members: Members) -> Criteria | int:
    """Whom `location/optin` looks for, or the code of the first fault; the contract's order of checks."""
    given = members.get("parameters")
    parameters = _Parameters(given if isinstance(given, dict) else {})
    is_there = isinstance(given, dict)
    return next(_faults(members, parameters, is_there), None) or _criteria(parameters)


def _faults(members: Members, parameters: _Parameters, is_there: bool) -> Iterator[int]:
    op = _op(members)
    if not is_there:
        yield 3
    if not op:
        yield 4
    if op not in _OPS:
        yield 6
    yield from _who_faults(parameters)
    yield from _taste_faults(parameters)
    url = members.text("urlNotification").strip()
    if members.get("urlNotification") is not None and not (url and is_http(url)):
        yield 5
    if sum(len(parameters.listed(name)) for name in ("department", "zipcode")) > MOST_PLACES:
        yield 61


def _op(members: Members) -> str:
    return members.text("op").strip().lower()


def _who_faults(parameters: _Parameters) -> Iterator[int]:
    sex = values.text(parameters.get("sexe")).strip().lower()
    if not sex:
        yield 7
    if sex not in _SEXES:
        yield 8
    if parameters.get("minAge") in (None, ""):
        yield 9
    if (parameters.number("minAge") or 0) < YOUNGEST:
        yield 12
    if parameters.get("maxAge") in (None, ""):
        yield 13
    oldest = parameters.number("maxAge")
    if oldest is None or oldest > OLDEST:
        yield 14


def _taste_faults(parameters: _Parameters) -> Iterator[int]:
    interest, sub_interest = (parameters.get(name) for name in ("interest", "subInterest"))
    yield from _present_faults(parameters, "interest", 16, 15)
    yield from _present_faults(parameters, "subInterest", 17, 18)
    if interest is None and sub_interest is None:
        yield 19
    yield from _present_faults(parameters, "category", 22, 23)


def _present_faults(parameters: _Parameters, name: str, empty: int, too_small: int) -> Iterator[int]:
    value = parameters.get(name)
    if value == "":
        yield empty
    if value is not None and (values.integer(value) or 0) <= 0:
        yield too_small


def _criteria(parameters: _Parameters) -> Criteria:
    return Criteria(
        min_age=parameters.number("minAge") or 0,
        max_age=parameters.number("maxAge") or 0,
        sexes=_SEXES[values.text(parameters.get("sexe")).strip().lower()],
        interest=parameters.number("interest") or 0,
        sub_interest=parameters.number("subInterest") or 0,
        category=parameters.number("category") or 0,
        departments=parameters.listed("department"),
        zipcodes=parameters.listed("zipcode"),
    )


# --- location/optin ------------------------------------------------------------------------------------------------


async def optin(services: Services, call: Call) -> Reply:
    """POST `location/optin`: `calcul` counts, `price` says what the chosen volumes cost, `rent` rents them."""
    criteria = parse(call.members)
    if isinstance(criteria, int):
        return _fault(criteria)
    now, op = services.clock.now(), _op(call.members)
    given = call.members.get("volumes") if op != "calcul" else None
    volumes = None if given is None or given in ([], {}) else volumes_of(given)
    if op == "rent":
        return await _rent(services, call, criteria, Fault.VOLUME_MISSING if volumes is None else volumes, now)
    found = await rental.offer(services.db, call.account, criteria, volumes, now)
    return _fault(_CODES[found]) if isinstance(found, Fault) else _offered(op, found)


async def _rent(
    services: Services, call: Call, criteria: Criteria, volumes: list[Volume] | Fault, now: datetime
) -> Reply:
    url = call.members.text("urlNotification").strip()
    done = await rental.rent(services.db, call.account, criteria, volumes, now, url)
    if isinstance(done, Fault):
        return _fault(_CODES[done])
    return _offered("rent", done.offer) | {"token": text20(done.token)}


def _offered(op: str, found: Offer) -> Reply:
    cost = found.cost
    rows = [_row(share) for share in found.shares]
    return {
        "success": True,
        "op": op,
        "datas": [*rows, {"Type": "total", "Localite": "total", "Volume": cost.quantity}],
        "cost": {"quantity": cost.quantity, "total": wire.money(cost.total), "cost_unity": wire.money(cost.unit)},
    }


def _row(share: Share) -> Reply:
    return {"Type": share.place.type.value, "Localite": share.place.name, "Volume": share.wanted}


# --- location/status, location/file/download -----------------------------------------------------------------------


async def _asked(services: Services, call: Call) -> Rental | int:
    """The rental that is named, or the code of what is wrong."""
    written = call.members.text("token").strip()
    if not written:
        return 31
    token = read20(written)
    if token is None:
        return 32
    async with services.db.connection() as connection:
        return await store.find(connection, call.account.id, token) or 32


async def status(services: Services, call: Call) -> Reply:
    """GET `location/status`."""
    found = await _asked(services, call)
    if isinstance(found, int):
        return _fault(found)
    is_made = found.state in (State.READY, State.DOWNLOADED)
    return {
        "success": True,
        "token": text20(found.token),
        "status": RENTAL_WORDS[found.state],
        "location": _location(found),
        "file": {"phoneNumbers": str(found.quantity if is_made else 0)},
    }


def _location(found: Rental) -> Reply:
    who = found.criteria
    written: Reply = {"sexe": _SEX_WORDS[who.sexes], "minAge": who.min_age, "maxAge": who.max_age}
    optional: Reply = {
        "department": ",".join(who.departments),
        "zipcode": ",".join(who.zipcodes),
        "interest": str(who.interest or ""),
        "subInterest": str(who.sub_interest or ""),
        "category": who.category,
    }
    written |= {name: value for name, value in optional.items() if value}
    written["details_localisation"] = [
        {"Type": type_.lower(), "Location": name, "VolumeDesired": str(wanted), "Volume": str(available)}
        for type_, name, wanted, available in found.places
    ]
    unit, total = pricing.text(found.unit_price), pricing.text(found.total)
    return written | {"cost": {"quantity": found.quantity, "total": total, "cost_unity": unit}}


_NOT_NOW = {
    State.FAILED: 36,
    State.REQUESTED: 33,
    State.GENERATING: 33,
    State.DOWNLOADED: 34,
}


async def download(services: Services, call: Call) -> Reply:
    """GET `location/file/download`: once."""
    found = await _asked(services, call)
    if isinstance(found, int):
        return _fault(found)
    if found.state in (State.FAILED, State.REQUESTED, State.GENERATING):
        return _fault(_NOT_NOW[found.state])
    phones = await rental.download(services.db, found, services.clock.now())
    if isinstance(phones, Busy):
        return _fault(35)
    if isinstance(phones, State):
        return _fault(_NOT_NOW[phones])
    return await worded(lambda numbers: _file(found, numbers), phones)


def _file(found: Rental, phones: list[int]) -> Reply:
    return {
        "success": True,
        "code": 200,
        "token": text20(found.token),
        "phoneNumbers": [f"+{phone}" for phone in phones],
    }


ENTRIES = (
    Entry("/location/optin", optin, POST),
    Entry("/location/status", status, GET),
    Entry("/location/file/download", download, GET),
)
