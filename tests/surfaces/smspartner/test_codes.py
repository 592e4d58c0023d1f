"""Every fault has its code, every code its text."""

from __future__ import annotations

import pytest

from passerelle.domain.account import AccountState
from passerelle.domain.reasons import Reason
from passerelle.surfaces.door import Barrier, of_state
from passerelle.surfaces.http import Fault
from passerelle.surfaces.smspartner import codes


def test_the_tables_are_total():
    assert set(codes.OF_REASON) == set(Reason)
    assert set(codes.OF_BARRIER) == set(Barrier)
    assert set(codes.OF_FAULT) == set(Fault)
    assert {of_state(state) for state in [*AccountState, None]} == {
        None, Barrier.KEY_UNKNOWN, Barrier.DISABLED, Barrier.BLOCKED, Barrier.API_DENIED,
    }  # fmt: skip


def test_every_code_has_a_text():
    used = {*codes.OF_REASON.values(), *codes.OF_BARRIER.values(), *codes.OF_FAULT.values(), *codes.ORDER}
    assert used <= set(codes.TEXTS)


def test_constraints_are_those_of_code_9_and_have_a_place():
    members = {member for member, _ in codes.CONSTRAINT_OF.values()} - {"{n}"}
    assert members <= set(codes.MEMBERS)
    listed = {reason for reason, code in codes.OF_REASON.items() if code == codes.CONSTRAINTS}
    elsewhere = {Reason.MEMBER_INVALID, Reason.CAMPAIGN_NAME_INVALID, Reason.NUMBER_FIXED, Reason.NOT_MOBILE}
    assert listed - elsewhere == set(codes.CONSTRAINT_OF) - {Reason.TEXT_MISSING}


@pytest.mark.parametrize(
    ("code", "status"), [(9, 400), (90, 400), (404, 404), (405, 405), (409, 409), (413, 413), (429, 429), (500, 500)]
)
def test_http_status(code, status):
    assert codes.status(code) == status
