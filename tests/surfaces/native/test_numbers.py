"""Long numbers in the native API."""

from __future__ import annotations

from typing import Any

import pytest
from surfaces.native.conftest import TUESDAY, Desk, problem

from passerelle.store import virtual_numbers

LONG, OFF, THEIRS = 33644630001, 33644630003, 33644630002
AT = "2026-11-10T10:00:00Z"
NONE = {"do": "off", "to": ""}


@pytest.fixture
async def owner(desk: Desk) -> Desk:
    """With a number, and one that is disabled; somebody else has a third."""
    other = await desk.open("clinic@example.org")
    for phone, account in ((LONG, desk.account), (OFF, desk.account), (THEIRS, other.account)):
        await virtual_numbers.add(desk.db, phone, account.id, TUESDAY)
    await virtual_numbers.set_enabled(desk.db, OFF, False)
    return desk


async def change(desk: Desk, body: dict[str, Any], phone: str = "+33644630001") -> Any:
    return await desk("PATCH", f"/numbers/{phone}", body)


async def test_the_numbers_of_the_account(owner: Desk) -> None:
    listed = (await owner.get("/numbers"))["items"]
    assert listed[0] == {
        "phone": f"+{LONG}",
        "enabled": True,
        "reply_url": "",
        "calls": NONE,
        "calls_since": None,
        "since": AT,
    }
    assert [(one["phone"], one["enabled"]) for one in listed] == [(f"+{LONG}", True), (f"+{OFF}", False)]
    assert (await owner.get("/numbers/0644630001"))["changes"] == []


async def test_what_becomes_of_texts_and_calls(owner: Desk) -> None:
    forward = {"do": "forward", "to": "+33639980009"}
    answer = await change(owner, {"reply_url": "https://a.example/r", "calls": {"do": "forward", "to": "0639980009"}})
    assert answer.status == 200
    told = answer.json()
    assert (told["reply_url"], told["calls"], told["calls_since"]) == ("https://a.example/r", forward, AT)
    assert told["changes"] == [{"at": AT, "calls": forward}]
    again = (await change(owner, {"calls": forward})).json()
    assert again == told
    mailed = (await change(owner, {"calls": {"do": "voicemail", "to": "a@b.example"}})).json()
    assert (mailed["reply_url"], len(mailed["changes"])) == ("https://a.example/r", 2)
    assert (await change(owner, {"reply_url": "", "calls": {"do": "off"}})).json()["calls"] == NONE
    assert (await owner.get(f"/numbers/+{LONG}"))["reply_url"] == ""


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"reply_url": "nowhere"}, "#/reply_url"),
        ({"calls": {"do": "forward"}}, "#/calls/to"),
        ({"calls": {"do": "forward", "to": "12"}}, "#/calls/to"),
        ({"calls": {"do": "forward", "to": "0644630001"}}, "#/calls/to"),
        ({"calls": {"do": "voicemail", "to": "0639980009"}}, "#/calls/to"),
        ({"calls": {"do": "sing"}}, "#/calls/do"),
        ({"colour": "red"}, "#"),
    ],
)
async def test_what_is_wrong_changes_nothing(owner: Desk, body: dict[str, Any], pointer: str) -> None:
    refused = await change(owner, body)
    assert problem(refused) == (422, "invalid")
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert (await owner.get(f"/numbers/{LONG}"))["calls_since"] is None


async def test_what_may_not_be(owner: Desk) -> None:
    forward = {"calls": {"do": "forward", "to": "0639980009"}}
    assert problem(await change(owner, forward, str(OFF))) == (409, "conflict")
    for phone in (str(THEIRS), "12", "36000", str(LONG + 50)):
        assert problem(await change(owner, forward, phone)) == (404, "not-found")
        assert problem(await owner("GET", f"/numbers/{phone}")) == (404, "not-found")
    await owner.services.accounts.update_rules(owner.account.id, call_forwarding=False)
    assert problem(await change(owner, forward)) == (409, "conflict")
    reader = await owner.with_key("numbers:read")
    assert problem(await change(reader, forward)) == (403, "scope")
    assert len((await reader.get("/numbers"))["items"]) == 2
