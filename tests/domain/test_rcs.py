from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.domain.rcs import IN_CARDS, IN_FILES, Fault, media_type, read

URL = "https://files.example.org/a.png"
REPLY = {"reply": {"text": "Oui", "postbackData": "yes"}}
CARD = {"title": "Tarte"}


def content(conversation: object) -> object:
    found = read(conversation)
    assert not found.faults, found.faults
    return json.loads(found.text)


def faults(conversation: object) -> list[Fault]:
    found = read(conversation)
    assert bool(found.faults) != bool(found.text)
    return list(found.faults)


def text_with(*suggestions: object) -> dict[str, object]:
    return {"text": "Bonjour", "suggestions": list(suggestions)}


def action(**more: object) -> dict[str, object]:
    return {"action": {"text": "Voir", "postbackData": "see"} | more}


# --- the four forms ------------------------------------------------------------------------------------------------

STANDALONE = {"richCard": {"standaloneCard": {"cardOrientation": "VERTICAL", "cardContent": {"title": "Tarte"}}}}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"text": "Bonjour"}, {"text": "Bonjour"}),
        ({"TEXT": "Bonjour", "suggestions": []}, {"text": "Bonjour"}),
        ({"text": 12, "file": None, "carousel": ""}, {"text": "12"}),
        (text_with(REPLY), {"text": "Bonjour", "suggestions": [REPLY]}),
        ({"file": {"media": {"fileUrl": URL}}}, {"contentInfo": {"fileUrl": URL}}),
        ({"file": {"media": {"contentInfo": {"fileUrl": URL}}}}, {"contentInfo": {"fileUrl": URL}}),
        (
            {"file": {"media": {"fileUrl": URL, "thumbnailUrl": URL}}, "suggestions": [REPLY]},
            {"contentInfo": {"fileUrl": URL, "thumbnailUrl": URL}, "suggestions": [REPLY]},
        ),
        ({"richCard": CARD}, STANDALONE),
        ({"richCard": CARD | {"orientation": "vertical", "thumbnailImageAlignment": "LEFT"}}, STANDALONE),
        (
            {"richCard": CARD | {"orientation": "HORIZONTAL", "thumbnailImageAlignment": "RIGHT"}},
            {
                "richCard": {
                    "standaloneCard": {
                        "cardOrientation": "HORIZONTAL",
                        "thumbnailImageAlignment": "RIGHT",
                        "cardContent": {"title": "Tarte"},
                    }
                }
            },
        ),
        (
            {
                "richCard": {
                    "description": "Aux pommes",
                    "media": {"fileUrl": URL, "height": "tall"},
                    "suggestions": [REPLY],
                }
            },
            {
                "richCard": {
                    "standaloneCard": {
                        "cardOrientation": "VERTICAL",
                        "cardContent": {
                            "description": "Aux pommes",
                            "media": {"height": "TALL", "contentInfo": {"fileUrl": URL}},
                            "suggestions": [REPLY],
                        },
                    }
                }
            },
        ),
        (
            {"carousel": {"cardWidth": "SMALL", "cards": [CARD, CARD | {"orientation": "NONSENSE"}]}},
            {"richCard": {"carouselCard": {"cardWidth": "SMALL", "cardContents": [CARD, CARD]}}},
        ),
        (
            {"richCard": [CARD, CARD]},
            {"richCard": {"carouselCard": {"cardWidth": "MEDIUM", "cardContents": [CARD, CARD]}}},
        ),
    ],
)
def test_a_form_becomes_a_content_message(given: object, sent: object) -> None:
    assert content(given) == sent


