"""Codes of short links, where they may lead, who only looks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.domain import links


@given(st.binary(min_size=links.ENTROPY, max_size=links.ENTROPY))
def test_a_code_is_short_plain_and_known_as_one(random):
    code = links.spell(random)
    assert len(code) == links.LENGTH and code.isascii() and code.isalnum()
    assert links.is_code(code) and code[0].isdigit()


@given(st.lists(st.binary(min_size=8, max_size=8), max_size=20))
def test_codes_of_tracked_links_are_no_others(randoms):
    codes = links.spell_tracked(b"".join(randoms))
    assert len(codes) == len(randoms) and all(links.is_code(code) and code[0].isalpha() for code in codes)


def test_every_character_stands_everywhere():
    codes = links.spell_tracked(b"".join(n.to_bytes(8, "little") for n in range(0, 2**64, 2**64 // 9973)))
    assert [len({code[place] for code in codes}) for place in range(8)] == [52, *[62] * 7]


def test_a_code_has_more_than_forty_bits():
    assert 10 * 62**7 > 2**44 and 52 * 62**7 > 2**47
    assert 2 ** (8 * links.ENTROPY) > 2**40 * 62**links.LENGTH  # what is left over favours no code
    assert 2 ** (8 * links.TRACKED_ENTROPY) > 2**16 * 52 * 62**7


@pytest.mark.parametrize("text", ["", "abc", "abcdefgh9", "abcdefg-", "abcdefgé", "../../x", "abcdefg\n", "abcdefg١"])
def test_what_is_no_code(text):
    assert not links.is_code(text)


@pytest.mark.parametrize(
    ("host", "site", "link"),
    [
        ("", "https://sms.example.org", "https://sms.example.org/l/Ab12cd34"),
        ("", "http://127.0.0.1:8080", "http://127.0.0.1:8080/l/Ab12cd34"),
        ("go.example", "https://sms.example.org", "https://go.example/Ab12cd34"),
        ("go.example", "http://127.0.0.1:8080", "https://go.example/Ab12cd34"),
        ("localhost:8080", "http://127.0.0.1:8080", "http://localhost:8080/Ab12cd34"),
    ],
)
def test_the_link_of_a_code(host, site, link):
    assert links.address("Ab12cd34", host, site) == link


@pytest.mark.parametrize("url", ["https://example.org", "http://example.org:8080/a?b=c#d", "HTTPS://Example.org/%20"])
def test_where_a_link_may_lead(url):
    assert links.is_target(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "//example.org",
        "/path",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.org",
        "https://",
        "https://exa mple.org",
        "https://example.org/\r\nSet-Cookie: a=b",
        "https://example.org/é",
        "https://[::1",
        "https://example.org:0",
        "https://example.org/" + "a" * 2048,
    ],
)
def test_where_no_link_leads(url):
    assert not links.is_target(url)


LISTED = (Path(__file__).parents[2] / "src/passerelle/surfaces/pages/robots.txt").read_text(encoding="utf-8")
ROBOTS = links.Robots(LISTED)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Safari/604.1"
PAGES = "text/html,application/xhtml+xml,*/*;q=0.8"


def look(method: str = "GET", robots: links.Robots = ROBOTS, **headers: str) -> links.Robot:
    return robots.look(method, [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()])


PEOPLE = [
    IPHONE,
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 9; CUBOT NOTE S) Chrome/100.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; CUBOT_X30) AppleWebKit/537.36 Chrome/100.0 Mobile Safari/537.36",
    IPHONE + " [LinkedInApp]",
    IPHONE + " [Pinterest/iOS]",
    IPHONE + " Instagram 350.0.0.0 [FBAN/FBIOS;FBAV/488.0]",
    "Mozilla/5.0 (Linux; Android 14; SM-S918B) Chrome/126.0 Mobile Safari/537.36 Telegram-Android/11.0",
    "Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80 (S60; SymbOS; Opera Mobi/23.348; U; fr) Presto/2.5.25 Version/10.54",
]


@pytest.mark.parametrize("agent", PEOPLE)
def test_who_is_somebody(agent):
    assert look(user_agent=agent, accept=PAGES) is look(user_agent=agent) is links.Robot.PERSON


PROGRAMS = [
    "facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    "WhatsApp/2.23.20.0 A",
    "Twitterbot/1.0",
    "TelegramBot (like TwitterBot)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/) SkypeUriPreview",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (Macintosh) AppleWebKit/600.2.5 Version/8.0.2 Safari/600.2.5 (Applebot/0.1)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/130.0.0.0 Safari/537.36",
    "curl/8.5", "Wget/1.21", "python-requests/2.32", "SomeCrawler", "a spider", "LinkPreview/2",
    "MyBOT", "Cubot phone with a Googlebot", "Messages/1.0 CFNetwork/1568.300 Darwin/24.2.0", "okhttp/4.12.0",
]  # fmt: skip


@pytest.mark.parametrize("agent", PROGRAMS)
def test_who_only_looks(agent):
    assert look(user_agent=agent, accept=PAGES) is links.Robot.NAMED


@pytest.mark.parametrize("name", ["purpose", "sec_purpose", "x_purpose", "x_moz"])
@pytest.mark.parametrize("value", ["prefetch;prerender", "Preview", "Prefetch"])
def test_what_is_fetched_early_is_not_read(name, value):
    assert look(user_agent=IPHONE, accept=PAGES, **{name: value}) is links.Robot.EARLY
    assert look(user_agent=IPHONE, accept=PAGES, **{name: "reading"}) is links.Robot.PERSON


@pytest.mark.parametrize(
    ("headers", "robot"),
    [
        ({}, links.Robot.NAMELESS),
        ({"user_agent": "  "}, links.Robot.NAMELESS),
        ({"user_agent": IPHONE, "accept": "image/avif,image/webp"}, links.Robot.NO_PAGE),
        ({"user_agent": IPHONE, "accept": ""}, links.Robot.NO_PAGE),
        ({"user_agent": IPHONE, "accept": "image/png, */*"}, links.Robot.PERSON),
        ({"user_agent": IPHONE, "accept": "Text/HTML"}, links.Robot.PERSON),
    ],
)
def test_other_reasons(headers, robot):
    assert look(**headers) is robot
    assert look("HEAD", **headers) is links.Robot.HEAD


def test_the_operator_has_a_list_of_his_own():
    robots = links.Robots("# remarks\n\n  Acme  \n!acmephone\n")
    assert look(robots=robots, user_agent="ACME checker") is links.Robot.NAMED
    assert (
        look(robots=robots, user_agent="AcmePhone 3") is look(robots=robots, user_agent="curl/8") is links.Robot.PERSON
    )


def test_names_are_remembered_within_bounds(monkeypatch):
    monkeypatch.setattr(links, "_MOST_AGENTS", 3)
    robots = links.Robots("bot")
    for n in range(10):
        assert look(robots=robots, user_agent=f"bot {n}") is links.Robot.NAMED
        assert look(robots=robots, user_agent="bot" * 1000) is links.Robot.NAMED
    assert len(robots._known) <= 3 and all(len(agent) < 1000 for agent in robots._known)
