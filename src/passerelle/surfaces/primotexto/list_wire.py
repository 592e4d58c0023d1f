"""How calls on lists are read, and how lists, columns and contacts are shaped (contract, chapter 8).

Pure. One rule: a contact has the members `id`, `identifier` and `attributes`, and never another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec

from ...domain import lists
from ...domain.lists import FORMATS, LONGEST_COLUMN, LONGEST_NAME, Column, Kind
from ...domain.tokens import hex24
from ...store.lists import ContactList, Member
from .. import values
from .wire import posted_identifier

encode = msgspec.json.encode

Given = list[tuple[str, str | None]]


class Wrong(Exception):
    """A member is wrong: its code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


# --- reading -------------------------------------------------------------------------------------------------------


def members(body: Any) -> dict[str, Any]:
    """The members of a body. Raises values.Malformed where it is no object."""
    if not isinstance(body, dict):
        raise values.Malformed
    return body


def parse_name(body: Any) -> str:
    """The name of a new list (8.1). Raises values.Malformed (73)."""
    name = members(body).get("name")
    if not lists.is_name(name, LONGEST_NAME):
        raise values.Malformed
    return str(name)


def parse_column(given: dict[str, Any]) -> tuple[str, Kind, str]:
    """Name, kind and format of a new column (8.2). Raises Wrong."""
    name, kind, form = given.get("name"), given.get("type"), given.get("format")
    if not lists.is_name(name, LONGEST_COLUMN):
        raise Wrong(73)
    if not isinstance(kind, str) or kind.upper() not in Kind.__members__:
        raise Wrong(73)
    if Kind[kind.upper()] is not Kind.DATE:
        return str(name), Kind[kind.upper()], ""
    if not isinstance(form, str) or form not in FORMATS:
        raise Wrong(61)
    return str(name), Kind.DATE, str(form)


def parse_contact(body: Any) -> tuple[str, Given]:
    """The number of a new contact and its values (8.3); None for a value that is none. Raises values.Malformed."""
    given = members(body).get("attributes")
    if given in (None, "", []):
        given = {}
    if not isinstance(given, dict):
        raise values.Malformed
    return posted_identifier(body), [(name, lists.text_of(value)) for name, value in given.items()]


# --- writing -------------------------------------------------------------------------------------------------------


def made(token: bytes) -> bytes:
    """The answer to a new list or contact."""
    return encode({"id": hex24(token)})


def column(one: Column, list_token: bytes) -> bytes:
    """The answer to a new column."""
    return encode(_column(one, list_token))


def columns(found: Iterable[Column], list_token: bytes) -> bytes:
    """The columns of a list (8.2)."""
    return encode([_column(one, list_token) for one in found])


def contact_list(one: ContactList, found: Iterable[Column]) -> bytes:
    """A list (8.1)."""
    return encode(_list(one, found))


def contact_lists(found: Iterable[ContactList], by_list: dict[int, list[Column]]) -> bytes:
    """All lists."""
    return encode([_list(one, by_list.get(one.id, ())) for one in found])


def contacts(found: Sequence[Member], keys: Collection[str]) -> bytes:
    """Some contacts, without the brackets of an array. `keys`: of the columns that there are."""
    return encode([_contact(one, keys) for one in found])[1:-1]


def _list(one: ContactList, found: Iterable[Column]) -> dict[str, Any]:
    fields = [_column(each, one.token) for each in found]
    return {"id": hex24(one.token), "name": one.name, "fields": fields}


def _column(one: Column, list_token: bytes) -> dict[str, Any]:
    told = {"id": one.key, "name": one.name, "type": one.kind.name, "listId": hex24(list_token)}
    return told | ({"format": one.format} if one.kind is Kind.DATE else {})


def _contact(one: Member, keys: Collection[str]) -> dict[str, Any]:
    kept = {key: value for key, value in one.attributes.items() if key in keys}
    return {"id": hex24(one.token), "identifier": f"+{one.phone}", "attributes": kept}
