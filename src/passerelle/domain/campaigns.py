"""Campaigns: what they may hold, how the text of each contact is made, which state they show.

The one rule: a value of a contact fills the place that was left for it and can be nothing else: no link, no field, and
no reason to refuse or to encode the whole text otherwise.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from . import calendar, lists, merge, text, tracking
from .message import TrafficClass

LONGEST_NAME = 100  # characters
LONGEST_KIND = 20
LARGEST_PAGE = 100_000  # octets of HTML
LONGEST_TITLE = 100
LONGEST_URL = 2_048
PAUSE_DAYS = 90
"""A campaign that is paused for longer is stopped, so that every message comes to an end."""

POSTCODES = frozenset({"code postal", "codepostal", "code_postal", "code-postal", "cp", "postcode", "zip", "zipcode"})
"""Columns whose values tell whose public holidays count."""


class Stage(enum.IntEnum):
    """How far its owner has brought a campaign; the numbers are stored."""

    DRAFT = 0
    LAUNCHED = 1
    CANCELLED = 2  # before anything left
    STOPPED = 3  # what had not left by then


class Phase(enum.Enum):
    """Where a campaign is."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


class Page(enum.IntEnum):
    """What stands behind the link of a campaign; the numbers are stored."""

    NONE = 0
    EXTERNAL = 1
    HOSTED = 2


class Fault(enum.Enum):
    """Why something cannot be done with a campaign."""

    NOT_DRAFT = "not_draft"
    NOT_SCHEDULED = "not_scheduled"
    NOT_RUNNING = "not_running"
    NOT_PAUSED = "not_paused"
    BUSY = "busy"  # parts of it are being handed over
    NOT_DELETABLE = "not_deletable"
    NO_AUDIENCE = "no_audience"  # the list is gone, or nobody is left of it
    DATE_PAST = "date_past"
    LIMIT = "limit"  # of campaigns a month
    NO_TEST_NUMBER = "no_test_number"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the phase of a campaign follows from. `begun`: a message was handed over, or it was to leave at once."""

    stage: Stage
    paused: bool = False
    begun: bool = False
    ended: bool = False


def phase(standing: Standing) -> Phase:
    """Where it is."""
    match standing.stage:
        case Stage.DRAFT:
            return Phase.DRAFT
        case Stage.CANCELLED:
            return Phase.CANCELLED
        case Stage.STOPPED:
            return Phase.STOPPED
    if standing.ended:
        return Phase.SENT
    if standing.paused:
        return Phase.PAUSED
    return Phase.SENDING if standing.begun else Phase.SCHEDULED


# --- the text of each ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Copy:
    """The text of a campaign, ready to be filled in: pieces, and between them fields or the numbers of links.

    `links`: where its personal links lead, in order.
    """

    slots: tuple[str | int | merge.Field, ...]
    links: tuple[tracking.Target, ...]

    @property
    def names(self) -> list[str]:
        """The names of its fields, each once, in order of appearance."""
        return list(dict.fromkeys(one.name for one in self.slots if isinstance(one, merge.Field)))

    @property
    def is_shared(self) -> bool:
        """Whether everybody gets the same."""
        return all(isinstance(one, str) for one in self.slots)

    def render(self, values: Mapping[str, str], links: Sequence[str]) -> str:
        """The text of one contact with its own links."""
        made = []
        for one in self.slots:
            if isinstance(one, str):
                made.append(one)
            elif isinstance(one, int):
                made.append(links[one])
            else:
                made.append(values.get(one.name, "").strip() or one.fallback)
        return "".join(made)

    def renamed(self, name: Callable[[str], str]) -> Copy:
        """The same under other names, e.g. the keys of columns."""
        return Copy(
            tuple(
                merge.Field(name(one.name), one.fallback) if isinstance(one, merge.Field) else one for one in self.slots
            ),
            self.links,
        )


def copy(written: str, page: tracking.Target | None) -> Copy:
    """Make a text ready, its links first, so that no value can be one."""
    made = tracking.compile(written, page)
    return Copy(tuple(_slots(merge.template(made.text))), made.targets)


def plain_copy(written: str) -> Copy:
    """The same of a text whose addresses stay as they are."""
    return Copy(tuple(_slots(merge.template(tracking.plain(written)))), ())


def _slots(cut: merge.Template) -> Iterator[str | int | merge.Field]:
    for number, piece in enumerate(cut.pieces):
        yield from tracking.split(piece)
        if number < len(cut.fields):
            yield cut.fields[number]


def has_links(written: str, page: int) -> bool:
    """Whether anything in the text of a campaign can be followed."""
    return bool(page) or bool(tracking.compile(written, None).targets)


def unknown_fields(ready: Copy, known: Sequence[str]) -> list[str]:
    """Fields that no contact has: nothing, or what stands behind the bar, is written for everybody."""
    return [name for name in ready.names if name not in known]


def writable(value: str, characters: str) -> str:
    """A value as it can be sent under a policy for characters (domain.profile): brought near, or ''.

    A name that GSM 03.38 cannot write must not refuse a campaign, nor double its price.
    """
    plain = text.normalise_newlines(value)
    if characters in ("unicode", "replace") or not text.foreign(plain):
        return plain
    return text.transliterate(plain) or ""


def column_keys(columns: Sequence[lists.Column]) -> Callable[[str], str]:
    """From the plain name of a column to the key of its values; a name that no column has stays as it is."""
    named = lists.by_name(columns)
    return lambda name: named[name].key if name in named else name


def postcode_key(columns: Sequence[lists.Column]) -> str | None:
    """The key of the column that holds postcodes, if there is one."""
    return next((one.key for one in columns if lists.plain(one.name) in POSTCODES), None)


def region_of(values: Mapping[str, str], postcode: str | None, otherwise: str) -> str:
    """Whose public holidays count for a contact: those of its postcode, else those of its list."""
    written = values.get(postcode, "").strip() if postcode is not None else ""
    return calendar.region_of(written) if written else otherwise


# --- months ----------------------------------------------------------------------------------------------------------


def month_began(now: datetime) -> datetime:
    """The first instant of the month it is in Paris."""
    return calendar.to_utc(calendar.paris_day(now).replace(day=1), 0)


def is_marketing(traffic: int) -> bool:
    """Whether the law of marketing holds for it."""
    return traffic == TrafficClass.MARKETING
