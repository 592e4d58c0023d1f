"""`explain`, `status` and `doctor` as a person sees them."""

from __future__ import annotations

import msgspec
import pytest
from cli.conftest import EMAIL

from passerelle.cli.looking import named
from passerelle.cli.screen import Problem


async def test_explain_tells_without_sending(shell):
    out = await shell.ok("explain", "0639980001", "--text", "Ça coûte [5€] 😀", "--marketing", "--unicode")
    assert "UCS-2" in out and "grinning face" in out and "STOP 36000" in out
    assert "orange: preferred, thrifty: does not take premium" in out and "balance 10.000 EUR -> 9.962 EUR" in out
    facts = await shell.json("explain", "--text", "Bonjour")
    assert (facts["verdict"], facts["cost"], facts["lane"]) == ("admitted", 0.038, "codes")
    assert await shell.db.fetchval("select count(*) from message") == 0


async def test_explain_fails_where_the_send_would(shell):
    code, out, _ = await shell("explain", "12", "--text", "Bonjour", "--sender", "x")
    assert code == 1 and "REFUSED" in out
    assert "shorter than 3" in out and "12: this is no telephone number" in out


async def test_status_of_all(shell):
    out = await shell.ok("status")
    assert "0 parts" in out and "Queue     empty" in out and "no bind yet" in out
    await shell.ok("send", "0639980001", "--text", "x")
    facts = await shell.json("status")
    assert [(q["carrier"], q["parts"], q["due"]) for q in facts["queued"]] == [("orange", 1, 1)]
    assert (facts["parts_today"], facts["cost_today"]) == (1, 0.038)
    assert "orange" in await shell.ok("status")


async def test_status_of_a_message_by_all_its_names(shell):
    sent = await shell.json("send", "0639980001", "--text", "Bonjour [b]", "--unicode")
    (life,) = await shell.json("status", str(sent["message_id"]))
    assert (life["phone"], life["state"], life["text"]) == ("+33639980001", "accepted", "Bonjour [b]")
    assert life["waiting"] == "no bind to orange is up: it leaves as soon as one is"
    for name in ("0639980001", "+33639980001", "33639980001", str(life["id"])):
        assert (await shell.json("status", name)) == [life]
    out = await shell.ok("status", "0639980001")
    assert "Bonjour [b]" in out and "through SMS Partner" in out and "Waiting: no bind to orange" in out
    await shell.ok("send", "0639980001", "--text", "encore")
    assert "This is the first of 2" in await shell.ok("status", "0639980001")
    assert "no message 999" in await shell.fails("status", "999")
    assert "neither" in await shell.fails("status", "bonjour")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("12", (0, 12)),
        ("2147483647", (0, 2147483647)),
        ("354042744143873", (0, 354042744143873)),
        ("0639980001", (33639980001, 0)),
        ("+33 6 39 98 00 01", (33639980001, 0)),
        ("33639980001", (33639980001, 0)),
        ("+4915112345678", (4915112345678, 0)),
    ],
)
def test_a_number_is_a_telephone_or_a_message(written, meant):
    assert named(written) == meant


def test_what_is_neither_is_told():
    with pytest.raises(Problem):
        named("bonjour")


async def test_doctor_ends_with_1_where_there_is_a_problem(shell):
    code, out, _ = await shell("doctor")
    assert code == 1 and "problem  carrier orange: 127.0.0.1:1 does not answer" in out
    assert "OK       money" in out and "         -> " in out
    code, out, _ = await shell("doctor", "--quick", "--json")
    checks = {check["name"]: check["level"] for check in msgspec.json.decode(out)}
    assert code == 1 and checks["secret"] == "ok" and "money" not in checks


async def test_explain_is_of_the_account_named(shell):
    await shell.ok("account", "create", "a@b.c")
    code, out, _ = await shell("explain", "--text", "x", "--account", "a@b.c")
    assert code == 1 and "the credit is too low" in out
    await shell.ok("explain", "--text", "x", "--account", EMAIL)
