"""Which platform a command works on."""

from __future__ import annotations

from pathlib import Path

import pytest

from passerelle.cli.place import Where, load, located, production
from passerelle.demo.places import NotUp
from passerelle.settings import SettingError


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PASSERELLE_DATABASE_URL", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def test_the_command_line_wins_over_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.toml").write_text('port = 1\nhost = "192.0.2.1"\ndata = "elsewhere"\n')
    monkeypatch.setenv("PASSERELLE_HOST", "192.0.2.2")
    found = load(Where(config=tmp_path / "p.toml", data=tmp_path), port=3, host=None)
    assert (found.port, found.host, found.data) == (3, "192.0.2.2", tmp_path)


def test_a_named_database_is_used_and_else_that_of_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(NotUp) as wrong:
        located(Where())
    assert f"{tmp_path}/var or {tmp_path}/home/passerelle" in str(wrong.value)
    with pytest.raises(NotUp, match=str(tmp_path / "own")):
        located(Where(data=tmp_path / "own"))
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", "postgresql://a/b")
    assert located(Where()).database_url == "postgresql://a/b"


def test_a_program_in_production_guesses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match="PASSERELLE_DATABASE_URL"):
        production(Where())
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", "postgresql://a/b")
    assert production(Where(), port=9).port == 9
