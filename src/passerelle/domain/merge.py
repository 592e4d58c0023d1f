"""Merge fields: where a text has them, and what the contacts of a group have for them (see domain.campaigns.Copy).

The one rule: a field is `{{name}}` or `{{name|what stands for a value that is missing}}`, and nothing else is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

FIELDS = ("phone", "firstname", "lastname", "date", "url", "shorturl", "custom1", "custom2", "custom3", "custom4")
"""What a contact of a group has; those of a list have the columns of their list."""

_FIELD = re.compile(r"\{\{\s*([^{}|\s][^{}|]*)(?:\|([^{}]*))?\}\}")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a text: its name as names are compared, and what stands for a value that is missing."""

    name: str
    fallback: str


@dataclass(frozen=True, slots=True)
class Template:
    """A text cut at its fields: a piece of text before each, and one behind the last."""

    pieces: tuple[str, ...]
    fields: tuple[Field, ...]


def template(text: str) -> Template:
    """Cut a text at its fields. Names are compared without case and outer blanks; fallbacks lose their outer blanks."""
    pieces, fields, at = [], [], 0
    for match in _FIELD.finditer(text):
        pieces.append(text[at : match.start()])
        fields.append(Field(match[1].strip().casefold(), (match[2] or "").strip()))
        at = match.end()
    return Template((*pieces, text[at:]), tuple(fields))


def values_of(contact: Mapping[str, Any]) -> dict[str, str]:
    """What the fields of a contact of a group say: its number in E.164, its date as `dd/mm/YYYY`."""
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
