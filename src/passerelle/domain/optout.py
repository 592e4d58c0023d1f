"""STOP: the word in a reply that means "never again", and the mention that tells people of it.

One rule: in doubt a reply is an opt-out, and a mention is not there.
"""

from __future__ import annotations

import re

from .text import composed

STOP_WORDS = frozenset({"STOP"})
LONGEST = 20_000  # characters of a reply that are looked at: 255 parts have less

_RUN = re.compile(r"[^\W_]+")
# Primotexto section 13: STOP, then at most 12 other characters, then a number of exactly 5 digits.
_ANY_MENTION = re.compile(r"STOP.{0,12}?(?<![0-9])[0-9]{5}(?![0-9])", re.IGNORECASE | re.DOTALL)
_MENTION_WINDOW = 40


def is_stop(text: str, words: frozenset[str] = STOP_WORDS) -> bool:
    """Whether the first word of a reply, without punctuation and case, is one of `words`.

    The first word ends at a blank; "S.T.O.P" and "stop,merci" are both read as STOP.
    """
    for token in composed(text[:LONGEST]).split():
        runs = _RUN.findall(token)
        if runs:
            stops = {word.casefold() for word in words}
            return runs[0].casefold() in stops or "".join(runs).casefold() in stops
    return False


def has_stop_mention(text: str, short_code: str) -> bool:
    """Whether a text already ends with STOP and this short code, any case (SMS Partner section 3.3)."""
    return re.search(rf"STOP(?:\s+au)?\s*{re.escape(short_code)}\s*\Z", text, re.IGNORECASE) is not None


def has_any_stop_mention(text: str) -> bool:
    """Whether the last 40 characters hold STOP, at most 12 other characters, and a 5-digit number, any case."""
    end = text[-_MENTION_WINDOW:]
    return "STOP" in end.upper() and _ANY_MENTION.search(end) is not None  # few texts have the word


def mention_start(text: str) -> int:
    """Where the mention at the end of a text begins; the end of a text that has none."""
    window = max(len(text) - _MENTION_WINDOW, 0)
    found = _ANY_MENTION.search(text, window)
    return len(text) if found is None else found.start()


def append_mention(text: str, mention: str) -> str:
    """The text with the mention at its end; the mention brings its own line feed."""
    return text + mention
