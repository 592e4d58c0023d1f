"""The crash proof: the whole platform as real processes, under load, killed again and again, then brought to account.

One rule: the witnesses are the simulated operator's journal and the customer's own records; our tables are compared
with them, never the other way round. Everything random comes from one seed.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from system.installation import RECEIPT_WAIT, SECRET, Platform, Shape, until_zero
from system.killing import Kill, Killer, most_uncertain
from system.load import Customer, Load
from system.verdict import judge
from system.witness import Sink, submits

from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.keys import Keyring
from passerelle.settings import Settings
from passerelle.store import installation_facts
from passerelle.store.database import Database

WINDOW = 40  # of each bind
CARRIERS = ("premium", "eco")
OPERATOR = ("--response-delay", "0.03", "--receipt-delay", "0.3")
MOMENT = 60.0  # seconds after the last restart in which everything must be final
TOLD = 75.0  # seconds in which every notification must be posted: the lease of one that died with its process is 60


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

    @property
    def shape(self) -> Shape:
        """What runs."""
        carriers = [{"name": name, "system_id": name, "ranges": [name], "window": WINDOW} for name in CARRIERS]
        return Shape(self.serves, self.works, carriers, OPERATOR)


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
        """How many may be listed."""
        return most_uncertain(self.kills, self.plan.shape.windows)


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
    platform = Platform(folder, plan.shape)
    sink = Sink()
    await sink.start()
    try:
        await platform.start()
        return await _run(platform, plan, sink)
    finally:
        await sink.stop()
        await platform.end()
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


async def _run(platform: Platform, plan: Plan, sink: Sink) -> Evidence:
    who = await customers(platform.url, sink.url)
    platform.start_programs()
    await platform.answering()
    load = Load(platform.bases, who, sink.url, random.Random(plan.seed + 1), plan.rate)
    stop = asyncio.Event()
    loading = asyncio.create_task(load.run(stop))
    watching = asyncio.create_task(platform.watch())
    await asyncio.sleep(2)
    killer = Killer(platform, random.Random(plan.seed), plan.tell)
    plan.tell(f"seed {plan.seed}: {plan.kills} kills under {plan.rate:.0f} messages/s in {platform.folder}")
    await killer.run(plan.kills, plan.spacing)
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
    evidence.fell = platform.fell
    await judge(evidence)
    evidence.facts["logged"] = logged = platform.logged()
    evidence.faults += [name for name in logged if "traceback" in name]
    return evidence


async def _settle(platform: Platform, evidence: Evidence, back: float) -> None:
    """Everything final within a minute of the last restart; what waits for a lost receipt ends when its wait is over."""
    db = await Database.open(platform.url, size=2)
    plan, facts = evidence.plan, evidence.facts
    try:
        left = await until_zero(db, UNSETTLED, back + MOMENT)
        facts["seconds to final"] = round(time.monotonic() - back, 1)
        if left:
            evidence.faults.append(f"{left} messages were not final {MOMENT:.0f} s after the last restart")
            facts["not final"] = [dict(row) for row in await db.fetch(_NOT_FINAL)]
        facts["unconfirmed"] = await db.fetchval(OPEN)
        await evidence.load.replay(50)
        evidence.offset = RECEIPT_WAIT
        await installation_facts.set_clock_offset(db, RECEIPT_WAIT)
        plan.tell(f"  final after {facts['seconds to final']} s; {facts['unconfirmed']} wait for a lost receipt")
        if left := await until_zero(db, OPEN, time.monotonic() + 30):
            evidence.faults.append(f"{left} messages did not end when their wait was over")
        began = time.monotonic()
        if left := await until_zero(db, EVENTS, began + TOLD):
            evidence.faults.append(f"{left} notifications were not posted within {TOLD:.0f} s")
        facts["seconds to told"] = round(time.monotonic() - back, 1)
        await until_zero(db, "select count(*) from awaiting", time.monotonic() + 15)  # a look every 5 s
    finally:
        await db.close()


_NOT_FINAL = """
select m.id, m.phone, m.state, m.uncertain, m.parts, m.dialect, q.due_at, q.attempts, q.lease_until, a.operator_id
from message m left join queue q on q.account_id = m.account_id and q.message_id = m.id
     left join awaiting a on a.account_id = m.account_id and a.message_id = m.id
where m.state < 10 limit 20
"""
