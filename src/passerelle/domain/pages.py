"""Landing pages: the customer's HTML made safe for a frame of ours, and a page made of a title, a text and a button.

One rule: what is not known to be harmless is left out. No script, form or frame, no style that leaves its place,
nothing loaded but pictures; and every link is a number of the page, so that it leads only where the customer wrote.
"""

from __future__ import annotations

import html as markup
import re
from collections.abc import Mapping

import nh3

from . import tracking
from .tracking import Target

CODE = "\ue000"
"""Stands for the code of a link in the addresses of a page: nobody writes it, see `tracking.plain`."""
LARGEST = 100_000  # bytes of a page, as it is written
LONGEST_TITLE = 100
MOST_LINKS = 999
MOST_INLINE = 30_000  # characters of a picture that is written into the page


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


_TAGS = _words(
    "a abbr address article aside b big blockquote br caption center cite code col colgroup dd del details dfn div dl",
    "dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd li main mark nav ol p pre q",
    "s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var",
)
# With all that is inside them.
_DROPPED = _words(
    "script style title template noscript iframe frame frameset noframes object embed applet svg math textarea select",
    "option audio video canvas map",
)
# Where one of these is not closed, a reader of HTML opens it anew in each paragraph on: 40 kB of them become 100 MB.
# While a page is made safe they have names of no meaning, and are closed with what they stand in.
_REOPENED = "b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u"
_WRITTEN = re.compile(rf"<(/?)({_REOPENED})(?=[\s/>])", re.IGNORECASE)
_RENAMED = re.compile(rf"<(/?)x-({_REOPENED})(?=[\s>])")
_CLASSES = {"a": {"button"}, "img": {"picture"}}
_SIZES = {"width", "height", "align", "valign", "bgcolor", "cellpadding", "cellspacing", "border"}
_ATTRIBUTES = {
    "*": {"style", "dir", "lang", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height", "border"},
    "x-font": {"color", "size", "face"},
    "td": _SIZES | {"colspan", "rowspan"},
    "th": _SIZES | {"colspan", "rowspan"},
    "ol": {"start", "type"},
    **{tag: _SIZES for tag in ("table", "tr", "tbody", "thead", "tfoot", "col", "colgroup")},
    **{tag: {"align"} for tag in ("p", "div", "h1", "h2", "h3", "h4", "h5", "h6")},
}
_NAMES = frozenset(f"x-{name}" for name in _REOPENED.split("|") if name in _TAGS)
_SIDES = ("", "-top", "-right", "-bottom", "-left")
_STYLES = _words(
    "color background-color text-align text-decoration text-transform text-indent font font-family font-size",
    "font-style font-variant font-weight line-height letter-spacing word-spacing vertical-align width max-width height",
    "display opacity border-radius border-collapse border-spacing list-style-type table-layout",
    *(f"margin{side} padding{side} border{side}" for side in _SIDES),
    *(f"border{side}-color border{side}-style border{side}-width" for side in _SIDES),
)
_VALUE = re.compile(r"(?:[\w\s#%.,'\"+/-]|(?:rgb|hsl)a?\([\d\s.,%/a-z]*\)|!important)*", re.ASCII | re.IGNORECASE)
_COLOR = re.compile(r"\s*(#[0-9a-f]{3,8}|[a-z]{3,20}|(?:rgb|hsl)a?\([\d\s.,%/a-z]*\))\s*", re.IGNORECASE)
_PIXELS = re.compile(r"\s*(\d{1,5})(?:\.\d*)?(?:px)?\s*")
_INLINE = re.compile(r"data:image/(?:png|jpe?g|gif|webp|avif);base64,[A-Za-z0-9+/=\s]+", re.IGNORECASE)
_SPELLED = re.compile(r"&#(?:[xX]0*([0-9a-fA-F]{1,6})(?![0-9a-fA-F])|0*([0-9]{1,7})(?![0-9]));?")
_BACK = re.compile(r"(?<![\w#])-\s*[\d.]")  # a length below zero moves one thing over another
_CLOSER = frozenset({"letter-spacing", "word-spacing"})
_WIDE = 300  # pixels: a phone may have no more, so this becomes the most that something is wide
_DISPLAYS = frozenset({"block", "inline", "inline-block", "none", "table", "table-row", "table-cell"})


def page_target(title: str, html: str) -> Target:
    """The target that shows `html` in our frame. A page of 100 kB takes a while: in a thread, please."""
    inside: dict[str, int] = {}

    def kept(tag: str, attribute: str, value: str) -> str | None:
        if attribute == "href":
            return _link(value.strip(), inside)
        if attribute == "src":
            return _picture(value.strip())
        if attribute == "style":
            return _style(value)
        return None if attribute == "width" and tag != "img" and _is_wide(value) else value

    made = nh3.clean(
        _WRITTEN.sub(r"<\1x-\2", _SPELLED.sub(_harmless, tracking.plain(html))),
        tags=set(_TAGS | _NAMES),
        clean_content_tags=set(_DROPPED),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=kept,
        allowed_classes=_CLASSES,
        url_schemes={"http", "https", "tel", "mailto", "data"},
        link_rel=None,
        set_tag_attribute_values={"img": {"loading": "lazy"}},
    )
    made = _RENAMED.sub(r"<\1\2", made)
    return Target(None, tracking.plain(title).strip(), made.strip(), tuple(inside))


def compose(title: str, text: str, button: tuple[str, str] | None = None, picture_url: str = "") -> str:
    """HTML for `page_target`: a picture, a title, paragraphs, a button with its address; what is empty is left out."""
    pieces = []
    if picture_url:
        pieces.append(f'<img class="picture" src="{markup.escape(picture_url)}" alt="">')
    if title.strip():
        pieces.append(f"<h1>{markup.escape(title.strip())}</h1>")
    for paragraph in re.split(r"\n\s*\n", text.strip().replace("\r\n", "\n")):
        if paragraph:
            pieces.append(f"<p>{markup.escape(paragraph).replace(chr(10), '<br>')}</p>")
    if button is not None:
        label, url = button
        pieces.append(f'<p><a class="button" href="{markup.escape(url)}">{markup.escape(label)}</a></p>')
    return "\n".join(pieces)


def is_painted(html: str) -> bool:
    """Whether a page that was made safe brings colours of its own, so that it can only be read on white."""
    return re.search(r"\b(?:bgcolor|color)=|[\"\s;](?:background-)?color:", html) is not None


def has_heading(html: str) -> bool:
    """Whether a page that was made safe begins with words of its own about what it is."""
    return re.search(r"<h[12][\s>]", html) is not None


# --- attributes ----------------------------------------------------------------------------------------------------


def _harmless(reference: re.Match[str]) -> str:
    """A character reference; one that stands for a placeholder would be the code of whoever looks."""
    character = chr(min(int(reference[1], 16) if reference[1] else int(reference[2]), 0x10FFFF))
    return reference[0] if tracking.plain(character) else "\ufffd"


def _link(url: str, inside: dict[str, int]) -> str | None:
    """Our address of a link of this page, beside that of the page; calls and mails go as they are."""
    if re.match(r"(?:tel|mailto):", url, re.IGNORECASE):
        return url
    read = tracking.as_asked(url)
    if read is None or (read not in inside and len(inside) >= MOST_LINKS):
        return None
    return f"./{CODE}/{inside.setdefault(read, len(inside) + 1)}"


def _picture(url: str) -> str | None:
    if url.startswith("//"):
        url = f"https:{url}"
    if url[:8].lower() == "https://":
        return url
    return url if len(url) <= MOST_INLINE and _INLINE.fullmatch(url) else None


def _style(value: str) -> str | None:
    kept: dict[str, str] = {}
    for declaration in value.split(";"):
        name, _, said = declaration.partition(":")
        kept |= _declared(name.strip().lower(), said.strip())
    return ";".join(f"{name}:{said}" for name, said in kept.items()) or None


def _declared(name: str, said: str) -> Mapping[str, str]:
    """A declaration as it is kept; nothing of what is not known."""
    if name == "background" and _COLOR.fullmatch(said):
        name = "background-color"
    if name not in _STYLES or not said or _VALUE.fullmatch(said) is None:
        return {}
    if (name == "display" and said.lower() not in _DISPLAYS) or (name not in _CLOSER and _BACK.search(said)):
        return {}
    if name == "width" and _is_wide(said):
        return {"max-width": said, "width": "100%"}
    return {name: said}


def _is_wide(said: str) -> bool:
    pixels = _PIXELS.fullmatch(said)
    return pixels is not None and int(pixels[1]) > _WIDE
