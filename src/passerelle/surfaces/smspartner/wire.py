"""SMS Partner on the wire: answers out, the wording of callbacks. Pure; `reading.py` is the other direction.

    POST /v1/send {"apiKey":"K","phoneNumbers":"0639980001","message":"Bonjour"}
    -> {"success":true,"code":200,"message_id":70412,"nb_sms":1,"cost":0.038,"currency":"EUR"}

One rule: names, types and order of the members are those of the contract to the letter; they differ from call to call.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from ...domain import calendar, pricing
from ...domain.account import Account
from ...domain.admission import Wanted
from ...domain.hlr import error_of
from ...domain.message import Recipient, State
from ...domain.reasons import Finding, Reason
from ...domain.text import foreign
from ...pipeline.verifications import Checked
from ...pipeline.wording import LongText
from . import codes, xml

Reply = dict[str, Any]
"""An answer as its JSON members, in order."""

MEDIA_JSON = b"application/json"

_escaped = json.JSONEncoder(separators=(",", ":")).encode


def encode(reply: Reply, is_xml: bool) -> bytes:
    """The body of an answer: ASCII-escaped JSON, or XML."""
    if is_xml:
        return xml.encode(reply)
    written = msgspec.json.encode(reply)  # what is no number, as 1e400, becomes null
    return written if written.isascii() else _escaped(msgspec.json.decode(written)).encode()


def status_of(reply: Reply) -> int:
    """The HTTP status of an answer."""
    return codes.status(reply["code"]) if reply.get("success") is False else 200


def money(micro: int) -> float | int:
    """Euros as a JSON number, trailing zeros dropped: 0.038, 0.05, 1."""
    euros = pricing.number(micro)
    return int(euros) if euros.is_integer() else euros


def local(at: datetime) -> str:
    """`YYYY-MM-DD HH:MM:SS` in Europe/Paris."""
    return at.astimezone(calendar.PARIS).strftime("%Y-%m-%d %H:%M:%S")


def epoch(at: datetime) -> str:
    """Epoch seconds as a string."""
    return str(int(at.timestamp()))


def simple(code: int, text: str = "", n: str = "") -> Reply:
    """A simple error; its text is that of the general table unless given."""
    return {"success": False, "code": code, "message": (text or codes.TEXTS[code]).replace("{n}", n)}


def constraints(entries: Sequence[tuple[str, str]]) -> Reply:
    """A list of violated constraints: (member, text), under both names that clients read."""
    listed = [{"elementId": f"children[{member}].data", "message": text} for member, text in entries]
    return {"success": False, "code": codes.CONSTRAINTS, "errors": listed, "error": listed}


def sent(message_id: int, kept: Sequence[Recipient], cost: int, due_at: datetime | None) -> Reply:
    """The answer of `send`; `due_at` only when it is scheduled or held."""
    parts = sum(to.parts for to in kept)
    reply = {
        "success": True,
        "code": 200,
        "message_id": message_id,
        "nb_sms": parts,
        "cost": money(cost),
        "currency": "EUR",
    }
    return reply if due_at is None else reply | {"scheduledDeliveryDate": local(due_at)}


def bulk_sent(
    message_id: int, kept: Sequence[Recipient], dropped: Sequence[Finding], cost: int, due_at: datetime | None
) -> Reply:
    """The answer of `bulk-send`: an item for each element of the request, in its order."""
    items = {to.position: _bulk_item(to) for to in kept} | {lost.position: _failed(lost) for lost in dropped}
    reply: Reply = {"success": True, "code": 200, "message_id": message_id, "currency": "EUR", "cost": money(cost)}
    reply["nbSMS"] = sum(to.parts for to in kept)
    if due_at is not None:
        reply["scheduledDeliveryDate"] = local(due_at)
    return reply | {"SMSResponse_List": [items[position] for position in sorted(items)]}


def _bulk_item(to: Recipient) -> Reply:
    return {
        "success": True,
        "code": 200,
        "nbSms": to.parts,
        "cost": money(to.price),
        "phoneNumber": f"+{to.phone}",
    }


def _failed(lost: Finding) -> Reply:
    text = codes.NOT_MOBILE if lost.reason is Reason.NOT_MOBILE else ""
    return simple(codes.OF_REASON[lost.reason], text, lost.subject) | {"phoneNumber": lost.subject}


def refused(
    wanted: Wanted,
    findings: Sequence[Finding],
    dropped: Sequence[Finding],
    account: Account,
    member: str = "phoneNumbers",
) -> Reply:
    """Why nothing was sent: the first fault in the order of the contract (3.12). `member`: of the list of numbers."""
    found = {codes.OF_REASON[finding.reason] for finding in findings if finding.reason not in codes.CONSTRAINT_OF}
    first = min(found, key=codes.rank, default=codes.NOBODY)
    if first not in (40, 2, 50) and (entries := _violations(wanted, findings, dropped, member)):
        return constraints(entries)
    if first == codes.NOBODY:
        return _nobody(wanted, dropped)
    return simple(first, n=_hours(account) if first == 22 else "")


def _violations(
    wanted: Wanted, findings: Sequence[Finding], dropped: Sequence[Finding], member: str
) -> list[tuple[str, str]]:
    found = [_violation(finding) for finding in findings if finding.reason in codes.CONSTRAINT_OF]
    if len(dropped) == len(wanted.items):
        found += _unusable(wanted, dropped, member)
    return sorted(found, key=lambda entry: codes.MEMBERS.index(entry[0]))


def _violation(finding: Finding, member: str = "") -> tuple[str, str]:
    own, text = codes.CONSTRAINT_OF[finding.reason]
    return member or own.replace("{n}", finding.subject), text.replace("{n}", finding.subject)


def _unusable(wanted: Wanted, dropped: Sequence[Finding], member: str) -> list[tuple[str, str]]:
    """When no recipient at all can be read: an entry for each."""
    if _shares_text(wanted):
        return [_violation(lost, member) for lost in dropped] if _all(dropped, {Reason.NUMBER_INVALID}) else []
    if not _all(dropped, {Reason.NUMBER_MISSING, Reason.NUMBER_INVALID, Reason.TEXT_MISSING}):
        return []
    entries = []
    for lost in dropped:
        if lost.reason is Reason.NUMBER_MISSING:
            entries.append(("phoneNumber", codes.TEXTS[2]))
        elif lost.reason is Reason.NUMBER_INVALID:
            entries.append(_violation(lost, "phoneNumber"))
        if lost.reason is Reason.TEXT_MISSING or not (wanted.items[lost.position][1] or "").strip():
            entries.append(("message", codes.CONSTRAINT_OF[Reason.TEXT_MISSING][1]))
    return entries


def _shares_text(wanted: Wanted) -> bool:
    """Whether the request has one text, as it was asked for: in a survey each has a link of its own in it."""
    return bool(wanted.text) or not wanted.items or wanted.items[0][1] is None


def _all(dropped: Sequence[Finding], reasons: set[Reason]) -> bool:
    return bool(dropped) and all(lost.reason in reasons for lost in dropped)


def _nobody(wanted: Wanted, dropped: Sequence[Finding]) -> Reply:
    """Code 55. A number that was repeated is told once in `send`, each time in `bulk-send`."""
    silent = Reason.DUPLICATE if _shares_text(wanted) else None
    told = [_failed(lost) for lost in sorted(dropped, key=lambda lost: lost.position) if lost.reason is not silent]
    errors = [item | {"code": str(item["code"])} for item in told]
    return simple(codes.NOBODY, n=", ".join(item["phoneNumber"] for item in told if item["phoneNumber"])) | {
        "errors": errors
    }


def _hours(account: Account) -> str:
    start, end = account.rules.quiet_end, account.rules.quiet_start
    return " et ".join(f"{at.hour}h{at.minute:02}" if at.minute else f"{at.hour}h" for at in (start, end))


# --- states and callbacks ------------------------------------------------------------------------------------------

_WAITING = frozenset({State.ACCEPTED, State.SUBMITTED, State.UNCERTAIN})
_NEVER_HANDED_OVER = frozenset({State.REFUSED, State.EXPIRED})


def state_word(state: State) -> str:
    """The word of the status calls (contract 3.11)."""
    if state in _WAITING:
        return "Waiting"
    if state is State.DELIVERED:
        return "Delivered"
    return "ko" if state in _NEVER_HANDED_OVER else "Not delivered"


def delivery_report(
    state: State, *, message_id: int, at: datetime, phone: int, cost: int, tag: str = ""
) -> dict[str, Any] | None:
    """O3, to `urlDlr` (contract 8.6); None for a state that is not told. `cost` in micro-euros.

    `waiting` (a message that was SUBMITTED) is only to be sent where the account asks for it.
    """
    if state in (State.ACCEPTED, State.CANCELLED):
        return None
    report: dict[str, Any] = {
        "status": state_word(state).lower(),
        "msgId": str(message_id),
        "date": int(at.timestamp()),
        "phone": f"+{phone}",
        "cost": pricing.text(cost),
        "currency": "EUR",
    }
    return report | {"tag": tag} if tag else report


def reply(*, stop: bool, phone: int, text: str, message_id: int, postback: str | None = None) -> dict[str, Any]:
    """O1, to `urlResponse` (contract 8.4): an answer to a message from the short code, or an opt-out."""
    told: dict[str, Any] = {
        "type": "stop" if stop else "response",
        "phone_number": f"+{phone}",
        "text": text,
        "message_id": message_id,
    }
    return told if postback is None else told | {"postbackData": postback}


def long_reply(long: LongText, *, phone: int, text: str, at: datetime) -> dict[str, Any]:
    """O2, a text to a long number (contract 8.5); of a longer one each part is told by itself."""
    keyword = next(iter(long.whole.split()), "")
    told: dict[str, Any] = {"msisdn": str(phone), "to": long.recipient, "messageId": long.uuid}
    if long.total > 1:
        keyword = keyword.upper()
        told |= {
            "concat": "true",
            "concat-ref": str(long.reference),
            "concat-total": str(long.total),
            "concat-part": str(long.part),
        }
    kind = "unicode" if foreign(long.whole) else "text"
    return told | {"text": text, "type": kind, "keyword": keyword, "message-timestamp": local(at)}


def check(checked: Checked, *, as_group: bool) -> dict[str, Any]:
    """O4, what was found of a number (contract 11.1)."""
    error = error_of(checked.found.error)
    at = checked.at.astimezone(UTC)
    return {
        "phone": f"+{checked.phone}",
        "messageId": checked.reference,
        "mccMnc": checked.found.mcc_mnc,
        "ported": int(checked.found.ported),
        "errorGrpId": error.group if as_group else error.id,
        "errorName": error.name,
        "errorDesc": error.description,
        "date": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}+0000",
    }
