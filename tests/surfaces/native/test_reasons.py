"""Every reason of a refusal is told, with its place."""

from __future__ import annotations

import pytest

from passerelle.domain.reasons import Finding, Reason
from passerelle.surfaces.native.reasons import TABLE, fault, refused
from passerelle.surfaces.native.sending import Send, To


def test_every_reason_is_told_and_points_at_a_member() -> None:
    assert set(TABLE) == set(Reason)
    members = {"class" if name == "traffic" else name for name in Send.__struct_fields__} | {""}
    assert {member for member, _ in TABLE.values()} <= members
    assert all(detail.endswith(".") for _, detail in TABLE.values())
    assert "text" in To.__struct_fields__


@pytest.mark.parametrize(
    ("finding", "pointer"),
    [
        (Finding(Reason.SENDER_LONG), "#/sender"),
        (Finding(Reason.OPTED_OUT, "+33639980001", 7), "#/to/7"),
        (Finding(Reason.TEXT_LONG, "+33639980001", 7), "#/to/7/text"),
        (Finding(Reason.CREDIT), "#"),
    ],
)
def test_where_it_is(finding: Finding, pointer: str) -> None:
    assert fault(finding).pointer == pointer


def test_money_and_quota_are_problems_of_their_own() -> None:
    assert refused([Finding(Reason.CREDIT)], []).slug == "credit"
    assert refused([Finding(Reason.QUOTA)], []).slug == "quota"
    assert refused([], [Finding(Reason.OPTED_OUT, "x", 0)]).slug == "refused"
