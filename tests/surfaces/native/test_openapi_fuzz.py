"""Every call as its OpenAPI document describes it: made-up requests, right and wrong ones, over a socket.

schemathesis makes the requests and looks at the answers: no 5xx, only statuses, media types and bodies that the
document names, what is wrong refused, nobody let in without a key.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_from_bytes

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings, strategies
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from surfaces.native.campaigning import written
from surfaces.native.conftest import PHONE, desk_on

from passerelle.store.database import Database
from passerelle.surfaces.protocol import LenientProtocol

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, negative_data_rejection, ignored_auth, unsupported_method,
]  # fmt: skip
EXAMPLES = int(os.environ.get("FUZZ", "4"))  # of each call, right ones and wrong ones; .ci/run has more


@dataclass
class Served:
    """The API on a socket, in a thread with a loop and a database of its own."""

    url: str
    key: str
    ids: dict[str, str]  # family -> a thing that is there


@pytest.fixture(scope="module")
def served(database_server: str, database_template: str) -> Iterator[Served]:
    ready, started, ended = threading.Event(), list[Served](), list[uvicorn.Server]()

    async def serve() -> None:
        from conftest import created

        async with created(database_server, database_template) as url:
            db = await Database.open(url, size=4)
            async with desk_on(db) as desk:
                sent = await desk.post("/messages", {"to": [PHONE], "text": "Bonjour", "tag": "T"}, 201)
                hook = await desk.post("/webhooks", {"url": "https://shop.example/"}, 201)
                campaign = await written(desk)
                ids = {"messages": sent["id"], "submissions": sent["id"], "webhooks": hook["id"]}
                ids["campaigns"] = campaign["id"]
                config = uvicorn.Config(desk.app, port=0, http=LenientProtocol, lifespan="off", log_level="error")
                server = uvicorn.Server(config)
                ended.append(server)
                running = asyncio.create_task(server.serve())
                while not server.started:
                    await asyncio.sleep(0.01)
                port = server.servers[0].sockets[0].getsockname()[1]
                started.append(Served(f"http://127.0.0.1:{port}", desk.key, ids))
                ready.set()
                await running
            await db.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(30)
    yield started[0]
    ended[0].should_exit = True
    thread.join(30)


@pytest.fixture(scope="module")
def schema(served: Served) -> Any:
    return schemathesis.openapi.from_url(f"{served.url}/api/v1/openapi.json")


def test_every_call_keeps_what_its_description_promises(served: Served, schema: Any) -> None:
    count, headers = 0, {"Authorization": f"Bearer {served.key}"}
    operations = [result.ok() for result in schema.get_all_operations()]
    operations.sort(key=lambda one: (one.method.upper() == "DELETE", "/keys" in one.path))  # or there is no key left
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            with contextlib.suppress(Unsatisfiable):  # a call that takes nothing can be given nothing wrong
                _try_out(operation.as_strategy(mode, headers=headers), served)
                count += 1
        known = served.ids.get(operation.path.split("/")[3])
        if known and "{id}" in operation.path:
            _try_out(operation.as_strategy(headers=headers, path_parameters={"id": known}), served)
    assert count > 60


def _try_out(strategy: Any, served: Served) -> None:
    @given(case=strategy)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def one(case: Any) -> None:
        named = {"Authorization": f"Bearer {served.key}"}
        case.call_and_validate(base_url=served.url, headers=named, checks=CHECKS, timeout=10)

    one()


PLACES = ["/messages", "/messages/explain", "/keys", "/webhooks", "/stop-list", "/events/replay", "/account", ""]


@given(
    method=strategies.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS", "HEAD", "TRACE"]),
    place=strategies.sampled_from(PLACES),
    more=strategies.text(max_size=20),
    query=strategies.binary(max_size=40),
    body=strategies.one_of(
        strategies.binary(max_size=200), strategies.from_regex(rb"[{}\\[\\]\",:0-9ntulse\\\\u]{0,60}")
    ),
    media=strategies.sampled_from(["application/json", "", "text/plain", "application/json; charset=x", "\xe9"]),
    key=strategies.sampled_from(["", "Bearer {}", "bearer  {}", "Bearer pak_x", "Basic {}", "{}"]),
    once=strategies.sampled_from(["", "k", "\xe9\xff", "k" * 300]),
)
@settings(max_examples=150, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
          suppress_health_check=list(HealthCheck))  # fmt: skip
def test_junk_is_answered_and_never_with_our_fault(
    served: Served, method: str, place: str, more: str, query: bytes, body: bytes, media: str, key: str, once: str
) -> None:
    target = f"/api/v1{place}{quote(more)}?{quote_from_bytes(query, safe='&=%')}"
    headers = {"Content-Type": media, "Authorization": key.format(served.key), "Idempotency-Key": once}
    connection = http.client.HTTPConnection(served.url.removeprefix("http://"), timeout=10)
    connection.request(method, target, body, {name: value for name, value in headers.items() if value})
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    assert answer.status < 500, (told, headers)
    assert b"Traceback" not in told
    if answer.status >= 400 and method != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json", (method, target, headers, told)
        assert json.loads(told)["status"] == answer.status
