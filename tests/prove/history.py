"""Flat cost: a year of ten million messages of a hundred accounts makes nothing slow.

    ./dev prove history [--messages N]

Two platforms of its own on free ports, one with the history and one without. Reads are asked at a steady rate, whether
the last was answered or not, and timed from the moment they were due. Writes a dated report into docs/reports.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import random
import shutil
import signal
import statistics as numbers
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import asyncpg

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

import proc  # noqa: E402
from filling import CARRIER, FIRST_ACCOUNT, YEAR, History, key_of  # noqa: E402

from passerelle.demo.children import Child, start_children  # noqa: E402
from passerelle.demo.places import Places  # noqa: E402
from passerelle.pipeline.keys import Keyring  # noqa: E402
from passerelle.settings import CarrierSettings, Settings  # noqa: E402
from passerelle.store import ledger, statistics  # noqa: E402
from passerelle.store.database import Database  # noqa: E402
from passerelle.store.embedded import EmbeddedServer  # noqa: E402
from passerelle.store.migrations import migrate  # noqa: E402

HOST = "127.0.0.1"
SECRET = "the same on both platforms: invented keys are looked up with it"
ACCOUNTS = 100
BYTES_A_MESSAGE = 650  # with indexes
SPARE = 4_000_000_000  # log of the database, and room for the others
RATE = 50.0  # requests a second
ALLOWED = 20.0  # milliseconds, p99
SLOWER = 0.20  # the share by which sending may be slower
WARM_UP = 500
NOISY = 0.08  # share of the machine that others may take
PATIENCE = 10.0  # seconds to wait for a quiet machine


@dataclass
class Line:
    """One promise, measured."""

    what: str
    figures: str
    holds: bool


@dataclass
class Report:
    """What is written down."""

    title: str
    began: float = field(default_factory=time.monotonic)
    facts: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def tell(self, fact: str) -> None:
        """A figure on the way: shown now, and kept."""
        print(fact, flush=True)
        self.facts.append(fact)

    def promise(self, what: str, figures: str, holds: bool) -> None:
        """A line with its verdict."""
        print(f"{'holds ' if holds else 'BROKEN'}  {what}: {figures}", flush=True)
        self.lines.append(Line(what, figures, holds))

    def write(self, folder: Path) -> Path:
        """The dated page."""
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / f"history-{datetime.now(UTC):%Y-%m-%d}.md"
        verdicts = [
            f"| {line.what} | {line.figures} | {'holds' if line.holds else '**broken**'} |" for line in self.lines
        ]
        page.write_text(
            "\n".join(
                [
                    f"# {self.title}",
                    "",
                    f"`./dev prove history {' '.join(sys.argv[1:])}`".replace(" `", "`"),
                    f"on {datetime.now(UTC):%d %B %Y}: {machine()}; {(time.monotonic() - self.began) / 60:.0f} minutes in all.",
                    "",
                    "| promise | measured | verdict |",
                    "|---|---|---|",
                    *verdicts,
                    "",
                    *[f"- {fact}" for fact in self.facts],
                    "",
                ]
            )
        )
        return page


def machine() -> str:
    """What it ran on."""
    with open("/proc/cpuinfo") as cpus:
        model = next((line.split(":", 1)[1].strip() for line in cpus if line.startswith("model name")), "unknown CPU")
    nice = f", at priority {os.nice(0)}" if os.nice(0) else ""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} x {model}, {memory:.0f} GB, {platform.system()} {platform.release()}, Python {platform.python_version()}{nice}"


# --- a platform ----------------------------------------------------------------------------------------------------


class Platform:
    """A database with the programs of the platform; the programs run only while they are asked something."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        folder.chmod(0o711)
        (folder / "logs").mkdir()
        self.server = EmbeddedServer(folder / "postgres")
        self.url = ""
        self._programs: list[Child] = []

    async def start(self) -> None:
        """The database, with its schema."""
        self.url = await self.server.start()
        await migrate(self.url)

    def pids(self) -> list[int]:
        """The database and the programs."""
        return [self.server.pid, *(child.process.pid for child in self._programs)]

    @contextlib.asynccontextmanager
    async def running(self, operator_port: int = 9) -> Iterator[Places]:
        """The APIs and the workers, bound to the operator on that port."""
        (port,) = proc.free_ports(1)
        where = Places(self.folder, HOST, port, operator_port, operator_port)
        carrier = CarrierSettings(
            name=CARRIER, host=HOST, port=operator_port, system_id="bench", password="secret", window=1000
        )
        settings = Settings(
            database_url=self.url, secret=SECRET, data=self.folder, port=port, carriers=[carrier], host=HOST
        )
        self._programs = start_children(where, settings)
        for child in self._programs:
            child.begin(settings)
        try:
            await until(lambda: answers(f"{where.base_url}/readyz"))
            yield where
        finally:
            await asyncio.gather(*(asyncio.to_thread(child.end) for child in self._programs))
            self._programs = []


