"""Surveys in the native API."""

from __future__ import annotations

from typing import Any

import pytest
from surfaces.native.conftest import PHONE, Desk, problem
from surfaces.native.test_messages import every

from passerelle.domain.surveys import Answer
from passerelle.pipeline import surveys
from passerelle.store import surveys as store

NOWHERE = "q7TzB2mVx0LkR9sWcE4a"
REPLY: dict[str, Any] = {
    "title": "Pain",
    "introduction": "Bonjour",
    "questions": [{"text": "Aimez-vous ?", "choices": ["Oui", "Non"]}],
}
LINK: dict[str, Any] = {
    "title": "Avis",
    "introduction": "Votre avis {{link}}",
    "mode": "link",
    "closes_at": "2026-12-01T12:00:00Z",
    "questions": [
        {"text": "Le pain ?", "kind": "multiple", "choices": ["Bon", "Frais"]},
        {"text": "Combien ?", "kind": "scale", "low": 0, "high": 10, "high_label": "beaucoup"},
        {"text": "Un mot ?", "kind": "free"},
    ],
}


async def made(desk: Desk, plan: dict[str, Any] = REPLY, *, opened: bool = True) -> str:
    ident = (await desk.post("/surveys", plan, 201))["id"]
    if opened:
        answer = await desk("PATCH", f"/surveys/{ident}", {"state": "open"})
        assert (answer.status, answer.json()["state"]) == (200, "open")
    return str(ident)


async def test_a_survey_is_made_opened_closed_and_deleted(desk: Desk) -> None:
    told = await desk.post("/surveys", LINK, 201)
    assert told == {
        "id": told["id"], "title": "Avis", "introduction": "Votre avis {{link}}", "mode": "link", "marketing": False,
        "state": "draft", "opens_at": None, "closes_at": "2026-12-01T12:00:00Z", "thanks": "",
        "created_at": "2026-11-10T10:00:00Z",
        "questions": [
            {"number": 1, "text": "Le pain ?", "kind": "multiple", "required": True, "choices": ["Bon", "Frais"]},
            {"number": 2, "text": "Combien ?", "kind": "scale", "required": True, "low": 0, "high": 10, "low_label": "",
             "high_label": "beaucoup"},
            {"number": 3, "text": "Un mot ?", "kind": "free", "required": False},
        ],
    }  # fmt: skip
    path = f"/surveys/{told['id']}"
    assert await desk.get(path) == told
    for state in ("open", "closed", "open"):
        assert (await desk("PATCH", path, {"state": state})).json()["state"] == state
    assert (await desk("DELETE", path)).status == 204
    assert problem(await desk("GET", path)) == (404, "not-found")


async def test_the_newest_come_first_page_by_page(desk: Desk) -> None:
    idents = [await made(desk, REPLY | {"title": str(n)}, opened=False) for n in range(3)]
    for limit in (1, 2, 500):
        assert [one["id"] for one in await every(desk, f"/surveys?limit={limit}")] == idents[::-1]


async def test_it_is_sent_answered_and_counted(desk: Desk) -> None:
    ident = await made(desk, LINK)
    sent = await desk.post(f"/surveys/{ident}/messages", {"to": [PHONE, "+33639980002", PHONE, "1"], "tag": "a"}, 201)
    assert [one["to"] for one in sent["messages"]] == [PHONE, "+33639980002"]
    assert [(one["position"], one["reason"]) for one in sent["left_out"]] == [(2, "duplicate"), (3, "number_invalid")]
    rows = await desk.db.fetch("select code, phone from invitation order by message_id")
    texts = [row["text"] for row in await desk.db.fetch("select text from message order by id")]
    assert texts == [f"Votre avis http://127.0.0.1:8080/l/{row['code']}" for row in rows]
    fields = {"q1": ["1", "2"], "q2": ["9"], "q3": ["=1+1"]}
    seen = await surveys.submit(desk.db, rows[0]["code"], fields, desk.clock.now())
    assert seen is not None and Answer(2, (9,)) in seen.answers
    told = await desk.get(f"/surveys/{ident}/results")
    assert (told["invited"], told["delivered"], told["opened"], told["answered"]) == (2, 0, 1, 1)
    assert told["questions"][0]["choices"] == [
        {"number": 1, "label": "Bon", "count": 1, "share": 100.0},
        {"number": 2, "label": "Frais", "count": 1, "share": 100.0},
    ]
    assert told["questions"][1]["mean"] == 9.0 and len(told["questions"][1]["choices"]) == 11
    free = {"phone": PHONE, "question": 3, "text": "=1+1", "at": "2026-11-10T10:00:00Z"}
    assert told["free_answers"] == [free]
    people = await desk.get(f"/surveys/{ident}/answers")
    assert people[0]["answers"][0] == {"question": 1, "choices": [1, 2], "labels": ["Bon", "Frais"], "text": ""}
    assert people[1]["answers"] == [] and people[1]["phone"] == "+33639980002"
    table = await desk("GET", f"/surveys/{ident}/answers.csv?bom=true")
    assert table.headers["content-type"].startswith("text/csv") and "attachment" in table.headers["content-disposition"]
    assert table.body.startswith(b"\xef\xbb\xbfphone,") and b",Bon | Frais,9,'=1+1\r\n" in table.body


