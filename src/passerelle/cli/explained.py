"""An explanation on the screen, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from ..domain.text import Encoding
from ..pipeline.explain import Character, Choice, Explanation, Ruling, Verdict
from .reasons import SENTENCES, sentences
from .screen import euros, moment, plain, table

COLOURS = {Verdict.ADMITTED: "green", Verdict.HELD: "yellow", Verdict.REFUSED: "bold red"}
NAMES = {Encoding.GSM: "GSM 03.38 (160 a part, 153 when long)", Encoding.UCS2: "UCS-2 (70 a part, 67 when long)"}
POSITIONS = 5  # of one character


def show(out: Console, found: Explanation, carriers: Mapping[int, str], account: str) -> None:
    """For people."""
    until = f", until {moment(found.due_at)}" if found.verdict is Verdict.HELD else ""
    out.print(Text.assemble((found.verdict.value.upper(), COLOURS[found.verdict]), f"{until}   account {account}"))
    out.print()
    _text(out, found)
    out.print()
    out.print(table(("Rule", "Verdict", "Why"), list(_rules(found))))
    out.print()
    _recipients(out, found, carriers)
    out.print(f"Price     {euros(found.cost)}; balance {euros(found.balance)} -> {euros(found.balance_after)}")
    out.print(f"Lane      {found.lane.name.lower()}")


def _text(out: Console, found: Explanation) -> None:
    copy = found.copy
    count = f"{len(copy.parts)} part{'s' if len(copy.parts) > 1 else ''}"
    out.print(f"Text      {count}, {copy.units} units, {NAMES[copy.encoding]}")
    for number, part in enumerate(copy.parts, 1):
        out.print(Text(f"  {number:>3}  {plain(part)}"))
    if copy.stop_added:
        out.print(Text(f"Added     {plain(copy.stop_added.strip())}: the mention that marketing needs"))
    if copy.doubled:
        out.print(Text(f"Double    {' '.join(copy.doubled)}: these count twice"))
    rows = [
        (one.char, one.name, _places(one), "not in GSM 03.38" if one.foreign else "", _becomes(one))
        for one in copy.characters
    ]
    if rows:
        out.print()
        out.print(table(("Character", "Name", "At", "", "Travels as"), rows))


def _places(one: Character) -> str:
    more = ", ..." if len(one.positions) > POSITIONS else ""
    return ", ".join(map(str, one.positions[:POSITIONS])) + more


def _becomes(one: Character) -> str:
    return "itself" if one.becomes == one.char else repr(one.becomes)[1:-1] or "(nothing)"


def _rules(found: Explanation) -> Iterator[tuple[object, ...]]:
    for ruling in found.rulings:
        yield ruling.rule, Text(ruling.verdict.value, COLOURS[ruling.verdict]), _why(ruling)


def _why(ruling: Ruling) -> str:
    said = [sentences(ruling.findings)] if ruling.findings else []
    said += [ruling.why] if ruling.why else []
    said += [f"until {moment(ruling.until)}"] if ruling.until else []
    return "; ".join(said)


def _recipients(out: Console, found: Explanation, carriers: Mapping[int, str]) -> None:
    rows = [
        (f"+{to.phone}", to.country, to.parts, euros(to.price_part), euros(to.price), _ways(to.choices, carriers))
        for to in found.destinations
    ]
    if rows:
        columns = ("Number", "Country", "Parts", "A part", "Price", "Route")
        out.print(table(columns, rows, right=frozenset({2, 3, 4})))
    for one in found.dropped:
        out.print(Text(f"Left out  {plain(one.subject) or '(no number)'}: {SENTENCES[one.reason]}"))
    if rows or found.dropped:
        out.print()


def _ways(choices: tuple[Choice, ...], carriers: Mapping[int, str]) -> str:
    return ", ".join(f"{carriers.get(one.carrier_id, one.carrier_id)}: {one.why}" for one in choices) or "no carrier"


def facts(found: Explanation, carriers: Mapping[int, str]) -> dict[str, Any]:
    """For scripts."""
    return {
        "verdict": found.verdict.value,
        "due_at": found.due_at,
        "text": {
            "sent": found.copy.text,
            "encoding": found.copy.encoding.name,
            "units": found.copy.units,
            "parts": found.copy.parts,
            "characters": [
                {"char": c.char, "name": c.name, "positions": c.positions, "foreign": c.foreign, "becomes": c.becomes}
                for c in found.copy.characters
            ],
            "doubled": found.copy.doubled,
            "stop_added": found.copy.stop_added,
        },
        "rules": [
            {
                "rule": one.rule,
                "verdict": one.verdict.value,
                "reasons": [finding.reason.value for finding in one.findings],
                "until": one.until,
                "why": one.why,
            }
            for one in found.rulings
        ],
        "recipients": [
            {
                "phone": f"+{to.phone}",
                "country": to.country,
                "parts": to.parts,
                "price_part": to.price_part / 1e6,
                "price": to.price / 1e6,
                "routes": [
                    {"carrier": carriers.get(c.carrier_id, str(c.carrier_id)), "taken": c.taken, "why": c.why}
                    for c in to.choices
                ],
            }
            for to in found.destinations
        ],
        "left_out": [
            {"phone": one.subject, "position": one.position, "reason": one.reason.value} for one in found.dropped
        ],
        "cost": found.cost / 1e6,
        "balance": found.balance / 1e6,
        "balance_after": found.balance_after / 1e6,
        "lane": found.lane.name.lower(),
    }
