"""Lists of contacts with columns of their own (Primotexto v2, chapter 8): which values a column takes, what rows mean.

The one rule: what is kept in a column was checked here, whether it was posted or came with a file.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from . import numbers, tokens

MOST_COLUMNS = 50
MOST_ROWS = 100_000  # of an import over HTTP
LONGEST_NAME = 100  # characters of the name of a list
LONGEST_COLUMN = 50  # characters of the name of a column
FORMATS = ("dd/MM/yyyy", "dd/MM", "MM/yyyy")
HEADINGS = frozenset({"tel", "telephone", "mobile", "identifier", "number", "numero"})
"""What the column of the numbers may be called, without regard to case."""


class Kind(enum.IntEnum):
    """What a column holds; the numbers are stored."""

    STRING = 1
    DATE = 2
    NUMBER = 3


class Fault(enum.IntEnum):
    """Why a contact or a file is not taken; the numbers of the first six are stored."""

    NO_NUMBER = 1
    NUMBER_INVALID = 2
    PRESENT = 3  # in the list already, or earlier in the file
    DATE_INVALID = 4
    FIGURE_INVALID = 5  # in a column of numbers
    VALUE_INVALID = 6  # neither text nor number nor boolean
    LIST_UNKNOWN = 7
    TOO_MANY = 8  # columns, or contacts
    LIMIT = 9  # contacts posted today, or rows of a file
    NO_HEADING = 10  # no column of numbers


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list. `token`: 12 bytes; `format`: one of FORMATS for a DATE, else ''."""

    token: bytes
    name: str
    kind: Kind
    format: str = ""

    @property
    def key(self) -> str:
        """Under which its values are kept."""
        return tokens.hex24(self.token)


Columns = Mapping[str, Column]
Attributes = dict[str, str]


def is_name(value: Any, longest: int) -> bool:
    """Whether something may be the name of a list or of a column."""
    return isinstance(value, str) and 0 < len(value) <= longest and not value.isspace()


def read_phone(text: str) -> int | None:
    """E.164 without + of a number that a list may hold, fixed and foreign ones too; None for what is malformed."""
    found = numbers.normalise(text, bare_international=False)
    return None if found is None or found.kind is numbers.Kind.OTHER else int(found.e164[1:])


def plain(name: str) -> str:
    """A name as names are compared: without case and outer blanks."""
    return name.strip().casefold()


def by_name(columns: Sequence[Column]) -> dict[str, Column]:
    """Columns by their plain names; of equal names the oldest."""
    return {plain(one.name): one for one in reversed(columns)}


def by_key(columns: Sequence[Column]) -> dict[str, Column]:
    """Columns by their ids and their plain names."""
    return by_name(columns) | {one.key: one for one in columns}


def text_of(value: Any) -> str | None:
    """A value of JSON as it is kept: '' for null, None for what is no single value."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value) if isinstance(value, int) else None


def read_attributes(given: Iterable[tuple[str, str | None]], columns: Columns) -> Attributes | Fault:
    """Values by what their columns are called -> by the keys of the columns, or the first fault.

    A name that no column has is passed over, and so is an empty value.
    """
    kept: Attributes = {}
    for name, value in given:
        column = columns.get(name) or columns.get(plain(name))
        if column is None or value == "":
            continue
        fault = Fault.VALUE_INVALID if value is None else _fault(value, column)
        if fault is not None:
            return fault
        assert value is not None
        kept[column.key] = value
    return kept


_FIGURE = re.compile(r"-?[0-9]+([.,][0-9]+)?")
_DATES = {
    "dd/MM/yyyy": re.compile(r"(?P<day>\d\d)/(?P<month>\d\d)/(?P<year>\d{4})", re.ASCII),
    "dd/MM": re.compile(r"(?P<day>\d\d)/(?P<month>\d\d)", re.ASCII),
    "MM/yyyy": re.compile(r"(?P<month>\d\d)/(?P<year>\d{4})", re.ASCII),
}
_LEAP = 2000  # 29/02 is a day of some years


def _fault(value: str, column: Column) -> Fault | None:
    if column.kind is Kind.NUMBER:
        return None if _FIGURE.fullmatch(value) else Fault.FIGURE_INVALID
    return Fault.DATE_INVALID if column.kind is Kind.DATE and not _is_date(value, column.format) else None


def _is_date(value: str, form: str) -> bool:
    match = _DATES[form].fullmatch(value)
    if match is None:
        return False
    pieces = {"year": _LEAP, "day": 1} | {name: int(piece) for name, piece in match.groupdict().items()}
    try:
        date(**pieces)
    except ValueError:
        return False
    return True


# --- files -----------------------------------------------------------------------------------------------------------


def number_at(headings: Sequence[str]) -> int | None:
    """Which heading is that of the numbers; None: there is none."""
    return next((at for at, heading in enumerate(headings) if plain(heading) in HEADINGS), None)


def missing(headings: Sequence[str], at: int, columns: Sequence[Column]) -> list[str]:
    """Names of the columns that a file with these headings needs and the list has not. `at`: the numbers."""
    known = by_name(columns).keys()
    names: dict[str, str] = {}
    for place, name in enumerate(headings):
        if place != at and plain(name) and plain(name) not in known:
            names.setdefault(plain(name), name.strip())
    return list(names.values())


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file: the number as written, and E.164 without +, if it is one; the other values, or their fault."""

    line: int
    written: str
    phone: int | None
    attributes: Attributes | Fault


def read_row(line: int, cells: Sequence[str | None], headings: Sequence[str], at: int, columns: Columns) -> Row:
    """A row; cells that are missing are empty, those beyond the headings are not looked at."""
    number = cells[at] if at < len(cells) else ""
    written = "?" if number is None else number
    rest = (
        (heading, cell if cell is None else cell.strip())
        for place, (heading, cell) in enumerate(zip(headings, cells, strict=False))
        if place != at
    )
    return Row(line, written.strip(), read_phone(written), read_attributes(rest, columns))


def judge(rows: Iterable[Row], present: set[int]) -> tuple[list[Row], list[tuple[Row, Fault]]]:
    """Rows to be added, and those that are not, with the reason. `present`: numbers that the list has.

    A row that repeats one that was not taken is taken.
    """
    seen, kept, refused = set(present), [], []
    for row in rows:
        if row.phone is None:
            refused.append((row, Fault.NUMBER_INVALID if row.written else Fault.NO_NUMBER))
        elif row.phone in seen:
            refused.append((row, Fault.PRESENT))
        elif isinstance(row.attributes, Fault):
            refused.append((row, row.attributes))
        else:
            seen.add(row.phone)
            kept.append(row)
    return kept, refused
