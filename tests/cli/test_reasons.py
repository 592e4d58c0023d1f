"""Every reason has its sentence."""

from __future__ import annotations

from passerelle.cli.reasons import SENTENCES, sentence, sentences
from passerelle.domain.reasons import Finding, Reason


def test_every_reason_is_told_in_a_sentence_of_its_own() -> None:
    assert set(SENTENCES) == set(Reason)
    assert len(set(SENTENCES.values())) == len(Reason)


def test_findings_name_what_they_are_about_once() -> None:
    twice = [Finding(Reason.CREDIT), Finding(Reason.CREDIT), Finding(Reason.NUMBER_INVALID, "12", 0)]
    assert sentence(twice[2]) == "12: this is no telephone number"
    assert sentences(twice).count("credit is too low") == 1
