"""The demo account keeps its keys from start to start."""

from __future__ import annotations

from pathlib import Path

import msgspec

from passerelle.app import ground
from passerelle.demo.account import demo_account
from passerelle.pipeline.api_keys import ApiKeys
from passerelle.settings import Settings
from passerelle.store import api_keys


async def test_the_keys_are_the_same_at_every_start(database_url: str, tmp_path: Path) -> None:
    settings = msgspec.structs.replace(Settings(), database_url=database_url, secret="x" * 64, data=tmp_path)
    account, key, native = await demo_account(settings)
    assert await demo_account(settings) == (account, key, native)
    assert (tmp_path / "native_key").stat().st_mode & 0o777 == 0o600
    async with ground(settings, size=2) as base:
        found = await ApiKeys(base.db, base.accounts.keyring).find(native, base.clock.now())
        assert found is not None and (found.account_id, found.scopes) == (account, ["*"])
        await api_keys.revoke(base.db, account, found.id, base.clock.now())
    again = await demo_account(settings)
    assert again[:2] == (account, key) and again[2] not in ("", native)
