from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from passerelle.domain.rcs_names import message_of, name_of


@given(st.integers(0, 2**63 - 1), st.integers(1, 10**15), st.text())
def test_a_name_is_a_uuid_that_tells_its_message(message_id: int, phone: int, content: str) -> None:
    name = name_of(message_id, phone, content)
    assert str(UUID(name)) == name and UUID(name).version == 8
    assert message_of(name) == message_of(name.upper()) == message_id


def test_a_name_is_the_same_at_every_attempt_and_another_for_another_message() -> None:
    assert name_of(5, 33639980001, "a") == name_of(5, 33639980001, "a")
    names = {
        name_of(5, 33639980001, "a"),
        name_of(6, 33639980001, "a"),
        name_of(5, 33639980002, "a"),
        name_of(5, 33639980001, "b"),
    }
    assert len(names) == 4


def test_other_names_are_nobodys() -> None:
    for name in ("", "x", "b1a6c3e2-1111-4111-8111-111111111111", "0" * 31):
        assert message_of(name) is None
