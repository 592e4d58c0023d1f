"""Nothing lost, nothing twice: twenty kill -9 of everything, at random moments, under load."""

from __future__ import annotations

import os
import sys

import pytest
from system.harness import Plan, run

SEED = int(os.environ.get("CRASH_SEED", "1"))
WORKS = int(os.environ.get("CRASH_WORKS", "1"))


@pytest.mark.kill
@pytest.mark.skipif(sys.platform != "linux", reason="the children of a process are looked up in /proc")
async def test_twenty_kills_lose_nothing_and_send_nothing_twice(capsys: pytest.CaptureFixture[str]) -> None:
    def tell(line: str) -> None:
        with capsys.disabled():
            print(line, flush=True)

    evidence = await run(Plan(kills=20, seed=SEED, works=WORKS, tell=tell))
    for name, value in evidence.facts.items():
        tell(f"  {name}: {value}")
    assert not evidence.faults, "\n".join([f"CRASH_SEED={SEED} CRASH_WORKS={WORKS}", *evidence.faults])
    assert not evidence.fell, "a program ended by itself"
    assert len(evidence.kills) == 20
