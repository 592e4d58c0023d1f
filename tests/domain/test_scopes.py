"""What a key covers."""

from __future__ import annotations

import pytest

from passerelle.domain.scopes import ALL, SCOPES, covers, is_scope


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_is_covered_by_itself_its_family_and_all(scope: str) -> None:
    family, _, action = scope.partition(":")
    assert is_scope(scope) and is_scope(f"{family}:*") and is_scope(ALL) and action
    for held in (scope, f"{family}:*", ALL):
        assert covers([held], scope)
    for other in SCOPES.keys() - {scope}:
        assert not covers([other], scope)


@pytest.mark.parametrize("text", ["", ":", "messages", "messages:", "messages:fly", "*:*", "message:*", "messages:* "])
def test_what_is_no_scope(text: str) -> None:
    assert not is_scope(text)
    assert not covers([], "messages:read")
