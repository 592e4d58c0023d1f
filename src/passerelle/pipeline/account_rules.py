"""Settings of an account as people write them: `eco=no quiet_start=21:00` -> what is stored.

The one rule: a name or a value that is not known changes nothing, and the message says what is.
"""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import time
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from ..domain.account import Rules
from ..domain.message import TrafficClass

WORDS: dict[str, tuple[str, ...]] = {
    "stop_scope_smspartner": ("all", "marketing"),
    "stop_scope_primotexto": ("all", "marketing"),
    "stop_missing": ("append", "refuse"),
    "quiet_dates": ("hold", "refuse"),
    "characters": ("reject", "transliterate", "unicode"),
    "status_date": ("epoch", "datetime"),
    "holiday_region": ("", "57", "GP", "MQ", "GF", "RE", "YT"),
    "traffic_class": tuple(one.name.lower() for one in TrafficClass),
}
URLS = frozenset({"reply_url", "dlr_url", "webhook_url", "webhook_reply_url"})
YES, NO = frozenset({"yes", "true", "on", "1"}), frozenset({"no", "false", "off", "0"})
TYPES: dict[str, Any] = get_type_hints(Rules)


class RuleError(ValueError):
    """A setting of an account is unknown or wrong: its name, and what is allowed."""


def parse(pairs: Iterable[str]) -> dict[str, object]:
    """`name=value` each -> what `Accounts.update_rules` takes. Raises RuleError."""
    return dict(_pair(pair) for pair in pairs)


def _pair(pair: str) -> tuple[str, object]:
    name, equals, value = pair.partition("=")
    if name not in TYPES:
        near = difflib.get_close_matches(name, TYPES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(TYPES)}"
        raise RuleError(f"there is no setting {name!r} of an account; {hint}")
    if not equals:
        raise RuleError(f"write {name}=VALUE; allowed: {allowed(name)}")
    try:
        return name, _value(name, value)
    except ValueError:
        raise RuleError(f"{name}: {value!r} is not possible; allowed: {allowed(name)}") from None


def allowed(name: str) -> str:
    """The values that a setting may take, for people."""
    if name in WORDS:
        return ", ".join(word or "(nothing)" for word in WORDS[name])
    if name == "short_code":
        return "3 to 8 digits"
    if name == "short_link_host":
        return "one of the setting short_link_hosts, or nothing"
    if name in URLS:
        return "an http:// or https:// address, or nothing"
    return {
        bool: "yes, no",
        int: "a whole number, 0 for none",
        time: "a time of day like 20:00",
        tuple[str, ...]: "addresses or networks with commas between, or nothing for any",
    }.get(TYPES[name], "any text")


def _value(name: str, value: str) -> object:
    if name == "traffic_class":
        return int(TrafficClass[_word(name, value.lower()).upper()])
    if name in WORDS:
        return _word(name, value)
    if name in URLS:
        return _url(value)
    if name == "short_code":
        return _short_code(value)
    read: Callable[[str], object] = READERS.get(TYPES[name], _text)
    return read(value)


def check(rules: Rules, link_hosts: Sequence[str] = ()) -> None:
    """What is wrong of the settings together, and with `link_hosts`, those of the installation. Raises RuleError."""
    if rules.short_link_host and rules.short_link_host not in link_hosts:
        known = ", ".join(link_hosts) or "none"
        raise RuleError(f"short_link_host has to be one of the setting short_link_hosts, which are: {known}")
    if rules.quiet_end >= rules.quiet_start:
        raise RuleError("quiet_end (the morning) has to be earlier than quiet_start (the evening)")


def _word(name: str, value: str) -> str:
    if value not in WORDS[name]:
        raise ValueError(value)
    return value


def _url(value: str) -> str:
    if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
        raise ValueError(value)
    return value


def _short_code(value: str) -> str:
    if not re.fullmatch("[0-9]{3,8}", value):
        raise ValueError(value)
    return value


def _text(value: str) -> str:
    return value.replace("\\n", "\n")


def _bool(value: str) -> bool:
    if value.lower() not in YES | NO:
        raise ValueError(value)
    return value.lower() in YES


def _count(value: str) -> int:
    if int(value) < 0:
        raise ValueError(value)
    return int(value)


def _time(value: str) -> str:
    return time.fromisoformat(value).isoformat()


def _addresses(value: str) -> list[str]:
    return [str(ipaddress.ip_network(one.strip(), strict=False)) for one in value.split(",") if one.strip()]


READERS: dict[Any, Callable[[str], object]] = {
    bool: _bool,
    int: _count,
    time: _time,
    tuple[str, ...]: _addresses,
}


def shown(rules: Rules) -> dict[str, str]:
    """Every setting as it would be written."""
    return {field.name: _shown(getattr(rules, field.name)) for field in dataclasses.fields(rules)}


def _shown(value: object) -> str:
    if isinstance(value, TrafficClass):
        return value.name.lower()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).replace("\n", "\\n")
