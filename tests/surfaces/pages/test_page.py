"""What the public pages share: headers on every answer, words for whatever goes wrong."""

from __future__ import annotations

import pytest
from litestar import get
from litestar.exceptions import NotAuthorizedException
from litestar.params import FromPath
from surfaces.asgi import Client

from passerelle.surfaces.pages.page import HEADERS, page, ready


@get("/fine")
async def fine() -> object:
    return page("said.html", title="<b>Été</b>", text="& fin")


@get("/bug/{secret:str}")
async def bug(secret: FromPath[str]) -> object:
    raise RuntimeError(secret)


@get("/no")
async def no() -> object:
    raise NotAuthorizedException


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
