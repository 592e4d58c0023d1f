"""A leased row as carriers take it."""

from __future__ import annotations

import pytest
from pipeline.world import TUESDAY

from passerelle.domain.message import Lane, TrafficClass
from passerelle.domain.text import Encoding
from passerelle.pipeline.due import due_part

ROW = {
    "account_id": 1, "message_id": 2, "part": 1, "submission_id": 2, "dialect": 1, "tag_key": "a", "phone": 33639980001,
    "sender": "", "text": None, "shared_text": "Bonjour", "encoding": Encoding.GSM, "parts": 1,
    "class": TrafficClass.TRANSACTIONAL, "attempts": 0, "uncertain": False, "valid_until": TUESDAY, "region": "57",
    "flash": True, "lane": Lane.CODES, "lease_until": TUESDAY,
}  # fmt: skip


@pytest.mark.parametrize(
    ("traffic", "lane", "twice"),
    [
        (TrafficClass.TRANSACTIONAL, Lane.CODES, True),
        (TrafficClass.TRANSACTIONAL, Lane.TRANSACTIONAL, True),
        (TrafficClass.TRANSACTIONAL, Lane.BULK, False),  # a campaign
        (TrafficClass.MARKETING, Lane.BULK, False),
    ],
)
def test_what_may_go_twice(traffic, lane, twice):
    assert due_part(ROW | {"class": traffic, "lane": lane}, 0.0).twice is twice


def test_its_text_is_that_of_the_part():
    assert due_part(ROW, 0.0).text == "Bonjour"
    assert due_part(ROW | {"text": "Salut"}, 0.0).text == "Salut"
    long = ROW | {"text": "x" * 153 + "y" * 20, "parts": 2, "part": 2}
    assert due_part(long, 0.0).text == "y" * 20
    assert (due_part(ROW, 0.0).flash, due_part(ROW, 0.0).region) == (True, "57")
