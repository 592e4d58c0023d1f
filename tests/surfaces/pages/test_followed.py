"""Tracked links over a real socket: where they lead and nowhere else, who is counted, what is on disk before an answer."""

from __future__ import annotations

import asyncio

import pytest
from surfaces.asgi import Client
from surfaces.pages.conftest import NOW, PREVIEW, pages

from passerelle.domain.pages import page_target
from passerelle.domain.tracking import Target
from passerelle.pipeline import following

SHOP = Target("https://shop.example/a?b=%C3%A9&c=1#d")
PAGE = page_target("Soldes", '<p>-20% <a href="https://a.example/x">ici</a> <a href="https://b.example/">là</a></p>')
EVERYBODY = ("opens", "openers", "clicks", "clickers")


async def test_a_link_to_an_address_is_an_open_and_a_click(shop):
    [code] = await shop.link(SHOP)
    status, text, headers = await shop.get(
        f"/l/{code}?url=https://evil.example&next=//evil.example", host="evil.example"
    )
    assert (status, text, headers["location"]) == (302, "", SHOP.url)
    assert headers["cache-control"] == "no-store" and headers["referrer-policy"] == "no-referrer"
    assert await shop.figures() == dict.fromkeys(EVERYBODY, 1)
    await shop.get(f"/l/{code}")
    assert await shop.figures() == {"opens": 2, "openers": 1, "clicks": 2, "clickers": 1}


async def test_a_page_is_an_open_and_its_links_are_clicks(shop):
    [code] = await shop.link(PAGE)
    status, text, headers = await shop.get(f"/l/{code}")
    assert (
        status == 200
        and headers["content-type"] == "text/html; charset=utf-8"
        and headers["cache-control"] == "no-store"
    )
    assert f'<p>-20% <a href="./{code}/1">ici</a> <a href="./{code}/2">là</a></p>' in text
    for n, url in enumerate(PAGE.urls, 1):
        status, _, headers = await shop.get(f"/l/{code}/{n}")
        assert (status, headers["location"]) == (302, url)
    assert await shop.figures() == {"opens": 1, "openers": 1, "clicks": 2, "clickers": 1, "visits": 1}
    assert (await shop.get("/l/Link01aa"))[0] == 200  # somebody else
    assert await shop.figures() == {"opens": 2, "openers": 2, "clicks": 2, "clickers": 1, "visits": 2}


async def test_robots_get_the_same_and_move_nothing(shop):
    for code in await shop.link(SHOP, PAGE):
        status, text, headers = await shop.get(f"/l/{code}")
        for asked in (PREVIEW, {"purpose": "prefetch"}, {"accept": "image/png"}, {"user-agent": ""}):
            again, same, theirs = await shop.get(f"/l/{code}", **asked)
            assert (again, theirs.get("location")) == (status, headers.get("location"))
            assert same.partition(" data-visit=")[0] == text.partition(" data-visit=")[0]
        again, nothing, theirs = await shop.get(f"/l/{code}", method="HEAD")
        assert (again, nothing, theirs.get("location")) == (status, "", headers.get("location"))
    assert await shop.figures() == {"opens": 2, "openers": 1, "clicks": 1, "clickers": 1, "visits": 1}
    reasons = await shop.db.fetch("select robot, count(*) from visit where robot > 0 group by 1 order by 1")
    assert [tuple(row) for row in reasons] == [(1, 2), (2, 2), (3, 2), (4, 2), (5, 2)]


LOST = "Ce lien ne mène nulle part"


@pytest.mark.parametrize(
    "path",
    [
        "/l/{code}/3", "/l/{code}/0", "/l/{code}/01", "/l/{code}/1/", "/l/{code}/-1", "/l/{code}/1000", "/l/{code}/99999999999999999999",
        "/l/{code}/https://evil.example", "/l/{code}//evil.example", "/l/{code}/..%2f..", "/l/{code}/x", "/l/Xink00aa", "/l/LINK00AA",
        "/l/{code}x", "/l/{code}%00", "/l/{code}%0d%0aLocation:%20https://evil.example", "/l//evil.example", "/l/https://evil.example",
        "/l/{code};x", "/l/{code}\u00e9", "/l/" + "a" * 3000,
    ],
)  # fmt: skip
async def test_a_tampered_link_is_a_friendly_page(shop, path):
    [code] = await shop.link(PAGE)
    status, text, headers = await shop.get(path.replace("{code}", code))
    assert status == 404 and (LOST in text or "Cette page n'existe pas" in text)
    assert "location" not in headers and headers["content-type"].startswith("text/html")
    assert await shop.db.fetchval("select count(*) from visit") == 0


