"""`./dev bench`: everything that is measured, one after the other, with the peers that are installed on this machine.

    ./dev bench                      all but the crash run
    ./dev bench --quick              a few thousand messages, once, ours alone: does it work?
    ./dev bench --only speed delay   some of it
    ./dev bench --crash --report     with a dated report in docs/reports

The one rule: what measures a peer and us alike is the neutral bench, unchanged; this only says in which order.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ours
import proc
import report
import systems

import bench

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS, REPORTS = HERE / "results", ROOT / "docs" / "reports"

STEPS = ("speed", "delay", "bulk", "codec", "start", "crash")
MAX_FOREIGN = 0.08  # share of the machine that others may take
QUIET = 30.0  # seconds without progress: give up
WARM_UP = 500
BULK_CONCURRENCY = 6
Row = dict[str, Any]


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(prog="./dev bench", description=(__doc__ or "").splitlines()[0])
    made.add_argument(
        "--quick", action="store_true", help="5,000 messages, once, no peers, no wait for a quiet machine"
    )
    made.add_argument("--only", nargs="+", choices=STEPS, metavar="STEP", help=f"some of {', '.join(STEPS)}")
    made.add_argument("--crash", action="store_true", help="kill -9 in the middle, too")
    made.add_argument("--systems", nargs="+", help="e.g. passerelle kannel:file mine.json (default: all installed)")
    made.add_argument("--n", type=int, help="single sends a run (20,000); bulk-send takes five times as many")
    made.add_argument("--repeats", type=int, help="runs of each (3), interleaved")
    made.add_argument("--report", action="store_true", help="write docs/reports/bench-YYYY-MM-DD.md")
    return made


@dataclass
class Plan:
    """What is to be measured. `absent`: the peers that cannot be, with the reason."""

    systems: list[str]
    steps: list[str]
    n: int = 20_000
    repeats: int = 3
    attempts: int = 3
    absent: dict[str, str] = field(default_factory=dict)

    @property
    def patient(self) -> bool:
        """Whether a quiet machine is waited for."""
        return self.attempts > 1


def plan(args: argparse.Namespace, peers: dict[str, str]) -> Plan:
    """From the options; `peers`: name -> why it cannot be measured, or ''."""
    installed = [] if args.quick else [name for name, why in peers.items() if not why]
    named = args.systems or ["passerelle", *installed]
    return Plan(
        systems=[str(ours.DESCRIPTION) if name == "passerelle" else name for name in named],
        steps=args.only or [step for step in STEPS if step != "crash" or args.crash],
        n=args.n or (5_000 if args.quick else 20_000),
        repeats=args.repeats or (1 if args.quick else 3),
        attempts=1 if args.quick else 3,
        absent={name: why or "left out" for name, why in peers.items() if name not in named},
    )


def peers() -> dict[str, str]:
    """The peers of this bench: name -> what is missing, '' where nothing is."""
    kannel = "" if all(map(os.path.exists, ("/usr/sbin/bearerbox", "/usr/sbin/smsbox"))) else "not installed"
    return {"kannel:file": kannel, "kannel:memory": kannel, "jasmin:4conn": _jasmin()}


def _jasmin() -> str:
    missing = [name for name in ("epmd", "redis-server") if not shutil.which(name)]
    if not Path("/usr/lib/rabbitmq/bin/rabbitmq-server").exists():
        missing.append("rabbitmq-server")
    try:
        asked = subprocess.run([systems.JASMIN_PYTHON, "-c", "import jasmin"], capture_output=True)
        importable = asked.returncode == 0
    except OSError:
        importable = False
    return "not installed" if not importable else f"not installed: {', '.join(missing)}" if missing else ""


# --- running -------------------------------------------------------------------------------------------------------


def named(system: str) -> str:
    """How a system is called in results: a description by its file's name."""
    return Path(system).stem if system.endswith(".json") else system


