"""Options that make a request of a text."""

from __future__ import annotations

from datetime import UTC, datetime

from passerelle.cli.wishes import Wishes
from passerelle.domain.message import TrafficClass
from passerelle.domain.pricing import Service
from passerelle.domain.profile import PRIMOTEXTO, SMSPARTNER

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


def test_without_options_it_is_a_plain_transactional_text_now() -> None:
    made = Wishes().wanted([("061", None)], "a", NOW)
    assert (made.service, made.traffic, made.stop_mention, made.due_at, made.sender) == (
        Service.PREMIUM,
        TrafficClass.TRANSACTIONAL,
        False,
        None,
        "",
    )
    assert Wishes().profile is SMSPARTNER


def test_each_option_reaches_the_request() -> None:
    wishes = Wishes(
        sender="Bakery", eco=True, marketing=True, unicode=True, at="2026-12-24T09:30Z", dialect="primotexto"
    )
    made = wishes.wanted([], "a", NOW)
    assert (made.service, made.traffic, made.stop_mention, made.unicode) == (
        Service.ECO,
        TrafficClass.MARKETING,
        True,
        True,
    )
    assert (made.sender, made.due_at) == ("Bakery", datetime(2026, 12, 24, 9, 30, tzinfo=UTC))
    assert wishes.profile is PRIMOTEXTO