async def test_links_of_an_address_have_none_inside(shop):
    [code] = await shop.link(SHOP)
    assert (await shop.get(f"/l/{code}/1"))[0] == 404
    assert await shop.figures() == {}


async def test_a_link_is_over_after_a_year(shop):
    [code] = await shop.link(SHOP)
    await shop.db.execute("update link_target set created_at = created_at - interval '365 days'")
    status, text, _ = await shop.get(f"/l/{code}")
    assert (status, LOST in text) == (404, True)


async def test_other_methods_lead_nowhere(shop):
    for code in await shop.link(SHOP, PAGE):
        for method in ("POST", "PUT", "DELETE"):
            status, _, headers = await shop.get(f"/l/{code}", method=method)
            assert status in (404, 415) and "location" not in headers, method
    assert await shop.figures() == {}


async def stay(shop, code, body, **headers):
    async with shop.session.post(f"{shop.url}/l/{code}/t", data=body, headers=headers) as answer:
        assert (answer.status, await answer.text()) == (204, "")


async def test_a_page_says_how_long_it_was_seen(shop):
    [code] = await shop.link(PAGE)
    _, text, _ = await shop.get(f"/l/{code}")
    visit = text.partition('data-visit="')[2].partition('"')[0]
    shop.clock.move(100)
    await stay(shop, code, f"{visit} 12")
    assert await shop.figures() == {"opens": 1, "openers": 1, "visits": 1, "seconds": 12}
    for body in (
        f"{visit} 20",
        f"{visit} 15",
        f"{visit} -5",
        f"{visit}  30",
        f"{visit} 1e3",
        "",
        "x" * 5000,
        f"{int(visit) + 1} 99",
        b"\xff 9",
    ):
        await stay(shop, code, body)
    await stay(shop, "Link01aa", f"{visit} 99")
    await stay(shop, "nobody00", f"{visit} 99")
    assert (await shop.figures())["seconds"] == 20
    shop.clock.move(10_000)
    await stay(shop, code, f"{visit} 999999")
    assert (await shop.figures())["seconds"] == 1800


async def test_the_database_is_away(shop, monkeypatch):
    codes = await shop.link(SHOP, PAGE)
    app = pages(shop.db, shop.clock, shop.world.accounts)
    client, browser = Client(app), {"user-agent": "Mozilla/5.0", "accept-language": "en"}
    frames = await client("GET", f"/l/{codes[1]}", None, browser)
    assert frames.status == 200

    async def away(*_):
        raise ConnectionRefusedError

    monkeypatch.setattr(following, "SOON", -1.0)
    monkeypatch.setattr(shop.db, "fetch", away)
    for path in (f"/l/{codes[0]}", f"/l/{codes[1]}/1"):
        answer = await client("GET", path, None, browser)
        assert (answer.status, answer.headers["retry-after"]) == (503, "30") and "One moment, please" in answer.text
    monkeypatch.undo()
    assert (await client("GET", f"/l/{codes[0]}", None, browser)).status == 302


async def test_a_bug_of_ours_is_a_page_too(shop, monkeypatch, capfd):
    [code] = await shop.link(SHOP)

    async def broken(*_):
        raise ValueError(code)

    monkeypatch.setattr(shop.db, "fetch", broken)
    answer = await Client(pages(shop.db, shop.clock, shop.world.accounts))(
        "GET", f"/l/{code}", None, {"user-agent": "a"}
    )
    assert answer.status == 500 and "Réessayez" in answer.text
    assert code not in answer.text + "".join(capfd.readouterr())
    monkeypatch.undo()


async def test_every_answer_is_on_disk_when_it_is_given(shop):
    codes = await shop.link(SHOP)
    seen = []

    async def come(code):
        status, _, _ = await shop.get(f"/l/{code}")
        seen.append((status, await shop.db.fetchval("select count(*) from visit")))

    await asyncio.gather(*(come(code) for code in [*codes, "Link01aa"] * 30))
    assert [status for status, _ in seen] == [302] * 60
    assert all(there > n for n, (_, there) in enumerate(sorted(seen, key=lambda one: one[1])))
    assert await shop.figures() == {"opens": 60, "openers": 2, "clicks": 60, "clickers": 2}
    assert await shop.db.fetchval("select max(at) from visit") == NOW
