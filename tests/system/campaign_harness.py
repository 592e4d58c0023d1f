"""The campaign from hell: a large campaign of marketing over half a year of moved clocks, paused, edited, answered with
STOP, and all its processes killed at random.

One rule: what happens is triggered by how far the campaign is, never by how long it took; the clock is moved over the
hours in which nothing may leave, and passes by itself every moment at which something opens or closes.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from system.campaign_clock import MovedClock, paris
from system.campaign_days import Days
from system.campaign_owner import Owner
from system.campaign_people import HEADINGS, MESSAGE, PRICE, TESTER, Crowd, Fate, crowd
from system.campaign_troubles import Troubles
from system.campaign_verdict import judge
from system.installation import RECEIPT_WAIT, SECRET, Platform, Shape, until_zero
from system.killing import Kill, Killer
from system.witness import Log, Progress, log_of

from passerelle.domain.account import Account
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.api_keys import ApiKeys
from passerelle.pipeline.keys import Keyring
from passerelle.settings import ANSWER_MARGIN, Settings
from passerelle.store.database import Database, patiently

BEGIN, START = "2026-08-14 10:00", "2026-08-14 19:50"  # 15 August is a public holiday
PATIENCE = 120.0  # seconds without any progress


@dataclass
class Plan:
    """What is to be done. `window`: of each of two binds; `delay`: seconds until the operator answers; `lease`: seconds
    after which the parts of a process that died are known to be nobody's."""

    recipients: int = 2_000
    pauses: int = 8
    kills: int = 5
    stops: int = 40
    edits: int = 20
    seed: int = 0
    serves: int = 2
    works: int = 1
    window: int = 10
    delay: float = 0.2
    lease: int = 8
    tell: Callable[[str], None] = print

    @property
    def shape(self) -> Shape:
        """What runs."""
        carrier = {
            "name": "operator", "system_id": "operator", "window": self.window, "binds": 2,
            "response_timeout_seconds": self.lease - ANSWER_MARGIN,
        }  # fmt: skip
        operator = ("--response-delay", str(self.delay), "--receipt-delay", "0.3")
        return Shape(self.serves, self.works, [carrier], operator, {"PASSERELLE_LEASE_SECONDS": str(self.lease)})


@dataclass
class Told:
    """What the owner was told, by call."""

    imports: list[dict[str, Any]] = field(default_factory=list)
    campaign_id: str = ""
    tested: float = 0.0  # credits
    launched: float = 0.0
    before: dict[str, Any] = field(default_factory=dict)  # the campaign, launched and not begun
    campaign: dict[str, Any] = field(default_factory=dict)  # at the end, as all that follow
    figures: dict[str, Any] = field(default_factory=dict)
    native: dict[str, Any] = field(default_factory=dict)  # the same over the native API
    everything: dict[str, Any] = field(default_factory=dict)  # the figures of all messages
    account: dict[str, Any] = field(default_factory=dict)
    blacklists: dict[str, Any] = field(default_factory=dict)
    replies: list[dict[str, Any]] = field(default_factory=list)
    unsubscribers: list[dict[str, Any]] = field(default_factory=list)
    contacts: list[dict[str, Any]] = field(default_factory=list)
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)  # of a few: phone -> status
    skipped: dict[str, str] = field(default_factory=dict)  # phone -> reason


