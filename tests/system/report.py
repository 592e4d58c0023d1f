"""The dated page of a proof: what was run where, the verdict, the counts.

One rule: what was broken stands first.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from system.killing import Kill

WITNESS = "the raw bytes in the simulated operator's journal, decoded with smpplib"


def write(folder: Path, name: str, lines: Iterable[str]) -> None:
    """`crash-2026-11-20.md` of these lines, on the screen too."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}-{datetime.now(UTC):%Y-%m-%d}.md"
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    print(file.read_text(encoding="utf-8"))
    print(file)


def broken(faults: list[str], fell: Mapping[str, list[int]]) -> list[str]:
    """What did not hold."""
    return faults + [f"{name} ended by itself: {codes}" for name, codes in fell.items()]


def head(title: str, command: str, seconds: float, held: str, faults: list[str]) -> list[str]:
    """Title, command, machine, verdict; `held`: in words, where nothing was broken."""
    verdict = [f"**{held}**"] if not faults else ["**Broken:**", "", *(f"- {one}" for one in faults)]
    return [
        f"# {title}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "",
        f"`./dev prove {command}`",
        "",
        f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
        f"{seconds:.0f} s.",
        "",
        *verdict,
    ]


def counts(facts: Mapping[str, Any]) -> list[str]:
    """A table of facts."""
    return ["", "| count | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.items())]


def kills(done: Iterable[Kill]) -> list[str]:
    """A table of kills."""
    return ["", "| seconds | kill -9 |", "|---:|---|", *(f"| {kill.at:.2f} | {kill.how} |" for kill in done)]
