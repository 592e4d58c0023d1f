"""A forecast says why it cannot be launched, in one sentence each."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from passerelle.cli.forecasts import facts, obstacles_of, show_forecast, show_left_out
from passerelle.cli.reasons import SENTENCES
from passerelle.domain.reasons import Finding, Reason
from passerelle.pipeline.forecast import Forecast

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


def foreseen(**more) -> Forecast:
    known = {
        "contacts": 3, "recipients": 2, "left_out": {"not_mobile": 1}, "findings": (), "parts": 3, "by_parts": {2: 1, 1: 1},
        "cost": 114_000, "balance": 1_000_000, "due_at": NOW, "held": 1, "expected_end": NOW, "unknown_fields": ["prénon"],
        "example": "Bonjour [b]",
    }  # fmt: skip
    return Forecast(**known | more)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, []),
        ({"balance": 113_999}, [SENTENCES[Reason.CREDIT]]),
        ({"recipients": 0, "cost": 0}, ["everybody would be left out"]),
        ({"recipients": 0, "cost": 0, "findings": [Finding(Reason.DATE_PAST)]}, [SENTENCES[Reason.DATE_PAST]]),
    ],
)
def test_what_stands_in_the_way(more, said):
    assert obstacles_of(foreseen(**more)) == said


def test_it_is_told_to_people_and_to_scripts(capsys):
    show_forecast(foreseen(), ["no"])
    said = capsys.readouterr().out
    assert (
        "2 of 3 contacts, 3 parts, 0.114 EUR of 1.000 EUR" in said and "1  left out: this is no mobile number" in said
    )
    assert "the last expected at" in said and "1 later, when their own hours open" in said
    assert "no contact has {{prénon}}" in said and "Bonjour [b]" in said and "it cannot be launched: no" in said
    told = facts(foreseen(), ["no"])
    assert (told["price"], told["by_parts"], told["obstacles"]) == (0.114, {"1": 1, "2": 1}, ["no"])
    show_left_out({"duplicate": 1, "opted_out": 20})
    assert capsys.readouterr().out.splitlines()[0].endswith(SENTENCES[Reason.OPTED_OUT])
