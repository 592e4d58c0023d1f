"""SMS Partner v1: which path is which call, and what stands before and after every call.

One rule: every answer is an envelope in the format asked for, JSON or XML, errors of any kind included.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial

from ...domain.profile import SMSPARTNER
from .. import values
from ..door import Rate, Stopped
from ..http import Answer, Fault, Handler, Header, Request, Route, worded
from . import codes, optouts, reading, sending, status, wire, xml
from .calls import Call, Services
from .wire import Reply

Work = Callable[[Services, Call], Awaitable[Reply | Answer]]

_SENDS = frozenset({"/send", "/bulk-send"})
_GET_POST = ("GET", "POST")
_REMOVALS = ("GET", "POST", "DELETE")


class SmsPartner:
    """The surface, for `http.Dialects`."""

    name = "smspartner"
    profile = SMSPARTNER
    mounts: Mapping[str, str] = {sending.PATH: ""}

    def __init__(self, services: Services) -> None:
        self._services = services
        self.routes: Iterable[Route] = (
            self._route("/send", sending.send, "POST", cached=True),
            self._route("/bulk-send", partial(sending.send, bulk=True), "POST", cached=True),
            self._route("/me", sending.me, "GET"),
            self._route("/message-cancel", sending.message_cancel, *_REMOVALS),
            self._route("/message-cancel/{messageId}", sending.message_cancel, *_REMOVALS),
            self._route("/message-status", status.message_status, "GET"),
            self._route("/multi-status", status.multi_status, *_GET_POST),
            self._route("/bulk-status", status.bulk_status, "GET"),
            self._route("/bulk-status-by-tag", status.bulk_status_by_tag, "GET"),
            self._route("/statistics/cost-resume", status.cost_resume, "GET", rate=Rate("cost-resume", 5)),
            self._route("/stop-sms/list", optouts.listing, "GET"),
            self._route("/stop-sms/add", optouts.add, "POST"),
            self._route("/stop-sms/delete", optouts.delete, *_REMOVALS),
        )

    def _route(self, path: str, work: Work, *methods: str, cached: bool = False, rate: Rate | None = None) -> Route:
        return Route(path, dict.fromkeys(methods, self._handler(work, cached, rate)))

    def _handler(self, work: Work, cached: bool, rate: Rate | None) -> Handler:
        """Read, authenticate, work, answer."""

        async def answer(request: Request) -> Answer:
            members = reading.read(request.body, request.header(b"content-type"), request.query)
            is_xml = members.is_xml
            entered = await self._services.door.enter(request, members.text("apiKey"), cached=cached, rate=rate)
            if isinstance(entered, Stopped):
                return _answer(wire.simple(codes.OF_BARRIER[entered.barrier]), is_xml, entered.headers)
            reply = await work(self._services, Call(request, members, entered.account, is_xml))
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
