"""An explanation on the screen."""

from __future__ import annotations

import io

from pipeline.test_explain import ACCOUNT, TUESDAY, told, wanted
from rich.console import Console

from passerelle.cli.explained import facts, show
from passerelle.domain.message import TrafficClass

NAMES = {1: "orange", 2: "thrifty", 3: "belgian"}


def shown(found, **options) -> str:
    out = io.StringIO()
    show(Console(file=out, width=200, **options), found, NAMES, ACCOUNT.email)
    return out.getvalue()


def test_what_is_text_is_never_markup_and_colours_are_for_terminals() -> None:
    found = told(wanted(text="[red]Bonjour[/red] \x1b[31m"))
    assert "(red)Bonjour(/red)" in shown(found)
    assert "\x1b" not in shown(found)
    assert "\x1b[32mADMITTED" in shown(found, force_terminal=True, color_system="standard")


def test_many_places_of_a_character_are_cut_short() -> None:
    assert "1, 2, 3, 4, 5, ..." in shown(told(wanted(text="œ" * 9)))


def test_a_hold_names_its_end() -> None:
    found = told(wanted(traffic=TrafficClass.MARKETING), now=TUESDAY.replace(hour=20))
    assert "HELD, until 2026-11-12" in shown(found)
    assert facts(found, NAMES)["rules"][5]["verdict"] == "held"


def test_an_unknown_carrier_is_named_by_its_number() -> None:
    assert facts(told(wanted()), {})["recipients"][0]["routes"][0]["carrier"] == "1"
