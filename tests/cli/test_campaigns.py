"""`passerelle campaigns` as a person types it."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from cli.conftest import EMAIL

from passerelle.domain.message import Dialect, TrafficClass
from passerelle.store import campaigns as store
from passerelle.store import contacts
from passerelle.store.campaigns import Draft

PEOPLE = (("33639980001", "Alix"), ("33639980002", ""), ("33123456789", "Fixe"))


async def written(shell, **more) -> str:
    """A draft to a group of three, one of whom has no mobile."""
    now, account = datetime.now(UTC), await shell.db.fetchval("select id from account where email = $1", EMAIL)
    async with shell.db.transaction() as connection:
        group = await contacts.add_group(connection, account, "Lyon", now)
    await shell.db.execute(
        "insert into contact (account_id, group_id, token, phone, firstname, created_at)"
        " select $1, $2, uuid_send(gen_random_uuid()), phone, name, $3 from unnest($4::bigint[], $5::text[]) t (phone, name)",
        account, group.id, now, [int(phone) for phone, _ in PEOPLE], [name for _, name in PEOPLE],
    )  # fmt: skip
    draft = Draft(
        **{"name": "Soldes", "traffic": TrafficClass.TRANSACTIONAL, "text": "Bonjour {{firstname|toi}}"} | more,
        group_id=group.id,
    )
    return (await store.insert(shell.db, account, Dialect.NATIVE, draft, now)).hex()


async def launched(shell) -> str:
    """The same, launched by the platform itself."""
    from passerelle.app import ground
    from passerelle.cli.place import submitting
    from passerelle.domain.profile import NATIVE
    from passerelle.pipeline.batch import Accepted
    from passerelle.pipeline.campaigns import Campaigns
    from passerelle.settings import load

    ident = await written(shell, due_at=datetime.now(UTC) + timedelta(days=1))
    async with ground(load()) as base, submitting(base) as submitter:
        campaigns = Campaigns(base.db, submitter, base.links.address, base.clock)
        account = await base.accounts.by_id(await shell.db.fetchval("select id from account where email = $1", EMAIL))
        assert account is not None
        found = await campaigns.find(account.id, bytes.fromhex(ident))
        assert found is not None
        assert isinstance(await campaigns.launch(account, found.campaign, NATIVE), Accepted)
    return ident


async def test_a_draft_is_listed_shown_and_forecast(shell):
    assert "there is none yet" in await shell.ok("campaigns", "list")
    ident = await written(shell)
    (listed,) = await shell.json("campaigns", "list", "--account", EMAIL)
    assert (listed["id"], listed["phase"], listed["messages"], listed["price"]) == (ident, "draft", 0, 0)
    assert ident in await shell.ok("campaigns", "list")
    assert "a draft: `passerelle campaigns forecast" in await shell.ok("campaigns", "show", ident)
    told = await shell.json("campaigns", "forecast", ident)
    assert (told["contacts"], told["recipients"], told["left_out"]) == (3, 2, {"not_mobile": 1})
    assert (told["price"], told["obstacles"], told["by_parts"]) == (0.076, [], {"1": 2})
    said = await shell.ok("campaigns", "forecast", ident)
    assert "2 of 3 contacts, 2 parts, 0.076 EUR of 10.000 EUR" in said and "Bonjour Alix" in said
    for word in ("pause", "resume", "cancel", "skipped"):
        said = await shell.fails("campaigns", word, ident)
        assert "draft" in said or "not launched" in said


async def test_a_forecast_of_what_cannot_be_launched(shell):
    ident = await written(shell, due_at=datetime.now(UTC) - timedelta(days=1))
    code, out, _ = await shell("campaigns", "forecast", ident)
    assert code == 1 and "it cannot be launched: " in out
    await shell.db.execute("delete from contact")
    assert "has nobody" in await shell.fails("campaigns", "forecast", ident)


async def test_paused_resumed_and_cancelled(shell):
    ident = await launched(shell)
    said = await shell.ok("campaigns", "show", ident, "--account", EMAIL)
    assert said.startswith("Soldes: scheduled") and "2 of 3 contacts, 0.076 EUR" in said and "2 parts wait" in said
    assert "1  left out: " in said
    assert "is launched" in await shell.fails("campaigns", "forecast", ident)
    assert await shell.ok("campaigns", "pause", ident) == f"campaign {ident} is paused\n"
    assert "it is paused: it cannot be paused" in await shell.fails("campaigns", "pause", ident)
    assert "2 parts wait" in await shell.ok("campaigns", "show", ident, "--follow"), "a paused one is not waited for"
    assert await shell.ok("campaigns", "resume", ident) == f"campaign {ident} is scheduled\n"
    assert await shell.ok("campaigns", "cancel", ident) == f"campaign {ident} is cancelled\n"
    assert "it is cancelled: it cannot be resumed" in await shell.fails("campaigns", "resume", ident)
    told = await shell.json("campaigns", "show", ident)
    assert (told["phase"], told["refunded"], told["parts_waiting"], told["price"]) == ("cancelled", 0.076, 0, 0.076)
    assert await shell.db.fetchval("select balance from wallet") == 10_000_000


async def test_who_was_left_out_is_a_table(shell, tmp_path):
    ident = await launched(shell)
    rows = [["phone", "reason"], ["+33123456789", "not_mobile"]]
    assert list(csv.reader(io.StringIO(await shell.ok("campaigns", "skipped", ident)))) == rows
    to = tmp_path / "skipped.csv"
    await shell.ok("campaigns", "skipped", ident, "--to", str(to))
    with open(to, newline="") as file:
        assert list(csv.reader(file)) == rows
    assert "cannot be written" in await shell.fails("campaigns", "skipped", ident, "--to", str(tmp_path))


@pytest.mark.parametrize("word", ["show", "forecast", "pause", "resume", "cancel", "skipped"])
async def test_what_is_not_there(shell, word):
    for ident in ("x", "56fa3cd56004e52d55333d87"):
        assert "has no campaign" in await shell.fails("campaigns", word, ident)
