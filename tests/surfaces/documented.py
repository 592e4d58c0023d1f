"""Every answer that the contracts name: the calls of each dialect, with the codes that each may answer with."""

from __future__ import annotations

ANY = "(any)"

# --- SMS Partner -----------------------------------------------------------------------------------------------------

_RECIPIENTS = {2, 9, 11, 13, 14, 50, 55}
_DATES = {45, 46, 47, 48, 49}
_HOURS = {22, 23}
_TEXT = {52}
_SENDER = {44, 992}

# Contract, chapters 2 and 4 to 13 with the tables of 14: the codes that each call may answer with, rows of lists
# included. 200: success, whether it is written or not.
SMSPARTNER: dict[str, set[int]] = {
    ANY: {1, 10, 20, 30, 40, 90, 96, 404, 405, 409, 413, 429, 500},
    "me": {200},
    "send": {200, 42, 51} | _RECIPIENTS | _DATES | _HOURS | _TEXT | _SENDER,
    "bulk-send": {200, 15, 42, 43} | _RECIPIENTS | _DATES | _HOURS | _TEXT | _SENDER,
    "vn/send": {200} | _RECIPIENTS | _DATES | _HOURS | _TEXT | _SENDER,
    "sondage/to/send": {200, 4} | _RECIPIENTS | _DATES | _HOURS,
    "message-cancel": {200, 3, 4, 5, 6, 7},
    "message-status": {200, 2, 3, 4, 6},
    "multi-status": {200, 2, 3, 4, 5, 50},
    "bulk-status": {200, 3, 4},
    "bulk-status-by-tag": {200, 3, 4},
    "statistics/cost-resume": {200, 9, 429},
    "group/add": {200, 1, 2, 9, 10},
    "group/delete": {200, 1, 10, 404},
    "group/list": {200, 10},
    "contact/add": {200, 1, 2, 9, 10, 14, 15, 50, 404},
    "contact/update": {200, 1, 2, 9, 10, 15, 404},
    "contact/delete": {200, 1, 10, 404},
    "contact/list": {200, 1, 10, 404},
    "contact/detail": {200, 1, 10, 404},
    "stop-sms/list": {200},
    "stop-sms/add": {200, 2, 3, 9},
    "stop-sms/delete": {200, 3, 4},
    "subaccount/create": {200, 2, 3, 4, 5, 6, 7, 8, 9},
    "subaccount/remove": {200, 1, 10, 404},
    "subaccount/list": {200},
    "subaccount/credit/add": {200, 2, 3, 4, 5, 6, 7, 8},
    "subaccount/credit/remove": {200, 2, 3, 4, 5, 6, 7, 8},
    "vn/callforward": {200, 2, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18},
    "hlr/notify": {200, 2, 3, 9, 11, 13, 50, 55, 429},
    "lookup": {200, 2, 3, 50, 429},
    "location/optin": {200, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 22, 23, 24, 25, 26, 27, 28, 61},
    "location/status": {200, 31, 32},
    "location/file/download": {200, 31, 32, 33, 34, 35, 36},
    "rcs/send": {200, 40} | _RECIPIENTS | _DATES | _HOURS | _TEXT | _SENDER,
}
SMSPARTNER_ALIASES = {
    "groupe/delete": "group/delete",
    "contact/multiple/add": "contact/add",
    "subaccount/delete": "subaccount/remove",
    "subaccount/credit/sms": "subaccount/credit/add",
}

# --- Primotexto ------------------------------------------------------------------------------------------------------

_NUMBER = {10, 11, 19, 91, 90, 12, 13, 14}
_SOURCE = {20, 21, 22, 23}
_MESSAGE = {30, 31, 32}
_BLOCKED: dict[str, set[int]] = {
    "GET {list}/default/contacts": {200, 60},
    "POST {list}/default/contacts": {200, 60, 10, 11, 15, 73},
    "DELETE {list}/default/contacts": {204, 60, 10, 11, 16},
    "DELETE {list}/default/contacts/{id}": {204, 60, 16},
}

# Contract, chapters 3 to 11: codes of failures, and HTTP statuses of successes. Refusals that may come before any call
# is understood stand under ANY.
PRIMOTEXTO: dict[str, set[int]] = {
    ANY: {18, 70, 72, 73, 76, 92, 1000},
    "POST {type}/messages/send": {200, 73, 40, 45, 62, 71, 76} | _NUMBER | _SOURCE | _MESSAGE,
    "GET messages/status": {200, 10, 11, 16},
    "GET messages/stats": {200},
    "GET messages/replies": {200},
    "GET messages/blacklists": {200},
    **{
        call.replace("{list}", name): codes for name in ("unsubscribers", "bounces") for call, codes in _BLOCKED.items()
    },
    "POST lists": {200, 73},
    "GET lists": {200},
    "GET lists/{id}": {200, 60},
    "DELETE lists/{id}": {204, 60},
    "POST lists/{id}/empty": {204, 60},
    "POST lists/{id}/fields": {200, 73, 60, 61, 17},
    "GET lists/{id}/fields": {200, 60},
    "DELETE lists/{id}/fields/{id}": {204, 60, 16},
    "POST lists/{id}/contacts": {200, 73, 60, 10, 11, 15, 61, 74},
    "GET lists/{id}/contacts": {200, 60},
    "DELETE lists/{id}/contacts/{id}": {204, 60, 16},
    "DELETE lists/{id}/contacts": {204, 60, 10, 11, 16},
    "POST lists/{id}/import": {201, 18, 73, 60, 75, 17, 74},
    "GET operations/{id}": {200, 16},
    "POST {type}/campaigns": {200, 73, 40, 48, 41, 44} | _MESSAGE | _SOURCE,
    "POST campaigns/{id}/test": {200, 73, 47, 32, 71} | _NUMBER,
    "POST campaigns/{id}/send": {200, 47, 41, 48, 32, 44, 71},
    "POST campaigns/{id}/cancel": {200, 47, 43},
    "DELETE campaigns/{id}": {204, 47, 42},
    "GET campaigns": {200},
    "GET campaigns/{id}": {200, 47},
    "GET campaigns/{id}/status": {200, 47},
    "GET campaigns/{id}/replies": {200, 47},
    "GET campaigns/{id}/blacklists": {200, 47},
    "GET check": {200, 10},
    "GET account/stats": {200},
}
