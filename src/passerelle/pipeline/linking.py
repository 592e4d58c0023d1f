"""The personal links of a submission: written with its messages, one for each recipient and address.

The one rule: a code leads to one place for ever; where one is taken already, everything is done again with others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..domain import tracking
from ..domain.admission import Wanted
from ..domain.message import Recipient
from ..domain.tracking import Target
from ..store import links as codes
from ..store import tracking as store
from ..store.submissions import Numbered
from .batch import Beside


class CodeTakenError(Exception):
    """A code was given out already: the whole is done again with others."""


def linked(targets: Sequence[Target], codes_of: Callable[[Sequence[Recipient]], list[list[str]]]) -> Beside:
    """Writes the links of the messages. `codes_of`: the codes of recipients, one a target. Raises CodeTakenError."""
    ids: list[int] = []

    async def write(connection: Any, one: Numbered) -> None:
        s = one.submission
        if not targets or not s.recipients:
            return
        if one.place == 0:
            # Links live from the sending time on, which may be months ahead.
            ids[:] = await store.add_targets(connection, s.account_id, one.id, s.dialect, s.tag_key, targets, s.due_at)
        if not await store.add_links(connection, ids, codes_of(s.recipients), one.place):
            raise CodeTakenError

    return write


def shorten(wanted: Wanted, address: Callable[[str], str]) -> Beside | None:
    """Put short links for the addresses in the text of a single message; what writes them, None if there are none."""
    made = tracking.compile(wanted.text, None)
    if not made.targets:
        return None
    own = codes.new_tracked_codes(len(made.targets))
    wanted.text = tracking.fill(made.text, [address(code) for code in own])
    return linked(made.targets, lambda recipients: [own] * len(recipients))
