"""The programs of `up` as processes."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from system.installation import free_ports

from passerelle.demo.children import TRIES, Child, start_children
from passerelle.demo.places import CannotStart, Places
from passerelle.settings import CarrierSettings, Settings


def listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def eventually(wanted: Callable[[], bool], log: Path, patience: float = 40.0) -> None:
    deadline = time.monotonic() + patience
    while not wanted():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)


def test_a_program_that_never_stays_up_is_given_up_with_the_place_of_its_log(tmp_path: Path) -> None:
    child = Child("broken", [], tmp_path / "broken.log")
    told = []
    with pytest.raises(CannotStart, match=r"broken does not stay up; its last words are in .*broken\.log"):
        while True:
            child.process.wait()
            if not told:
                child.begin(Settings())  # whoever is gone cannot hear it
            told.append(child.look())
    assert len(told) == TRIES and "started again" in told[0]
    assert "'broken'" in (tmp_path / "broken.log").read_text()


def test_a_program_begins_when_it_is_told_and_again_when_it_was_killed(tmp_path: Path) -> None:
    log = tmp_path / "simulate.log"
    ports = free_ports(2)
    child = Child("simulate", ["127.0.0.1", *map(str, ports), str(tmp_path / "simulator")], log)
    try:
        assert not listens(ports[0])
        child.begin(Settings())
        eventually(lambda: listens(ports[0]), log)
        child.process.kill()
        child.process.wait()
        assert "was started again" in child.look()
        eventually(lambda: listens(ports[0]), log)
    finally:
        child.end()
    assert child.process.returncode == 0, log.read_text()


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
