from __future__ import annotations

import pytest

from passerelle.domain.numbers import Kind, Number, normalise
from passerelle.simulator.behaviours import MAGIC, ORDINARY, Reply, script_for, steps, table
from passerelle.smpp.receipt import ReportState


@pytest.mark.parametrize("number", MAGIC)
def test_magic_numbers_are_mobiles_of_the_range_for_fiction(number):
    assert normalise("0" + number[2:]) == Number("+" + number, "FR", Kind.MOBILE)
    assert number.startswith("3363998")


def test_the_table_names_every_number_once_and_differently():
    rows = table()
    assert [number for number, _, _ in rows] == [*MAGIC, "any other"]
    assert len({name for _, name, _ in rows}) == len(rows)
    assert all(story.endswith(".") for _, _, story in rows)


def test_a_plus_makes_no_difference_and_other_numbers_are_ordinary():
    assert script_for("+33639988001") is script_for("33639988001") is not ORDINARY
    assert script_for("33612345678") is ORDINARY


@pytest.mark.parametrize(
    ("number", "registered", "states"),
    [
        ("33612345678", 0, []),
        ("33612345678", 1, ["DELIVRD"]),
        ("33612345678", 17, ["DELIVRD"]),
        ("33612345678", 2, []),
        ("33639988001", 2, ["UNDELIV"]),
        ("33639988035", 1, ["ACCEPTD", "ENROUTE", "DELIVRD"]),
        ("33639988040", 0, ["STOP"]),
    ],
)
def test_only_the_receipts_asked_for_are_sent(number, registered, states):
    plan = steps(script_for(number), registered)
    assert [step.text if isinstance(step, Reply) else step.state.value for step in plan] == states


def test_what_reaches_a_handset_is_never_reported_as_failed():
    for script in MAGIC.values():
        ends = [step.state for step in script.steps if not isinstance(step, Reply)]
        assert script.reaches == (not ends or ends[-1] is ReportState.DELIVRD) or script.name in (
            "refused for ever", "never ready", "silent",
        )  # fmt: skip
