"""Every documented answer of SMS Partner is proved by a test that exists; the test itself checks what is said of it."""

from __future__ import annotations

import ast
from pathlib import Path

from surfaces import proofs

from passerelle.surfaces.smspartner.routes import FAMILIES

ROOT = Path(__file__).parents[2]


def test_every_documented_answer_has_a_proof() -> None:
    proved = {pair for pairs in proofs.claims().values() for pair in pairs}
    assert proofs.PAIRS - proved == set(), "run: PROOFS=write .venv/bin/pytest -q tests/surfaces/smspartner"


def test_every_proof_exists() -> None:
    for test in proofs.claims():
        file, _, name = test.partition("::")
        made = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
        functions = {one.name for one in made if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name.partition("[")[0] in functions, test


def test_every_call_that_is_served_is_documented() -> None:
    served = {entry.path.strip("/").removesuffix("/{messageId}") for family in FAMILIES for entry in family.ENTRIES}
    assert served == (proofs.DOCUMENTED.keys() | proofs.ALIASES.keys()) - {proofs.ANY}
