"""Landing pages: what of a customer's HTML is let through, where its links lead, the page that is composed."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.domain import pages
from passerelle.domain.links import is_target
from passerelle.domain.pages import compose, page_target


def made(html: str) -> str:
    return page_target("", html).html


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ("<p>Bonjour <b>vous</b></p>", "<p>Bonjour <b>vous</b></p>"),
        ("<!doctype html><html><head><title>T</title><style>p{}</style></head><body><p>A</p></body></html>", "<p>A</p>"),
        ("<p>a</p><script>alert(1)</script><script src=//evil.example></script>", "<p>a</p>"),
        ('<p onclick="x()" onmouseover=x id=a class="card">a</p>', "<p>a</p>"),
        ("<iframe src=https://a.example>x</iframe><object>y</object><embed src=z>", ""),
        ('<form action="https://evil.example"><input name=a value=b><textarea>c</textarea><button>Envoyer</button></form>', "Envoyer"),
        ("<svg><script>x</script><a xlink:href='javascript:x'>y</a></svg><math><mi>x</mi></math>", ""),
        ('<base href="https://evil.example/"><meta http-equiv=refresh content="0;url=https://evil.example"><link rel=stylesheet href=x>a', "a"),
        ("<!-- a --><p>b", "<p>b</p>"),
        ("<noscript><img src=x onerror=alert(1)></noscript><template><p>x</template>", ""),
        ("<a href='  java\nscript:alert(1)'>a</a><a href='data:text/html,x'>b</a><a href=vbscript:x>c</a>", "<a>a</a><a>b</a><a>c</a>"),
        ('<a href="/relative">a</a><a href="//evil.example">b</a><a href="#top">c</a>', "<a>a</a><a>b</a><a>c</a>"),
        ('<a href="tel:+33600000000">a</a><a href="MAILTO:a@b.example">b</a>', '<a href="tel:+33600000000">a</a><a href="MAILTO:a@b.example">b</a>'),
        ('<a class="button card" target=_top href="https://a.example">a</a>', '<a class="button" href="./\ue000/1">a</a>'),
        ('<details open><summary>q</summary>a</details>', "<details><summary>q</summary>a</details>"),
    ],
)  # fmt: skip
def test_what_is_let_through(html, left):
    assert made(html) == left


@pytest.mark.parametrize(
    ("src", "kept"),
    [
        ("https://a.example/b.png", "https://a.example/b.png"),
        ("//a.example/b.png", "https://a.example/b.png"),
        ("http://a.example/b.png", None),
        ("b.png", None),
        ("javascript:x", None),
        ("data:image/png;base64,AAAA", "data:image/png;base64,AAAA"),
        ("data:image/svg+xml;base64,AAAA", None),
        ("data:text/html,x", None),
        ("data:image/png;base64," + "A" * 40_000, None),
    ],
)
def test_pictures(src, kept):
    shown = made(f'<img src="{src}" alt="a" onerror="x">')
    assert re.findall(r'src="([^"]*)"', shown) == ([kept] if kept else [])
    assert "onerror" not in shown and 'alt="a"' in shown


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("color: red; text-align:center", "color:red;text-align:center"),
        ("background: #FFF", "background-color:#FFF"),
        ("background: url(https://evil.example/x)", None),
        ("background-color: rgba(0, 0, 0, .5)", "background-color:rgba(0, 0, 0, .5)"),
        ("background-image: url(x)", None),
        ("position: fixed; z-index: 9; top: 0; transform: scale(9)", None),
        ("margin: -400px 0; padding: 4px; margin-top: - 4px", "padding:4px"),
        ("letter-spacing: -0.5px", "letter-spacing:-0.5px"),
        ("color: expression(alert(1)); width: calc(9px)", None),
        ("width: 600px", "max-width:600px;width:100%"),
        ("width: 50%; max-width:9999px", "width:50%;max-width:9999px"),
        ("font: bold 14px/1.4 'Helvetica Neue', Arial", "font:bold 14px/1.4 'Helvetica Neue', Arial"),
        ("color: red !important", "color:red !important"),
        ("display: grid", None),
        ("display:inline-block;border-top:1px solid #ccc", "display:inline-block;border-top:1px solid #ccc"),
        ("color: \\75rl(x); content: 'x'; @import x", None),
        ("color:red}body{display:none", None),
    ],
)  # fmt: skip
def test_styles(style, kept):
    shown = made(f'<p style="{style}">a</p>')
    assert shown == (f'<p style="{kept}">a</p>' if kept else "<p>a</p>")


def test_links_are_numbered_once_each():
    target = page_target(
        "  Soldes  ",
        "<a href='https://a.example/?b&amp;c=1'>1</a><a href='HTTP://B.example'>2</a><a href='https://a.example/?b&amp;c=1'>1</a>"
        "<a href='https://é.example/ü'>3</a><a href='https://'>no</a>",
    )
    assert re.findall(r'href="([^"]*)"', target.html) == [f"./{pages.CODE}/{n}" for n in (1, 2, 1, 3)]
    assert target.urls == ("https://a.example/?b&c=1", "HTTP://B.example", "https://xn--9ca.example/%C3%BC")
    assert (target.url, target.title) == (None, "Soldes")


def test_a_page_of_very_many_links():
    target = page_target("", "".join(f"<a href='https://a.example/{n}'>{n}</a>" for n in range(1_200)))
    assert len(target.urls) == pages.MOST_LINKS and target.html.count("<a>") == 201


def test_tables_of_mails_fit_on_a_phone():
    assert made('<table width="640"><tr><td width="640" bgcolor="#fff">a</td></tr></table>') == (
        '<table><tbody><tr><td bgcolor="#fff">a</td></tr></tbody></table>'
    )
    assert 'width="50%"' in made('<table width="50%"></table>') and 'width="640"' in made('<img width="640">')


def test_a_page_is_composed():
    html = compose(
        "Soldes <20%>", "Un\nDeux\r\n\r\nTrois", ("J'y vais", 'https://a.example/?b&c="'), "https://a.example/b.png"
    )
    assert html.splitlines() == [
        '<img class="picture" src="https://a.example/b.png" alt="">',
        "<h1>Soldes &lt;20%&gt;</h1>",
        "<p>Un<br>Deux</p>",
        "<p>Trois</p>",
        '<p><a class="button" href="https://a.example/?b&amp;c=&quot;">J&#x27;y vais</a></p>',
    ]
    target = page_target("", html)
    assert target.urls == ('https://a.example/?b&c="',) and f'<a class="button" href="./{pages.CODE}/1">' in target.html
    assert pages.has_heading(target.html) and not pages.is_painted(target.html)
    assert compose("", "") == "" and compose(" ", "a") == "<p>a</p>"


@pytest.mark.parametrize(
    ("html", "painted"),
    [
        ("<p style='color:#333'>a</p>", True),
        ("<p style='padding:1px;background:#333'>a</p>", True),
        ("<td bgcolor=red>", False),  # outside of a table it is nothing
        ("<table><td bgcolor=red>a</table>", True),
        ("<font color=red>a</font>", True),
        ("<p style='border-color:red'>a</p>", False),
        ("<p style='text-align:center'>a</p>", False),
    ],
)
def test_a_page_with_colours_of_its_own_is_known(html, painted):
    assert pages.is_painted(made(html)) is painted


@pytest.mark.parametrize(
    ("html", "safe"),
    [
        ("<b>a <I>b</I></b>", "<b>a <i>b</i></b>"),
        ('<font color="red" id=x>a</font>', '<font color="red">a</font>'),
        ("<p><b>a<p>b", "<p><b>a</b></p><p>b</p>"),
        ("<nobr>a</nobr><br><strong\n>b</strong\t>", "a<br><strong>b</strong>"),
        ("&lt;b> <x-script>a</x-script>", "&lt;b&gt; a"),
    ],
)
def test_what_readers_of_html_open_anew_is_closed(html, safe):
    assert page_target("", html).html == safe


def test_a_page_does_not_grow():
    """A reader of HTML makes 100 MB of this, and needs a gigabyte for it."""
    fonts = "".join(f"<font color={n}>" for n in range(2_000))
    bomb = f"<p>{fonts}" + "<p>x" * 2_000
    assert len(page_target("", bomb).html) < 4 * len(bomb)


class Seen(HTMLParser):
    """Everything that a browser would find, by the rules of somebody else."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


