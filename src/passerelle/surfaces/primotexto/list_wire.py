"""How calls on lists are read, and how lists, columns and contacts are shaped (contract, chapter 8).

Pure. One rule: a contact has the members `id`, `identifier` and `attributes`, and never another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from ...domain import lists
from ...domain.lists import FORMATS, LONGEST_COLUMN, LONGEST_NAME, MOST_COLUMNS, MOST_ROWS, Column, Kind
from ...domain.tokens import hex24
from ...pipeline.list_import import Cells, Posted, pack
from ...store.imports import State
from ...store.lists import ContactList, Member
from ...store.operations import Operation
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


# --- an import (8.4) -----------------------------------------------------------------------------------------------

MOST_BRACKETS = 1_000_000  # more than 10 MiB hold of rows with a number each
WIDEST = 1_000  # headings that are looked at: a list has at most 50 columns

_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode


def parse_import(body: bytes) -> Posted:
    """Rows as arrays under a first one of headings, or as objects. Slow: for a thread. Raises values.Malformed.

    Beyond what an import may have, rows are counted and not looked at.
    """
    raws = _cut(body)
    first = values.json(bytes(raws[0])) if raws else []
    if isinstance(first, dict):
        headings, rows = _of_objects(raws[:MOST_ROWS])
        packed, _ = pack(rows)
        return Posted(list(headings.values()), packed, len(raws))
    if not isinstance(first, list):
        raise values.Malformed
    packed, _ = pack(_of_arrays(raws[1 : MOST_ROWS + 1]))
    return Posted([_heading(cell) for cell in first[:WIDEST]], packed, max(0, len(raws) - 1))


def _cut(body: bytes) -> Sequence[bytes | msgspec.Raw]:
    """The rows, unread. Raises values.Malformed."""
    if body.count(b"[") + body.count(b"{") > MOST_BRACKETS:
        raise values.Malformed
    try:
        return _raws(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError):
        rows = values.json(body)  # a lone surrogate is JSON by its grammar
    if not isinstance(rows, list):
        raise values.Malformed
    return list(map(encode, rows))


def _of_arrays(raws: Iterable[bytes | msgspec.Raw]) -> Iterator[Cells]:
    for raw in raws:
        row = values.json(bytes(raw))
        if not isinstance(row, list):
            raise values.Malformed
        yield [lists.text_of(cell) for cell in row[:WIDEST]]


def _of_objects(raws: Sequence[bytes | msgspec.Raw]) -> tuple[dict[str, str], Iterator[Cells]]:
    """The headings, by their plain names, which are all there when the rows have been taken."""
    headings: dict[str, str] = {}
    places: dict[str, int] = {}

    def rows() -> Iterator[Cells]:
        for raw in raws:
            row = values.json(bytes(raw))
            if not isinstance(row, dict):
                raise values.Malformed
            for name in row:
                if name not in places:
                    _place(name, headings, places)
            cells: list[str | None] = [""] * len(headings)
            for name, value in row.items():
                if places[name] >= 0 and value not in ("", None):
                    cells[places[name]] = lists.text_of(value)
            yield cells

    return headings, rows()


def _place(name: str, headings: dict[str, str], places: dict[str, int]) -> None:
    """Where the values of a name go: with those of the same plain name; -1 where there are far too many names."""
    folded = lists.plain(_heading(name))
    if folded not in headings and (len(headings) <= MOST_COLUMNS + 1 or folded in lists.HEADINGS):
        headings[folded] = name
    places[name] = list(headings).index(folded) if folded in headings else -1


def _heading(cell: Any) -> str:
    """Raises values.Malformed for what cannot be the name of a column."""
    text = lists.text_of(cell)
    if text is None or len(text.strip()) > LONGEST_COLUMN:
        raise values.Malformed
    return text


STATES = {State.OPEN: "RUNNING", State.DONE: "FINISHED", State.FAILED: "FAILED"}


def operation(one: Operation) -> bytes:
    """How far an import is."""
    told = {
        "id": hex24(one.token),
        "state": STATES[State(one.state)],
        "total": one.total,
        "imported": one.imported,
        "duplicates": one.duplicates,
        "invalid": one.invalid,
    }
    return encode(told | ({"reason": one.reason} if one.state == State.FAILED else {}))


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
