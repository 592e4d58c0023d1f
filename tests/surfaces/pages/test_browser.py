"""A survey on a phone, in a real browser: what a thumb can hit, what the browser says of the page, one whole answer."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright
from surfaces.pages.conftest import CODE, Stand

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
PHONE = {"width": 390, "height": 844}
CONTRASTS = """() => {
    const light = colour => colour.match(/[0-9.]+/g).slice(0, 3).map(Number).map(part => part / 255)
        .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, n) => sum + part * [0.2126, 0.7152, 0.0722][n], 0);
    const behind = one => {
        const colour = getComputedStyle(one).backgroundColor;
        return colour !== 'rgba(0, 0, 0, 0)' || !one.parentElement ? colour : behind(one.parentElement);
    };
    return [...document.querySelectorAll('h1, p, a, legend, span, button, textarea')].map(one => {
        const [low, high] = [light(getComputedStyle(one).color), light(behind(one))].sort((a, b) => a - b);
        return [one.className + ' ' + one.textContent.slice(0, 20), (high + 0.05) / (low + 0.05)];
    });
}"""


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield made
        await made.close()


@pytest.fixture
async def phone(browser: Any, stand: Stand) -> AsyncIterator[Page]:
    """A page whose every complaint fails the test."""
    context = await browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True, locale="fr-FR",
                                        user_agent="Mozilla/5.0 (Linux; Android 15; Pixel 9) Mobile Safari/537.36")  # fmt: skip
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda asked: asked.url.startswith((stand.url, "data:")) or said.append(asked.url))
    yield page
    assert said == []  # no policy was broken, nothing was asked of anybody else


async def test_a_survey_is_answered_with_a_thumb(phone: Page, stand: Stand) -> None:
    await stand.survey()
    await phone.goto(f"{stand.url}/l/{CODE}")
    assert await phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    sizes = await phone.evaluate(
        "[...document.querySelectorAll('.pick, .point, button, textarea')].map(one => one.getBoundingClientRect())"
        ".map(box => [box.width, box.height])"
    )
    assert len(sizes) == 3 + 3 + 11 + 2 and all(min(size) >= 44 for size in sizes)
    assert (await stand.invitation()).opened_at is not None
    await phone.tap("text=Non")
    await phone.tap("text=Brioche")
    await phone.locator(".point").nth(9).tap()
    await phone.fill("textarea", "<b>bon</b>")
    await phone.tap("button")
    await phone.wait_for_selector("text=Vos réponses sont enregistrées.")
    assert phone.url == f"{stand.url}/l/{CODE}"
    assert await phone.locator("dd").all_inner_texts() == ["Non", "Brioche", "9", "<b>bon</b>"]
    assert [row[1] for row in await stand.answers()] == [[2], [3], [9], []]
    await phone.reload()
    assert await phone.locator("form").count() == 0


async def test_nothing_is_sent_while_an_answer_is_missing(phone: Page, stand: Stand) -> None:
    await stand.survey()
    await phone.goto(f"{stand.url}/l/{CODE}")
    await phone.tap("button")  # the browser itself says so
    assert await stand.answers() == [] and await phone.locator("form").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_letters_can_be_read(phone: Page, stand: Stand, scheme: Any) -> None:
    """WCAG 2.2, 1.4.3: contrast of 4.5 at least."""
    await stand.survey()
    await phone.emulate_media(color_scheme=scheme)
    await phone.goto(f"{stand.url}/l/{CODE}")
    contrasts = await phone.evaluate(CONTRASTS)
    assert contrasts and not [found for found in contrasts if found[1] < 4.5]
