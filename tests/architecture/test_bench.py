"""The neutral bench stays what it was when the peers were measured with it: to the byte."""

from __future__ import annotations

import hashlib
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench"
NEUTRAL = {
    "README.md", "bench.py", "dlr_sink.py", "http_load.py", "proc.py", "smpp_blast.py", "smpp_wire.py", "smsc_sim.py",
    "systems.py",
}  # fmt: skip


def sums() -> dict[str, str]:
    lines = (BENCH / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def test_every_neutral_tool_has_its_sum() -> None:
    assert set(sums()) == NEUTRAL


def test_no_neutral_tool_was_changed() -> None:
    changed = [name for name, sum_ in sums().items() if hashlib.sha256((BENCH / name).read_bytes()).hexdigest() != sum_]
    assert not changed
