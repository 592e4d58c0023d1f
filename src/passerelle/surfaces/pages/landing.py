"""The frame around the customer's page: whole, but for the code and the visit that it is shown at.

One rule: it loads pictures and nothing else; our style and our script are allowed by their hashes, and what the
customer wrote was made safe when the campaign was launched (`domain.pages`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from ...domain import pages
from ...domain.tracking import Target
from .page import HEADERS, inline, rendered

MOST = 100  # frames that are kept

_VISIT = "\ue001"
_STYLE, _STYLE_SOURCE = inline("landing.css")
_SCRIPT, _SCRIPT_SOURCE = inline("landing.js")
POLICY = {
    "Content-Security-Policy": f"default-src 'none'; style-src {_STYLE_SOURCE}; style-src-attr 'unsafe-inline'; "
    f"script-src {_SCRIPT_SOURCE}; img-src https: data:; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'",
}
LANDING_HEADERS = HEADERS | POLICY


class Frame(NamedTuple):
    """A page as it is sent: the code stands between its pieces, the visit between those before it and those behind."""

    before: list[bytes]
    behind: list[bytes]

    def shown(self, code: str, visit_id: int) -> bytes:
        """The page, at a visit."""
        own = code.encode()
        return b"%b%d%b" % (own.join(self.before), visit_id, own.join(self.behind))


class Frames:
    """The pages that were asked for last. `find`: the target of an id."""

    def __init__(self, find: Callable[[int], Awaitable[Target | None]]) -> None:
        self._find = find
        self._kept: dict[tuple[int, str], Frame] = {}

    async def frame(self, target_id: int, language: str) -> Frame | None:
        """The frame of a page, in the language of whoever looks; None where there is no such page."""
        key = (target_id, language)
        kept = self._kept.pop(key, None)
        if kept is None:
            target = await self._find(target_id)
            if target is None or target.url is not None:
                return None
            kept = framed(target, language)
        self._kept[key] = kept  # the latest stands last
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
        return kept


def framed(target: Target, language: str) -> Frame:
    """A page in its frame."""
    painted = pages.is_painted(target.html)
    html = rendered(
        "landing.html",
        language,
        title=target.title,
        html=target.html,
        heading=bool(target.title) and not painted and not pages.has_heading(target.html),
        painted=painted,
        landing_css=_STYLE,
        landing_js=_SCRIPT,
        code=pages.CODE,
        visit=_VISIT,
    )
    before, _, behind = html.partition(_VISIT)
    mark = pages.CODE.encode()
    return Frame(before.encode().split(mark), behind.encode().split(mark))
