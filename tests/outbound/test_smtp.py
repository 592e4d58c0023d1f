"""Mails handed to a real server, and what is made of its refusals."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from passerelle.outbound import smtp
from passerelle.outbound.smtp import Failure, Mail
from passerelle.settings import MailSettings
from passerelle.simulator.postbox import Postbox
from passerelle.store import mails

AT = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
MAIL = Mail(
    "léa@example.org".replace("é", "e"),
    "Votre compte d'envoi de SMS à l'été",
    "Bonjour Léa,\n\n.\nhttp://a/b\n",
    "passerelle.7",
    AT,
)


def settings(port: int, **more: object) -> MailSettings:
    return MailSettings(host="127.0.0.1", port=port, tls="none", sender="Boulangerie Martin <sms@example.org>", **more)


async def test_a_mail_leaves_as_it_was_written():
    box = Postbox()
    port = await box.start("127.0.0.1", 0)
    for _ in range(2):
        assert await smtp.send(settings(port), MAIL) is None
    await box.stop()
    first, second = (letter.message for letter in box.letters)
    assert (first["Subject"], first["From"]) == (MAIL.subject, "Boulangerie Martin <sms@example.org>")
    assert first["Message-ID"] == second["Message-ID"] == "<passerelle.7@example.org>"
    assert first["Auto-Submitted"] == "auto-generated"
    assert box.letters[0].text == MAIL.text
    assert box.letters[0].recipients == [MAIL.recipient]


@contextlib.asynccontextmanager
async def answering(**words: str):
    """A server that answers one verb otherwise."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 x\r\n")
        while line := await reader.readline():
            verb = line[:4].decode().strip().upper()
            writer.write(f"{words.get(verb, '250 fine')}\r\n".encode())
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.parametrize(
    ("words", "failure", "said"),
    [
        ({"RCPT": "550 no such user"}, Failure.PERMANENT, "550 no such user"),
        ({"RCPT": "450 greylisted"}, Failure.TEMPORARY, "450 greylisted"),
        ({"DATA": "554 spam"}, Failure.PERMANENT, "554 spam"),
        ({"DATA": "452 full"}, Failure.TEMPORARY, "452 full"),
        ({"MAIL": "550 who are you"}, Failure.TEMPORARY, "who are you"),
        ({"EHLO": "421 later"}, Failure.TEMPORARY, ""),
    ],
)
async def test_a_refusal_is_final_only_where_it_is_of_the_mail(words, failure, said):
    async with answering(**words) as port:
        refusal = await smtp.send(settings(port), MAIL)
    assert refusal is not None
    assert refusal.failure is failure and said in refusal.word


async def test_what_says_nothing_of_the_mail_is_temporary():
    box = Postbox()
    port = await box.start("127.0.0.1", 0)
    login = await smtp.send(settings(port, user="a", password="b"), MAIL)
    secured = await smtp.send(MailSettings(host="127.0.0.1", port=port), MAIL)
    await box.stop()
    away = await smtp.send(settings(port), MAIL)
    for refusal in (login, secured, away):
        assert refusal is not None and refusal.failure is Failure.TEMPORARY
    assert not box.letters


async def test_a_server_that_always_says_a_little_is_not_waited_for_longer_than_the_lease(monkeypatch):
    assert timedelta(seconds=smtp.IN_ALL) < mails.LEASE

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"220-x\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)

    monkeypatch.setattr(smtp, "IN_ALL", 0.2)
    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    refusal = await smtp.send(settings(server.sockets[0].getsockname()[1]), MAIL)
    server.close()
    assert refusal is not None and refusal.failure is Failure.TEMPORARY


@pytest.mark.parametrize("address", ["", "x", "a@b\nBcc: c@d", "a b@c"])
async def test_an_address_that_is_none_never_leaves(address):
    refusal = await smtp.send(settings(1), Mail(address, "s", "t", "n", AT))
    assert refusal is not None and refusal.failure is Failure.PERMANENT
