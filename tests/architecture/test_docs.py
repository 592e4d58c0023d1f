"""The documentation cannot lie where a machine can tell: tables, links, commands, names of files and functions."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMED = [str(page.relative_to(ROOT)) for page in PAGES]

_spec = importlib.util.spec_from_file_location("docs_tables", ROOT / "docs" / "tables.py")
assert _spec is not None and _spec.loader is not None
tables = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tables)


@pytest.mark.parametrize("page", PAGES, ids=NAMED)
def test_the_tables_are_those_of_the_code(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert tables.filled(text) == text, "run: .venv/bin/python docs/tables.py"


def test_every_table_has_its_place() -> None:
    placed = {found[2] for page in PAGES for found in tables.PLACE.finditer(page.read_text(encoding="utf-8"))}
    assert placed == set(tables.MAKERS)


def test_every_magic_number_is_told() -> None:
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for number, name, story in tables.behaviours.table():
        assert f"{tables._spoken(number)} | {name} | {story} |" in told


@pytest.mark.parametrize("page", PAGES, ids=NAMED)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, target


@pytest.mark.parametrize("page", PAGES, ids=NAMED)
def test_files_and_functions_that_are_named_exist(page: Path) -> None:
    """`pipeline/submit.py:Submitter.accept`, `tests/store/test_ledger.py`, `store/sql/queue.sql`."""
    for path, name in re.findall(
        r"`((?:\w+/)+\w+\.(?:py|sql|md|toml))(?::([\w.]+))?`", page.read_text(encoding="utf-8")
    ):
        found = [root / path for root in (ROOT, tables.SOURCE) if (root / path).exists()]
        assert found, path
        words = found[0].read_text(encoding="utf-8")
        for part in name.split(".") if name else ():
            assert re.search(rf"\b(def|class) {part}\b", words), f"{path}:{name}"


def test_every_table_of_the_database_is_told() -> None:
    migrations = sorted((tables.SOURCE / "store" / "sql" / "migrations").glob("*.sql"))
    schema = "\n".join(file.read_text(encoding="utf-8") for file in migrations)
    told = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    made = re.findall(r"^create (?:unlogged )?table (\w+) \(", schema, re.MULTILINE)
    assert made
    assert not [name for name in made if f"`{name}`" not in told]


def test_every_command_is_told() -> None:
    from passerelle.cli.commands import app

    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    commands = [name for name in app if not name.startswith("-")]
    assert commands
    assert not [name for name in commands if f"| `{name}` |" not in told]


def test_every_decision_is_listed_dated_and_short() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    for page in folder.glob("[0-9]*.md"):
        text = page.read_text(encoding="utf-8")
        assert page.name in listed
        assert re.search(r"^\d{4}-\d\d-\d\d · \w+", text, re.MULTILINE), page.name
        assert len(text.splitlines()) <= 40, page.name
