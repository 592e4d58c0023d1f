"""The crash proof: the whole platform as real processes, under load, killed again and again, then brought to account.

One rule: the witnesses are the simulated operator's journal and the customer's own records; our tables are compared
with them, never the other way round. Everything random comes from one seed.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from system.load import Customer, Load
from system.programs import DatabaseProgram, Program
from system.verdict import judge
from system.witness import Sink, submits

from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.keys import Keyring
from passerelle.settings import Settings
from passerelle.store.database import Database
from passerelle.store.migrations import migrate

SECRET = "crash proof"
WINDOW = 40  # of each bind
CARRIERS = ("premium", "eco")
WEIGHTS = {"serve": 30, "work": 20, "database": 25, "simulate": 25}
MOMENT = 60.0  # seconds after the last restart in which everything must be final
RECEIPT_WAIT = 49 * 3600.0  # seconds: after that a part whose receipt never came ends unconfirmed
TOLD = 75.0  # seconds in which every notification must be posted: the lease of one that died with its process is 60


@dataclass(frozen=True)
class Kill:
    """One kill: seconds since the start, what, and how."""

    at: float
    what: str
    how: str = ""


@dataclass
class Plan:
    """What is to be done. `spacing`: seconds between two kills on average; `rate`: messages a second."""

    kills: int = 20
    seed: int = 0
    serves: int = 2
    works: int = 1
    spacing: float = 3.5
    rate: float = 120.0
    tell: Callable[[str], None] = print


@dataclass
class Evidence:
    """What was found, for the verdict."""

    plan: Plan
    load: Load
    sink: Sink
    submits: list[Any]
    kills: list[Kill]
    database: str
    fell: dict[str, list[int]]
    faults: list[str] = field(default_factory=list)  # what went wrong on the way
    facts: dict[str, Any] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    offset: float = 0.0

    @property
    def most_uncertain(self) -> int:
        """The sum of the windows at the kills: a kill of the API leaves nothing open at the operator."""
        return sum(WINDOW * len(CARRIERS) for kill in self.kills if kill.what != "serve")


def free_ports(count: int) -> list[int]:
    """So many ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Platform:
    """All programs of one installation."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self._plan = plan
        self.ports = free_ports(plan.serves + 2)
        self.database = DatabaseProgram(folder / "postgres", folder / "database.log")
        self.programs: dict[str, list[Program]] = {"database": [self.database]}
        self.url = ""

    @property
    def bases(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports[: self._plan.serves]]

    @property
    def journal(self) -> Path:
        return self.folder / "simulator" / "smsc.journal"

    def all(self) -> list[Program]:
        """In the order in which they are ended."""
        return [one for kind in ("serve", "work", "simulate", "database") for one in self.programs.get(kind, [])]

    async def start(self) -> None:
        """PostgreSQL first, then the rest."""
        self.folder.chmod(0o711)
        self.database.start()
        self.url = await asyncio.to_thread(self.database.url)
        await connected(self.url)
        await migrate(self.url)

    def start_programs(self) -> None:
        """The operator, the workers, the APIs."""
        *_, smpp, http = self.ports
        env = self._environment(smpp)
        simulate = ["--port", str(smpp), "--http-port", str(http), "--data", str(self.folder / "simulator")]
        simulate += ["--response-delay", "0.03", "--receipt-delay", "0.3"]
        self.programs["simulate"] = [self._program("simulate", "simulate", simulate, env)]
        self.programs["work"] = [self._program(f"work{n}", "work", [], env) for n in range(self._plan.works)]
        self.programs["serve"] = [
            self._program(f"serve{n}", "serve", ["--port", str(self.ports[n])], env) for n in range(self._plan.serves)
        ]
        for kind in ("simulate", "work", "serve"):
            for program in self.programs[kind]:
                program.start()

    def _program(self, name: str, word: str, arguments: list[str], env: dict[str, str]) -> Program:
        return Program(name, ["-m", "passerelle", word, *arguments], env, self.folder / f"{name}.log")

    def _environment(self, smpp: int) -> dict[str, str]:
        carriers = [
            {
                "name": name, "host": "127.0.0.1", "port": smpp, "system_id": name, "password": "simulator",
                "ranges": [name], "window": WINDOW,
            }
            for name in CARRIERS
        ]  # fmt: skip
        return os.environ | {
            "PASSERELLE_DATABASE_URL": self.url,
            "PASSERELLE_SECRET": SECRET,
            "PASSERELLE_CALLBACK_PRIVATE": "true",
            "PASSERELLE_TEST_CLOCK": "true",
            "PASSERELLE_CARRIERS": json.dumps(carriers),
        }

    def end(self) -> dict[str, int]:
        """SIGTERM to all, in order; their exit statuses."""
        return {program.name: program.end() for program in self.all()}


async def connected(url: str, patience: float = 60.0) -> None:
    """Until the database answers."""
    deadline = time.monotonic() + patience
    while True:
        try:
            connection = await asyncpg.connect(url, timeout=5)
            await connection.fetchval("select 1")
            await connection.close()
            return
        except (OSError, asyncpg.PostgresError, TimeoutError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


async def customers(url: str, webhook: str) -> dict[str, Customer]:
    """The accounts: two with plenty, one that runs out."""
    db = await Database.open(url, size=2)
    accounts = Accounts(db, Keyring(SECRET), Settings())
    made = {}
    now = datetime.now(UTC)
    plenty, little = 5_000_000_000, 2_000_000
    for name, credit in (("bakery", plenty), ("clinic", plenty), ("poor", little)):
        rules: dict[str, object] = {"quiet_exempt": True}
        if name == "clinic":
            rules["webhook_url"] = f"{webhook}/webhook"
        account, key = await accounts.create(f"{name}@example.org", now=now, rules=rules)
        await accounts.credit(account.id, credit, now)
        made[name] = Customer(name, key, account.id)
    await db.close()
    return made


# --- killing -------------------------------------------------------------------------------------------------------


class Killer:
    """Kills as planned, and starts again what it killed."""

    def __init__(self, platform: Platform, plan: Plan, began: float) -> None:
        self._platform = platform
        self._plan = plan
        self._chance = random.Random(plan.seed)
        self._began = began
        self._coming_back: set[asyncio.Task[None]] = set()
        self.kills: list[Kill] = []

    async def run(self) -> None:
        """All kills, at random moments; returns when the last one is back."""
        span = self._plan.kills * self._plan.spacing
        moments = sorted(self._chance.uniform(0, span) for _ in range(self._plan.kills))
        kinds = self._kinds()
        for moment, kind in zip(moments, kinds, strict=True):
            await asyncio.sleep(max(0.0, self._began + moment - time.monotonic()))
            await self._kill(kind)
        while self._coming_back:
            await asyncio.wait(self._coming_back)

    def _kinds(self) -> list[str]:
        """Each program its share, in random order."""
        total = sum(WEIGHTS.values())
        kinds = [kind for kind, weight in WEIGHTS.items() for _ in range(self._plan.kills * weight // total)]
        kinds += self._chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=self._plan.kills - len(kinds))
        self._chance.shuffle(kinds)
        return kinds

    async def _kill(self, kind: str) -> None:
        program = self._chance.choice(self._platform.programs[kind])
        while not program.up:  # still down from another kill
            await asyncio.sleep(0.05)
        how = "program"
        if kind == "database":
            how = await self._kill_database()
        if how == "program":
            program.kill()
            self._come_back(program, self._chance.uniform(0.1, 1.5))
        kill = Kill(time.monotonic() - self._began, kind, f"{program.name} {how}")
        self.kills.append(kill)
        self._plan.tell(f"  {kill.at:7.2f} s  kill -9 {kill.how}")

    async def _kill_database(self) -> str:
        database = self._platform.database
        choice = self._chance.random()
        while True:
            if choice < 0.4 and database.kill_server(whole=True):
                return "server, all of it"
            if 0.4 <= choice < 0.6 and database.kill_server(whole=False):
                return "postmaster"
            if 0.6 <= choice < 0.8 and database.kill_backend(self._chance.random()):
                return "backend"
            if choice >= 0.8:
                return "program"
            await asyncio.sleep(0.05)

    def _come_back(self, program: Program, after: float) -> None:
        async def later() -> None:
            await asyncio.sleep(after)
            program.start()

        task = asyncio.create_task(later())
        self._coming_back.add(task)
        task.add_done_callback(self._coming_back.discard)


# --- the run -------------------------------------------------------------------------------------------------------

UNSETTLED = """
select count(*) from message m where m.state < 10 and (
    m.state < 2
    or exists (select from queue q where q.account_id = m.account_id and q.message_id = m.id)
    or exists (select from part p where p.account_id = m.account_id and p.message_id = m.id and p.state < 2))
