"""A CSV file of contacts as its rows: encoding, delimiter, columns by the names that people give them.

The one rule: one row in memory at a time, whatever the size of the file.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

LONGEST = 20_000_000  # rows: the line numbers are stored as integers

_SPELLINGS = {
    "phone": "phone phonenumber number mobile mobilephone mobilenumber cell cellphone tel telephone gsm msisdn sms"
    " numero numerodetelephone numeromobile numerodemobile telephonemobile telephoneportable portable",
    "firstname": "firstname prenom givenname forename first",
    "lastname": "lastname nom name surname familyname nomdefamille last",
    "date": "date birthday birthdate dateofbirth datedenaissance naissance anniversaire",
    "url": "url link lien website siteweb site",
    "short_url": "shorturl shorturlpartnr shortlink liencourt urlcourte",
    **{
        f"custom{n}": f"custom{n} champ{n} champlibre{n} champperso{n} perso{n} personnalise{n} field{n}"
        for n in range(1, 5)
    },
}
COLUMNS = {spelling: member for member, spellings in _SPELLINGS.items() for spelling in spellings.split()}
"""How a column may be called, without case, accents, blanks and signs -> the member of a contact."""

_SIGNS = re.compile(r"[\W_]+")


class SheetError(ValueError):
    """The file cannot be imported: a sentence that says why."""


class Sheet:
    """A file with a header line; commas, semicolons or tabs between; UTF-8 (with or without BOM) or Windows-1252.

    `total`: rows that are not empty; `digest`: SHA-256 of the content. The file is read twice. Raises SheetError.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest, self.encoding = _measured(file)
        head = self._text().readline()
        self.delimiter = max(";,\t", key=head.count)
        rows = self._rows()
        self.header = next(rows, (0, []))[1]
        self.total = sum(1 for _ in rows)

    def cells(self) -> Iterator[tuple[int, list[str]]]:
        """Line of the file (the header is 1) and what stands there."""
        return islice(self._rows(), 1, None)

    def _text(self) -> io.TextIOWrapper:
        self._file.seek(0)
        return io.TextIOWrapper(_Borrowed(self._file), self.encoding, errors="replace", newline="")

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Rows that are not empty, with the line on which each begins."""
        reader = csv.reader((line.replace("\0", "") for line in self._text()), delimiter=self.delimiter)
        line = 1
        try:
            for cells in reader:
                if any(cells):
                    yield line, cells
                line = reader.line_num + 1
                if line > LONGEST:
                    raise SheetError(f"the file has more than {LONGEST} lines: cut it into several")
        except csv.Error:
            raise SheetError(f"line {line} cannot be read: a quotation mark is not closed there") from None


class ContactSheet(Sheet):
    """A file whose columns are members of contacts. Raises SheetError."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.columns = _places(self.header)

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Line of the file and the members of the contact that stands there."""
        places = list(self.columns.items())
        for line, cells in self.cells():
            count = len(cells)
            yield line, {member: cells[at].strip() for member, at in places if at < count}


class _Borrowed(io.BufferedReader):
    """A file that is still open when its reader is forgotten."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(_Unclosed(file), 1 << 16)


class _Unclosed(io.RawIOBase):
    def __init__(self, file: BinaryIO) -> None:
        self._inner = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        read = self._inner.read(len(buffer))
        buffer[: len(read)] = read
        return len(read)


def _measured(file: BinaryIO) -> tuple[bytes, str]:
    """What tells this content from any other, and how it is encoded."""
    digest, utf8 = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    is_utf8 = True
    file.seek(0)
    while chunk := file.read(1 << 16):
        digest.update(chunk)
        is_utf8 = is_utf8 and _goes_on(utf8, chunk)
    return digest.digest(), "utf-8-sig" if is_utf8 and _goes_on(utf8, b"", final=True) else "cp1252"


def _goes_on(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _places(header: list[str]) -> dict[str, int]:
    """Member -> column; of two columns for one member the first."""
    places: dict[str, int] = {}
    for at, name in enumerate(header):
        member = COLUMNS.get(plain(name))
        if member is not None:
            places.setdefault(member, at)
    if "phone" not in places:
        named = ", ".join(repr(name.strip()) for name in header[:12]) or "nothing"
        raise SheetError(f"no column of the first line is a telephone number (phone, mobile, téléphone ...): {named}")
    return places


def plain(name: str) -> str:
    """A name without case, accents, blanks and signs: `N° de téléphone` is `ndetelephone`."""
    letters = "".join(char for char in unicodedata.normalize("NFD", name) if not unicodedata.combining(char))
    return _SIGNS.sub("", letters).casefold()
