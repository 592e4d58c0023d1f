"""What a campaign may have behind its link, and how a body becomes a draft."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from surfaces.native.campaigning import written
from surfaces.native.conftest import Desk, problem

from passerelle.domain.campaigns import LARGEST_PAGE
from passerelle.surfaces.native.campaign_drafts import Changes, NewCampaign, given

SHOP = "https://shop.example/"


def test_members_that_a_body_does_not_have_are_not_given() -> None:
    assert given(Changes(name="A", send_at=None)) == {"name": "A", "send_at": None}
    whole = msgspec.json.decode(b'{"name": "A", "text": "B", "to": {"list": "x"}}', type=NewCampaign)
    assert set(given(whole)) == set(NewCampaign.__struct_fields__)


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ({"url": SHOP}, {"url": SHOP, "title": "", "html": None}),
        ({"html": "<p>Bon"}, {"url": None, "title": "", "html": "<p>Bon"}),
        ({"title": "T", "html": "<p>Bon"}, {"url": None, "title": "T", "html": "<p>Bon"}),
        (
            {"title": "T", "text": "a <b>\n\nc", "button": {"label": "Voir", "url": SHOP}, "picture": f"{SHOP}a.png"},
            {"url": None, "title": "T",
             "html": f'<img class="picture" src="{SHOP}a.png" alt="">\n<h1>T</h1>\n<p>a &lt;b&gt;</p>\n<p>c</p>\n'
                     f'<p><a class="button" href="{SHOP}">Voir</a></p>'},
        ),
    ],
)  # fmt: skip
async def test_what_stands_behind_the_link(desk: Desk, page: dict[str, Any], shown: dict[str, Any]) -> None:
    assert (await written(desk, text="Voyez {{link}}", page=page))["page"] == shown


@pytest.mark.parametrize(
    ("page", "pointer"),
    [
        ({}, "#/page"),
        ({"title": "T"}, "#/page"),
        ({"url": SHOP, "html": "x"}, "#/page"),
        ({"html": "x", "text": "x"}, "#/page"),
        ({"url": SHOP, "picture": SHOP}, "#/page"),
        ({"url": SHOP, "title": "T"}, "#/page/title"),
        ({"html": " "}, "#/page"),
        ({"html": "é" * (LARGEST_PAGE // 2 + 1)}, "#/page"),
        ({"html": "x" * (LARGEST_PAGE + 1)}, "#/page/html"),
        ({"title": "T" * 101, "text": "x"}, "#/page/title"),
        ({"text": " ", "button": {"label": "x", "url": SHOP}}, "#/page/text"),
        ({"button": {"label": "x", "url": SHOP}}, "#/page/text"),
        ({"text": "x", "button": {"label": "x", "url": "javascript:alert(1)"}}, "#/page/button/url"),
        ({"text": "x", "button": {"label": "", "url": SHOP}}, "#/page/button/label"),
        ({"text": "x", "picture": "http://shop.example/a.png"}, "#/page/picture"),
        ({"url": "ftp://shop.example/"}, "#/page/url"),
        ({"url": "https://shöp.example/"}, "#/page/url"),
        ({"url": "https://shop.example/" + "x" * 2048}, "#/page/url"),
        ({"urls": []}, "#/page"),
    ],
)
async def test_what_cannot_stand_there(desk: Desk, page: dict[str, Any], pointer: str) -> None:
    made = await written(desk)
    answer = await desk("PATCH", f"/campaigns/{made['id']}", {"page": page})
    assert problem(answer) == (422, "invalid")
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await desk.get(f"/campaigns/{made['id']}")) == made


async def test_characters_that_cannot_be_written_are_told_in_words_of_a_campaign(desk: Desk) -> None:
    made = await written(desk)
    answer = await desk("PATCH", f"/campaigns/{made['id']}", {"text": "Bonjour 🥖"})
    assert problem(answer) == (422, "refused") and "rule `characters`" in answer.json()["errors"][0]["detail"]
    await desk.services.accounts.update_rules(desk.account.id, characters="unicode")
    assert (await desk("PATCH", f"/campaigns/{made['id']}", {"text": "Bonjour 🥖"})).status == 200