def answers(url: str) -> bool:
    """Whether somebody answers there."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


async def until(ready: Callable[[], bool], patience: float = 60.0) -> None:
    """Until it is so. Raises TimeoutError."""
    deadline = time.monotonic() + patience
    while not await asyncio.to_thread(ready):
        if time.monotonic() > deadline:
            raise TimeoutError("the platform does not answer")
        await asyncio.sleep(0.05)


# --- the history ---------------------------------------------------------------------------------------------------


async def fill(full: Platform, empty: Platform, messages: int, report: Report) -> History:
    """The same accounts on both, the messages on one."""
    now, began = datetime.now(UTC), time.monotonic()
    history = History(accounts=ACCOUNTS, messages=messages, now=now, scheduled=20_000)

    def progress(done: int) -> None:
        pace = done / (time.monotonic() - began)
        left = (messages - done) / pace / 60
        print(f"\r{done:,} messages, {pace:,.0f} a second, {left:.1f} minutes left ", end="", flush=True)

    await history.write(full.url, Keyring(SECRET), progress)
    print()
    report.tell(f"{messages:,} messages of {ACCOUNTS} accounts written in {time.monotonic() - began:.0f} s")
    await History(accounts=ACCOUNTS, messages=0, now=now, scheduled=0).write(empty.url, Keyring(SECRET))
    began = time.monotonic()
    for platform_ in (full, empty):
        connection = await asyncpg.connect(platform_.url)
        await connection.execute("vacuum analyze")
        await connection.execute("checkpoint")
        size = await connection.fetchval("select pg_size_pretty(pg_database_size(current_database()))")
        await connection.close()
        if platform_ is full:
            report.tell(f"database: {size}; VACUUM ANALYZE took {time.monotonic() - began:.0f} s")
    return history


async def verify(url: str, history: History, report: Report) -> None:
    """What was invented agrees: figures and balances of some accounts, counted again from their rows."""
    db = await Database.open(url, size=1)
    hour = history.now.replace(minute=0, second=0) + timedelta(hours=1)
    sample = [history.accounts[0], history.accounts[len(history.accounts) // 2], history.accounts[-1]]
    wrong = counted = 0
    for account in sample:
        for dialect in (1, 2):
            again = await statistics.recount(db, account, dialect, "", history.now)
            read = await statistics.counters(db, account, dialect)
            cost = await statistics.cost_rows(db, account, dialect, [hour - 2 * YEAR, hour], history.now)
            wrong += again.counters != read or (again.parts, again.cost) != cost[0]
            counted += read.messages
        wrong += await ledger.balance(db, account) != await db.fetchval(ledger.SQL.account_sum, account)
    await db.close()
    report.promise(
        "figures and balances are those of a recount",
        f"{len(sample)} accounts with {counted:,} messages, {wrong} differences",
        wrong == 0,
    )


# --- reads ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Read:
    """A call, by account."""

    name: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    expected: bytes = b"success"

    def of(self, account: int) -> tuple[str, dict[str, str]]:
        """Path and headers."""
        key = key_of(account)
        return self.path.format(key=key), {name: value.format(key=key) for name, value in self.headers}


@dataclass(frozen=True)
class Asked:
    """What the answers took: sorted milliseconds, the share of the machine that others took, milliseconds of CPU a call."""

    took: list[float]
    busy: float
    cpu: float

    @property
    def p99(self) -> float:
        """Milliseconds; infinite where the answer was another than expected, as where there is no message to tell of."""
        return percentile(self.took, 0.99)

    def __str__(self) -> str:
        return f"p50 {percentile(self.took, 0.5):.1f} ms, p99 {self.p99:.1f} ms, {self.cpu:.1f} ms of CPU a call"


READS = [
    Read("SMS Partner `me`", "/v1/me?apiKey={key}", expected=b'"toSend"'),
    Read(
        "SMS Partner `statistics/cost-resume`",
        "/v1/statistics/cost-resume?apiKey={key}&interval=last_twelve_months",
        expected=b'"datas"',
    ),
    Read(
        "SMS Partner `bulk-status-by-tag`, first page",
        "/v1/bulk-status-by-tag?apiKey={key}&tag=Tag-0",
        expected=b'"StatutResponse_List"',
    ),
    Read(
        "Primotexto `messages/stats`",
        "/v2/messages/stats",
        (("X-Primotexto-ApiKey", "{key}"),),
        expected=b'"delivered"',
    ),
    Read(
        "Primotexto `messages/stats` of a category",
        "/v2/messages/stats?category=Tag-0",
        (("X-Primotexto-ApiKey", "{key}"),),
        expected=b'"delivered"',
    ),
]


async def ask(session: aiohttp.ClientSession, base: str, read: Read, account: int, due: float) -> float:
    """Milliseconds from the moment it was due; infinite where the answer is another than expected."""
    path, headers = read.of(account)
    async with session.get(base + path, headers=headers) as answer:
        body = await answer.read()
        took = (time.monotonic() - due) * 1000
    return took if answer.status == 200 and read.expected in body else float("inf")


async def forget_calls(url: str) -> None:
    """`cost-resume` is limited to five calls a minute and account: it is its cost that is measured here."""
    connection = await asyncpg.connect(url)
    while True:
        await connection.execute("delete from rate_call")
        await asyncio.sleep(1)


async def steadily(base: str, read: Read, accounts: list[int], seconds: float, rate: float = RATE) -> list[float]:
    """Ask at `rate`, answered or not; sorted milliseconds."""
    chosen, running = random.Random(7), []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200)) as session:
        start = time.monotonic() + 0.1
        for n in range(int(seconds * rate)):
            due = start + n / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            running.append(asyncio.create_task(ask(session, base, read, chosen.choice(accounts), due)))
        return sorted(await asyncio.gather(*running))


def percentile(ordered: list[float], share: float) -> float:
    """Of sorted values."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def measure_reads(platform_: Platform, history: History, seconds: float) -> dict[Read, Asked]:
    """Each call alone, after a warm-up, when the machine is quiet."""
    found = {}
    async with platform_.running() as where:
        lifting = asyncio.create_task(forget_calls(platform_.url))
        for read in READS:
            await steadily(where.base_url, read, history.accounts, 3)
            await asyncio.to_thread(proc.wait_quiet, patience=PATIENCE)
            began, before, cpu = time.monotonic(), proc.others(), proc.cpu_seconds(platform_.pids())
            took = await steadily(where.base_url, read, history.accounts, seconds)
            cpu = proc.cpu_seconds(platform_.pids()) - cpu
            busy = proc.taken(before, proc.others()) / (time.monotonic() - began) / (os.cpu_count() or 1)
            found[read] = Asked(took, busy, cpu / len(took) * 1000)
        lifting.cancel()
    return found


