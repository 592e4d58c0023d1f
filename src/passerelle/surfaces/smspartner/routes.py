"""SMS Partner v1: which path is which call, and what stands before and after every call.

One rule: every answer is an envelope in the format asked for, JSON or XML, errors of any kind included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...domain.profile import SMSPARTNER
from .. import values
from ..door import Stopped
from ..http import Answer, Fault, Handler, Header, Request, Route, worded
from . import (
    codes,
    contacts,
    optouts,
    rcs,
    reading,
    rental,
    sending,
    status,
    subaccounts,
    surveys,
    verifications,
    virtual_numbers,
    wire,
    xml,
)
from .calls import Call, Entry, Services
from .wire import Reply

FAMILIES = (sending, status, optouts, contacts, virtual_numbers, verifications, rental, subaccounts, surveys, rcs)
"""Modules whose `ENTRIES` are served."""

_SENDS = frozenset({"/send", "/bulk-send", "/rcs/send"})


class SmsPartner:
    """The surface, for `http.Dialects`."""

    name = "smspartner"
    profile = SMSPARTNER
    mounts: Mapping[str, str] = {sending.PATH: ""}

    def __init__(self, services: Services) -> None:
        self._services = services
        self.routes: Iterable[Route] = [
            Route(entry.path, dict.fromkeys(entry.methods, self._handler(entry)))
            for family in FAMILIES
            for entry in family.ENTRIES
        ]

    def _handler(self, entry: Entry) -> Handler:
        """Read, authenticate, work, answer."""

        async def answer(request: Request) -> Answer:
            members = reading.read(request.body, request.header(b"content-type"), request.query)
            is_xml = members.is_xml
            key = members.text("apiKey")
            entered = await self._services.door.enter(request, key, cached=entry.cached, rate=entry.rate)
            if isinstance(entered, Stopped):
                code, text = entry.barriers.get(entered.barrier) or (codes.OF_BARRIER[entered.barrier], "")
                return _answer(wire.simple(code, text), is_xml, entered.headers)
            reply = await entry.work(self._services, Call(request, members, entered.account, is_xml))
            if isinstance(reply, Answer):
                return reply
            return await worded(lambda _: _answer(reply, is_xml, entered.headers), reply.get("data"))

        return answer

    def fault(self, request: Request, fault: Fault) -> Answer:
        """The envelope of a fault."""
        text = codes.NOT_QUEUED if fault is Fault.INTERNAL and request.path in _SENDS else ""
        return _answer(wire.simple(codes.OF_FAULT[fault], text), _asks_xml(request))


def _asks_xml(request: Request) -> bool:
    """The format asked for; where the body cannot be read only the query counts."""
    try:
        return reading.read(request.body, request.header(b"content-type"), request.query).is_xml
    except values.Malformed:
        return reading.Members({}, request.query).is_xml


def _answer(reply: Reply, is_xml: bool, headers: tuple[Header, ...] = ()) -> Answer:
    media = xml.MEDIA if is_xml else wire.MEDIA_JSON
    return Answer(wire.status_of(reply), wire.encode(reply, is_xml), media, headers)
