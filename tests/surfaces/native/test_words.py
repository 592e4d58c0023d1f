"""Words stand for all that is stored."""

from __future__ import annotations

from passerelle.domain.message import Dialect, State, TrafficClass
from passerelle.surfaces.native import words


def test_every_number_has_its_word_and_back() -> None:
    assert words.states([]) == [int(one) for one in State]
    assert words.dialects([]) == [int(one) for one in Dialect]
    assert [words.state(one) for one in State] == list(words.StateWord)
    assert [words.dialect(one) for one in Dialect] == list(words.DialectWord)
    assert [words.traffic(one) for one in TrafficClass] == list(words.ClassWord)
    assert words.states([words.StateWord.DELIVERED]) == [State.DELIVERED]
