"""Notifications on real sockets: what leaves is what was asked for, and nothing ever reaches an inner address."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from outbound.receiver import answer, receiving

from passerelle.outbound.webhook import Posted, Poster, is_allowed, signature

AT = datetime(2026, 11, 12, 9, 15, 30, tzinfo=UTC)
BODY = '{"status": "delivered", "phone": "+33639980001", "tag": "é"}'.encode()
NEW, OLD = b"n" * 24, b"o" * 24


@pytest.fixture
async def poster() -> AsyncIterator[Poster]:
    made = Poster(allow_private=True, timeout=0.5)
    yield made
    await made.close()


@pytest.fixture
async def strict() -> AsyncIterator[Poster]:
    made = Poster(timeout=0.5)
    yield made
    await made.close()


async def post(poster: Poster, url: str) -> Posted:
    return await poster.post(url, BODY, "application/json", "0193-id", [NEW, OLD], AT)


async def test_the_bytes_arrive_with_a_signature_for_each_secret(poster: Poster) -> None:
    async with receiving() as receiver:
        posted = await post(poster, receiver.url())
    assert posted == Posted(True, False, 200, "")
    (request,) = receiver.requests
    assert request.line == "POST /hook HTTP/1.1"
    assert request.body == BODY
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == "0193-id"
    assert request.headers["webhook-timestamp"] == "1794474930" == str(int(AT.timestamp()))
    expected = [
        "v1," + base64.b64encode(hmac.new(secret, b"0193-id.1794474930." + BODY, hashlib.sha256).digest()).decode()
        for secret in (NEW, OLD)
    ]
    assert request.headers["webhook-signature"].split(" ") == expected


def test_the_signature_is_that_of_the_standard() -> None:
    # The vector of the specification's libraries.
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = signature([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "path",
    ["/h?key=a%20b+c&sig=%2f%2F==&x=~", "/h?a=1&a=2;b#part", "/a%2Fb//c/../d?u=http://x/?y", "/h?", "/h?%zz&'\"<>|"],
)
async def test_path_and_query_leave_as_they_were_given(poster: Poster, path: str) -> None:
    async with receiving() as receiver:
        assert (await post(poster, receiver.url(path))).ok
    assert receiver.requests[0].target == path.partition("#")[0].rstrip("?") or receiver.requests[0].target == path


@pytest.mark.parametrize("path", ["/h?a=b c", "/h?a=é", "/h\r\nX-Evil: 1?a=1", "/h?a=\r\nX-Evil: 1"])
async def test_what_no_request_line_can_hold_is_quoted_or_refused(poster: Poster, path: str) -> None:
    async with receiving() as receiver:
        await post(poster, receiver.url(path))
    assert all("x-evil" not in request.headers for request in receiver.requests)
    assert all(" " not in request.target and request.target.isascii() for request in receiver.requests)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_success(poster: Poster, status: int) -> None:
    async with receiving(lambda request: answer(status)) as receiver:
        assert await post(poster, receiver.url()) == Posted(True, False, status, "")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_a_failure_and_is_not_followed(poster: Poster, status: int) -> None:
    async with receiving() as trap:
        async with receiving(lambda request: answer(status, b"", f"Location: {trap.url()}")) as receiver:
            posted = await post(poster, receiver.url())
        assert posted == Posted(False, False, status, f"HTTP {status}")
        assert trap.requests == []
        assert len(receiver.requests) == 1


async def test_410_is_told_from_other_failures(poster: Poster) -> None:
    async with receiving(lambda request: answer(410)) as receiver:
        assert await post(poster, receiver.url()) == Posted(False, True, 410, "HTTP 410")
    async with receiving(lambda request: answer(503)) as receiver:
        assert await post(poster, receiver.url()) == Posted(False, False, 503, "HTTP 503")


async def test_silence_ends_in_time(poster: Poster) -> None:
    async with receiving(lambda request: None) as receiver:
        assert await post(poster, receiver.url()) == Posted(False, False, 0, "no answer in time")


async def test_a_body_that_never_ends_changes_nothing(poster: Poster) -> None:
    started = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nOK so far"
    async with receiving(lambda request: started) as receiver:
        assert await post(poster, receiver.url()) == Posted(True, False, 200, "")


async def test_a_large_answer_is_not_read_and_costs_the_connection(poster: Poster) -> None:
    sizes = iter([b"x" * 1_000_000, b"", b""])
    async with receiving(lambda request: answer(200, next(sizes))) as receiver:
        for _ in range(3):
            assert (await post(poster, receiver.url())).ok
        assert receiver.connections == 2


async def test_a_connection_serves_again(poster: Poster) -> None:
    async with receiving(lambda request: answer(200, b"ACK")) as receiver:
        for _ in range(5):
            assert (await post(poster, receiver.url())).ok
        assert receiver.connections == 1


async def test_an_idle_connection_that_was_closed_costs_no_attempt(poster: Poster) -> None:
    said = iter([answer(200), b"", answer(200)])
    async with receiving(lambda request: next(said)) as receiver:
        assert (await post(poster, receiver.url())).ok
        assert (await post(poster, receiver.url())).ok
        assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1


@pytest.mark.parametrize(
    "said", [b"hello\r\n\r\n", b"HTTP/1.1 999999 x\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: " + b"x" * 99_999]
)
async def test_an_answer_that_is_no_http_is_a_failure(poster: Poster, said: bytes) -> None:
    async with receiving(lambda request: said) as receiver:
        posted = await post(poster, receiver.url())
    assert not posted.ok
    assert posted.error


async def test_nobody_there(poster: Poster) -> None:
    async with receiving() as receiver:
        url = receiver.url("/secret?token=1")
    posted = await post(poster, url)
    assert posted == Posted(False, False, 0, "Connection refused")


@pytest.mark.parametrize(
    "url",
    ["ftp://127.0.0.1/", "file:///etc/passwd", "//127.0.0.1/", "hook", "", "http://", "http:///x", "http://[::1/"],
)
async def test_other_schemes_and_broken_urls_are_refused(poster: Poster, url: str) -> None:
    posted = await post(poster, url)
    assert (posted.ok, posted.status) == (False, 0)
    assert posted.error


async def test_no_proxy_of_the_environment_is_used(poster: Poster, monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, receiving() as receiver:
        monkeypatch.setenv("http_proxy", proxy.url(""))
        assert (await post(poster, receiver.url())).ok
        assert proxy.requests == []


# --- inner addresses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.000.000.001",
        "0.0.0.0", "0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]",
        "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "localhost", "LOCALHOST", "127.0.0.1.", "1②7.0.0.1", "%31%32%37.0.0.1",
    ],
)  # fmt: skip
async def test_no_spelling_reaches_this_machine(strict: Poster, host: str) -> None:
    async with receiving() as receiver:
        posted = await post(strict, receiver.url(host=host))
    assert not posted.ok
    assert receiver.requests == []
    assert receiver.connections == 0


async def test_a_name_that_leads_inside_is_refused_by_its_address(strict: Poster) -> None:
    async with receiving() as receiver:
        posted = await post(strict, receiver.url(host="localhost"))
    assert posted.error == "address refused"


@pytest.mark.parametrize(
    ("address", "outside", "inside"),
    [
        ("8.8.8.8", True, True),
        ("2606:4700::1111", True, True),
        ("64:ff9b::808:808", True, True),
        ("127.0.0.1", False, True),
        ("127.255.255.254", False, True),
        ("10.0.0.1", False, True),
        ("172.16.0.1", False, True),
        ("192.168.1.1", False, True),
        ("100.64.0.1", False, True),
        ("169.254.169.254", False, True),
        ("::1", False, True),
        ("fd00::1", False, True),
        ("fe80::1", False, True),
        ("fe80::1%eth0", False, True),
        ("fec0::1", False, True),
        ("::ffff:10.0.0.1", False, True),
        ("2002:a00:1::1", False, True),
        ("64:ff9b::a00:1", False, True),
        ("64:ff9b::a9fe:a9fe", False, True),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("::ffff:0.0.0.0", False, False),
        ("224.0.0.1", False, False),
        ("255.255.255.255", False, False),
        ("240.0.0.1", False, False),
        ("ff02::1", False, False),
        ("::127.0.0.1", False, False),
    ],
)
def test_which_addresses_are_inside(address: str, outside: bool, inside: bool) -> None:
    assert (is_allowed(address, False), is_allowed(address, True)) == (outside, inside)
