"""Finding the route and reading the body: what an old client sends is answered in its dialect, whatever it is."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from surfaces.asgi import Client

from passerelle.domain.profile import PRIMOTEXTO, SMSPARTNER
from passerelle.surfaces.http import LOCATION, LONG, Answer, Dialects, Limits, Route, worded
from passerelle.surfaces.protocol import LenientProtocol


class Echo:
    """A surface that says which route was found and what was read."""

    def __init__(self, name, profile, mounts):
        self.name, self.profile, self.mounts = name, profile, mounts
        self.routes = (
            Route("/me", {"GET": self.told}),
            Route("/send", {"POST": self.read, "GET": self.told}),
            Route("/import", {"POST": self.told}, max_body=4000),
            Route("/cancel/{messageId}", {"DELETE": self.told}),
            Route("/{type:one|two}/lists/{id}", {"GET": self.told}),
            Route("/broken", {"GET": self.broken}),
        )

    async def told(self, request):
        told = " ".join(f"{name}={value}" for name, value in request.variables.items())
        return Answer(200, f"{self.name} {request.route.path} {told}{len(request.body)}".encode(), b"text/plain")

    async def read(self, request):
        request.json()
        return Answer(201, request.body, b"application/json", ((LOCATION, b"/there"),))

    async def broken(self, request):
        raise LookupError(f"secret text of {request.query}")

    def fault(self, request, fault):
        return Answer(fault.value, f"{self.name}:{fault.name}".encode())


async def other(scope, receive, send):
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


@pytest.fixture
def app() -> Dialects:
    sms = Echo("smspartner", SMSPARTNER, {"/smspartner/v1": ""})
    mounts = {"/primotexto/v2": "", "/v2": "", "/app/contacts": "/app/contacts"}
    primotexto = Echo("primotexto", PRIMOTEXTO, mounts)
    return Dialects(
        [sms, primotexto], other, Limits(hosts={"api.Other.example": "primotexto"}, max_body=1000, patience=0.1)
    )


@pytest.mark.parametrize(
    ("method", "target", "status", "answer"),
    [
        ("GET", "/v1/me", 200, "smspartner /me 0"),
        ("GET", "/v1/me/", 200, "smspartner /me 0"),
        ("GET", "//v1///me//?", 200, "smspartner /me 0"),
        ("HEAD", "/v1/me", 200, "smspartner /me 0"),
        ("GET", "/smspartner/v1/me", 200, "smspartner /me 0"),
        ("GET", "/v2/me", 200, "primotexto /me 0"),
        ("GET", "/primotexto/v2/me", 200, "primotexto /me 0"),
        ("GET", "/v2/one/lists/5", 200, "primotexto /{type:one|two}/lists/{id} type=one id=50"),
        ("GET", "/v2/three/lists/5", 404, "primotexto:NOT_FOUND"),
        ("GET", "/v2/one/lists/5/6", 404, "primotexto:NOT_FOUND"),
        ("DELETE", "/v1/cancel/a\0b", 200, "smspartner /cancel/{messageId} messageId=ab0"),
        ("GET", "/v1/ME", 404, "smspartner:NOT_FOUND"),
        ("GET", "/v1", 404, "smspartner:NOT_FOUND"),
        ("POST", "/v1/me", 405, "smspartner:METHOD"),
        ("BREW", "/v1/me", 405, "smspartner:METHOD"),
        ("GET", "/v1me", 418, "/v1me"),
        ("GET", "/v22/me", 418, "/v22/me"),
        ("GET", "/api/v1/me", 418, "/api/v1/me"),
        ("GET", "/", 418, "/"),
        ("GET", "/app/contacts/check", 404, "primotexto:NOT_FOUND"),
    ],
)
async def test_a_path_is_found(app, method, target, status, answer):
    response = await Client(app)(method, target)
    assert (response.status, response.text) == (status, answer)


@pytest.mark.parametrize(
    ("host", "dialect"),
    [
        ("api.other.example", "primotexto"),
        ("API.OTHER.EXAMPLE:8080", "primotexto"),
        ("x", "smspartner"),
        ("", "smspartner"),
    ],
)
async def test_v1_belongs_to_the_host_and_a_prefix_to_its_dialect_on_every_host(app, host, dialect):
    assert (await Client(app)("GET", "/v1/me", headers={"host": host})).text.startswith(dialect)
    assert (await Client(app)("GET", "/smspartner/v1/me", headers={"host": host})).text.startswith("smspartner")


async def test_the_methods_that_are_allowed_are_told(app):
    assert (await Client(app)("DELETE", "/v1/send")).headers["allow"] == "GET, HEAD, POST"


async def test_a_body_over_the_limit_is_refused_and_the_connection_closed(app):
    answer = await Client(app)("POST", "/v1/send", b"{" + b" " * 1500)
    assert (answer.text, answer.headers["connection"]) == ("smspartner:TOO_LARGE", "close")
    chunked = await Client(app)("POST", "/v1/send", b" " * 1500, {"content-length": "", "transfer-encoding": "chunked"})
    assert chunked.text == "smspartner:TOO_LARGE"
    assert (await Client(app)("POST", "/v1/import", b" " * 1500)).status == 200


async def test_what_is_not_json_closes_the_connection(app):
    answer = await Client(app)("POST", "/v1/send", b'{"a": 1,}')
    assert (answer.text, answer.headers["connection"]) == ("smspartner:MALFORMED", "close")


async def test_a_failure_is_the_dialects_500_and_logged_without_what_the_client_sent(app, capsys):
    answer = await Client(app)("GET", "/v1/broken?apiKey=abcdef")
    assert (answer.status, answer.text) == (500, "smspartner:INTERNAL")
    written = capsys.readouterr().err
    assert json.loads(written)["error"] == "LookupError" and "abcdef" not in written and "secret" not in written


async def test_a_client_that_leaves_is_no_error(app):
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "path": "/v1/send", "headers": [(b"content-length", b"9")]}
    await app(scope, receive, sent.append)
    assert sent == []


# --- over a socket -------------------------------------------------------------------------------------------------


@asynccontextmanager
async def served(app) -> AsyncIterator[int]:
    config = uvicorn.Config(
        app, port=0, http=LenientProtocol, log_level="critical", lifespan="off", proxy_headers=False
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def exchange(port: int, *pieces: bytes) -> bytes:
    """Send, and read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


