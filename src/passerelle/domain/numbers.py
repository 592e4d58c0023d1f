"""Phone numbers: one reading for every dialect, and what a number tells (country, kind, zone).

One rule: a number is stored, compared and billed in E.164 only, and reading that form again changes nothing.
"""

from __future__ import annotations

import enum
import re
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberType


class Kind(enum.IntEnum):
    """What a number is; only a MOBILE receives SMS."""

    MOBILE = 1
    FIXED = 2
    OTHER = 3


class Number(NamedTuple):
    """A valid number: E.164 with its "+", ISO 3166 alpha-2 country ("001" for a worldwide network), kind."""

    e164: str
    country: str
    kind: Kind


LONGEST = 100  # characters of a number as typed

# France, its overseas departments, and the islands that share the code or the numbering of one.
DOMESTIC = frozenset({"FR", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF"})

_KINDS = {
    PhoneNumberType.MOBILE: Kind.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: Kind.MOBILE,
    PhoneNumberType.FIXED_LINE: Kind.FIXED,
    PhoneNumberType.VOIP: Kind.FIXED,  # the 09 ranges count as fixed lines
}

# Blanks (no-break and zero-width ones too), dots, dashes, slashes, brackets.
_STRIPPED = dict.fromkeys(
    [*b"\t\n\v\f\r ./()[]-", 0x00A0, 0x1680, *range(0x2000, 0x2016), 0x202F, 0x205F, 0x2060, 0x2212, 0x3000, 0xFEFF]
)
_DIGITS = re.compile(r"\+?[0-9]+")
_E164 = re.compile(r"\+[0-9]{8,15}")
# A mainland mobile with nothing to clean. Typed nationally, 069x and 0639 may be overseas: only the sure ones are here.
_PLAIN_MOBILE = re.compile(
    r"(?:\+33|0033|33)([67][0-9]{8})"
    r"|0(7[0-9]{8}|6(?:[0-24-8][0-9]{7}|3(?:[0-8][0-9]{6}|998[0-9]{4})|9[589][0-9]{6}))"
)
_FRENCH_MOBILE = re.compile(r"\+33[67][0-9]{8}")
# Typed nationally, the overseas departments keep their own code: mobiles and fixed lines.
_OVERSEAS_CODES = {
    **dict.fromkeys(("0590", "0690", "0691"), "+590"),
    **dict.fromkeys(("0594", "0694"), "+594"),
    **dict.fromkeys(("0596", "0696", "0697"), "+596"),
    **dict.fromkeys(("0262", "0269", "0639", "0692", "0693"), "+262"),
}
_OVERSEAS_MOBILES = {
    "+590690": "GP",
    "+590691": "GP",
    "+594694": "GF",
    "+596696": "MQ",
    "+596697": "MQ",
    "+262692": "RE",
    "+262693": "RE",
    "+262639": "YT",
}
_ZONES = {
    "GP": "America/Guadeloupe",
    "BL": "America/Guadeloupe",
    "MF": "America/Guadeloupe",
    "MQ": "America/Martinique",
    "GF": "America/Cayenne",
    "RE": "Indian/Reunion",
    "YT": "Indian/Mayotte",
    "PM": "America/Miquelon",
    "NC": "Pacific/Noumea",
    "PF": "Pacific/Tahiti",
    "WF": "Pacific/Wallis",
}


def normalise(raw: str, bare_international: bool = True) -> Number | None:
    """The number that a person or a program meant; None if it cannot be read or is not valid. Never raises.

    Valid: `+336`, `+337` and 8 digits, a mobile prefix of an overseas department and 6 digits, else what libphonenumber
    accepts. `bare_international` reads other digits without "+" as an international number.
    """
    plain = _PLAIN_MOBILE.fullmatch(raw)
    if plain:
        return Number("+33" + (plain[1] or plain[2]), "FR", Kind.MOBILE)
    e164 = clean(raw, bare_international)
    return None if e164 is None else _judge(e164)


def clean(raw: str, bare_international: bool = True) -> str | None:
    """The form "+" and 8 to 15 digits of what was typed, valid or not; None if it has none."""
    kept = raw[:LONGEST].translate(_STRIPPED)
    if len(raw) > LONGEST or not _DIGITS.fullmatch(kept):
        return None
    international = _international(kept, bare_international)
    return international if _E164.fullmatch(international) else None


def _international(kept: str, bare_international: bool) -> str:
    if kept.startswith("00"):
        kept = "+" + kept[2:]
    elif len(kept) == 10 and kept.startswith("0"):
        return _from_national(kept)
    elif kept[0] != "+" and (bare_international or (len(kept) == 11 and kept.startswith("33"))):
        kept = "+" + kept
    return "+33" + kept[4:] if kept.startswith("+330") else kept


def _from_national(kept: str) -> str:
    mainland = kept.startswith("063998")  # kept free for fiction in mainland France
    return ("+33" if mainland else _OVERSEAS_CODES.get(kept[:4], "+33")) + kept[1:]


@lru_cache(maxsize=65_536)
def _judge(e164: str) -> Number | None:
    if _FRENCH_MOBILE.fullmatch(e164):
        return Number(e164, "FR", Kind.MOBILE)
    overseas = _OVERSEAS_MOBILES.get(e164[:7])
    if overseas and len(e164) == 13:
        return Number(e164, overseas, Kind.MOBILE)
    return _look_up(e164)


def _look_up(e164: str) -> Number | None:
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return None
    country = phonenumbers.region_code_for_number(parsed)
    if country is None or not phonenumbers.is_valid_number(parsed):
        return None
    spelled = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if not _E164.fullmatch(spelled):
        return None
    return Number(spelled, country, _KINDS.get(phonenumbers.number_type(parsed), Kind.OTHER))


def is_domestic(country: str) -> bool:
    """Whether a country counts as France for rights and prices."""
    return country in DOMESTIC


def national(e164: str) -> str:
    """A `+33` number as it is dialled in France (`0612345678`); any other unchanged."""
    return "0" + e164[3:] if e164.startswith("+33") else e164


def zone_of(e164: str) -> str:
    """IANA zone whose quiet hours protect the holder: that of an overseas territory, else Europe/Paris."""
    number = None if e164.startswith("+33") else normalise(e164)
    return "Europe/Paris" if number is None else _ZONES.get(number.country, "Europe/Paris")
