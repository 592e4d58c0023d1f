"""What the public pages share: headers on every answer, words for whatever goes wrong."""

from __future__ import annotations

import pytest
from litestar import Request, get
from litestar.exceptions import NotAuthorizedException
from litestar.params import FromPath
from surfaces.asgi import Client

from passerelle.surfaces.pages.page import HEADERS, is_own, page, ready


@get("/fine")
async def fine() -> object:
    return page("said.html", title="<b>Été</b>", text="& fin")


@get("/bug/{secret:str}")
async def bug(secret: FromPath[str]) -> object:
    raise RuntimeError(secret)


@get("/no")
async def no() -> object:
    raise NotAuthorizedException


@get("/own")
async def own(request: Request) -> object:
    return page("said.html", 200 if is_own(request, frozenset({"a.example"})) else 403)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "https://a.example"}, 200),
        ({"origin": "http://localhost", "host": "localhost"}, 200),
        ({"origin": "https://b.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "null", "host": ""}, 403),
        ({"origin": "http://["}, 403),
        ({"origin": "https://a.example", "sec-fetch-site": "cross-site"}, 403),
    ],
)
async def test_a_form_is_taken_from_a_page_of_ours(headers, status):
    assert (await Client(ready("/x", [own], {}))("GET", "/x/own", None, headers)).status == status


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/x/fine", 200, "&lt;b&gt;Été&lt;/b&gt;"),
        ("/x/bug/s3cret", 500, "Réessayez"),
        ("/x/no", 401, "pas valable"),
        ("/x/nowhere", 404, "n'existe pas".replace("'", "&#39;")),
        ("/elsewhere", 404, "n'existe pas".replace("'", "&#39;")),
    ],
)
async def test_every_answer_is_a_page(path, status, said, capfd):
    answer = await Client(ready("/x", [fine, bug, no], {}))("GET", path)
    assert (answer.status, said in answer.text) == (status, True), answer.text
    assert answer.headers.items() >= {name.lower(): value for name, value in HEADERS.items()}.items()
    assert "s3cret" not in answer.text + "".join(capfd.readouterr())
