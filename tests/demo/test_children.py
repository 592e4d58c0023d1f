"""The programs of `up` as processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from passerelle.demo.children import TRIES, Child, start_children
from passerelle.demo.places import CannotStart, Places
from passerelle.settings import CarrierSettings, Settings


def test_a_program_that_never_stays_up_is_given_up_with_the_place_of_its_log(tmp_path: Path) -> None:
    child = Child("broken", [], {"PYTHONHOME": "/nonexistent"}, tmp_path / "broken.log")
    told = []
    with pytest.raises(CannotStart, match=r"broken does not stay up; its last words are in .*broken\.log"):
        while True:
            child.process.wait()
            told.append(child.look())
    assert len(told) == TRIES and "started again" in told[0]
    assert "/nonexistent" in (tmp_path / "broken.log").read_text()


def test_own_carriers_need_no_simulated_operator(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    own = Settings(data=tmp_path, carriers=[CarrierSettings(name="orange", host="smpp.example")])
    made = start_children(Places(tmp_path, "127.0.0.1", 1, 2, 3), own)
    try:
        assert [child.name for child in made] == ["work", "serve"]
    finally:
        for child in made:
            child.end()
    assert all(child.process.poll() is not None for child in made)
