"""Reading what clients send: JSON, forms and queries into values, with the slips of real programs forgiven.

One rule: U+0000 never gets past here (PostgreSQL keeps no such text), and nothing a client sends raises but Malformed.
Reading is one step of the event loop: what would take it longer than some milliseconds is Malformed too.
"""

from __future__ import annotations

import json as _stdlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

import msgspec

_BOM = b"\xef\xbb\xbf"
_decode = msgspec.json.Decoder().decode

SMALL = 64 * 1024  # bytes of JSON that are quick to read, whatever they hold
MOST_PIECES = 250_000  # brackets, quotes and commas of a larger one; 500 long texts have some ten thousands
LARGEST_FORM = 128 * 1024  # bytes; 500 numbers and a long text, escaped, are 20,000
MOST_FIELDS = 1_000


class Malformed(Exception):
    """A body that is not JSON, that was cut short, or that would take too long to read."""


def json(body: bytes) -> Any:
    """The value of a JSON text in UTF-8; a leading BOM is dropped. Raises Malformed."""
    if body[:3] == _BOM:
        body = body[3:]
    _refuse_more_pieces(body, MOST_PIECES)
    try:
        if b"u0000" not in body:
            return _decode(body)
        return _patient(body)
    except msgspec.ValidationError:
        return _patient(body)
    except (ValueError, RecursionError) as error:
        # A lone surrogate is JSON by its grammar, though no text.
        if b"\\ud" in body or b"\\uD" in body:
            return _patient(body)
        raise Malformed from error


def _patient(body: bytes) -> Any:
    """Numbers beyond all bounds and texts that no database takes: rare, so slow and by the book."""
    _refuse_more_pieces(body, MOST_PIECES // 4)
    try:
        return _clean(_stdlib.loads(body.decode(), parse_constant=_no_constant, parse_int=_integer))
    except (ValueError, RecursionError) as error:
        raise Malformed from error


def _refuse_more_pieces(body: bytes, most: int) -> None:
    """A value costs hundreds of times what a character of a text costs. Raises Malformed."""
    if len(body) > SMALL and sum(map(body.count, (b"[", b"{", b'"', b","))) > most:
        raise Malformed


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 40 else float("inf")


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(name): _clean(item) for name, item in value.items()}
    return value


def form(raw: bytes) -> dict[str, str]:
    """The fields of a query string or of a form body, the first thousand; of a repeated name the last.

    Leading `?` of a name are dropped, `+` is a blank, an invalid escape stays as it is, names without value are ''.
    """
    fields: dict[str, str] = {}
    for piece in raw.decode("utf-8", "replace").split("&", MOST_FIELDS)[:MOST_FIELDS]:
        if piece:
            name, _, value = piece.partition("=")
            fields[_unquoted(name).lstrip("?")] = _unquoted(value)
    return fields


def _unquoted(text: str) -> str:
    if "%" in text or "+" in text:
        text = unquote_plus(text)
    return text.replace("\0", "") if "\0" in text else text


_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,70})', re.IGNORECASE)
_FIELD = re.compile(rb'content-disposition:[^\r\n]{0,200}?[;\s]name="?([^";\r\n]{1,200})', re.IGNORECASE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


def multipart(body: bytes, content_type: str) -> dict[str, str]:
    """The fields of a multipart form (RFC 7578); of a repeated name the last. Raises Malformed."""
    boundary = _BOUNDARY.search(content_type[:SMALL])
    if boundary is None or len(body) > LARGEST_FORM:
        raise Malformed
    _, *pieces = body.split(b"--" + boundary[1].encode("latin-1", "replace"), MOST_FIELDS)
    if not pieces:
        raise Malformed
    fields: dict[str, str] = {}
    for piece in pieces:
        head, *rest = _BLANK_LINE.split(piece, 1)
        named = _FIELD.search(head)
        if named is not None and rest:
            fields[_plain(named[1])] = _plain(rest[0].removesuffix(b"\n").removesuffix(b"\r"))
    return fields


def _plain(octets: bytes) -> str:
    return octets.decode("utf-8", "replace").replace("\0", "")


# --- members and their values --------------------------------------------------------------------------------------


def member(members: Mapping[str, Any], name: str) -> Any:
    """A member by its exact name, else without regard to case; None where it is absent, null or ''."""
    value = members.get(name)
    if value is None and name not in members:
        value = _any_case(members, name)
    return None if value == "" else value


def _any_case(members: Mapping[str, Any], name: str) -> Any:
    wanted = name.lower()
    for given, value in members.items():
        if given.lower() == wanted:
            return value
    return None


def text(value: Any) -> str:
    """A string, or a number as its text; '' for all else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def flag(value: Any) -> bool:
    """On: 1, "1", true, "true"; everything else is off."""
    return value is True or (isinstance(value, int | float) and value == 1) or value in ("1", "true")


_DIGITS = re.compile(r"[+-]?[0-9]{1,18}")


def integer(value: Any) -> int | None:
    """A whole number, or a string of digits with blanks around it; None for all else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < 10**18 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else None
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        return int(value.strip())
    return None
