"""A number has one owner, and whoever gains or loses one is read again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from passerelle.domain.forwarding import Forwarding, Rule
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.keys import Keyring
from passerelle.settings import Settings
from passerelle.store import virtual_numbers
from passerelle.store.database import Database

NOW = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
LONG, OTHER = 33644630001, 33644630002


async def test_a_number_has_one_owner_who_is_read_again(db: Database) -> None:
    accounts = Accounts(db, Keyring("test"), Settings())
    bakery, _ = await accounts.create("bakery@example.org", now=NOW)
    clinic, _ = await accounts.create("clinic@example.org", now=NOW)

    async def read() -> list[tuple[int, frozenset[str]]]:
        found = [await accounts.by_id(one.id) for one in (bakery, clinic)]
        return [(one.version - 1, one.numbers) for one in found if one]

    assert await virtual_numbers.add(db, LONG, bakery.id, NOW, "https://a.example/")
    assert not await virtual_numbers.add(db, LONG, clinic.id, NOW)
    assert await read() == [(1, frozenset({"33644630001"})), (0, frozenset())]
    assert await virtual_numbers.assign(db, LONG, clinic.id)
    assert await read() == [(2, frozenset()), (1, frozenset({"33644630001"}))]
    assert await virtual_numbers.set_enabled(db, LONG, False)
    assert await read() == [(2, frozenset()), (2, frozenset())]
    async with db.transaction() as connection:
        assert await virtual_numbers.owners(connection, [LONG, OTHER]) == {
            LONG: virtual_numbers.Owner(LONG, clinic.id, "")
        }
        assert await virtual_numbers.owners(connection, []) == {}
    assert [row["email"] for row in await virtual_numbers.listing(db)] == ["clinic@example.org"]
    assert await virtual_numbers.remove(db, LONG)
    assert await read() == [(2, frozenset()), (3, frozenset())]
    for gone in (virtual_numbers.remove(db, LONG), virtual_numbers.assign(db, LONG, bakery.id)):
        assert not await gone


async def test_rules_for_calls_are_kept_with_their_history_until_the_number_goes_to_another(db: Database) -> None:
    accounts = Accounts(db, Keyring("test"), Settings())
    bakery, _ = await accounts.create("bakery@example.org", now=NOW)
    clinic, _ = await accounts.create("clinic@example.org", now=NOW)
    await virtual_numbers.add(db, LONG, bakery.id, NOW)
    rules = [Rule(Forwarding.FORWARD, "+33639980009"), Rule(Forwarding.VOICEMAIL, "a@b.example")]
    for hours, rule in enumerate(rules):
        async with db.transaction() as connection:
            assert await virtual_numbers.lock(connection, clinic.id, LONG) is None
            assert await virtual_numbers.lock(connection, bakery.id, LONG) is not None
            await virtual_numbers.set_rule(connection, bakery.id, LONG, rule, NOW + timedelta(hours=hours))
    assert await virtual_numbers.set_reply_url(db, bakery.id, LONG, "https://a.example/")
    assert not await virtual_numbers.set_reply_url(db, clinic.id, LONG, "https://m.example/")
    (listed,) = await virtual_numbers.of_account(db, bakery.id)
    assert (listed.number.rule, listed.reply_url) == (rules[1], "https://a.example/")
    assert listed.forwarding_at == NOW + timedelta(hours=1)
    assert [change.rule for change in await virtual_numbers.changes(db, bakery.id, LONG)] == rules[::-1]
    await virtual_numbers.assign(db, LONG, clinic.id)
    (listed,) = await virtual_numbers.of_account(db, clinic.id)
    assert (listed.number.rule, listed.reply_url, listed.forwarding_at) == (Rule(), "", None)
    assert await virtual_numbers.changes(db, clinic.id, LONG) == []