async def compare_reads(full: Platform, empty: Platform, history: History, seconds: float, report: Report) -> None:
    """The promise is about the full one; the empty one says what the machine gives at this hour."""
    without = await measure_reads(empty, history, seconds / 3)
    for read, asked in (await measure_reads(full, history, seconds)).items():
        figures = f"{asked}; {len(asked.took)} calls"
        if asked.busy > NOISY:
            figures += f"; noisy: other programs took {asked.busy:.0%} of the machine"
        if without[read].p99 < float("inf"):
            figures += f" (empty: {without[read]})"
        report.promise(f"{read.name} under {ALLOWED:.0f} ms p99 at {RATE:.0f}/s", figures, asked.p99 < ALLOWED)


# --- sending -------------------------------------------------------------------------------------------------------


@dataclass
class Speed:
    """Messages a second."""

    accepted: float
    settled: float
    p99: float


async def delivered(db: Database) -> int:
    """How many messages of the sending account are known to be delivered."""
    return (await statistics.counters(db, FIRST_ACCOUNT, 1)).delivered


async def send(platform_: Platform, count: int, first: int) -> Speed:
    """`count` single sends from a cold start of the programs: until the last receipt is written down."""
    smsc, control = proc.free_ports(2)
    log = platform_.folder / "tools.log"
    operator = proc.start(
        [sys.executable, ROOT / "bench/smsc_sim.py", "--port", smsc, "--control", control, "--dlr-delay-ms", 100], log
    )
    db = await Database.open(platform_.url, size=1)
    try:
        async with platform_.running(smsc) as where:
            await load(where, WARM_UP, first, db, log)
            began = time.monotonic()
            result = await load(where, count, first + WARM_UP, db, log)
            return Speed(
                result["accepted_per_s"], count / (time.monotonic() - began - result["idle"]), result["p99_ms"]
            )
    finally:
        await db.close()
        proc.end([operator])


