"""What the doctor finds wrong, and that nothing is wrong with a sound installation."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from passerelle.clock import Clock
from passerelle.domain.admission import Wanted
from passerelle.domain.profile import SMSPARTNER
from passerelle.domain.routing import Route
from passerelle.pipeline import doctor
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.doctor import Level
from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.submit import Submitter
from passerelle.settings import CarrierSettings, Settings
from passerelle.store import carriers
from passerelle.store.database import Database
from passerelle.store.numbering import month_of

SECRET = "s" * 32
NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
CARRIER = CarrierSettings(name="a", host="b")


def levels(checks):
    return {check.level for check in checks}


@pytest.mark.parametrize(
    ("settings", "level", "words"),
    [
        (Settings(secret=SECRET, carriers=[CARRIER]), Level.OK, "valid"),
        (Settings(carriers=[CARRIER]), Level.PROBLEM, "secret is missing"),
        (Settings(secret="short", carriers=[CARRIER]), Level.WARNING, "only 5 characters"),
        (Settings(secret=SECRET), Level.WARNING, "no carrier"),
        (Settings(secret=SECRET, carriers=[CARRIER], callback_private=True), Level.WARNING, "private addresses"),
        (Settings(secret=SECRET, carriers=[CARRIER], trusted_proxies=["0.0.0.0/0"]), Level.WARNING, "every address"),
        (Settings(secret=SECRET, carriers=[CARRIER], trusted_proxies=["::/0"]), Level.WARNING, "every address"),
        (Settings(secret=SECRET, carriers=[CARRIER], trusted_proxies=["10.0.0.0/8"]), Level.OK, "valid"),
        (Settings(secret=SECRET, carriers=[CARRIER], test_clock=True), Level.WARNING, "of a test"),
        (Settings(secret=SECRET, carriers=[CARRIER], stop_mention="STOP"), Level.WARNING, "short code"),
        (Settings(secret=SECRET, carriers=[CARRIER], stop_mention="STOP {code}"), Level.PROBLEM, "impossible"),
        (Settings(secret=SECRET, carriers=[CARRIER], quiet_start="07:00"), Level.PROBLEM, "impossible"),
    ],
)
def test_settings_are_judged(settings: Settings, level: Level, words: str) -> None:
    found = doctor.settings_checks(settings)
    assert any(check.level is level and words in check.says for check in found)
    assert all(check.advice for check in found if check.level is not Level.OK)


@pytest.mark.parametrize(
    ("ahead", "took", "level"),
    [(0, 0.01, Level.OK), (0.3, 0.01, Level.OK), (2, 0.01, Level.WARNING), (-9, 0.01, Level.PROBLEM), (2, 5, Level.OK)],
)
def test_clocks_are_compared_as_far_as_the_answer_was_quick(ahead, took, level) -> None:
    after = NOW + timedelta(seconds=took)
    assert doctor.clocks(NOW, NOW + timedelta(seconds=took / 2 + ahead), after).level is level


def test_disk_is_looked_at_where_the_folder_will_be(tmp_path: Path) -> None:
    assert str(tmp_path) in doctor.disk(tmp_path / "not" / "yet").says


async def house(db: Database) -> Accounts:
    accounts = Accounts(db, Keyring(SECRET), Settings())
    clock = Clock()
    made, _ = await accounts.create("bakery@example.org", now=clock.now())
    await accounts.credit(made.id, 1_000_000, clock.now())
    submitter = Submitter(db, accounts, [Route(1, frozenset({1}))], clock)
    running = asyncio.create_task(submitter.run())
    account = await accounts.by_id(made.id)
    await submitter.accept(account, Wanted(items=[("0639980001", None)], text="Bonjour"), SMSPARTNER)
    running.cancel()
    return accounts


async def test_a_sound_installation_has_no_problem(db: Database, database_url: str, folder: Path) -> None:
    await house(db)
    await db.execute("select make_month($1)", month_of(datetime.now(UTC)) + 1)
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    carrier = CarrierSettings(name="sim", host="127.0.0.1", port=port)
    ids = await carriers.ids(db, ["sim"])
    from uuid import uuid4

    await carriers.hold_bind(db, ids["sim"], 0, uuid4(), timedelta(seconds=60), True, "")
    settings = Settings(database_url=database_url, secret=SECRET, data=folder, carriers=[carrier])
    found = [check async for check in doctor.examine(settings)]
    server.close()
    assert [check for check in found if check.level is Level.PROBLEM and check.name not in ("disk", "durability")] == []
    assert {check.name for check in found} >= {
        "settings", "disk", "schema", "database", "durability", "clock", "secret", "carrier sim", "months", "money",
        "statistics",
    }  # fmt: skip


async def test_a_server_that_may_forget_is_a_problem(db: Database) -> None:
    found = {check.name: check for check in await doctor.server(db)}
    assert found["database"].level is Level.OK
    assert found["durability"].level is Level.PROBLEM and "fsync" in found["durability"].says  # that of the tests


async def test_another_master_secret_is_a_problem(db: Database) -> None:
    assert levels(await doctor.secret(db, SECRET)) == {Level.OK}
    await house(db)
    assert levels(await doctor.secret(db, SECRET)) == {Level.OK}
    assert levels(await doctor.secret(db, "x" * 32)) == {Level.PROBLEM}


async def test_a_wallet_that_differs_from_its_ledger_is_a_problem(db: Database) -> None:
    await house(db)
    assert levels(await doctor.money(db)) == {Level.OK}
    await db.execute("update wallet set balance = balance + 1000")
    (wrong,) = await doctor.money(db)
    assert wrong.level is Level.PROBLEM and "0.963 EUR, ledger 0.962 EUR" in wrong.says


async def test_a_figure_that_differs_from_the_rows_is_a_problem(db: Database) -> None:
    await house(db)
    from passerelle.store import statistics

    await statistics.fold(db, datetime.now(UTC))
    assert levels(await doctor.figures(db, datetime.now(UTC))) == {Level.OK}
    await db.execute("update statistic_total set sent = sent + 1")
    (wrong,) = await doctor.figures(db, datetime.now(UTC))
    assert wrong.level is Level.PROBLEM and "sent of account" in wrong.says and "1, rows say 0" in wrong.says


async def test_missing_months_are_told(db: Database) -> None:
    (check,) = await doctor.months(db, datetime(2031, 1, 31, tzinfo=UTC))
    assert (check.level, check.says) == (Level.WARNING, "no partitions for January 2031 and February 2031")


async def test_a_carrier_that_does_not_answer_or_is_not_bound_is_a_problem(db: Database) -> None:
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    carrier = CarrierSettings(name="a", host="127.0.0.1", port=port)
    (unbound,) = await doctor.reachable_carriers(db, [carrier])
    assert unbound.level is Level.PROBLEM and "answers, 0 of 1 binds up" in unbound.says
    server.close()
    await server.wait_closed()
    (gone,) = await doctor.reachable_carriers(db, [carrier])
    assert gone.level is Level.PROBLEM and "does not answer" in gone.says


async def test_without_a_database_the_rest_is_still_told(folder: Path) -> None:
    settings = Settings(database_url="postgresql://u:secret@127.0.0.1:1/d", secret=SECRET, data=folder)
    found = [check async for check in doctor.examine(settings)]
    assert [check.name for check in found][-1] == "database" and found[-1].level is Level.PROBLEM
    assert not any("secret@" in check.says for check in found)


async def test_an_empty_database_is_told_to_be_migrated(empty_database_url: str) -> None:
    check = await doctor.schema(empty_database_url)
    assert check.level is Level.PROBLEM and check.advice == "run `passerelle migrate`"
    settings = Settings(database_url=empty_database_url, secret=SECRET, carriers=[])
    found = [check async for check in doctor.examine(settings)]
    assert any("passerelle migrate" in check.says for check in found if check.name == "money")
