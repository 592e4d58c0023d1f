"""The mail catcher: a real client, real sockets, and what is there after a restart."""

from __future__ import annotations

import asyncio
import contextlib
from email.message import EmailMessage

import aiosmtplib
import pytest

from passerelle.simulator.postbox import Postbox


@contextlib.asynccontextmanager
async def listening(log=None):
    box = Postbox(log)
    port = await box.start("127.0.0.1", 0)
    yield box, port
    await box.stop()


def mail(text: str = "Bonjour", **headers: str) -> EmailMessage:
    made = EmailMessage()
    for name, value in ({"From": "a@example.org", "To": "b@example.org", "Subject": "Été"} | headers).items():
        made[name] = value
    made.set_content(text)
    return made


async def spoken(port: int, *lines: bytes) -> list[bytes]:
    """What is answered to each line, after the greeting."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = [await reader.readline()]
    for line in lines:
        writer.write(line)
        answers.append(await reader.readline())
    writer.close()
    return answers


@pytest.mark.parametrize("text", ["Bonjour\n", ".\n..\n.point\n", "é" * 2000 + "\n", "\n\n"])
async def test_a_mail_arrives_as_it_was_written(text):
    async with listening() as (box, port):
        await aiosmtplib.send(mail(text, To="b@example.org, c@example.org"), hostname="127.0.0.1", port=port)
        [letter] = box.letters
        assert (letter.number, letter.sender, letter.recipients) == (
            1,
            "a@example.org",
            ["b@example.org", "c@example.org"],
        )
        assert letter.subject == "Été"
        assert letter.text.strip("\n") == text.strip("\n")
        assert box.find(1) is letter and box.find(2) is None


async def test_mails_are_there_after_a_restart(tmp_path):
    log = tmp_path / "mails.jsonl"
    for n in range(2):
        async with listening(log) as (box, port):
            assert len(box.letters) == n
            await aiosmtplib.send(mail(f"mail {n}"), hostname="127.0.0.1", port=port)
        with log.open("ab") as cut:
            cut.write(b'{"number": 9, "at"\n')
    async with listening(log) as (box, _):
        assert [(letter.number, letter.text) for letter in box.letters] == [(1, "mail 0\n"), (2, "mail 1\n")]


async def test_commands_out_of_turn_are_refused():
    async with listening() as (box, port):
        answers = await spoken(
            port, b"RCPT TO:<a@b>\r\n", b"DATA\r\n", b"EHLO me\r\n", b"MAIL FROM:x\r\n", b"MAIL FROM:<>\r\n", b"DATA\r\n",
            b"RCPT TO:<a@b>\r\n", b"RSET\r\n", b"DATA\r\n", b"NOOP\r\n", b"VRFY x\r\n", b"\r\n", b"QUIT\r\n",
        )  # fmt: skip
        codes = [int(answer[:3]) for answer in answers]
        assert codes == [220, 503, 503, 250, 503, 250, 503, 250, 250, 503, 250, 502, 502, 221]
        assert not box.letters


async def test_a_client_that_leaves_or_talks_nonsense_breaks_nothing():
    async with listening() as (box, port):
        await spoken(port, b"EHLO x\r\n")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\xff" * 200_000)
        await reader.read()
        await aiosmtplib.send(mail(), hostname="127.0.0.1", port=port)
        assert len(box.letters) == 1