async def load(where: Places, count: int, first: int, db: Database, log: Path) -> dict[str, float]:
    """Run the HTTP client and wait for the receipts. `idle`: seconds before its first request."""
    spec, out = where.data / "spec.json", where.data / "load.json"
    spec.write_text(
        json.dumps(
            {
                "host": where.host,
                "port": where.port,
                "method": "POST",
                "path": "/v1/send",
                "headers": {"Content-Type": "application/json"},
                "body": json.dumps(
                    {"apiKey": key_of(FIRST_ACCOUNT), "phoneNumbers": "+{to}", "message": "{text}", "sender": "BENCH"}
                ),
                "accepted": '"success":true',
            }
        )
    )
    before, began = await delivered(db), time.monotonic()
    command = [sys.executable, ROOT / "bench/http_load.py", "--spec", spec, "--n", count, "--concurrency", 32]
    process = proc.start([*command, "--first", first, "--out", out], log)
    await asyncio.to_thread(process.wait)
    result = json.loads(out.read_text())
    if result["accepted"] != count:
        raise RuntimeError(f"of {count} sends {result['accepted']} were accepted: {result['refusals']}")
    deadline = time.monotonic() + 120
    while await delivered(db) < before + count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"receipts are missing: {await delivered(db) - before} of {count}")
        await asyncio.sleep(0.05)
    return result | {"idle": result["started"] - began}


async def compare_sending(full: Platform, empty: Platform, count: int, repeats: int, report: Report) -> None:
    """In pairs, each when the machine is quiet and in turns who is first; judged by the median of the pairs' ratios."""
    pairs: list[dict[Platform, Speed]] = []
    for repeat in range(repeats):
        pairs.append({})
        for one in (empty, full) if repeat % 2 == 0 else (full, empty):
            await asyncio.to_thread(proc.wait_quiet, patience=PATIENCE)
            found = pairs[-1][one] = await send(one, count, repeat * (count + WARM_UP))
            name = "with the history" if one is full else "empty"
            report.tell(
                f"{name}, {count:,} sends: {found.accepted:,.0f} accepted/s (p99 {found.p99:.0f} ms), "
                f"{found.settled:,.0f} sent and receipted/s"
            )
    for figure, what in (("accepted", "accepting"), ("settled", "accepting, sending and receipts")):
        ratio = numbers.median(getattr(pair[full], figure) / getattr(pair[empty], figure) for pair in pairs)
        best_full, best_empty = (max(getattr(pair[one], figure) for pair in pairs) for one in (full, empty))
        report.promise(
            f"{what}: slower than on an empty database by no more than a fifth",
            f"{ratio - 1:+.0%} (median of {repeats} pairs); at best {best_full:,.0f}/s against {best_empty:,.0f}/s",
            ratio >= 1 - SLOWER,
        )


# --- all of it -----------------------------------------------------------------------------------------------------


async def prove(options: argparse.Namespace, folder: Path) -> bool:
    """Fill, verify, measure, write down; whether everything holds."""
    report = Report(f"Flat cost: {options.messages:,} messages")
    full, empty = Platform(folder / "full"), Platform(folder / "empty")
    try:
        for one in (full, empty):
            await one.start()
        history = await fill(full, empty, options.messages, report)
        await verify(full.url, history, report)
        await compare_reads(full, empty, history, options.seconds, report)
        await compare_sending(full, empty, options.sends, options.repeats, report)
    finally:
        for one in (full, empty):
            await one.server.stop()
    print(f"report: {report.write(options.report)}")
    return all(line.holds for line in report.lines)


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="dev prove history", description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=float, default=30, help="length of each measurement of a call")
    parser.add_argument("--sends", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--report", type=Path, default=ROOT / "docs/reports", help="folder of the report")
    return parser.parse_args(arguments)


def main() -> int:
    """Check the room there is, then prove."""
    options = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    needed = options.messages * BYTES_A_MESSAGE + SPARE
    folder = Path(tempfile.mkdtemp(prefix="passerelle-history-"))
    folder.chmod(0o711)
    try:
        free = shutil.disk_usage(folder).free
        print(f"{folder}: {free / 1e9:.0f} GB free, {needed / 1e9:.0f} GB needed")
        if free < needed:
            print("too little room; fewer messages (--messages), or another place (TMPDIR)", file=sys.stderr)
            return 1
        return 0 if asyncio.run(prove(options, folder)) else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
