"""The XML of SMS Partner: the members of a JSON answer in their order, nameless (contract 2.8).

One rule: what is written is well-formed XML 1.0 whatever the strings hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MEDIA = b"application/xml"

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Named(dict[str, str]):
    """An object that keeps its names and has no CDATA: `user` in `me`."""


def encode(members: Mapping[str, Any]) -> bytes:
    """A whole document. `errors` and `error` are the same list twice in JSON, and one entry here."""
    kept = (value for name, value in members.items() if not (name == "error" and "errors" in members))
    entries = "".join(map(_entry, kept))
    return f"<?xml version='1.0' encoding='UTF-8'?><result>{entries}</result>".encode()


def _entry(value: Any) -> str:
    if isinstance(value, str):
        return f"<entry>{_cdata(value)}</entry>"
    if value is None or value == [] or value == {}:
        return "<entry/>"
    if isinstance(value, bool):
        return "<entry>true</entry>" if value else "<entry>false</entry>"
    if isinstance(value, Named):
        return f"<entry>{''.join(f'<{name}>{_plain(text)}</{name}>' for name, text in value.items())}</entry>"
    if isinstance(value, Mapping):
        value = value.values()
    elif isinstance(value, int | float):
        return f"<entry>{value}</entry>"
    return f"<entry>{''.join(map(_entry, value))}</entry>"


def _cdata(text: str) -> str:
    text = _FORBIDDEN.sub("", text).replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{text}]]>"


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
