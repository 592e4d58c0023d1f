"""Campaigns as rows: claimed by one, launched once, ended, halted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from passerelle.domain.campaigns import Stage
from passerelle.domain.message import Dialect
from passerelle.store import campaigns
from passerelle.store.campaigns import Draft, Skipped
from passerelle.store.database import Database

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
ACCOUNT = 1000
DRAFT = Draft("Soldes", 1, "Bonjour", "Boutique", due_at=NOW, page=2, page_html="<p>", kind="X", keep_list=False)
LEASE = timedelta(minutes=5)


@pytest.fixture
async def account(db: Database) -> int:
    await db.execute(
        f"insert into account (id, email, secret_sealed, created_at) values ({ACCOUNT}, 'a@example.org', '', now())"
    )
    return ACCOUNT


async def made(db, account, **more):
    token = await campaigns.insert(db, account, Dialect.PRIMOTEXTO, replace(DRAFT, **more), NOW)
    found = await campaigns.find(db, account, token)
    assert found is not None
    return found


async def test_it_is_kept_as_it_was_written(db, account):
    one = await made(db, account)
    assert one.draft == DRAFT
    assert (one.stage, one.submission_id, one.cost, one.messages) == (Stage.DRAFT, None, 0, None)
    assert await campaigns.find(db, account + 1, one.token) is None
    other = await made(db, account, name="Autre")
    assert [found.id for found in await campaigns.listing(db, account)] == [one.id, other.id]
    assert await campaigns.listing(db, account, Dialect.NATIVE) == []
    assert [found.id for found in await campaigns.newest(db, account, other.id, 9)] == [one.id]
    assert await campaigns.change(db, account, one.id, replace(DRAFT, text="Salut"))
    assert (await campaigns.find(db, account, one.token)).text == "Salut"


async def test_an_account_has_so_many_drafts_and_no_more(db, account, monkeypatch):
    monkeypatch.setattr(campaigns, "MOST_DRAFTS", 2)
    one = await made(db, account)
    await made(db, account)
    with pytest.raises(campaigns.DraftsFullError):
        await made(db, account)
    await campaigns.delete(db, account, one.id)
    two = await made(db, account)
    assert await campaigns.claim(db, account, two.id, LEASE)
    await campaigns.launch(db, account, two.id, 77, 5, {}, NOW)
    await made(db, account)
    await campaigns.set_stage(db, account, 77, Stage.CANCELLED, NOW)
    with pytest.raises(campaigns.DraftsFullError):
        await made(db, account)


async def test_a_list_has_the_pages_of_the_newest(db, account, monkeypatch):
    monkeypatch.setattr(campaigns, "LISTED_PAGES", 5)
    ids = [(await made(db, account, page=2, page_html=html)).id for html in ("abc", "", "éa", "de")]
    listed = [(one.id, one.page_html) for one in await campaigns.listing(db, account)]
    assert listed == list(zip(ids, (None, "", "éa", "de"), strict=True))
    newest = [(one.id, one.page_html) for one in await campaigns.newest(db, account, campaigns.NEWEST, 3)]
    assert newest == listed[:0:-1]


async def test_one_alone_launches_it(db, account):
    one = await made(db, account)
    assert await campaigns.claim(db, account, one.id, LEASE)
    assert not await campaigns.claim(db, account, one.id, LEASE)
    assert not await campaigns.change(db, account, one.id, DRAFT)
    await campaigns.unclaim(db, account, one.id)
    assert await campaigns.claim(db, account, one.id, timedelta(0))
    assert await campaigns.change(db, account, one.id, DRAFT)  # whoever had it is dead, and launches nothing any more
    assert not await campaigns.launch(db, account, one.id, 77, 5, {}, NOW)
    assert await campaigns.claim(db, account, one.id, timedelta(0))
    assert await campaigns.claim(db, account, one.id, LEASE)  # whoever had it is dead
    launch = (account, one.id, 77, 5, {"opted_out": 1}, NOW)
    assert await campaigns.launch(db, *launch)
    assert not await campaigns.launch(db, *launch)
    assert not await campaigns.claim(db, account, one.id, LEASE)
    found = await campaigns.find(db, account, one.token)
    assert (found.stage, found.submission_id, found.contacts, found.left_out) == (1, 77, 5, {"opted_out": 1})
    assert await campaigns.of_submission(db, account, 77) == one.token
    assert await campaigns.launched_since(db, account, NOW, Dialect.PRIMOTEXTO) == 1
    assert await campaigns.launched_since(db, account, NOW + LEASE, Dialect.PRIMOTEXTO) == 0


async def test_who_was_left_out(db, account):
    some = [Skipped(n, f"+{n}", "opted_out") for n in range(5)]
    await campaigns.leave_out(db, account, 77, some)
    assert await campaigns.skipped(db, account, 77, -1, 3) == some[:3]
    assert await campaigns.skipped(db, account, 77, 2, 3) == some[3:]


@pytest.mark.parametrize(
    ("stage", "goes"),
    [(Stage.DRAFT, True), (Stage.LAUNCHED, False), (Stage.CANCELLED, True), (Stage.STOPPED, False)],
)
async def test_what_can_be_deleted(db, account, stage, goes):
    one = await made(db, account)
    if stage is not Stage.DRAFT:
        assert await campaigns.claim(db, account, one.id, LEASE)
        await campaigns.launch(db, account, one.id, 77, 5, {}, NOW)
        await campaigns.set_stage(db, account, 77, stage, NOW)
    assert await campaigns.delete(db, account + 1, one.id) is False
    assert await campaigns.delete(db, account, one.id) is goes


async def test_submissions_to_be_halted_are_taken_by_one(db, account):
    async with db.transaction() as first, db.transaction() as second:
        await db.execute("insert into halt values (1000, 5), (1000, 7)")
        assert await campaigns.halted(first, (-1, -1)) == (1000, 5)
        assert await campaigns.halted(second, (-1, -1)) == (1000, 7)
        assert await campaigns.halted(second, (1000, 7)) is None
    await campaigns.unhalt(db, 1000, 5)
    async with db.transaction() as connection:
        assert await campaigns.halted(connection, (-1, -1)) == (1000, 7)
