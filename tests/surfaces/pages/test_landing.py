"""The frame around a page: what it is allowed, what stands in it, how STOP is said."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from surfaces.pages.conftest import NUMBERS, PREVIEW

from passerelle.domain.pages import compose, page_target
from passerelle.domain.tracking import Target
from passerelle.store import optouts
from passerelle.store.optouts import List
from passerelle.surfaces.pages.landing import LANDING_HEADERS, Frames, framed

PAGE = page_target("Soldes d'hiver", compose("Soldes", "-20%", ("Voir", "https://shop.example/")))


def shown(title: str, html: str, language: str = "fr") -> str:
    return framed(page_target(title, html), language).shown("Ab12cd34", 77).decode()


def test_what_stands_in_the_frame():
    page = shown("Soldes <b>", "<p>é</p>")
    assert "<title>Soldes &lt;b&gt;</title>" in page and "<h1>Soldes &lt;b&gt;</h1>" in page and "<p>é</p>" in page
    assert '<script data-visit="77" data-told="./Ab12cd34/t">' in page
    assert '<a class="stop" href="./Ab12cd34/stop"' in page and '<html lang="fr">' in page
    assert '<a href="./Ab12cd34/2">' in shown("", "<a href='https://a.example'>a</a><a href='https://b.example'>b</a>")
    assert "STOP: no more messages" in shown("", "", "en") and "<title>Message</title>" in shown("", "")
    assert "\ue000" not in page and "\ue001" not in page


def test_a_title_is_shown_where_the_page_has_no_heading():
    assert shown("Soldes", "<h1>Bienvenue</h1>").count("<h1>") == 1
    assert "<h1>Soldes" not in shown("Soldes", "<p style='color:red'>a</p>")  # it has a look of its own
    assert 'class="hosted paper"' in shown("Soldes", "<p style='color:red'>a</p>")
    assert 'class="hosted"' in shown("Soldes", "<p>a</p>")


def test_every_style_and_script_of_ours_is_allowed_by_its_hash():
    policy = LANDING_HEADERS["Content-Security-Policy"]
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        [text] = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", shown("", ""), re.DOTALL)
        source = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{rule} 'sha256-{source}'" in policy
    assert "default-src 'none'" in policy and "unsafe-inline' " not in policy.replace(
        "style-src-attr 'unsafe-inline'", ""
    )


async def test_frames_are_kept_within_bounds(monkeypatch):
    asked = []

    async def find(target_id):
        asked.append(target_id)
        return {1: PAGE, 2: PAGE, 3: Target("https://a.example/")}.get(target_id)

    monkeypatch.setattr("passerelle.surfaces.pages.landing.MOST", 2)
    frames = Frames(find)
    for target_id in (1, 2, 1):
        assert await frames.frame(target_id, "fr") is not None
    assert asked == [1, 2]
    assert await frames.frame(1, "en") is not None  # one more: the oldest goes
    assert await frames.frame(1, "fr") is not None and asked == [1, 2, 1]
    assert await frames.frame(2, "fr") is not None and asked == [1, 2, 1, 2]
    assert await frames.frame(3, "fr") is await frames.frame(4, "fr") is None


async def listed(shop, phone=NUMBERS[0]):
    return await optouts.find(shop.db, shop.account, List.STOP, phone) is not None


async def test_stop_is_asked_for_and_then_said(shop):
    [code] = await shop.link(PAGE)
    status, text, headers = await shop.get(f"/l/{code}/stop")
    assert status == 200 and '<form class="card" method="post">' in text and "se termine par 01" in text
    assert str(NUMBERS[0])[-6:] not in text and headers["cache-control"] == "no-store"
    await shop.get(f"/l/{code}/stop", **PREVIEW)
    assert not await listed(shop)  # looking ends nothing
    status, _, headers = await shop.post(f"/l/{code}/stop", {})
    assert (status, headers["location"]) == (303, "stop") and await listed(shop)
    status, text, _ = await shop.get(f"/l/{code}/stop", accept_language="en")
    assert status == 200 and "<form" not in text and "Done" in text
    assert await shop.figures() == {"unsubscribers": 1}
    assert await shop.world.told() == ["delivered", "unsubscribed"]
    assert (await shop.post(f"/l/{code}/stop", {}))[0] == 303
    assert await shop.figures() == {"unsubscribers": 1} and len(await shop.world.rows("reply")) == 1
    assert not await listed(shop, NUMBERS[1])


@pytest.mark.parametrize(
    "headers", [{"sec_fetch_site": "cross-site"}, {"origin": "https://evil.example"}, {"origin": "null"}]
)
async def test_stop_is_said_on_our_page(shop, headers):
    [code] = await shop.link(PAGE)
    assert (await shop.post(f"/l/{code}/stop", {}, **headers))[0] == 403
    assert not await listed(shop)


async def test_stop_of_nobody(shop):
    for path in ("/l/nobody00/stop", "/l/x/stop", "/l/Ab12cd3é/stop"):
        for status, text, _ in (await shop.get(path), await shop.post(path, {})):
            assert status == 404 and "Ce lien ne mène nulle part" in text
