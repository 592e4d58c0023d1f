"""A landing page on phones and desks, in a real browser: what it says of its visits, STOP with a thumb, how it looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page
from surfaces.pages.conftest import NUMBERS, Shop
from surfaces.pages.test_browser import BROWSER, CONTRASTS, PHONE, browser

from passerelle.domain.pages import compose, page_target
from passerelle.store import optouts

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
__all__ = ["browser"]
AGENT = "Mozilla/5.0 (Linux; Android 15; Pixel 9) Mobile Safari/537.36"
PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PAGE = page_target("Soldes", compose("Soldes d'hiver", "Un\nDeux", ("Voir", "https://shop.example/a?b=1&c"), PICTURE))
CARELESS = page_target(
    "Promo",
    """<html><body bgcolor=black><script>document.title = 'hacked'</script><style>* { display: none }</style>
    <table width=900 bgcolor=white><tr><td width=900 style="width:900px"><img width=900 src="https://pictures.example/a.png">
    <p style="position:fixed;top:0;margin-top:-900px;width:2000px;color:#333">un-mot-vraiment-tres-long-et-sans-aucun-blanc-dedans-du-tout-du-tout
    <form action=https://evil.example><input name=a><button>Go</button></form><iframe src=https://evil.example></iframe>
    <p onclick="document.title='hacked'"><a href="javascript:document.title='hacked'">x</a></table>""",
)


@pytest.fixture
async def phone(browser: Any, shop: Shop) -> AsyncIterator[Page]:
    """A page whose every complaint fails the test; it asks nobody but us, and for pictures."""
    context = await browser.new_context(
        viewport=PHONE, is_mobile=True, has_touch=True, locale="fr-FR", user_agent=AGENT
    )
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))

    async def elsewhere(route: Any) -> None:
        if route.request.resource_type not in ("image", "document"):
            said.append(route.request.url)
        await route.fulfill(body="<title>elsewhere</title>", content_type="text/html")

    await page.route(lambda url: not url.startswith((shop.url, "data:")), elsewhere)
    yield page
    assert said == []


async def arrives(shop: Shop, **wanted: int) -> None:
    async with asyncio.timeout(10):
        while (found := await shop.figures()) != wanted:
            assert all(found.get(name, 0) <= n for name, n in wanted.items()), found
            await asyncio.sleep(0.02)


async def test_a_visit_is_counted_and_says_how_long_it_was(phone: Page, shop: Shop) -> None:
    there = f"{shop.url}/l/Link01aa/stop?b=1&c"  # a browser that is led elsewhere cannot be caught
    [code] = await shop.link(page_target("Soldes", compose("Soldes", "", ("Voir", there))))
    await phone.clock.install()
    await phone.goto(f"{shop.url}/l/{code}")
    await arrives(shop, opens=1, openers=1, visits=1)
    shop.clock.move(600)
    await phone.clock.fast_forward(7_000)
    await phone.tap("text=Voir")
    await phone.wait_for_url(there)
    await arrives(shop, opens=1, openers=1, visits=1, seconds=7, clicks=1, clickers=1)
    await phone.goto(f"{shop.url}/l/{code}")
    await arrives(shop, opens=2, openers=1, visits=2, seconds=7, clicks=1, clickers=1)


async def test_no_more_messages_with_a_thumb(phone: Page, shop: Shop) -> None:
    [code] = await shop.link(PAGE)
    await phone.goto(f"{shop.url}/l/{code}")
    await phone.tap("text=STOP")
    await phone.wait_for_url(f"{shop.url}/l/{code}/stop")
    assert await optouts.find(shop.db, shop.account, optouts.List.STOP, NUMBERS[0]) is None
    await phone.tap("button")
    await phone.wait_for_selector("text=C'est fait")
    assert phone.url == f"{shop.url}/l/{code}/stop"
    assert await optouts.find(shop.db, shop.account, optouts.List.STOP, NUMBERS[0]) is not None
    await arrives(shop, opens=1, openers=1, visits=1, unsubscribers=1)


@pytest.mark.parametrize("target", [PAGE, CARELESS], ids=["composed", "careless"])
async def test_it_fits_and_stop_is_in_reach(phone: Page, shop: Shop, target: Any) -> None:
    [code] = await shop.link(target)
    for width in (360, 390, 430, 1280):
        await phone.set_viewport_size({"width": width, "height": 800})
        await phone.goto(f"{shop.url}/l/{code}")
        wide = "[document.documentElement.scrollWidth, ...document.querySelectorAll('.hosted')].map(one => one.scrollWidth ?? one)"
        page, *articles = await phone.evaluate(wide)
        assert page <= width and max(articles) <= width
        stop = await phone.locator(".stop").bounding_box()
        assert stop is not None and min(stop["width"], stop["height"]) >= 44
        hit = "([x, y]) => { scrollTo(0, 9999); const box = document.querySelector('.stop').getBoundingClientRect();"
        hit += " return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2).className }"
        assert await phone.evaluate(hit, [0, 0]) == "stop"  # nothing lies over it
    assert await phone.title() in ("Soldes", "Promo")
    assert await phone.locator("form, iframe, .hosted script, .hosted style").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "/stop"])
async def test_letters_can_be_read(phone: Page, shop: Shop, scheme: Any, path: str) -> None:
    for target in (PAGE, page_target("Titre", "<p style='color:#333'>a <a href='https://a.example'>b</a></p>")):
        await shop.db.execute("delete from tracked_link; delete from link_target")
        [code] = await shop.link(target)
        await phone.emulate_media(color_scheme=scheme)
        await phone.goto(f"{shop.url}/l/{code}{path}")
        contrasts = await phone.evaluate(CONTRASTS)
        assert contrasts and not [found for found in contrasts if found[1] < 4.5]
