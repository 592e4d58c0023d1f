"""Survey sends (contract 5.4); surveys themselves are made by the command line and the native API.

One rule: a survey brings its text, its class and its sender; the request brings the numbers and the time.
"""

from __future__ import annotations

from datetime import datetime

from ...domain.admission import Wanted
from ...domain.pricing import Service
from ...pipeline import surveys
from ..http import Answer
from . import sending, wire
from .calls import POST, Call, Entry, Services
from .reading import Members, parse_send
from .wire import Reply

UNKNOWN = "Sondage introuvable"


async def send(services: Services, call: Call) -> Reply | Answer:
    """POST `sondage/to/send`."""
    now = services.clock.now()
    wanted = parse(call.members, now)
    ident = call.members.text("sondageIdent").strip()
    invite = await surveys.prepare(services.db, services.address, call.account.id, ident, wanted, now)
    reply = await sending.submit(services, call, wanted, sending.sent, invite, member="phoneNumber")
    if isinstance(reply, dict) and reply["code"] == 4:
        return wire.simple(4, UNKNOWN)
    return reply


def parse(members: Members, now: datetime) -> Wanted:
    """The members of `send` that this call knows."""
    wanted = parse_send(members, now, bulk=False)
    wanted.text = wanted.sender = ""
    wanted.service = Service.PREMIUM
    wanted.unicode = False
    return wanted


ENTRIES = (Entry("/sondage/to/send", send, POST),)
