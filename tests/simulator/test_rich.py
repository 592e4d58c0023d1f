from __future__ import annotations

import json

import pytest

from passerelle.domain import rcs
from passerelle.simulator.rich import File, read

REPLY = {"reply": {"text": "Oui", "postbackData": "yes"}}
LINK = {"action": {"text": "Voir", "postbackData": "see", "openUrlAction": {"url": "https://a.example/"}}}
CARD = {"title": "Tarte", "media": {"height": "TALL", "contentInfo": {"fileUrl": "https://a.example/t.png"}}}
CAROUSEL = {
    "richCard": {
        "carouselCard": {
            "cardContents": [CARD | {"suggestions": [REPLY, LINK]}, {"description": "Pain", "suggestions": [REPLY]}]
        }
    },
    "suggestions": [LINK],
}


@pytest.mark.parametrize(
    ("shape", "caption"),
    [
        ({"text": "Bonjour"}, "Bonjour"),
        ({"contentInfo": {"fileUrl": "https://a.example/x/Une%20facture.pdf?y=1"}}, "Une facture.pdf"),
        ({"richCard": {"standaloneCard": {"cardContent": CARD}}}, "Tarte"),
        ({"richCard": {"standaloneCard": {"cardContent": {"media": CARD["media"]}}}}, "t.png"),
        (CAROUSEL, "Tarte"),
    ],
)
def test_a_message_says_in_a_line_what_it_is(shape, caption):
    content = read(shape)
    assert content is not None and content.caption == caption


@pytest.mark.parametrize(
    "shape",
    [
        None,
        [],
        5,
        {},
        {"text": ""},
        {"text": 5},
        {"richCard": {}},
        {"contentInfo": {}},
        {"contentInfo": {"fileUrl": "https://[/"}},
        {"text": "a", "suggestions": [5]},
    ],
)
def test_what_shows_nothing_is_no_message(shape):
    assert read(shape) is None


def test_suggestions_are_counted_over_the_whole_message():
    content = read(CAROUSEL)
    assert content is not None
    assert [(position, one.text, one.icon) for position, one in content.buttons] == [
        (0, "Oui", ""),
        (1, "Voir", "↗"),
        (2, "Oui", ""),
        (3, "Voir", "↗"),
    ]
    assert [position for position, _ in content.buttons_of(1)] == [2] and [
        position for position, _ in content.buttons_of(None)
    ] == [3]
    assert content.buttons[1][1].detail == "https://a.example/"


def test_files_are_named_and_only_the_web_is_followed():
    assert (File("https://a.example/x.jpeg").extension, File("https://a.example/").extension) == ("JPEG", "FILE")
    assert (
        File("https://a.example/x.mp4").picture == "" and File("https://a.example/x.mp4", "https://a.example/t").picture
    )
    assert File("javascript:alert(1)").link == File("javascript:alert(1)").picture == ""


def test_all_that_the_platform_accepts_can_be_shown():
    actions = [
        {"dialAction": {"phoneNumber": "+33144556677"}}, {"openUrlAction": {"url": "https://a.example"}}, {"shareLocationAction": {}},
        {"viewLocationAction": {"latLong": {"latitude": 1, "longitude": 2.5}, "label": "Ici"}},
        {"createCalendarEventAction": {"startTime": "2026-12-05T09:00:00Z", "endTime": "2026-12-05T10:00:00Z", "title": "Fête", "description": "x"}},
    ]  # fmt: skip
    for action in actions:
        content = rcs.read({"text": "a", "suggestions": [{"action": {"text": "b"} | action}]})
        assert not content.faults
        shown = read(json.loads(content.text))
        assert shown is not None and shown.buttons[0][1].icon
