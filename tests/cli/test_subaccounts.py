"""Sub-accounts from the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from cli.conftest import EMAIL

from passerelle.domain.subaccounts import Type, Wanted
from passerelle.pipeline import subaccounts
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.keys import Keyring
from passerelle.settings import Settings
from passerelle.store import accounts as rows
from passerelle.store import ledger


async def branch(shell, email: str, type_: Type = Type.ADVANCED, credit: int | None = 2_500_000) -> None:
    accounts = Accounts(shell.db, Keyring("s" * 32), Settings())
    parent = await accounts.by_id(await rows.id_of(shell.db, EMAIL))
    wanted = Wanted(type_, email, credit=credit)
    made = await subaccounts.create(shell.db, accounts, parent, wanted, datetime.now(UTC))
    assert isinstance(made, subaccounts.Created)


async def test_they_are_listed_with_their_main_account(shell):
    assert "none yet" in await shell.ok("subaccount", "list")
    await branch(shell, "agence@example.org")
    await branch(shell, "other@example.org", Type.SIMPLE, None)
    listed = await shell.json("subaccount", "list", EMAIL)
    assert [(r["email"], r["parent"], r["type"], r["balance"]) for r in listed] == [
        ("agence@example.org", EMAIL, "advanced", 2.5),
        ("other@example.org", EMAIL, "simple", 0.0),
    ]
    assert "2.500 EUR" in await shell.ok("subaccount", "list")
    assert "there are:" in await shell.fails("subaccount", "list", "x@y.z")


async def test_a_lost_invitation_is_written_again(shell):
    await branch(shell, "agence@example.org")
    await branch(shell, "other@example.org", Type.SIMPLE)
    assert "outbox" in await shell.ok("subaccount", "invite", "agence@example.org")
    assert "no advanced" in await shell.fails("subaccount", "invite", "other@example.org")
    assert "no advanced" in await shell.fails("subaccount", "invite", EMAIL)
    assert len(await shell.json("mail", "list")) == 1


async def test_removal_returns_the_credit(shell):
    await branch(shell, "agence@example.org")
    assert "is removed" in await shell.ok("subaccount", "remove", "agence@example.org")
    assert "there are:" in await shell.fails("subaccount", "remove", "agence@example.org")
    assert "no sub-account" in await shell.fails("subaccount", "remove", EMAIL)
    assert await ledger.balance(shell.db, await rows.id_of(shell.db, EMAIL)) == 10_000_000
    assert await ledger.wrong_wallets(shell.db) == []
