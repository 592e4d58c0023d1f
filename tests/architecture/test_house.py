"""The house keeps its shape: small modules with plain names, each with a test of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "passerelle"
TESTS = ROOT / "tests"
MODULES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py") if path.name != "__init__.py")

LONGEST = 400
TABLES: dict[str, str] = {
    # module: the table that makes it long
    "smpp/pdu.py": "one value per SMPP command",
}
TESTED_ELSEWHERE: dict[str, str] = {
    # module: where and why
    "__main__.py": "tests/system: the programs of these tests are started by it",
    "app/listening.py": "tests/test_app.py and tests/system: all programs listen with it",
    "app/serving.py": "tests/test_app.py: who is asked what",
    "app/working.py": "tests/test_app.py: one message through all of it",
    "demo/account.py": "tests/system/test_up.py: started with, looked at, started with again",
    "demo/up.py": "tests/system/test_up.py: as a person uses it",
    "smpp/events.py": "tests/smpp/test_session.py: the values that a session gives out, without logic",
    "surfaces/smspartner/calls.py": "tests/surfaces/smspartner: the values that every call is given, without logic",
}
EMPTY_WORDS = {"manager", "helper", "helpers", "util", "utils", "common", "base", "process", "handle", "data", "info"}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_fits_in_a_head(module: Path) -> None:
    lines = len((SOURCE / module).read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST or module.as_posix() in TABLES


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_is_named_for_what_it_holds(module: Path) -> None:
    assert not EMPTY_WORDS.intersection(re.split(r"[_/.]", module.with_suffix("").as_posix()))


@pytest.mark.parametrize("module", [m for m in MODULES if m.as_posix() not in TESTED_ELSEWHERE], ids=str)
def test_a_module_has_its_tests(module: Path) -> None:
    """`store/queue.py` -> tests/store/test_queue*.py; deeper ones also as tests/surfaces/test_smspartner_wire*.py."""
    folder, stem = TESTS / module.parent, module.stem
    beside = list(folder.glob(f"test_{stem}.py")) + list(folder.glob(f"test_{stem}_*.py"))
    above = list(folder.parent.glob(f"test_{module.parent.name}_{stem}*.py")) if len(module.parts) > 2 else []
    assert beside or above


def test_exceptions_are_still_needed() -> None:
    for module in TABLES:
        path = SOURCE / module
        assert path.exists() and len(path.read_text(encoding="utf-8").splitlines()) > LONGEST, module


def test_the_statements_stand_in_their_files() -> None:
    """SQL lives in `store/sql`: a module of the store holds at most a word of it."""
    long_statement = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM) .{60,}", re.IGNORECASE)
    kept = {"store/migrations.py"}  # its own table has to exist before any file
    for module in MODULES:
        if module.parts[0] == "store" and module.as_posix() not in kept:
            code = "\n".join(line for line in (SOURCE / module).read_text().splitlines() if '"""' not in line)
            assert not long_statement.search(code), module
