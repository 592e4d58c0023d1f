"""Codes of short links, where they may lead, who only looks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.domain import links


@given(st.binary(min_size=links.ENTROPY, max_size=links.ENTROPY))
def test_a_code_is_short_plain_and_known_as_one(random):
    code = links.spell(random)
    assert len(code) == links.LENGTH and code.isascii() and code.isalnum()
    assert links.is_code(code)


def test_a_code_has_more_than_forty_bits():
    assert 62**links.LENGTH > 2**40
    assert 2 ** (8 * links.ENTROPY) > 2**40 * 62**links.LENGTH  # what is left over favours no code


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


@pytest.mark.parametrize(
    ("agent", "robot"),
    [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Safari/604.1",
            False,
        ),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36", False),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT NOTE S) Chrome/100.0 Mobile Safari/537.36", False),
        ("facebookexternalhit/1.1 Facebot Twitterbot/1.0", True),
        ("WhatsApp/2.23.20.0 A", True),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        ("TelegramBot (like TwitterBot)", True),
        ("Slackbot-LinkExpanding 1.0", True),
        ("Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/) SkypeUriPreview", True),
        ("curl/8.5", True),
        ("", True),
    ],
)
def test_who_only_looks(agent, robot):
    assert links.is_robot({"user-agent": agent}) is robot


@pytest.mark.parametrize("header", ["purpose", "sec-purpose", "x-purpose", "x-moz"])
def test_what_is_fetched_early_is_not_read(header):
    assert links.is_robot({"user-agent": "Mozilla/5.0", header: "prefetch;prerender"})
