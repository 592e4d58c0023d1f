"""The codes: total over our reasons, with the statuses of section 2.9."""

from __future__ import annotations

import msgspec
import pytest

from passerelle.domain.reasons import Finding, Reason
from passerelle.surfaces.door import Barrier
from passerelle.surfaces.primotexto import codes
from passerelle.surfaces.primotexto.routes import BARRIERS


def test_every_reason_has_a_code_that_a_send_may_answer() -> None:
    assert set(codes.CODES) == set(Reason)
    assert set(codes.CODES.values()) <= set(codes.ORDER) <= set(codes.TEXTS)
    assert set(codes.STATUSES) <= set(codes.TEXTS)
    assert set(BARRIERS) == set(Barrier)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, {70, 72}),
        (404, {16, 47, 60, 93}),
        (409, {42, 43, 46}),
        (413, {18}),
        (429, {74, 76}),
        (500, {94, 95, 1000}),
    ],
)
def test_the_status_of_each_code(status: int, expected: set[int]) -> None:
    assert {code for code in codes.TEXTS if codes.status_of(code) == status} == expected


def test_the_rest_is_400_and_403_is_never_used() -> None:
    assert {codes.status_of(code) for code in codes.TEXTS} == {400, 401, 404, 409, 413, 429, 500}


def test_a_failure_says_the_same_twice() -> None:
    text = "invalid phone number syntax"
    assert msgspec.json.decode(codes.error(11)) == {"code": 11, "error": text, "message": text}


def test_the_first_of_several_faults_answers() -> None:
    reasons = [Reason.CREDIT, Reason.TEXT_LONG, Reason.SENDER_DIGITS, Reason.NUMBER_FIXED]
    assert codes.first_code(Finding(reason) for reason in reasons) == 19
    assert codes.first_code([]) == 11
