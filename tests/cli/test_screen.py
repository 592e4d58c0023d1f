"""Amounts, times and troubles in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from passerelle.cli.screen import Problem, euros, parse_euros, parse_time, plain, problem_of, span
from passerelle.demo.places import CannotStart
from passerelle.settings import SettingError

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "micro"), [("25.50", 25_500_000), ("25,5", 25_500_000), ("-3", -3_000_000), (" 0.045 ", 45_000)]
)
def test_amounts_are_read(written, micro):
    assert parse_euros(written) == micro


@pytest.mark.parametrize("written", ["", "much", "1.2.3", "1 000", "NaN", "Infinity"])
def test_what_is_no_amount_is_told(written):
    with pytest.raises(Problem, match=r"like 25\.50"):
        parse_euros(written)


def test_a_text_cannot_command_the_terminal() -> None:
    assert plain("a\x1b[31m\r\nb\x9b\u202e") == "a\ufffd[31m⏎b\ufffd\ufffd"


def test_amounts_below_zero_keep_their_sign() -> None:
    assert (euros(38_000), euros(-38_000), euros(0)) == ("0.038 EUR", "-0.038 EUR", "0.000 EUR")


def test_times_are_read_in_their_zone_or_in_ours() -> None:
    assert parse_time("2026-12-24T09:30+01:00", NOW) == datetime(2026, 12, 24, 8, 30, tzinfo=UTC)
    assert parse_time("2026-12-24T09:30", NOW) == datetime(2026, 12, 24, 9, 30).astimezone(UTC)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (200_000, "2 days")]
)
def test_spans_are_told_in_their_largest_unit(seconds, words):
    assert span(timedelta(seconds=seconds)) == words


def test_troubles_are_one_line_and_bugs_are_seen_whole() -> None:
    assert problem_of(Problem("do this")) == problem_of(CannotStart("do this")) == "do this"
    assert problem_of(ExceptionGroup("", [SettingError("a", "b")])) == "setting a: b"
    assert problem_of(ExceptionGroup("", [ValueError(), Problem("x")])) is None
    assert problem_of(KeyError("x")) is None
