"""Customers from the command line."""

from __future__ import annotations

from cli.conftest import EMAIL

from passerelle.store import accounts, ledger


async def test_an_account_is_made_once_with_its_key_and_credit(shell):
    made = await shell.json("account", "create", "a@b.c", "--credit", "2,50")
    assert (len(made["key"]), made["balance"]) == (32, 2.5)
    assert (await shell.ok("account", "key", "a@b.c")).strip() == made["key"]
    assert "there is an account a@b.c already" in await shell.fails("account", "create", "a@b.c")
    assert "not an e-mail" in await shell.fails("account", "create", "bakery")
    listed = await shell.json("account", "list")
    assert [(row["email"], row["balance"], row["state"]) for row in listed] == [
        (EMAIL, 10.0, "active"),
        ("a@b.c", 2.5, "active"),
    ]
    assert "10.000 EUR" in await shell.ok("account", "list")


async def test_credit_goes_up_and_down_but_not_below_zero(shell):
    assert "12.500 EUR" in await shell.ok("account", "credit", EMAIL, "2.50", "--note", "invoice 7")
    assert "0.500 EUR" in await shell.ok("account", "credit", EMAIL, "-12")
    assert "has only 0.500 EUR" in await shell.fails("account", "credit", EMAIL, "-1")
    assert "not an amount" in await shell.fails("account", "credit", EMAIL, "much")
    assert "nothing to do" in await shell.fails("account", "credit", EMAIL, "0")
    assert f"there are: {EMAIL}" in await shell.fails("account", "credit", "x@y.z", "1")
    assert await ledger.wrong_wallets(shell.db) == []


async def test_a_renewed_key_replaces_the_old_one(shell, monkeypatch):
    old = (await shell.ok("account", "key", EMAIL)).strip()
    new = (await shell.ok("account", "key", EMAIL, "--renew")).strip()
    assert old != new == (await shell.ok("account", "key", EMAIL)).strip()
    monkeypatch.setenv("PASSERELLE_SECRET", "x" * 32)
    assert "another master secret" in await shell.fails("account", "key", EMAIL)


async def test_settings_are_shown_and_changed_or_nothing_is(shell):
    shown = await shell.json("account", "rules", EMAIL)
    assert (shown["eco"], shown["quiet_start"]) == ("yes", "20:00")
    changed = await shell.json("account", "rules", EMAIL, "eco=no", "quiet_start=21:00")
    assert (changed["eco"], changed["quiet_start"]) == ("no", "21:00")
    assert "allowed: yes, no" in await shell.fails("account", "rules", EMAIL, "unicode=no", "eco=perhaps")
    assert "quiet_end" in await shell.fails("account", "rules", EMAIL, "unicode=no", "quiet_end=22:00")
    assert (await shell.json("account", "rules", EMAIL))["unicode"] == "yes"
    assert "21:00" in await shell.ok("account", "rules", EMAIL)


async def test_prices_are_of_an_account_or_of_everybody(shell):
    await shell.ok("account", "price", "default", "premium", "de", "0,07")
    await shell.ok("account", "price", EMAIL, "premium", "*", "0.10")
    account = await accounts.id_of(shell.db, EMAIL)
    prices = await accounts.prices(shell.db, account)
    assert (prices[1, "DE"], prices[1, "*"]) == (70_000, 100_000)
    assert "there are: premium, eco" in await shell.fails("account", "price", EMAIL, "gold", "FR", "1")
    assert "no country" in await shell.fails("account", "price", EMAIL, "eco", "France", "1")
    assert "negative" in await shell.fails("account", "price", EMAIL, "eco", "FR", "-1")


async def test_a_protected_sender_is_for_who_is_granted_it(shell):
    assert "LAPOSTE is protected" in await shell.ok("account", "sender", "protect", "La Poste")
    send = ("send", "0639980001", "--text", "x", "--sender", "LaPoste")
    assert "protected" in await shell.fails(*send)
    await shell.ok("account", "sender", "grant", EMAIL, "laposte")
    await shell.ok(*send)


async def test_a_stopped_account_sends_nothing_until_it_is_active_again(shell):
    await shell.ok("account", "state", EMAIL, "blocked")
    assert "the account is blocked" in await shell.fails("send", "0639980001", "--text", "x")
    await shell.ok("account", "state", EMAIL, "active")
    await shell.ok("send", "0639980001", "--text", "x")
    assert (await shell("account", "state", EMAIL, "asleep"))[0] == 2


async def test_a_new_secret_signs_beside_the_one_before(shell):
    first = (await shell.ok("account", "secret", EMAIL)).strip()
    new, before = (await shell.ok("account", "secret", EMAIL, "--renew")).splitlines()
    assert first.startswith("whsec_") and before == f"{first}  (the one before)" and new != first


async def test_callbacks_that_were_given_up_are_listed_and_posted_again(shell):
    assert (await shell.ok("account", "callbacks", EMAIL)).strip() == "none"
    account = await shell.db.fetchval("select id from account where email = $1", EMAIL)
    await shell.db.execute(
        "insert into event (uuid, account_id, kind, at, endpoint, url, content_type, body, attempts, next_at, state, error)"
        " values (gen_random_uuid(), $1, 3, now(), '', 'http://a.example/dlr', '', '{}', 8, now(), 1, 'no answer')",
        account,
    )
    assert "a.example" in await shell.ok("account", "callbacks", EMAIL)
    assert "1 callbacks" in await shell.ok("account", "callbacks", EMAIL, "--replay")
    assert (await shell.ok("account", "callbacks", EMAIL)).strip() == "none"
