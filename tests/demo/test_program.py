"""A program as `up` runs it: silent until it is told to begin; the worker of a folder keeps its name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from passerelle.demo.program import PROGRAMS, life_in


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_is_told_nothing_begins_nothing(name: str, tmp_path: Path) -> None:
    arguments = {"simulate": ["127.0.0.1", "1", "2", str(tmp_path / "s")], "work": [str(tmp_path)]}.get(name, [])
    done = subprocess.run(
        [sys.executable, "-m", "passerelle.demo.program", name, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert not list(tmp_path.iterdir())


def test_one_worker_after_another_has_the_same_name_and_a_second_beside_it_has_not(tmp_path: Path) -> None:
    ask = "import sys; from pathlib import Path; from passerelle.demo.program import life_in; "
    ask += "print(life_in(Path(sys.argv[1])), flush=True); sys.stdin.read()"

    def worker() -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        return subprocess.Popen([sys.executable, "-c", ask, tmp_path], text=True, **pipes)

    with worker() as first:
        assert first.stdout is not None
        name = first.stdout.readline().strip()
        assert str(life_in(tmp_path)) != name, "it lives, and may be bound"
        first.kill()
    with worker() as second:
        assert second.stdout is not None and second.stdout.readline().strip() == name
    assert (tmp_path / "worker").stat().st_mode & 0o777 == 0o600
    with worker() as third:
        assert third.stdout is not None and third.stdout.readline().strip() == name
