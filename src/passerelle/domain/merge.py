"""Merge fields: `{{firstname}}` in a text becomes the first name of each contact.

The one rule: a value is put in as it is; what looks like a field inside a value stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

FIELDS = ("phone", "firstname", "lastname", "date", "url", "shorturl", "custom1", "custom2", "custom3", "custom4")

_FIELD = re.compile(r"\{\{\s*(\w+)\s*(?:\|([^{}]*))?\}\}")


def fields(text: str) -> list[str]:
    """The names of all fields of a text in lower case, known or not, in order of appearance."""
    return list(dict.fromkeys(match[1].lower() for match in _FIELD.finditer(text)))


def unknown(text: str) -> list[str]:
    """Fields that no contact has: a slip of the pen that would reach everybody."""
    return [name for name in fields(text) if name not in FIELDS]


def render(text: str, values: Mapping[str, str]) -> str:
    """The text for one contact. `{{firstname|cher client}}` gives what stands behind the bar where the value is empty.

    Outer blanks of names, values and fallbacks are ignored; unknown fields stay.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1].lower()
        if name not in FIELDS:
            return match[0]
        return values.get(name, "").strip() or (match[2] or "").strip()

    return _FIELD.sub(value, text)


def values_of(contact: Mapping[str, Any]) -> dict[str, str]:
    """What the fields of a contact say: its number in E.164, its date as `dd/mm/YYYY`."""
    day: date | None = contact["date"]
    return {
        "phone": f"+{contact['phone']}",
        "firstname": contact["firstname"],
        "lastname": contact["lastname"],
        "date": f"{day:%d/%m/%Y}" if day else "",
        "url": contact["url"],
        "shorturl": contact["short_url"],
        **{name: contact[name] for name in ("custom1", "custom2", "custom3", "custom4")},
    }
