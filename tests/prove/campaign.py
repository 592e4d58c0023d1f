"""The campaign from hell at full size: `./dev prove campaign [--recipients 100000] [--seed N] [--kills 10] ...`.

Writes docs/reports/campaign-<date>.md: the days of the campaign, what was killed when, the counts, the verdict.
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
from system.campaign_clock import PARIS  # noqa: E402
from system.campaign_harness import Evidence, Plan, run  # noqa: E402

HELD = "Everybody got it once, in open hours, or is listed with the reason; every counter equals a recount."


def main() -> int:
    """Run, report; 1 where a promise was broken."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--recipients", type=int, default=100_000)
    asked.add_argument("--pauses", type=int, default=20)
    asked.add_argument("--kills", type=int, default=10)
    asked.add_argument("--stops", type=int, default=500, help="people who answer STOP")
    asked.add_argument("--edits", type=int, default=500, help="contacts added to the list, and as many removed")
    asked.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    asked.add_argument("--serves", type=int, default=2, help="API processes")
    asked.add_argument("--works", type=int, default=2, help="worker processes")
    asked.add_argument("--window", type=int, default=50, help="of each of the two binds")
    asked.add_argument("--report", type=Path, default=ROOT / "docs" / "reports")
    chosen = asked.parse_args()
    plan = Plan(
        chosen.recipients, chosen.pauses, chosen.kills, chosen.stops, chosen.edits, chosen.seed, chosen.serves,
        chosen.works, chosen.window, lease=15, tell=partial(print, flush=True),
    )  # fmt: skip
    began = time.monotonic()
    evidence = asyncio.run(run(plan))
    report.write(chosen.report, "campaign", page(evidence, time.monotonic() - began))
    return 1 if report.broken(evidence.faults, evidence.fell) else 0


def page(evidence: Evidence, seconds: float) -> list[str]:
    """The dated page."""
    plan, faults = evidence.plan, report.broken(evidence.faults, evidence.fell)
    command = (
        f"campaign --recipients {plan.recipients} --pauses {plan.pauses} --kills {plan.kills} --stops {plan.stops} "
        f"--edits {plan.edits} --seed {plan.seed} --serves {plan.serves} --works {plan.works} --window {plan.window}"
    )
    return [
        *report.head("Campaign proof", command, seconds, HELD, faults),
        "",
        f"The witnesses: {report.WITNESS}; what the owner asked for and was told; `holidays` and `zoneinfo` for the hours.",
        *report.counts(evidence.facts),
        *report.kills(evidence.kills),
        "",
        "| in Paris | submits by then | |",
        "|---|---:|---|",
        *(f"| {at.astimezone(PARIS):%a %Y-%m-%d %H:%M:%S} | {count} | {what} |" for at, what, count in evidence.days),
    ]


if __name__ == "__main__":
    sys.exit(main())
