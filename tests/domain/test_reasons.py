"""Reasons are words that other programs read."""

from __future__ import annotations

import re

from passerelle.domain.reasons import Finding, Reason


def test_every_reason_is_a_word_of_its_own() -> None:
    assert len({one.value for one in Reason}) == len(Reason)
    assert all(re.fullmatch("[a-z_]+", one.value) and one.value == one.name.lower() for one in Reason)


def test_a_finding_is_of_the_request_where_it_names_nobody() -> None:
    assert Finding(Reason.CREDIT).position == -1
