"""Every documented answer is proved by a test that exists; the test itself checks what is said of it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from surfaces import documented
from surfaces.proofs import ALL, Proofs

from passerelle.surfaces.primotexto.routes import Primotexto
from passerelle.surfaces.smspartner.routes import FAMILIES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("proofs", ALL, ids=lambda one: one.page.stem)
def test_every_documented_answer_has_a_proof(proofs: Proofs) -> None:
    proved = {pair for pairs in proofs.claims().values() for pair in pairs}
    missing = proofs.pairs - proved
    assert missing == set(), f"run: PROOFS=write .venv/bin/pytest -q tests/surfaces/{proofs.page.stem}"


@pytest.mark.parametrize("proofs", ALL, ids=lambda one: one.page.stem)
def test_every_proof_exists(proofs: Proofs) -> None:
    for test in proofs.claims():
        file, _, name = test.partition("::")
        assert name.partition("[")[0] in _functions(file), test


@cache
def _functions(file: str) -> set[str]:
    made = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
    return {one.name for one in made if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_call_that_smspartner_serves_is_documented() -> None:
    served = {entry.path.strip("/").removesuffix("/{messageId}") for family in FAMILIES for entry in family.ENTRIES}
    assert served == (documented.SMSPARTNER.keys() | documented.SMSPARTNER_ALIASES.keys()) - {documented.ANY}


def test_every_call_that_primotexto_serves_is_documented() -> None:
    nobody: Any = None
    (proofs,) = (one for one in ALL if one.page.stem == "primotexto")
    heard = set()
    for route in Primotexto(nobody, nobody, nobody, nobody, nobody).routes:
        path = route.path.replace("{list}", "default").replace("{type:notification|marketing}", "marketing")
        path = re.sub(r"\{\w+\}", "0" * 24, path)
        prefix = "" if path.startswith("/app/") else "/v2"
        for method in route.handlers:
            heard |= {call for call, _ in proofs._read(method, prefix + path, 200, b"")}
    assert heard == set(documented.PRIMOTEXTO)