async def test_a_sandbox_counts_nowhere(desk: Desk) -> None:
    ident = await made(desk)
    sent = await desk.post(f"/surveys/{ident}/messages", {"to": [PHONE], "sandbox": True}, 201)
    assert sent["sandbox"] and await desk.balance() == 10_000_000
    assert (await desk.get(f"/surveys/{ident}/results"))["invited"] == 0
    assert await desk.get(f"/surveys/{ident}/answers") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"title": ""}, "The title is missing."),
        ({"questions": []}, "It has 0 questions; 1 to 50 are possible."),
        ({"questions": REPLY["questions"] * 2}, "A survey that is answered by SMS has one question; mode `link` takes more."),
        ({"titel": "x"}, "titel"),
        ({"mode": "mail"}, "mail"),
        ({"closes_at": "soon"}, "RFC3339"),
        ({"title": "a\0b"}, "U+0000 is in no text"),
    ],
)  # fmt: skip
async def test_what_is_no_survey(desk: Desk, change: dict[str, Any], said: str) -> None:
    answer = await desk("POST", "/surveys", REPLY | change)
    assert problem(answer) == (422, "invalid") and said in answer.text
    assert (await desk.get("/surveys"))["items"] == []


async def test_what_is_not_sent(desk: Desk) -> None:
    draft, opened = await made(desk, opened=False), await made(desk)
    refused = await desk("POST", f"/surveys/{draft}/messages", {"to": [PHONE]})
    assert problem(refused) == (422, "refused") and refused.json()["errors"][0]["reason"] == "survey_unknown"
    path = f"/surveys/{opened}/messages"
    assert problem(await desk("POST", path, {"to": []})) == (422, "invalid")
    assert problem(await desk("POST", path, {"to": [PHONE], "text": "x"})) == (422, "invalid")
    assert problem(await desk("POST", path, {"to": ["1"]})) == (422, "refused")
    poor = await desk.open("poor@example.org", euros=0)
    assert problem(await poor("POST", f"/surveys/{await made(poor)}/messages", {"to": [PHONE]})) == (402, "credit")
    assert await desk.db.fetchval("select count(*) from invitation") == 0


async def test_the_same_key_sends_once(desk: Desk) -> None:
    path = f"/surveys/{await made(desk, LINK)}/messages"
    first, again = [await desk("POST", path, {"to": [PHONE]}, idempotency_key="k") for _ in range(2)]
    assert first.status == again.status == 201 and first.body == again.body
    assert await desk.db.fetchval("select count(*) from invitation") == 1


async def test_others_see_nothing(desk: Desk) -> None:
    ident, mallory = await made(desk), await desk.open("mallory@example.org")
    before = await desk.db.fetch("select * from survey")
    for name in (ident, NOWHERE, "x", "%00"):
        path = f"/surveys/{name}"
        for method, target, body in (
            ("GET", path, None), ("PATCH", path, {"state": "closed"}), ("DELETE", path, None),
            ("GET", f"{path}/results", None), ("GET", f"{path}/answers", None), ("GET", f"{path}/answers.csv", None),
            ("POST", f"{path}/messages", {"to": [PHONE]}),
        ):  # fmt: skip
            assert problem(await mallory(method, target, body)) == (404, "not-found")
    assert (await mallory.get("/surveys"))["items"] == []
    assert await desk.db.fetch("select * from survey") == before
    reader = await desk.with_key("surveys:read")
    assert (await reader("GET", f"/surveys/{ident}/results")).status == 200
    assert problem(await reader("PATCH", f"/surveys/{ident}", {"state": "closed"})) == (403, "scope")
    assert problem(await reader("POST", f"/surveys/{ident}/messages", {"to": [PHONE]})) == (403, "scope")


async def test_a_survey_made_elsewhere_is_seen_here(desk: Desk) -> None:
    ident = await made(desk)
    found = await surveys.find(desk.db, desk.account.id, ident)
    assert found is not None and await store.page(desk.db, desk.account.id) == [found]
