"""What a number tells of itself, without asking anybody: country, kind, and how it is written.

The one rule: a number is valid here where it is valid for sending, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from .countries import french_name
from .numbers import Kind, normalise

_KINDS = {
    PhoneNumberType.MOBILE: "Mobile",
    PhoneNumberType.FIXED_LINE: "Fixed_line",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "Fixed_line_or_mobile",
    PhoneNumberType.VOIP: "Voip",
    PhoneNumberType.TOLL_FREE: "Toll_free",
    PhoneNumberType.PREMIUM_RATE: "Premium_rate",
    PhoneNumberType.SHARED_COST: "Shared_cost",
    PhoneNumberType.PERSONAL_NUMBER: "Personal_number",
    PhoneNumberType.PAGER: "Pager",
    PhoneNumberType.UAN: "Uan",
    PhoneNumberType.VOICEMAIL: "Voicemail",
}
_MAINLAND_MOBILE = ("+336", "+337")


@dataclass(frozen=True, slots=True)
class Looked:
    """A valid number. `country`: ISO 3166-1 alpha-2; `prefix`: calling code, e.g. 33; `kind`: as SMS Partner 11.2."""

    e164: str
    country: str
    name: str
    prefix: int
    kind: str
    international: str
    national: str
    rfc3966: str


def look_up(raw: str) -> Looked | None:
    """What is known of a number as typed; None for one that is not valid."""
    read = normalise(raw)
    if read is None:
        return None
    parsed = phonenumbers.parse(read.e164)
    kind = _KINDS.get(phonenumbers.number_type(parsed), "Unknown")
    if read.e164.startswith(_MAINLAND_MOBILE) or (kind == "Unknown" and read.kind is Kind.MOBILE):
        kind = "Mobile"
    return Looked(
        e164=read.e164,
        country=read.country,
        name=french_name(read.country),
        prefix=parsed.country_code or 0,
        kind=kind,
        international=phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL),
        national=phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL),
        rfc3966=phonenumbers.format_number(parsed, PhoneNumberFormat.RFC3966),
    )
