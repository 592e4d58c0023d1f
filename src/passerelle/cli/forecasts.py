"""A forecast in words and as facts, for `passerelle campaigns`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..domain.reasons import Reason
from .reasons import SENTENCES
from .screen import console, euros, moment, plain

if TYPE_CHECKING:
    from ..pipeline.forecast import Forecast


def obstacles_of(found: Forecast) -> list[str]:
    """Why it cannot be launched."""
    told = [SENTENCES[one.reason] for one in found.findings]
    if not told and not found.recipients:
        told.append("everybody would be left out")
    return told + ([SENTENCES[Reason.CREDIT]] if found.cost > found.balance else [])


def facts(found: Forecast, obstacles: list[str]) -> dict[str, Any]:
    """For scripts."""
    return {
        "contacts": found.contacts,
        "recipients": found.recipients,
        "left_out": dict(found.left_out),
        "obstacles": obstacles,
        "parts": found.parts,
        "by_parts": {str(parts): count for parts, count in sorted(found.by_parts.items())},
        "price": found.cost / 1e6,
        "balance": found.balance / 1e6,
        "leaves_at": found.due_at,
        "held": found.held,
        "expected_end": found.expected_end,
        "unknown_fields": list(found.unknown_fields),
        "example": found.example,
    }


def show_forecast(found: Forecast, obstacles: list[str]) -> None:
    """For people."""
    out = console()
    out.print(f"{found.recipients} of {found.contacts} contacts, {found.parts} parts, {euros(found.cost)} of "
              f"{euros(found.balance)}")  # fmt: skip
    show_left_out(found.left_out)
    if found.due_at is not None:
        end = f", the last expected at {moment(found.expected_end)}" if found.expected_end else ""
        held = f"; {found.held} later, when their own hours open" if found.held else ""
        out.print(f"leaves from {moment(found.due_at)}{end}{held}")
    if found.unknown_fields:
        names = ", ".join(f"{{{{{name}}}}}" for name in found.unknown_fields)
        out.print(f"no contact has {names}", markup=False)
    if found.example:
        out.print(f"  {plain(found.example)}", markup=False)
    for one in obstacles:
        out.print(f"it cannot be launched: {one}", markup=False)


def show_left_out(left_out: Mapping[str, int]) -> None:
    """Contacts to whom nothing is sent, the most frequent reason first."""
    for reason, count in sorted(left_out.items(), key=lambda one: -one[1]):
        print(f"  {count:>7}  left out: {SENTENCES[Reason(reason)]}")
