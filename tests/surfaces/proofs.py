"""Which test proves which documented answer: what the tests hear is written down, and the tables of the docs held to it.

    PROOFS=write .venv/bin/pytest -q tests/surfaces/smspartner tests/surfaces/primotexto      writes the tables anew

The one rule: a row is checked by the very test it names, each time that test runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from surfaces import documented
from surfaces.documented import ANY

PAGES = Path(__file__).parents[2] / "docs" / "dialects"
PLACE = re.compile(r"(<!-- proofs -->\n).*?(<!-- /proofs -->)", re.DOTALL)
ROW = re.compile(r"^\| `([^`]+)` \| (\d+) \| `(tests/\S+?)::([^`|]+)` \|$", re.MULTILINE)

Pair = tuple[str, int]
Heard = Callable[[str, str, int, bytes], set[Pair]]
"""From method, path, HTTP status and body of an answer: what it proves."""


class Proofs:
    """The table of one dialect."""

    def __init__(self, name: str, calls: Mapping[str, set[int]], read: Heard) -> None:
        self.page = PAGES / f"{name}.md"
        self.calls = calls
        self.pairs = {(call, code) for call, codes in calls.items() for code in codes}
        self._read = read
        self._heard: set[Pair] = set()
        self._by_test: dict[str, set[Pair]] = {}

    def hear(self, method: str, path: str, status: int, body: bytes) -> None:
        """An answer of the application under test."""
        self._heard |= self._read(method, path, status, body)

    def begin(self) -> None:
        """A test begins."""
        self._heard.clear()

    def end(self, test: str) -> None:
        """A test has ended: what the table says of it is so."""
        heard = self._heard & self.pairs
        if heard:
            self._by_test[test] = set(heard)
        missing = self.claims().get(test, set()) - heard
        assert not missing, f"the table of {self.page.name} says that this test proves {sorted(missing)}"

    def claims(self) -> dict[str, set[Pair]]:
        """Test -> what the table says that it proves."""
        found: dict[str, set[Pair]] = {}
        for call, code, file, name in ROW.findall(self.page.read_text(encoding="utf-8")):
            found.setdefault(f"{file}::{name}", set()).add((call, int(code)))
        return found

    def _stands(self, pair: Pair, test: str, ran: set[str]) -> bool:
        """Whether a row is to stay: of a file that was not run, or of a test that has just proved it."""
        return test.split("::")[0] not in ran or pair in self._by_test.get(test, ())

    def write(self) -> None:
        """The table anew, from the tests of this run; rows of other tests stay."""
        rows = {pair: test for test, pairs in self.claims().items() for pair in pairs if pair in self.pairs}
        ran = {test.split("::")[0] for test in self._by_test}
        rows = {pair: test for pair, test in rows.items() if "junk" not in test and self._stands(pair, test, ran)}
        for test in sorted(self._by_test, key=lambda name: (len(self._by_test[name]), name)):
            if "junk" not in test and re.fullmatch(r"tests/[\w/]+\.py::\w+(\[[^`|]+\])?", test):
                rows |= {pair: test for pair in self._by_test[test] if pair not in rows}
        order = list(self.calls)
        lines = [
            f"| `{call}` | {code} | `{rows[call, code]}` |\n"
            for call, code in sorted(rows, key=lambda pair: (order.index(pair[0]), pair[1]))
        ]
        table = "| Call | Code | Proved by |\n| --- | --- | --- |\n" + "".join(lines)
        page = self.page.read_text(encoding="utf-8")
        self.page.write_text(PLACE.sub(lambda found: f"{found[1]}{table}{found[2]}", page), encoding="utf-8")


# --- SMS Partner -----------------------------------------------------------------------------------------------------


def _of_smspartner(_: str, path: str, __: int, body: bytes) -> set[Pair]:
    match = re.match(r"(?:/smspartner)?/+v1/+([a-z/-]+)", path)
    try:
        answer = json.loads(body)
    except ValueError:
        return set()
    if match is None or not isinstance(answer, dict):
        return set()
    call = match[1].strip("/")
    call = documented.SMSPARTNER_ALIASES.get(call, call)
    return {pair for code in _codes(answer) for pair in ((call, code), (ANY, code))}


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


# --- Primotexto ------------------------------------------------------------------------------------------------------

_ID = re.compile(r"(?<=/)[0-9a-f]{24}(?=/|$)")
_ALIASES = (
    (re.compile(r"^(notification|marketing)/messages"), "{type}/messages"),
    (re.compile(r"^(notification|marketing)/campaigns/"), "campaigns/"),
    (re.compile(r"^(notification|marketing)/campaigns$"), "{type}/campaigns"),
    (re.compile(r"^(unsubscribers|bounces)/(?!default/)[^/]+/"), r"\1/default/"),
    (re.compile(r"^(unsubscribers|bounces)/defaults/"), r"\1/default/"),
)


def _of_primotexto(method: str, path: str, status: int, body: bytes) -> set[Pair]:
    plain = re.sub("//+", "/", path).rstrip("/").removeprefix("/primotexto")
    if not plain.startswith(("/v2/", "/app/contacts/", "/operations/")):
        return set()
    call = plain.removeprefix("/v2").removeprefix("/app/contacts").removeprefix("/")
    call = _ID.sub("{id}", f"/{call}").removeprefix("/")
    for alias, name in _ALIASES:
        call = alias.sub(name, call)
    if (method, call) == ("POST", "lists/{id}"):
        call = "lists/{id}/contacts"
    if (method, call) == ("GET", "{type}/campaigns"):
        call = "campaigns"
    try:
        code = status if status < 400 else json.loads(body)["code"]
    except ValueError:  # of a surface of the tests
        return set()
    return {(f"{method} {call}", code), (ANY, code)}


SMSPARTNER = Proofs("smspartner", documented.SMSPARTNER, _of_smspartner)
PRIMOTEXTO = Proofs("primotexto", documented.PRIMOTEXTO, _of_primotexto)
ALL = (SMSPARTNER, PRIMOTEXTO)
