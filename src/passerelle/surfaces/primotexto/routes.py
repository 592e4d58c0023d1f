"""The calls of Primotexto v2 on single messages, their statistics, the lists of blocked numbers, and the account.

One rule: read by `wire`, done by the pipeline or the store, worded by `wire`. Order of checks (2.9): route, method,
size, key, state, rate, JSON, ids in the path, parameters.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType

from ...clock import Clock
from ...domain import numbers
from ...domain.account import Account
from ...domain.message import TESTS, Dialect, TrafficClass
from ...domain.pricing import Service
from ...domain.profile import PRIMOTEXTO
from ...pipeline.campaigns import Address, Campaigns
from ...pipeline.linking import CodeTakenError, shorten
from ...pipeline.submit import Accepted, Denied, Idempotency, KeyReused, Refused, Replayed, Result, Submitter
from ...store import optouts, snapshots, statistics
from ...store.database import Database
from ...store.optouts import List
from ..door import Door, Stopped, body_hash, idempotency_key, of_state
from ..http import Answer, Fault, Handler, Request, Route, worded
from . import codes, lists, wire
from .answers import BARRIERS, GONE, MEDIA, answer, error
from .campaigns import CampaignCalls

KEY = b"x-primotexto-apikey"

FAULTS = {Fault.TOO_LARGE: 18, Fault.MALFORMED: 73, Fault.INTERNAL: 1000}

Call = Callable[[Account, Request], Awaitable[Answer]]

_LISTS = {"unsubscribers": List.STOP, "bounces": List.BOUNCE}


class Primotexto:
    """The surface of this dialect."""

    name = "primotexto"
    profile = PRIMOTEXTO
    mounts: Mapping[str, str] = MappingProxyType(
        {"/primotexto/v2": "", "/v2": "", "/app/contacts": "/app/contacts", "/operations": "/operations"}
    )

    def __init__(self, db: Database, door: Door, submitter: Submitter, clock: Clock, address: Address) -> None:
        self._db = db
        self._door = door
        self._submitter = submitter
        self._clock = clock
        self._address = address
        self._campaigns = CampaignCalls(Campaigns(db, submitter, address, clock), clock)
        self.routes: Iterable[Route] = self._routes()

    def fault(self, request: Request, fault: Fault) -> Answer:
        """The words for what is wrong before a call is understood."""
        if fault in FAULTS:
            return error(FAULTS[fault])
        return answer(wire.stray(fault.value, request.scope["path"], self._clock.now()), fault.value)

    def _routes(self) -> list[Route]:
        get, post, delete = (partial(self._guarded, method) for method in ("GET", "POST", "DELETE"))
        routes = [
            Route(f"/{word}/messages/send", post(partial(self._send, traffic), cached=True))
            for word, traffic in (("notification", TrafficClass.TRANSACTIONAL), ("marketing", TrafficClass.MARKETING))
        ]
        routes += [
            Route("/messages/status", get(self._status)),
            Route("/messages/stats", get(self._statistics)),
            Route("/messages/replies", get(self._replies)),
            Route("/messages/blacklists", get(self._blacklists)),
            Route("/account/stats", get(self._account)),
            Route("/check", get(self._check)),
            Route("/app/contacts/check", get(self._check)),
        ]
        for word, list_ in _LISTS.items():
            read, add = get(partial(self._listing, list_)), post(partial(self._add, list_))
            remove = delete(partial(self._remove, list_))
            routes += [
                Route(f"/{word}/{{list}}/contacts", {**read, **add, **remove}),
                Route(f"/{word}/{{list}}/contacts/{{id}}", remove),
            ]
        routes += lists.Lists(self._db, self._clock).routes(self._guarded)
        return routes + self._campaigns.routes(self._guarded)

    def _guarded(self, method: str, call: Call, *, cached: bool = False) -> dict[str, Handler]:
        """A handler that lets only accounts through; `cached` only for sends."""

        async def handler(request: Request) -> Answer:
            entered = await self._door.enter(request, request.header(KEY), cached=cached)
            if isinstance(entered, Stopped):
                return error(BARRIERS[entered.barrier], entered.headers)
            made = await call(entered.account, request)
            if not entered.headers:
                return made
            return Answer(made.status, made.body, made.media, made.headers + entered.headers)

        return {method: handler}

    # --- sending (section 3) ---------------------------------------------------------------------------------------

    async def _send(self, traffic: TrafficClass, account: Account, request: Request) -> Answer:
        unit = _unit(account)
        key = idempotency_key(request)
        once = Idempotency(request.path, key, body_hash(request), partial(_sent, unit)) if key else None
        while True:
            wanted = wire.parse_send(request.json(), traffic, self._clock.now())
            beside = shorten(wanted, self._link(account)) if account.rules.track_links else None
            try:
                return _result(await self._submitter.accept(account, wanted, PRIMOTEXTO, once, beside), unit)
            except CodeTakenError:
                continue

    def _link(self, account: Account) -> Callable[[str], str]:
        return lambda code: self._address(code, account.rules.short_link_host)

    # --- reading (sections 4 to 7.1) -------------------------------------------------------------------------------

    async def _status(self, account: Account, request: Request) -> Answer:
        snapshot_id = request.query.get("snapshotId", "").strip()
        if snapshot_id:
            number = wire.snapshot_number(snapshot_id)
            found = number and await snapshots.by_number(self._db, account.id, Dialect.PRIMOTEXTO, number)
            return answer(wire.status(found)) if found else error(16)
        given = wire.identifier(request.query)
        phone = wire.phone(given)
        if phone is None:
            return error(11 if given else 10)
        found = await snapshots.latest(self._db, account.id, Dialect.PRIMOTEXTO, phone)
        return answer(wire.status(found)) if found else error(16)

    async def _statistics(self, account: Account, request: Request) -> Answer:
        return answer(wire.statistics(await self._counters(account, _category(request))))

    async def _replies(self, account: Account, request: Request) -> Answer:
        found = await snapshots.replies(self._db, account.id, Dialect.PRIMOTEXTO, _category(request))
        return answer(await worded(wire.replies, found))

    async def _blacklists(self, account: Account, request: Request) -> Answer:
        asked = (self._db, account.id, Dialect.PRIMOTEXTO, _category(request))
        bounces, unsubscribers = await snapshots.bounces(*asked), await snapshots.unsubscribers(*asked)
        return answer(await worded(wire.blacklists, bounces, unsubscribers, account.rules.national_blacklists))

    async def _account(self, account: Account, _: Request) -> Answer:
        counted = [await self._counters(account, tag_key) for tag_key in ("", TESTS)]
        unsubscribers = await statistics.unsubscribers_of_all(self._db, account.id, Dialect.PRIMOTEXTO)
        return answer(wire.account_statistics(counted, unsubscribers, account.balance, _unit(account)))

    async def _counters(self, account: Account, category: str = "") -> statistics.Counters:
        return await statistics.counters(self._db, account.id, Dialect.PRIMOTEXTO, category)

    # --- the lists of the account (7.2) and the check of a number (11.1) -------------------------------------------

    async def _listing(self, list_: List, account: Account, request: Request) -> Answer:
        if not _is_list(request, account, list_):
            return error(60)
        found = await optouts.listing(self._db, account.id, list_)
        return answer(await worded(wire.entries, found, wire.list_id(account.id, list_)))

    async def _add(self, list_: List, account: Account, request: Request) -> Answer:
        given = wire.posted_identifier(request.json())
        if not _is_list(request, account, list_):
            return error(60)
        phone = wire.phone(given)
        if phone is None:
            return error(11 if given else 10)
        entry = await optouts.add(self._db, account.id, list_, phone, self._clock.now())
        return error(15) if entry is None else answer(wire.entry_id(entry))

    async def _remove(self, list_: List, account: Account, request: Request) -> Answer:
        if not _is_list(request, account, list_):
            return error(60)
        if "id" in request.variables:
            token = wire.token(request.variables["id"])
            gone = token is not None and await optouts.remove_by_token(self._db, account.id, list_, token)
            return GONE if gone else error(16)
        given = wire.identifier(request.query)
        phone = wire.phone(given)
        if phone is None:
            return error(11 if given else 10)
        return GONE if await optouts.remove_by_phone(self._db, account.id, list_, phone) else error(16)

    async def _check(self, account: Account, request: Request) -> Answer:
        given = wire.identifier(request.query)
        if not given:
            return error(10)
        number = numbers.normalise(given, bare_international=False)
        phone = int(number.e164[1:]) if number else 0
        blocked = [await optouts.find(self._db, account.id, list_, phone) for list_ in (List.BOUNCE, List.STOP)]
        return answer(wire.check(given, number, *(entry is not None for entry in blocked)))


def _unit(account: Account) -> int:
    """What a credit is worth: one part to a French number, in micro-euros (2.7); 0 where there is no such price."""
    return account.price(Service.PREMIUM, "FR") or 0


def _sent(unit: int, accepted: Accepted) -> tuple[int, bytes]:
    return 200, wire.sent(accepted.cost, unit, accepted.number)


def _result(result: Result, unit: int) -> Answer:
    match result:
        case Accepted():
            return answer(_sent(unit, result)[1])
        case Refused():
            return error(codes.first_code([*result.findings, *result.dropped]))
        case Denied():
            barrier = of_state(result.state)
            return error(1000 if barrier is None else BARRIERS[barrier])
        case Replayed():
            return answer(result.answer, result.status)
        case KeyReused():
            return Answer(409, codes.error(73), MEDIA)


def _category(request: Request) -> str:
    return request.query.get("category", "")


def _is_list(request: Request, account: Account, list_: List) -> bool:
    return request.variables["list"] in ("default", "defaults", wire.list_id(account.id, list_))
