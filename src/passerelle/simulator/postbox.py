"""A mail server that delivers nothing: it takes every mail and shows it (RFC 5321, no more than a client needs).

One rule: a mail is in the file before it is taken. The last ones are read from there when the simulator starts again.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import os
import re
import time
from collections import deque
from email.message import EmailMessage
from pathlib import Path

import msgspec

LARGEST = 10 << 20  # octets of a mail
LINE = 64 << 10
PATIENCE = 300.0  # seconds without a line
_ADDRESS = re.compile(rb"(?:FROM|TO):\s*<([^<>]{0,320})>", re.IGNORECASE)


class Letter(msgspec.Struct, frozen=True):
    """A mail as it came; `number` counts from 1."""

    number: int
    at: float
    sender: str
    recipients: list[str]
    source: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        return email.message_from_bytes(self.source, policy=email.policy.default)

    @property
    def subject(self) -> str:
        """Its subject line."""
        return str(self.message.get("Subject", ""))

    @property
    def text(self) -> str:
        """What a person reads: the plain text, else whatever text there is."""
        body = self.message.get_body(("plain", "html"))
        return str(body.get_content()).replace("\r\n", "\n") if body is not None else ""


class Postbox:
    """Keeps the last `keep` mails, and all of them as JSON lines in `log` if there is one."""

    def __init__(self, log: Path | None = None, keep: int = 200) -> None:
        self.letters: deque[Letter] = deque(maxlen=keep)
        self._fd = -1
        if log is not None:
            self._fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self.letters.extend(_kept(log))
        self._next = self.letters[-1].number + 1 if self.letters else 1
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port, free or as asked. Raises OSError."""
        self._server = await asyncio.start_server(self._talk, host, port, limit=LINE)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take no more."""
        if self._server is not None:
            self._server.close()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def find(self, number: int) -> Letter | None:
        """A mail by its number."""
        return next((letter for letter in self.letters if letter.number == number), None)

    def take(self, sender: str, recipients: list[str], source: bytes) -> Letter:
        """Write a mail down."""
        letter = Letter(self._next, time.time(), sender, recipients, source)
        self._next += 1
        if self._fd >= 0:
            os.write(self._fd, msgspec.json.encode(letter) + b"\n")
        self.letters.append(letter)
        return letter

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError, ValueError, TimeoutError):
            await _Conversation(self, reader, writer).run()
        writer.close()


class _Conversation:
    """One client, until it says goodbye."""

    def __init__(self, box: Postbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._box = box
        self._reader = reader
        self._writer = writer
        self._sender: str | None = None
        self._recipients: list[str] = []

    async def run(self) -> None:
        """Answer line by line."""
        self._say("220 simulator ESMTP")
        while True:
            line = await self._line()
            verb = line[:4].upper()
            if verb == b"DATA" and self._recipients:
                await self._data()
            else:
                self._say(self._answer(verb, line))
            await self._writer.drain()
            if verb == b"QUIT":
                return

    async def _line(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return (await self._reader.readuntil(b"\n")).rstrip(b"\r\n")

    def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())

    def _answer(self, verb: bytes, line: bytes) -> str:
        found = _ADDRESS.search(line)
        if verb == b"MAIL" and found:
            self._sender, self._recipients = found[1].decode("utf-8", "replace"), []
        elif verb == b"RCPT" and found and self._sender is not None:
            self._recipients.append(found[1].decode("utf-8", "replace"))
        elif verb in (b"RSET", b"HELO", b"EHLO"):
            self._sender, self._recipients = None, []
        elif verb in (b"MAIL", b"RCPT", b"DATA"):
            return "503 MAIL FROM:<...>, RCPT TO:<...>, then DATA"
        elif verb == b"QUIT":
            return "221 goodbye"
        elif verb != b"NOOP":
            return "502 not here"
        return "250 SIZE 10485760" if verb == b"EHLO" else "250 fine"

    async def _data(self) -> None:
        self._say("354 end with a dot")
        await self._writer.drain()
        lines, size = [], 0
        while (line := await self._line()) != b".":
            size += len(line) + 2
            if size <= LARGEST:
                lines.append(line[1:] if line.startswith(b".") else line)  # RFC 5321, 4.5.2
        if size > LARGEST:
            self._say("552 too large")
            return
        self._box.take(self._sender or "", self._recipients, b"\r\n".join(lines) + b"\r\n")
        self._sender, self._recipients = None, []
        self._say("250 taken")


def _kept(log: Path) -> list[Letter]:
    """What was written before; a line cut short by a crash was never taken."""
    letters = []
    for line in log.read_bytes().splitlines():
        with contextlib.suppress(msgspec.DecodeError):
            letters.append(msgspec.json.decode(line, type=Letter))
    return letters
