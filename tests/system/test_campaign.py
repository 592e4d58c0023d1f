"""The campaign from hell, small: paused, killed, edited and answered with STOP over half a year of moved clocks."""

from __future__ import annotations

import os
import sys

import pytest
from system.campaign_harness import Plan, run

SEED = int(os.environ.get("CAMPAIGN_SEED", "1"))


@pytest.mark.kill
@pytest.mark.skipif(sys.platform != "linux", reason="the children of a process are looked up in /proc")
async def test_everybody_gets_a_campaign_once_in_open_hours_or_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    def tell(line: str) -> None:
        with capsys.disabled():
            print(line, flush=True)

    plan = Plan(seed=SEED, tell=tell)
    evidence = await run(plan)
    for name, value in evidence.facts.items():
        tell(f"  {name}: {value}")
    assert not evidence.faults, "\n".join([f"CAMPAIGN_SEED={SEED}", *evidence.faults])
    assert not evidence.fell, "a program ended by itself"
    assert (len(evidence.kills), len(evidence.pauses)) == (plan.kills, plan.pauses)
