"""What a number tells of itself."""

from __future__ import annotations

import pytest

from passerelle.domain.lookup import Looked, look_up


def test_a_number_whole() -> None:
    assert look_up("0639980001") == Looked(
        "+33639980001", "FR", "France", 33, "Mobile", "+33 6 39 98 00 01", "06 39 98 00 01", "tel:+33-6-39-98-00-01"
    )


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("+33700000001", "Mobile"), ("0145000001", "Fixed_line"), ("0800123456", "Toll_free"), ("0899000000", "Premium_rate"),
        ("0970000001", "Voip"), ("+12025550123", "Fixed_line_or_mobile"), ("0690123456", "Mobile"),
        ("0810123456", "Shared_cost"), ("+447010000000", "Personal_number"), ("+447640123456", "Pager"),
        ("+443001234567", "Uan"),
    ],
)  # fmt: skip
def test_its_kind(written: str, kind: str) -> None:
    found = look_up(written)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize("written", ["", "12", "abc", "+3312", "x" * 200])
def test_what_is_none(written: str) -> None:
    assert look_up(written) is None