@dataclass
class Evidence:
    """What was found, for the verdict. Moments in seconds since 1970."""

    plan: Plan
    crowd: Crowd
    told: Told = field(default_factory=Told)
    clock: MovedClock | None = None
    log: Log = field(default_factory=lambda: Log([], []))
    kills: list[Kill] = field(default_factory=list)
    database: str = ""
    account_id: int = 0
    credit: int = 0  # micro-euros given
    blocked: dict[str, float] = field(default_factory=dict)  # put on the stop list after the launch -> when answered
    stops: set[str] = field(default_factory=set)  # who wrote STOP
    says: set[str] = field(default_factory=set)  # who wrote something else
    added: set[str] = field(default_factory=set)  # to the list, after the launch
    removed: set[str] = field(default_factory=set)
    pauses: list[tuple[float, float]] = field(default_factory=list)  # answered, and asked to go on
    days: list[tuple[datetime, str, int]] = field(default_factory=list)  # what was done when, after how many submits
    fell: dict[str, list[int]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Stage:
    """What everybody who takes part needs."""

    plan: Plan
    platform: Platform
    db: Database
    clock: MovedClock
    owner: Owner
    killer: Killer
    progress: Progress
    evidence: Evidence
    chance: random.Random
    list_id: str = ""
    calm: asyncio.Lock = field(default_factory=asyncio.Lock)  # the clock is being moved, or somebody is being killed
    running: asyncio.Lock = field(default_factory=asyncio.Lock)  # the campaign is paused

    @property
    def path(self) -> str:
        """The campaign, in the native API."""
        return f"/api/v1/campaigns/{self.evidence.told.campaign_id}"

    async def ask(self, query: str, *arguments: object) -> list[Any]:
        """Rows, however often the database is killed meanwhile."""
        rows: list[Any] = await patiently(lambda: self.db.fetch(query, *arguments), math.inf)
        return rows

    async def count(self, query: str, *arguments: object) -> int:
        """A number."""
        return int((await self.ask(query, *arguments))[0][0])

    def note(self, what: str) -> None:
        """What is done now, for the report."""
        now, submits = self.clock.now(), self.progress.look()
        self.evidence.days.append((now, what, submits))
        self.plan.tell(f"  {now:%Y-%m-%d %H:%M:%S} UTC, {submits} submits: {what}")

    async def until(self, missing: Callable[[], Awaitable[str]]) -> None:
        """Wait until nothing is missing any more. Gives up when no submit came for long."""
        submits, since = self.progress.look(), time.monotonic()
        while found := await missing():
            if self.progress.look() != submits:
                submits, since = self.progress.submits, time.monotonic()
            if time.monotonic() - since > PATIENCE:
                raise TimeoutError(f"{found}, and no submit for {PATIENCE:.0f} s")
            await asyncio.sleep(0.1)


async def run(plan: Plan) -> Evidence:
    """The whole proof; the folder is kept where KEEP names one."""
    kept = os.environ.get("KEEP")
    folder = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="passerelle-campaign-"))
    folder.mkdir(exist_ok=True)
    platform = Platform(folder, plan.shape)
    try:
        await platform.start()
        evidence = await _run(platform, plan)
        await judge(evidence)
        return evidence
    finally:
        await platform.end()
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


async def _run(platform: Platform, plan: Plan) -> Evidence:
    chance = random.Random(plan.seed)
    evidence = Evidence(plan, crowd(plan.recipients, chance), database=platform.url)
    db = await Database.open(platform.url, size=4, patience=60.0)
    evidence.clock = clock = MovedClock(db)
    await clock.move(paris(BEGIN))
    key, native = await _account(db, evidence)
    platform.start_programs()
    await platform.answering()
    watching = asyncio.create_task(platform.watch())
    killer = Killer(platform, random.Random(plan.seed + 1), plan.tell)
    plan.tell(f"seed {plan.seed}: {plan.recipients} recipients, {plan.kills} kills in {platform.folder}")
    async with Owner(platform.bases, key, native, chance) as owner:
        stage = Stage(plan, platform, db, clock, owner, killer, Progress(platform.journal), evidence, chance)
        await _act(stage)
        watching.cancel()
        evidence.facts["client faults"] = dict(owner.faults)
    await db.close()
    evidence.log = await asyncio.to_thread(log_of, platform.journal)
    evidence.kills, evidence.fell = killer.kills, platform.fell
    evidence.facts["logged"] = logged = platform.logged()
    evidence.faults += [name for name in logged if "traceback" in name]
    return evidence


async def _account(db: Database, evidence: Evidence) -> tuple[str, str]:
    """Somebody with enough money; his keys."""
    assert evidence.clock is not None
    keyring, now = Keyring(SECRET), evidence.clock.now()
    accounts = Accounts(db, keyring, Settings())
    account: Account
    account, key = await accounts.create("boutique@example.org", now=now)
    evidence.account_id, evidence.credit = account.id, evidence.plan.recipients * PRICE * 11 // 10 + 999
    await accounts.credit(account.id, evidence.credit, now)
    _, native = await ApiKeys(db, keyring).create(account.id, "campaign", ("*",), now)
    return key, native


# --- the play ------------------------------------------------------------------------------------------------------


