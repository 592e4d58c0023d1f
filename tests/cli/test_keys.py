"""Keys of the native API from the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from cli.conftest import EMAIL

from passerelle.pipeline.api_keys import ApiKeys
from passerelle.pipeline.keys import Keyring


async def test_a_key_is_made_listed_and_revoked(shell):
    words = ("account", "keys", "create", EMAIL, "--name", "shop", "--scope", "messages:*", "--scope", "account:read")
    key = (await shell.ok(*words, "--days", "3")).strip()
    keys, now = ApiKeys(shell.db, Keyring("s" * 32)), datetime.now(UTC)
    found = await keys.find(key, now)
    assert (
        found is not None and found.scopes == ["account:read", "messages:*"] and (found.expires_at - now).days in (2, 3)
    )
    listed = await shell.json("account", "keys", "list", EMAIL)
    assert [(one["name"], one["prefix"]) for one in listed] == [("shop", key[:12])]
    shown = await shell.ok("account", "keys", "list", EMAIL)
    assert "messages:*" in shown and key not in shown
    await shell.ok("account", "keys", "revoke", EMAIL, str(found.id))
    assert await keys.find(key, now) is None
    assert "revoked" in await shell.ok("account", "keys", "list", EMAIL)
    assert "no valid key" in await shell.fails("account", "keys", "revoke", EMAIL, str(found.id))


async def test_without_scopes_it_may_do_everything(shell):
    assert "none: " in await shell.ok("account", "keys", "list", EMAIL)
    assert (await shell.json("account", "keys", "create", EMAIL))["scopes"] == ["*"]


async def test_what_cannot_be_is_told(shell):
    assert "there is no scope 'fly'" in await shell.fails("account", "keys", "create", EMAIL, "--scope", "fly")
    assert "at least 1" in await shell.fails("account", "keys", "create", EMAIL, "--days", "0")
    assert "there is no account" in await shell.fails("account", "keys", "list", "x@y.z")