BITS = st.sampled_from([
    "<p>", "</p>", "<a href='", "https://a.example/", "javascript:alert(1)", "'>", '">', "<script>", "</script>", "<img src=", "x",
    " onerror=alert(1)", ">", "<", "style='", "position:fixed", "background:url(//a.example)", "color:red", ";", "<svg>", "<style>",
    "</style>", "<!--", "-->", "<table>", "<td bgcolor=red>", "&lt;script&gt;", "\0", "é", "<iframe src=", "data:text/html,x", "'", '"',
    "<form>", "<input>", "<math><mtext>", "<noscript>", "<title>", "</title>", "<base href=", "=", " ", "\ue000", "&#xe000;", "&#xE0", "0;", "&#57344",
])  # fmt: skip


@given(st.lists(BITS | st.text(max_size=4), max_size=40).map("".join))
def test_nothing_gets_through(html):
    target = page_target("", html)
    seen = Seen()
    seen.feed(target.html)
    for tag, attributes in seen.tags:
        assert tag in pages._TAGS
        for name, value in attributes.items():
            assert not name.startswith("on") and name not in {"id", "name", "srcset", "action", "background", "target"}
            if name == "href":
                assert re.fullmatch(r"\./\ue000/[1-9]\d*|(tel|mailto):.*", value, re.IGNORECASE | re.DOTALL)
            if name == "src":
                assert value.startswith(("https://", "HTTPS://", "data:image/"))
            if name == "style":
                assert not re.search(r"url|position|expression|[(){}<>\\@]", value)
    assert all(is_target(url) for url in target.urls)
    assert target.html.count("\ue000") == len(re.findall(r'href="\./\ue000/', target.html))
