"""Opaque ids on paper: one 96-bit token, spelled in 20 letters and digits, or in 24 hexadecimal digits.

The one rule: a token has exactly one spelling of each kind, and what is no spelling of ours reads as None.
"""

from __future__ import annotations

import re
import string

LENGTH = 12  # bytes of a token

_LETTERS = string.ascii_letters
_ALL = string.ascii_letters + string.digits
_DIGITS = {char: value for value, char in enumerate(_ALL)}
_REST = len(_ALL) ** 19
_RANGE = len(_LETTERS) * _REST  # what 20 characters can say when the first is a letter, so never all digits
# Odd, and no multiple of 13 or 31: multiplying by it is a shuffle of the range, and neighbours look unrelated.
_FACTOR = 0x9E3779B97F4A7C15F39CC0605
_INVERSE = pow(_FACTOR, -1, _RANGE)
_HEX = re.compile("[0-9a-fA-F]{24}")


def text20(token: bytes) -> str:
    """The 20 characters `[A-Za-z0-9]` of SMS Partner (2.9); the first is a letter."""
    first, rest = divmod(int.from_bytes(token, "big") * _FACTOR % _RANGE, _REST)
    written = []
    for _ in range(19):
        rest, digit = divmod(rest, len(_ALL))
        written.append(_ALL[digit])
    return _LETTERS[first] + "".join(written)


def read20(text: str) -> bytes | None:
    """The token that 20 characters spell; None where they spell none."""
    if len(text) != 20 or text[0] not in _LETTERS or any(char not in _DIGITS for char in text):
        return None
    number = 0
    for char in reversed(text[1:]):
        number = number * len(_ALL) + _DIGITS[char]
    number = (number + _LETTERS.index(text[0]) * _REST) * _INVERSE % _RANGE
    return number.to_bytes(LENGTH, "big") if number < 1 << 8 * LENGTH else None


def hex24(token: bytes) -> str:
    """24 lower-case hexadecimal digits."""
    return token.hex()


def read_hex24(text: str) -> bytes | None:
    """The token that 24 hexadecimal digits spell; None where they spell none."""
    return bytes.fromhex(text) if _HEX.fullmatch(text) else None
