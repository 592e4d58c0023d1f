"""Contacts on the wire of SMS Partner (contract 7): their members in, rows and reports out. Pure.

One rule: the spellings of the counters (`allreadyInGroupe`, `invalidePhone`) are those of the contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ...domain import calendar
from ...domain.contact import MEMBERS, Fault, Read, read
from ...domain.tokens import read20, text20
from ...pipeline.contacts import Added
from ...store.contacts import Contact, Group
from .. import values
from . import codes, wire
from .reading import Members
from .wire import Reply

GROUP_UNKNOWN = "Groupe introuvable"
CONTACT_UNKNOWN = "Contact introuvable"
PRESENT = "Le numéro est déjà dans le groupe"

SPELLED = {name: {"phone": "phoneNumber", "short_url": "shortUrlPartnr"}.get(name, name) for name in MEMBERS}
"""Our name of a member -> that of the contract."""

_TOO_LONG = "Cette valeur est trop longue"
_CONSTRAINTS = {
    Fault.NO_NUMBER: codes.NUMBER_INVALID,
    Fault.NUMBER_INVALID: codes.NUMBER_INVALID,
    Fault.TOO_LONG: _TOO_LONG,
    Fault.DATE_INVALID: "Cette date n'est pas valide",
    Fault.URL_INVALID: "Cette URL n'est pas valide",
}
_ROWS: dict[Fault, tuple[int, str, str]] = {
    # fault of a row: its code, its text, its counter
    Fault.NO_NUMBER: (2, codes.TEXTS[2], "empty"),
    Fault.NUMBER_INVALID: (9, codes.TEXTS[9], "invalidePhone"),
    Fault.TWICE: (15, "Le numéro est en double", "duplicatePhone"),
    Fault.PRESENT: (15, PRESENT, "allreadyInGroupe"),
    Fault.OPTED_OUT: (14, codes.TEXTS[14], "stopSms"),
    Fault.DEAD: (9, codes.TEXTS[9], "unactivated"),
    Fault.URL_INVALID: (9, _CONSTRAINTS[Fault.URL_INVALID], "urlInvalide"),
    Fault.DATE_INVALID: (9, _CONSTRAINTS[Fault.DATE_INVALID], "dateInvalide"),
    Fault.TOO_LONG: (9, _TOO_LONG, ""),  # the contract counts none
}
COUNTERS = (
    "stopSms",
    "invalidePhone",
    "duplicatePhone",
    "allreadyInGroupe",
    "urlInvalide",
    "dateInvalide",
    "empty",
    "unactivated",
    "dateInvalid",
)


def group_key(given: Any) -> int | bytes | None:
    """The string id of a group, or its decimal number; None for what can be neither."""
    token = read20(values.text(given).strip())
    if token is not None:
        return token
    number = values.integer(given)
    return number if number is not None and 0 < number < 2**31 else None


def contact_key(given: Any) -> bytes | None:
    """The string id of a contact."""
    return read20(values.text(given).strip())


def given(contact: Any, *, clearing: bool = False) -> dict[str, str]:
    """The members of a contact that were sent, by our names; with `clearing` the empty ones too."""
    if not isinstance(contact, dict):
        return {}
    members = Members(contact, {})
    sent = {name: members.text(spelled) for name, spelled in SPELLED.items() if members.scalar(spelled) is not None}
    if clearing:
        cleared = {name.lower() for name, value in contact.items() if value == ""}
        sent |= {name: "" for name, spelled in SPELLED.items() if spelled.lower() in cleared and name not in sent}
    return sent


def constraints(found: Read, sent: Mapping[str, str]) -> Reply:
    """The list of what is wrong."""
    return wire.constraints([
        (SPELLED[member], _CONSTRAINTS[fault].replace("{n}", sent.get(member, ""))) for member, fault in found.faults
    ])  # fmt: skip


def name_too_long() -> Reply:
    """The name of a group is."""
    return wire.constraints([("name", _TOO_LONG)])


def stored(found: Read, token: bytes) -> Reply:
    """The answer of `contact/add` and `contact/update`: the members sent, then the id."""
    told = {SPELLED[member]: _told(member, found.values[member]) for member in MEMBERS if member in found.values}
    return {"success": True, "code": 200, "contact": told | {"contactId": text20(token)}}


def _told(member: str, value: Any) -> str:
    if member == "phone":
        return f"+{value}"
    return ("" if value is None else value.isoformat()) if member == "date" else str(value)


def report(group: Group, sent: Sequence[Mapping[str, str]], reads: Sequence[Read], added: Sequence[Added]) -> Reply:
    """The answer of a bulk addition (7.5)."""
    counts = dict.fromkeys(COUNTERS, 0)
    rows = []
    for given, found, one in zip(sent, reads, added, strict=True):
        phone = f"+{found.values['phone']}" if "phone" in found.values else given.get("phone", "")
        if one.fault is None and one.token is not None:
            rows.append({"success": True, "code": 200, "phoneNumber": phone, "contactId": text20(one.token)})
            continue
        code, text, counter = _ROWS[one.fault or Fault.PRESENT]
        rows.append({"success": False, "code": code, "phoneNumber": phone, "message": text.replace("{n}", phone)})
        if counter:
            counts[counter] += 1
    counts["dateInvalid"] = counts["dateInvalide"]
    imported = sum(row["success"] is True for row in rows)
    return {
        "groupe": {"name": group.name, "token": text20(group.token)},
        "results": rows,
        "rapport": {"nbline": len(rows), "nbline_imported": imported, "nbline_updated": 0, "errors": counts},
    }


def read_all(sent: Sequence[Mapping[str, str]]) -> list[Read]:
    """Check the rows of a list."""
    return [read(one) for one in sent]


def iso(at: datetime) -> str:
    """`2026-11-12T09:15:30+01:00`, in Paris."""
    return at.astimezone(calendar.PARIS).isoformat(timespec="seconds")


def group_row(group: Group) -> Reply:
    """A row of `group/list`."""
    return {
        "id": text20(group.token),
        "name": group.name,
        "createdAt": iso(group.created_at),
        "isSpecialFile": group.special,
        "isLocationFile": group.rented,
    }


def contact_row(contact: Contact, short_url: str) -> Reply:
    """A row of `contact/list`; `short_url`: made for its link where it has none of its own."""
    return {
        "contactId": text20(contact.token),
        "phone": f"+{contact.phone}",
        "firstname": contact.firstname,
        "lastname": contact.lastname,
        "url": contact.url,
        "shortUrl": contact.short_url or short_url,
        "date": contact.date.isoformat() if contact.date else "",
        "custom1": contact.custom1,
        "custom2": contact.custom2,
        "custom3": contact.custom3,
        "custom4": contact.custom4,
        "createdAt": iso(contact.created_at),
        "stopSms": contact.stopped,
    }
