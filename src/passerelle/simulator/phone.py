"""The screens of the simulated handsets: the last texts of the last numbers, long ones put together again.

One rule: writing is a few dictionary operations, for it happens at every submit; reading does the work.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from passerelle.domain.text import Concat, decode, parse_udh
from passerelle.simulator.rich import Content
from passerelle.smpp import pdu as p

UDHI = 0x40  # esm_class, SMPP 3.4 section 5.2.12
_SHORT_CODE = re.compile(r"\bSTOP\s+(?:au\s+)?(\d{5})\b", re.IGNORECASE)


class Rich(NamedTuple):
    """An RCS message on a screen, and its messageId; `party` is the agent."""

    at: float
    mine: bool
    party: str
    content: Content
    name: str = ""


class Entry(NamedTuple):
    """One PDU on a screen; `mine`: the handset sent it; `at` in seconds since 1970."""

    at: float
    mine: bool
    pdu: p.SubmitSm | p.DeliverSm


@dataclass(slots=True)
class Screen:
    """One handset; `account` is the system_id that texted it last."""

    entries: deque[Entry | Rich]
    account: str = ""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text as a person sees it; `party` is the other side, `parts` of `total` have come."""

    at: float
    mine: bool
    party: str
    text: str
    parts: int = 1
    total: int = 1
    content: Content | None = None  # of an RCS message, as `Rich`
    name: str = ""


class PhoneBook:
    """The handsets in order of their last text, the oldest forgotten beyond `numbers`, and `texts` PDUs each."""

    def __init__(self, numbers: int = 5000, texts: int = 50) -> None:
        self._numbers, self._texts = numbers, texts
        self._screens: OrderedDict[str, Screen] = OrderedDict()

    def receive(self, account: str, submit: p.SubmitSm, at: float) -> None:
        """A text arrives on the handset it was sent to."""
        screen = self._screen(submit.destination_addr.lstrip("+"))
        screen.entries.append(Entry(at, False, submit))
        screen.account = account

    def write(self, text: p.DeliverSm, at: float) -> None:
        """The handset sent a text (or a part)."""
        self._screen(text.source_addr).entries.append(Entry(at, True, text))

    def show(self, number: str, message: Rich) -> None:
        """An RCS message comes to a handset, or leaves it."""
        self._screen(number).entries.append(message)

    def account(self, number: str) -> str:
        """The system_id that texted the number last; empty when unknown."""
        screen = self._screens.get(number)
        return screen.account if screen else ""

    def bubbles(self, number: str) -> list[Bubble]:
        """What the screen shows, oldest first."""
        screen = self._screens.get(number)
        return _bubbles(screen.entries) if screen else []

    def latest(self, search: str = "", limit: int = 100) -> Iterator[tuple[str, Bubble]]:
        """Numbers that contain `search` with their last text, newest first."""
        found = 0
        for number in reversed(self._screens):
            if search in number:
                yield number, _bubbles(self._screens[number].entries)[-1]
                found += 1
            if found == limit:
                return

    def _screen(self, number: str) -> Screen:
        screen = self._screens.get(number)
        if screen is None:
            screen = self._screens[number] = Screen(deque(maxlen=self._texts))
            if len(self._screens) > self._numbers:
                self._screens.popitem(last=False)
        else:
            self._screens.move_to_end(number)
        return screen


def correspondents(bubbles: Iterable[Bubble]) -> list[str]:
    """Whom a reply may go to: senders and the short codes that texts name for STOP, the latest first, names last.

    No real handset can answer a name, but for those of RCS agents.
    """
    names: dict[str, None] = {}
    agents: set[str] = set()
    for bubble in reversed(list(bubbles)):
        names.setdefault(bubble.party)
        if bubble.content is not None:
            agents.add(bubble.party)
        names.update(dict.fromkeys(_SHORT_CODE.findall(bubble.text)))
    return sorted(names, key=lambda name: name not in agents and not name.lstrip("+").isdecimal())


@dataclass(slots=True)
class _Long:
    """A text in the making."""

    entry: Entry
    total: int = 1
    pieces: dict[int, bytes] = field(default_factory=dict)


def _bubbles(entries: Iterable[Entry | Rich]) -> list[Bubble]:
    texts: list[_Long | Rich] = []
    growing: dict[tuple[bool, str, int, int], _Long] = {}
    for entry in entries:
        if isinstance(entry, Rich):
            texts.append(entry)
            continue
        place, octets = _place(entry.pdu)
        key = (entry.mine, _party(entry), place.reference, place.total)
        long = growing.get(key) if place.total > 1 else None
        if long is None or place.part in long.pieces:  # a part seen before begins the next text
            long = growing[key] = _Long(entry, place.total)
            texts.append(long)
        long.pieces[place.part] = octets
    return [_rich_bubble(one) if isinstance(one, Rich) else _bubble(one) for one in texts]


def _rich_bubble(rich: Rich) -> Bubble:
    return Bubble(rich.at, rich.mine, rich.party, rich.content.caption, content=rich.content, name=rich.name)


def _bubble(long: _Long) -> Bubble:
    coding = long.entry.pdu.data_coding
    pieces = [octets for _, octets in sorted(long.pieces.items())]
    whole = len(pieces) == long.total
    text = decode(b"".join(pieces), coding) if whole else " […] ".join(decode(piece, coding) for piece in pieces)
    return Bubble(long.entry.at, long.entry.mine, _party(long.entry), text, len(pieces), long.total)


def _party(entry: Entry) -> str:
    return entry.pdu.destination_addr if entry.mine else entry.pdu.source_addr


def place_of(pdu: p.SubmitSm | p.DeliverSm) -> Concat:
    """The place of a PDU in its text (part 1 of 1 when alone)."""
    return _place(pdu)[0]


def _place(pdu: p.SubmitSm | p.DeliverSm) -> tuple[Concat, bytes]:
    """Place and text octets; by user data header or by the sar_ parameters (SMPP 3.4 section 5.3.2.22)."""
    octets = p.content(pdu)
    if pdu.esm_class & UDHI:
        concat, octets = parse_udh(octets)
        return concat or Concat(0, 1, 1), octets
    total, part = p.tlv_int(pdu, "sar_total_segments"), p.tlv_int(pdu, "sar_segment_seqnum")
    if total and part and part <= total:
        return Concat(p.tlv_int(pdu, "sar_msg_ref_num") or 0, total, part), octets
    return Concat(0, 1, 1), octets