"""
OPEN = "select count(*) from message where state < 10"
EVENTS = "select count(*) from event where state = 0"


async def run(plan: Plan) -> Evidence:
    """The whole proof; the folder is kept where KEEP names one."""
    kept = os.environ.get("KEEP")
    folder = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="passerelle-crash-"))
    folder.mkdir(exist_ok=True)
    platform = Platform(folder, plan)
    sink = Sink()
    await sink.start()
    try:
        await platform.start()
        return await _run(platform, plan, sink)
    finally:
        await sink.stop()
        for program in platform.all():
            await asyncio.to_thread(program.end)
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


async def _run(platform: Platform, plan: Plan, sink: Sink) -> Evidence:
    who = await customers(platform.url, sink.url)
    platform.start_programs()
    await _answering(platform)
    load = Load(platform.bases, who, sink.url, random.Random(plan.seed + 1), plan.rate)
    stop = asyncio.Event()
    loading = asyncio.create_task(load.run(stop))
    watching = asyncio.create_task(_watch(platform))
    await asyncio.sleep(2)
    killer = Killer(platform, plan, time.monotonic())
    plan.tell(f"seed {plan.seed}: {plan.kills} kills under {plan.rate:.0f} messages/s in {platform.folder}")
    await killer.run()
    back = time.monotonic()
    await asyncio.sleep(1)
    stop.set()
    evidence = Evidence(plan, load, sink, [], killer.kills, platform.url, {}, customers=who)
    try:
        await asyncio.wait_for(loading, MOMENT)
    except TimeoutError:
        evidence.faults.append(f"{len(load._asking)} requests were never answered")
    await _settle(platform, evidence, back)
    watching.cancel()
    evidence.submits = await asyncio.to_thread(submits, platform.journal)
    evidence.fell = {program.name: program.fell for program in platform.all() if program.fell}
    await judge(evidence)
    evidence.facts["logged"] = logged = _logged(platform)
    evidence.faults += [name for name in logged if "traceback" in name]
    return evidence


def _logged(platform: Platform) -> dict[str, int]:
    """What the programs complained of."""
    words: Counter[str] = Counter()
    for log in sorted(platform.folder.glob("*.log")):
        if log.name == "database.log":
            continue
        for line in log.read_text(errors="replace").splitlines():
            if line.startswith("Traceback"):
                words[f"{log.stem}: traceback"] += 1
            elif '"worker_failed"' in line or '"request_failed"' in line:
                told = json.loads(line)
                words[f"{log.stem}: {told['event']} {told.get('room', '')} {told.get('error', '')}"] += 1
    return dict(words)


async def _answering(platform: Platform, patience: float = 30.0) -> None:
    """Until every API listens."""
    deadline = time.monotonic() + patience
    for port in platform.ports[: len(platform.bases)]:
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)


async def _watch(platform: Platform) -> None:
    """A program that ends by itself is started again, and remembered."""
    while True:
        for program in platform.all():
            program.look()
        await asyncio.sleep(0.5)


async def _settle(platform: Platform, evidence: Evidence, back: float) -> None:
    """Everything final within a minute of the last restart; what waits for a lost receipt ends when its wait is over."""
    db = await Database.open(platform.url, size=2)
    plan, facts = evidence.plan, evidence.facts
    try:
        left = await _until_zero(db, UNSETTLED, back + MOMENT)
        facts["seconds to final"] = round(time.monotonic() - back, 1)
        if left:
            evidence.faults.append(f"{left} messages were not final {MOMENT:.0f} s after the last restart")
            facts["not final"] = [dict(row) for row in await db.fetch(_NOT_FINAL)]
        facts["unconfirmed"] = await db.fetchval(OPEN)
        await evidence.load.replay(50)
        evidence.offset = RECEIPT_WAIT
        await db.execute(
            "insert into installation values ('clock_offset', $1) on conflict (name) do update set value = $1",
            str(RECEIPT_WAIT),
        )
        plan.tell(f"  final after {facts['seconds to final']} s; {facts['unconfirmed']} wait for a lost receipt")
        if left := await _until_zero(db, OPEN, time.monotonic() + 30):
            evidence.faults.append(f"{left} messages did not end when their wait was over")
        began = time.monotonic()
        if left := await _until_zero(db, EVENTS, began + TOLD):
            evidence.faults.append(f"{left} notifications were not posted within {TOLD:.0f} s")
        facts["seconds to told"] = round(time.monotonic() - back, 1)
        await _until_zero(db, "select count(*) from awaiting", time.monotonic() + 15)  # a look every 5 s
    finally:
        await db.close()


_NOT_FINAL = """
select m.id, m.phone, m.state, m.uncertain, m.parts, m.dialect, q.due_at, q.attempts, q.lease_until, a.operator_id
from message m left join queue q on q.account_id = m.account_id and q.message_id = m.id
     left join awaiting a on a.account_id = m.account_id and a.message_id = m.id
where m.state < 10 limit 20
"""


async def _until_zero(db: Database, query: str, deadline: float) -> int:
    """Ask until the count is zero or the deadline (monotonic seconds) is over; the last count."""
    while True:
        left = int(await db.fetchval(query))
        if not left or time.monotonic() > deadline:
            return left
        await asyncio.sleep(0.3)
