"""Short links: how a code is spelled, where it may lead, who only looks at it.

One rule: a code says nothing of what it leads to, and nobody guesses one: it is random bits alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .urls import is_http

LENGTH = 8  # characters of a code
ENTROPY = 16  # random bytes that the code of a short link or of an invitation is made of: 44 bits of it are left
TRACKED_ENTROPY = 8  # of a tracked link: 47 bits
PATH = "/l"  # before a code, where short links have no host of their own

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = tuple(a + b for a in _ALPHABET for b in _ALPHABET)
_FIRST_PAIRS = tuple(pair for pair in _PAIRS if pair[0].isalpha())
_CODE = re.compile(rf"[0-9A-Za-z]{{{LENGTH}}}")
# Programs that fetch a page to show a preview of it, or that read the web.
_ROBOT = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|preview|facebookexternalhit|facebot|whatsapp|telegram|skype|slack|discord|viber"
    r"|embedly|pinterest|linkedin|curl/|wget/|python-|go-http-client|okhttp|java/|headless|monitor|scanner|fetcher",
    re.IGNORECASE,
)
_PURPOSES = ("purpose", "sec-purpose", "x-purpose", "x-moz")


def spell(random: bytes) -> str:
    """A code of `ENTROPY` random bytes: so many that no character is likelier than another to be noticed.

    It begins with a digit, that of a tracked link with a letter: no code is both.
    """
    number, digit = divmod(int.from_bytes(random, "big"), 10)
    code = [_ALPHABET[digit]]
    for _ in range(LENGTH - 1):
        number, digit = divmod(number, len(_ALPHABET))
        code.append(_ALPHABET[digit])
    return "".join(code)


def spell_tracked(random: bytes) -> list[str]:
    """Codes of tracked links, of `TRACKED_ENTROPY` random bytes each: two characters at a time, as they are many."""
    first, pair = len(_FIRST_PAIRS), len(_PAIRS)
    second, third = first * pair, first * pair * pair
    return [
        _FIRST_PAIRS[n % first] + _PAIRS[n // first % pair] + _PAIRS[n // second % pair] + _PAIRS[n // third % pair]
        for n in memoryview(random).cast("Q")
    ]


def is_code(text: str) -> bool:
    """Whether this may be a code of ours."""
    return _CODE.fullmatch(text) is not None


def address(code: str, host: str, site: str) -> str:
    """The link that people are given: on the host of short links, else below the public pages at `site`."""
    if not host:
        return f"{site}{PATH}/{code}"
    scheme = "http" if site.startswith("http://") and host.split(":")[0] in ("localhost", "127.0.0.1") else "https"
    return f"{scheme}://{host}/{code}"


def is_target(url: str) -> bool:
    """Whether a link may lead there: an absolute http or https address, printable ASCII."""
    return url.isascii() and is_http(url)


def is_robot(headers: Mapping[str, str]) -> bool:
    """Whether nobody reads what this request asks for: a preview, a crawler. `headers`: names in lower case."""
    agent = headers.get("user-agent", "")
    fetched_early = any(word in headers.get(name, "").lower() for name in _PURPOSES for word in ("prefetch", "preview"))
    return fetched_early or not agent or _ROBOT.search(agent) is not None
