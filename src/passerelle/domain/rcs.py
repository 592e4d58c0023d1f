"""What an RCS message shows: the four forms of a conversation, read and judged; pure.

The one rule: what is accepted is kept as the `contentMessage` of Google's RBM REST API (v1), so that what is stored is
what is sent. Whatever is wrong is found at once, each fault once.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from . import numbers
from .urls import is_http

LONGEST_TEXT = 3_072
LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 2_000
LONGEST_LABEL = 25
LONGEST_POSTBACK = 2_048
MOST_SUGGESTIONS = 4
CARDS = range(2, 11)

Shape = dict[str, Any]


class Fault(enum.Enum):
    """What is wrong with a content."""

    FORM = "form"  # none of the four, or several
    TEXT_MISSING = "text_missing"
    TEXT_LONG = "text_long"
    MEDIA_MISSING = "media_missing"
    MEDIA_URL = "media_url"
    MEDIA_TYPE = "media_type"
    MEDIA_HEIGHT = "media_height"
    ORIENTATION = "orientation"
    ALIGNMENT = "alignment"
    CARD_EMPTY = "card_empty"
    TITLE_LONG = "title_long"
    DESCRIPTION_LONG = "description_long"
    CARD_WIDTH = "card_width"
    CARD_COUNT = "card_count"
    SUGGESTION_COUNT = "suggestion_count"
    SUGGESTION_FORM = "suggestion_form"
    LABEL_MISSING = "label_missing"
    LABEL_LONG = "label_long"
    POSTBACK_LONG = "postback_long"
    ACTION_FORM = "action_form"
    ACTION_URL = "action_url"
    ACTION_PHONE = "action_phone"
    ACTION_PLACE = "action_place"
    ACTION_DATES = "action_dates"


@dataclass(frozen=True, slots=True)
class Content:
    """A content that was read: `text` is its canonical JSON, an RBM `contentMessage`, where there are no `faults`."""

    text: str
    faults: tuple[Fault, ...] = ()


def read(conversation: object) -> Content:
    """Read `richContent.conversation` (SMS Partner 13). Any JSON value may be given."""
    reader = _Reader()
    shape = reader.content(conversation)
    if reader.faults:
        return Content("", tuple(dict.fromkeys(reader.faults)))
    return Content(json.dumps(shape, ensure_ascii=False, separators=(",", ":")))


# --- media ---------------------------------------------------------------------------------------------------------

_SHOWN = (
    "image/jpeg", "image/gif", "image/png", "video/h263", "video/m4v", "video/mp4", "video/mpeg4", "video/mpeg",
    "video/webm",
)  # fmt: skip
_FILES = (
    "application/ogg", "application/pdf", "audio/aac", "audio/mp3", "audio/mpeg", "audio/mpg", "audio/mp4",
    "audio/mp4-latm", "audio/3gpp",
)  # fmt: skip
IN_CARDS = frozenset(_SHOWN)
IN_FILES = frozenset(_SHOWN + _FILES)
IMAGES = frozenset(kind for kind in _SHOWN if kind.startswith("image/"))

OF_EXTENSION = {
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "png": "image/png", "h263": "video/h263",
    "m4v": "video/m4v", "mp4": "video/mp4", "mpg4": "video/mpeg4", "mpeg": "video/mpeg", "mpg": "video/mpeg",
    "webm": "video/webm", "ogg": "application/ogg", "ogx": "application/ogg", "pdf": "application/pdf",
    "aac": "audio/aac", "mp3": "audio/mp3", "mpga": "audio/mpeg", "m4a": "audio/mp4", "3gp": "audio/3gpp",
    "3gpp": "audio/3gpp",
}  # fmt: skip
OTHER_EXTENSIONS = frozenset({
    "avi", "avif", "bmp", "csv", "css", "doc", "docx", "exe", "flac", "heic", "htm", "html", "ico", "json", "mkv",
    "mov", "odt", "ppt", "pptx", "rar", "svg", "tar", "tif", "tiff", "txt", "wav", "webp", "wmv", "xls", "xlsx",
    "xml", "zip",
})  # fmt: skip
"""Files that are certainly something else; an extension in neither list, or none, says nothing."""


def media_type(url: str, declared: str = "") -> str | None:
    """The type of a file: declared, or by the extension; '' where nothing tells, None for one that RCS never takes."""
    if declared:
        return declared.partition(";")[0].strip().lower()
    name = urlsplit(url).path.rpartition("/")[2]
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    return None if extension in OTHER_EXTENSIONS else OF_EXTENSION.get(extension, "")


# --- reading -------------------------------------------------------------------------------------------------------

_HEIGHTS, _WIDTHS = ("SHORT", "MEDIUM", "TALL"), ("SMALL", "MEDIUM")
_ORIENTATIONS, _ALIGNMENTS = ("VERTICAL", "HORIZONTAL"), ("LEFT", "RIGHT")


def _get(shape: object, name: str) -> Any:
    """A member by its name, else in any case; None where it is absent, null or ''."""
    if not isinstance(shape, Mapping):
        return None
    value = shape.get(name)
    if value is None:
        lower = name.lower()
        value = next((other for given, other in shape.items() if str(given).lower() == lower), None)
    return None if value == "" else value


def _text(value: object) -> str:
    """A string, or a number as its text; '' for anything else. Half characters are dropped: nothing can store them."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, int) and abs(value) >= 10**30:
        return ""  # no number that anybody means
    return str(value).replace("\0", "").encode("utf-8", "ignore").decode()


