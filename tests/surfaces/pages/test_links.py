"""Short links and survey pages over a real socket: where they lead, what uses them up, what is not let through."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from html import unescape

import pytest
from surfaces.pages.conftest import CODE, NOW, PHONE, PREVIEW

from passerelle.domain.surveys import Kind, Question, State
from passerelle.pipeline import surveys
from passerelle.store import links as store
from passerelle.store import surveys as rows

GOOD = {"q1": "2", "q2": ["1", "3"], "q3": "7", "q4": "Très <b>bon</b>"}


# --- short links ---------------------------------------------------------------------------------------------------


async def test_a_link_leads_where_it_was_made_for(stand):
    url = "https://example.org/a?b=%C3%A9&c=1#d"
    code = await store.make(stand.db, stand.account, url, NOW)
    status, _, headers = await stand.get(f"/l/{code}?url=https://evil.example&next=//evil.example")
    assert (status, headers["location"]) == (302, url)
    assert headers["cache-control"] == "no-store" and headers["referrer-policy"] == "no-referrer"


async def test_clicks_of_people_are_counted(stand):
    code = await store.make(stand.db, stand.account, "https://example.org/", NOW)
    await stand.get(f"/l/{code}")
    stand.clock.move(60)
    await stand.get(f"/l/{code}")
    await stand.get(f"/l/{code}", method="HEAD")
    await stand.get(f"/l/{code}", **{"user-agent": PREVIEW["user-agent"]})
    await stand.get(f"/l/{code}", purpose="prefetch")
    [counted] = await store.clicks(stand.db, stand.account, [code])
    assert counted == (code, "https://example.org/", 2, NOW, NOW + timedelta(minutes=1))


@pytest.mark.parametrize(
    "path",
    ["/l/XXXXXXXX", "/l/short", "/l/Ab12cd345", "/l/Ab12cd3%00", "/l/%2e%2e%20x", "/l/'--12345", "/l/Ab12cd3é"],
)
async def test_a_code_of_nobody_gets_a_friendly_page(stand, path):
    await stand.survey()
    for status, text, headers in (await stand.get(path), await stand.post(path, GOOD)):
        assert status == 404 and "Ce lien ne mène nulle part" in text
        assert headers["content-type"].startswith("text/html")
    assert "This link leads nowhere" in (await stand.get(path, accept_language="en"))[1]


async def test_a_link_that_is_over(stand):
    code = await store.make(stand.db, stand.account, "https://example.org/", NOW, NOW + timedelta(hours=1))
    assert (await stand.get(f"/l/{code}"))[0] == 302
    stand.clock.move(3600)
    assert (await stand.get(f"/l/{code}"))[0] == 404


async def test_other_paths_are_pages_too(stand):
    for path in ("/l", "/l/", "/l/a/b", "/"):
        status, text, _ = await stand.get(path)
        assert (status, "Cette page n'existe pas" in text) == (404, True), path
    status, _, _ = await stand.get(f"/l/{CODE}", method="DELETE")
    assert status == 404


# --- surveys -------------------------------------------------------------------------------------------------------


async def test_a_survey_is_shown_answered_once_and_read_again(stand):
    await stand.survey(thanks="À bientôt !")
    status, text, headers = await stand.get(f"/l/{CODE}")
    assert status == 200 and "4 questions" in text and 'name="q3" value="10"' in text
    assert headers["content-security-policy"].startswith("default-src 'none'") and "<script" not in text
    assert (await stand.invitation()).opened_at == NOW
    status, _, headers = await stand.post(f"/l/{CODE}", GOOD, sec_fetch_site="same-origin")
    assert (status, headers["location"]) == (303, CODE)
    told = [(1, [2], "", False), (2, [1, 3], "", False), (3, [7], "", False), (4, [], "Très <b>bon</b>", False)]
    assert await stand.answers() == told
    assert (await stand.invitation()).answered_at == NOW
    status, text, _ = await stand.get(f"/l/{CODE}")
    assert status == 200 and "<form" not in text
    assert "Merci" in text and "À bientôt" in text and "Baguette, Brioche" in text
    status, _, headers = await stand.post(f"/l/{CODE}", GOOD | {"q1": "1"})
    assert status == 303 and await stand.answers() == told


async def test_what_people_write_is_escaped(stand):
    evil = "<script>alert(1)</script>\"'"
    await stand.survey(
        title=evil, questions=(Question(evil, choices=(evil, "b")), Question(evil, Kind.FREE)), thanks=evil
    )
    for ask in (
        lambda: stand.session.get(f"{stand.url}/l/{CODE}", headers=PHONE),
        lambda: stand.session.post(f"{stand.url}/l/{CODE}", data={"q2": evil}, headers=PHONE),
        lambda: stand.session.post(f"{stand.url}/l/{CODE}", data={"q1": "1", "q2": evil}, headers=PHONE),
    ):
        async with ask() as answer:
            text = await answer.text()
            assert evil in unescape(text) and "<script" not in text and "alert(1)</" not in text


async def test_looking_uses_nothing_up(stand):
    await stand.survey()
    for headers in ({"user-agent": PREVIEW["user-agent"]}, {"purpose": "preview"}):
        status, text, _ = await stand.get(f"/l/{CODE}", **headers)
        assert status == 200 and "<form" in text
    status, text, _ = await stand.get(f"/l/{CODE}", method="HEAD")
    assert (status, text) == (200, "")
    assert (await stand.invitation()).opened_at is None
    for _ in range(2):
        await stand.get(f"/l/{CODE}")
        stand.clock.move(60)
    assert (await stand.invitation()).opened_at == NOW
    assert (await stand.post(f"/l/{CODE}", GOOD))[0] == 303


async def test_what_is_missing_is_said_and_the_rest_is_kept(stand):
    await stand.survey()
    status, text, _ = await stand.post(f"/l/{CODE}", {"q1": "2", "q3": "99", "q4": "un mot"}, accept_language="en")
    assert status == 422 and "Something is still missing" in text and "This answer is not possible." in text
    assert 'name="q1" value="2" checked' in text and "un mot</textarea>" in text
    assert await stand.answers() == [] and (await stand.invitation()).answered_at is None
    status, text, _ = await stand.post(f"/l/{CODE}", {})
    assert (status, text.count("Une réponse est attendue ici.")) == (422, 2)


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"closes_at": NOW + timedelta(minutes=1)}, 410, "Ce sondage est terminé"),
        ({"opens_at": NOW + timedelta(days=1)}, 200, "Revenez à partir du 11/11/2026 à 11:00."),
    ],
)
async def test_outside_its_time(stand, changes, status, said):
    await stand.survey(**changes)
    stand.clock.move(60)
    for got, text, _ in (await stand.get(f"/l/{CODE}"), await stand.post(f"/l/{CODE}", GOOD)):
        assert got == status and said in text and "<form" not in text
    assert await stand.answers() == [] and (await stand.invitation()).opened_at is None


async def test_a_survey_that_was_closed_still_shows_what_one_answered(stand):
    stored = await stand.survey()
    await stand.post(f"/l/{CODE}", GOOD)
    await surveys.set_state(stand.db, stored, State.CLOSED)
    status, text, _ = await stand.get(f"/l/{CODE}")
    assert status == 200 and "Vos réponses" in text


async def test_a_removed_survey_leads_nowhere(stand):
    stored = await stand.survey()
    await rows.remove(stand.db, stored.account_id, stored.id)
    assert (await stand.get(f"/l/{CODE}"))[0] == 404


async def test_a_sandbox_says_so(stand):
    await stand.survey(test=True)
    assert "Ceci est un essai" in (await stand.get(f"/l/{CODE}"))[1]
    await stand.post(f"/l/{CODE}", GOOD)
    assert "Ceci est un essai" in (await stand.get(f"/l/{CODE}"))[1]
    assert {row[3] for row in await stand.answers()} == {True}


async def test_two_who_answer_at_once(stand):
    await stand.survey()
    await asyncio.gather(*(stand.post(f"/l/{CODE}", GOOD | {"q1": str(n % 3 + 1), "q4": str(n)}) for n in range(6)))
    answers = await stand.answers()
    assert len(answers) == 4  # all of one of them: q4 tells whose
    assert answers[0][1] == [int(answers[3][2]) % 3 + 1]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec_fetch_site": "same-origin", "origin": "null"}, 303),
        ({}, 303),
    ],
)
async def test_the_form_comes_from_its_page(stand, headers, status):
    await stand.survey()
    assert (await stand.post(f"/l/{CODE}", GOOD, **headers))[0] == status
    assert len(await stand.answers()) == (4 if status == 303 else 0)


async def test_what_is_no_form_changes_nothing(stand):
    await stand.survey()
    form = {"content-type": "application/x-www-form-urlencoded"}
    for body, headers, status in (
        (b"{}", {"content-type": "application/json"}, 415),
        (b"", {}, 415),
        (b"\xff\xfe=", form, 400),
        (b"q1=1&" * 2000, form, 400),
        (b"q4=" + b"x" * 70_000, form, 413),
        (b"q1=%00&q3=%ff&q4=%00%ed%a0%80", form, 422),
    ):
        async with stand.session.post(f"{stand.url}/l/{CODE}", data=body, headers=PHONE | headers) as answer:
            assert answer.status == status, body[:20]
            assert answer.headers["content-type"].startswith("text/html")
    assert await stand.answers() == []


async def test_strange_characters_of_an_answer_are_kept_as_can_be(stand):
    await stand.survey()
    async with stand.session.post(
        f"{stand.url}/l/{CODE}",
        data=b"q1=1&q3=1&q4=a%00b%ed%a0%80%f0%9f%99%82",
        headers=PHONE | {"content-type": "application/x-www-form-urlencoded"},
        allow_redirects=False,
    ) as answer:
        assert answer.status == 303
    assert (await stand.answers())[-1][2] == "ab\ufffd\ufffd\ufffd🙂"
