from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.domain import optout
from passerelle.domain.text import Encoding, segment


@pytest.mark.parametrize(
    "reply",
    [
        "STOP",
        "stop",
        " Stop. ",
        "« stop » merci",
        "STOP!!!",
        "stop,merci",
        "S.T.O.P",
        "_stop_",
        "STOP 36000",
        "\nstop\n",
        "... stop",
        "STOP\u00a0SMS",
        "\N{ZERO WIDTH NO-BREAK SPACE}STOP",
    ],
)
def test_replies_that_mean_never_again(reply):
    assert optout.is_stop(reply)


@pytest.mark.parametrize("reply", ["", "...", "oui", "ne stop pas", "stopper", "stops", "nonstop", "please STOP"])
def test_replies_that_do_not(reply):
    assert not optout.is_stop(reply)


def test_stop_words_are_a_setting():
    words = frozenset({"STOP", "Arrêt"})
    assert optout.is_stop("ARRÊT svp", words)
    assert optout.is_stop("arre\u0302t", words)
    assert not optout.is_stop("STOP", frozenset({"ARRET"}))


@given(st.text())
def test_any_reply_has_an_answer(reply):
    assert optout.is_stop(reply) in (True, False)


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("Promo\nSTOP 36000", True),
        ("Promo STOP36000", True),
        ("Promo stop 36000", True),
        ("Promo STOP au 36000 ", True),
        ("Promo\nSTOP 36111", False),
        ("STOP 36000 pour ne plus en recevoir", False),
        ("Promo STOP 360001", False),
        ("Promo 36000", False),
        ("", False),
    ],
)
def test_mention_of_our_short_code_at_the_end(text, there):
    assert optout.has_stop_mention(text, "36000") is there


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("Promo\nSTOP 36000", True),
        ("Promo stop au 36111", True),
        ("STOP=36111", True),
        ("STOP SMS au: 36111 merci", True),
        ("STOP" + "x" * 12 + "36111", True),
        ("STOP" + "x" * 13 + "36111", False),
        ("STOP\n\r36111", True),
        ("STOP 361112", False),
        ("STOP 3611", False),
        ("STOP 36111" + "x" * 30, True),
        ("STOP 36111" + "x" * 31, False),  # STOP began before the last 40 characters
        ("36111 STOP", False),
        ("", False),
    ],
)
def test_any_mention_near_the_end(text, there):
    assert optout.has_any_stop_mention(text) is there


def test_the_mention_counts_eleven_characters():
    mentioned = optout.append_mention("a" * 150, "\nSTOP 36000")
    assert segment(mentioned, Encoding.GSM).units == 161
    assert optout.has_stop_mention(mentioned, "36000") and optout.has_any_stop_mention(mentioned)


def test_a_reply_of_any_length_takes_no_time():
    began = time.process_time()
    assert not optout.is_stop("a" + "\u0301\u0316" * 100_000 + " STOP")
    assert time.process_time() - began < 1
