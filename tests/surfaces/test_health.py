"""What stands behind the dialects: alive, ready, measured; and nothing else."""

from __future__ import annotations

import asyncio

import pytest
from surfaces.asgi import Client

from passerelle import telemetry
from passerelle.surfaces import health


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def broken() -> bool:
    raise ConnectionError("postgresql://user:secret@host is away")


async def hanging() -> bool:
    raise TimeoutError


async def test_it_is_alive_whatever_the_database_does() -> None:
    for is_ready in (yes, no, broken):
        answer = await Client(health.application(is_ready, metrics=False))("GET", "/healthz")
        assert (answer.status, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(("is_ready", "status"), [(yes, 200), (no, 503), (broken, 503), (hanging, 503)])
async def test_it_is_ready_while_the_database_answers(is_ready, status) -> None:
    answer = await Client(health.application(is_ready, metrics=False))("GET", "/readyz")
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert "secret" not in answer.text


async def test_a_load_balancer_that_hangs_up_ends_nothing() -> None:
    asking = asyncio.create_task(Client(health.application(yes, metrics=False))("GET", "/readyz"))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert (await Client(health.application(yes, metrics=False))("GET", "/readyz")).status == 200


async def test_metrics_are_told_where_they_are_wanted() -> None:
    telemetry.RECEIPTS.labels("1", "matched").inc()
    shown = await Client(health.application(yes, metrics=True))("GET", "/metrics")
    assert shown.status == 200 and shown.headers["content-type"].startswith("text/plain")
    assert 'passerelle_receipts_total{carrier="1",state="matched"}' in shown.text
    assert (await Client(health.application(yes, metrics=False))("GET", "/metrics")).status == 404


@pytest.mark.parametrize("path", ["/", "/healthz/", "/Healthz", "/metrics/../etc/passwd", "/é"])
async def test_nothing_else_is_there(path) -> None:
    answer = await Client(health.application(yes, metrics=True))("GET", path)
    assert answer.status == 404 and answer.headers["content-length"] == str(len(answer.body))


async def test_other_protocols_are_left_alone() -> None:
    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    await health.application(yes, metrics=True)({"type": "lifespan"}, None, send)
    await health.application(yes, metrics=True)({"type": "websocket", "path": "/"}, None, send)
    assert sent == []