class _Reader:
    """One reading, and the faults that it found."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def content(self, conversation: object) -> Shape:
        """Exactly one of the four forms."""
        given = {name: value for name in self._FORMS if (value := _get(conversation, name)) is not None}
        if len(given) != 1:
            return self._fault(Fault.FORM)
        ((name, value),) = given.items()
        return self._FORMS[name](self, value, _get(conversation, "suggestions"))

    def _fault(self, *faults: Fault) -> Shape:
        self.faults += faults
        return {}

    # --- the forms -------------------------------------------------------------------------------------------------

    def _plain(self, value: object, suggestions: object) -> Shape:
        text = _text(value)
        if not text.strip():
            self._fault(Fault.TEXT_MISSING)
        if len(text) > LONGEST_TEXT:
            self._fault(Fault.TEXT_LONG)
        return {"text": text} | self._suggestions(suggestions)

    def _file(self, value: object, suggestions: object) -> Shape:
        media = _get(value, "media")
        own = _get(value, "suggestions") if suggestions is None else suggestions
        return {"contentInfo": self._media(value if media is None else media, IN_FILES)} | self._suggestions(own)

    def _rich_card(self, value: object, suggestions: object) -> Shape:
        if isinstance(value, list):
            return self._cards(value, "MEDIUM", suggestions)
        orientation = self._word(_get(value, "orientation"), _ORIENTATIONS, "VERTICAL", Fault.ORIENTATION)
        alignment = self._word(_get(value, "thumbnailImageAlignment"), _ALIGNMENTS, "LEFT", Fault.ALIGNMENT)
        card = {"cardOrientation": orientation}
        if orientation == "HORIZONTAL":
            card["thumbnailImageAlignment"] = alignment
        shape = card | {"cardContent": self._card(value)}
        return {"richCard": {"standaloneCard": shape}} | self._suggestions(suggestions)

    def _carousel(self, value: object, suggestions: object) -> Shape:
        return self._cards(_get(value, "cards"), _get(value, "cardWidth"), suggestions)

    def _cards(self, cards: object, width: object, suggestions: object) -> Shape:
        given = cards if isinstance(cards, list) else []
        if len(given) not in CARDS:
            return self._fault(Fault.CARD_COUNT)
        shape = {
            "cardWidth": self._word(width, _WIDTHS, "MEDIUM", Fault.CARD_WIDTH),
            "cardContents": [self._card(card) for card in given],
        }
        return {"richCard": {"carouselCard": shape}} | self._suggestions(suggestions)

    _FORMS: Mapping[str, Callable[[_Reader, object, object], Shape]] = {
        "text": _plain,
        "file": _file,
        "richCard": _rich_card,
        "carousel": _carousel,
    }

    # --- their pieces ----------------------------------------------------------------------------------------------

    def _card(self, value: object) -> Shape:
        card: Shape = {}
        for name, longest, fault in (
            ("title", LONGEST_TITLE, Fault.TITLE_LONG),
            ("description", LONGEST_DESCRIPTION, Fault.DESCRIPTION_LONG),
        ):
            text = _text(_get(value, name))
            if len(text) > longest:
                self._fault(fault)
            if text.strip():
                card[name] = text
        media = _get(value, "media")
        if media is not None:
            height = self._word(_get(media, "height"), _HEIGHTS, "MEDIUM", Fault.MEDIA_HEIGHT)
            card["media"] = {"height": height, "contentInfo": self._media(media, IN_CARDS)}
        if not card:
            self._fault(Fault.CARD_EMPTY)
        return card | self._suggestions(_get(value, "suggestions"))

    def _word(self, value: object, words: tuple[str, ...], default: str, fault: Fault) -> str:
        if value is None:
            return default
        word = _text(value).strip().upper()
        if word not in words:
            self._fault(fault)
        return word

    def _media(self, media: object, kinds: frozenset[str]) -> Shape:
        """`contentInfo`, from ours or from RBM's own spelling."""
        inner = _get(media, "contentInfo")
        source = media if inner is None else inner
        url, thumbnail = _get(source, "fileUrl"), _get(source, "thumbnailUrl")
        if url is None:
            return self._fault(Fault.MEDIA_MISSING)
        declared = _text(_get(source, "contentType") or _get(source, "mimeType"))
        info = {"fileUrl": self._url(url, declared, kinds)}
        if thumbnail is not None:
            info["thumbnailUrl"] = self._url(thumbnail, "", IMAGES)
        return info

    def _url(self, url: object, declared: str, kinds: frozenset[str]) -> str:
        shown = url.strip() if isinstance(url, str) else ""
        if not is_http(shown):
            self._fault(Fault.MEDIA_URL)
            return ""
        kind = media_type(shown, declared)
        if kind is None or (kind and kind not in kinds):
            self._fault(Fault.MEDIA_TYPE)
        return shown

    # --- suggestions -----------------------------------------------------------------------------------------------

    def _suggestions(self, value: object) -> Shape:
        if value is None or value == [] or value == {}:
            return {}
        if not isinstance(value, list):
            return self._fault(Fault.SUGGESTION_FORM)
        if len(value) > MOST_SUGGESTIONS:
            return self._fault(Fault.SUGGESTION_COUNT)
        return {"suggestions": [self._suggestion(one) for one in value]}

    def _suggestion(self, value: object) -> Shape:
        reply, action = _get(value, "reply"), _get(value, "action")
        chosen = action if reply is None else reply
        if (reply is None) == (action is None) or not isinstance(chosen, Mapping):
            return self._fault(Fault.SUGGESTION_FORM)
        label = _text(_get(chosen, "text"))
        postback = _text(_get(chosen, "postbackData")) or label
        if not label.strip():
            self._fault(Fault.LABEL_MISSING)
        if len(label) > LONGEST_LABEL:
            self._fault(Fault.LABEL_LONG)
        if len(postback) > LONGEST_POSTBACK:
            self._fault(Fault.POSTBACK_LONG)
        told = {"text": label, "postbackData": postback}
        return {"reply": told} if action is None else {"action": told | self._action(action)}

    def _action(self, action: object) -> Shape:
        given = {name: value for name in self._ACTIONS if (value := _get(action, name)) is not None}
        if len(given) != 1:
            return self._fault(Fault.ACTION_FORM)
        ((name, value),) = given.items()
        return {name: self._ACTIONS[name](self, value)}

    def _open_url(self, value: object) -> Shape:
        url = _text(_get(value, "url")).strip()
        return {"url": url} if is_http(url) else self._fault(Fault.ACTION_URL)

    def _dial(self, value: object) -> Shape:
        number = numbers.normalise(_text(_get(value, "phoneNumber")))
        return self._fault(Fault.ACTION_PHONE) if number is None else {"phoneNumber": number.e164}

    def _view_location(self, value: object) -> Shape:
        place = _get(value, "latLong")
        latitude, longitude = _degrees(_get(place, "latitude"), 90), _degrees(_get(place, "longitude"), 180)
        if latitude is None or longitude is None:
            return self._fault(Fault.ACTION_PLACE)
        label = _text(_get(value, "label"))
        shape: Shape = {"latLong": {"latitude": latitude, "longitude": longitude}}
        return shape | {"label": label[:100]} if label else shape

    def _calendar_event(self, value: object) -> Shape:
        start, end = (_moment(_get(value, name)) for name in ("startTime", "endTime"))
        title, description = (_text(_get(value, name)) for name in ("title", "description"))
        if start is None or end is None or start > end or not title.strip():
            return self._fault(Fault.ACTION_DATES)
        shape = {name: _text(_get(value, name)).strip() for name in ("startTime", "endTime")}
        shape["title"] = title[:100]
        return shape | {"description": description[:500]} if description else shape

    def _share_location(self, value: object) -> Shape:
        return {}

    _ACTIONS: Mapping[str, Callable[[_Reader, object], Shape]] = {
        "openUrlAction": _open_url,
        "dialAction": _dial,
        "viewLocationAction": _view_location,
        "createCalendarEventAction": _calendar_event,
        "shareLocationAction": _share_location,
    }


def _degrees(value: object, most: int) -> float | None:
    try:
        degrees = float(_text(value))
    except ValueError:
        return None
    return degrees if -most <= degrees <= most else None


def _moment(value: object) -> datetime | None:
    """RFC 3339 with an offset, as RBM wants it."""
    try:
        moment = datetime.fromisoformat(_text(value).strip())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
