"""Merge fields: `{{firstname}}` in a text becomes the first name of each contact.

The one rule: a value is put in as it is; what looks like a field inside a value stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

FIELDS = ("phone", "firstname", "lastname", "date", "url", "shorturl", "custom1", "custom2", "custom3", "custom4")
"""What a contact of a group has; those of a list have the columns of their list."""

_FIELD = re.compile(r"\{\{\s*([^{}|\s][^{}|]*?)\s*(?:\|([^{}]*))?\}\}")


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

    @property
    def names(self) -> list[str]:
        """The names of all fields, each once, in order of appearance."""
        return list(dict.fromkeys(one.name for one in self.fields))

    def render(self, values: Mapping[str, str]) -> str:
        """The text for one contact. `{{firstname|cher client}}` gives what stands behind the bar where the value is
        empty or there is none. Outer blanks of values are ignored."""
        made = [self.pieces[0]]
        for field, piece in zip(self.fields, self.pieces[1:], strict=True):
            made += (values.get(field.name, "").strip() or field.fallback, piece)
        return "".join(made)

    def renamed(self, name: Callable[[str], str]) -> Template:
        """The same under other names, e.g. the keys of columns."""
        return Template(self.pieces, tuple(Field(name(one.name), one.fallback) for one in self.fields))


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
