"""Reading what clients send: JSON, forms and queries into values, with the slips of real programs forgiven.

One rule: U+0000 never gets past here (PostgreSQL keeps no such text), and nothing a client sends raises but Malformed.
"""

from __future__ import annotations

import email.parser
import email.policy
import json as _stdlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

import msgspec

_BOM = b"\xef\xbb\xbf"
_decode = msgspec.json.Decoder().decode


class Malformed(Exception):
    """A body that is not JSON, or that was cut short."""


def json(body: bytes) -> Any:
    """The value of a JSON text in UTF-8; a leading BOM is dropped. Raises Malformed."""
    if body[:3] == _BOM:
        body = body[3:]
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
    try:
        return _clean(_stdlib.loads(body.decode(), parse_constant=_no_constant, parse_int=_integer))
    except (ValueError, RecursionError) as error:
        raise Malformed from error


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
    """The fields of a query string or of a form body; of a repeated name the last.

    Leading `?` of a name are dropped, `+` is a blank, an invalid escape stays as it is, names without value are ''.
    """
    fields: dict[str, str] = {}
    for piece in raw.decode("utf-8", "replace").split("&"):
        if piece:
            name, _, value = piece.partition("=")
            fields[_unquoted(name).lstrip("?")] = _unquoted(value)
    return fields


def _unquoted(text: str) -> str:
    if "%" in text or "+" in text:
        text = unquote_plus(text)
    return text.replace("\0", "") if "\0" in text else text


def multipart(body: bytes, content_type: str) -> dict[str, str]:
    """The fields of a multipart form. Raises Malformed."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    whole = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    if not whole.is_multipart():
        raise Malformed
    fields: dict[str, str] = {}
    for part in whole.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name.replace("\0", "")] = content.decode("utf-8", "replace").replace("\0", "")
    return fields


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
