"""Number checks (contract 11): asked of a home location register for money, or looked at for nothing.

One rule: the stop list plays no part, as nothing is sent to anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...domain import lookup as looking
from ...domain import numbers
from ...domain.numbers import Number
from ...pipeline.batch import Replayed
from ...pipeline.verifications import Check, Once, Short, Unpriced, accept, campaign_id
from ...store.verifications import Verification
from ..door import Rate, idempotency_key
from ..http import Answer, worded
from . import codes, sending, wire, xml
from .calls import POST, Call, Entry, Services
from .reading import MOST_RECIPIENTS, Members, tag_faults, url_of
from .wire import Reply

PATH = "/hlr/notify"
CALLS_A_MINUTE = 360
_BETWEEN = frozenset(";|/\r\n")
NO_COMMAS = "Les numéros doivent être séparés par des virgules"
UNREADABLE = "Le numéro de téléphone est vide ou n'est pas valide."


async def notify(services: Services, call: Call) -> Reply | Answer:
    """POST `hlr/notify`: charged at once; what is found goes to `notifyUrl`, number by number."""
    pieces = call.members.phones("phoneNumbers")
    if fault := _list_fault(pieces):
        return fault
    tag = call.members.text("tag")
    url, faults = _options(call.members, tag)
    if faults:
        return wire.constraints(faults)
    read = _readable(pieces)
    if not read:
        return _nobody(pieces)
    check = Check(list(read.values()), tag, url)
    done = await accept(services.db, call.account, check, services.clock.now(), _once(call))
    if isinstance(done, Verification):
        return _accepted(done)
    if isinstance(done, Unpriced):
        return wire.simple(13, n=done.e164)
    if isinstance(done, Replayed):
        return Answer(done.status, done.answer, xml.MEDIA if call.is_xml else wire.MEDIA_JSON)
    return wire.simple(11 if isinstance(done, Short) else 409)


def _list_fault(pieces: Sequence[str]) -> Reply | None:
    """What is wrong with a list of numbers, whatever they are."""
    if not pieces:
        return wire.simple(2)
    if any(_BETWEEN.intersection(piece) for piece in pieces):
        return wire.simple(3, NO_COMMAS)
    return wire.simple(50) if len(pieces) > MOST_RECIPIENTS else None


def _options(members: Members, tag: str) -> tuple[str, list[tuple[str, str]]]:
    found = tag_faults(tag)
    url = url_of(members, "notifyUrl", found)
    violated = ((codes.CONSTRAINT_OF[finding.reason], finding.subject) for finding in found)
    return url, [(member.replace("{n}", subject), text) for (member, text), subject in violated]


def _readable(pieces: Iterable[str]) -> dict[str, Number]:
    """The numbers, each once, in order."""
    read = (numbers.normalise(piece) for piece in pieces)
    return {number.e164: number for number in read if number is not None}


def _nobody(pieces: Sequence[str]) -> Reply:
    """Code 55: not one can be read."""
    errors = [wire.simple(9, n=piece) | {"code": "9", "phoneNumber": piece} for piece in pieces]
    return wire.simple(codes.NOBODY, n=", ".join(pieces)) | {"errors": errors}


def _accepted(done: Verification) -> Reply:
    return {
        "success": True,
        "code": 200,
        "campaign_id": campaign_id(done.number),
        "number": done.numbers,
        "cost": wire.money(done.cost),
        "currency": "EUR",
    }


def _once(call: Call) -> Once | None:
    key = idempotency_key(call.request)
    if not key:
        return None

    def render(done: Verification) -> tuple[int, bytes]:
        return 200, wire.encode(_accepted(done), call.is_xml)

    return Once(sending.PATH + PATH, key, sending.asked_hash(call), render)


async def lookup(services: Services, call: Call) -> Reply:
    """POST `lookup`: a row for each piece, in order, repeats included."""
    pieces = call.members.phones("phoneNumbers")
    if fault := _list_fault(pieces):
        return fault
    return await worded(lambda each: {"success": True, "code": 200, "lookup": [_row(one) for one in each]}, pieces)


def _row(piece: str) -> Reply:
    found = looking.look_up(piece)
    if found is None:
        return {"request": piece, "success": False, "message": UNREADABLE}
    return {
        "request": piece,
        "success": True,
        "countryCode": found.name,
        "prefixCode": found.prefix,
        "phoneNumber": found.e164,
        "type": found.kind,
        "network": "",  # the tables of libphonenumber that we have name no carriers
        "format": {
            "e164": found.e164,
            "international": found.international,
            "national": found.national,
            "rfc3966": found.rfc3966,
        },
    }


ENTRIES = (
    Entry(PATH, notify, POST, rate=Rate("hlr/notify", CALLS_A_MINUTE)),
    Entry("/lookup", lookup, POST, rate=Rate("lookup", CALLS_A_MINUTE)),
)
