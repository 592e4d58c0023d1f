"""Credits, sends and their cancelling (contract 4, 5).

One rule: a send comes in on a cached account; `Submitter` looks at the account again before it refuses for good.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from ...domain import pricing
from ...domain.account import Account
from ...domain.admission import Wanted
from ...domain.message import Dialect
from ...domain.pricing import Service
from ...domain.profile import SMSPARTNER
from ...pipeline.cancel import CancelVerdict, cancel
from ...pipeline.submit import Accepted, Beside, Idempotency, KeyReused, Refused, Replayed
from ...store import statistics
from ..door import body_hash, idempotency_key, of_state
from ..http import Answer
from . import codes, wire, xml
from .calls import GET, POST, REMOVALS, Call, Entry, Services
from .reading import is_bulk, number_of, parse_send
from .wire import Reply

PATH = "/smspartner/v1"


async def me(services: Services, call: Call) -> Reply:
    """GET `me`: from the live balance."""
    account = call.account
    balance = pricing.text(account.balance)
    credits = {
        "creditSms": _affordable(account, Service.PREMIUM),
        "creditSmsECO": _affordable(account, Service.ECO),
        "creditHlr": _affordable(account, Service.HLR),
        "toSend": await statistics.waiting_parts(services.db, account.id, Dialect.SMSPARTNER),
        "solde": balance,
        "currency": "EUR",
        "balance": balance,
    }
    if account.rules.legacy_lowcost and not call.is_xml:
        credits["creditSmsLowCost"] = credits["creditSmsECO"]
    user = xml.Named(username=account.email, firstname=account.firstname, lastname=account.lastname)
    return {"success": True, "code": 200, "user": user, "credits": credits}


def _affordable(account: Account, service: Service) -> int:
    """How many the balance pays for, at the French price."""
    price = account.price(service, "FR")
    return account.balance // price if price else 0


async def send(services: Services, call: Call, *, bulk: bool = False) -> Reply | Answer:
    """POST `send`, and `bulk-send` for a text for each recipient."""
    bulk = bulk or is_bulk(call.members)
    wanted = parse_send(call.members, services.clock.now(), bulk=bulk)
    return await submit(services, call, wanted, bulk_sent if bulk else sent)


async def submit(
    services: Services,
    call: Call,
    wanted: Wanted,
    word: Callable[[Accepted], Reply],
    beside: Beside | None = None,
    member: str = "phoneNumbers",
) -> Reply | Answer:
    """Any call that sends: judged, stored once where there is an Idempotency-Key, and answered in the words given.

    `member`: what the call calls its list of numbers.
    """
    idempotency = _idempotency(call, word)
    result = await services.submitter.accept(call.account, wanted, SMSPARTNER, idempotency, beside)
    if isinstance(result, Accepted):
        return word(result)
    if isinstance(result, Refused):
        return wire.refused(wanted, result.findings, result.dropped, call.account, member)
    if isinstance(result, Replayed):
        return Answer(result.status, result.answer, xml.MEDIA if call.is_xml else wire.MEDIA_JSON)
    if isinstance(result, KeyReused):
        return wire.simple(409)
    barrier = of_state(result.state)
    return wire.simple(codes.OF_BARRIER[barrier] if barrier else 10)


def sent(accepted: Accepted) -> Reply:
    """The answer of `send` and of the calls like it."""
    return wire.sent(accepted.number, accepted.kept, accepted.cost, _due_at(accepted))


def bulk_sent(accepted: Accepted) -> Reply:
    """The answer of `bulk-send`."""
    return wire.bulk_sent(accepted.number, accepted.kept, accepted.dropped, accepted.cost, _due_at(accepted))


def _due_at(accepted: Accepted) -> datetime | None:
    return accepted.submission.due_at if accepted.submission.scheduled else None


def _idempotency(call: Call, word: Callable[[Accepted], Reply]) -> Idempotency | None:
    key = idempotency_key(call.request)
    if not key:
        return None

    def render(accepted: Accepted) -> tuple[int, bytes]:
        return 200, wire.encode(word(accepted), call.is_xml)

    return Idempotency(PATH + call.request.path, key, asked_hash(call), render)


def asked_hash(call: Call) -> bytes:
    """What an Idempotency-Key stands for: the body, the format and the rest of the query."""
    asked = [f"{name}={value}" for name, value in sorted(call.request.query.items()) if name.lower() != "apikey"]
    return body_hash(call.request, str(call.is_xml), *asked)


_CANCEL_FAULTS = {
    CancelVerdict.UNKNOWN: (4, ""),
    CancelVerdict.ALREADY: (5, "L'envoi a déjà été annulé"),
    CancelVerdict.SENT: (7, "Le SMS a déjà été envoyé"),
    CancelVerdict.TOO_LATE: (6, "Annulation impossible moins de 5 minutes avant l'envoi"),
}


async def message_cancel(services: Services, call: Call) -> Reply:
    """GET `message-cancel`: the whole request, and its cost comes back."""
    given = call.request.variables.get("messageId") or call.members.scalar("messageId")
    if given is None:
        return wire.simple(3, "L'identifiant du message est requis")
    number = number_of(given)
    if number is None:
        return wire.simple(4)
    now = services.clock.now()
    verdict = await cancel(services.db, call.account.id, Dialect.SMSPARTNER, number, now)
    if verdict is CancelVerdict.CANCELLED:
        return {"success": True, "code": 200, "message": "L'envoi du SMS a été annulé."}
    return wire.simple(*_CANCEL_FAULTS[verdict])


ENTRIES = (
    Entry("/send", send, POST, cached=True),
    Entry("/bulk-send", partial(send, bulk=True), POST, cached=True),
    Entry("/me", me, GET),
    Entry("/message-cancel", message_cancel, REMOVALS),
    Entry("/message-cancel/{messageId}", message_cancel, REMOVALS),
)
