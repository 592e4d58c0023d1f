"""Long numbers: texts from them, and calls to them (contract 5.3, 10). What is written to them: `notifications.py`.

One rule: `from` names the number, and only one of the account's own may send.
"""

from __future__ import annotations

from datetime import datetime

from ...domain import numbers
from ...domain.admission import Wanted
from ...domain.forwarding import Forwarding, Refusal, Rule
from ...domain.pricing import Service
from ...domain.reasons import Finding, Reason
from ...pipeline.forwarding import forward
from .. import values
from ..door import Barrier
from ..http import Answer
from . import sending, wire
from .calls import POST, Call, Entry, Services
from .reading import Members, parse_send
from .wire import Reply

LONGEST = 11  # digits of a number that may stand as a sender (SMPP 3.4, 5.2.8, and French numbers)


async def send(services: Services, call: Call) -> Reply | Answer:
    """POST `vn/send`: as `send`, from a number that can be answered."""
    wanted = parse(call.members, services.clock.now())
    return await sending.submit(services, call, wanted, sending.sent, member="to")


def parse(members: Members, now: datetime) -> Wanted:
    """The members of `vn/send`."""
    wanted = parse_send(members, now, bulk=False, phones=("to", "phoneNumbers"))
    wanted.service = Service.PREMIUM
    number = numbers.normalise(members.phone("from"))
    wanted.sender = "" if number is None else number.e164[1:]
    if number is None:
        wanted.faults.append(Finding(Reason.SENDER_CHARACTERS, members.text("from")))
    elif len(wanted.sender) > LONGEST:  # nobody's, whatever the rules of senders say of its length
        wanted.faults.append(Finding(Reason.SENDER_DIGITS, wanted.sender))
        wanted.sender = ""
    return wanted


_OUTCOMES = {
    Forwarding.OFF: (2, "Callforward disabled"),
    Forwarding.FORWARD: (200, "Callforward enabled"),
    Forwarding.VOICEMAIL: (200, "Voicemail enabled"),
}
REFUSALS: dict[Refusal, tuple[int, str]] = {
    Refusal.NUMBER_MISSING: (5, "number is required"),
    Refusal.KIND_MISSING: (6, "type is required"),
    Refusal.KIND_INVALID: (7, "type is not valid"),
    Refusal.TARGET_MISSING: (8, "param is required"),
    Refusal.ADDRESS_INVALID: (9, "email is not valid"),
    Refusal.TARGET_INVALID: (12, "forward number is not valid"),
    Refusal.NUMBER_UNKNOWN: (13, "virtual number does not exist"),
    Refusal.NOT_ALLOWED: (14, "call forwarding is not activated"),
    Refusal.NUMBER_DISABLED: (15, "number is disabled"),
    Refusal.ALREADY_FORWARDED: (16, "call forwarding is already enabled"),
    Refusal.ALREADY_VOICEMAIL: (17, "voicemail is already enabled"),
    Refusal.ALREADY_OFF: (18, "call forwarding is already disabled"),
}
"""In English, as all of this call (contract 14.5)."""

_WRONG_KEY = (10, "API key is incorrect")
BARRIERS = {
    Barrier.KEY_MISSING: _WRONG_KEY,
    Barrier.KEY_UNKNOWN: _WRONG_KEY,
    Barrier.ADDRESS: (96, "IP address is not allowed"),
    Barrier.DISABLED: (20, "account is disabled"),
    Barrier.BLOCKED: (30, "account is blocked"),
    Barrier.API_DENIED: (40, "API access is denied"),
    Barrier.RATE: (429, "too many requests, try again later"),
}


async def callforward(services: Services, call: Call) -> Reply:
    """POST `vn/callforward`: off, to another number, or to a mailbox."""
    members = call.members
    done = await forward(
        services.db,
        call.account,
        members.phone("number"),
        _kind(members),
        members.phone("param"),
        services.clock.now(),
    )
    if isinstance(done, Rule):
        code, text = _OUTCOMES[done.forwarding]
        return {"success": True, "code": code, "message": text}
    return wire.simple(*REFUSALS[done])


def _kind(members: Members) -> int | None:
    """0, 1 or 2; -1 for what is none of them, None where it is absent."""
    given = members.scalar("type")
    if given is None:
        return None
    number = values.integer(given)
    return -1 if number is None else number


ENTRIES = (
    Entry("/vn/send", send, POST, cached=True),
    Entry("/vn/callforward", callforward, POST, barriers=BARRIERS),
)