async def _act(stage: Stage) -> None:
    kinds = stage.killer.kinds(stage.plan.kills - 1)  # the last one is on the last day
    await _fill(stage, kinds.pop())
    await _launch(stage)
    troubles = Troubles(stage, kinds)
    making = asyncio.create_task(troubles.run())
    playing = asyncio.create_task(Days(stage).run())
    try:
        done, _ = await asyncio.wait([making, playing], return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        making.cancel()
        playing.cancel()
    await stage.killer.all_back()
    await _settle(stage)
    await _ask(stage)


async def _fill(stage: Stage, kind: str) -> None:
    """The list from two files, while one of them comes in something is killed; who is blocked."""
    evidence, owner = stage.evidence, stage.owner
    rows, half = evidence.crowd.rows, len(evidence.crowd.rows) // 2
    stage.list_id = await owner.new_list("Clients")
    first = asyncio.create_task(owner.import_rows(stage.list_id, [HEADINGS, *rows[:half]]))
    await asyncio.sleep(0)
    await owner.block("unsubscribers", [f"+{one.phone}" for one in evidence.crowd.of(Fate.OPTED_OUT)])
    await owner.block("bounces", [f"+{one.phone}" for one in evidence.crowd.of(Fate.BOUNCED)])
    evidence.told.imports.append(await first)
    posted = asyncio.Event()
    second = asyncio.create_task(owner.import_rows(stage.list_id, [HEADINGS, *rows[half:]], posted))
    await posted.wait()
    await stage.killer.kill(kind)
    evidence.told.imports.append(await second)
    await stage.killer.all_back()
    stage.note("the list is filled")


async def _launch(stage: Stage) -> None:
    """Written, tried, launched for the evening."""
    owner, told = stage.owner, stage.evidence.told
    wanted = {
        "name": "Soldes",
        "message": MESSAGE,
        "sendList": {"id": stage.list_id},
        "date": round(paris(START).timestamp() * 1000),
    }
    made = await owner.call("POST", "/v2/marketing/campaigns", wanted)
    told.campaign_id = made["id"]
    path = f"/v2/campaigns/{told.campaign_id}"
    tried = await owner.call("POST", f"{path}/test", {"identifier": f"+{TESTER}"}, Idempotency_Key="test")
    told.tested = tried["creditsUsed"]
    launched = await owner.call("POST", f"/v2/marketing/campaigns/{told.campaign_id}/send", Idempotency_Key="launch")
    told.launched = launched["creditsUsed"]
    later = [one.phone for one in stage.evidence.crowd.of(Fate.OPTED_OUT_LATER)]

    async def block(phone: str) -> None:
        await owner.block("unsubscribers", [f"+{phone}"])
        stage.evidence.blocked[phone] = time.time()

    await owner.each(block, later)
    told.before = await owner.call("GET", path)
    stage.note("launched, for 19:50")


async def _settle(stage: Stage) -> None:
    """Everything has left; what waits for a lost receipt ends when its wait is over."""
    evidence, db = stage.evidence, stage.db
    await stage.clock.move(stage.clock.now() + timedelta(seconds=RECEIPT_WAIT))
    stage.note("the wait for receipts is over")
    for what, query in LEFT.items():
        if left := await until_zero(db, query, time.monotonic() + PATIENCE):
            evidence.faults.append(f"{left} {what}")


LEFT = {
    "messages have no end": "select count(*) from message where state < 10",
    "rows are left in queue": "select count(*) from queue",
    "rows are left in awaiting": "select count(*) from awaiting",
    "rows are left in halt": "select count(*) from halt",
    "campaigns have not ended": "select count(*) from campaign where ended_at is null",
}


async def _ask(stage: Stage) -> None:
    """What the owner can read at the end."""
    owner, told = stage.owner, stage.evidence.told
    path = f"/v2/campaigns/{told.campaign_id}"
    told.campaign, told.figures = await owner.call("GET", path), await owner.call("GET", f"{path}/status")
    told.blacklists, told.replies = (
        await owner.call("GET", f"{path}/blacklists"),
        await owner.call("GET", f"{path}/replies"),
    )
    told.everything = await owner.call("GET", "/v2/messages/stats")
    told.account = await owner.call("GET", "/v2/account/stats")
    told.unsubscribers = await owner.call("GET", "/v2/unsubscribers/default/contacts")
    told.contacts = await owner.call("GET", f"/v2/lists/{stage.list_id}/contacts")
    told.native = await owner.call("GET", f"{stage.path}/statistics")
    told.skipped = await owner.skipped(stage.path)
    some = stage.chance.sample(sorted(stage.evidence.crowd.people), 100)

    async def look(phone: str) -> None:
        found = await owner.call("GET", f"/v2/messages/status?identifier=%2B{phone}", done=(16,))
        told.statuses[phone] = found

    await owner.each(look, some)
