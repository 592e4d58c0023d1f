"""Texts of campaigns: which addresses become links, where the link to a page stands, what is filled in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.domain import tracking
from passerelle.domain.links import is_target
from passerelle.domain.tracking import Target, compile, fill

PAGE = Target(None, "Soldes", "<p>-20%</p>")
SHOP = Target("https://shop.example/")

TEXTS = [
    ("Soldes -20%", None, "Soldes -20%", []),
    ("Soldes {{link}} !", PAGE, "Soldes <0> !", [PAGE]),
    ("Soldes {{ LINK }}, {{link}}", PAGE, "Soldes <0>, <0>", [PAGE]),
    ("Soldes", PAGE, "Soldes <0>", [PAGE]),
    ("Soldes ", PAGE, "Soldes <0> ", [PAGE]),
    ("", PAGE, " <0>", [PAGE]),
    ("Soldes\nSTOP 36000", PAGE, "Soldes <0>\nSTOP 36000", [PAGE]),
    ("Soldes STOP au 36000", PAGE, "Soldes <0> STOP au 36000", [PAGE]),
    ("Soldes {{link}}", None, "Soldes {{link}}", []),  # a column may have this name
    ("https://shop.example/", None, "<0>", ["https://shop.example/"]),
    ("Voir HTTPS://Shop.example/a.", None, "Voir <0>.", ["HTTPS://Shop.example/a"]),
    ("(https://shop.example/a_(b))", None, "(<0>)", ["https://shop.example/a_(b)"]),
    ("«https://a.example», 'http://b.example/?c=d&e#f'!", None, "«<0>», '<1>'!",
     ["https://a.example", "http://b.example/?c=d&e#f"]),
    ("https://a.example?!... https://a.example", None, "<0>?!... <0>", ["https://a.example"]),
    ("https://a.example/😀", None, "<0>😀", ["https://a.example/"]),
    ("https://a.example/?to=https://b.example/", None, "<0>", ["https://a.example/?to=https://b.example/"]),
    ("https://é.example/été 100%", None, "<0> 100%", ["https://xn--9ca.example/%C3%A9t%C3%A9"]),
    ("https://user@é.example/", None, "https://user@é.example/", []),
    ("https://shop.example/ {{link}}", SHOP, "<0> <0>", [SHOP]),
    ("https://a.example {{link}}", PAGE, "<0> <1>", ["https://a.example", PAGE]),
    ("https://a.example/{{link}}", PAGE, "<0><1>", ["https://a.example/", PAGE]),
    ("https://a.example/?c={{code}}&x", None, "https://a.example/?c={{code}}&x", []),  # another for each contact
    ("https://a.example/?c={{ code }}", None, "https://a.example/?c={{ code }}", []),
    ("https:// http://? ftp://a.example javascript:a", None, "https:// http://? ftp://a.example javascript:a", []),
    ("a\ue000b\ue0ffc\ue100", None, "abc\ue100", []),
]  # fmt: skip


def shown(text: str, targets: int) -> str:
    return fill(text, [f"<{n}>" for n in range(targets)])


@pytest.mark.parametrize(("text", "page", "filled", "targets"), TEXTS)
def test_a_text_and_its_links(text, page, filled, targets):
    template = compile(text, page)
    assert shown(template.text, len(template.targets)) == filled
    assert list(template.targets) == [one if isinstance(one, Target) else Target(one) for one in targets]


def test_a_value_never_becomes_a_link():
    template = compile("Bonjour {{prenom}} : {{link}}", PAGE)
    merged = template.text.replace("{{prenom}}", tracking.plain("Léa {{link}} https://evil.example \ue000"))
    assert fill(merged, ["L"]) == "Bonjour Léa {{link}} https://evil.example  : L"


def test_a_text_of_very_many_addresses():
    text = " ".join(f"http://a.example/{n}" for n in range(300))
    template = compile(text + " {{link}}", PAGE)
    assert len(template.targets) == tracking.MOST and template.targets[-1] == PAGE
    assert shown(template.text, tracking.MOST).endswith("http://a.example/299 <255>")


PIECES = [
    "https://a.example/x",
    "http://b.example",
    "{{link}}",
    "{{nom}}",
    " ",
    "!",
    ")",
    "(",
    "é",
    "\ue001",
    "STOP 36000",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5)).map("".join), st.sampled_from([None, PAGE, SHOP]))
def test_every_placeholder_has_a_target_and_all_else_stays(text, page):
    template = compile(text, page)
    found = {ord(one) - 0xE000 for one in template.text if "\ue000" <= one <= "\ue0ff"}
    assert found == set(range(len(template.targets)))
    assert all(one == page or is_target(one.url) for one in template.targets)
    assert (page in template.targets) == (page is not None)
    links = ["".join(("go.example/", "x" * 8)) for _ in template.targets]
    filled = fill(template.text, links)
    placed = sum("\ue000" <= one <= "\ue0ff" for one in template.text)
    assert len(filled) == len(template.text) + placed * (len(links[0]) - 1 if links else 0)  # so the price is exact
    if not template.targets:
        assert filled == tracking.plain(text)


def test_very_many_brackets_are_counted_once():
    """Counted anew for each of them this takes minutes, and everybody else waits."""
    assert compile("http://a.fr/" + ")" * 200_000, None).text[1:] == ")" * 200_000
    assert compile("http://a.fr/" + "(" * 900 + ")" * 901 + ".", None).text[1:] == ")."
