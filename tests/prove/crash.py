"""The crash proof at full size: `./dev prove crash [--kills 200] [--seed N] [--works N] [--rate N]`.

Writes docs/reports/crash-<date>.md: what was killed when, the counts, the verdict.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

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
    now = datetime.now(UTC)
    chosen.report.mkdir(parents=True, exist_ok=True)
    file = chosen.report / f"crash-{now:%Y-%m-%d}.md"
    file.write_text(report(evidence, now, time.monotonic() - began), encoding="utf-8")
    print(file.read_text())
    print(file)
    return 1 if broken(evidence) else 0


def broken(evidence: Evidence) -> list[str]:
    """What did not hold."""
    fell = [f"{name} ended by itself: {codes}" for name, codes in evidence.fell.items()]
    return evidence.faults + fell


def report(evidence: Evidence, now: datetime, seconds: float) -> str:
    """The dated page."""
    plan, faults = evidence.plan, broken(evidence)
    verdict = (
        ["**Nothing lost, nothing twice.**"] if not faults else ["**Broken:**", "", *(f"- {one}" for one in faults)]
    )
    lines = [
        f"# Crash proof, {now:%Y-%m-%d %H:%M} UTC",
        "",
        f"`./dev prove crash --kills {plan.kills} --seed {plan.seed} --serves {plan.serves} --works {plan.works} "
        f"--rate {plan.rate:.0f}`",
        "",
        f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
        f"{seconds:.0f} s.",
        "",
        *verdict,
        "",
        "The witnesses: the raw bytes in the simulated operator's journal, decoded with smpplib; the requests and answers "
        "of the clients; the notifications that they received.",
        "",
        "| count | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in evidence.facts.items()),
        "",
        "| seconds | kill -9 |",
        "|---:|---|",
        *(f"| {kill.at:.2f} | {kill.how} |" for kill in evidence.kills),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
