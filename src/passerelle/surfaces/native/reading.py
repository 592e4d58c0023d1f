"""Requests in: the query string and the body as the Structs of a call, or every fault with its place. Pure.

One rule: what does not fit is refused, by its name: nothing is guessed, nothing unknown is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import MAXYEAR, MINYEAR, datetime
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from .problems import Fault, Problem


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """The query of a call that takes none."""


_PLACE = re.compile(r" - at `(?:key in )?\$?(.*)`$")
_STEP = re.compile(r"\[(\d+|\.\.\.)\]|\.([^.\[]+)")
JSON = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;.*)?$", re.IGNORECASE)


def body(content_type: str, raw: bytes, kind: type) -> Any:
    """The body as a Struct; a file, where `bytes` are wanted, as it is. Raises Problem."""
    if kind is bytes:
        return raw
    if content_type and not JSON.match(content_type.strip()):
        raise Problem("media-type", "Send the body as JSON, with the header `Content-Type: application/json`.")
    try:
        found: Any = msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        told, pointer = _placed(str(error))
        raise Problem("invalid", told, [Fault(pointer=f"#{pointer}", detail=told)]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        detail = "The body cannot be read as JSON (RFC 8259) in UTF-8" + ("." if raw else ": it is empty.")
        raise Problem("malformed", detail) from None
    if b"u0000" in raw and _holds(msgspec.to_builtins(found), _is_nul):
        raise _nul(Fault(pointer="#", detail="U+0000"))
    if any(year in raw for year in _EDGES) and _holds(msgspec.to_builtins(found, builtin_types=(datetime,)), _is_edge):
        told = "A time is between the years 2 and 9998."
        raise Problem("invalid", told, [Fault(pointer="#", detail=told)])
    return found


_EDGES = (b"0001-", b"9999-")
"""Years whose times are in no year elsewhere on Earth."""


def _holds(value: Any, is_wrong: Callable[[Any], bool]) -> bool:
    """Whether something in a body is wrong, names of members included."""
    if isinstance(value, Mapping):
        return any(_holds(one, is_wrong) for pair in value.items() for one in pair)
    return any(_holds(one, is_wrong) for one in value) if isinstance(value, list) else is_wrong(value)


def _is_nul(value: Any) -> bool:
    """Whether a text has what PostgreSQL keeps in none."""
    return isinstance(value, str) and "\0" in value


def _is_edge(value: Any) -> bool:
    return isinstance(value, datetime) and value.year in (MINYEAR, MAXYEAR)


def _nul(fault: Fault) -> Problem:
    return Problem("invalid", "U+0000 is in no text: leave it out.", [fault])


def _placed(error: str) -> tuple[str, str]:
    """What msgspec says, and the JSON pointer of where."""
    match = _PLACE.search(error)
    if match is None:
        return f"{error}.", ""
    steps = _STEP.findall(match[1])
    pointer = "".join(f"/{index or name.replace('~', '~0').replace('/', '~1')}" for index, name in steps)
    return f"{error[: match.start()]}.", pointer


def query(asked: Sequence[tuple[str, str]], kind: type) -> Any:
    """The query string as a Struct; what a list takes may come several times, or with commas. Raises Problem."""
    hints = get_type_hints(kind, include_extras=True)
    names = {field.encode_name: hints[field.name] for field in msgspec.structs.fields(kind)}
    members: dict[str, Any] = {}
    for name, value in asked:
        if name not in names:
            told = f"There is no member {name!r}; there are: {', '.join(names)}."
            raise Problem("invalid", told, [Fault(parameter=name[:100], detail=told)])
        if "\0" in value:
            raise _nul(Fault(parameter=name, detail="U+0000"))
        if is_list(names[name]):
            members.setdefault(name, []).extend(value.split(","))
        else:
            members[name] = _plain(value, leaves(names[name]))
    try:
        return msgspec.convert(members, kind, str_keys=True)
    except msgspec.ValidationError as error:
        told, pointer = _placed(str(error))
        named = pointer.partition("/")[2].partition("/")[0]
        raise Problem("invalid", told, [Fault(parameter=named, detail=told)]) from None


_INTEGER = re.compile(r"-?[0-9]{1,18}")


def _plain(text: str, kinds: list[Any]) -> Any:
    """A text of the query as what JSON would have; what it cannot be stays a text, and is refused."""
    if int in kinds and _INTEGER.fullmatch(text):
        return int(text)
    return text == "true" if bool in kinds and text in ("true", "false") else text


def is_list(hint: Any) -> bool:
    """Whether a member takes several values."""
    return any(get_origin(one) is list for one in leaves(hint))


def leaves(hint: Any) -> list[Any]:
    """The types that a hint allows, without what is said of them."""
    if get_origin(hint) is Annotated:
        return leaves(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return [leaf for one in get_args(hint) for leaf in leaves(one)]
    return [hint]


def variables(given: Mapping[str, str], kinds: Mapping[str, type]) -> dict[str, Any]:
    """What stands in the path. Raises Problem: a thing whose name cannot be is not there."""
    try:
        return {name: msgspec.convert(given[name], kind, strict=False) for name, kind in kinds.items()}
    except msgspec.ValidationError:
        raise Problem("not-found", "There is nothing at this path: an id is copied as it was given.") from None
