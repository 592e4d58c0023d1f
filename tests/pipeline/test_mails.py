"""Mails of the platform on their way out: kept without a server, tried again, given up, never told in the clear."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from passerelle.pipeline.keys import Keyring
from passerelle.pipeline.mails import AGAIN, Outbox, write
from passerelle.settings import MailSettings
from passerelle.simulator.postbox import Postbox

KEYRING = Keyring("test")
WEEK = timedelta(days=7)


@dataclass
class Office:
    """A world with a mail in its outbox."""

    world: object
    box: Postbox
    port: int

    def outbox(self, **more):
        settings = MailSettings(host="127.0.0.1", port=self.port, tls="none", sender="P <p@example.org>")
        return Outbox(self.world.db, more.get("keyring", KEYRING), more.get("settings", settings), self.world.clock)

    async def row(self):
        return await self.world.db.fetchrow("select * from mail")


@pytest.fixture
async def office(world):
    box = Postbox()
    port = await box.start("127.0.0.1", 0)
    account = await world.account()
    async with world.db.transaction() as connection:
        now = world.clock.now()
        await write(connection, KEYRING, account.id, "a@example.org", "Été", "Un lien secret", now, now + WEEK)
    yield Office(world, box, port)
    await box.stop()


async def test_a_mail_leaves_and_is_gone(office):
    assert b"secret" not in bytes((await office.row())["text_sealed"])
    assert await office.outbox().carry() == 1
    [letter] = office.box.letters
    assert (letter.subject, letter.text, letter.recipients) == ("Été", "Un lien secret\n", ["a@example.org"])
    assert await office.row() is None
    assert await office.outbox().carry() == 0


async def test_without_a_server_it_stays(office):
    assert await office.outbox(settings=MailSettings()).carry() == 0
    row = await office.row()
    assert (row["attempts"], row["lease_until"], row["state"]) == (0, None, 0)


async def test_it_is_tried_again_later_and_later_until_nobody_needs_it(office):
    await office.box.stop()
    waits = []
    while (row := await office.row())["state"] == 0:
        assert await office.outbox().carry() == 1
        assert await office.outbox().carry() == 0
        after = await office.row()
        waits.append(int((after["next_at"] - office.world.clock.now()).total_seconds()))
        office.world.clock.move(max(0, waits[-1]))
    assert waits[: len(AGAIN)] == list(AGAIN)
    assert WEEK - timedelta(seconds=AGAIN[-1]) < timedelta(seconds=sum(waits)) <= WEEK
    assert row["attempts"] == len(waits) and "Connect" in row["error"]


async def test_an_address_that_is_none_is_given_up(office):
    await office.world.db.execute("update mail set recipient = 'nobody'")
    await office.outbox().carry()
    row = await office.row()
    assert (row["state"], row["attempts"], row["lease_until"]) == (1, 1, None)


async def test_sealed_with_another_secret_it_is_given_up(office):
    await office.outbox(keyring=Keyring("other")).carry()
    assert (await office.row())["error"] == "sealed with another master secret"
    assert not office.box.letters
