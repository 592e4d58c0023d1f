"""The text of an SMS: GSM 03.38 and UCS-2, how many parts it makes, what stands in for what cannot travel.

One rule: what is counted here is what an operator bills, so a part never exceeds its limit and never cuts an
escape sequence or a surrogate pair. National shift tables are not used.
"""

from __future__ import annotations

import codecs
import enum
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple


class Encoding(enum.IntEnum):
    """How a text travels; the value is the SMPP data_coding (SMPP 3.4 section 5.2.19)."""

    GSM = 0
    UCS2 = 8


class Segmented(NamedTuple):
    """A text cut into the parts it is billed as.

    `units` counts septets with their escapes (GSM) or UTF-16 units (UCS-2) over the whole text, headers excluded.
    """

    encoding: Encoding
    parts: tuple[str, ...]
    units: int


@dataclass(frozen=True, slots=True)
class Concat:
    """Place of a part in a concatenated message (3GPP TS 23.040 section 9.2.3.24.1); parts count from 1."""

    reference: int
    total: int
    part: int


# 3GPP TS 23.038 section 6.2.1; position 0x1B is the escape.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# 3GPP TS 23.038 section 6.2.1.1
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
ALPHABET = frozenset(_BASIC.replace("\x1b", "") + "".join(_EXTENSION.values()))

_ESCAPE = 0x1B
# Septets and UTF-16 units of a text alone in its message, and of a part behind a concatenation header.
GSM_ALONE, GSM_PART = 160, 153
UCS2_ALONE, UCS2_PART = 70, 67
_UNDEFINED = "\ufffe"


def _one_byte_table() -> str:
    """One byte a character, for `charmap_build`, which is fast only when position 0 holds NUL.

    So "@" sits on the free position of the escape, an extension character on its code plus 0x80, and a NUL in the text
    comes out as byte 0, to be refused.
    """
    high = "".join(_EXTENSION.get(code, _UNDEFINED) for code in range(128))
    return "\0" + _BASIC[1:_ESCAPE] + "@" + _BASIC[_ESCAPE + 1 :] + high


_ONE_BYTE = codecs.charmap_build(_one_byte_table())
_AT_HOME = bytes.maketrans(b"\x1b", b"\x00")
_EXTENDED_BYTE = re.compile(rb"[\x80-\xff]")
_ESCAPED = {0x80 | code: bytes((_ESCAPE, code)) for code in _EXTENSION}
_BASIC_DECODING = _BASIC + "\ufffd" * 128
_ESCAPE_PAIR = re.compile("\x1b(.?)", re.DOTALL)
# A second escape announces a table that does not exist: shown as a space (3GPP TS 23.038 section 6.2.1.1, note 1).
_AFTER_ESCAPE = {_BASIC[code]: char for code, char in _EXTENSION.items()} | {"\x1b": " ", "": " "}
_FOREIGN = re.compile(f"[^{re.escape(''.join(sorted(ALPHABET)))}]")


def _one_byte(text: str) -> bytes:
    coded: bytes = codecs.charmap_encode(text, "strict", _ONE_BYTE)[0]
    if 0 in coded:
        raise ValueError("NUL is not in the GSM alphabet")
    return coded


def _septets(coded: bytes) -> bytes:
    home = coded.translate(_AT_HOME)
    return home if home.isascii() else _EXTENDED_BYTE.sub(lambda match: _ESCAPED[match[0][0]], home)


def _gsm_text(septets: bytes) -> str:
    text: str = codecs.charmap_decode(septets, "strict", _BASIC_DECODING)[0]
    return text if "\x1b" not in text else _ESCAPE_PAIR.sub(lambda match: _AFTER_ESCAPE.get(match[1], match[1]), text)


def segment(text: str, encoding: Encoding) -> Segmented:
    """Cut a text into parts: 160 or 153 septets each in GSM, 70 or 67 UTF-16 units each in UCS-2.

    An empty text is one empty part. Raises ValueError if GSM is asked and the text holds another character.
    """
    return _segment_gsm(text) if encoding == Encoding.GSM else _segment_ucs2(text)


def _segment_gsm(text: str) -> Segmented:
    coded = _one_byte(text)
    if len(coded) <= GSM_ALONE and coded.isascii():
        return Segmented(Encoding.GSM, (text,), len(coded))
    septets = _septets(coded)
    if len(septets) <= GSM_ALONE:
        return Segmented(Encoding.GSM, (text,), len(septets))
    pieces = _cut(septets, GSM_PART, 1, lambda last: last == _ESCAPE)
    return Segmented(Encoding.GSM, tuple(map(_gsm_text, pieces)), len(septets))


