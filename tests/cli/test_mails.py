"""The outbox from the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cli.conftest import EMAIL

from passerelle.store import accounts, mails


async def test_the_outbox_is_shown_and_tried_again(shell):
    assert "empty" in await shell.ok("mail", "list")
    account, now = await accounts.id_of(shell.db, EMAIL), datetime.now(UTC)
    for recipient in ("a@example.org", "b@example.org"):
        async with shell.db.transaction() as connection:
            await mails.insert(connection, account, recipient, "Bonjour", b"", now, now + timedelta(days=7))
    one, two = await mails.lease(shell.db, now, 10)
    await mails.failed(shell.db, one.id, 1, "550 no", None)
    await mails.failed(shell.db, two.id, 1, "450 later", now + timedelta(hours=1))
    listed = await shell.json("mail", "list")
    assert [(r["recipient"], r["given_up"], r["error"]) for r in listed] == [
        (two.recipient, False, "450 later"),
        (one.recipient, True, "550 no"),
    ]
    assert "given up" in await shell.ok("mail", "list")
    assert "2 mails are tried again" in await shell.ok("mail", "retry")
    assert len(await mails.lease(shell.db, datetime.now(UTC), 10)) == 2
