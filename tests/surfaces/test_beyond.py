"""Applications behind the dialects: loaded once and late, found by prefix or by host."""

from __future__ import annotations

import asyncio
import threading

import pytest
from surfaces.asgi import Client

from passerelle.surfaces.beyond import Beyond


def named(name):
    """An application that answers with its name and the path that it saw."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": f"{name} {scope['path']}".encode()})

    return app


class Counted:
    def __init__(self, name, failures=0):
        self.name, self.failures, self.threads = name, failures, []

    def __call__(self):
        self.threads.append(threading.current_thread())
        if len(self.threads) <= self.failures:
            raise RuntimeError("not yet")
        return named(self.name)


@pytest.fixture
def pages():
    return Counted("pages")


@pytest.fixture
def native():
    return Counted("native")


@pytest.fixture
def beyond(pages, native):
    routes = {"/l": pages, "/signup": pages, "/api/v1": native}
    return Beyond(routes, named("fallback"), {"Go.Example": "/l"})


@pytest.mark.parametrize(
    ("path", "host", "told"),
    [
        ("/l/abc", "a.example", "pages /l/abc"),
        ("/l", "a.example", "pages /l"),
        ("/signup/x/y", "a.example", "pages /signup/x/y"),
        ("/api/v1/messages", "a.example", "native /api/v1/messages"),
        ("/api/v10", "a.example", "fallback /api/v10"),
        ("/list", "a.example", "fallback /list"),
        ("/healthz", "a.example", "fallback /healthz"),
        ("/abc", "go.example:8080", "pages /l/abc"),
        ("/abc", "GO.EXAMPLE.", "pages /l/abc"),
        ("/l/abc", "go.example", "pages /l/abc"),
        ("/api/v1/x", "go.example", "native /api/v1/x"),
    ],
)
async def test_a_path_finds_its_application(beyond, path, host, told):
    assert (await Client(beyond)("GET", path, headers={"host": host})).text == told


async def test_an_application_is_loaded_once_late_and_beside_the_loop(beyond, pages, native):
    client = Client(beyond)
    await client("GET", "/healthz")
    assert not pages.threads
    await asyncio.gather(*(client("GET", path) for path in ("/l/a", "/l/b", "/signup/c")))
    assert len(pages.threads) == 1 and pages.threads[0] is not threading.main_thread()
    assert not native.threads


async def test_it_warms_up(beyond, pages, native):
    await beyond.warm(after=0)
    assert len(pages.threads) == len(native.threads) == 1


async def test_what_cannot_be_loaded_is_tried_again():
    factory = Counted("pages", failures=1)
    client = Client(Beyond({"/l": factory}, named("fallback")))
    with pytest.raises(RuntimeError):
        await client("GET", "/l/a")
    assert (await client("GET", "/l/a")).text == "pages /l/a"
