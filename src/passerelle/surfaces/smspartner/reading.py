"""SMS Partner on the wire: requests in. Pure; `wire.py` is the other direction.

One rule: leniency lives here and in `values`, once: whoever asks for a member gets a value or its absence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

from ...domain import calendar
from ...domain.admission import Wanted
from ...domain.message import TrafficClass
from ...domain.pricing import Service
from ...domain.reasons import Finding, Reason
from ...domain.urls import is_http
from .. import values

MOST_RECIPIENTS = 500
MOST_PIECES = 20 * MOST_RECIPIENTS  # of a list of numbers, empty ones too
LONGEST_TAG = 20
LAST_NUMBER = 2**31 - 1


class _Source:
    """The members of a body or of a query. `queried`: a blank may be a `+` that was not percent-encoded."""

    __slots__ = ("_lower", "_members", "queried")

    def __init__(self, members: Mapping[str, Any], queried: bool) -> None:
        self._members = members
        self._lower: dict[str, Any] | None = None
        self.queried = queried

    def get(self, name: str) -> Any:
        """A member by its exact name, else in any case; None where it is absent, null or ''."""
        value = self._members.get(name)
        if value is not None and value != "":
            return value
        if self._lower is None:
            present = ((given.lower(), value) for given, value in self._members.items())
            self._lower = {name: value for name, value in present if value is not None and value != ""}
        return self._lower.get(name.lower())


class Members:
    """Query and body members as one; the body wins."""

    __slots__ = ("_body", "_form", "_names", "_sources")

    def __init__(self, body: Mapping[str, Any], query: Mapping[str, Any], *, form: bool = False) -> None:
        self._body = body
        self._form = form
        self._sources = (_Source(body, form), _Source(query, True))
        self._names = {name.lower() for members in (body, query) for name in members}

    def get(self, *names: str) -> Any:
        """The first of these members that is present; None where all are absent, null or ''."""
        return self._find(names)[0]

    def _find(self, names: Sequence[str]) -> tuple[Any, bool]:
        """A value, and whether it was written like a query."""
        for name in names:
            value = self._body.get(name)
            if value is not None and value != "":
                return value, self._form
            if name.lower() in self._names:
                value, queried = self._loosely(name)
                if value is not None:
                    return value, queried
        return None, False

    def _loosely(self, name: str) -> tuple[Any, bool]:
        for source in self._sources:
            value = source.get(name)
            if value is not None:
                return value, source.queried
        return None, False

    def scalar(self, name: str) -> Any:
        """The same; an object or an array counts as absent."""
        value = self.get(name)
        return None if isinstance(value, list | dict) else value

    def text(self, *names: str) -> str:
        """A string or a number as its text; '' where it is absent."""
        return values.text(self.get(*names))

    def flag(self, name: str) -> bool:
        """On or off."""
        return values.flag(self.get(name))

    def phones(self, *names: str) -> list[str]:
        """A list of numbers, blanks and empty pieces left out; of a list far too long only so many as are too many."""
        value, queried = self._find(names)
        items = value if isinstance(value, list) else [value]
        each = (piece for item in items for piece in values.text(item).split(",", MOST_PIECES))
        pieces = list(islice(each, MOST_PIECES))
        if len(pieces) == MOST_PIECES:
            return pieces[: MOST_RECIPIENTS + 1]
        return [phone for piece in pieces if (phone := _phone(piece, queried))]

    def phone(self, *names: str) -> str:
        """One number as sent, its + given back; '' where it is absent."""
        value, queried = self._find(names)
        return _phone(values.text(value), queried)

    @property
    def is_xml(self) -> bool:
        """Whether `_format` asks for XML."""
        return self.text("_format").strip().lower() == "xml"


def _phone(written: str, queried: bool) -> str:
    """In a query a leading blank is a `+` that was not percent-encoded; no international number begins with 0."""
    phone = written.strip()
    return f"+{phone}" if queried and written[:1] == " " and phone[:1] in set("123456789") else phone


def read(body: bytes, content_type: str, query: Mapping[str, str]) -> Members:
    """The members of a request (contract 2.3). Raises values.Malformed."""
    start = body.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if not start:
        return Members({}, query)
    kind = content_type.lower()
    if start[:1] not in b"{[" and kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        return _form(body, content_type, query)
    members = values.json(body)
    if not isinstance(members, dict):
        raise values.Malformed
    return Members(members, query)


def _form(body: bytes, content_type: str, query: Mapping[str, str]) -> Members:
    if len(body) > values.LARGEST_FORM:
        raise values.Malformed
    if content_type[:1] in "mM":
        return Members(values.multipart(body, content_type), query)
    return Members(values.form(body), query, form=True)


def number_of(value: Any) -> int | None:
    """A `message_id` or stop id; None for what can be none."""
    number = values.integer(value)
    return number if number is not None and 0 < number <= LAST_NUMBER else None


def parse_send(
    members: Members, now: datetime, *, bulk: bool, phones: Sequence[str] = ("phoneNumbers", "to")
) -> Wanted:
    """`send` and `bulk-send` (contract 5.1, 5.2); what is wrong is in `faults`. `phones`: members with the numbers."""
    items: list[tuple[str, str | None]]
    wanted = Wanted(items=(), traffic=None)
    if bulk:
        listed = members.get("SMSList")
        items = _bulk_items(listed) if isinstance(listed, list) else []
    else:
        items = [(phone, None) for phone in members.phones(*phones)]
        wanted.text = members.text("message")
    if not items:
        wanted.faults.append(Finding(Reason.NO_RECIPIENT))
    elif len(items) > MOST_RECIPIENTS:
        wanted.faults.append(Finding(Reason.TOO_MANY_RECIPIENTS))
    else:
        wanted.items = items
    _options(wanted, members, now)
    return wanted


def is_bulk(members: Members) -> bool:
    """Whether each recipient has a text of its own."""
    return members.get("SMSList") is not None


def _bulk_items(listed: Sequence[Any]) -> list[tuple[str, str | None]]:
    each = (Members(item if isinstance(item, dict) else {}, {}) for item in listed[: MOST_RECIPIENTS + 1])
    return [(item.phone("phoneNumber"), item.text("message")) for item in each]


def _options(wanted: Wanted, members: Members, now: datetime) -> None:
    """What `send` and `bulk-send` share."""
    wanted.sender = members.text("sender")
    wanted.unicode = members.flag("isUnicode")
    wanted.sandbox = members.flag("sandbox")
    if values.integer(members.get("gamme")) == 2:
        wanted.service = Service.ECO
    if members.flag("isStopSms"):
        wanted.stop_mention = True
        wanted.traffic = TrafficClass.MARKETING
    tag = members.text("tag")
    wanted.tag, wanted.tag_key = tag, tag.lower()
    wanted.faults += tag_faults(tag)
    wanted.due_at = _due_at(members, now, wanted.faults)
    wanted.reply_url = url_of(members, "urlResponse", wanted.faults)
    wanted.dlr_url = url_of(members, "urlDlr", wanted.faults)
    if not wanted.dlr_url and members.get("urlDlr") is None:
        wanted.dlr_url = url_of(members, "webhookUrl", [])


def tag_faults(tag: str) -> list[Finding]:
    """What is wrong with a tag (contract 3.9)."""
    faults = []
    if len(tag) > LONGEST_TAG:
        faults.append(Finding(Reason.TAG_LONG, tag))
    if any(char.isspace() for char in tag[: LONGEST_TAG + 1]):
        faults.append(Finding(Reason.TAG_INVALID, tag))
    return faults


def url_of(members: Members, name: str, faults: list[Finding]) -> str:
    """A URL, '' where there is none; one that cannot be used is a fault."""
    url = members.text(name).strip()
    if not url or is_http(url):
        return url
    faults.append(Finding(Reason.URL_INVALID, name))
    return ""


def _due_at(members: Members, now: datetime, faults: list[Finding]) -> datetime | None:
    """The sending time asked for (contract 3.7)."""
    day_given, hour_given, minute_given = (members.scalar(name) for name in ("scheduledDeliveryDate", "time", "minute"))
    if day_given is None:
        if any(given is not None and values.integer(given) != 0 for given in (hour_given, minute_given)):
            faults.append(Finding(Reason.DATE_WITHOUT_DAY))
        return None
    day = parse_day(values.text(day_given))
    if day is None:
        faults.append(Finding(Reason.DAY_INVALID))
    hour = _clock_part(hour_given, 24, Reason.HOUR_MISSING, Reason.HOUR_INVALID, faults)
    minute = _clock_part(minute_given, 59, Reason.MINUTE_MISSING, Reason.MINUTE_INVALID, faults)
    if minute is not None and minute % 5:
        faults.append(Finding(Reason.MINUTE_STEP))
    if day is None or hour is None or minute is None:
        return None
    due_at = calendar.to_utc(day, hour, minute)
    if due_at < now:
        shown = f"{values.text(day_given)} à {values.text(hour_given)}:{values.text(minute_given)}"
        faults.append(Finding(Reason.DATE_PAST, shown))
    return due_at


def _clock_part(given: Any, most: int, missing: Reason, invalid: Reason, faults: list[Finding]) -> int | None:
    """An hour or a minute; a missing one counts as 0 in what follows, an unreadable one as nothing."""
    if given is None:
        faults.append(Finding(missing))
        return 0
    number = values.integer(given)
    if number is None or not 0 <= number <= most:
        faults.append(Finding(invalid))
        return None
    return number


def parse_day(text: str, separators: str = "/") -> date | None:
    """`dd/mm/YYYY`; with other separators where they are allowed."""
    for separator in separators:
        pieces = text.strip().split(separator, 3)
        if len(pieces) == 3 and [len(piece) for piece in pieces] == [2, 2, 4] and all(map(_is_digits, pieces)):
            try:
                return date(int(pieces[2]), int(pieces[1]), int(pieces[0]))
            except ValueError:
                return None
    return None


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