class Run:
    """The measurements of one plan; rows are written down as they come."""

    def __init__(self, plan: Plan, out: Path, work: Path) -> None:
        self.plan, self.out, self.work = plan, out, work
        self.rows: list[Row] = []

    def all(self) -> list[Row]:
        """Every step of the plan, in order."""
        for step in STEPS:
            if step in self.plan.steps:
                getattr(self, step)()
        return self.rows

    def speed(self) -> None:
        """Single sends, every system at every concurrency, interleaved."""
        self._speeds("speed", self.plan.systems, report.CONCURRENCY, 0)

    def delay(self) -> None:
        """Single sends to an operator that takes its time. Jasmin would need half an hour for it."""
        wanted = [system for system in self.plan.systems if not system.startswith("jasmin")]
        self._speeds("delay", wanted, (32,), report.SLOW_MS)

    def _speeds(self, step: str, wanted: list[str], concurrency: tuple[int, ...], delay_ms: int) -> None:
        for repeat in range(self.plan.repeats):
            for at_once in concurrency:
                for system in wanted:
                    job = _speed_job(system, self.plan.n, at_once, delay_ms)
                    self._measure(step, system, job, repeat)

    def bulk(self) -> None:
        """bulk-send, 500 messages a request."""
        self._measure("bulk", "passerelle", lambda: ours.bulk(5 * self.plan.n, BULK_CONCURRENCY, QUIET))

    def codec(self) -> None:
        """The SMPP codec alone."""
        self._measure("codec", "passerelle", lambda: ours.codec(3 if self.plan.attempts == 1 else 9))

    def start(self) -> None:
        """Starting, with an empty data folder and with one that is there."""

        def job() -> Row:
            return ours.start(Path(tempfile.mkdtemp(prefix="start-", dir=self.work)))

        for repeat in range(self.plan.repeats):
            self._measure("start", "passerelle", job, repeat)

    def crash(self) -> None:
        """Everything of a system killed in the middle of half as many messages, and started again."""
        for repeat in range(self.plan.repeats):
            for system in self.plan.systems:
                self._measure("crash", system, _crash_job(system, self.plan.n // 2), repeat)

    def _measure(self, step: str, system: str, job: Callable[[], Row], repeat: int = 0) -> None:
        """Once, or again while the machine was busy with something else; a failure stops nobody else."""
        for _ in range(self.plan.attempts):
            if self.plan.patient:
                proc.wait_quiet()
            row: Row = {"repeat": repeat, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
            try:
                row |= job()
            except Exception as error:
                row |= {"kind": "failed", "step": step, "error": f"{type(error).__name__}: {error}"}
            row |= {"system": named(system), "noisy": row.get("foreign_cpu_share", 0) > MAX_FOREIGN}
            self._keep(row)
            if not row["noisy"]:
                return

    def _keep(self, row: Row) -> None:
        self.rows.append(row)
        with open(self.out, "a") as out:
            out.write(json.dumps(row) + "\n")
        print({key: value for key, value in row.items() if key not in ("version", "at", "refusals")}, flush=True)


def _speed_job(system: str, n: int, concurrency: int, delay_ms: int) -> Callable[[], Row]:
    return lambda: bench.speed(system, n, concurrency, QUIET, WARM_UP, delay_ms)


def _crash_job(system: str, n: int) -> Callable[[], Row]:
    return lambda: bench.crash(system, "all", n, 32, 1000, QUIET)


# --- the machine ---------------------------------------------------------------------------------------------------


def machine(made: Plan) -> dict[str, str]:
    """What the figures depend on, and which peers were there."""
    measured = [named(system) for system in made.systems]
    absent = [f"{name} ({why})" for name, why in made.absent.items()]
    return {
        "date": time.strftime("%Y-%m-%d"),
        "CPU": f"{os.cpu_count()} cores, {_first('/proc/cpuinfo', 'model name')}",
        "memory": _first("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "Python": platform.python_version(),
        "PostgreSQL": _postgresql(),
        "fsync": f"{_fsync_ms():.2f} ms",
        "runs": f"{made.n:,} messages, {made.repeats} of each, interleaved",
        "measured": ", ".join(measured),
        "not measured": ", ".join(absent) or "-",
    }


def _first(file: str, name: str) -> str:
    for line in Path(file).read_text().splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return "unknown"


def _postgresql() -> str:
    from passerelle.store.installation import find_programs

    return find_programs().version


def _fsync_ms() -> float:
    """The median of a hundred writes of a page, in milliseconds."""
    took = []
    with tempfile.TemporaryFile() as file:
        for _ in range(100):
            file.write(bytes(8192))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


# --- the command ---------------------------------------------------------------------------------------------------


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for all that the systems write, gone at the end; the database's own account may pass through it."""
    made = Path(tempfile.mkdtemp(prefix="bench-"))
    made.chmod(0o711)
    os.environ["TMPDIR"] = tempfile.tempdir = str(made)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def prepare_environment() -> None:
    """Our own command first in PATH, and no setting of ours from outside."""
    for name in [name for name in os.environ if name.startswith("PASSERELLE_")]:
        del os.environ[name]
    os.environ["PATH"] = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"


def main() -> int:
    """Measure, say what it means; 1 where something could not be measured."""
    args = parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    prepare_environment()
    made = plan(args, peers())
    RESULTS.mkdir(exist_ok=True)
    out = RESULTS / time.strftime("%Y%m%d-%H%M%S.jsonl")
    with workplace() as work:
        facts = machine(made)
        rows = Run(made, out, work).all()
    print("\n" + report.report(rows, facts, bench.table))
    print(f"results: {out}")
    if args.report:
        REPORTS.mkdir(parents=True, exist_ok=True)
        file = REPORTS / f"bench-{facts['date']}.md"
        file.write_text(report.report(rows, facts, bench.table))
        print(f"report: {file}")
    return 1 if report.of(rows, "failed") else 0


if __name__ == "__main__":
    sys.exit(main())
