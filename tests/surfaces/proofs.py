"""Which test proves which documented answer: what the tests hear is written down, and the table of the docs held to it.

    PROOFS=write .venv/bin/pytest -q tests/surfaces/smspartner      writes the table anew

The one rule: a row is checked by the very test it names, each time that test runs.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "dialects" / "smspartner.md"
PLACE = re.compile(r"(<!-- proofs -->\n).*?(<!-- /proofs -->)", re.DOTALL)
ROW = re.compile(r"^\| `(\S+)` \| (\d+) \| `(tests/\S+?)::([^`|]+)` \|$", re.MULTILINE)
ANY = "(any)"

_RECIPIENTS = {2, 9, 11, 13, 14, 50, 55}
_DATES = {45, 46, 47, 48, 49}
_HOURS = {22, 23}
_TEXT = {52}
_SENDER = {44, 992}

# Contract, chapters 2 and 4 to 13 with the tables of 14: the codes that each call may answer with, rows of lists
# included. 200: success, whether it is written or not.
DOCUMENTED: dict[str, set[int]] = {
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
ALIASES = {
    "groupe/delete": "group/delete",
    "contact/multiple/add": "contact/add",
    "subaccount/delete": "subaccount/remove",
    "subaccount/credit/sms": "subaccount/credit/add",
}
PAIRS = {(call, code) for call, codes in DOCUMENTED.items() for code in codes}

Pair = tuple[str, int]
_heard: set[Pair] = set()
_by_test: dict[str, set[Pair]] = {}


def hear(path: str, body: bytes) -> None:
    """An answer of the application under test."""
    match = re.match(r"(?:/smspartner)?/+v1/+([a-z/-]+)", path)
    try:
        answer = json.loads(body)
    except ValueError:
        return
    if match is None or not isinstance(answer, dict):
        return
    call = match[1].strip("/")
    for code in _codes(answer):
        _heard.update({(ALIASES.get(call, call), code), (ANY, code)})


def _codes(answer: Any, outermost: bool = True) -> set[int]:
    if isinstance(answer, list):
        return {code for one in answer for code in _codes(one, False)}
    if not isinstance(answer, dict):
        return set()
    own = answer.get("code", 200 if outermost and answer.get("success", True) is True else None)
    found = {int(own)} if str(own).isdigit() else set()
    if outermost and answer.get("success") is True:
        found.add(200)
    return found | {code for value in answer.values() for code in _codes(value, False)}


def begin() -> None:
    """A test begins."""
    _heard.clear()


def end(test: str) -> None:
    """A test has ended: what the table says of it is so."""
    heard = _heard & PAIRS
    if heard:
        _by_test[test] = set(heard)
    missing = claims().get(test, set()) - heard
    assert not missing, f"the table of {PAGE.name} says that this test proves {sorted(missing)}"


def claims() -> dict[str, set[Pair]]:
    """Test -> what the table says that it proves."""
    found: dict[str, set[Pair]] = {}
    for call, code, file, name in ROW.findall(PAGE.read_text(encoding="utf-8")):
        found.setdefault(f"{file}::{name}", set()).add((call, int(code)))
    return found


def _stands(pair: Pair, test: str, ran: set[str]) -> bool:
    """Whether a row is to stay: of a file that was not run, or of a test that has just proved it."""
    return test.split("::")[0] not in ran or pair in _by_test.get(test, ())


def write() -> None:
    """The table anew, from the tests of this run; rows of other tests stay."""
    rows = {pair: test for test, pairs in claims().items() for pair in pairs if pair in PAIRS}
    ran = {test.split("::")[0] for test in _by_test}
    rows = {pair: test for pair, test in rows.items() if "junk" not in test and _stands(pair, test, ran)}
    for test in sorted(_by_test, key=lambda name: (len(_by_test[name]), name)):
        if "junk" not in test and re.fullmatch(r"tests/[\w/]+\.py::\w+(\[[^`|]+\])?", test):
            rows |= {pair: test for pair in _by_test[test] if pair not in rows}
    order = list(DOCUMENTED)
    lines = [
        f"| `{call}` | {code} | `{rows[call, code]}` |\n"
        for call, code in sorted(rows, key=lambda pair: (order.index(pair[0]), pair[1]))
    ]
    table = "| Call | Code | Proved by |\n| --- | --- | --- |\n" + "".join(lines)
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(PLACE.sub(lambda found: f"{found[1]}{table}{found[2]}", page), encoding="utf-8")
