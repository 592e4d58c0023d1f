"""What became of messages, and what they cost (contract 6).

One rule: the same fact has another name and another type in each of these calls; they are never made alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from ...domain import calendar, numbers, pricing
from ...domain.message import Dialect, State
from ...store import statistics
from ...store import status as store
from ...store.status import Status
from .. import values
from ..door import Rate
from . import wire
from .calls import GET, GET_POST, Call, Entry, Services
from .reading import MOST_RECIPIENTS, Members, number_of, parse_day
from .wire import Reply

PAGE = 500
MESSAGE_MISSING = "L'identifiant du message est requis"
NOT_FOUND = "Numéro introuvable"


def _date(row: Status, call: Call) -> str:
    shown = wire.local if call.account.rules.status_date == "datetime" else wire.epoch
    return shown(row.state_at)


async def message_status(services: Services, call: Call) -> Reply:
    """GET `message-status`: one message of one number."""
    phone, given = call.members.phone("phoneNumber"), call.members.scalar("messageId")
    if not phone:
        return wire.simple(2)
    if given is None:
        return wire.simple(3, MESSAGE_MISSING)
    read = numbers.normalise(phone)
    if read is None:
        return wire.simple(6, "Le format du numéro n'est pas valide")
    pair = number_of(given) or 0, int(read.e164[1:])
    row = (await store.of_pairs(services.db, call.account.id, Dialect.SMSPARTNER, [pair])).get(pair)
    if row is None:
        return wire.simple(4)
    return {
        "success": True,
        "code": 200,
        "number": phone,
        "messageId": str(row.number),
        "stopSms": row.stopped,
        "date": _date(row, call),
        "statut": wire.state_word(State(row.state)),
        "cost": wire.money(row.price),
        "countryCode": row.country,
        "currency": "EUR",
    }


async def multi_status(services: Services, call: Call) -> Reply:
    """POST `multi-status`: many pairs of number and message, in one query."""
    listed = call.members.get("SMSStatut_List", "SMSStatus_List")
    if not isinstance(listed, list) or not listed:
        return wire.simple(5, "La liste des numéros est vide")
    if len(listed) > MOST_RECIPIENTS:
        return wire.simple(50)
    asked = [Members(item if isinstance(item, dict) else {}, {}) for item in listed]
    pairs = [_pair(item) for item in asked]
    rows = await store.of_pairs(services.db, call.account.id, Dialect.SMSPARTNER, [pair for pair in pairs if pair])
    answers = [_pair_answer(item, pair, rows, call) for item, pair in zip(asked, pairs, strict=True)]
    return {"success": True, "code": 200, "StatutResponse_List": answers}


def _pair(item: Members) -> tuple[int, int] | None:
    read, number = numbers.normalise(item.phone("phoneNumber")), number_of(item.scalar("messageId"))
    return (number, int(read.e164[1:])) if read and number else None


def _pair_answer(
    item: Members, pair: tuple[int, int] | None, rows: Mapping[tuple[int, int], Status], call: Call
) -> Reply:
    row = rows.get(pair) if pair else None
    if row is None:
        return _pair_fault(item)
    return {
        "success": True,
        "code": 200,
        "phoneNumber": f"+{row.phone}",
        "messageId": row.number,
        "status": wire.state_word(State(row.state)),
        "date": _date(row, call),
        "stopSms": "1" if row.stopped else "0",
        "isSpam": "1" if row.spam else "0",
    }


def _pair_fault(item: Members) -> Reply:
    phone, given = item.phone("phoneNumber"), item.scalar("messageId")
    code, text = 4, NOT_FOUND
    if not phone:
        code, text = 2, "Le numéro de téléphone est requis"
    elif given is None:
        code, text = 3, MESSAGE_MISSING
    read, number = numbers.normalise(phone), number_of(given)
    shown = given if number is None else number
    return {
        "success": False,
        "code": code,
        "phoneNumber": read.e164 if read else phone,
        "messageId": shown,
        "status": text,
    }


async def bulk_status(services: Services, call: Call) -> Reply:
    """GET `bulk-status`: all recipients of one request."""
    given = call.members.scalar("messageId")
    if given is None:
        return wire.simple(3, MESSAGE_MISSING)
    number = number_of(given)
    rows = await store.of_submission(services.db, call.account.id, Dialect.SMSPARTNER, number) if number else []
    if not rows:
        return wire.simple(4)
    listed = [_listed(row, call) | {"cost": wire.money(row.price), "currency": "EUR"} for row in rows]
    return {"success": True, "code": 200, "message_id": str(number), "StatutResponse_List": listed}


def _listed(row: Status, call: Call) -> Reply:
    return {
        "phoneNumber": f"+{row.phone}",
        "status": wire.state_word(State(row.state)),
        "stopSMS": row.stopped,
        "date": _date(row, call),
    }


async def bulk_status_by_tag(services: Services, call: Call) -> Reply:
    """GET `bulk-status-by-tag`: a page of 500."""
    tag = call.members.text("tag").lower()
    if not tag:
        return wire.simple(3, "Le tag est requis")
    total = await store.tag_messages(services.db, call.account.id, Dialect.SMSPARTNER, tag)
    if not total:
        return wire.simple(4, "Aucun message pour ce tag")
    page = max(1, values.integer(call.members.scalar("page")) or 1)
    skip, rows = (page - 1) * PAGE, []
    if skip < total:
        rows = await store.of_tag(services.db, call.account.id, Dialect.SMSPARTNER, tag, skip=skip, limit=PAGE)
    listed = [_listed(row, call) for row in rows]
    return {"success": True, "code": 200, "currentPage": page, "total": total, "StatutResponse_List": listed}


# --- statistics ----------------------------------------------------------------------------------------------------

MOST_DAYS = 366
_DAY = timedelta(days=1)
_FROM_INVALID = ("from", "La date de début n'est pas valide")
_TO_INVALID = ("to", "La date de fin n'est pas valide")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip


async def cost_resume(services: Services, call: Call) -> Reply:
    """GET `statistics/cost-resume`: what left and what it cost, by month or by day."""
    now = services.clock.now()
    interval = call.members.text("interval")
    if interval == "last_twelve_months":
        days, kind = [date(year, month, 1) for year, month in calendar.last_twelve_months(now)], "month"
        end = (days[-1] + 31 * _DAY).replace(day=1)
    elif interval == "last_month":
        days, kind = calendar.previous_month(now), "day"
        end = days[-1] + _DAY
    else:
        found = _custom(call.members) if interval == "custom" else [("interval", "L'intervalle n'est pas valide")]
        if isinstance(found, list):
            return wire.constraints(found)
        days, kind = [found[0] + after * _DAY for after in range((found[1] - found[0]).days + 1)], "day"
        end = found[1] + _DAY
    boundaries = [calendar.to_utc(day, 0) for day in [*days, end]]
    rows = await statistics.cost_rows(services.db, call.account.id, Dialect.SMSPARTNER, boundaries, now)
    return {"success": True, "datas": _periods(days, boundaries, kind, rows)}


def _custom(members: Members) -> tuple[date, date] | list[tuple[str, str]]:
    """First and last day, both included, or what is wrong with them."""
    first, last = (parse_day(members.text(name), "-/") for name in ("from", "to"))
    if first is None or last is None:
        return [fault for day, fault in ((first, _FROM_INVALID), (last, _TO_INVALID)) if day is None]
    if not 0 <= (last - first).days < MOST_DAYS or last == date.max:
        return [_TO_INVALID]
    return first, last


def _periods(
    days: Sequence[date], boundaries: Sequence[datetime], kind: str, rows: Sequence[tuple[int, int]]
) -> list[dict[str, Any]]:
    return [
        {
            "month": _MONTHS[day.month - 1],
            "year": str(day.year),
            "m": f"{day.month:02}",
            "date": int(midnight.timestamp()),
            "type": kind,
            "cost": pricing.text(cost),
            "nb_send": str(parts),
        }
        for day, midnight, (parts, cost) in zip(days, boundaries, rows, strict=False)
    ]


ENTRIES = (
    Entry("/message-status", message_status, GET),
    Entry("/multi-status", multi_status, GET_POST),
    Entry("/bulk-status", bulk_status, GET),
    Entry("/bulk-status-by-tag", bulk_status_by_tag, GET),
    Entry("/statistics/cost-resume", cost_resume, GET, rate=Rate("cost-resume", 5)),
)