@pytest.mark.parametrize(
    ("conversation", "found"),
    [
        (None, [Fault.FORM]),
        ([], [Fault.FORM]),
        ("Bonjour", [Fault.FORM]),
        ({}, [Fault.FORM]),
        ({"text": ""}, [Fault.FORM]),
        ({"text": "a", "file": {"media": {"fileUrl": URL}}}, [Fault.FORM]),
        ({"text": ["a"]}, [Fault.TEXT_MISSING]),
        ({"text": " \n"}, [Fault.TEXT_MISSING]),
        ({"text": 10**5000}, [Fault.TEXT_MISSING]),
        ({"text": "x" * 3073}, [Fault.TEXT_LONG]),
        ({"file": {}}, [Fault.MEDIA_MISSING]),
        ({"file": {"media": {}}}, [Fault.MEDIA_MISSING]),
        ({"file": {"media": {"fileUrl": "ftp://a.example/b.png"}}}, [Fault.MEDIA_URL]),
        ({"file": {"media": {"fileUrl": "https://a.example/b c.png"}}}, [Fault.MEDIA_URL]),
        ({"file": {"media": {"fileUrl": URL, "thumbnailUrl": "x"}}}, [Fault.MEDIA_URL]),
        ({"file": {"media": {"fileUrl": "https://a.example/b.EXE"}}}, [Fault.MEDIA_TYPE]),
        ({"file": {"media": {"fileUrl": "https://a.example/b", "contentType": "text/html"}}}, [Fault.MEDIA_TYPE]),
        ({"richCard": CARD | {"media": {"fileUrl": "https://a.example/b.pdf"}}}, [Fault.MEDIA_TYPE]),
        ({"richCard": CARD | {"media": {"fileUrl": URL, "height": "HUGE"}}}, [Fault.MEDIA_HEIGHT]),
        ({"richCard": CARD | {"orientation": "DIAGONAL"}}, [Fault.ORIENTATION]),
        ({"richCard": CARD | {"thumbnailImageAlignment": "TOP"}}, [Fault.ALIGNMENT]),
        ({"richCard": {}}, [Fault.CARD_EMPTY]),
        ({"richCard": {"title": " ", "suggestions": [REPLY]}}, [Fault.CARD_EMPTY]),
        ({"richCard": {"title": "x" * 201}}, [Fault.TITLE_LONG]),
        ({"richCard": {"description": "x" * 2001}}, [Fault.DESCRIPTION_LONG]),
        ({"richCard": {"title": "x" * 201, "description": "x" * 2001}}, [Fault.TITLE_LONG, Fault.DESCRIPTION_LONG]),
        ({"carousel": {"cards": [CARD]}}, [Fault.CARD_COUNT]),
        ({"carousel": {"cards": [CARD] * 11}}, [Fault.CARD_COUNT]),
        ({"carousel": {"cards": {}}}, [Fault.CARD_COUNT]),
        ({"carousel": [CARD, CARD]}, [Fault.CARD_COUNT]),
        ({"richCard": []}, [Fault.CARD_COUNT]),
        ({"carousel": {"cardWidth": "TALL", "cards": [CARD, {}]}}, [Fault.CARD_WIDTH, Fault.CARD_EMPTY]),
        ({"carousel": {"cards": [CARD, {}, {}]}}, [Fault.CARD_EMPTY]),
        (text_with(*[REPLY] * 5), [Fault.SUGGESTION_COUNT]),
        ({"text": "a", "suggestions": REPLY}, [Fault.SUGGESTION_FORM]),
        (text_with({}), [Fault.SUGGESTION_FORM]),
        (text_with("Oui"), [Fault.SUGGESTION_FORM]),
        (text_with({"reply": "Oui"}), [Fault.SUGGESTION_FORM]),
        (text_with(REPLY | action(shareLocationAction={})), [Fault.SUGGESTION_FORM]),
        (text_with({"reply": {"postbackData": "x"}}), [Fault.LABEL_MISSING]),
        (text_with({"reply": {"text": "x" * 26}}), [Fault.LABEL_LONG]),
        (text_with({"reply": {"text": "x", "postbackData": "x" * 2049}}), [Fault.POSTBACK_LONG]),
        (text_with(action()), [Fault.ACTION_FORM]),
        (text_with(action(shareLocationAction={}, openUrlAction={"url": URL})), [Fault.ACTION_FORM]),
        (text_with(action(openUrlAction={"url": "javascript:alert(1)"})), [Fault.ACTION_URL]),
        (text_with(action(dialAction={"phoneNumber": "12"})), [Fault.ACTION_PHONE]),
        (text_with(action(viewLocationAction={"latLong": {"latitude": 91, "longitude": 0}})), [Fault.ACTION_PLACE]),
        (text_with(action(viewLocationAction={"latLong": {"latitude": "nan", "longitude": 0}})), [Fault.ACTION_PLACE]),
        (text_with(action(createCalendarEventAction={"startTime": "demain"})), [Fault.ACTION_DATES]),
    ],
)
def test_what_is_wrong_is_found(conversation: object, found: list[Fault]) -> None:
    assert faults(conversation) == found