def post(body: bytes, length: int | None = None, path: str = "/v1/send") -> bytes:
    counted = len(body) if length is None else length
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {counted}\r\n\r\n".encode() + body


@pytest.mark.parametrize("split", [False, True])
async def test_a_client_that_counts_characters_gets_its_answer(app, split):
    body = '{"message":"été à la mer"}'.encode()
    cut = post(body, len(body.decode()))
    async with served(app) as port:
        answer = await exchange(port, *([cut[:-3], cut[-3:]] if split else [cut]))
    assert answer.startswith(b"HTTP/1.1 400") and answer.endswith(b"smspartner:MALFORMED")
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_body_that_stays_short_is_bad_json(app):
    async with served(app) as port:
        answer = await exchange(port, post(b'{"a":', 50))
    assert answer.startswith(b"HTTP/1.1 400") and b"MALFORMED" in answer


async def test_header_names_keep_their_capitals(app):
    async with served(app) as port:
        answer = await exchange(port, post(b"{}").replace(b"Host: x", b"Host: x\r\nConnection: close"))
    assert b"\r\nLocation: /there\r\n" in answer and b"\r\nContent-Length: 2\r\n" in answer
    assert b"transfer-encoding" not in answer


async def test_an_answer_to_a_body_over_the_limit_is_read_before_the_connection_goes(app):
    async with served(app) as port:
        answer = await exchange(port, post(b" " * 7000))
    assert answer.startswith(b"HTTP/1.1 413") and answer.endswith(b"TOO_LARGE")


async def test_requests_one_behind_the_other_on_one_connection(app):
    async with served(app) as port:
        last = post(b"{}", path="/v1//send/").replace(b"Host: x", b"Host: x\r\nConnection: close")
        answer = await exchange(port, post(b"{}") + post(b"[1]") + last)
    assert answer.count(b"HTTP/1.1 201") == 3


async def test_a_body_that_trickles_is_not_waited_for_for_ever():
    sms = Echo("smspartner", SMSPARTNER, {"/smspartner/v1": ""})
    async with served(Dialects([sms], other, Limits(patience=0.2, longest=0.4))) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(b'{"a":', 50))
        answer = b""
        for _ in range(30):
            try:
                answer = await asyncio.wait_for(reader.read(1000), 0.1)
                break
            except TimeoutError:
                writer.write(b" ")
        writer.transport.abort()
    assert answer.startswith(b"HTTP/1.1 400") and b"MALFORMED" in answer


async def test_bodies_that_only_begin_do_not_fill_the_memory():
    sms = Echo("smspartner", SMSPARTNER, {"/smspartner/v1": ""})
    app = Dialects([sms], other, Limits(patience=0.5, held=500_000))
    async with served(app) as port:
        begun = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
        for _, writer in begun:
            writer.write(post(b'"' + b" " * 100_000, 200_000))
            await writer.drain()
        answers = [await asyncio.wait_for(reader.read(), 5) for reader, _ in begun[4:]]
        assert any(b"TOO_LARGE" in answer for answer in answers)
        small = await exchange(port, post(b'{"a": 1,}'))
        assert small.endswith(b"MALFORMED")
        for _, writer in begun:
            writer.transport.abort()
    assert app._held == 0


@pytest.mark.parametrize(("entries", "is_aside"), [(LONG, False), (LONG + 1, True)])
async def test_a_long_list_is_worded_in_a_thread_so_that_nobody_waits_for_it(entries, is_aside):
    count, thread = await worded(lambda listed, _: (len(listed), threading.get_ident()), [0] * entries, "more")
    assert (count, thread != threading.get_ident()) == (entries, is_aside)
