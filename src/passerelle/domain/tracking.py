"""Tracked links of a campaign: which addresses its text holds, and where each link of a recipient goes.

One rule: a link stands where the sender wrote an address or `{{link}}`, and nowhere else. A placeholder holds its place
while the fields are merged, so that no value of a contact ever becomes a link.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from . import links, optout

MOST = 256
"""Targets of a text; addresses behind them stay as they are written."""

_FIRST = 0xE000
_PLACEHOLDER = re.compile(f"[{chr(_FIRST)}-{chr(_FIRST + MOST - 1)}]")
_MARKER = r"\{\{\s*link\s*\}\}"
# What a phone would take for an address: up to a blank, a quotation mark or a sign that no address has.
_URL = rf"https?://(?:(?!{_MARKER})[\w\-.~:/?#\[\]@!$&'()*+,;=%|{{}}])+"
_FOUND = re.compile(rf"(?P<marker>{_MARKER})|(?P<url>{_URL})", re.IGNORECASE)
_TRAILING = ".,;:!?'*"
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_PAIRED = frozenset("()[]{}")
_SAFE = "-._~:/?#[]@!$&'()*+,;=%|{}"


@dataclass(frozen=True, slots=True)
class Target:
    """Where links lead: to an address, or to a page of ours (`url` None). `urls`: of the links on the page."""

    url: str | None
    title: str = ""
    html: str = ""
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A text with a placeholder for each link. Merge its fields, then `fill` it with the links of a recipient."""

    text: str
    targets: tuple[Target, ...]


def compile(text: str, page: Target | None) -> Template:
    """The template of a campaign's text: each address is a link, and `{{link}}` is the link to `page`.

    With a page and no `{{link}}` the link stands behind the text, before a STOP mention. An address that holds a merge
    field is another one for each contact, and stays.
    """
    text = plain(text)
    if page is not None and re.search(_MARKER, text, re.IGNORECASE) is None:
        text = _appended(text)
    targets: dict[Target, str] = {}

    def placed(match: re.Match[str]) -> str:
        if match["marker"] is not None:
            return _placeholder(targets, page) if page is not None else match[0]
        written, rest = _end(match["url"])
        url = None if "{{" in written else as_asked(written)
        if url is None or (Target(url) not in targets and len(targets) >= MOST - 1):
            return match[0]
        return _placeholder(targets, Target(url)) + rest

    return Template(_FOUND.sub(placed, text), tuple(targets))


def fill(text: str, links: Sequence[str]) -> str:
    """A merged text with `links` in their places, that of target n at index n."""

    def link(match: re.Match[str]) -> str:
        number = ord(match[0]) - _FIRST
        return links[number] if number < len(links) else ""

    return _PLACEHOLDER.sub(link, text)


def split(text: str) -> Iterator[str | int]:
    """A text cut at its placeholders: pieces, and the numbers of the targets between them."""
    at = 0
    for match in _PLACEHOLDER.finditer(text):
        if match.start() > at:
            yield text[at : match.start()]
        yield ord(match[0]) - _FIRST
        at = match.end()
    if at < len(text):
        yield text[at:]


def plain(text: str) -> str:
    """A text, or a value for one, without the characters that are placeholders."""
    return _PLACEHOLDER.sub("", text)


def as_asked(url: str) -> str | None:
    """An address as a browser asks for it, in ASCII; None where no link may lead."""
    if not url.isascii():
        try:
            parts = urlsplit(url)
            host = parts.netloc.encode("idna").decode()
        except (ValueError, UnicodeError):
            return None
        if "@" in host:  # what is before it is no host
            return None
        url = quote(parts._replace(netloc=host).geturl(), safe=_SAFE)
    return url if links.is_target(url) else None


def _appended(text: str) -> str:
    at = optout.mention_start(text)
    before = text[:at].rstrip()
    return f"{before} {{{{link}}}}{text[len(before) :]}"


def _placeholder(targets: dict[Target, str], target: Target) -> str:
    return targets.setdefault(target, chr(_FIRST + len(targets)))


def _end(url: str) -> tuple[str, str]:
    """An address, and what stands behind it: the signs that end a sentence, brackets that were opened before it."""
    end, count = len(url), Counter(one for one in url if one in _PAIRED)  # counted once: somebody writes 10^5 of them
    while end:
        last = url[end - 1]
        opening = _BRACKETS.get(last)
        if last not in _TRAILING and (opening is None or count[opening] >= count[last]):
            break
        count[last] -= 1
        end -= 1
    return url[:end], url[end:]
