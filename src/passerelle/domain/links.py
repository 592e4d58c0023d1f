"""Short and tracked links: how a code is spelled, where it may lead, who only looks at it.

One rule: a code says nothing of what it leads to, and nobody guesses one: it is random bits alone.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from datetime import timedelta

from .urls import is_http

LENGTH = 8  # characters of a code
ENTROPY = 16  # random bytes that the code of a short link or of an invitation is made of: 44 bits of it are left
TRACKED_ENTROPY = 8  # of a tracked link: 47 bits
LIVE = timedelta(days=365)  # for which a tracked link leads somewhere
PATH = "/l"  # before a code, where short links have no host of their own

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = tuple(a + b for a in _ALPHABET for b in _ALPHABET)
_FIRST_PAIRS = tuple(pair for pair in _PAIRS if pair[0].isalpha())
_CODE = re.compile(rf"[0-9A-Za-z]{{{LENGTH}}}")
_EARLY = frozenset({b"purpose", b"sec-purpose", b"x-purpose", b"x-moz"})
_MOST_AGENTS = 10_000  # names of programs that are remembered, and
_LONGEST_AGENT = 512  # bytes of each


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


# --- who comes -----------------------------------------------------------------------------------------------------


class Robot(enum.IntEnum):
    """Why nobody reads what a request asks for; the numbers are stored."""

    PERSON = 0
    HEAD = 1  # asks for no page
    NAMELESS = 2  # says nothing of itself
    NAMED = 3  # says that it is a preview, a crawler or a script
    EARLY = 4  # fetches what may be looked at later
    NO_PAGE = 5  # does not take pages


class Robots:
    """Tells people from programs by a list: a fragment of their names on each line, whatever its case.

    `!` before a fragment: where it stands the others are not looked for. `#` begins a remark. No rule looks at
    addresses: mobile networks put thousands of people behind one.
    """

    def __init__(self, listed: str) -> None:
        lines = [line.strip().lower().encode() for line in listed.splitlines()]
        lines = [line for line in lines if line and not line.startswith(b"#")]
        self._fragments = [line for line in lines if not line.startswith(b"!")]
        self._people = [line[1:].strip() for line in lines if line.startswith(b"!")]
        self._known: dict[bytes, Robot] = {}

    def look(self, method: str, headers: Iterable[tuple[bytes, bytes]]) -> Robot:
        """Who asks. `headers`: as they came, names in lower case."""
        agent, accept = b"", None
        if method == "HEAD":
            return Robot.HEAD
        for name, value in headers:
            if name == b"user-agent":
                agent = value
            elif name == b"accept":
                accept = value if accept is None else accept + b"," + value
            elif name in _EARLY and (b"prefetch" in value.lower() or b"preview" in value.lower()):
                return Robot.EARLY
        found = self._known.get(agent)
        if found is None:
            found = self._name(agent)
        if found is Robot.PERSON and accept is not None and not _takes_pages(accept):
            return Robot.NO_PAGE
        return found

    def _name(self, agent: bytes) -> Robot:
        read = agent.strip().lower()
        for fragment in self._people:
            read = read.replace(fragment, b" ")
        found = Robot.NAMED if any(fragment in read for fragment in self._fragments) else Robot.PERSON
        found = found if agent.strip() else Robot.NAMELESS
        if len(agent) <= _LONGEST_AGENT:
            if len(self._known) >= _MOST_AGENTS:
                self._known.clear()
            self._known[agent] = found
        return found


def _takes_pages(accept: bytes) -> bool:
    read = accept.lower()
    return b"*/*" in read or b"text/html" in read