@pytest.mark.parametrize(
    "conversation",
    [
        {"text": "x" * 3072},
        {"richCard": {"title": "x" * 200, "description": "x" * 2000}},
        {"carousel": {"cards": [CARD] * 10}},
        text_with(*[{"reply": {"text": "x" * 25, "postbackData": "x" * 2048}}] * 4),
    ],
)
def test_limits_are_included(conversation: object) -> None:
    assert content(conversation)


def test_actions_are_sent_as_they_are_and_telephone_numbers_as_the_world_writes_them() -> None:
    event = {"startTime": "2026-12-05T09:00:00+01:00", "endTime": "2026-12-05T09:00:00Z", "title": "Fête"}
    given = [
        action(openUrlAction={"url": URL}),
        action(dialAction={"phoneNumber": "01 44 55 66 77"}),
        action(viewLocationAction={"latLong": {"latitude": "48.85", "longitude": 2.35}, "label": "Le fournil"}),
        action(createCalendarEventAction=event | {"endTime": "2026-12-05T18:00:00+01:00"}),
    ]
    sent = content(text_with(*given))
    assert isinstance(sent, dict)
    expected = [dict(one["action"]) for one in given]
    expected[1]["dialAction"] = {"phoneNumber": "+33144556677"}
    expected[2]["viewLocationAction"] = {"latLong": {"latitude": 48.85, "longitude": 2.35}, "label": "Le fournil"}
    assert [one["action"] for one in sent["suggestions"]] == expected
    assert content(text_with(action(shareLocationAction={})))["suggestions"][0]["action"]["shareLocationAction"] == {}


def test_a_suggestion_without_data_sends_its_label_back() -> None:
    assert content(text_with({"reply": {"text": "Oui"}}))["suggestions"][0]["reply"]["postbackData"] == "Oui"


@pytest.mark.parametrize(
    ("url", "declared", "kind"),
    [
        ("https://a.example/b.JPG?x=1", "", "image/jpeg"),
        ("https://a.example/b.mp4", "", "video/mp4"),
        ("https://a.example/b.pdf", "", "application/pdf"),
        ("https://a.example/b.pdf", "image/PNG; q=1", "image/png"),
        ("https://a.example/b.php", "", ""),
        ("https://a.example/v1.2/b", "", ""),
        ("https://a.example", "", ""),
        ("https://a.example/b.zip", "", None),
    ],
)
def test_the_type_of_a_file_is_declared_or_read_off_its_name(url: str, declared: str, kind: str | None) -> None:
    assert media_type(url, declared) == kind


def test_files_may_be_more_than_cards_show() -> None:
    assert IN_CARDS < IN_FILES and "application/pdf" in IN_FILES - IN_CARDS


# --- whatever is given ---------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["text", "file", "richCard", "carousel", "suggestions", "media", "fileUrl", "contentInfo", "thumbnailUrl", "height", "title", "description", "cards", "cardWidth", "orientation", "thumbnailImageAlignment", "reply", "action", "postbackData", "openUrlAction", "url", "dialAction", "phoneNumber", "latLong", "viewLocationAction", "latitude", "longitude", "createCalendarEventAction", "startTime", "endTime", "shareLocationAction", "label"]
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
    | st.sampled_from([URL, "HORIZONTAL", "2026-12-05T09:00:00Z", "0144556677", "Oui"])
)  # fmt: skip
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=5),
    max_leaves=25,
)


@given(JSON)
@settings(max_examples=300, deadline=None)
def test_any_json_gives_a_content_or_faults(value: object) -> None:
    found = read(value)
    if found.faults:
        assert not found.text
    else:
        json.loads(found.text)
        found.text.encode()
        assert "\0" not in found.text
