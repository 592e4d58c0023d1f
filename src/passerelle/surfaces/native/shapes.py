"""How values are written: money, ids, numbers, times, pages.

One rule: money is a decimal text in euros, exact to the micro-euro; ids are texts; telephone numbers are E.164 with
their +; times are RFC 3339 in UTC.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from .calls import ROOT, Caller
from .money import money as money
from .problems import Fault, Problem

__all__ = [
    "Id",
    "Money",
    "Page",
    "Paging",
    "Phone",
    "When",
    "before",
    "link",
    "located",
    "money",
    "number",
    "page",
    "phone",
]

T = TypeVar("T")
R = TypeVar("R")

Money = Annotated[
    str,
    Meta(
        pattern=r"^-?[0-9]+\.[0-9]{3,6}$",
        description="Euros, as a decimal text with three to six decimals.",
        examples=["0.038"],
    ),
]
Phone = Annotated[str, Meta(description="E.164, with its +.", examples=["+33639980001"])]
Id = Annotated[str, Meta(description="An opaque text.", pattern=r"^[0-9]{1,19}$", examples=["354233920512001"])]
When = Annotated[datetime, Meta(tz=True, examples=["2026-12-24T09:30:00Z"])]


def phone(number: int) -> str:
    """With its +."""
    return f"+{number}"


LARGEST = 2**63 - 1


def number(text: str) -> int:
    """The number that an id stands for; -1, which nothing has, for every other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LARGEST else -1


# --- pages -----------------------------------------------------------------------------------------------------------


class Paging(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which part of a list."""

    limit: Annotated[int, Meta(ge=1, le=500, description="Items of a page, at most.")] = 50
    cursor: Annotated[
        str, Meta(max_length=500, description="Where to go on: from the `next` of the page before; opaque.")
    ] = ""


class Page(msgspec.Struct, Generic[T], kw_only=True):
    """A part of a list."""

    items: list[T]
    next: Annotated[
        str | None,
        Meta(description="The next page, as a path with its query; null at the end. Never built by a client."),
    ]


def encode_cursor(*keys: int | str) -> str:
    """Opaque to clients: what stands in an index behind the last item."""
    return base64.urlsafe_b64encode(msgspec.json.encode(keys)).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type) -> tuple[Any, ...] | None:
    """What `encode_cursor` was given, None for an empty cursor. Raises Problem for one that it never made."""
    if not cursor:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True))
        keys: tuple[Any, ...] = msgspec.convert(found, tuple[kinds])  # type: ignore[valid-type]
    except (binascii.Error, ValueError, msgspec.ValidationError):
        raise _no_cursor() from None
    if any(isinstance(key, int) and not 0 <= key <= LARGEST for key in keys):
        raise _no_cursor()
    return keys


def _no_cursor() -> Problem:
    told = "This is no cursor of ours: begin without one, and follow the `next` of each page."
    return Problem("invalid", told, [Fault(parameter="cursor", detail=told)])


def before(query: Paging) -> int:
    """The key below which a list that shows the newest first goes on."""
    found = decode_cursor(query.cursor, int)
    return LARGEST if found is None else int(found[0])


def page(
    caller: Caller, query: Paging, rows: Sequence[R], word: Callable[[R], T], key: Callable[[R], int | str]
) -> Page[T]:
    """A page of `rows`, one more than `query.limit` where there is more; `key` of a row is the cursor behind it."""
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return Page(items=[word(row) for row in shown], next=link(caller, key(shown[-1])) if more else None)


def link(caller: Caller, *keys: int | str) -> str:
    """The same list behind a cursor."""
    path, _, asked = caller.path.partition("?")
    kept = [piece for piece in asked.split("&") if piece and not piece.startswith("cursor=")]
    return f"{path}?{'&'.join([*kept, urlencode({'cursor': encode_cursor(*keys)})])}"


def located(path: str) -> str:
    """The path of a thing, for links."""
    return ROOT + path
