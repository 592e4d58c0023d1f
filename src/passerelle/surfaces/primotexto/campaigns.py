"""The calls of Primotexto v2 on campaigns (contract, chapter 9, with 6 and 7.1).

One rule: the type in the path of a campaign that exists is not looked at; who it is says its id alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from ...clock import Clock
from ...domain.account import Account
from ...domain.campaigns import Fault, Phase, has_links
from ...domain.message import Dialect, TrafficClass, campaign_key
from ...domain.pricing import Service
from ...domain.profile import PRIMOTEXTO
from ...domain.reasons import Finding, Reason
from ...pipeline.batch import Accepted, Denied, Idempotency, KeyReused, Refused, Replayed, Result
from ...pipeline.campaigns import Campaigns, Seen
from ...pipeline.cancel import CancelVerdict, cancel_submission
from ...store import campaigns as store
from ...store import lists, snapshots, statistics
from ..door import body_hash, idempotency_key, of_state
from ..http import Answer, Handler, Request, Route, worded
from . import campaign_wire, codes, wire
from .answers import BARRIERS, GONE, answer, error

Call = Callable[[Account, Request], Awaitable[Answer]]
Guarded = Callable[[str, Call], dict[str, Handler]]

TYPES = {"notification": TrafficClass.TRANSACTIONAL, "marketing": TrafficClass.MARKETING}
FAULTS = {
    Fault.NOT_DRAFT: (41, 409),
    Fault.NO_AUDIENCE: (48, 400),
    Fault.NOT_SCHEDULED: (43, 409),
    Fault.NOT_DELETABLE: (42, 409),
    Fault.NO_TEST_NUMBER: (10, 400),
}


class CampaignCalls:
    """The calls of this family."""

    def __init__(self, campaigns: Campaigns, clock: Clock) -> None:
        self._campaigns = campaigns
        self._db = campaigns.db
        self._clock = clock

    def routes(self, guarded: Guarded) -> list[Route]:
        """What is served. `guarded`: makes a handler of a call that only accounts may make."""
        get, post, delete = (partial(guarded, method) for method in ("GET", "POST", "DELETE"))
        typed, one = "/{type:notification|marketing}", "/campaigns/{campaignId}"
        calls = {
            "": {**get(self._one), **delete(self._delete)},
            "/test": post(self._test),
            "/send": post(self._launch),
            "/cancel": post(self._cancel),
            "/status": get(self._figures),
            "/replies": get(self._replies),
            "/blacklists": get(self._blacklists),
        }
        routes = [
            Route("/campaigns", get(self._all)),
            Route(f"{typed}/campaigns", {**post(self._create), **get(self._all)}),
        ]
        return routes + [Route(f"{start}{one}{end}", call) for end, call in calls.items() for start in ("", typed)]

    async def _find(self, account: Account, request: Request) -> Seen | None:
        found = await self._campaigns.find(account.id, wire.token(request.variables["campaignId"]))
        return found if found is not None and found.campaign.dialect == Dialect.PRIMOTEXTO else None

    # --- written (9.1) ---------------------------------------------------------------------------------------------

    async def _create(self, account: Account, request: Request) -> Answer:
        traffic, now = TYPES[request.variables["type"]], self._clock.now()
        written = campaign_wire.parse(request.json(), traffic, now)
        found = None
        if written.list_token is not None:
            found = await lists.find(self._db, account.id, written.list_token)
        faults = written.faults + await self._campaigns.faults(account, written.draft, PRIMOTEXTO)
        given = [codes.CAMPAIGN_CODES[one.reason] for one in faults] + ([48] if found is None else [])
        if given or found is None:
            return error(codes.first_of(given, codes.CREATION))
        draft = replace(written.draft, list_id=found.id, list_token=found.token)
        try:
            token = await store.insert(self._db, account.id, Dialect.PRIMOTEXTO, draft, now)
        except store.DraftsFullError:
            return error(44)
        return answer(campaign_wire.made(token, _is_strict(request)))

    # --- tried and launched (9.2, 9.3) -----------------------------------------------------------------------------

    async def _test(self, account: Account, request: Request) -> Answer:
        given = campaign_wire.parse_test(request.body)
        found = await self._find(account, request)
        if found is None:
            return error(47)
        number = given or found.campaign.test_phone
        if not number:
            return error(10)
        once = _once(account, request)
        result = await self._campaigns.test(account, found.campaign, number, PRIMOTEXTO, once)
        return _result(result, account, codes.TEST)

    async def _launch(self, account: Account, request: Request) -> Answer:
        found = await self._find(account, request)
        if found is None:
            return error(47)
        result = await self._campaigns.launch(account, found.campaign, PRIMOTEXTO, _once(account, request))
        if isinstance(result, Fault):
            return _fault(result)
        if isinstance(result, Refused) and _nobody(result):
            return error(48)
        return _result(result, account, codes.LAUNCH)

    # --- taken back (9.4) ------------------------------------------------------------------------------------------

    async def _cancel(self, account: Account, request: Request) -> Answer:
        found = await self._find(account, request)
        if found is None:
            return error(47)
        one = found.campaign
        if found.phase not in (Phase.SCHEDULED, Phase.PAUSED) or one.submission_id is None:
            return _fault(Fault.NOT_SCHEDULED)
        verdict = await cancel_submission(self._db, account.id, one.submission_id, self._clock.now())
        if verdict is not CancelVerdict.CANCELLED:
            return _fault(Fault.NOT_SCHEDULED)
        return answer(campaign_wire.cancelled(one.token, one.cost, _unit(account)))

    async def _delete(self, account: Account, request: Request) -> Answer:
        found = await self._find(account, request)
        if found is None:
            return error(47)
        gone = await store.delete(self._db, account.id, found.campaign.id)
        return GONE if gone else _fault(Fault.NOT_DELETABLE)

    # --- read (9.5, 9.6, 6, 7.1) -----------------------------------------------------------------------------------

    async def _all(self, account: Account, request: Request) -> Answer:
        found = await store.listing(self._db, account.id, Dialect.PRIMOTEXTO)
        seen = await self._campaigns.seen(found)
        body = await asyncio.to_thread(campaign_wire.campaigns, seen, _unit(account), _is_strict(request))
        return answer(body)  # few may have megabytes

    async def _one(self, account: Account, request: Request) -> Answer:
        found = await self._find(account, request)
        if found is None:
            return error(47)
        return answer(campaign_wire.encode(campaign_wire.campaign(found, _unit(account), _is_strict(request))))

    async def _figures(self, account: Account, request: Request) -> Answer:
        found = await self._find(account, request)
        if found is None:
            return error(47)
        key = campaign_key(found.campaign.token)
        counted = await statistics.counters(self._db, account.id, Dialect.PRIMOTEXTO, key)
        linked = has_links(found.campaign.text, found.campaign.page)
        return answer(campaign_wire.figures(found, counted, _unit(account), linked=linked))

    async def _replies(self, account: Account, request: Request) -> Answer:
        found = await self._find(account, request)
        if found is None:
            return error(47)
        key = campaign_key(found.campaign.token)
        said = await snapshots.replies(self._db, account.id, Dialect.PRIMOTEXTO, key)
        return answer(await worded(wire.replies, said))

    async def _blacklists(self, account: Account, request: Request) -> Answer:
        found = await self._find(account, request)
        if found is None:
            return error(47)
        asked = (self._db, account.id, Dialect.PRIMOTEXTO, campaign_key(found.campaign.token))
        bounces, unsubscribers = await snapshots.bounces(*asked), await snapshots.unsubscribers(*asked)
        return answer(await worded(wire.blacklists, bounces, unsubscribers, account.rules.national_blacklists))


def _is_strict(request: Request) -> bool:
    return campaign_wire.is_strict(request.header(campaign_wire.SDK))


def _unit(account: Account) -> int:
    return account.price(Service.PREMIUM, "FR") or 0


def _once(account: Account, request: Request) -> Idempotency | None:
    key, unit = idempotency_key(request), _unit(account)
    if not key:
        return None
    return Idempotency(request.path, key, body_hash(request), lambda done: (200, campaign_wire.used(done.cost, unit)))


def _fault(fault: Fault) -> Answer:
    code, status = FAULTS[fault]
    return Answer(status, codes.error(code), wire.MEDIA.encode())


def _nobody(refused: Refused) -> bool:
    """Whether the lists and the rules have left nobody, and not the text."""
    reasons = {one.reason for one in refused.dropped}
    return not refused.findings and not reasons & {Reason.TEXT_LONG, Reason.TEXT_CHARACTERS, Reason.TEXT_MISSING}


def _result(result: Result, account: Account, order: tuple[int, ...]) -> Answer:
    match result:
        case Accepted():
            return answer(campaign_wire.used(result.cost, _unit(account)))
        case Refused():
            return error(codes.first_of([codes.CAMPAIGN_CODES[one.reason] for one in _told(result)], order))
        case Denied():
            barrier = of_state(result.state)
            return error(1000 if barrier is None else BARRIERS[barrier])
        case Replayed():
            return answer(result.answer, result.status)
        case KeyReused():
            return Answer(409, codes.error(73), wire.MEDIA.encode())


def _told(refused: Refused) -> list[Finding]:
    return [*refused.findings, *refused.dropped]
