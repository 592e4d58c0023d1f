"""Ids that nobody guesses."""

from __future__ import annotations

from datetime import UTC, datetime

from passerelle.store.tokens import new_token, new_tokens

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def test_tokens_begin_with_their_time_and_differ():
    made = [new_token(NOW), *new_tokens(NOW, 50)]
    assert len(set(made)) == 51 and {len(token) for token in made} == {12}
    assert {int.from_bytes(token[:4], "big") for token in made} == {int(NOW.timestamp())}
