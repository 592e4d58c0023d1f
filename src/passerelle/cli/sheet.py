"""A CSV file as lines to send: columns, merge fields, the file of refused lines, the note that lets a run go on.

The one rule: one row in memory at a time, whatever the size of the file.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..pipeline.bulk import Line
from .screen import Problem, moment

if TYPE_CHECKING:
    from ..store.imports import Refusal

FIELD = re.compile(r"\{([^{}]+)\}")
KEPT = timedelta(hours=23)  # answers are kept for 24 hours: after that nobody knows what was sent


class Sheet:
    """A CSV file in UTF-8 with a header; commas, semicolons or tabs between. Raises Problem for what it is not."""

    def __init__(self, path: Path, template: str | None) -> None:
        self.path = path
        self.delimiter = ","
        self.columns: list[str] = []
        self.total, self.digest = self._measure()
        self._phone = self._place("phone")
        self._text = None if template is not None else self._place("text")
        self._template = template or ""
        self._fields = {field: self._place(field) for field in FIELD.findall(self._template)}

    def _measure(self) -> tuple[int, str]:
        """Rows, and what tells this content from any other."""
        try:
            with open(self.path, "rb") as raw:
                digest = hashlib.file_digest(raw, "sha256").hexdigest()
            with open(self.path, encoding="utf-8-sig", newline="") as file:
                self.delimiter = _delimiter(file.readline())
                file.seek(0)
                rows = csv.reader(file, delimiter=self.delimiter)
                self.columns = [name.strip() for name in next(rows, [])]
                return sum(1 for row in rows if any(row)), digest
        except OSError as error:
            raise Problem(f"{self.path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise Problem(f"{self.path} is not UTF-8: save it as CSV UTF-8") from None
        except csv.Error as error:
            raise Problem(f"{self.path} is no CSV file: {error}") from None

    def _place(self, name: str) -> int:
        folded = [column.casefold() for column in self.columns]
        if name.strip().casefold() not in folded:
            raise Problem(
                f"{self.path} has no column {name.strip()!r}; it has: {', '.join(self.columns) or 'none'}"
                + (". Without a column `text`, give the text with --text" if name == "text" else "")
            )
        return folded.index(name.strip().casefold())

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Number from 1, and cells; empty rows are passed over."""
        with open(self.path, encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, delimiter=self.delimiter)
            next(rows, None)
            yield from enumerate((row for row in rows if any(row)), 1)

    def lines(self) -> Iterator[Line]:
        """What is to be sent."""
        for number, row in self.rows():
            cells = row + [""] * (len(self.columns) - len(row))
            text = self._merged(cells) if self._text is None else cells[self._text]
            yield Line(number, cells[self._phone].strip(), text)

    def _merged(self, cells: list[str]) -> str:
        return FIELD.sub(lambda match: cells[self._fields[match[1]]].strip(), self._template)


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def private(path: str, flags: int) -> int:
    """Opens a file that nobody else reads."""
    return os.open(path, flags, 0o600)


class RefusedLines:
    """`<file>.refused.csv`: number, text and reason of each line that was refused; made when the first is."""

    def __init__(self, sheet: Sheet) -> None:
        self.path = sheet.path.with_name(sheet.path.name + ".refused.csv")
        self._delimiter = sheet.delimiter
        self._file: Any = None
        self._writer: Any = None
        self.path.unlink(missing_ok=True)

    def add(self, line: Line, reason: str) -> None:
        """One line."""
        if self._file is None:
            self._file = open(self.path, "x", encoding="utf-8", newline="", opener=private)  # noqa: SIM115
            self._writer = csv.writer(self._file, delimiter=self._delimiter)
            self._writer.writerow(("line", "phone", "text", "reason"))
        self._writer.writerow((line.number, line.phone, line.text, reason))

    def close(self) -> bool:
        """Whether there were any."""
        if self._file is not None:
            self._file.close()
        return self._file is not None


@dataclass(frozen=True)
class Progress:
    """`<file>.progress`: the name of a run, so that it can be gone on with; `of`: what was sent and how."""

    path: Path
    run: str
    begun: datetime
    of: str
    ended: bool = False

    @classmethod
    def begin(cls, sheet: Sheet, how: object, now: datetime, *, resume: bool, again: bool) -> Progress:
        """A new run, or the one that broke off. Raises Problem where lines could be sent twice."""
        path = sheet.path.with_name(sheet.path.name + ".progress")
        of = hashlib.sha256(json.dumps([sheet.digest, how]).encode()).hexdigest()
        before = cls.read(path)
        if resume:
            return cls._resumed(before, path, of, now)
        if before is not None and not again:
            word = "was sent" if before.ended else "was begun to be sent"
            hint = "" if before.ended else "go on with --resume, or "
            raise Problem(
                f"{sheet.path} {word} on {moment(before.begun)}: {hint}send everything once more with --again"
            )
        made = cls(path, secrets.token_hex(16), now, of)
        made.write()
        return made

    @classmethod
    def _resumed(cls, before: Progress | None, path: Path, of: str, now: datetime) -> Progress:
        if before is None:
            raise Problem(f"there is nothing to resume: {path} does not exist")
        if before.of != of:
            raise Problem("the file or the options are not those of the run that broke off: use the same ones")
        if now - before.begun > KEPT:
            raise Problem(
                f"the run began on {moment(before.begun)}, and what was sent is known for {KEPT.seconds // 3600} hours "
                "only: look at `passerelle status NUMBER`, and send the rest as a new file"
            )
        return before

    @classmethod
    def read(cls, path: Path) -> Progress | None:
        """The note of an earlier run."""
        try:
            kept = json.loads(path.read_text())
            return cls(path, kept["run"], datetime.fromisoformat(kept["begun"]), kept["of"], kept["ended"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError) as error:
            raise Problem(f"{path} cannot be read ({error}): remove it if nothing of the file was sent") from None

    def end(self) -> None:
        """Everything was answered."""
        Progress(self.path, self.run, self.begun, self.of, True).write()

    def forget(self) -> None:
        """Nothing was sent."""
        self.path.unlink(missing_ok=True)

    def write(self) -> None:
        """On disk before anything is sent."""
        kept = {"run": self.run, "begun": self.begun.astimezone(UTC).isoformat(), "of": self.of, "ended": self.ended}
        unfinished = self.path.with_name(self.path.name + ".new")
        try:
            with open(unfinished, "w") as out:
                json.dump(kept, out)
                out.flush()
                os.fsync(out.fileno())
            unfinished.replace(self.path)
        except OSError as error:
            raise Problem(f"{self.path} cannot be written ({error.strerror}): it is needed to resume") from None


async def write_refused(
    path: Path, count: int, page: Callable[[int], Awaitable[list[Refusal]]], why: Callable[[int], str]
) -> Path | None:
    """`<file>.refused.csv`: line, number and reason of each of `count` lines; None where there is none.

    `page(last)`: those behind a line.
    """
    from ..pipeline.contact_import import harmless

    target = path.with_name(path.name + ".refused.csv")
    target.unlink(missing_ok=True)
    if not count:
        return None
    last = 0
    with open(target, "x", encoding="utf-8", newline="", opener=private) as out:
        rows = csv.writer(out)
        rows.writerow(("line", "phone", "reason"))
        while found := await page(last):
            rows.writerows((row.line, harmless(row.phone), why(row.reason)) for row in found)
            last = found[-1].line
    return target
