"""Long numbers from the command line."""

from __future__ import annotations

from cli.conftest import EMAIL


async def test_a_number_goes_from_hand_to_hand(shell):
    assert "no long number yet" in await shell.ok("numbers", "list")
    assert await shell.json("numbers", "list") == []
    await shell.ok("account", "create", "a@b.c")
    assert f"+33644630001 belongs to {EMAIL}" in await shell.ok(
        "numbers", "add", EMAIL, "06 44 63 00 01", "--url", "https://a.example/o2"
    )
    assert "somebody's already" in await shell.fails("numbers", "add", "a@b.c", "33644630001")
    listed = await shell.json("numbers", "list")
    assert listed == [
        {"number": "+33644630001", "email": EMAIL, "state": "enabled", "url": "https://a.example/o2", "calls": "off"}
    ]
    assert "is disabled" in await shell.ok("numbers", "disable", "0644630001")
    assert "disabled" in await shell.ok("numbers", "list")
    await shell.ok("numbers", "enable", "0644630001")
    await shell.ok("numbers", "assign", "0644630001", "a@b.c")
    (row,) = await shell.json("numbers", "list")
    assert (row["email"], row["url"], row["state"]) == ("a@b.c", "", "enabled")
    assert "there are: +33644630001" in await shell.fails("numbers", "remove", "0644630002")
    await shell.ok("numbers", "remove", "0644630001")
    assert "+33644630001 is nobody's" in await shell.fails("numbers", "assign", "0644630001", EMAIL)


async def test_what_is_typed_wrong(shell):
    assert "no French mobile number" in await shell.fails("numbers", "add", EMAIL, "0145000001")
    assert "no French mobile number" in await shell.fails("numbers", "remove", "x")
    assert "there are" in await shell.fails("numbers", "add", "x@y.z", "0644630001")
    assert "no http" in await shell.fails("numbers", "add", EMAIL, "0644630001", "--url", "nowhere")
