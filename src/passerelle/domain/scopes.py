"""What a key of the native API may do: scopes, written `family:action`.

One rule: a call asks for one scope of the table; a key may also hold `family:*` and `*`, which cover what they say.
"""

from __future__ import annotations

from collections.abc import Iterable

SCOPES: dict[str, str] = {
    "account:read": "see the account, its prices, ledger and statistics",
    "messages:read": "see messages, submissions and replies",
    "messages:send": "send, explain, pause and cancel; launch and test campaigns",
    "campaigns:read": "see campaigns, their forecasts and figures",
    "campaigns:write": "write, change and delete campaigns",
    "contacts:read": "see contacts, groups and the stop list",
    "contacts:write": "change contacts, groups and the stop list",
    "keys:read": "see the keys of the account",
    "keys:write": "make and revoke keys",
    "webhooks:read": "see endpoints, events and deliveries",
    "webhooks:write": "change endpoints, and have events delivered again",
    "surveys:read": "see surveys and their answers",
    "surveys:write": "make and change surveys",
    "rental:read": "count, price and download rented contacts",
    "rental:write": "rent contacts",
    "numbers:read": "look numbers up, see virtual numbers",
    "numbers:write": "check numbers, change virtual numbers",
    "subaccounts:read": "see sub-accounts",
    "subaccounts:write": "make and change sub-accounts, move credit",
}
ALL = "*"


def is_scope(text: str) -> bool:
    """Whether a key may hold it."""
    return text == ALL or text in SCOPES or text in {f"{scope.partition(':')[0]}:*" for scope in SCOPES}


def covers(held: Iterable[str], wanted: str) -> bool:
    """Whether one of the held scopes allows what is wanted, be it a scope or a wildcard."""
    family = wanted.partition(":")[0]
    return any(scope in (ALL, wanted, f"{family}:*") for scope in held)
