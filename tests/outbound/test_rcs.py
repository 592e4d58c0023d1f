from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from outbound.receiver import Receiver, Request, answer, receiving

from passerelle.clock import ManualClock
from passerelle.domain.message import DuePart, Outcome, OutcomeKind, PartKey, TrafficClass
from passerelle.domain.rcs_names import CARRIER, name_of
from passerelle.domain.text import Encoding
from passerelle.outbound.google_token import FixedToken, NoToken
from passerelle.outbound.rcs import RcsCarrier, kind_of

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
CONTENT = '{"text":"Bonjour, ça va ?"}'
K = OutcomeKind


def part(number: int = 1, traffic: TrafficClass = TrafficClass.TRANSACTIONAL, seconds: float = 14) -> DuePart:
    return DuePart(
        PartKey(1000, number, 1), 1, 1, "", 33639980000 + number, "", CONTENT, Encoding.GSM, 1, traffic, 0, False,
        NOW + timedelta(days=2), time.monotonic() + seconds,
    )  # fmt: skip


class Line:
    """A carrier and the web server that it speaks to."""

    def __init__(self, receiver: Receiver, **more: object) -> None:
        self.receiver = receiver
        self.woken = asyncio.Event()
        settings = {"tokens": FixedToken("t0ken")} | more
        self.carrier = RcsCarrier(
            receiver.url("/base/"), "my agent", clock=ManualClock(NOW), wake=self.woken.set, **settings
        )  # type: ignore[arg-type]

    async def outcomes(self, *parts: DuePart) -> list[Outcome]:
        found: list[Outcome] = []
        self.carrier.submit(parts)
        async with asyncio.timeout(10):
            while len(found) < len(parts):
                await self.woken.wait()
                self.woken.clear()
                found += self.carrier.take_outcomes()
        return found


@contextlib.asynccontextmanager
async def speaking(reply: Callable[[Request], bytes | None], **more: object) -> AsyncIterator[Line]:
    async with receiving(reply) as receiver:
        line = Line(receiver, **more)
        try:
            yield line
        finally:
            receiver.hang_up()
            await line.carrier.finish()


def saying(status: int) -> Callable[[Request], bytes]:
    return lambda request: answer(status, b'{"error": {"message": "no"}}')


async def test_a_message_is_posted_as_rbm_wants_it() -> None:
    async with speaking(saying(200)) as line:
        (one,) = await line.outcomes(part())
        (asked,) = line.receiver.requests
        split = urlsplit(asked.target)
        assert asked.line.startswith("POST ") and split.path == "/base/v1/phones/+33639980001/agentMessages"
        name = name_of(1, 33639980001, CONTENT)
        assert parse_qs(split.query) == {"messageId": [name], "agentId": ["my agent"]}
        assert asked.headers["authorization"] == "Bearer t0ken"
        assert json.loads(asked.body) == {
            "contentMessage": json.loads(CONTENT), "messageTrafficType": "TRANSACTION", "ttl": "300s",
        }  # fmt: skip
        assert (one.kind, one.operator_id, one.error) == (K.SENT, name, "")
        assert one.part.begun_at == one.at == NOW


def phones(capable: int, sent: int = 200) -> Callable[[Request], bytes]:
    """A provider that says `capable` of every phone."""
    return lambda request: answer(capable if request.line.startswith("GET ") else sent, b"{}")


async def test_a_phone_is_asked_about_once_before_its_first_message() -> None:
    async with speaking(phones(200), asks_first=True) as line:
        assert [one.kind for one in await line.outcomes(part())] == [K.SENT]
        assert [one.kind for one in await line.outcomes(part())] == [K.SENT]
        asked = [request.line.split()[0] for request in line.receiver.requests]
        assert asked == ["GET", "POST", "POST"]
        target = urlsplit(line.receiver.requests[0].target)
        assert target.path == "/base/v1/phones/+33639980001/capabilities"
        assert parse_qs(target.query) == {"requestId": [name_of(1, 33639980001, CONTENT)], "agentId": ["my agent"]}
        assert line.receiver.requests[0].headers["authorization"] == "Bearer t0ken"


@pytest.mark.parametrize("status", [403, 404])
async def test_nothing_is_sent_to_a_phone_without_rcs(status: int) -> None:
    async with speaking(phones(status), asks_first=True) as line:
        for _ in range(2):  # it may have RCS tomorrow: only the good news is kept
            (one,) = await line.outcomes(part())
            assert (one.kind, one.error, one.operator_id) == (K.UNREACHABLE, "no RCS", "")
        assert [request.line.split()[0] for request in line.receiver.requests] == ["GET", "GET"]


async def test_what_the_provider_cannot_say_is_left_to_the_send() -> None:
    async with speaking(phones(503), asks_first=True) as line:
        assert [one.kind for one in await line.outcomes(part())] == [K.SENT]


