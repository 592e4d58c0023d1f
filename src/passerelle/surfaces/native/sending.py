"""Requests that send, read and judged: what goes in, and what became of it. `messages.py` has the calls.

One rule: what a send would do, `explain` says, as both read the same `Send` into the same `Wanted`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...domain.account import Account
from ...domain.admission import Wanted
from ...domain.message import TrafficClass
from ...domain.pricing import Service
from ...domain.profile import NATIVE, Profile
from ...domain.reasons import Finding, Reason
from ...domain.urls import is_http
from ...pipeline import group_send
from ...pipeline.submit import Accepted, Beside, Denied, Idempotency, KeyReused, Refused, Replayed, Result
from ..door import Stopped, of_state
from . import reasons, shapes
from .calls import ROOT, Caller, Raw, Services
from .problems import OF_BARRIER, Problem
from .words import ClassWord

MOST_RECIPIENTS = 1_000
FARTHEST = timedelta(days=366)


class Unicode(StrEnum):
    """What is done with characters that are not in GSM 03.38."""

    ALLOW = "allow"
    TRANSLITERATE = "transliterate"
    REFUSE = "refuse"


class Range(StrEnum):
    """Which range of the carriers."""

    PREMIUM = "premium"
    ECO = "eco"


class To(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A recipient with a text of its own."""

    phone: Annotated[str, Meta(max_length=40, description="A mobile number.", examples=["+33639980001"])]
    text: Annotated[str | None, Meta(description="Its own text; null: that of the request.")] = None


Number = Annotated[str, Meta(max_length=40)]


class Manner(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How a text is sent."""

    sender: Annotated[
        str, Meta(description="3 to 11 letters and digits, or a number of the account; empty: the short code.")
    ] = ""
    traffic: Annotated[
        ClassWord | None, Meta(description="Transactional or marketing; null: as the account is set.")
    ] = msgspec.field(default=None, name="class")
    send_at: Annotated[shapes.When | None, Meta(description="When to send, at most a year ahead; null: at once.")] = (
        None
    )
    range: Range = Range.PREMIUM
    unicode: Annotated[
        Unicode,
        Meta(description="Send other characters as UCS-2 (70 a part), write near ones instead, or refuse the text."),
    ] = Unicode.ALLOW
    tag: Annotated[str, Meta(max_length=64, description="To find it again, and for statistics.")] = ""
    callback_url: Annotated[
        str, Meta(description="Where the events of these messages are posted, besides to the endpoints of the account.")
    ] = ""


class Send(Manner, kw_only=True, forbid_unknown_fields=True):
    """A text to one or many."""

    to: Annotated[
        list[Number | To],
        Meta(
            min_length=1,
            max_length=MOST_RECIPIENTS,
            description="Mobile numbers (+33..., 06...), or objects with `phone` and a `text` of its own.",
            examples=[["+33639980001"]],
        ),
    ]
    text: Annotated[str, Meta(description="The text of all who have none of their own.", examples=["Bonjour"])] = ""
    sandbox: Annotated[bool, Meta(description="Try only: nothing leaves, nothing is charged.")] = False


POLICIES = {Unicode.ALLOW: "unicode", Unicode.TRANSLITERATE: "transliterate", Unicode.REFUSE: "reject"}


def profile_of(body: Manner, account: Account) -> Profile:
    """The rules of this API with the policy of the request; an account without `unicode` has near characters sent."""
    policy = POLICIES[body.unicode]
    return replace(NATIVE, characters="transliterate" if policy == "unicode" and not account.rules.unicode else policy)


def wanted_of(body: Send, account: Account, now: datetime) -> Wanted:
    """The request as the rules see it."""
    items = [(one, None) if isinstance(one, str) else (one.phone, one.text) for one in body.to]
    wanted = wanted_like(body, body.text, items, account, now)
    wanted.sandbox = body.sandbox
    return wanted


def wanted_like(
    body: Manner, text: str, items: Sequence[tuple[str, str | None]], account: Account, now: datetime
) -> Wanted:
    """A text to these, in the manner asked for."""
    traffic = account.rules.traffic_class if body.traffic is None else TrafficClass[body.traffic.name]
    due_at = None if body.send_at is None else body.send_at.astimezone(UTC)
    return Wanted(
        items=items,
        text=text,
        sender=body.sender,
        service=Service[body.range.name],
        traffic=traffic,
        stop_mention=traffic is TrafficClass.MARKETING,
        due_at=due_at,
        tag=body.tag,
        tag_key=body.tag,
        dlr_url=body.callback_url,
        reply_url=body.callback_url,
        faults=list(_faults(body, due_at, now)),
    )


def _faults(body: Manner, due_at: datetime | None, now: datetime) -> list[Finding]:
    found = []
    if due_at is not None and due_at < now:
        found.append(Finding(Reason.DATE_PAST))
    if due_at is not None and due_at > now + FARTHEST:
        found.append(Finding(Reason.DATE_INVALID))
    if body.callback_url and not is_http(body.callback_url):
        found.append(Finding(Reason.URL_INVALID))
    return found


async def submitted(
    services: Services,
    caller: Caller,
    wanted: Wanted,
    profile: Profile,
    word: Callable[[Accepted], Any],
    *,
    status: int = 201,
    beside: Beside | None = None,
) -> Any:
    """Any call that sends: judged, stored once where there is an Idempotency-Key, answered in the words given.

    Raises Problem.
    """
    once = idempotency(caller, word, status)
    return told(await services.submitter.accept(caller.account, wanted, profile, once, beside), word)


def told(result: Result, word: Callable[[Accepted], Any]) -> Any:
    """What became of a request that sends, in the words given. Raises Problem."""
    if isinstance(result, Accepted):
        return word(result)
    if isinstance(result, Replayed):
        return Raw(result.status, result.answer)
    if isinstance(result, Refused):
        raise reasons.refused(result.findings, result.dropped)
    if isinstance(result, KeyReused):
        again = "Another request was made under this Idempotency-Key: take a new one for a new request."
        raise Problem("idempotency-key-reused", again)
    raise _denied(result)


def _denied(denied: Denied) -> Problem:
    barrier = None if denied.state is None else of_state(denied.state)
    if barrier is not None:
        return Problem(*OF_BARRIER[Stopped(barrier).barrier])
    told = "The account was changed while the request was under way: repeat it."
    return Problem("unavailable", told, headers=[("Retry-After", "1")])


def idempotency(caller: Caller, word: Callable[[Accepted], Any], status: int = 201) -> Idempotency | None:
    """What keeps the answer under the key of the request, where it has one."""
    if not caller.idempotency_key:
        return None
    path = caller.path.partition("?")[0]
    assert path.startswith(ROOT)
    hashed = hashlib.sha256(b"\0".join((caller.path.encode("utf-8", "replace"), caller.raw))).digest()

    def render(accepted: Accepted) -> tuple[int, bytes]:
        return status, msgspec.json.encode(word(accepted))

    return Idempotency(path, caller.idempotency_key, hashed, render)


def agreed_rates(services: Services) -> dict[int, int]:
    """Carrier -> parts a second that were agreed."""
    agreed = {one.name: one.rate for one in services.settings.carriers}
    return {number: agreed.get(name, 0) for number, name in services.carriers.items()}


async def expected_end(services: Services, caller: Caller, submission_id: int) -> datetime | None:
    """When the last part of a submission leaves; None: all have left, or nobody knows."""
    now, rates = services.clock.now(), agreed_rates(services)
    found = await group_send.progress(services.db, caller.account, submission_id, now, rates)
    return None if found is None else found.expected_end
