"""A customer's web server on a real socket that keeps what it received and answers as it is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field


@dataclass
class Request:
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class Receiver:
    """`reply(request)` gives the bytes to answer with; None: never an answer; b'': close the connection."""

    reply: Callable[[Request], bytes | None] = lambda request: answer(200)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    server: asyncio.Server | None = None

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def bodies(self) -> list[str]:
        return [request.body.decode() for request in self.requests]

    async def received(self, count: int) -> None:
        """Until `count` requests have come."""
        async with asyncio.timeout(20):
            while len(self.requests) < count:
                self.news.clear()
                await self.news.wait()

    def hang_up(self) -> None:
        """Nobody there any more."""
        if self.server is not None:
            self.server.close()
        for writer in self.open:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._exchange(reader, writer):
                pass
        self.open.discard(writer)
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (one.split(":", 1) for one in rest)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.requests.append(Request(line, headers, body))
        self.news.set()
        said = self.reply(self.requests[-1])
        if said is None:
            await reader.read()
        writer.write(said or b"")
        await writer.drain()
        return bool(said)


@contextlib.asynccontextmanager
async def receiving(reply: Callable[[Request], bytes | None] | None = None) -> AsyncIterator[Receiver]:
    receiver = Receiver() if reply is None else Receiver(reply)
    receiver.server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = receiver.server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        receiver.hang_up()
