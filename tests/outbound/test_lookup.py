"""Those who are asked about numbers: the made-up one by its digits, a provider over a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable

import pytest
from outbound.receiver import Receiver, Request, answer, receiving

from passerelle.domain.hlr import Found
from passerelle.outbound.lookup import HttpProvider, Simulated, provider
from passerelle.settings import HlrSettings

PHONE, REFERENCE = 33639980014, "0d9a7c1e-52f4-4f0b-8f0e-6c1d2b3a4f55"


@pytest.mark.parametrize(
    ("phone", "country", "found"),
    [
        (33639980000, "FR", Found("20801", False, 0)),
        (33639980001, "FR", Found("20810", False, 0)),
        (33639980014, "FR", Found("20815", True, 0)),
        (33639980003, "FR", Found("20820", False, 0)),
        (33639980007, "FR", Found("20820", False, 27)),
        (33639980018, "FR", Found("20815", True, 13)),
        (33639980009, "FR", Found("20810", False, 1)),
        (32470123456, "BE", Found("20601", True, 0)),
        (262692000001, "RE", Found("64701", False, 0)),
    ],
)
async def test_the_made_up_one(phone: int, country: str, found: Found) -> None:
    asked = provider(HlrSettings())
    assert isinstance(asked, Simulated)
    assert await asked.ask(phone, country, REFERENCE) == found
    await asked.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def ask(receiver: Receiver, reply: Callable[[Request], bytes | None], **settings: object) -> Found | None:
    receiver.reply = reply
    url = f"{receiver.url('/hlr')}?k=1"
    asked = HttpProvider(HlrSettings(url=url, **settings), timeout=0.3, pause=0.0)  # type: ignore[arg-type]
    try:
        return await asked.ask(PHONE, "FR", REFERENCE)
    finally:
        await asked.close()


def said(body: object, status: int = 200) -> Callable[[Request], bytes]:
    return lambda request: answer(status, json.dumps(body).encode(), "Content-Type: application/json")


async def test_it_is_asked_with_its_headers_and_answers(receiver: Receiver) -> None:
    found = await ask(receiver, said({"mccMnc": "20815", "ported": True, "error": 0}), headers={"X-Key": "abc"})
    assert found == Found("20815", True, 0)
    (request,) = receiver.requests
    assert request.line.startswith("POST /hlr?k=1 ")
    assert request.headers["x-key"] == "abc"
    assert json.loads(request.body) == {"number": "+33639980014", "reference": REFERENCE}


async def test_with_names_of_its_own(receiver: Receiver) -> None:
    fields = {"number": "msisdn", "reference": "id", "mccMnc": "data.network", "ported": "data.mnp", "error": "code"}
    body = {"code": "1", "data": {"network": 20801, "mnp": "1"}}
    assert await ask(receiver, said(body), fields=fields) == Found("20801", True, 1)
    assert json.loads(receiver.requests[0].body) == {"msisdn": "+33639980014", "id": REFERENCE}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"mccMnc": "20801"}, Found("20801", False, 0)),
        ({"error": 27}, Found("", False, 27)),
        ({"error": 31337, "mccMnc": None, "ported": 0}, Found("", False, 255)),
        ({"mccMnc": "20801", "ported": 1, "error": None}, Found("20801", True, 0)),
    ],
)
async def test_what_is_left_out(receiver: Receiver, body: object, found: Found) -> None:
    assert await ask(receiver, said(body)) == found


@pytest.mark.parametrize(
    "reply",
    [
        said({"mccMnc": "20801"}, 500),
        said({"mccMnc": "20801"}, 302),
        said({"error": "no money"}),
        said({"error": True}),
        said({"error": [1]}),
        said({"mccMnc": "208\0"}),
        said({"hello": "world"}),
        said([1]),
        lambda request: answer(200, b"<html>"),
        lambda request: None,
        lambda request: b"",
    ],
)
async def test_three_answers_that_say_nothing_and_it_is_unreachable(
    receiver: Receiver, reply: Callable[[Request], bytes | None]
) -> None:
    assert await ask(receiver, reply) is None
    assert len({request.body for request in receiver.requests}) == 1
    assert len(receiver.requests) >= 3


async def test_the_second_try_may_succeed(receiver: Receiver) -> None:
    replies = iter([answer(503), answer(200, b'{"error": 13}')])
    assert await ask(receiver, lambda request: next(replies)) == Found("", False, 13)


async def test_nobody_there() -> None:
    async with receiving() as gone:
        url = gone.url()
    asked = HttpProvider(HlrSettings(url=url), pause=0.0)
    assert await asked.ask(PHONE, "FR", REFERENCE) is None
    await asked.close()
