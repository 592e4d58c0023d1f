"""Long numbers of the account: where texts to them go, and what is done with calls.

One rule: the operator of the platform gives and takes numbers; their owner says what becomes of what comes in.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ...domain.forwarding import Forwarding, Refusal, Rule
from ...domain.numbers import normalise
from ...domain.urls import is_http
from ...pipeline.forwarding import forward
from ...store import virtual_numbers as store
from . import shapes
from .calls import Caller, Services, endpoint
from .problems import Problem, invalid, missing

CallsWord = Literal["off", "forward", "voicemail"]
_WORDS: dict[Forwarding, CallsWord] = {
    Forwarding.OFF: "off",
    Forwarding.FORWARD: "forward",
    Forwarding.VOICEMAIL: "voicemail",
}
_KINDS = {word: kind for kind, word in _WORDS.items()}
Target = Annotated[
    str, Meta(max_length=254, description="A telephone number to forward to, or an e-mail address for voicemail.")
]


class Calls(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is done with callers: turned away, put through, or recorded."""

    do: CallsWord
    to: Target = ""


class Number(msgspec.Struct, kw_only=True):
    """A long number."""

    phone: shapes.Phone
    enabled: Annotated[bool, Meta(description="Whether it may send and be called; texts to it come all the same.")]
    reply_url: Annotated[str, Meta(description="Where texts to it go when the message they answer names no place.")]
    calls: Calls
    calls_since: datetime | None
    since: datetime


class Change(msgspec.Struct, kw_only=True):
    """What was to be done with callers from then on."""

    at: datetime
    calls: Calls


class Detailed(Number, kw_only=True):
    """A long number with what was done with its callers before."""

    changes: Annotated[list[Change], Meta(description="The newest first.")]


class Wish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to change; what is left out stays."""

    reply_url: Annotated[str | UnsetType, Meta(description="An http or https URL; empty for none of its own.")] = UNSET
    calls: Calls | UnsetType = UNSET


class Numbers(msgspec.Struct, kw_only=True):
    """All numbers of the account."""

    items: list[Number]


@endpoint("GET", "/numbers", "numbers:read")
async def every(services: Services, caller: Caller) -> Numbers:
    """List the long numbers of the account. In their order, all at once."""
    return Numbers(items=[_number(one) for one in await store.of_account(services.db, caller.id)])


@endpoint("GET", "/numbers/{phone}", "numbers:read")
async def one(services: Services, caller: Caller, phone: str) -> Detailed:
    """See a long number, and what was done with its callers before."""
    return await _detailed(services, caller, await _phone(services, caller, phone))


@endpoint("PATCH", "/numbers/{phone}", "numbers:write")
async def change(services: Services, caller: Caller, phone: str, body: Wish) -> Detailed:
    """Change where texts go, and what is done with callers. Setting what is set already changes nothing."""
    number = await _phone(services, caller, phone)
    if body.reply_url is not UNSET and body.reply_url and not is_http(body.reply_url):
        raise invalid("/reply_url", "It has to be an http or https URL, or empty.")
    if body.calls is not UNSET:
        kind = int(_KINDS[body.calls.do])
        now = services.clock.now()
        done = await forward(services.db, caller.account, f"+{number}", kind, body.calls.to, now)
        if isinstance(done, Refusal) and not done.name.startswith("ALREADY"):
            raise _refused(done)
    if body.reply_url is not UNSET:
        await store.set_reply_url(services.db, caller.id, number, body.reply_url)
    return await _detailed(services, caller, number)


def _refused(refusal: Refusal) -> Problem:
    told = {
        Refusal.NOT_ALLOWED: ("conflict", "The account may not forward calls: ask the operator of the platform."),
        Refusal.NUMBER_DISABLED: ("conflict", "The number is disabled: ask the operator of the platform."),
    }
    faults = {
        Refusal.TARGET_MISSING: "Say where to: a telephone number to forward to, an e-mail address for voicemail.",
        Refusal.TARGET_INVALID: "It has to be a telephone number, and not this one itself.",
        Refusal.ADDRESS_INVALID: "It has to be an e-mail address.",
    }
    if refusal in faults:
        return invalid("/calls/to", faults[refusal])
    return Problem(*told[refusal]) if refusal in told else missing("number")


async def _phone(services: Services, caller: Caller, written: str) -> int:
    """A number of the account as it stands in a path. Raises Problem."""
    read = normalise(written)
    async with services.db.transaction() as connection:
        owned = read and await store.lock(connection, caller.id, int(read.e164[1:]))
    if not owned:
        raise missing("number")
    return owned.phone


async def _detailed(services: Services, caller: Caller, phone: int) -> Detailed:
    listed = [one for one in await store.of_account(services.db, caller.id) if one.number.phone == phone]
    if not listed:
        raise missing("number")
    changes = await store.changes(services.db, caller.id, phone)
    plain = msgspec.structs.asdict(_number(listed[0]))
    return Detailed(**plain, changes=[Change(at=one.at, calls=_calls(one.rule)) for one in changes])


def _number(listed: store.Listed) -> Number:
    number = listed.number
    return Number(
        phone=shapes.phone(number.phone),
        enabled=number.enabled,
        reply_url=listed.reply_url,
        calls=_calls(number.rule),
        calls_since=listed.forwarding_at,
        since=listed.created_at,
    )


def _calls(rule: Rule) -> Calls:
    return Calls(do=_WORDS[rule.forwarding], to=rule.target)


HANDLERS = [every, one, change]
