"""The crash proof at full size: `./dev prove crash [--kills 200] [--seed N] [--works N] [--rate N]`.

Writes docs/reports/crash-<date>.md: what was killed when, the counts, the verdict.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from system import report  # noqa: E402
from system.harness import Evidence, Plan, run  # noqa: E402


def main() -> int:
    """Run, report; 1 where a promise was broken."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=200)
    asked.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    asked.add_argument("--serves", type=int, default=2, help="API processes")
    asked.add_argument("--works", type=int, default=2, help="worker processes")
    asked.add_argument("--rate", type=float, default=120.0, help="messages a second")
    asked.add_argument("--report", type=Path, default=ROOT / "docs" / "reports")
    chosen = asked.parse_args()
    tell = partial(print, flush=True)
    plan = Plan(chosen.kills, chosen.seed, chosen.serves, chosen.works, rate=chosen.rate, tell=tell)
    began = time.monotonic()
    evidence = asyncio.run(run(plan))
    report.write(chosen.report, "crash", page(evidence, time.monotonic() - began))
    return 1 if report.broken(evidence.faults, evidence.fell) else 0


def page(evidence: Evidence, seconds: float) -> list[str]:
    """The dated page."""
    plan, faults = evidence.plan, report.broken(evidence.faults, evidence.fell)
    command = (
        f"crash --kills {plan.kills} --seed {plan.seed} --serves {plan.serves} --works {plan.works} "
        f"--rate {plan.rate:.0f}"
    )
    return [
        *report.head("Crash proof", command, seconds, "Nothing lost, nothing twice.", faults),
        "",
        f"The witnesses: {report.WITNESS}; the requests and answers of the clients; the notifications that they received.",
        *report.counts(evidence.facts),
        *report.kills(evidence.kills),
    ]


if __name__ == "__main__":
    sys.exit(main())
