"""`passerelle surveys` as a person types it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from cli.conftest import EMAIL
from pipeline.test_survey_plans import FILE

from passerelle.domain.tokens import read20
from passerelle.pipeline import surveys
from passerelle.store import surveys as store

REPLY = {
    "title": "Pain [b]",
    "introduction": "Bonjour",
    "questions": [{"text": "Aimez-vous ?", "choices": ["Oui", "Non"]}],
}


@pytest.fixture
def plan(tmp_path):
    def write(content=REPLY, name="survey.json"):
        file = tmp_path / name
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(file)

    return write


async def stored(shell, ident):
    account = await shell.db.fetchval("select id from account where email = $1", EMAIL)
    return await store.by_token(shell.db, account, read20(ident))


async def test_from_a_file_to_the_answers(shell, plan, tmp_path):
    made = await shell.json("surveys", "create", plan())
    ident = made["id"]
    assert (made["state"], made["mode"]) == ("draft", "reply")
    assert "open" in await shell.ok("surveys", "open", ident)
    survey = await stored(shell, ident)
    now = datetime.now(UTC)
    async with shell.db.transaction() as connection:
        await store.invite(connection, survey, False, now, [(1, 33639980001, None), (2, 33639980002, None)])
        await store.answer(connection, [store.Given(*invited(survey), 1, (1,), "", 1, now)])
        await store.answer_freely(connection, [store.Freely(*invited(survey), "=1+1", 1, now)])
    out = await shell.ok("surveys", "show", ident)
    assert "2 invited, 0 delivered, 1 answered" in out and "Pain [b] (reply): open" in out
    assert "1. Aimez-vous ?  (1 answer)" in out and "100.0 %" in out and "=1+1" in out
    told = await shell.json("surveys", "show", ident)
    assert told["results"]["questions"][0]["choices"][0]["count"] == 1
    out = await shell.ok("surveys", "export", ident)
    assert out.startswith("phone,invited_at,") and "33639980001," in out and "'=1+1" in out
    to = tmp_path / "table.csv"
    await shell.ok("surveys", "export", ident, "--to", str(to), "--bom")
    assert to.read_bytes().startswith(b"\xef\xbb\xbf")
    people = json.loads(await shell.ok("surveys", "export", ident, "--format", "json"))
    assert [person["phone"] for person in people] == ["+33639980001", "+33639980002"]
    assert "closed" in await shell.ok("surveys", "close", ident)
    assert (await stored(shell, ident)).survey.is_over(now)


def invited(survey):
    return survey.account_id, survey.id, False, 33639980001


async def test_a_page_is_made_and_opened_at_once(shell, plan):
    out = await shell.ok("surveys", "create", plan(FILE, "survey.toml"), "--open")
    assert f"of {EMAIL}: open" in out
    [listed] = await shell.json("surveys", "list")
    assert (listed["title"], listed["state"], len(listed["questions"])) == ("Avis", "open", 4)
    assert "Avis" in await shell.ok("surveys", "list")
    assert "0 looked at it" in await shell.ok("surveys", "show", listed["id"])


async def test_a_list_of_none(shell):
    assert "there is none yet" in await shell.ok("surveys", "list")


async def test_a_survey_whose_time_is_over(shell, plan):
    over = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    made = await shell.json("surveys", "create", plan(REPLY | {"closes_at": over}))
    assert "its time was over" in await shell.ok("surveys", "open", made["id"])


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("{", "a.json", "truncated"),
        ("title = ", "a.toml", "Invalid value"),
        ("title = 'x'\ntitel = 'x'\nintroduction = 'x'\nquestions = []", "a.toml", "titel"),
        (REPLY | {"title": ""}, "a.json", "the title is missing"),
        (REPLY | {"questions": [{"text": "?", "choices": ["Stop", "Non"]}]}, "a.json", "on the stop list"),
    ],
)
async def test_a_file_that_makes_no_survey(shell, plan, content, name, said):
    assert said in await shell.fails("surveys", "create", plan(content, name))
    assert await shell.db.fetchval("select count(*) from survey") == 0


async def test_what_is_not_there(shell, plan, tmp_path):
    assert "cannot be read" in await shell.fails("surveys", "create", str(tmp_path / "none.toml"))
    for words in (("open", "x"), ("close", "x"), ("show", "x" * 20), ("export", "x"), ("remove", "x", "--yes")):
        assert "has no survey" in await shell.fails("surveys", *words)
    made = await shell.json("surveys", "create", plan())
    assert "cannot be written" in await shell.fails("surveys", "export", made["id"], "--to", str(tmp_path))


async def test_a_survey_is_deleted_only_on_purpose(shell, plan):
    made = await shell.json("surveys", "create", plan())
    assert "add --yes" in await shell.fails("surveys", "remove", made["id"])
    assert await surveys.find(shell.db, (await stored(shell, made["id"])).account_id, made["id"])
    await shell.ok("surveys", "remove", made["id"], "--yes")
    assert await shell.db.fetchval("select count(*) from survey") == 0
