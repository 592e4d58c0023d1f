"""Who keeps the server waiting is not waited for, and what a client sends never reads as more than it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn

from passerelle.surfaces.protocol import LONGEST_HEAD, MOST_AHEAD, MOST_HEADERS, LenientProtocol

HEAD = b"GET /v1/me HTTP/1.1\r\nHost: x\r\n"
LARGE = b"x" * 30_000_000


class Hasty(LenientProtocol):
    patience = 0.2


@dataclass
class Application:
    """Answers with the body of the request, or a large one to /large; keeps the headers that it saw."""

    headers: list[list[tuple[bytes, bytes]]] = field(default_factory=list)

    async def __call__(self, scope, receive, send):
        body, more = b"", scope["path"] != "/unread"
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.headers.append(scope["headers"])
        body = LARGE if scope["path"] == "/large" else body
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def served(app: Application) -> AsyncIterator[int]:
    config = uvicorn.Config(app, port=0, http=Hasty, log_level="critical", lifespan="off", timeout_keep_alive=1)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def said(*pieces: bytes, app: Application | None = None) -> bytes:
    """All that comes until the server closes, which it has to."""
    async with served(app or Application()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = b""
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            while more := await asyncio.wait_for(reader.read(1 << 20), 5):
                answer += more
        except ConnectionError:
            pass
        writer.transport.abort()
    return answer


@pytest.mark.parametrize("sent", [b"", b"G", HEAD, HEAD + b"a: b"])
async def test_a_head_that_does_not_end_is_not_waited_for(sent):
    assert await said(sent) == b""


@pytest.mark.parametrize(
    "sent",
    [
        [HEAD + b"a: " + b"b" * LONGEST_HEAD, *[b"b" * LONGEST_HEAD] * 20],
        [b"GET /v1/me?" + b"b" * LONGEST_HEAD, *[b"b" * LONGEST_HEAD] * 20],
        [HEAD + b"a: b\r\n" * (MOST_HEADERS + 1) + b"\r\n"],
        [HEAD + b"\r\n" + HEAD + b"a: " + b"b" * LONGEST_HEAD, *[b"b" * LONGEST_HEAD] * 20],
    ],
)
async def test_a_head_has_an_end(sent):
    app = Application()
    await said(*sent, app=app)
    assert len(app.headers) <= 1


async def test_a_body_that_nobody_reads_is_not_waited_for():
    head = b"POST /unread HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n"
    assert (await said(head, b"x" * 200_000)).count(b"HTTP/1.1 200") == 1


async def test_a_client_sends_only_so_many_requests_ahead():
    answer = await said((HEAD + b"\r\n") * 10_000)
    assert answer.count(b"HTTP/1.1 200") == MOST_AHEAD + 1


async def test_requests_behind_each_other_are_all_answered():
    post = b"POST /echo HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
    last = post.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert (await said(post[:-1], post[-1:] + post, post + last)).count(b"\r\n\r\n{}") == 4


async def test_what_follows_a_body_is_no_header():
    app = Application()
    chunked = b"POST /echo HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    assert b"200" in await said(chunked, b"X-Forwarded-For: 10.0.0.1\r\n\r\n", app=app)
    assert [value for name, value in app.headers[0] if name == b"x-forwarded-for"] == [b"192.0.2.1"]


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Content-Length: 2\r\nContent-Length: 30",
        b"Content-Length: +2",
        b"Content-Length : 2",
        b"Transfer-Encoding: xchunked\r\nContent-Length: 2",
        b"A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 2",
    ],
)
async def test_a_body_of_two_lengths_is_no_request(headers):
    app = Application()
    await said(
        b"POST /echo HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + HEAD + b"\r\n", app=app
    )
    assert app.headers == []


async def test_an_answer_that_nobody_takes_is_not_kept():
    async with served(Application()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        writer.write(b"GET /large HTTP/1.1\r\n\r\n")
        await asyncio.sleep(2)
        taken = 0
        with pytest.raises(ConnectionError):
            while more := await asyncio.wait_for(reader.read(1 << 20), 5):
                taken += len(more)
            raise ConnectionError  # closed in between
        assert taken < len(LARGE)
        writer.transport.abort()


async def test_an_answer_that_is_taken_slowly_is_kept():
    async with served(Application()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        writer.write(b"GET /large HTTP/1.1\r\nConnection: close\r\n\r\n")
        taken = 0
        while more := await asyncio.wait_for(reader.read(1 << 20), 5):
            taken += len(more)
            await asyncio.sleep(0.01)
        assert taken > len(LARGE)
        writer.transport.abort()
