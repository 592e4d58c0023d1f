"""What may become of calls to a long number, and in which order it is refused."""

from __future__ import annotations

import pytest

from passerelle.domain.forwarding import Forwarding, Owned, Refusal, Rule, decide, is_address

OFF, TO, MAIL = Rule(), Rule(Forwarding.FORWARD, "+33639980009"), Rule(Forwarding.VOICEMAIL, "a@b.example")


@pytest.mark.parametrize(
    ("rule", "kind", "target", "verdict"),
    [
        (OFF, 1, "0639980009", TO),
        (OFF, 1, " +33 6 39 98 00 09 ", TO),
        (OFF, 2, "a@b.example", MAIL),
        (TO, 0, "whatever", OFF),
        (TO, 1, "+32470123456", Rule(Forwarding.FORWARD, "+32470123456")),
        (MAIL, 2, "c@b.example", Rule(Forwarding.VOICEMAIL, "c@b.example")),
        (MAIL, 1, "0639980009", TO),
        (OFF, 0, "", Refusal.ALREADY_OFF),
        (TO, 1, "0033639980009", Refusal.ALREADY_FORWARDED),
        (MAIL, 2, "a@b.example", Refusal.ALREADY_VOICEMAIL),
        (OFF, None, "", Refusal.KIND_MISSING),
        (OFF, -1, "", Refusal.KIND_INVALID),
        (OFF, 3, "", Refusal.KIND_INVALID),
        (OFF, 1, "", Refusal.TARGET_MISSING),
        (OFF, 2, " ", Refusal.TARGET_MISSING),
        (OFF, 1, "a@b.example", Refusal.TARGET_INVALID),
        (OFF, 1, "0644630001", Refusal.TARGET_INVALID),  # itself
        (OFF, 2, "0639980009", Refusal.ADDRESS_INVALID),
    ],
)
def test_what_holds_from_now_on(rule: Rule, kind: int | None, target: str, verdict: Rule | Refusal) -> None:
    assert decide(Owned(33644630001, True, rule), kind, target) == verdict


def test_a_number_comes_before_what_is_wanted_of_it() -> None:
    assert decide(None, None, "") is Refusal.NUMBER_UNKNOWN
    assert decide(Owned(33644630001, False, OFF), None, "") is Refusal.NUMBER_DISABLED


@pytest.mark.parametrize("text", ["a@b", "a b@c.fr", "@b.fr", "a@b.fr\n", "a@.fr", "a@b..fr", "x" * 250 + "@b.fr"])
def test_what_is_no_address(text: str) -> None:
    assert not is_address(text)
