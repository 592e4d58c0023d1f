"""What the commands show: tables for people, JSON for scripts, one line for what goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:  # most commands show nothing, and `up` is waited for
    from rich.console import Console
    from rich.table import Table

WIDE = 200  # columns where nobody watches: a line of a log is not wrapped


class Problem(Exception):
    """What went wrong, and what to do: a sentence for the person at the keyboard."""


def console() -> Console:
    """Standard output; colours only on a terminal, and never against NO_COLOR."""
    from rich.console import Console

    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDE)


def show_json(facts: Any) -> None:
    """For scripts."""
    print(msgspec.json.format(msgspec.json.encode(facts), indent=1).decode())


def plain(text: str) -> str:
    """On one line, without what a terminal would obey: texts come from anybody's telephone."""
    shown = text.replace("\r\n", "\n").replace("\n", "⏎")
    return "".join(char if char.isprintable() else "\ufffd" for char in shown)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: frozenset[int] = frozenset()) -> Table:
    """A plain table; `right`: columns of figures. Values are never read as markup."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for place, name in enumerate(columns):
        made.add_column(name, justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(value if isinstance(value, Text) else Text(plain(str(value))) for value in row))
    return made


def euros(micro: int) -> str:
    """`0.038 EUR`, below zero too."""
    from ..domain import pricing

    return f"{'-' if micro < 0 else ''}{pricing.text(abs(micro))} EUR"


def parse_euros(written: str) -> int:
    """Micro-euros of `25.50` or `25,50`. Raises Problem."""
    from decimal import InvalidOperation

    from ..domain import pricing

    try:
        return pricing.parse(written.strip().replace(",", "."))
    except (InvalidOperation, ValueError, OverflowError):
        raise Problem(f"{written!r} is not an amount; write euros like 25.50") from None


def moment(at: datetime) -> str:
    """A time in the zone of this machine, to the second."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def span(length: timedelta) -> str:
    """`3 s`, `12 min`, `5 h`, `3 days`: the largest unit that fits."""
    seconds = round(length.total_seconds())
    for size, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}"
    return f"{seconds} s"


def parse_time(written: str, now: datetime) -> datetime:
    """A sending time in ISO 8601, in the zone of this machine where it names none. Raises Problem."""
    try:
        at = datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Problem(f"--at {written!r} is not a time; write it like 2026-12-24T09:30") from None
    if at < now:
        raise Problem(f"--at {written} is in the past (it is {moment(now)} here)")
    return at


def problem_of(error: Exception) -> str | None:
    """The sentence for an error that a person can do something about; None: a bug, to be seen whole."""
    from ..demo.places import CannotStart, NotUp
    from ..settings import SettingError
    from ..store.inspection import complaint
    from ..store.migrations import MigrationError

    if isinstance(error, (Problem, SettingError, CannotStart, NotUp, MigrationError)):
        return str(error)
    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        inner = error.exceptions[0]
        return problem_of(inner) if isinstance(inner, Exception) else None
    return complaint(error)


def progress_bar(note: str) -> Any:
    """A bar that moves, `note` behind a figure of its own; nothing where nobody watches."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]} " + note),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
