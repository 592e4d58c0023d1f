"""A CSV file as lines, and the note that keeps it from being sent twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from passerelle.cli.screen import Problem
from passerelle.cli.sheet import KEPT, Progress, Sheet
from passerelle.pipeline.bulk import Line

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


def sheet(folder: Path, content: str | bytes, template: str | None = None) -> Sheet:
    file = folder / "a.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Sheet(file, template)


@pytest.mark.parametrize(
    ("content", "template", "lines"),
    [
        ("phone,text\n061,a\n", None, [Line(1, "061", "a")]),
        ("text;PHONE\r\na;061\r\n\r\nb;062\r\n", None, [Line(1, "061", "a"), Line(2, "062", "b")]),
        ("phone\tnom\n061\tZoé\n", "Bonjour {Nom}", [Line(1, "061", "Bonjour Zoé")]),
        ('phone,text\n061,"two\nlines, and ""quotes"""\n', None, [Line(1, "061", 'two\nlines, and "quotes"')]),
        ("\ufeffphone,nom\n061\n", "Bonjour {nom}!", [Line(1, "061", "Bonjour !")]),
        ("phone,text\n061,a\n", "the same for all", [Line(1, "061", "the same for all")]),
        ("phone,nom\n061,{phone}\n", "{nom}", [Line(1, "061", "{phone}")]),
        ("phone,text\n", None, []),
    ],
)
def test_lines_are_read(tmp_path, content, template, lines):
    read = sheet(tmp_path, content, template)
    assert list(read.lines()) == lines
    assert read.total == len(lines)


@pytest.mark.parametrize(
    ("content", "template", "words"),
    [
        ("number,text\n", None, "no column 'phone'; it has: number, text"),
        ("phone\n", None, "give the text with --text"),
        ("phone\n", "Bonjour {nom}", "no column 'nom'"),
        ("", None, "it has: none"),
        ("phone,text\n061,é\n".encode("latin-1"), None, "save it as CSV UTF-8"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_before_anything_is_sent(tmp_path, content, template, words):
    with pytest.raises(Problem, match=words):
        sheet(tmp_path, content, template)


def test_a_run_is_known_again_only_with_the_same_content_and_options(tmp_path):
    read = sheet(tmp_path, "phone,text\n061,a\n")

    def begin(how="x", at=NOW, **more):
        return Progress.begin(read, how, at, **({"resume": False, "again": False} | more))

    first = begin()
    with pytest.raises(Problem, match="go on with --resume"):
        begin()
    assert begin(resume=True).run == first.run
    with pytest.raises(Problem, match="same ones"):
        begin("other options", resume=True)
    with pytest.raises(Problem, match="23 hours"):
        begin(at=NOW + KEPT + timedelta(seconds=1), resume=True)
    first.end()
    with pytest.raises(Problem, match="once more with --again"):
        begin()
    assert begin(again=True).run != first.run
    (tmp_path / "a.csv.progress").write_text("{")
    with pytest.raises(Problem, match="cannot be read"):
        begin()