def _segment_ucs2(text: str) -> Segmented:
    coded = text.encode("utf-16-be", "surrogatepass")
    if len(coded) <= 2 * UCS2_ALONE:
        return Segmented(Encoding.UCS2, (text,), len(coded) // 2)
    pieces = _cut(coded, 2 * UCS2_PART, 2, lambda last: last & 0xFC == 0xD8)
    parts = tuple(piece.decode("utf-16-be", "surrogatepass") for piece in pieces)
    return Segmented(Encoding.UCS2, parts, len(coded) // 2)


def _cut(coded: bytes, size: int, width: int, opens: Callable[[int], bool]) -> list[bytes]:
    """Slices of at most `size` bytes; a last unit (of `width` bytes) that opens a pair moves to the next slice."""
    pieces, start = [], 0
    while start < len(coded):
        end = start + size
        if end < len(coded) and opens(coded[end - width]):
            end -= width
        pieces.append(coded[start:end])
        start = end
    return pieces


def encode(text: str, encoding: Encoding) -> bytes:
    """Bytes of short_message: a septet a byte with escape 0x1B (GSM), or UTF-16BE (UCS-2; a lone surrogate is "?").

    Raises ValueError if GSM is asked and the text holds another character.
    """
    return _septets(_one_byte(text)) if encoding == Encoding.GSM else text.encode("utf-16-be", "replace")


def decode(data: bytes, data_coding: int) -> str:
    """Text of a received short_message, whatever the bytes; never raises.

    0 and 0xF0-0xF3 are GSM unpacked (an escape before an unknown code gives the character of the main table,
    3GPP TS 23.038 section 6.2.1.1), 8 is UTF-16BE; ASCII, Latin-1 and all other codings are read as Latin-1. With a
    message class (0x10-0x13, 0x18-0x1B; 3GPP TS 23.038 section 4) they are the same.
    """
    if 0x10 <= data_coding <= 0x1F:
        data_coding &= 0x0C
    if data_coding == Encoding.GSM or 0xF0 <= data_coding <= 0xF3:
        return _gsm_text(data)
    return data.decode("utf-16-be", "replace") if data_coding == Encoding.UCS2 else data.decode("latin-1")


def foreign(text: str) -> str:
    """The distinct characters outside GSM 03.38 and its extension table, in order of appearance; empty when all fit."""
    try:
        _one_byte(text)  # most fit, and that is known ten times as fast
    except ValueError:
        return "".join(dict.fromkeys(_FOREIGN.findall(text)))
    return ""


# --- concatenation headers (3GPP TS 23.040 section 9.2.3.24) ---


def udh(reference: int, total: int, part: int) -> bytes:
    """Concatenation header with an 8-bit reference (its low byte is used); `total` and `part` from 1 to 255."""
    return bytes((5, 0x00, 3, reference & 0xFF, total, part))


def udh16(reference: int, total: int, part: int) -> bytes:
    """Concatenation header with a 16-bit reference (its low two bytes are used); `total` and `part` from 1 to 255."""
    return bytes((6, 0x08, 4, reference >> 8 & 0xFF, reference & 0xFF, total, part))


def parse_udh(data: bytes) -> tuple[Concat | None, bytes]:
    """The place that a user data header gives, and the bytes after the header.

    Other elements are skipped, an impossible place is ignored, the last of two counts. Malformed: (None, data).
    """
    end = 1 + data[0] if data else 0
    if end > len(data):
        return None, data
    found, at = None, 1
    while at < end:
        stop = at + 2 + data[at + 1] if at + 1 < end else end + 1
        if stop > end:
            return None, data
        found = _concat(data[at], data[at + 2 : stop]) or found
        at = stop
    return found, data[end:]


def _concat(element: int, value: bytes) -> Concat | None:
    if (element, len(value)) not in ((0x00, 3), (0x08, 4)):
        return None
    total, part = value[-2], value[-1]
    return Concat(int.from_bytes(value[:-2], "big"), total, part) if 1 <= part <= total else None


# --- composition ---

# Marks, and the three letters that decompose to nothing but marks.
_MARKS = "\u0f73\u0f75\u0f81" + "".join(char for char in map(chr, range(0x300, 0x1F000)) if unicodedata.combining(char))
_HEAP = re.compile(f"([{_MARKS}]{{30}})[{_MARKS}]+")


def composed(text: str) -> str:
    """NFC. Of a heap of marks on one letter the first thirty are kept (Unicode annex 15, section 13: no writing has
    more): putting them in order takes the square of its height."""
    return unicodedata.normalize("NFC", text if text.isascii() else _HEAP.sub(r"\1", text))


# --- SMS Partner: tokens and replacement ---


def expand_tokens(text: str) -> str:
    """SMS Partner's tokens, lower case: `:br:` becomes CR LF, `:euro:` the euro sign."""
    return text.replace(":br:", "\r\n").replace(":euro:", "€")


_REPLACED = {
    source: target
    for sources, target in (
        ("ą", "à"),
        ("’‘`“”", "'"),
        ("ÿ", "y"),
        ("ûü", "u"),
        ("ïî", "i"),
        ("ôöó", "o"),
        ("ëê", "e"),
        ("œ", "oe"),
        ("ç", "Ç"),
        ("ÄÀÁÂÃ", "A"),
        ("ÈÊË", "E"),
        ("Î", "I"),
        ("ÜÙÚÛ", "U"),
        ("Ý", "Y"),
        ("äáâã", "a"),
        ("ÖÔ", "O"),
        ("[{", "("),
        ("]}", ")"),
        ("µ", "u"),
        ("°", "."),
        ("ñ", "n"),
        ("Ñ", "N"),
        ("«»", '"'),
        ("^~|\\¨§", ""),
        ("⁄", "/"),  # what decomposition leaves inside "½"
    )
    for source in sources
}
_KEPT = (ALPHABET - _REPLACED.keys()) - {"\f"}
_UNKEPT = re.compile(f"[^{re.escape(''.join(sorted(_KEPT)))}]")


def replace(text: str) -> str:
    """A text that GSM 03.38 can carry, by SMS Partner's table; no character outside the table survives unreplaced.

    Dashes become "-", the rest is decomposed (NFKD) to characters that are kept, else dropped.
    """
    return _UNKEPT.sub(_replacement, composed(text))


def _replacement(match: re.Match[str]) -> str:
    return _replace_one(match[0])


@lru_cache(maxsize=4096)
def _replace_one(char: str) -> str:
    known = _keep_or_replace(char)
    if known is not None:
        return known
    return "".join(_keep_or_replace(piece) or "" for piece in unicodedata.normalize("NFKD", char))


def _keep_or_replace(char: str) -> str | None:
    if char in _KEPT:
        return char
    return "-" if _is_dash(char) else _REPLACED.get(char)


def _is_dash(char: str) -> bool:
    return char == "\N{MINUS SIGN}" or unicodedata.category(char) == "Pd"


# --- Primotexto: line feeds and transliteration ---


def normalise_newlines(text: str) -> str:
    """CR LF counts as one line feed."""
    return text.replace("\r\n", "\n")


_CLOSEST = {
    source: target
    for sources, target in (
        ("’‘‚‛`´′ʼ", "'"),
        ("“”„‟«»″", '"'),
        ("‹", "<"),
        ("›", ">"),
        ("•·‣∙", "-"),
        ("\t", " "),
        ("œ", "oe"),
        ("Œ", "OE"),
        ("ł", "l"),
        ("Ł", "L"),
        ("đð", "d"),
        ("þ", "th"),
        ("ı", "i"),
        ("Đ", "D"),
        ("µ", "u"),
        ("°", "o"),
        ("¨", '"'),
        ("×", "x"),
        ("÷⁄", "/"),
        ("©", "(c)"),
        ("®", "(r)"),
        ("¦", "|"),
        ("¬", "-"),
        ("¢", "c"),
        ("\u2028\u2029\u0085", "\n"),
    )
    for source in sources
}


def transliterate(text: str) -> str | None:
    """The same text with the closest GSM characters; None if one character has none (an emoji, another script)."""
    if not _FOREIGN.search(text):
        return text
    pieces: list[str] = []
    for char in composed(text):
        closest = _closest(char)
        if closest is None:
            return None
        pieces.append(closest)
    return "".join(pieces)


@lru_cache(maxsize=4096)
def _closest(char: str) -> str | None:
    if unicodedata.category(char) in ("Cf", "Mn"):
        return ""
    known = _fit(char)
    if known is not None:
        return known
    fitted = [_fit(piece) for piece in unicodedata.normalize("NFKD", char) if not unicodedata.combining(piece)]
    return "".join(filter(None, fitted)) if fitted and None not in fitted else None


def _fit(char: str) -> str | None:
    if char in ALPHABET:
        return char
    return "-" if _is_dash(char) else _CLOSEST.get(char)
