"""Number checks: ask the network whether somebody has a number, or look at a number without asking anybody.

One rule: a check is charged when it is accepted; a number that nobody could be asked about is given back.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...domain.hlr import error_of
from ...domain.lookup import look_up
from ...domain.numbers import normalise
from ...domain.urls import is_http
from ...pipeline.batch import KeyReused, Replayed
from ...pipeline.verifications import Check as Wanted
from ...pipeline.verifications import Once, Short, Unpriced, accept
from ...store import verifications as store
from ...store.verifications import Result, Verification
from . import shapes
from .calls import Caller, Raw, Services, endpoint
from .problems import Fault, Problem, invalid, missing

MOST = 500
Written = Annotated[str, Meta(max_length=40)]
Listed = Annotated[list[Written], Meta(min_length=1, max_length=MOST, examples=[["+33639980001", "0639980002"]])]


class Numbers(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Telephone numbers as people write them."""

    numbers: Listed


class Order(Numbers, kw_only=True, forbid_unknown_fields=True):
    """Numbers to be asked about; repeats are asked about once."""

    tag: Annotated[str, Meta(max_length=64, description="To find it again.")] = ""
    callback_url: Annotated[
        str, Meta(description="Where each result is posted, in the words of SMS Partner's `notifyUrl`.")
    ] = ""


class Check(msgspec.Struct, kw_only=True):
    """An accepted check."""

    id: shapes.Id
    at: datetime
    tag: str
    callback_url: str
    numbers: int
    price: shapes.Money


class Answer(msgspec.Struct, kw_only=True):
    """What is known of a number; `error` null: not answered yet."""

    phone: shapes.Phone
    reference: Annotated[str, Meta(description="A UUID, the one that is posted.")]
    price: shapes.Money
    refunded: Annotated[bool, Meta(description="Nobody could be asked: its price was given back.")]
    network: Annotated[str, Meta(description="Mobile country code and network code.", examples=["20801"])]
    ported: bool
    error: Annotated[int | None, Meta(description="0: all is well. 1: nobody has this number.")]
    error_name: Annotated[str, Meta(examples=["NO_ERROR"])]
    permanent: Annotated[bool, Meta(description="Whether the error will not pass.")]
    answered_at: datetime | None


class Checked(Check, kw_only=True):
    """A check with its results."""

    pending: Annotated[int, Meta(description="Numbers without an answer yet.")]
    results: list[Answer]


class Spelled(msgspec.Struct, kw_only=True):
    """A number and how it is written; all but `given` is null where it is none."""

    given: Annotated[str, Meta(description="As it was sent.")]
    phone: shapes.Phone | None = None
    country: Annotated[str | None, Meta(description="ISO 3166-1 alpha-2.")] = None
    kind: Annotated[str | None, Meta(examples=["mobile"])] = None
    international: str | None = None
    national: str | None = None
    rfc3966: str | None = None


class Spellings(msgspec.Struct, kw_only=True):
    """One for each number of the request, in its order."""

    items: list[Spelled]


@endpoint("POST", "/checks", "numbers:write", status=201, problems=("credit", "refused"), idempotent=True)
async def order(services: Services, caller: Caller, body: Order) -> Check:
    """Ask about numbers. Charged at once, each once; the answers come within seconds: read the check, or be told."""
    if body.callback_url and not is_http(body.callback_url):
        raise invalid("/callback_url", "It has to be an http or https URL, or empty.")
    read = [normalise(written) for written in body.numbers]
    wrong = [place for place, one in enumerate(read) if one is None]
    if wrong:
        told = "It is no telephone number: write it as +33... or 06..."
        faults = [Fault(pointer=f"#/numbers/{place}", detail=told) for place in wrong]
        raise Problem("invalid", "Some of the numbers are none.", faults)
    numbers = {one.e164: one for one in read if one is not None}
    wanted = Wanted(list(numbers.values()), body.tag, body.callback_url)
    done = await accept(services.db, caller.account, wanted, services.clock.now(), _once(caller))
    answer: Check = _accepted(done)
    return answer


def _accepted(done: Verification | Unpriced | Short | Replayed | KeyReused) -> Any:
    if isinstance(done, Verification):
        return _worded(done)
    if isinstance(done, Replayed):
        return Raw(done.status, done.answer)
    if isinstance(done, Unpriced):
        raise Problem("refused", f"Nothing is offered for {done.e164}: the country has no price.")
    if isinstance(done, Short):
        raise Problem("credit", "The balance does not pay for it: ask about fewer numbers, or top up the account.")
    told = "Another request was made under this Idempotency-Key: take a new one for a new request."
    raise Problem("idempotency-key-reused", told)


def _once(caller: Caller) -> Once | None:
    if not caller.idempotency_key:
        return None
    hashed = hashlib.sha256(caller.raw).digest()
    path = caller.path.partition("?")[0]
    return Once(path, caller.idempotency_key, hashed, lambda done: (201, msgspec.json.encode(_worded(done))))


@endpoint("GET", "/checks", "numbers:read")
async def every(services: Services, caller: Caller, query: shapes.Paging) -> shapes.Page[Check]:
    """List checks, the newest first. Those of SMS Partner's `hlr/notify` too."""
    rows = await store.listing(services.db, caller.id, shapes.before(query), query.limit + 1)
    return shapes.page(caller, query, rows, _worded, lambda row: row.number)


@endpoint("GET", "/checks/{id}", "numbers:read")
async def one(services: Services, caller: Caller, id: shapes.Id) -> Checked:
    """Read a check and its results. In the order of the request."""
    found = await store.find(services.db, caller.id, shapes.number(id))
    if found is None:
        raise missing("check")
    results = [_answer(row) for row in await store.results(services.db, caller.id, found.number)]
    pending = sum(one.error is None for one in results)
    return Checked(**msgspec.structs.asdict(_worded(found)), pending=pending, results=results)


def _worded(row: Verification) -> Check:
    return Check(
        id=str(row.number),
        at=row.at,
        tag=row.tag,
        callback_url=row.notify_url,
        numbers=row.numbers,
        price=shapes.money(row.cost),
    )


def _answer(row: Result) -> Answer:
    error = None if row.error is None else error_of(row.error)
    return Answer(
        phone=shapes.phone(row.phone),
        reference=row.reference,
        price=shapes.money(row.price),
        refunded=row.refunded,
        network=row.mcc_mnc,
        ported=row.ported,
        error=row.error,
        error_name=error.name if error else "",
        permanent=error.permanent if error else False,
        answered_at=row.answered_at,
    )


@endpoint("POST", "/lookups", "numbers:read")
async def look(services: Services, caller: Caller, body: Numbers) -> Spellings:
    """Look at numbers. Country, kind and spellings; nobody is asked and nothing is charged."""
    return Spellings(items=[_spelled(written) for written in body.numbers])


def _spelled(written: str) -> Spelled:
    found = look_up(written)
    if found is None:
        return Spelled(given=written)
    return Spelled(
        given=written,
        phone=found.e164,
        country=found.country,
        kind=found.kind.lower(),
        international=found.international,
        national=found.national,
        rfc3966=found.rfc3966,
    )


HANDLERS = [order, every, one, look]
