from __future__ import annotations

import pytest

from passerelle.domain.numbers import Kind, Number, normalise
from passerelle.simulator import behaviours
from passerelle.simulator.rcs_behaviours import MAGIC, ORDINARY, WITHOUT, rcs_script_for, rcs_table


@pytest.mark.parametrize("number", MAGIC)
def test_magic_numbers_are_mobiles_of_the_range_for_fiction_and_no_others(number):
    assert normalise("0" + number[2:]) == Number("+" + number, "FR", Kind.MOBILE)
    assert number not in behaviours.MAGIC and int(number[-1]) % 2 == 0


def test_the_table_names_every_number():
    rows = rcs_table()
    assert [number for number, _, _ in rows] == [*MAGIC, "even", "odd"]
    assert all(story.endswith(".") for _, _, story in rows) and len({name for _, name, _ in rows}) == len(rows)


def test_an_even_last_digit_has_rcs():
    assert rcs_script_for("+33639980002") is ORDINARY and rcs_script_for("33639980001") is WITHOUT
    assert rcs_script_for("+33639988056") is MAGIC["33639988056"]
