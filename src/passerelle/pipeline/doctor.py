"""Is everything sound? One check after the other, each a line that says how it is and what to do.

The one rule: a check never fails the others: what it cannot look at is itself a problem, told like the rest.
"""

from __future__ import annotations

import asyncio
import enum
import ipaddress
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidTag

from ..domain import calendar
from ..domain.pricing import text as euros
from ..settings import CarrierSettings, Settings
from ..store import carriers, inspection, ledger, mails, migrations
from ..store.database import Database
from .accounts import base_rules
from .keys import Keyring

OLDEST = 160_000  # PostgreSQL 16
DRIFT, WRONG_TIME = 0.5, 5.0  # seconds between the clocks of host and database: to look at, and too much
SCARCE, FULL = 5 << 30, 1 << 30  # bytes of disk
SHORT_SECRET = 16  # characters
SAMPLE = 5  # accounts whose figures are counted again
PATIENCE = 3.0  # seconds for a carrier to take a connection


class Level(enum.Enum):
    """How bad it is."""

    OK = "OK"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, how it is, and what to do about it ('' where nothing is to be done)."""

    name: str
    level: Level
    says: str
    advice: str = ""


Checks = list[Check]


def ok(name: str, says: str) -> Check:
    """Nothing to do."""
    return Check(name, Level.OK, says)


def warning(name: str, says: str, advice: str) -> Check:
    """It works, but look at it."""
    return Check(name, Level.WARNING, says, advice)


def problem(name: str, says: str, advice: str) -> Check:
    """It does not work, or will not for long."""
    return Check(name, Level.PROBLEM, says, advice)


async def examine(settings: Settings, *, quick: bool = False) -> AsyncIterator[Check]:
    """All checks, as they are made; without a database those that need none. `quick`: no recounts."""
    for check in [*settings_checks(settings), number_checks(settings), disk(settings.data)]:
        yield check
    try:
        await inspection.reach(settings.database_url)
    except inspection.Unreachable as error:
        yield problem("database", str(error), "start it, then run `passerelle doctor` again")
        return
    yield await _guarded("schema", lambda: schema(settings.database_url))
    db = await Database.open(settings.database_url, size=2)
    try:
        for name, look in _of_database(db, settings, quick):
            for check in await _all_guarded(name, look):
                yield check
    finally:
        await db.close()


def _of_database(db: Database, settings: Settings, quick: bool) -> list[tuple[str, Callable[[], Awaitable[Checks]]]]:
    looks: list[tuple[str, Callable[[], Awaitable[Checks]]]] = [
        ("database", lambda: server(db)),
        ("secret", lambda: secret(db, settings.secret)),
        ("carriers", lambda: reachable_carriers(db, settings.carriers)),
        ("months", lambda: months(db, datetime.now(UTC))),
        ("mail", lambda: mail(db, settings)),
    ]
    if not quick:
        looks += [("money", lambda: money(db)), ("statistics", lambda: figures(db, datetime.now(UTC)))]
    return looks


async def _guarded(name: str, look: Callable[[], Awaitable[Check]]) -> Check:
    async def one() -> Checks:
        return [await look()]

    return (await _all_guarded(name, one))[0]


async def _all_guarded(name: str, look: Callable[[], Awaitable[Checks]]) -> Checks:
    try:
        return await look()
    except Exception as error:
        says = inspection.complaint(error) or f"could not be looked at: {type(error).__name__}: {error}"
        return [problem(name, says, "mend this first: it may hide others")]


# --- settings and machine --------------------------------------------------------------------------------------------


def settings_checks(settings: Settings) -> Checks:
    """Settings that are wrong together, or risky."""
    found = [*_secret_of(settings), *_risks(settings), *_impossible(settings)]
    return found or [ok("settings", "valid, and none of them is risky")]


def _secret_of(settings: Settings) -> Checks:
    if not settings.secret:
        return [problem("settings", "the master secret is missing", "set PASSERELLE_SECRET to a long random text")]
    if len(settings.secret) < SHORT_SECRET:
        return [
            warning(
                "settings",
                f"the master secret has only {len(settings.secret)} characters",
                "a new installation should get 64 random hexadecimal digits",
            )
        ]
    return []


def _risks(settings: Settings) -> Checks:
    found = []
    if settings.callback_private:
        found.append(
            warning(
                "settings",
                "callbacks may go to private addresses, as `up` wants it",
                "in production leave callback_private off: customers could reach your inner network",
            )
        )
    if any(_is_everybody(proxy) for proxy in settings.trusted_proxies):
        found.append(
            warning(
                "settings",
                "X-Forwarded-For is believed from every address",
                "name your own proxies in trusted_proxies: anybody can claim any address now",
            )
        )
    if settings.test_clock:
        found.append(warning("settings", "the clock is that of a test", "switch test_clock off in production"))
    if not settings.carriers:
        found.append(
            warning("settings", "there is no carrier: nothing can be sent", "add [[carriers]] to the settings file")
        )
    return found


def _is_everybody(network: str) -> bool:
    try:
        return ipaddress.ip_network(network, strict=False).prefixlen == 0
    except ValueError:
        return network == "*"


def _impossible(settings: Settings) -> Checks:
    found = []
    if "{short_code}" not in settings.stop_mention and settings.short_code not in settings.stop_mention:
        found.append(
            warning(
                "settings",
                "stop_mention does not name the short code that STOP is to be sent to",
                "write it like 'STOP {short_code}'",
            )
        )
    try:
        rules = base_rules(settings)
        calendar.Hours(start=rules["quiet_end"], end=rules["quiet_start"])  # type: ignore[arg-type]
    except (ValueError, KeyError, IndexError) as error:
        found.append(problem("settings", f"the hours for marketing or the mention are impossible: {error}",
                             "check quiet_start, quiet_end and stop_mention"))  # fmt: skip
    return found


def number_checks(settings: Settings) -> Check:
    """Whether somebody is asked about numbers, or the answers are made up and charged all the same."""
    if settings.hlr.url:
        return ok("number checks", "a provider is asked")
    return warning(
        "number checks",
        "their answers are simulated, and charged",
        "in production name a provider in [hlr], or set the price of hlr to 0",
    )


def disk(data: Path) -> Check:
    """Free space where the data folder is, or will be."""
    there = next(folder for folder in (data.resolve(), *data.resolve().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    says = f"{free / (1 << 30):.1f} GB free at {there}"
    if free < FULL:
        return problem("disk", says, "make room now: a full disk stops the database")
    return warning("disk", says, "make room soon") if free < SCARCE else ok("disk", says)


# --- database --------------------------------------------------------------------------------------------------------


async def schema(url: str) -> Check:
    """Whether every migration is applied, unchanged."""
    try:
        missing = [str(one) for one in await migrations.status(url) if one.applied_at is None]
    except migrations.MigrationError as error:
        return problem("schema", str(error), "run the program that fits this database")
    if missing:
        return problem("schema", f"not applied: {', '.join(missing)}", "run `passerelle migrate`")
    return ok("schema", "up to date")


async def server(db: Database) -> Checks:
    """Version, durability and clock of the server."""
    before = datetime.now(UTC)
    row = await inspection.server(db)
    after = datetime.now(UTC)
    return [
        _version(row["version"], row["size"]),
        _durable({name: row[name] for name in ("fsync", "synchronous_commit", "full_page_writes")}),
        clocks(before, row["at"], after),
    ]


def _version(number: int, size: int) -> Check:
    says = f"PostgreSQL {number // 10_000}.{number % 10_000}, {size / (1 << 20):,.0f} MB"
    if number < OLDEST:
        return problem("database", says, "use PostgreSQL 16 or newer")
    return ok("database", says)


def _durable(values: dict[str, str]) -> Check:
    off = [name for name, value in values.items() if value in ("off", "local")]
    if off:
        return problem(
            "durability", f"{', '.join(off)} off", "switch it on: what was accepted would be lost by a power cut"
        )
    return ok("durability", "what is committed is on disk")


def clocks(before: datetime, theirs: datetime, after: datetime) -> Check:
    """The clock of the database against ours, which was read before and after."""
    middle = before + (after - before) / 2
    doubt = (after - before).total_seconds() / 2
    drift = max(0.0, abs((theirs - middle).total_seconds()) - doubt)
    says = f"database and this machine are {drift:.1f} s apart"
    if drift >= WRONG_TIME:
        return problem("clock", says, "set both by NTP: sending times and leases would be wrong")
    return warning("clock", says, "set both by NTP") if drift >= DRIFT else ok("clock", says)


async def secret(db: Database, master: str) -> Checks:
    """Whether the master secret is the one that sealed the keys."""
    found = await inspection.sealed(db)
    if not master:
        return []
    if found is None:
        return [ok("secret", "present; no key was sealed yet")]
    email, sealed = found
    try:
        Keyring(master).open(sealed)
    except InvalidTag:
        return [
            problem(
                "secret",
                f"the key of {email} was sealed with another master secret",
                "put the old PASSERELLE_SECRET back: no key works with this one",
            )
        ]
    return [ok("secret", "opens the keys")]


async def months(db: Database, now: datetime) -> Checks:
    """Partitions of this month and the next."""
    this = now.replace(day=1)
    wanted = [this, (this + timedelta(days=32)).replace(day=1)]
    there = await inspection.months(db, wanted)
    missing = [f"{at:%B %Y}" for at in wanted if f"{at:%Y%m}" not in there]
    if missing:
        return [warning("months", f"no partitions for {' and '.join(missing)}",
                        "`passerelle work` makes them within the hour: see that one is running")]  # fmt: skip
    return [ok("months", "this month and the next have their partitions")]


async def money(db: Database) -> Checks:
    """Whether each wallet is the sum of its ledger."""
    wrong = await ledger.wrong_wallets(db)
    if wrong:
        shown = ", ".join(
            f"account {row['account_id']}: {euros(row['balance'])} EUR, ledger {euros(row['ledger'])} EUR"
            for row in wrong[:5]
        )
        return [problem("money", f"{len(wrong)} wallets differ from the ledger: {shown}", "this is a bug: report it")]
    return [ok("money", "every wallet equals its ledger")]


async def figures(db: Database, now: datetime) -> Checks:
    """Statistics of the busiest accounts against a recount."""
    looked, wrong = await inspection.miscounts(db, SAMPLE, now)
    if wrong:
        shown = ", ".join(f"{one.figure} of account {one.account_id}: {one.counted}, rows say {one.recounted}"
                          for one in wrong[:5])  # fmt: skip
        return [problem("statistics", f"{len(wrong)} figures are wrong: {shown}", "this is a bug: report it")]
    return [ok("statistics", f"{looked} figures equal a recount")]


# --- mail ------------------------------------------------------------------------------------------------------------


async def mail(db: Database, settings: Settings) -> Checks:
    """The mail server, and what waits for it."""
    outbox = await mails.tally(db)
    waiting = f"{outbox.waiting} mails wait in the outbox"
    if not settings.mail.host:
        if not outbox.waiting:
            return [ok("mail", "there is no mail server: mails, as to advanced sub-accounts, would stay in the outbox")]
        return [warning("mail", f"{waiting}, and there is no mail server", "add [mail] to the settings file")]
    place = f"{settings.mail.host}:{settings.mail.port}"
    if refusal := await unreachable(settings.mail.host, settings.mail.port):
        return [problem("mail", f"{place} does not answer: {refusal}", "check host, port and firewall of [mail]")]
    found = [ok("mail", f"{place} answers, {waiting}")]
    if outbox.given_up or (outbox.waiting and outbox.error):
        says = f"{outbox.given_up} mails were given up, {outbox.waiting} wait; the last error: {outbox.error}"
        found.append(warning("mail", says, "see `passerelle mail list`; `passerelle mail retry` tries them again"))
    if not settings.public_url and settings.mail.host not in ("127.0.0.1", "::1", "localhost"):
        says = f"links in mails begin with {settings.site}"
        found.append(warning("mail", says, "set public_url to where people reach this platform"))
    return found


# --- carriers --------------------------------------------------------------------------------------------------------


async def reachable_carriers(db: Database, wanted: list[CarrierSettings]) -> Checks:
    """Every carrier of the settings: whether its port answers, and whether its binds are up."""
    binds = await carriers.binds(db)
    refusals = await asyncio.gather(*(unreachable(one.host, one.port) for one in wanted))
    return [
        _carrier(one, refusal, [bind for bind in binds if bind["name"] == one.name])
        for one, refusal in zip(wanted, refusals, strict=True)
    ]


def _carrier(carrier: CarrierSettings, refusal: str, binds: list[dict[str, object]]) -> Check:
    name = f"carrier {carrier.name}"
    place = f"{carrier.host}:{carrier.port}"
    if refusal:
        return problem(name, f"{place} does not answer: {refusal}", "check host, port and firewall with the operator")
    up = sum(bool(bind["bound"]) for bind in binds)
    if up >= carrier.binds:
        return ok(name, f"{place} answers, {up} of {carrier.binds} binds up")
    notes = ", ".join(sorted({str(bind["note"]) for bind in binds if bind["note"]}))
    says = f"{place} answers, {up} of {carrier.binds} binds up" + (f" ({notes})" if notes else "")
    advice = "see that `passerelle work` is running, and check system_id and password"
    return warning(name, says, advice) if up else problem(name, says, advice)


async def unreachable(host: str, port: int) -> str:
    """Why a TCP port takes no connection; '' when it does."""
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
    except TimeoutError:
        return f"no answer within {PATIENCE:.0f} s"
    except OSError as error:
        return error.strerror or str(error)
    return ""
