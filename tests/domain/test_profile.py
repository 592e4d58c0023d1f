"""What really differs between the dialects (smspartner-v1 section 3, primotexto-v2 section 2)."""

from __future__ import annotations

import pytest

from passerelle.domain.message import Dialect
from passerelle.domain.profile import PRIMOTEXTO, SMSPARTNER


@pytest.mark.parametrize(
    ("member", "smspartner", "primotexto"),
    [
        ("dialect", Dialect.SMSPARTNER, Dialect.PRIMOTEXTO),
        ("max_parts", 10, 6),
        ("characters", "replace", "account"),
        ("bare_international", True, False),
        ("date_when_closed", "refuse", "account"),
        ("sender_blanks", True, False),
        ("fixed_line_reason", False, True),
        ("bounces_refuse", False, True),
        ("media_type", "application/json", "application/json;charset=UTF-8"),
    ],
)
def test_the_rules_of_a_dialect(member: str, smspartner: object, primotexto: object) -> None:
    assert (getattr(SMSPARTNER, member), getattr(PRIMOTEXTO, member)) == (smspartner, primotexto)


def test_a_profile_is_frozen() -> None:
    with pytest.raises(AttributeError):
        SMSPARTNER.max_parts = 1  # type: ignore[misc]
