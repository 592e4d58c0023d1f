"""What an RCS message shows, as the handset reads it: the `contentMessage` of RBM, typed. Pure.

One rule: what is no such message is refused where it comes in, so that the pages need not doubt.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import msgspec


class _Shape(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Members as RBM spells them; those that we do not know are passed over."""


class File(_Shape, frozen=True):
    """A file to be fetched."""

    file_url: str
    thumbnail_url: str = ""

    @property
    def name(self) -> str:
        """As a person would call it."""
        split = urlsplit(self.file_url)
        return unquote(split.path.rpartition("/")[2]) or split.netloc

    @property
    def link(self) -> str:
        """The URL where it may be followed, else ''."""
        return self.file_url if self.file_url.lower().startswith(("http://", "https://")) else ""

    @property
    def extension(self) -> str:
        """In capitals, four characters at most; `FILE` where there is none."""
        stem, dot, extension = urlsplit(self.file_url).path.rpartition(".")
        return extension.upper()[:4] if stem and dot and extension.isalnum() else "FILE"

    @property
    def picture(self) -> str:
        """The URL of what can be shown of it, '' for nothing."""
        is_image = self.extension in ("JPG", "JPEG", "PNG", "GIF", "FILE")
        return self.thumbnail_url or (self.link if is_image else "")


class Media(_Shape, frozen=True):
    """What stands above, or beside, the words of a card."""

    content_info: File
    height: str = "MEDIUM"


class Chosen(_Shape, frozen=True):
    """What is behind a suggestion."""

    text: str
    postback_data: str = ""
    open_url_action: dict[str, str] | None = None
    dial_action: dict[str, str] | None = None
    view_location_action: dict[str, object] | None = None
    create_calendar_event_action: dict[str, str] | None = None
    share_location_action: dict[str, object] | None = None

    @property
    def icon(self) -> str:
        """Says what a tap does."""
        marks = (
            (self.open_url_action, "↗"),
            (self.dial_action, "✆"),
            (self.view_location_action, "◉"),
            (self.create_calendar_event_action, "+"),
            (self.share_location_action, "◉"),
        )
        return next((mark for action, mark in marks if action is not None), "")

    @property
    def detail(self) -> str:
        """Where a tap leads."""
        event = self.create_calendar_event_action or {}
        url, phone = (self.open_url_action or {}).get("url", ""), (self.dial_action or {}).get("phoneNumber", "")
        return url or phone or " ".join(filter(None, (event.get("title"), event.get("startTime"))))


class Suggestion(_Shape, frozen=True):
    """A chip below a message, or a button in a card."""

    reply: Chosen | None = None
    action: Chosen | None = None

    @property
    def chosen(self) -> Chosen:
        """What is behind it."""
        return self.reply or self.action or Chosen("")


class Card(_Shape, frozen=True):
    """A card."""

    title: str = ""
    description: str = ""
    media: Media | None = None
    suggestions: tuple[Suggestion, ...] = ()


class Standalone(_Shape, frozen=True):
    """A card by itself."""

    card_content: Card
    card_orientation: str = "VERTICAL"
    thumbnail_image_alignment: str = "LEFT"


class Carousel(_Shape, frozen=True):
    """Cards side by side."""

    card_contents: tuple[Card, ...]
    card_width: str = "MEDIUM"


class RichCard(_Shape, frozen=True):
    """One card, or several."""

    standalone_card: Standalone | None = None
    carousel_card: Carousel | None = None


class Content(_Shape, frozen=True):
    """One message."""

    text: str = ""
    content_info: File | None = None
    rich_card: RichCard | None = None
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def cards(self) -> tuple[Card, ...]:
        """Its cards."""
        if self.rich_card is None:
            return ()
        if self.rich_card.carousel_card is not None:
            return self.rich_card.carousel_card.card_contents
        return () if self.rich_card.standalone_card is None else (self.rich_card.standalone_card.card_content,)

    @property
    def buttons(self) -> list[tuple[int, Chosen]]:
        """All suggestions with their number, those of its cards first, in the order in which they are shown."""
        pieces = [*(card.suggestions for card in self.cards), self.suggestions]
        return list(enumerate(one.chosen for piece in pieces for one in piece))

    def buttons_of(self, card: int | None) -> list[tuple[int, Chosen]]:
        """Those of a card, or, with None, those below the message."""
        before = self.cards[:card] if card is not None else self.cards
        start = sum(len(one.suggestions) for one in before)
        count = len(self.suggestions if card is None else self.cards[card].suggestions)
        return self.buttons[start : start + count]

    @property
    def caption(self) -> str:
        """What it says, in a line."""
        return next(filter(None, self._words()), "")

    def _words(self) -> Iterator[str]:
        yield self.text
        for card in self.cards:
            yield card.title or card.description or (card.media.content_info.name if card.media else "")
        yield self.content_info.name if self.content_info else ""


def read(shape: object) -> Content | None:
    """A `contentMessage`; None for what is none, or shows nothing."""
    try:
        content = msgspec.convert(shape, Content)
        files = [card.media.content_info.name for card in content.cards if card.media]
        return content if content.caption or files else None
    except (msgspec.ValidationError, ValueError):  # a URL that is none
        return None