async def test_a_second_attempt_asks_no_more() -> None:
    again = part()
    again.attempts = 1
    async with speaking(phones(404), asks_first=True) as line:
        assert [one.kind for one in await line.outcomes(again)] == [K.SENT]
        assert [request.line.split()[0] for request in line.receiver.requests] == ["POST"]


async def test_marketing_says_so_and_the_time_to_live_is_that_of_the_settings() -> None:
    async with speaking(saying(200), ttl=timedelta(seconds=60)) as line:
        await line.outcomes(part(traffic=TrafficClass.MARKETING))
        body = json.loads(line.receiver.requests[0].body)
        assert (body["messageTrafficType"], body["ttl"]) == ("PROMOTION", "60s")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, K.SENT), (409, K.SENT), (403, K.UNREACHABLE), (404, K.UNREACHABLE), (400, K.UNREACHABLE), (429, K.THROTTLED),
        (401, K.TEMPORARY), (408, K.TEMPORARY), (500, K.TEMPORARY), (503, K.TEMPORARY), (302, K.TEMPORARY),
    ],
)  # fmt: skip
async def test_what_an_answer_means(status: int, kind: OutcomeKind) -> None:
    assert kind_of(status) is kind
    async with speaking(saying(status)) as line:
        (one,) = await line.outcomes(part())
        assert one.kind is kind and bool(one.operator_id) is (kind is K.SENT)
        assert one.error == ("" if kind is K.SENT else f'HTTP {status} {{"error": {{"message": "no"}}}}')


async def test_an_answer_that_does_not_come_leaves_the_outcome_unknown_under_its_name() -> None:
    async with speaking(lambda request: None, timeout=0.1) as line:
        (one,) = await line.outcomes(part())
        assert (one.kind, one.operator_id) == (K.UNKNOWN, name_of(1, 33639980001, CONTENT))
    async with speaking(lambda request: b"") as line:
        assert [one.kind for one in await line.outcomes(part())] == [K.UNKNOWN]


async def test_nobody_there_is_no_unknown() -> None:
    async with speaking(saying(200)) as line:
        line.receiver.hang_up()
        await asyncio.sleep(0)
        assert [one.kind for one in await line.outcomes(part())] == [K.TEMPORARY]


async def test_nothing_is_written_after_the_lease() -> None:
    async with speaking(saying(200)) as line:
        (one,) = await line.outcomes(part(seconds=0.5))
        assert one.kind is K.UNSENT and not line.receiver.requests and one.part.begun_at is None


async def test_a_lease_that_ends_soon_is_waited_for_no_longer() -> None:
    async with speaking(lambda request: None) as line:
        began = time.monotonic()
        (one,) = await line.outcomes(part(seconds=1.2))
        assert one.kind is K.UNKNOWN and time.monotonic() - began < 1.2


async def test_without_a_token_nothing_leaves() -> None:
    class Nothing:
        async def token(self, session: object) -> str:
            raise NoToken("token: HTTP 503")

        def refused(self, token: str) -> None: ...

    async with speaking(saying(200), tokens=Nothing()) as line:
        (one,) = await line.outcomes(part())
        assert (one.kind, one.error) == (K.TEMPORARY, "token: HTTP 503") and not line.receiver.requests


async def test_a_token_that_is_refused_is_told_so() -> None:
    class Told(FixedToken):
        told = ""

        def refused(self, token: str) -> None:
            self.told = token

    tokens = Told("old")
    async with speaking(saying(401), tokens=tokens) as line:
        await line.outcomes(part())
    assert tokens.told == "old"


async def test_no_more_than_the_window_and_nothing_while_throttled() -> None:
    async with speaking(lambda request: None, window=3, timeout=0.2) as line:
        assert line.carrier.free_slots() == 3
        line.carrier.submit([part(1), part(2)])
        assert line.carrier.free_slots() == 1
        await line.outcomes()
    async with speaking(saying(429)) as line:
        await line.outcomes(part())
        assert line.carrier.free_slots() == 0


async def test_finishing_waits_for_what_is_in_flight() -> None:
    async with receiving(saying(200)) as receiver:
        line = Line(receiver)
        line.carrier.submit([part(n) for n in range(1, 20)])
        await line.carrier.finish()
        assert [one.kind for one in line.carrier.take_outcomes()] == [K.SENT] * 19
        assert line.carrier.id == CARRIER and line.carrier.binds == 0 and not line.carrier.take_arrived()


@pytest.mark.parametrize(("status", "heard"), [(200, True), (404, True), (401, False), (429, False), (500, False)])
async def test_revoking(status: int, heard: bool) -> None:
    async with speaking(saying(status)) as line:
        assert await line.carrier.revoke(33639980001, "a-name") is heard
        (asked,) = line.receiver.requests
        assert asked.line.split(" ")[:2] == [
            "DELETE",
            "/base/v1/phones/+33639980001/agentMessages/a-name?agentId=my+agent",
        ]
    async with speaking(lambda request: None, timeout=0.05) as line:
        assert await line.carrier.revoke(33639980001, "a-name") is False
